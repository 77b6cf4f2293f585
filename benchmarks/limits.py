"""The limits that figures are held against: the same rows by the bare driver."""

import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import apsw
from sqlalchemy import Table
from sqlalchemy.dialects.sqlite.base import SQLiteDialect
from sqlalchemy.schema import CreateIndex, CreateTable

from vestnik.store import messages, queue, schema
from vestnik.store.statement import SQLITE, Statement

BATCH = 200
TEXT = "Your code is {}"


def message_row(number: int) -> tuple[Any, ...]:
    """A message as accept writes it."""
    return (
        1, number, str(number), str(79000000000 + number % 99_999_999), 20_000, 0, 0, "Vestnik",
        TEXT.format(number), None, "", "", 1, "25001", None, "http", -1, 0, number, number, 1,
        0, 1_000_000, 1_000_000, 1,
    )  # fmt: skip


def queue_row(number: int) -> tuple[Any, ...]:
    return (1, number, 1, 2, 0, number, number, None, None, "Europe/Moscow", 0, 0)


def open_raw(
    path: Path, tables: Sequence[Table] = (schema.messages, schema.queue)
) -> apsw.Connection:
    """A bare connection with some of the centre's tables and its promise: FULL, write-ahead."""
    connection = apsw.Connection(str(path), statementcachesize=500)
    for pragma in ("journal_mode = WAL", "synchronous = FULL", "cache_size = -32768"):
        connection.execute(f"PRAGMA {pragma}").fetchall()
    dialect = SQLiteDialect(paramstyle="named")
    for table in tables:
        connection.execute(str(CreateTable(table).compile(dialect=dialect)))
        for index in table.indexes:
            connection.execute(str(CreateIndex(index).compile(dialect=dialect)))
    return connection


def run_rows(connection: apsw.Connection, statement: Statement, rows: Sequence[Any]) -> None:
    """A statement over many rows, as the store runs it."""
    rendered = statement.render(SQLITE)
    for part in rendered.slices(rows):
        connection.execute(rendered.text(len(part)), rendered.bind_rows(part, {})).fetchall()


def raw_rows_per_s(rows: int, batch: int = BATCH) -> float:
    """Rows of messages and queue a second, in commits of `batch`, by the bare driver."""
    with tempfile.TemporaryDirectory(prefix="vestnik-bench-") as folder:
        connection = open_raw(Path(folder) / "raw.db")
        began = time.perf_counter()
        for at in range(1, rows + 1, batch):
            numbers = range(at, at + batch)
            connection.execute("BEGIN IMMEDIATE")
            run_rows(connection, messages.PUT, [message_row(n) for n in numbers])
            run_rows(connection, queue.PUT, [queue_row(n) for n in numbers])
            connection.execute("COMMIT")
        seconds = time.perf_counter() - began
        connection.close()
    return rows / seconds
