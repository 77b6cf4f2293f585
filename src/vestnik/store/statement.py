"""A Core statement, rendered once for each engine and each number of rows.

Executing through SQLAlchemy costs as much again as the driver; rendering once costs nothing.  A
statement over many rows is one statement, literally: `INSERT … VALUES (…), (…)`, or an update whose
rows come from `rows(…)`.  Rows are passed in powers of two, so few forms are ever rendered.
"""

import re
from collections.abc import Iterable, Sequence
from itertools import chain
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql.asyncpg import PGDialect_asyncpg
from sqlalchemy.dialects.sqlite.base import SQLiteDialect

PLACE = re.compile(r"(?<!:):([a-z_][a-z0-9_]*)")

# asyncpg sends at most 32,767 parameters; apsw keeps a statement prepared up to 16 kB of text.
ROWS_MAX = 512
PARAMETERS_MAX = 30_000
SQLITE_TEXT_MAX = 16_000


class Dialect:
    """How one engine wants its statements: SQLAlchemy's dialect and the form of a place."""

    def __init__(self, name: str, core: sa.Dialect, numbered: bool, text_max: int) -> None:
        self.name = name
        self.core = core
        self.numbered = numbered
        self.text_max = text_max


SQLITE = Dialect("sqlite", SQLiteDialect(paramstyle="named"), False, SQLITE_TEXT_MAX)
POSTGRES = Dialect(
    "postgres",
    PGDialect_asyncpg(paramstyle="named"),  # type: ignore[no-untyped-call]  # untyped there
    True,
    1 << 30,
)


def rows(name: str, /, **columns: Any) -> sa.CTE:
    """A table of rows that will be given at each call, with these columns, in this order."""
    places = tuple(
        sa.bindparam(f"{name}__{column}", type_=kind()) for column, kind in columns.items()
    )
    named = (sa.column(column, kind()) for column, kind in columns.items())
    return sa.values(*named, name=name).data([places]).cte(name)


class Rendered:
    """One statement in one dialect: text before, around and after the repeated row."""

    def __init__(self, statement: "Statement", dialect: Dialect) -> None:
        compiled = statement.core.compile(dialect=dialect.core)
        self.dialect = dialect
        self.defaults: dict[str, Any] = dict(compiled.params)
        text = compiled.string
        start, end = _row_group(text) if statement.many else (len(text), len(text))
        self._head, self._group, self._tail = text[:start], text[start:end], text[end:]
        self.head_names = PLACE.findall(self._head)
        self.row_width = len(PLACE.findall(self._group))
        self.tail_names = PLACE.findall(self._tail)
        self._texts: dict[int, str] = {}
        self.rows_max = self._most_rows()

    def _most_rows(self) -> int:
        if not self.row_width:
            return 1
        most = min(ROWS_MAX, PARAMETERS_MAX // self.row_width)
        room = (self.dialect.text_max - len(self._head) - len(self._tail)) // (
            2 * self.row_width + 3
        )
        most = max(1, min(most, room))
        return 1 << (most.bit_length() - 1)

    def text(self, count: int) -> str:
        """The SQL for this many rows."""
        known = self._texts.get(count)
        if known is None:
            known = self._texts[count] = self._number(count)
        return known

    def _number(self, count: int) -> str:
        whole = self._head + ",".join([self._group] * count) + self._tail
        if not self.dialect.numbered:
            return PLACE.sub("?", whole)
        number = iter(range(1, 1 << 20))
        return PLACE.sub(lambda _: f"${next(number)}", whole)

    def bind(self, given: dict[str, Any]) -> list[Any]:
        """Parameters of a statement without rows, in order."""
        return [given[n] if n in given else self._default(n) for n in self.head_names]

    def bind_rows(self, data: Sequence[Sequence[Any]], given: dict[str, Any]) -> list[Any]:
        """Parameters around and inside the rows, in order."""
        head = [given[n] if n in given else self._default(n) for n in self.head_names]
        tail = [given[n] if n in given else self._default(n) for n in self.tail_names]
        return [*head, *chain.from_iterable(data), *tail]

    def _default(self, name: str) -> Any:
        value = self.defaults.get(name)
        if value is None:
            raise KeyError(f"the statement needs a value for '{name}'")
        return value

    def slices(self, data: Sequence[Sequence[Any]]) -> Iterable[Sequence[Sequence[Any]]]:
        """The rows in portions of powers of two."""
        at, left = 0, len(data)
        size = self.rows_max
        while left:
            while size > left:
                size >>= 1
            yield data[at : at + size]
            at += size
            left -= size


def _row_group(text: str) -> tuple[int, int]:
    """Where the one row of VALUES stands: from its opening to its closing bracket."""
    start = re.search(r"VALUES\s*\(", text)
    assert start is not None, text
    opening = start.end() - 1
    depth = 0
    for at in range(opening, len(text)):
        depth += {"(": 1, ")": -1}.get(text[at], 0)
        if depth == 0:
            return opening, at + 1
    raise AssertionError(text)


class Statement:
    """One statement; `many` says that it takes rows."""

    __slots__ = ("_rendered", "core", "many")

    def __init__(self, core: sa.ClauseElement, *, many: bool = False) -> None:
        self.core = core
        self.many = many
        self._rendered: dict[str, Rendered] = {}

    def render(self, dialect: Dialect) -> Rendered:
        known = self._rendered.get(dialect.name)
        if known is None:
            known = self._rendered[dialect.name] = Rendered(self, dialect)
        return known


def insert_into(table: sa.Table, *columns: str) -> Statement:
    """Insert rows given as tuples of these columns (all of the table's, if none are named).

    They stand in the order of the table, for that is the order in which they are rendered.
    """
    names = columns or tuple(table.c.keys())
    assert names == tuple(c.name for c in table.c if c.name in names), names
    places = {name: sa.bindparam(name, type_=table.c[name].type) for name in names}
    return Statement(sa.insert(table).values(places), many=True)
