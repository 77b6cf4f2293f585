"""Orders → recipients, in memory: texts, numbers, prices, times; and the refusals of send.md."""

import asyncio
import re
from contextlib import asynccontextmanager

import pytest
from tests.building import DAY, HOUR, MINUTE, NOW, OTHER, PHONE, RUB, THIRD, House, Memory

from vestnik.domain.lists import ListLine
from vestnik.domain.message import Err, Kind, Status
from vestnik.domain.refusals import (
    BadDate,
    BadNumber,
    BadParameters,
    InsufficientFunds,
    MessageForbidden,
    Undeliverable,
)
from vestnik.domain.route import Route
from vestnik.domain.schedule import MOSCOW
from vestnik.services.sending import WHOLE_MAX, Sending

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


# How many.


async def test_a_request_has_no_more_recipients_than_the_account_may(house):
    house.limit(rows_per_request=2)

    assert len((await house.draft(f"{PHONE},{OTHER}")).recipients) == 2
    with pytest.raises(BadParameters, match="more than 2 recipients"):
        await house.draft(f"{PHONE},{OTHER},{THIRD}")


@pytest.mark.parametrize("phones", ["", ",;,"])
async def test_a_request_has_recipients(house, phones):
    with pytest.raises(BadParameters, match="no recipient is given"):
        await house.draft(phones)


async def test_a_long_list_lets_others_have_their_turn(house):
    house.limit(rows_per_request=0)
    turns = 0

    async def count():
        nonlocal turns
        while True:
            turns += 1
            await asyncio.sleep(0)

    counting = asyncio.create_task(count())
    draft = await house.draft(",".join(f"7916{n:07}" for n in range(5_000)))
    counting.cancel()

    assert len(draft.recipients) == 5_000
    assert turns >= 10
    assert (draft.priority, draft.urgent) == (2, False)


async def test_a_list_too_long_for_one_commit_is_packed_as_it_is_read(house):
    house.limit(rows_per_request=0)
    lines = (ListLine(f"7916{n:07}", "Hello") for n in range(WHOLE_MAX + 1))
    draft = await house.draft(lines=lines)

    assert (draft.recipients, draft.total) == ([], WHOLE_MAX + 1)
    assert draft.holds == {1: (WHOLE_MAX + 1) * RUB}
    assert (draft.count, draft.cost) == (WHOLE_MAX + 1, (WHOLE_MAX + 1) * RUB)


# Test mode, prices, chains.


async def test_in_test_mode_nothing_is_sent_or_charged(house):
    house.limit(test=1)
    draft = await house.draft(f"{PHONE},123")

    assert [(r.status, r.err, r.price) for r in draft.recipients] == [
        (Status.DELIVERED, Err.VIRTUAL, 0),
        (Status.BAD_NUMBER, Err.BAD_FORMAT, 0),
    ]
    assert (draft.test, draft.count, draft.cost) == (True, 1, 0)


async def test_test_mode_does_not_cover_letters(house):
    house.limit(test=1)

    made = await recipient(house, "a@b.ru", kind=Kind.MAIL)
    house.carrier(2)

    assert (made.status, made.price) == (Status.WAITING, RUB)
    assert await refused(house, "a@b.ru", kind=Kind.MAIL) == (Status.UNREACHABLE, Err.NO_ROUTE)


async def test_a_cost_request_in_test_mode_gives_the_usual_price(house):
    house.limit(test=1)
    sending = Sending(house.directory, None, MOSCOW)

    accepted = await sending.price(house.order(f"{PHONE},123", cost=1))

    assert (accepted.count, accepted.cost, accepted.wire_id) == (1, RUB, "")
    assert [(f.cost, f.status, f.err) for f in accepted.recipients] == [
        (RUB, None, 0),
        (0, Status.BAD_NUMBER, Err.BAD_FORMAT),
    ]


@pytest.mark.parametrize(
    ("kind", "accounts", "price", "shares"),
    [
        (0, (2, 1), 1_500_000, (-500_000,)),
        (1, (2, 1), RUB, (0,)),
        (2, (1,), RUB, ()),
        (3, (1,), 1_500_000, ()),
        (4, (1,), RUB, ()),
    ],
)
async def test_a_subclient_pays_by_its_type(house, kind, accounts, price, shares):
    house.rate(1, RUB)
    house.rate(2, 1_500_000)
    await house.client(2, parent_id=1, type=kind)
    draft = await house.draft(client=2)
    [made] = draft.recipients

    assert (draft.accounts, made.price, made.shares) == (accounts, price, shares)


async def test_a_flood_to_one_number_is_stopped(house):
    house.limit(flood_count=2, flood_gap_s=30, identical_s=0)
    seen = []

    class Kept:
        async def submit(self, draft):
            seen.append(draft.recipients[0].err)
            raise MessageForbidden

    sending = Sending(house.directory, Kept(), MOSCOW)
    for gap in (0, 29_000, 29_000, 30_000):
        house.later(gap)
        await sending.price(house.order())  # to ask the price is no message
        with pytest.raises(MessageForbidden):
            await sending.send(house.order())

    assert seen == [0, 0, Err.NUMBER_LIMIT, 0]


# What a door is told; with a store.


@asynccontextmanager
async def sending_over(store, **limits):
    house = House(store)
    await house.client(1, balance=2 * RUB, limits=limits)
    intake = house.intake()
    running = asyncio.create_task(intake.run())
    try:
        yield house, Sending(house.directory, intake, MOSCOW)
    finally:
        intake.close()
        await running


@pytest.mark.parametrize(
    ("asked", "refusal", "status"),
    [
        ({"phones": "123"}, BadNumber, Status.BAD_NUMBER),
        ({"sender": "ТелеШоп"}, MessageForbidden, Status.FORBIDDEN),
        ({"kind": Kind.CALL}, Undeliverable, Status.UNREACHABLE),
        ({"text": "x" * 400}, InsufficientFunds, Status.NO_FUNDS),
    ],
)
async def test_a_lonely_refusal_carries_the_id_it_is_on_record_under(store, asked, refusal, status):
    async with sending_over(store) as (house, sending):
        house.carrier(2)

        with pytest.raises(refusal) as caught:
            await sending.send(house.order(**asked))

        assert caught.value.message_id == "1"
        assert re.fullmatch("[0-9]+", caught.value.message_id)
        assert (await house.message()).status == status
        assert await house.violations() == []


async def test_what_is_refused_among_others_is_no_refusal_of_the_request(store):
    async with sending_over(store) as (house, sending):
        accepted = await sending.send(house.order(f"{PHONE},123"))

        assert (accepted.wire_id, accepted.count, accepted.cost) == ("1", 1, RUB)
        assert [f.status for f in accepted.recipients] == [None, Status.BAD_NUMBER]
        assert accepted.balance == RUB


async def test_a_repeated_key_gets_its_first_answer_whatever_has_become_of_limits(store):
    async with sending_over(store, number_limit=1) as (house, sending):
        first = await sending.send(house.order(idempotency_key="a"))
        with pytest.raises(MessageForbidden) as second:
            await sending.send(house.order(text="2", idempotency_key="b"))
        house.limit(number_limit=0, flood_count=1)

        again = await sending.send(house.order(idempotency_key="a"))
        with pytest.raises(MessageForbidden) as still:
            await sending.send(house.order(text="2", idempotency_key="b"))

        assert again == first
        assert still.value.message_id == second.value.message_id == "2"
        assert len(await house.messages()) == 2
