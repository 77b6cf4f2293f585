"""Where the files of deferred tasks lie: in a folder, or where nodes share no disk in the store."""

import asyncio
import os
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Protocol

from vestnik.domain.refusals import NotPossible
from vestnik.store import task_chunks
from vestnik.store.engine import Store, Transaction
from vestnik.store.tasks import Claim, File, Task

FOLDER = "exports"  # in the data folder
PARTIAL = ".partial"  # the end of the name of a folder in which a file is being made
PIECE_OCTETS = 1 << 20
READ_OCTETS = 256 << 10


class Files(Protocol):
    """Keeps finished files; nobody sees one before it is whole."""

    async def keep(self, claim: Claim, made: Path, file: File, until: Callable[[], int]) -> bool:
        """Take the file at `made` in; False if the task is not the claim's any more.

        `until` says to what moment the task may be held from now.  Raises OSError.
        """
        ...

    async def abandon(self, claim: Claim, file: File) -> None:
        """Drop what `keep` took in for a claim that came to nothing."""
        ...

    async def remove(self, task: Task) -> None:
        """Drop the file of a task that is no more on record."""
        ...

    async def sweep(self, known: set[tuple[int, str]]) -> None:
        """Drop every file but those of these clients and names: a crash may have left some."""
        ...

    async def read(self, task: Task) -> AsyncIterator[bytes]:
        """The octets of a finished task's file; raises NotPossible if it has been removed."""
        ...


def files_of(store: Store, data: Path) -> Files:
    """Where the nodes of a store keep their files."""
    return StoredFiles(store) if store.name == "postgres" else FolderFiles(data / FOLDER)


class FolderFiles:
    """Files in a folder.

    Task ids are a client's own, so the name of a file begins with the client.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    async def keep(self, claim: Claim, made: Path, file: File, until: Callable[[], int]) -> bool:
        await asyncio.to_thread(self._take_in, made, self._path(claim.client_id, file.name))
        return True

    async def abandon(self, claim: Claim, file: File) -> None:
        self._path(claim.client_id, file.name).unlink(missing_ok=True)

    async def remove(self, task: Task) -> None:
        if task.file:
            self._path(task.client_id, task.file).unlink(missing_ok=True)

    async def sweep(self, known: set[tuple[int, str]]) -> None:
        kept = {self._path(client_id, name) for client_id, name in known}
        for path in self._folder.iterdir():
            if path.is_file() and path not in kept:
                path.unlink()

    async def read(self, task: Task) -> AsyncIterator[bytes]:
        path = self._path(task.client_id, task.file)
        if not path.is_file():
            raise NotPossible("the file has been removed")
        return _pieces_of(path)

    def _path(self, client_id: int, name: str) -> Path:
        return self._folder / f"{client_id}-{name}"

    def _take_in(self, made: Path, path: Path) -> None:
        made.replace(path)
        folder = os.open(self._folder, os.O_RDONLY)
        try:
            os.fsync(folder)  # the new name is on the disk
        finally:
            os.close(folder)


async def _pieces_of(path: Path) -> AsyncIterator[bytes]:
    with path.open("rb") as file:
        while octets := await asyncio.to_thread(file.read, READ_OCTETS):
            yield octets


class StoredFiles:
    """Files in pieces in the store, so that every node has them."""

    def __init__(self, store: Store) -> None:
        self._store = store

    async def keep(self, claim: Claim, made: Path, file: File, until: Callable[[], int]) -> bool:
        await self._store.write(task_chunks.drop_own, claim)
        with made.open("rb") as source:
            place = 0
            while octets := await asyncio.to_thread(source.read, PIECE_OCTETS):
                put = await self._store.write(
                    task_chunks.put, claim, file.rows, until(), place, octets
                )
                if not put:
                    return False
                place += 1
        return True

    async def abandon(self, claim: Claim, file: File) -> None:
        await self._store.write(task_chunks.drop_own, claim)

    async def remove(self, task: Task) -> None:
        """The pieces have gone with the task's row."""

    async def sweep(self, known: set[tuple[int, str]]) -> None:
        """A claim begins by dropping what an earlier one has left."""

    async def read(self, task: Task) -> AsyncIterator[bytes]:
        first = await self._piece(task, 0)
        if first is None:
            raise NotPossible("the file has been removed")
        return self._pieces(task, first)

    async def _pieces(self, task: Task, first: bytes) -> AsyncIterator[bytes]:
        left, place, octets = task.octets_utf8, 0, first
        while True:
            for at in range(0, len(octets), READ_OCTETS):
                yield octets[at : at + READ_OCTETS]
            left, place = left - len(octets), place + 1
            if left <= 0:
                return
            following = await self._piece(task, place)
            if following is None:
                raise RuntimeError(f"task {task.id} was deleted while its file was read")
            octets = following

    async def _piece(self, task: Task, place: int) -> bytes | None:
        return await self._store.read(_piece, task, place)


async def _piece(tx: Transaction, task: Task, place: int) -> bytes | None:
    return await task_chunks.one(tx, task.client_id, task.id, place)
