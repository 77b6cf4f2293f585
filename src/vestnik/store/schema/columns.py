"""The kinds of columns that tables are made of, and the one list of tables."""

from typing import Any

from sqlalchemy import BigInteger, Column, MetaData, SmallInteger, Text, text

metadata = MetaData()

# SQLite gives no type a width; a BIGINT key there must not become its own rowid alias by accident,
# so composite keys are WITHOUT ROWID where rows are narrow.
NARROW: dict[str, Any] = {"sqlite_with_rowid": False}


def row_id(name: str) -> Column[int]:
    return Column(name, BigInteger, nullable=False)


def key(name: str) -> Column[int]:
    return Column(name, BigInteger, primary_key=True, autoincrement=False, nullable=False)


def money(name: str) -> Column[int]:
    return Column(name, BigInteger, nullable=False, server_default="0")


def moment(name: str, nullable: bool = False) -> Column[int]:
    return Column(name, BigInteger, nullable=nullable)


def small(name: str, default: int | None = 0) -> Column[int]:
    given = None if default is None else str(default)
    return Column(name, SmallInteger, nullable=False, server_default=given)


def words(name: str, default: str | None = "") -> Column[str]:
    return Column(name, Text, nullable=False, server_default=default)


def only(condition: str) -> dict[str, Any]:
    """Of an index: it holds these rows alone, on either engine."""
    return {"sqlite_where": text(condition), "postgresql_where": text(condition)}
