import pytest

from vestnik.domain.numbering import Row
from vestnik.domain.ported import Gathered
from vestnik.domain.refusals import NotFound, NotPossible
from vestnik.services.centre import directory, numbering, ported, setup
from vestnik.services.centre.directory import Current
from vestnik.services.centre.numbering import place_of
from vestnik.services.centre.ported import Change, PortedNumbers, present_of
from vestnik.store import ported as table
from vestnik.store import settings

pytestmark = pytest.mark.anyio

TODAY = 20_254
PHONE = 79161234567
NOON = 1_749_978_000_000  # 15 June 2025
OTHERS = 3 * 4_096  # so many numbers that they need several blocks


@pytest.fixture
async def fresh(store):
    await setup.prepare(store)
    return store


def row(prefix, operator, mccmnc="25077"):
    return Row(prefix, prefix, "Россия", operator, "", mccmnc)


async def load(store, *rows):
    told = []
    await numbering.load(store, numbering.unique(rows), told.append)
    return told


def nobody(done):
    pass


def gathered(pairs):
    made = Gathered()
    for number, mccmnc in pairs:
        made.add(number, mccmnc)
    return made


def many(mccmnc="25002"):
    return [(79160000000 + 2 * n, mccmnc) for n in range(OTHERS)]


async def plan_of(store):
    return (await store.read(directory.read)).numbering


async def moved(store, phone=PHONE):
    return (await plan_of(store)).find(str(phone)).mccmnc


# The plan.


async def test_a_load_takes_the_place_of_the_last_one_and_writes_what_differs(fresh):
    await load(fresh, row("7916", "A"), row("7917", "B"), row("7918", "C"))

    told = await load(fresh, row("7916", "A"), row("7917", "D"), row("7919", "E"))

    plan = await plan_of(fresh)
    assert [plan.find(f"{p}1234567").operator for p in (7916, 7917, 7919)] == ["A", "D", "E"]
    assert plan.find("79181234567").operator == "МТС"  # the one that comes with the centre
    assert told == [1, 3]


async def test_of_two_loads_at_one_time_the_second_is_refused(fresh):
    difference = await numbering._difference(fresh, [row("7916", "A")])
    await load(fresh, row("7917", "B"))

    with pytest.raises(NotPossible, match="another load ran"):
        await fresh.write(numbering._replace, difference, nobody, 1)

    assert (await plan_of(fresh)).find("79171234567").operator == "B"


async def test_a_process_follows_the_plan_page_by_page(fresh, monkeypatch):
    current = Current(fresh)
    await current.refresh()
    rows = [row(str(79160000 + n), f"operator {n}") for n in range(10)]
    await load(fresh, *rows)
    page = numbering.numbering.page
    monkeypatch.setattr(numbering.numbering, "page", lambda tx, after: page(tx, after, 3))

    assert await current.refresh()

    found = [current.value.numbering.find(f"{r.first}123").operator for r in rows]
    assert found == [r.operator for r in rows]


async def test_a_place_says_what_the_hours_of_its_region_are_now(fresh):
    await load(fresh, Row("7913", "7913", "Россия", "МТС", "Омск", "25001", "Asia/Omsk"))
    plan = await plan_of(fresh)

    asked = ("8 (913) 000-00-01", "919812345678", "12125550123", "nobody", "99999999999")
    found = [place_of(plan, phone, NOON) for phone in asked]

    assert (found[0].phone, found[0].hours, found[0].network.region) == ("79130000001", "6", "Омск")
    assert [place.known for place in found] == [True, True, True, False, False]
    assert [(place.phone, place.hours) for place in found[3:]] == [
        ("nobody", ""),
        ("99999999999", ""),
    ]


# Ported numbers.


async def test_ported_numbers_are_loaded_in_blocks_and_followed(fresh):
    current = Current(fresh)
    await current.refresh()
    assert current.value.numbering.find(str(PHONE)).mccmnc == "25001"

    told = []
    numbers = await ported.load(fresh, gathered([*many(), (PHONE, "25020")]), told.append)
    await current.refresh()

    assert numbers == told[-1] == OTHERS + 1
    assert current.value.numbering.find(str(PHONE)).mccmnc == "25020"
    assert current.value.numbering.find(str(PHONE)).operator == "Т2"
    assert len(current.value.numbering.ported) == OTHERS + 1
    assert await moved(fresh) == "25020"


async def test_a_load_takes_the_place_of_the_last_one_whole(fresh):
    await ported.load(fresh, gathered([*many(), (PHONE, "25020")]), nobody)
    await ported.load(fresh, gathered([(PHONE + 1, "25002")]), nobody)

    assert await moved(fresh) == "25001"
    assert await moved(fresh, PHONE + 1) == "25002"
    present = present_of(await fresh.read(settings.everything))
    assert (present.blocks, present.numbers) == (1, 1)
    assert await fresh.write(table.drop_others, present.version, 0, 100) == 0


async def test_a_load_that_was_cut_short_changes_nothing_and_is_swept_by_the_next(fresh):
    await ported.load(fresh, gathered([(PHONE, "25020")]), nobody)
    version = await fresh.write(settings.take_id, "ported")
    await fresh.write(table.put, version, list(gathered([(PHONE, "25002")]).blocks()))

    assert await moved(fresh) == "25020"

    await ported.load(fresh, gathered([(PHONE, "25035")]), nobody)

    assert await moved(fresh) == "25035"
    assert await fresh.read(table.stamps, version) == []


async def test_a_load_whose_blocks_another_one_swept_is_refused(fresh):
    made = ported.Present(version=99, stamp=99, networks=("25001",), blocks=2, numbers=2)

    with pytest.raises(NotPossible, match="another load ran"):
        await fresh.write(ported._publish, made)

    assert await fresh.read(settings.value, settings.PORTED) == ""


async def test_changes_move_numbers_send_some_back_and_are_remembered(fresh):
    await ported.load(fresh, gathered([(PHONE, "25020"), (PHONE + 1, "25020")]), nobody)
    changes = [
        Change(TODAY, PHONE, ""),
        Change(TODAY, PHONE + 1, "25777"),
        Change(TODAY, PHONE + 2, "25002"),
        Change(TODAY - 1, PHONE + 3, "25002"),
        Change(TODAY - 300, PHONE + 4, "25002"),
    ]

    assert await ported.change(fresh, changes, TODAY) == 4

    plan = await plan_of(fresh)
    assert [plan.find(str(PHONE + n)).mccmnc for n in range(5)] == [
        "25001", "25777", "25002", "25002", "25002",
    ]  # fmt: skip
    numbers = PortedNumbers(fresh, lambda: plan)
    assert await numbers.changes(TODAY) == [(PHONE, ""), (PHONE + 1, "25777"), (PHONE + 2, "25002")]
    assert await numbers.changes(TODAY - 1) == [(PHONE + 3, "25002")]
    assert await numbers.changes(TODAY - 300) == []  # longer ago than changes are kept


async def test_changes_may_come_before_any_load(fresh):
    assert await ported.change(fresh, [Change(TODAY, PHONE, "25020")], TODAY) == 1
    assert await moved(fresh) == "25020"


async def test_a_process_reads_only_the_blocks_that_changed(fresh, monkeypatch):
    await ported.load(fresh, gathered(many()), nobody)
    current = Current(fresh)
    await current.refresh()
    before = current.value.numbering.ported.blocks
    await ported.change(fresh, [Change(TODAY, 79160000001, "25020")], TODAY)
    asked = []
    read = table.read

    async def noted(tx, version, firsts):
        asked.extend(firsts)
        return await read(tx, version, firsts)

    monkeypatch.setattr(ported.ported, "read", noted)
    await current.refresh()

    after = current.value.numbering.ported.blocks
    assert sorted(asked) == sorted(first for first in after if after[first] != before.get(first))
    assert sum(after[first] is before[first] for first in before) == len(before) - 1
    assert current.value.numbering.find("79160000001").mccmnc == "25020"


async def test_numbers_that_are_replaced_while_they_are_read_are_read_again(fresh):
    current = Current(fresh)
    await current.refresh()
    await ported.load(fresh, gathered([(PHONE, "25020")]), nobody)
    found = await fresh.read(settings.everything)
    await ported.load(fresh, gathered([(PHONE, "25002")]), nobody)

    stale = await ported.follow(fresh, present_of(found), current.value.numbering.ported)
    await current.refresh()

    assert stale is None
    assert current.value.numbering.find(str(PHONE)).mccmnc == "25002"


async def test_the_whole_list_comes_in_pieces_of_the_length_that_was_told(fresh):
    await ported.load(fresh, gathered([*many(), (PHONE, "25020")]), nobody)
    plan = await plan_of(fresh)

    length, pieces = await PortedNumbers(fresh, lambda: plan).everything()
    text = b"".join([piece async for piece in pieces])

    assert len(text) == length
    assert text.startswith(b"Phone;mccmnc\n79160000000;25002\n")
    assert text.endswith(b"79161234567;25020\n")
    assert text.count(b"\n") == OTHERS + 2


async def test_where_nothing_is_ported_nothing_is_handed_out(fresh):
    plan = await plan_of(fresh)
    numbers = PortedNumbers(fresh, lambda: plan)

    with pytest.raises(NotFound):
        await numbers.everything()
    with pytest.raises(NotFound):
        await numbers.changes(TODAY)


async def test_old_changes_go(fresh):
    await ported.record(fresh, [Change(TODAY - 200, PHONE, "25020")], TODAY - 200)
    await ported.record(fresh, [Change(TODAY, PHONE, "25020")], TODAY)

    assert await fresh.read(table.changes_of, TODAY - 200, 0, 10) == []
    assert len(await fresh.read(table.changes_of, TODAY, 0, 10)) == 1
