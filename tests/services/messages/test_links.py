from datetime import UTC, datetime

import pytest
from tests.building import DAY, HOUR, OTHER, PHONE, House

from vestnik.domain.message import Status
from vestnik.domain.refusals import NotFound, StoreUnavailable
from vestnik.domain.schedule import MOSCOW
from vestnik.services.messages import links
from vestnik.services.messages.links import Links, Made, rows_for, shorten
from vestnik.store import links as table
from vestnik.store import schema

pytestmark = pytest.mark.anyio

BASE = "https://s.example/l/"
SALE = "https://a.example/sale?q=1"
JUNE_30 = int(datetime(2025, 6, 30, 12, tzinfo=UTC).timestamp() * 1000)


@pytest.fixture
async def house(store):
    made = House(store)
    await made.client(1, limits={"callback_url": "https://c.example/"})
    await made.client(2)
    made.rung = []
    made.links = Links(made.store, made.setting, MOSCOW, lambda: made.rung.append(1))
    return made


async def link(house, code="aaaaaaaaa", client=1, message=0, address=SALE):
    made = rows_for(client, message, [Made(code, address)])
    await house.store.write(links.write, made, house.now)
    return code


async def click(house, code="aaaaaaaaa", times=1):
    for _ in range(times):
        assert await house.links.location(code, clicked=True) is not None
    while await house.links.flush():
        pass


async def clicks(house, link_id=0, address="", client=1):
    found = await house.links.clicks(house.clients[client], link_id, address, house.now)
    return found.id, found.all, found.month, found.today, found.yesterday


def in_turn(*numbers):
    """Random octets that are not random."""
    coming = iter(numbers)
    return lambda count: next(coming).to_bytes(count, "big")


def test_a_text_gets_short_links_of_one_length_and_each_address_one():
    text = f"Sale {SALE} or {SALE}, rules: https://a.example/rules."

    shortened, made = shorten(text, BASE, in_turn(1, 2))

    assert made == (Made("100000000", SALE), Made("200000000", "https://a.example/rules"))
    assert shortened == f"Sale {BASE}100000000 or {BASE}100000000, rules: {BASE}200000000."


@pytest.mark.parametrize("text", ["no link", "javascript://x", "https://u@a.example/"])
def test_a_text_without_addresses_stays(text):
    assert shorten(text, BASE) == (text, ())


def test_without_a_public_address_links_stay_as_they_are():
    assert shorten(SALE, "") == (SALE, ())


async def test_links_get_the_next_ids_of_their_client(house):
    await link(house, "aaaaaaaaa")
    await link(house, "bbbbbbbbb")
    await link(house, "ccccccccc", client=2)

    rows = await house.rows(schema.links)
    assert [(row.code, row.client_id, row.id) for row in rows] == [
        ("aaaaaaaaa", 1, 1),
        ("bbbbbbbbb", 1, 2),
        ("ccccccccc", 2, 1),
    ]


async def test_a_code_leads_on_and_an_unknown_one_nowhere(house):
    await link(house, address="https://пример.рф/ж")

    assert await house.links.location("aaaaaaaaa", clicked=False) == (
        "https://xn--e1afmkfd.xn--p1ai/%D0%B6"
    )
    for code in ("zzzzzzzzz", "", "aaaaaaaa", "../../../", "aaaaaaaaa' OR 1=1"):
        assert await house.links.location(code, clicked=True) is None


async def test_what_the_store_holds_of_another_kind_leads_nowhere(house):
    await link(house, address="javascript:alert(1)")

    assert await house.links.location("aaaaaaaaa", clicked=True) is None


async def test_clicks_are_counted_by_days_and_months_of_the_centre(house):
    house.store.at = JUNE_30
    await link(house)
    await click(house, times=2)
    house.later(DAY)  # 1 July
    await click(house, times=3)

    assert await clicks(house, 1) == (1, 5, 3, 3, 2)

    house.later(DAY)

    assert await clicks(house, 1) == (1, 5, 3, 0, 3)


async def test_to_look_where_a_link_leads_is_no_click(house):
    await link(house)
    await house.links.location("aaaaaaaaa", clicked=False)
    await house.links.flush()

    assert await clicks(house, 1) == (1, 0, 0, 0, 0)


async def test_by_the_address_all_links_that_lead_there_count_together(house):
    await link(house, "aaaaaaaaa")
    await link(house, "bbbbbbbbb")
    await link(house, "ccccccccc", address="https://a.example/other")
    await link(house, "ddddddddd", client=2)
    for code in ("aaaaaaaaa", "bbbbbbbbb", "bbbbbbbbb", "ccccccccc", "ddddddddd"):
        await click(house, code)

    assert await clicks(house, address=SALE) == (2, 3, 3, 3, 0)
    assert await clicks(house, 2) == (2, 2, 2, 2, 0)


@pytest.mark.parametrize("asked", [{"link_id": 1}, {"address": SALE}, {"link_id": 2**40}])
async def test_nobody_sees_the_links_of_another(house, asked):
    await link(house)

    with pytest.raises(NotFound):
        await clicks(house, client=2, **asked)


async def test_clicks_are_written_together_and_not_lost_when_the_store_is_away(house):
    await link(house)
    await link(house, "bbbbbbbbb")
    for code in ("aaaaaaaaa", "bbbbbbbbb", "aaaaaaaaa"):
        await house.links.location(code, clicked=True)
    writes = house.store.writes
    house.store.before.append(StoreUnavailable("away"))

    with pytest.raises(StoreUnavailable):
        await house.links.flush()
    await house.links.flush()

    assert house.store.writes == writes + 2
    assert await clicks(house, 1) == (1, 2, 2, 2, 0)


async def test_nothing_is_written_while_nobody_clicks(house):
    await house.links.flush()
    writes = house.store.writes

    await house.links.flush()

    assert house.store.writes == writes


# The messages of links.


async def sent_with_link(house, phone=PHONE, code="aaaaaaaaa"):
    await house.sent(phones=phone, text=f"Look {BASE}{code} {phone}")
    message = (await house.messages())[-1]
    await link(house, code, message=message.id)
    return message


async def test_a_click_gives_a_delivered_message_the_status_4_once_and_its_client_is_told(house):
    await sent_with_link(house)
    await house.take()
    await house.report(f"ref-{PHONE}-1")
    rung = len(house.rung)

    await click(house)

    assert await house.standing() == (None, Status.CLICKED, 0, 2)
    told = [row.payload for row in await house.rows(schema.news)]
    assert [f'"status":{status}' in payload for status, payload in zip((1, 4), told, strict=True)]
    assert len(house.rung) == rung + 1

    await click(house)

    assert len(await house.rows(schema.news)) == 2
    assert await house.violations() == []


async def test_a_click_before_the_report_waits_for_it(house):
    await sent_with_link(house)
    await house.take()
    await click(house)

    assert (await house.message()).status == Status.SENT

    await house.report(f"ref-{PHONE}-1")
    house.later(links.UNTOLD_MS)
    await house.links.flush()

    assert (await house.message()).status == Status.CLICKED
    assert {row.clicked for row in await house.rows(schema.links)} == {table.TOLD}
    assert await house.violations() == []


async def test_a_click_tells_that_a_message_without_a_report_has_arrived(house):
    await sent_with_link(house)
    await house.take()
    await house.report(f"ref-{PHONE}-1", Status.EXPIRED)

    await click(house)

    assert (await house.message()).status == Status.CLICKED
    assert await house.violations() == []


async def test_a_message_that_was_refused_stays_so(house):
    await sent_with_link(house)
    await house.take()
    await house.report(f"ref-{PHONE}-1", Status.UNDELIVERABLE, 1)

    await click(house)

    assert (await house.message()).status == Status.UNDELIVERABLE


async def test_the_end_of_a_message_is_not_waited_for_for_ever(house):
    await sent_with_link(house)
    await house.take()
    await click(house)

    house.later(links.WAITED_MS + HOUR)
    await house.links.flush()

    assert (await house.message()).status == Status.SENT
    assert [row.clicked for row in await house.rows(schema.links)] == [table.TOLD]


async def test_many_clicked_messages_are_told_slice_by_slice(house, monkeypatch):
    monkeypatch.setattr(links, "SLICE", 2)
    monkeypatch.setattr(links, "TOLD_MAX", 2)
    phones = [str(79160000000 + n) for n in range(5)]
    for place, phone in enumerate(phones):
        await sent_with_link(house, phone, code=f"code{place:05}")
    await house.take()
    for phone in phones[:4]:
        await house.report(f"ref-{phone}-1")
    for place in range(5):
        await house.links.location(f"code{place:05}", clicked=True)

    while await house.links.flush():
        pass

    statuses = [message.status for message in await house.messages()]
    assert statuses == [Status.CLICKED] * 4 + [Status.SENT]


async def test_messages_without_an_end_stand_in_nobodys_way(house, monkeypatch):
    monkeypatch.setattr(links, "SLICE", 2)
    phones = [str(79160000000 + n) for n in range(7)]
    for place, phone in enumerate(phones):
        await sent_with_link(house, phone, code=f"code{place:05}")
        await house.links.location(f"code{place:05}", clicked=True)
    await house.take()
    while await house.links.flush():
        pass
    await house.report(f"ref-{phones[6]}-1")  # the last in the order of codes

    house.later(links.UNTOLD_MS)
    while await house.links.flush():
        pass

    statuses = [message.status for message in await house.messages()]
    assert statuses == [Status.SENT] * 6 + [Status.CLICKED]


async def test_a_link_of_several_messages_only_counts(house):
    await house.sent(phones=f"{PHONE},{OTHER}")
    await link(house)
    await house.take()
    await house.report(f"ref-{PHONE}-1")

    await click(house)

    assert [m.status for m in await house.messages()] == [Status.DELIVERED, Status.SENT]


async def test_old_links_go_with_their_clicks(house):
    await link(house)
    await click(house)
    house.later(10 * DAY)
    await link(house, "bbbbbbbbb")

    assert await house.store.write(links.drop_old, house.now - DAY) == 1
    assert await house.store.write(links.drop_old, house.now - DAY) == 0

    assert [row.code for row in await house.rows(schema.links)] == ["bbbbbbbbb"]
    assert await house.rows(schema.clicks) == []
