"""What time does to messages: leases lapse, validity ends, reports never come.

Each function takes a slice in one commit and returns how many rows it moved.
"""

from collections.abc import Sequence

from vestnik.domain.message import CHANNEL_OF, Err, Kind, Status
from vestnik.services.delivery import DAY_MS
from vestnik.services.settlement import Setting, Standing, standing_of
from vestnik.store import messages, queue
from vestnik.store.engine import Row, Transaction
from vestnik.store.queue import Stage

SLICE = 500


async def recover(tx: Transaction, setting: Setting) -> int:
    """What an earlier run of this node was sending when it ended: nobody knows its fate."""
    left = await queue.left_behind(tx, setting.node, setting.owner, SLICE)
    return await _lose(tx, left, setting)


async def lapse(tx: Transaction, setting: Setting) -> int:
    """Leases that ran out: whoever held them is gone, and the fate of the messages is unknown."""
    return await _lose(tx, await queue.run_out(tx, Stage.SENDING, setting.now, SLICE), setting)


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
    await queue.lose(tx, [(row[0], row[1], row[2] + DAY_MS) for row in rows])
    carriers = setting.directory.carriers
    again = [
        key
        for key, carrier_id in carrier_of.items()
        if carrier_id in carriers and carriers[carrier_id].on_unknown == "resend"
    ]
    await queue.resend(tx, again, setting.now)
    await settlement.write(tx, setting.node, setting.new_id)
    return len(rows)


async def give_up(tx: Transaction, setting: Setting) -> int:
    """A day past validity without a report: 20 with err 245, and what is held goes back."""
    rows = [
        row
        for stage in (Stage.SENT, Stage.UNKNOWN)
        for row in await queue.run_out(tx, stage, setting.now, SLICE)
    ]
    return await _end(tx, rows, Status.UNDELIVERABLE, Err.NO_STATUS, setting)


async def expire(tx: Transaction, setting: Setting) -> int:
    """Messages that waited past their validity."""
    rows = await queue.expired(tx, setting.now, SLICE)
    return await _end(tx, rows, Status.EXPIRED, Err.NONE, setting)


async def _end(
    tx: Transaction, rows: Sequence[Row], status: Status, err: int, setting: Setting
) -> int:
    if not rows:
        return 0
    settlement = setting.settlement()
    for message in await _standings(tx, rows):
        settlement.stand(message, status, err)
        settlement.release(message)
    await queue.remove(tx, [(row[0], row[1]) for row in rows])
    await settlement.write(tx, setting.node, setting.new_id)
    return len(rows)


async def _standings(tx: Transaction, rows: Sequence[Row]) -> list[Standing]:
    found = await messages.standing(tx, [(row[0], row[1]) for row in rows])
    return [standing_of(row) for row in found]


async def move_away(tx: Transaction, carrier_id: int, up: set[int], setting: Setting) -> int:
    """A carrier is down: its waiting rows go to the next route whose carrier is up."""
    moves: list[tuple[int, int, int, int, int]] = []
    rows = await queue.waiting_at(tx, carrier_id, setting.now, 2 * SLICE)
    for client_id, message_id, _, kind, sender, phone, mccmnc in rows:
        channel = CHANNEL_OF[Kind(kind)]
        plan = setting.directory.routes.plan(channel, client_id, sender, phone, mccmnc)
        for step, other in enumerate(plan):
            if other in up and other != carrier_id:
                moves.append((client_id, message_id, carrier_id, other, step))
                break
    await queue.reroute(tx, moves)
    return len(moves)
