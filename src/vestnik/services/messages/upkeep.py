"""What time does to messages: leases lapse, validity ends, reports never come.

Each function takes a slice in one commit and returns how many rows it moved.
"""

from collections import Counter
from collections.abc import Sequence
from collections.abc import Set as AbstractSet

from vestnik.domain.message import CHANNEL_OF, Err, Kind, Status
from vestnik.services.messages import chains
from vestnik.services.messages.delivery import DAY_MS
from vestnik.services.messages.settlement import Setting, Standing, standing_of
from vestnik.store import messages, overdue, queue
from vestnik.store.engine import Row, Transaction
from vestnik.store.queue import Stage

SLICE = 500
SHARE_MIN = 50  # rows of each client that are looked at when a carrier is down


async def recover(tx: Transaction, setting: Setting) -> int:
    """What an earlier run of this node was sending when it ended: nobody knows its fate."""
    left = await overdue.left_behind(tx, setting.node, setting.owner, SLICE)
    return await _lose(tx, left, setting)


async def lapse(tx: Transaction, setting: Setting) -> int:
    """Leases that ran out: whoever held them is gone, and the fate of the messages is unknown."""
    return await _lose(tx, await overdue.run_out(tx, Stage.SENDING, setting.now, SLICE), setting)


async def _lose(tx: Transaction, rows: Sequence[Row], setting: Setting) -> int:
    """Sending becomes unknown; where the carrier's rule says so it waits to be sent again."""
    if not rows:
        return 0
    settlement = setting.settlement()
    carrier_of = {(row[0], row[1]): row[3] for row in rows}
    for message in await _standings(tx, rows):
        settlement.touch(message)
        message.carrier_id = carrier_of[message.key]
        message.uncertain = 1
        settlement.stand(message, Status.SENT)
    await overdue.lose(tx, [(row[0], row[1], row[2] + DAY_MS) for row in rows])
    again = [key for key, carrier_id in carrier_of.items() if setting.resends(carrier_id)]
    await overdue.resend(tx, again, setting.now)
    await settlement.write(tx, setting.node, setting.new_id)
    return len(rows)


async def give_up(tx: Transaction, setting: Setting) -> int:
    """A day past validity without a report: 20 with err 245, and what is held goes back."""
    rows = [
        row
        for stage in (Stage.SENT, Stage.UNKNOWN)
        for row in await overdue.run_out(tx, stage, setting.now, SLICE)
    ]
    return await _end(tx, rows, Status.UNDELIVERABLE, Err.NO_STATUS, setting)


async def expire(
    tx: Transaction,
    setting: Setting,
    within: Sequence[overdue.Stretch] = (overdue.EVERYWHERE,),
) -> int:
    """Messages that waited past their validity, in stretches of the queue."""
    rows: list[Row] = []
    for stretch in within:
        if len(rows) < SLICE:
            rows += await overdue.expired(tx, setting.now, stretch, SLICE - len(rows))
    return await _end(tx, rows, Status.EXPIRED, Err.NONE, setting)


async def _end(
    tx: Transaction, rows: Sequence[Row], status: Status, err: int, setting: Setting
) -> int:
    if not rows:
        return 0
    settlement = setting.settlement()
    begun = Counter((r[0], r[1]) for r in await messages.parts_of(tx, [(r[0], r[1]) for r in rows]))
    standings = await _standings(tx, rows)
    await chains.load(tx, standings)
    ended: list[tuple[int, int]] = []
    for message in standings:
        # Where no report came the person may have it: another way would tell him twice.
        if err != Err.NO_STATUS and settlement.fall_back(message):
            continue
        ended.append(message.key)
        parts = begun.get(message.key, 0) if message.stage == Stage.WAITING else 0
        if parts:  # the carrier has some of them, and the rest will not follow
            settlement.stand(message, Status.UNDELIVERABLE, Err.INCOMPLETE)
        else:
            settlement.stand(message, status, err)
        if parts and setting.taken_on_sent(message):
            settlement.capture(message, parts)
        else:
            settlement.release(message)
    await queue.remove(tx, ended)
    await settlement.write(tx, setting.node, setting.new_id)
    return len(rows)


async def _standings(tx: Transaction, rows: Sequence[Row]) -> list[Standing]:
    found = await messages.standing(tx, [(row[0], row[1]) for row in rows])
    return [standing_of(row) for row in found]


async def move_away(
    tx: Transaction, carrier_id: int, up: AbstractSet[int], until: int, setting: Setting
) -> int:
    """A carrier is down: what is due there by then goes to the next route whose carrier is up.

    Takes a share of each client's rows, so that one whose messages have no other way stops nobody.
    """
    moves: list[tuple[int, int, int, int, int]] = []
    for priority in queue.PRIORITIES:
        clients = await queue.lanes(tx, carrier_id, priority, until)
        share = max(SHARE_MIN, 2 * SLICE // max(1, len(clients)))
        for client in clients:
            for row in await overdue.waiting_at(tx, carrier_id, priority, client, until, share):
                moves += _move(row, carrier_id, up, setting)
    await overdue.reroute(tx, moves)
    return len(moves)


def _move(
    row: Row, carrier_id: int, up: AbstractSet[int], setting: Setting
) -> list[tuple[int, int, int, int, int]]:
    """Where a waiting row goes: to the first carrier of its plan that is up, if there is one."""
    client_id, message_id, kind, sender, phone, mccmnc = row
    channel = CHANNEL_OF[Kind(kind)]
    plan = setting.directory.routes.plan(channel, client_id, sender, phone, mccmnc)
    for step, other in enumerate(plan):
        if other in up and other != carrier_id:
            return [(client_id, message_id, carrier_id, other, step)]
    return []
