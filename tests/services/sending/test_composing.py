"""Orders → recipients, in memory: texts, numbers, senders, moments."""

from dataclasses import replace

import pytest
from tests.building import DAY, HOUR, MINUTE, NOW, OTHER, PHONE, RUB, THIRD, House, Memory

from vestnik.domain.exchange import Exchange
from vestnik.domain.lists import ListLine
from vestnik.domain.message import Err, Kind, Status
from vestnik.domain.refusals import (
    BadDate,
    BadParameters,
)
from vestnik.domain.route import Route

pytestmark = pytest.mark.anyio


@pytest.fixture
async def house():
    made = House(Memory())
    await made.client(1)
    return made


async def recipient(house, *args, **fields):
    [only] = (await house.draft(*args, **fields)).recipients
    return only


async def refused(house, *args, **fields):
    [only] = (await house.refused_draft(*args, **fields)).recipients
    return only.status, only.err


# Texts.


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("x" * 160, 1),
        ("x" * 161, 2),
        ("x" * 720, 5),
        ("ы" * 70, 1),
        ("ы" * 71, 2),
        ("€" * 80, 1),
        ("€" * 81, 2),
        ("a\r\nb", 1),
    ],
)
async def test_each_part_has_its_price(house, text, parts):
    draft = await house.draft(text=text)

    assert (draft.count, draft.cost) == (parts, parts * RUB)


@pytest.mark.parametrize(
    ("raw", "text", "comment"),
    [
        ("Hi\n~~~\nfor me", "Hi", "for me"),
        ("Hi\r\n~~~\r\nfor me", "Hi", "for me"),
        ("Hi\n~~~\nyou\n~~~\nme", "Hi\n~~~\nyou", "me"),
        ("Hi ~~~ you", "Hi ~~~ you", ""),
    ],
)
async def test_a_comment_is_kept_from_the_text(house, raw, text, comment):
    made = await recipient(house, text=raw)

    assert (made.text, made.comment, made.parts) == (text, comment, 1)


async def test_a_comment_is_not_counted(house):
    assert (await recipient(house, text="x" * 160 + "\n~~~\n" + "y" * 900)).parts == 1


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "the text is empty"),
        ("  ", "the text is empty"),
        ("\n~~~\ncomment", "the text is empty"),
        ("\r\n~~~\r\ncomment", "the text is empty"),
        ("x" * 1001, "the text has 1001 characters, at most 1000 may be"),
    ],
)
async def test_a_text_that_cannot_be_is_refused_in_plain_words(house, text, words):
    with pytest.raises(BadParameters, match=words):
        await house.draft(text=text)


async def test_how_long_a_text_may_be_is_the_accounts(house):
    house.limit(text_max=5)

    with pytest.raises(BadParameters, match="at most 5"):
        await house.draft(text="123456")


@pytest.mark.parametrize(("style", "text"), [(1, "translit"), (2, "mpaHc/Ium")])
async def test_transliteration_comes_before_counting(house, style, text):
    made = await recipient(house, text="транслит", translit=style)

    assert made.text == text
    assert (await recipient(house, text="а" * 100, translit=1)).parts == 1


@pytest.mark.parametrize(("maxsms", "length"), [(1, 160), (2, 306)])
async def test_a_text_is_cut_to_so_many_parts(house, maxsms, length):
    made = await recipient(house, text="x" * 500, maxsms=maxsms)

    assert (len(made.text), made.parts) == (length, maxsms)


@pytest.mark.parametrize(
    ("marker", "kind"),
    [
        ("HLR", Kind.HLR),
        ("PING", Kind.PING),
        ("CALL", Kind.CALL),
        ("VIBER", Kind.VIBER),
        ("SOC", Kind.SOCIAL),
        ("MMS", Kind.MMS),
        ("TG", Kind.TELEGRAM),
        ("FLASH", Kind.FLASH),
        ("SMS", Kind.SMS),
    ],
)
async def test_a_marker_at_the_beginning_chooses_the_channel(house, marker, kind):
    made = await recipient(house, text=f"__{marker}__Hello")

    assert (made.kind, made.text, made.parts) == (kind, "Hello", 1)


async def test_lines_choose_their_own_channels(house):
    lines = [
        ListLine(PHONE, "__HLR__"),
        ListLine(OTHER, "Hi __PING__"),
        ListLine(THIRD, "__PING__"),
    ]
    draft = await house.draft(lines=lines)

    assert [r.kind for r in draft.recipients] == [Kind.HLR, Kind.SMS, Kind.PING]
    assert draft.cost == 3 * RUB


@pytest.mark.parametrize(
    ("kind", "options"),
    [
        (Kind.HLR, {}),
        (Kind.PING, {}),
        (Kind.MMS, {"subj": "Photo"}),
        (Kind.CALL, {"fileurl": "https://example.com/hello.mp3"}),
    ],
)
async def test_some_kinds_need_no_text(house, kind, options):
    assert (await recipient(house, text="", kind=kind, options=options)).kind == kind


async def test_a_call_without_text_or_file_is_refused(house):
    with pytest.raises(BadParameters, match="the text is empty"):
        await house.draft(text="", kind=Kind.CALL)


async def test_binary_octets_tell_their_header_and_coding(house):
    draft = await house.draft(text="0605040B8423F0AABB\n~~~\npid: 64, dcs: 245", kind=Kind.BINARY)
    [made] = draft.recipients

    assert (made.text, made.parts) == ("0605040B8423F0AABB", 1)
    assert draft.options == '{"pid":64,"dcs":245}'


async def test_binary_data_longer_than_a_part_is_priced_by_its_parts(house):
    assert (await recipient(house, text="00" + "AA" * 200, kind=Kind.BINARY)).parts == 2


@pytest.mark.parametrize("text", ["00A", "xyz", "05AABB", "01"])
async def test_binary_data_without_sense_is_refused(house, text):
    with pytest.raises(BadParameters, match="mes: "):
        await house.draft(text=text, kind=Kind.BINARY)


async def test_binary_lines_keep_their_own_octets_and_share_their_coding(house):
    tail = "\n~~~\npid: 1, dcs: 2"
    lines = [ListLine(PHONE, "00AA" + tail), ListLine(OTHER, "00BB" + tail)]
    draft = await house.draft(lines=lines, kind=Kind.BINARY)

    assert [r.text for r in draft.recipients] == ["00AA", "00BB"]
    with pytest.raises(BadParameters, match="one pid and dcs"):
        await house.draft(lines=[*lines, ListLine(THIRD, "00CC")], kind=Kind.BINARY)


async def test_a_push_is_priced_by_its_parts(house):
    short = await recipient(house, text="http://example.com\nTitle", kind=Kind.PUSH)
    long = await recipient(house, text="http://example.com\n" + "x" * 200, kind=Kind.PUSH)

    assert (short.parts, long.parts) == (1, 2)
    with pytest.raises(BadParameters, match="a push is a link"):
        await house.draft(text="\nTitle", kind=Kind.PUSH)


# Who gets it.


@pytest.mark.parametrize(
    "written", ["79161234567", "+7 (916) 123-45-67", "89161234567", "9161234567"]
)
async def test_a_number_is_known_however_it_is_written(house, written):
    made = await recipient(house, written)

    assert (made.phone, made.mccmnc) == (PHONE, "25001")


@pytest.mark.parametrize("wrong", ["123", "7916123456", "79161234567890123", "abc"])
async def test_what_is_no_number_is_on_record_as_22(house, wrong):
    assert await refused(house, wrong) == (Status.BAD_NUMBER, Err.BAD_FORMAT)


async def test_the_same_phone_and_text_twice_in_one_request_is_23(house):
    lines = [ListLine(f"{PHONE},8{PHONE[1:]}", "one"), ListLine(PHONE, "two")]
    draft = await house.draft(lines=lines)

    assert [(r.status, r.text) for r in draft.recipients] == [(-1, "one"), (23, "one"), (-1, "two")]
    assert (draft.count, draft.cost) == (2, 2 * RUB)


@pytest.mark.parametrize(
    ("rules", "phone", "allowed"),
    [
        ("7,-77", PHONE, True),
        ("7,-77", "77001234567", False),
        ("7,-77,7700", "77001234567", True),
        ("380", PHONE, False),
        ("-77", PHONE, True),
        ("-77", "77001234567", False),
    ],
)
async def test_an_account_may_send_to_some_codes_only(house, rules, phone, allowed):
    house.limit(prefixes=rules)

    if allowed:
        assert (await recipient(house, phone)).status == Status.WAITING
    else:
        assert await refused(house, phone) == (Status.FORBIDDEN, Err.NUMBER_BARRED)


async def test_letters_go_to_addresses(house):
    house.limit(prefixes="7")
    draft = await house.draft("a@example.com; b@example.com,79161234567", kind=Kind.MAIL)

    rows = [(r.phone, r.status, r.parts) for r in draft.recipients]
    assert rows == [
        ("a@example.com", -1, 1),
        ("b@example.com", -1, 1),
        ("79161234567", Status.BAD_NUMBER, 1),
    ]
    assert (await recipient(house, "a@b.ru", "x" * 5000, kind=Kind.MAIL)).parts == 1


@pytest.mark.parametrize("name", ["@vestnik_bot", "#123456", PHONE])
async def test_telegram_goes_to_names_numbers_and_phones(house, name):
    made = await recipient(house, name, kind=Kind.BOT)

    assert (made.phone, made.status) == (name, Status.WAITING)


async def test_what_no_route_takes_is_25(house):
    house.carrier(2, route=False)
    house.routes.append(Route(1, 2, channel="hlr"))

    assert await refused(house) == (Status.UNREACHABLE, Err.NO_ROUTE)
    assert (await recipient(house, text="", kind=Kind.HLR)).carrier_id == 2


async def test_the_first_carrier_of_the_plan_is_to_send_it(house):
    for number, priority in ((2, 0), (3, 5)):
        house.carrier(number, priority=priority)

    assert (await recipient(house)).carrier_id == 3


# Who sends it.


@pytest.mark.parametrize(
    ("sender", "shown"), [(None, "Vestnik"), ("Shop", "Shop"), (".", ""), ("79990001122",) * 2]
)
async def test_a_sender_is_the_clients_or_the_default(house, sender, shown):
    assert (await recipient(house, sender=sender)).sender == shown


async def test_an_account_may_have_a_default_sender_of_its_own(house):
    await house.client(2, sender="Branch")

    assert (await recipient(house, client=2)).sender == "Branch"


@pytest.mark.parametrize("sender", ["ТелеШоп", "much too long", "shop@example.com"])
async def test_a_sender_that_cannot_be_shown_is_on_record_as_23(house, sender):
    assert await refused(house, sender=sender) == (Status.FORBIDDEN, Err.UNREGISTERED_SENDER)


async def test_a_letter_is_from_an_address(house):
    made = await recipient(house, "a@b.ru", kind=Kind.MAIL, sender="Shop <shop@example.com>")

    assert (made.sender, made.status) == ("Shop <shop@example.com>", Status.WAITING)


async def test_lines_have_their_own_senders_and_zones(house):
    lines = [
        ListLine(PHONE, "1"),
        ListLine(OTHER, "2", "Shop"),
        ListLine(THIRD, "3", "Shop", "2"),
        ListLine("79161234560", "4", ".", "-1"),
    ]
    draft = await house.draft(lines=lines, time="16.06.25 12:00")

    noon = NOW - NOW % DAY + DAY + 9 * HOUR
    assert [(r.sender, r.due - noon) for r in draft.recipients] == [
        ("Vestnik", 0),
        ("Shop", 0),
        ("Shop", -2 * HOUR),
        ("", HOUR),
    ]


async def test_a_lines_zone_counts_for_a_full_date_only(house):
    draft = await house.draft(lines=[ListLine(PHONE, "1", None, "5")], time="21-23")

    assert draft.recipients[0].due == NOW - NOW % DAY + 18 * HOUR


# When.


@pytest.mark.parametrize(
    ("time", "tz", "after"),
    [
        ("", "", 0),
        ("0", "", 0),
        ("1506251806", "", 0),  # in the past
        ("1506251910", "", HOUR + 3 * MINUTE + 20_000),
        ("15.06.25 19:10", "", HOUR + 3 * MINUTE + 20_000),
        ("1506252110", "2", HOUR + 3 * MINUTE + 20_000),
        ("17-19", "", 0),
        ("20-21", "", HOUR + 53 * MINUTE + 20_000),
        ("9-12", "", 14 * HOUR + 53 * MINUTE + 20_000),
        ("01750003600", "", HOUR),
        ("+90", "", 90 * MINUTE),
    ],
)
async def test_a_message_is_due_when_its_request_says(house, time, tz, after):
    made = await recipient(house, time=time, tz=tz)

    assert made.due - NOW == after
    assert made.expires - made.due == DAY


@pytest.mark.parametrize(
    ("tz", "zone"),
    [("", "Europe/Moscow"), ("0", "Etc/GMT-3"), ("2", "Etc/GMT-5"), ("-8", "Etc/GMT+5")],
)
async def test_a_window_of_hours_is_kept_for_when_the_queue_is_late(house, tz, zone):
    draft = await house.draft(time="9-21", tz=tz)

    assert (draft.window, draft.zone) == ((9 * 60, 21 * 60), zone)
    assert (await house.draft(time="+5", tz=tz)).window is None


@pytest.mark.parametrize("time", ["tomorrow", "9999999999", "25-26", "32.01.25 10:00"])
async def test_a_moment_that_is_none_is_refused(house, time):
    with pytest.raises(BadDate):
        await house.draft(time=time)


@pytest.mark.parametrize(("valid", "lives"), [("", DAY), ("1", HOUR), ("00:30", 30 * MINUTE)])
async def test_a_message_lives_as_long_as_its_request_says(house, valid, lives):
    made = await recipient(house, valid=valid, time="+60")

    assert made.expires - made.due == lives


async def test_a_mailing_leaves_in_portions(house):
    phones = ",".join(f"7916000000{n}" for n in range(6))
    draft = await house.draft(phones, period="1", freq="20")

    assert [(r.due - NOW) // MINUTE for r in draft.recipients] == [0, 0, 20, 20, 40, 40]
    assert {r.expires - r.due for r in draft.recipients} == {DAY}


# Money of several currencies.


async def test_each_payer_pays_in_its_own_money(house):
    await house.client(2, parent_id=1, currency="USD")
    house.rate(2, RUB // 10)  # ten cents
    house._directory = replace(house.directory(), exchange=Exchange({"RUB": RUB, "USD": 90 * RUB}))

    sent = await recipient(house, client=2, text="x" * 161)

    assert sent.price == 2 * RUB // 10
    assert sent.shares == (2 * (RUB - 9 * RUB),)  # the main account pays one and is paid nine


async def test_a_tariff_in_other_money_is_changed_into_the_payers(house):
    await house.client(2, parent_id=1, type=3, currency="USD")
    house.rate(2, RUB // 10)
    house._directory = replace(house.directory(), exchange=Exchange({"RUB": RUB, "USD": 90 * RUB}))

    assert (await recipient(house, client=2)).price == 9 * RUB
