"""Messages by their id alone, as SMPP asks for them: what became of one, and cancelling it."""

from collections.abc import Callable
from dataclasses import dataclass

from vestnik.domain.client import Client
from vestnik.domain.message import Status
from vestnik.domain.refusals import NotFound, NotPossible
from vestnik.services.messages import bulk
from vestnik.services.messages.settlement import Setting, standing_of
from vestnik.store import messages, queue, wire_ids
from vestnik.store.engine import Row, Store, Transaction
from vestnik.store.queue import Stage


@dataclass(frozen=True, slots=True)
class Fate:
    """What became of a message; `changed_at` is in ms since the epoch."""

    phone: str
    status: Status
    err: int
    changed_at: int


class ById:
    """Looks messages up and cancels them."""

    def __init__(self, store: Store, setting: Callable[[], Setting]) -> None:
        self._store = store
        self._setting = setting

    async def look(self, client: Client, wire_id: str, sender: str) -> Fate:
        """The latest message of the id; raises NotFound, also for another sender's (if given).

        Of a list of which no message is made yet it is the first that is to be made.
        """
        return await self._store.read(_look, client.id, wire_id, sender)

    async def cancel(self, client: Client, wire_id: str, sender: str, phone: str) -> None:
        """Take back a message that waits: it ends with -2 and its price goes back.

        Raises NotFound (also for another sender or phone, if given), NotPossible for one that is
        on its way or has ended.
        """
        await self._store.write(_cancel, client.id, wire_id, sender, phone, self._setting())


async def _look(tx: Transaction, client_id: int, wire_id: str, sender: str) -> Fate:
    row = await wire_ids.newest(tx, client_id, wire_id)
    if row is None:
        first = await bulk.first_waiting(tx, client_id, wire_id)
        if first is None:
            raise NotFound
        row = (0, first.phone, first.sender, first.status, first.err, first.due)
    _, phone, _, status, err, changed_at = _of_sender(row, sender)
    return Fate(phone, Status(status), err, changed_at)


async def _find(tx: Transaction, client_id: int, wire_id: str, sender: str) -> Row:
    row = await wire_ids.newest(tx, client_id, wire_id)
    if row is None:
        raise NotFound
    return _of_sender(row, sender)


def _of_sender(row: Row, sender: str) -> Row:
    if sender and row[2] and row[2] != sender:
        raise NotFound
    return row


async def _cancel(
    tx: Transaction, client_id: int, wire_id: str, sender: str, phone: str, setting: Setting
) -> None:
    row = await _find(tx, client_id, wire_id, sender)
    if phone and row[1] != phone:
        raise NotFound
    [message] = map(standing_of, await messages.standing(tx, [(client_id, row[0])]))
    if message.stage not in (Stage.WAITING, Stage.PAUSED):
        raise NotPossible
    settlement = setting.settlement()
    settlement.stand(message, Status.STOPPED)
    settlement.release(message)
    await queue.remove(tx, [message.key])
    await settlement.write(tx, setting.node, setting.new_id)
