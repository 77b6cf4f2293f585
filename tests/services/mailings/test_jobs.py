"""Ordering, finding, switching off and removing mailings (jobs.md)."""

import asyncio

import msgspec
import pytest
from tests.building import DAY, HOUR, MINUTE, NOW, OTHER, PHONE, RUB, THIRD
from tests.mailing import Press, State

from vestnik.domain.contact import Book
from vestnik.domain.lists import ListLine
from vestnik.domain.message import Kind
from vestnik.domain.refusals import BadDate, BadParameters, Duplicate, NotFound
from vestnik.services.mailings import lists
from vestnik.services.mailings.jobs import Attached, Ordered
from vestnik.services.mailings.lists import Entry, pack, packed, unpack
from vestnik.store import contact_groups, mailings, schema, templates
from vestnik.store.templates import Template

pytestmark = pytest.mark.anyio


@pytest.fixture
async def press(store):
    press = Press(store)
    press.rate(None, RUB)
    await press.client()
    await press.client(2)
    return press


async def refused(press, refusal, *args, **fields):
    with pytest.raises(refusal) as reason:
        await press.ordered(*args, **fields)
    assert await press.rows(schema.mailings) == []
    return str(reason.value)


@pytest.mark.parametrize("name", ["", "  ", "x" * 101])
async def test_a_mailing_has_a_name(press, name):
    assert "name" in await refused(press, BadParameters, PHONE, name=name)


@pytest.mark.parametrize(
    "fields",
    [
        {"phones": ""},
        {"phones": " ,; \n"},
        {"phones": PHONE, "rpt": 8},
        {"phones": PHONE, "rpt": -1},
        {"phones": PHONE, "tz": "east"},
        {"phones": PHONE, "valid": "25"},
        {"phones": PHONE, "period": "1000"},
        {"phones": PHONE, "period": "1", "freq": "0"},
        {"phones": PHONE, "text": "   "},
        {"phones": PHONE, "text": "x" * 1001},
        {"phones": PHONE, "text": "xyz", "kind": Kind.BINARY},
        {"phones": "G7"},
        {"phones": f"{PHONE},G77777777777777777"},
        {"phones": PHONE, "template": 5},
        {"listed": ""},
        {"listed": "no separator"},
        {"listed": f"{PHONE}:One\n{OTHER}:" + "x" * 1001},
        {"listed": f"a,99|{PHONE}:One", "time": "16.06.25 12:00"},
    ],
)
async def test_what_cannot_be_sent_is_refused_whole(press, fields):
    await refused(press, BadParameters, **fields)


@pytest.mark.parametrize("time", ["tomorrow", "31.02.25 10:00", "25-30", "' OR 1=1"])
async def test_a_time_that_is_none_is_a_bad_date(press, time):
    await refused(press, BadDate, PHONE, time=time)


async def test_an_empty_group_is_refused(press):
    await press.group(7)

    assert "G7" in await refused(press, BadParameters, f"{PHONE},G7")


async def test_a_time_that_is_over_is_now(press):
    wire_id = await press.ordered(PHONE, time="01.01.20 10:00", rpt=7)

    mailing = await press.mailing(wire_id)
    assert (mailing.first_at, mailing.start_at) == (NOW, NOW)


async def test_the_id_is_the_next_of_the_accounts_messages(press):
    first, second = await press.ordered(PHONE), await press.ordered(OTHER)
    others = await press.ordered(PHONE, client=2)

    assert (int(second), others) == (int(first) + 1, first)


async def test_the_same_order_within_a_minute_is_a_duplicate(press):
    await press.ordered(PHONE, digest=b"1")
    await press.ordered(PHONE, digest=b"2")
    await press.ordered(PHONE, digest=b"1", client=2)

    with pytest.raises(Duplicate):
        await press.ordered(PHONE, digest=b"1")

    press.later(MINUTE)
    await press.ordered(PHONE, digest=b"1")

    assert len(await press.rows(schema.mailings)) == 4


async def test_an_account_may_be_allowed_the_same_order_again(press):
    press.limit(identical_s=0)
    await press.ordered(PHONE, digest=b"1")
    await press.ordered(PHONE, digest=b"1")

    assert len(await press.rows(schema.mailings)) == 2


def keyed(press, key="key 1", digest=b"1", client=1, phones=PHONE, **fields):
    new = press.new(phones, key=key, digest=digest, **fields)
    return press.jobs.add(press.clients[client], new)


async def test_an_order_with_a_key_is_taken_once_and_told_the_same_again(press):
    first = await keyed(press, priced=True)
    press.later(DAY - 1)
    again = await keyed(press, priced=True)

    assert again == first == Ordered("1", RUB)
    assert len(await press.rows(schema.mailings)) == 1
    assert press.rung == 1


async def test_a_repeat_is_told_its_first_answer_whatever_has_changed_since(press):
    await press.group(7, THIRD)
    first = await keyed(press, phones="G7")
    await press.jobs.delete(press.clients[1], first.wire_id, mail=False)
    await press.work()
    group = await press.store.read(contact_groups.of_num, 1, Book.PHONES, 7)
    await press.contacts.delete_group(press.clients[1], Book.PHONES, group.id)

    assert await keyed(press, phones="G7") == first
    assert await press.rows(schema.mailings) == []


async def test_a_key_stands_for_one_order(press):
    await keyed(press)

    with pytest.raises(BadParameters, match="Idempotency-Key"):
        await keyed(press, digest=b"2")

    assert len(await press.rows(schema.mailings)) == 1


async def test_a_key_is_forgotten_after_a_day(press):
    first = await keyed(press)
    press.later(DAY)
    second = await keyed(press, digest=b"2")

    assert (await keyed(press, digest=b"2"), first) == (second, Ordered("1", 0))
    assert len(await press.rows(schema.mailings)) == 2


async def test_keys_of_accounts_are_their_own(press):
    await keyed(press)
    await keyed(press, client=2, digest=b"2")
    await keyed(press, key="key 2")

    assert len(await press.rows(schema.mailings)) == 3


async def test_a_key_means_another_thing_to_a_request_that_sends_at_once(press):
    await press.sent(PHONE, idempotency_key="key 1")
    await keyed(press)

    assert (len(await press.messages()), len(await press.rows(schema.mailings))) == (1, 1)


async def test_a_refused_order_may_be_tried_again_with_its_key(press):
    with pytest.raises(BadParameters):
        await keyed(press, phones="G7")
    await press.group(7, THIRD)

    assert await keyed(press, phones="G7") == Ordered("1", 0)


async def test_of_orders_that_race_with_one_key_one_is_taken(press):
    answers = await asyncio.gather(*(keyed(press) for _ in range(5)))

    assert len(set(answers)) == 1
    assert len(await press.rows(schema.mailings)) == 1


async def test_a_key_is_not_remembered_without_its_mailing(press, monkeypatch):
    async def lost(*_):
        raise RuntimeError("no power")

    with monkeypatch.context() as broken:
        broken.setattr(mailings, "put_chunks", lost)
        with pytest.raises(RuntimeError, match="power"):
            await keyed(press)

    assert await press.rows(schema.dedup) == []
    assert await press.rows(schema.mailings) == []
    assert (await keyed(press)).wire_id == "1"


async def priced(press, *args, **fields):
    new = press.new(*args, priced=True, **fields)
    return (await press.jobs.add(press.clients[1], new)).cost


async def test_the_price_is_that_of_all_messages_and_the_mailing_is_ordered(press):
    await press.group(7, (THIRD, {"first_name": "A" * 200}), OTHER)

    assert await priced(press, f"{PHONE},123") == RUB
    assert await priced(press, listed=f"{PHONE}:One\n{OTHER}:{'x' * 161}") == 3 * RUB
    assert await priced(press, f"{PHONE},G7", "{first_name}!") == 4 * RUB
    assert len(await press.rows(schema.mailings)) == 3


async def test_a_price_that_nobody_asked_for_is_not_worked_out(press):
    ordered = await press.jobs.add(press.clients[1], press.new(PHONE))

    assert ordered.cost == 0


async def test_a_template_is_its_text_at_that_moment(press):
    made = Template(5, "greeting", "From a template", "", "", 0)
    await press.store.write(templates.put, 1, made, NOW)
    await press.ordered(PHONE, "", template=5, time="+10")
    await press.store.write(templates.drop, 1, 5)
    press.later(HOUR)
    await press.work()

    assert (await press.message()).text == "From a template"


async def test_nobody_uses_a_template_of_another(press):
    made = Template(5, "greeting", "From a template", "", "", 0)
    await press.store.write(templates.put, 2, made, NOW)

    await refused(press, BadParameters, PHONE, "", template=5)


async def test_files_lie_beside_the_mailing_and_messages_say_where(press):
    file = Attached("File1", "photo.png", bytes(range(256)))
    wire_id = await press.ordered(PHONE, "", kind=Kind.MMS, files=[file])
    await press.work()

    mailing = await press.mailing(wire_id)
    message = await press.message()
    assert await press.store.read(mailings.files_of, mailing.id) == [
        ("File1", "photo.png", bytes(range(256)))
    ]
    assert f'"mailing":{mailing.id},"number":0' in message.options
    assert "photo.png" in message.options


async def test_letters_have_their_own_groups_and_their_own_list(press):
    await press.group(7, "anna@example.com", book=Book.MAILS)
    letters = await press.ordered("G7,bob@example.com", kind=Kind.MAIL, mail=True)
    messages = await press.ordered(PHONE)
    await press.work()

    made = {m.phone: m.type for m in await press.messages()}
    assert made == {"anna@example.com": 8, "bob@example.com": 8, PHONE: 0}
    alex = press.clients[1]
    for mail, known, unknown in ((True, letters, messages), (False, messages, letters)):
        found = await press.jobs.listed(alex, None, None, mail=mail)
        assert [mailing.wire_id for mailing in found] == [known]
        assert (await press.jobs.one(alex, known, mail=mail)).mailing.wire_id == known
        with pytest.raises(NotFound):
            await press.jobs.one(alex, unknown, mail=mail)


async def test_mailings_are_listed_by_the_day_they_are_sent_on_newest_first(press):
    first = await press.ordered(PHONE, time="+10")
    second = await press.ordered(PHONE, time="+3000")
    alex = press.clients[1]

    async def listed(since, until):
        found = await press.jobs.listed(alex, since, until, mail=False)
        return [mailing.wire_id for mailing in found]

    assert await listed(None, None) == [second, first]
    assert await listed(NOW, NOW + DAY) == [first]
    assert await listed(NOW + 10 * MINUTE, None) == [second, first]
    assert await listed(None, NOW + 10 * MINUTE) == []


async def test_a_mailing_is_shown_as_it_was_given(press):
    await press.group(7, THIRD)
    wire_id = await press.ordered(f" +7 (916) 123-45-67;{OTHER}, G7", "Hello", sender="Shop")
    await press.work()
    await press.deliver()

    shown = await press.jobs.one(press.clients[1], wire_id, mail=False)
    assert (shown.phones, shown.text, shown.sender) == (
        f"+7 (916) 123-45-67,{OTHER},G7",
        "Hello",
        "Shop",
    )
    progress = shown.progress
    assert (progress.made, progress.delivered, progress.cost) == (3, 3, 3 * RUB)


async def test_nobody_sees_switches_off_or_removes_mailings_of_others(press):
    wire_id = await press.ordered(PHONE, time="+10")
    other = press.clients[2]

    assert await press.jobs.listed(other, None, None, mail=False) == []
    for ask in (press.jobs.one, press.jobs.cancel, press.jobs.delete):
        with pytest.raises(NotFound):
            await ask(other, wire_id, mail=False)
    assert (await press.mailing(wire_id)).state == State.WAITING


@pytest.mark.parametrize("wire_id", ["7", "0", "99999999999999999999", "' OR '1'='1"])
async def test_an_unknown_id_is_not_found(press, wire_id):
    for ask in (press.jobs.one, press.jobs.cancel, press.jobs.delete):
        with pytest.raises(NotFound):
            await ask(press.clients[1], wire_id, mail=False)


async def test_an_oversized_request_is_no_mailing(press):
    row = (1, 5, "7", mailings.EXPANDING, "{}", 1, NOW)
    await press.store.write(mailings.put, row, [(b"", 1)])

    with pytest.raises(NotFound):
        await press.jobs.one(press.clients[1], "7", mail=False)


async def test_switching_off_again_changes_nothing(press):
    wire_id = await press.ordered(PHONE)
    await press.work()
    await press.deliver()
    await press.work()
    alex = press.clients[1]
    await press.jobs.cancel(alex, wire_id, mail=False)

    assert (await press.mailing(wire_id)).state == State.FINISHED

    second = await press.ordered(OTHER, time="+10")
    await press.jobs.cancel(alex, second, mail=False)
    await press.jobs.cancel(alex, second, mail=False)

    assert (await press.mailing(second)).state == State.CANCELLED


async def test_a_mailing_that_was_switched_off_can_be_removed(press):
    wire_id = await press.ordered(PHONE)
    alex = press.clients[1]
    await press.jobs.cancel(alex, wire_id, mail=False)
    await press.jobs.delete(alex, wire_id, mail=False)
    with pytest.raises(NotFound):
        await press.jobs.delete(alex, wire_id, mail=False)
    await press.work()

    assert await press.rows(schema.mailings) == []


async def chunks_of(listed):
    made = await packed(listed, "own")
    return [(unpack(octets), count) for octets, count in made.chunks], made


async def test_a_list_is_cut_into_chunks_of_equal_size(monkeypatch):
    monkeypatch.setattr(lists, "CHUNK_ROWS", 3)
    lines = [ListLine("1,2", "own"), ListLine("3;4\n5, 6 ,7", "b", "S", "2"), ListLine("8", "own")]
    chunks, made = await chunks_of(lines)

    assert [
        ([(e.phones, e.text, e.sender, e.zone) for e in entries], count)
        for entries, count in chunks
    ] == [
        ([("1,2", None, None, ""), ("3", "b", "S", "2")], 3),
        ([("4,5,6", "b", "S", "2")], 3),
        ([("7", "b", "S", "2"), ("8", None, None, "")], 2),
    ]
    assert (made.total, made.zones, made.groups) == (8, {"2"}, [])


async def test_a_long_chunk_takes_half_its_room_and_a_short_one_is_plain():
    entries = [Entry(f"79{number:09}", f"Code {number}") for number in range(0, 10**9, 10**6 + 7)]
    pressed, plain = pack(entries), pack(entries[:2])

    assert (unpack(pressed), unpack(plain)) == (entries, entries[:2])
    assert len(pressed) < len(msgspec.msgpack.encode(entries)) / 2
    assert plain == msgspec.msgpack.encode(entries[:2])


async def test_a_list_that_was_stored_plain_is_read():
    entries = [Entry(f"79{number:09}") for number in range(1_000)]

    assert unpack(msgspec.msgpack.encode(entries)) == entries


async def test_a_group_has_a_chunk_of_its_own():
    chunks, made = await chunks_of([ListLine("1,G7,2,g8,G", "own")])

    assert [([(e.phones, e.group) for e in entries], count) for entries, count in chunks] == [
        ([("1", 0)], 1),
        ([("", 7)], None),
        ([("2", 0)], 1),
        ([("", 8)], None),
        ([("G", 0)], 1),
    ]
    assert (made.total, made.groups) == (3, [7, 8])
