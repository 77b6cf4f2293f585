"""How the mandatory fields of a PDU stand in its body.

Every PDU of SMPP 3.4 is made of C strings and one-octet integers; a few end in a short message
with its length before it.  A layout is made from the field table of a class once, at import.
"""

import dataclasses
from collections.abc import Callable
from dataclasses import dataclass, field
from operator import attrgetter
from typing import Any, TypeVar, dataclass_transform

from vestnik.wire.smpp.command_status import ESME_RINVCMDLEN, ESME_RINVMSGLEN

# What we still read of a C string from a peer that does not keep to the limits.
CSTRING_OCTETS_MAX = 256
SHORT_MESSAGE_OCTETS_MAX = 254

_CSTRING, _UINT, _OCTETS = "cstring", "uint", "octets"


class BadBody(ValueError):
    """A body does not have the fields of its PDU; `status` is the answer it deserves."""

    def __init__(self, reason: str, status: int) -> None:
        super().__init__(reason)
        self.status = status


T = TypeVar("T")


@dataclass_transform(frozen_default=True, field_specifiers=(field,))
def record(kind: type[T]) -> type[T]:
    """A slotted dataclass that nobody changes: the type checker sees to that.

    At run time nothing guards it: the guard of a frozen dataclass makes a submit_sm four times as
    dear to build, and this is the hottest road of the centre.
    """
    return dataclass(slots=True)(kind)


def cstring(octets_max: int) -> Any:
    """A C string of at most this many octets, its NUL counted."""
    return field(default="", metadata={"wire": _CSTRING, "octets_max": octets_max})


def uint() -> Any:
    """An integer of one octet."""
    return field(default=0, metadata={"wire": _UINT})


def octets() -> Any:
    """The short message: its length is written and read with it and has no field of its own."""
    return field(default=b"", metadata={"wire": _OCTETS})


@dataclass(frozen=True, slots=True)
class Layout:
    """A class's fields, ready for reading and writing.

    `runs` says how many integers stand before each C string, `tail` how many after the last one.
    """

    values_of: Callable[[Any], tuple[Any, ...]]
    template: str
    limits: tuple[tuple[int, int], ...]
    runs: tuple[int, ...]
    tail: int
    has_message: bool

    def write(self, pdu: Any) -> bytes:
        """The body without TLVs; raises ValueError for a value that does not fit its field."""
        values = self.values_of(pdu)
        for index, octets_max in self.limits:
            text = values[index]
            if len(text) >= octets_max or "\0" in text:
                raise ValueError(f"{type(pdu).__name__}: field {index} is over {octets_max} octets")
        try:
            if not self.has_message:
                return (self.template % values).encode("latin-1")
            message: bytes = values[-1]
            if len(message) > SHORT_MESSAGE_OCTETS_MAX:
                raise ValueError(f"short_message of {len(message)} octets")
            head = (self.template % values[:-1]).encode("latin-1")
            return b"%b%c%b" % (head, len(message), message)
        except OverflowError as reason:
            raise ValueError(f"{type(pdu).__name__}: {reason}") from None

    def read(self, body: bytes) -> tuple[list[Any], int]:
        """The values in order and where they end; raises BadBody."""
        text = body.decode("latin-1")
        find = text.find
        values: list[Any] = []
        at = 0
        for run in self.runs:
            start = at
            if run:
                start += run
                values += body[at:start]
            at = find("\0", start)
            if not 0 <= at - start < CSTRING_OCTETS_MAX:
                raise BadBody(f"C string at {start} does not end", ESME_RINVCMDLEN)
            values.append(text[start:at])
            at += 1
        if self.tail:
            if at + self.tail > len(body):
                raise BadBody("body ends before its fields", ESME_RINVCMDLEN)
            values += body[at : at + self.tail]
            at += self.tail
        if self.has_message:
            at = _read_message(body, at, values)
        return values, at


def _read_message(body: bytes, at: int, values: list[Any]) -> int:
    if at >= len(body):
        raise BadBody("no sm_length", ESME_RINVCMDLEN)
    start, end = at + 1, at + 1 + body[at]
    if end > len(body):
        raise BadBody(f"sm_length {body[at]}, {len(body) - start} octets left", ESME_RINVMSGLEN)
    values.append(body[start:end])
    return end


def layout(kind: type[Any]) -> Layout:
    """Compile the field table of a PDU class."""
    table = [f for f in dataclasses.fields(kind) if "wire" in f.metadata]
    runs, run, template = [], 0, ""
    for f in table:
        if f.metadata["wire"] == _CSTRING:
            runs.append(run)
            run = 0
            template += "%s\0"
        elif f.metadata["wire"] == _UINT:
            run += 1
            template += "%c"
    return Layout(
        values_of=_getter(tuple(f.name for f in table)),
        template=template,
        limits=tuple(
            (index, f.metadata["octets_max"])
            for index, f in enumerate(table)
            if f.metadata["wire"] == _CSTRING
        ),
        runs=tuple(runs),
        tail=run,
        has_message=bool(table) and table[-1].metadata["wire"] == _OCTETS,
    )


def _getter(names: tuple[str, ...]) -> Callable[[Any], tuple[Any, ...]]:
    if not names:
        return lambda pdu: ()
    if len(names) == 1:
        [name] = names
        return lambda pdu: (getattr(pdu, name),)
    return attrgetter(*names)
