"""Deferred tasks: order an export, follow it, fetch its file (downloads.md)."""

import re
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from zoneinfo import ZoneInfo

import msgspec

from vestnik.domain.client import Client
from vestnik.domain.ids import first_id
from vestnik.domain.refusals import BadDate, BadParameters, NotFound, NotPossible
from vestnik.domain.schedule import due
from vestnik.services.history.task_files import Files
from vestnik.store import counters, task_chunks
from vestnik.store import tasks as table
from vestnik.store.engine import Store, Transaction
from vestnik.store.history import Filter
from vestnik.store.tasks import State, Task

__all__ = ["Order", "State", "Task", "Tasks", "Wanted", "drop_old"]

NAME_MAX = 100
# A name stands between commas in lists, and between quotes in headers.
_UNFIT = re.compile(r'[,;/\\"\x00-\x1f\x7f\x85\u2028\u2029]')


class Wanted(msgspec.Struct, frozen=True):
    """What an export holds, as it is stored with its task; the period is in ms."""

    since: int
    until: int
    filter: Filter

    def ids(self, high_id: int) -> tuple[int, int]:
        """The range of ids, up to and with the newest that it may hold."""
        return first_id(self.since), min(first_id(self.until), high_id + 1)


@dataclass(frozen=True, slots=True)
class Order:
    """A request for an export; `time` as in send.php, `format` a name of exports.FORMATS."""

    wanted: Wanted
    name: str
    format: str
    time: str = ""


class Tasks:
    """The deferred tasks of clients; `ring` wakes the worker when there is a new one."""

    def __init__(self, store: Store, files: Files, ring: Callable[[], None]) -> None:
        self._store = store
        self._files = files
        self._ring = ring

    async def add(self, client: Client, order: Order, now_ms: int) -> int:
        """Order an export; returns the id of its task.

        Raises BadParameters, and NotPossible while too many of the client's tasks are unfinished.
        """
        if len(order.name) > NAME_MAX or _UNFIT.search(order.name):
            raise BadParameters(
                f'a name has at most {NAME_MAX} characters, none of them one of , ; / \\ "'
            )
        if client.limits.hide_messages:
            raise NotPossible("the account is shown no messages")
        try:
            start_at = due(order.time, now_ms, ZoneInfo(client.zone))
        except BadDate:
            raise BadParameters("time has none of the forms it may have") from None
        task_id = await self._store.write(_add, client, order, now_ms, start_at)
        self._ring()
        return task_id

    async def listed(self, client: Client, after_id: int | None, most: int) -> list[Task]:
        """The last tasks, or the next ones past an id, by growing ids."""
        if after_id is None:
            return await self._store.read(table.last, client.id, most)
        return await self._store.read(table.after, client.id, after_id, most)

    async def file(
        self, client: Client, task_id: int | None, name: str
    ) -> tuple[Task, AsyncIterator[bytes]]:
        """A finished task and its file, by its id, or else by its name or its file's.

        Raises NotFound, and NotPossible if the file is not ready or has been removed.
        """
        if task_id is not None:
            task = await self._store.read(table.one, client.id, task_id)
        else:
            task = await self._store.read(table.named, client.id, name)
        if task is None:
            raise NotFound
        if task.status != State.DONE:
            raise NotPossible(f"file is not ready: {_WHY[State(task.status)]}{_because(task)}")
        return task, await self._files.read(task)

    async def cancel(self, client: Client, task_id: int, now_ms: int) -> None:
        """End a task that waits or runs; raises NotFound, NotPossible."""
        await self._store.write(_cancel, client.id, task_id, now_ms)

    async def delete(self, client: Client, task_id: int) -> None:
        """Forget a task that does not run, and its file; raises NotFound, NotPossible."""
        task = await self._store.write(_delete, client.id, task_id)
        await self._files.remove(task)


_WHY = {
    State.WAITING: "the task waits",
    State.RUNNING: "the task is being executed",
    State.CANCELLED: "the task was cancelled",
    State.FAILED: "the task has failed",
}


def _because(task: Task) -> str:
    return f" ({task.reason})" if task.status == State.FAILED and task.reason else ""


async def _add(tx: Transaction, client: Client, order: Order, now_ms: int, start_at: int) -> int:
    # The number comes first: its row is locked, so two requests cannot both be the last allowed.
    numbers = await counters.reserve(tx, counters.TASK, [(client.id, 1)])
    most = client.limits.tasks_max
    if most and await table.unfinished(tx, client.id) >= most:
        raise NotPossible(f"{most} tasks wait or run already")
    task_id = numbers[client.id][0]
    wanted = msgspec.json.encode(order.wanted).decode()
    await table.put(tx, client.id, task_id, order.name, wanted, order.format, now_ms, start_at)
    return task_id


async def _cancel(tx: Transaction, client_id: int, task_id: int, now_ms: int) -> None:
    if await table.cancel(tx, client_id, task_id, now_ms):
        return
    if await table.one(tx, client_id, task_id) is None:
        raise NotFound
    raise NotPossible("the task has ended already")


async def _delete(tx: Transaction, client_id: int, task_id: int) -> Task:
    task = await table.one(tx, client_id, task_id)
    if task is None:
        raise NotFound
    if not await table.drop(tx, client_id, task_id):
        raise NotPossible("the task is being executed: cancel it first")
    await task_chunks.drop(tx, client_id, task_id)
    return task


async def drop_old(tx: Transaction, before: int, most: int) -> list[Task]:
    """Forget tasks that ended before a moment; their files are to be removed after the commit."""
    found = await table.old(tx, before, most)
    for task in found:
        await table.drop(tx, task.client_id, task.id)
        await task_chunks.drop(tx, task.client_id, task.id)
    return found
