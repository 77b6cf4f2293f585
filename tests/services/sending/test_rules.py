"""What an account may send, when and under which name."""

from dataclasses import replace

import pytest
from tests.building import DAY, HOUR, MINUTE, NOW, OTHER, PHONE, House, Memory, rows_of

from vestnik.domain.lists import ListLine
from vestnik.domain.message import Err, Flag, Status
from vestnik.domain.op_template import OpTemplate
from vestnik.domain.refusals import BadParameters, MessageForbidden
from vestnik.services.centre.names import Names
from vestnik.services.contacts import blacklist
from vestnik.store import daily, schema

NINE_TOMORROW = NOW + 14 * HOUR + 53 * MINUTE + 20_000  # in Moscow; NOW is 18:06:40
SIBERIAN = "79134567890"

pytestmark = pytest.mark.anyio


@pytest.fixture
async def house():
    made = House(Memory())
    await made.client(1)
    return made


def knowing(house, **known):
    """The directory says this as well."""
    house._directory = replace(house.directory(), **known)


async def recipient(house, *args, **fields):
    [only] = (await house.draft(*args, **fields)).recipients
    return only


async def refusal(house, *args, **fields):
    [only] = (await house.refused_draft(*args, **fields)).recipients
    return only.status, only.err


# Hours.


async def test_a_message_outside_the_hours_of_its_account_waits_for_them(house):
    house.limit(hours="9-18")

    waits = await recipient(house)

    assert (waits.due, waits.window, waits.zone) == (NINE_TOMORROW, (540, 1080), "Europe/Moscow")
    assert waits.expires == NINE_TOMORROW + DAY


async def test_a_message_within_the_hours_of_its_account_leaves_at_once(house):
    house.limit(hours="9-22")

    leaves = await recipient(house)

    assert (leaves.due, leaves.window) == (NOW, (540, 1320))


async def test_an_account_may_have_messages_outside_its_hours_refused(house):
    house.limit(hours="9-18", hours_refuse=1)

    expected = (Status.FORBIDDEN, Err.HOURS)
    assert await refusal(house) == expected


async def test_hours_may_be_those_of_the_recipients_own_clock(house):
    house.limit(hours="9-22", hours_recipient=1)

    waits = await recipient(house, phones=SIBERIAN)  # it is past 22 there

    nine = NINE_TOMORROW - 4 * HOUR
    assert (waits.due, waits.zone) == (nine, "Asia/Krasnoyarsk")


async def test_a_request_that_names_its_hours_keeps_to_those(house):
    house.limit(hours="9-18")

    draft = await house.draft(time="8-23")

    assert (draft.window, draft.recipients[0].window, draft.recipients[0].due) == (
        (480, 1380),
        None,
        NOW,
    )


async def test_an_account_may_shorten_the_life_of_its_messages(house):
    house.limit(valid_max=90)

    assert (await recipient(house)).expires == NOW + 90 * MINUTE
    assert (await recipient(house, valid="01:00")).expires == NOW + HOUR


# Who may send what.


async def test_an_account_without_a_contract_sends_no_mass_messages(house):
    house.limit(no_mass=1)

    with pytest.raises(MessageForbidden):
        await house.draft(flags=int(Flag.MASS))
    assert (await recipient(house)).status == Status.WAITING


async def test_where_senders_are_registered_only_those_may_be_shown(house):
    knowing(house, registration=True, names=Names(senders={1: frozenset({"shop"})}))

    expected = (Status.FORBIDDEN, Err.UNREGISTERED_SENDER)
    assert await refusal(house, sender="Other") == expected
    assert (await recipient(house, sender="Shop")).sender == "Shop"
    assert (await recipient(house)).sender == "Vestnik"


async def test_a_reserve_name_stands_in_for_one_that_may_not_be_shown(house):
    known = Names(senders={1: frozenset({"shop"})}, reserves={1: "Shop"})
    knowing(house, registration=True, names=known)

    assert (await recipient(house, sender="Other")).sender == "Shop"


async def test_a_text_that_no_template_of_the_operator_allows_is_refused(house):
    mccmnc = house.directory().numbering.find(PHONE).mccmnc
    place = {"25001": "mts", "25002": "mega"}.get(mccmnc)
    assert place, mccmnc
    known = Names(
        senders={1: frozenset({"shop"})},
        templates={(1, "shop", place): (OpTemplate("Your code: %d"),)},
    )
    knowing(house, registration=True, names=known)

    assert await refusal(house, sender="Shop", text="Buy now") == (
        Status.FORBIDDEN,
        Err.NO_TEMPLATE,
    )
    fine = await recipient(house, sender="Shop", text="Your code: 1234")
    assert fine.status == Status.WAITING


async def test_a_signature_is_part_of_the_text_and_of_its_price(house):
    knowing(house, names=Names(signatures={1: {"sms": "Yours, Shop"}}))

    signed = await recipient(house, text="x" * 155)

    assert signed.text == "x" * 155 + "\nYours, Shop"
    assert signed.parts == 2


# Groups.


class Groups:
    """One group, number 7, of two."""

    async def expanded(self, client, lines, most, book=0):
        assert most == client.limits.rows_per_request
        return [
            line._replace(phones=",".join({"G7": f"{PHONE},{OTHER}"}.get(p, p) for p in phones))
            for line in lines
            for phones in [line.phones.split(",")]
        ]


async def test_a_group_stands_for_its_members(house):
    draft = await house.draft(phones="G7,79161112233", groups=Groups())

    assert [r.phone for r in draft.recipients] == [PHONE, OTHER, "79161112233"]


async def test_a_group_that_there_is_not_is_a_mistake_of_the_request(house):
    with pytest.raises(BadParameters, match="there is no group g8"):
        await house.draft(phones="79161112233;g8", groups=Groups())


# What is judged in the commit.


@pytest.fixture
async def kept(store):
    made = House(store)
    await made.client(1)
    return made


async def fates(house):
    return [(m.status, m.err) for m in await house.messages()]


async def test_whoever_is_on_the_black_list_gets_nothing_and_costs_nothing(kept):
    await kept.store.write(blacklist.add, 1, 0, PHONE, blacklist.Blocks.ALL)
    knowing(kept, blacklisted=frozenset({1}))

    accepted = await kept.sent(phones=f"{PHONE},{OTHER}")

    assert await fates(kept) == [(Status.FORBIDDEN, Err.NUMBER_BARRED), (Status.WAITING, 0)]
    assert accepted.cost == 1_000_000


async def test_a_black_list_may_be_of_mass_messages_only(kept):
    await kept.store.write(blacklist.add, 1, 0, PHONE, blacklist.Blocks.MASS)
    knowing(kept, blacklisted=frozenset({1}))

    await kept.sent()
    await kept.sent(text="Sale", flags=int(Flag.MASS), phones=f"{PHONE},{OTHER}")

    assert await fates(kept) == [
        (Status.WAITING, 0),
        (Status.FORBIDDEN, Err.NUMBER_BARRED),
        (Status.WAITING, 0),
    ]


async def test_one_text_goes_to_a_number_so_often_a_day(kept):
    kept.limit(text_limit=2)

    for n in range(3):
        await kept.sent(lines=[ListLine(PHONE, "Hello"), ListLine(OTHER, f"Hello {n}")], tz=f"{n}")
    await kept.sent(lines=[ListLine(PHONE, "Bye"), ListLine(OTHER, "Bye")])

    assert [m.err for m in await kept.messages() if m.phone == PHONE] == [
        0,
        0,
        Err.NUMBER_LIMIT,
        0,
    ]
    assert {m.err for m in await kept.messages() if m.phone == OTHER} == {0}


async def test_an_address_sends_so_many_messages_a_day(kept):
    kept.limit(address_limit=2)

    both = f"{PHONE},{OTHER}"
    await kept.sent(phones=both, text="1", address="192.0.2.1")
    await kept.sent(phones=both, text="2", address="192.0.2.1")
    await kept.sent(phones=both, text="3", address="192.0.2.2")
    kept.later(DAY)
    await kept.sent(phones=both, text="4", address="192.0.2.1")

    errs = [m.err for m in await kept.messages()]
    assert errs == [0, 0, Err.DAILY_LIMIT, Err.DAILY_LIMIT, 0, 0, 0, 0]


async def test_what_was_refused_does_not_use_up_a_day(kept):
    kept.limit(day_limit=3, number_limit=1)

    await kept.sent()
    for n in range(3):
        await kept.sent(text=f"again {n}")
    await kept.sent(phones=f"{PHONE},{OTHER}", text="both")
    await kept.sent(phones="79160000008,79160000009", text="the last, and one too many")

    errs = [m.err for m in await kept.messages()]
    many = Err.NUMBER_LIMIT
    assert errs == [0, many, many, many, many, 0, 0, Err.DAILY_LIMIT]


async def test_a_day_is_counted_again_only_when_it_may_be_full(kept, monkeypatch):
    counts = []
    count = daily.accepted

    async def counting(*asked):
        counts.append(await count(*asked))
        return counts[-1]

    monkeypatch.setattr(daily, "accepted", counting)
    kept.limit(day_limit=4, number_limit=1)
    for n in range(3):
        await kept.sent(text=f"{n}")  # the second and the third are refused
    told = [list(counts)]
    for phone in ("79160000005", "79160000006", "79160000007", "79160000008", "79160000009"):
        await kept.sent(phone)
        told.append(list(counts))

    assert told == [[], [], [2], [2], [2, 4], [2, 4]]
    assert [m.err for m in await kept.messages()][-2:] == [Err.DAILY_LIMIT] * 2

    kept.limit(day_limit=5)
    await kept.sent("79160000008", "more is allowed now")

    assert (await kept.messages())[-1].err == 0


# Short links.

BASE = "https://s.example/l/"
LINK = "https://shop.example/sale?a=1"


async def links_of(house):
    return [
        (row.message_id, row.code, row.link)
        for row in await house.store.read(rows_of(schema.links))
    ]


async def test_links_are_made_short_and_all_recipients_share_them(kept):
    knowing(kept, links_base=BASE)

    await kept.sent(text=f"Look: {LINK}.", phones=f"{PHONE},{OTHER}", options={"tinyurl": 1})

    [(message_id, code, link)] = await links_of(kept)
    assert (message_id, link) == (0, LINK)
    shared = {m.text or m.shared for m in await kept.messages()}
    assert shared == {f"Look: {BASE}{code}."}


async def test_where_clicks_are_followed_each_recipient_has_links_of_its_own(kept):
    kept.limit(link_tracking=1)
    knowing(kept, links_base=BASE)

    await kept.sent(text=f"Look: {LINK}", phones=f"{PHONE},{OTHER}", options={"tinyurl": 1})

    found = {message_id: code for message_id, code, _ in await links_of(kept)}
    texts = {m.id: m.text for m in await kept.messages()}
    assert texts == {message_id: f"Look: {BASE}{code}" for message_id, code in found.items()}
    assert len(set(found.values())) == 2


async def test_links_stay_as_they_are_where_nothing_else_is_asked_for(kept):
    knowing(kept, links_base=BASE)

    await kept.sent(text=f"Look: {LINK}")

    assert await links_of(kept) == []
    assert (await kept.message()).text == f"Look: {LINK}"
