"""The checker finds nothing in a centre at work, and finds each rule that is broken."""

import asyncio
import hashlib
import json
from urllib.parse import urlencode

import pytest

from vestnik import config
from vestnik.domain.ids import first_id
from vestnik.doorkeeper import Doors
from vestnik.main import Centre
from vestnik.services.centre import check, setup
from vestnik.services.centre.check import Circumstances
from vestnik.services.clients import clients
from vestnik.services.clients.access import hash_password
from vestnik.services.history.task_files import FolderFiles
from vestnik.services.money import rates
from vestnik.store import mailings

pytestmark = pytest.mark.anyio

NOW = 1_794_960_000_000
TODAY = 20_775
ID = first_id(NOW)
KNOWN = Circumstances(now_ms=NOW, today=TODAY, windows={1: 2}, serving=True)


async def wrong_with(store, known=KNOWN):
    return await store.read(check.violations, known)


@pytest.fixture
async def sound(store):
    """One client with 10.00, one sent message of two parts that holds 4.00 of it, and its sums."""

    async def fill(tx):
        await tx.script(
            "INSERT INTO clients (id, login, created_at) VALUES (1, 'alex', 1);"
            "INSERT INTO accounts (id, purse, posted, held) VALUES (1, 0, 10000000, 4000000);"
            "INSERT INTO entries (account_id, purse, id, kind, posted, held, at) VALUES"
            f" (1, 0, {ID}, 'topup', 10000000, 0, 1), (1, 0, {ID + 1}, 'hold', 0, 4000000, 1);"
            "INSERT INTO messages (client_id, id, wire_id, phone, day, type, parts, status,"
            " changed_at, sent_at, carrier_id, account_id, price, held, money) VALUES"
            f" (1, {ID}, '1', '79161234567', {TODAY}, 0, 2, 0, 1, 1, 1, 1, 4000000, 4000000, 1);"
            "INSERT INTO queue (client_id, message_id, carrier_id, priority, stage, next_at,"
            f" expires_at, owner, fence) VALUES (1, {ID}, 1, 1, 2, {NOW}, {NOW}, 5, 1);"
            "INSERT INTO parts (client_id, message_id, part, carrier_id, carrier_ref, at) VALUES"
            f" (1, {ID}, 1, 1, 'a', 1), (1, {ID}, 2, 1, 'b', 1);"
            "INSERT INTO sums (client_id, day, type, mccmnc, sender, node, messages, parts, sent)"
            f" VALUES (1, {TODAY}, 0, '', '', 0, 1, 1, 1), (1, {TODAY}, 0, '', '', 1, 0, 1, 0)"
        )

    await setup.prepare(store)
    await store.write(fill)
    return store


async def broken(store, sql):
    await store.write(lambda tx: tx.script(sql))
    return await wrong_with(store)


async def test_a_fresh_store_is_sound(store):
    await setup.prepare(store)

    assert await wrong_with(store) == []


async def test_a_sound_store_has_nothing_wrong(sound):
    assert await wrong_with(sound) == []


@pytest.mark.parametrize(
    ("sql", "words"),
    [
        (
            "UPDATE accounts SET posted = posted - 1000000",
            "account 1, purse 0: 9.00 and held 4.00 stand on it, entries make 10.00 and 4.00",
        ),
        (
            "DELETE FROM accounts",
            "account 1, purse 0: it has entries and does not exist",
        ),
        (
            "UPDATE messages SET held = 3000000",
            "account 1, purse 0: held 4.00 stands on it, messages and mailings hold 3.00",
        ),
        (
            "DELETE FROM queue",
            f"message {ID} of client 1: 4.00 is held for it and it is not in the queue",
        ),
        (
            "DELETE FROM queue",
            f"message {ID} of client 1: its status 0 is not final and it is not in the queue",
        ),
        (
            "UPDATE messages SET money = 3",
            f"message {ID} of client 1: money 3 does not go with held 4.00 and cost 0.00",
        ),
        (
            "UPDATE messages SET cost = 1",
            f"message {ID} of client 1: money 1 does not go with held 4.00 and cost 0.00",
        ),
        ("DELETE FROM messages", f"message {ID} of client 1: it is in the queue only"),
        (
            "UPDATE messages SET status = 1",
            f"message {ID} of client 1: it has ended with status 1 and is in the queue, stage 2",
        ),
        (
            "UPDATE messages SET status = -2",
            f"message {ID} of client 1: it has ended with status -2 and is in the queue, stage 2",
        ),
        (
            "DELETE FROM parts WHERE part = 2",
            f"message {ID} of client 1: it was sent in 2 parts and 1 are on record",
        ),
        (
            (
                f"INSERT INTO mailings (client_id, id, wire_id, state, total, made, created_at)"
                f" VALUES (1, {ID}, '5', {mailings.EXPANDED}, 10, 9, 1)"
            ),
            f"mailing {ID} of client 1: 9 of 10 messages are made and its lists do not agree",
        ),
        (
            (
                "UPDATE accounts SET held = 11000000;"
                "UPDATE entries SET held = 11000000 WHERE kind = 'hold';"
                "UPDATE messages SET held = 11000000, price = 11000000"
            ),
            "account 1, purse 0: 10.00 less 11.00 held is more than its credit of 0.00 below zero",
        ),
        (
            (
                "UPDATE accounts SET held = -1000000;"
                "UPDATE entries SET held = -1000000 WHERE kind = 'hold'"
            ),
            "account 1, purse 0: -1.00 is held, which is less than nothing",
        ),
        (
            "UPDATE queue SET stage = 1, next_at = next_at - 61000",
            "carrier 1: run 5 has messages whose lease ended 61 s ago",
        ),
        (
            "UPDATE messages SET purse = 1",
            f"message {ID} of client 1: purse 1 does not go with its flags 0 or its money",
        ),
        (
            "UPDATE messages SET flags = 32",
            f"message {ID} of client 1: purse 0 does not go with its flags 32 or its money",
        ),
        (
            "UPDATE messages SET purse = 1, flags = 32, money = 0",
            f"message {ID} of client 1: purse 1 does not go with its flags 32 or its money",
        ),
        (
            "UPDATE messages SET purse = 1, flags = 32",
            "account 1, purse 0: held 4.00 stands on it, messages and mailings hold 0.00",
        ),
        (
            "UPDATE sums SET purse = 1",
            (
                f"sums of client 1, day {TODAY}, type 0, network '', sender '', purse 1:"
                " messages 1 for 0, parts 2 for 0, sent 1 for 0 counted"
            ),
        ),
        (
            "UPDATE sums SET delivered = 1, parts = 5 WHERE node = 0",
            (
                f"sums of client 1, day {TODAY}, type 0, network '', sender '', purse 0:"
                " parts 6 for 2, delivered 1 for 0 counted"
            ),
        ),
        (
            "DELETE FROM sums",
            (
                f"sums of client 1, day {TODAY}, type 0, network '', sender '', purse 0:"
                " messages 0 for 1, parts 0 for 2, sent 0 for 1 counted"
            ),
        ),
        (
            (
                "UPDATE accounts SET posted = 9000000, held = 0;"
                "UPDATE entries SET held = 0, posted = -1000000, kind = 'capture'"
                " WHERE kind = 'hold';"
                "UPDATE messages SET held = 0, cost = 4000000, money = 2;"
                "UPDATE sums SET spent = 4000000 WHERE node = 0"
            ),
            "all accounts in RUB: 9.00 stands on them and top-ups less payments make 6.00",
        ),
    ],
)
async def test_a_broken_rule_is_told_in_plain_words(sound, sql, words):
    assert words in await broken(sound, sql)


async def test_a_window_is_never_exceeded(sound):
    full = (
        "INSERT INTO queue (client_id, message_id, carrier_id, priority, stage, next_at,"
        " expires_at, owner) SELECT 1, {0}, 1, 1, 1, {1}, {1}, 5"
    )

    for number in (1, 2):
        found = await broken(sound, full.format(ID + number, NOW))

    assert not any("window" in sentence for sentence in found)

    found = await broken(sound, full.format(ID + 3, NOW))

    assert "carrier 1: run 5 is sending 3 messages and the window is 2" in found


async def test_a_paused_message_waits_in_the_queue(sound):
    paused = "UPDATE messages SET status = -2; UPDATE queue SET stage = 4; DELETE FROM parts"

    assert await broken(sound, paused) == []


async def test_a_lease_may_lapse_while_nobody_serves(sound):
    await broken(sound, "UPDATE queue SET stage = 1, next_at = 0")

    assert await wrong_with(sound, Circumstances(NOW, TODAY, {}, serving=False)) == []


async def test_whoever_was_allowed_to_owe_may_owe(sound):
    debt = (
        "UPDATE accounts SET posted = 3000000;"
        "UPDATE entries SET posted = 3000000 WHERE kind = 'topup';"
        "INSERT INTO entries (account_id, purse, id, kind, at)"
        f" VALUES (1, 0, {ID + 2}, 'credit', 1)"
    )

    assert await broken(sound, debt) == []


async def test_what_was_removed_from_the_history_is_not_missed(sound):
    old = (
        "DELETE FROM messages; DELETE FROM queue; DELETE FROM parts;UPDATE sums SET day = day - 180"
    )
    captured = (
        "; UPDATE accounts SET posted = 6000000, held = 0;"
        "UPDATE entries SET held = 0, posted = -4000000, kind = 'capture' WHERE kind = 'hold'"
    )

    assert await broken(sound, old + captured) == []


async def test_a_part_of_a_message_costs_its_share_at_the_top(sound):
    half = (
        "INSERT INTO accounts (id, purse, posted) VALUES (2, 0, 7000000);"
        "INSERT INTO entries (account_id, purse, id, kind, posted, at) VALUES"
        f" (2, 0, {ID}, 'topup', 8000000, 1), (2, 0, {ID + 1}, 'capture', -1000000, 1);"
        "UPDATE accounts SET posted = 8000000, held = 0 WHERE id = 1;"
        "UPDATE entries SET posted = -2000000, held = 0, kind = 'capture'"
        " WHERE kind = 'hold' AND account_id = 1;"
        "UPDATE messages SET held = 0, cost = 2000000, money = 2;"
        "UPDATE sums SET spent = 2000000, returned = 2000000 WHERE node = 0;"
        "INSERT INTO charges (account_id, message_id, client_id, amount)"
        f" VALUES (2, {ID}, 1, 2000000)"
    )

    assert await broken(sound, half) == []


async def test_a_finished_tasks_file_is_the_one_that_was_written(sound, tmp_path):
    octets = b"a;b\r\n"
    folder = tmp_path / "files"
    folder.mkdir()
    (folder / "1-history.csv").write_bytes(octets)
    digest = hashlib.sha256(octets).hexdigest()
    task = (
        "INSERT INTO tasks (client_id, id, name, status, created_at, start_at, lease, file,"
        f" octets_utf8, sha256) VALUES (1, 7, 'h', 2, 1, 1, 0, 'history.csv', 5, '{digest}')"
    )
    kept = FolderFiles(folder)
    await broken(sound, task)

    assert await check.files(sound, kept) == []

    (folder / "1-history.csv").write_bytes(b"a;c\r\n")

    assert await check.files(sound, kept) == [
        "task 7 of client 1: its file of 5 octets is not the one of 5 octets that was written"
    ]

    (folder / "1-history.csv").unlink()

    assert await check.files(sound, kept) == [
        "task 7 of client 1 is done: the file has been removed"
    ]


async def get(port, page, **parameters):
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    query = urlencode({"login": "alex", "psw": "password", "fmt": "3", **parameters})
    writer.write(f"GET /sys/{page}.php?{query} HTTP/1.0\r\n\r\n".encode())
    answer = await reader.read()
    writer.close()
    await writer.wait_closed()
    return json.loads(answer.partition(b"\r\n\r\n")[2])


async def add(centre, login, **fields):
    new = clients.New(login, hash_password("password"), **fields)
    await centre.store.write(clients.add, new, centre.road.ids, centre.store.now())


async def test_a_centre_at_work_is_sound_at_every_moment(store_url, tmp_path):
    environ = {"VESTNIK_STORE__URL": store_url, "VESTNIK_ACCESS__WRONG_REQUESTS": "0"}
    centre = Centre(config.load(tmp_path, None, environ), tmp_path)
    await centre.start(Doors(http="127.0.0.1:0"))
    await add(centre, "alex", balance=100_000_000)
    await add(centre, "shop", parent="alex", balance=20_000_000)
    await add(centre, "poor", balance=1_000_000)
    dear = rates.read_csv(["client;channel;prefix;operator;price", "shop;sms;;;1.50"])
    await centre.store.write(rates.load, list(dear))
    await centre.current.refresh()
    port = centre.ports["http"][1]

    def look():
        now = centre.store.now()
        windows = dict.fromkeys(centre.current.value.carriers, 1_000)
        return Circumstances(now, now // 86_400_000, windows, serving=True)

    for turn in range(6):
        for ending in ("4567", "9901", "9902", "9904", "9905"):
            await get(
                port, "send", phones=f"7916123{ending}", mes=f"Hello {turn}", id=f"{turn}{ending}"
            )
        await get(port, "send", login="shop", phones="79161230000", mes="ы" * 100 * (turn + 1))
        await get(port, "send", login="poor", phones="79161230001,12,79161230002", mes=f"! {turn}")

        assert await wrong_with(centre.store, look()) == []

    answered = await get(port, "balance", login="shop")
    await centre.stop()

    assert answered["balance"] != "20.00"
