"""multipart/form-data: fields and files of a form that carries attachments."""

from dataclasses import dataclass
from typing import TypeAlias

from python_multipart.exceptions import FormParserError
from python_multipart.multipart import MultipartParser, parse_options_header

from vestnik.domain.refusals import BadParameters

PARTS_MAX = 1_000

Pairs: TypeAlias = list[tuple[bytes, bytes]]


@dataclass(frozen=True, slots=True)
class File:
    """An attachment, in the form's own order; `field` is the name of its part."""

    field: str
    name: str
    octets: bytes


def read_multipart(content_type: bytes, body: bytes) -> tuple[Pairs, list[File]]:
    """The fields and files of a body; a part with a file name is a file (channels.md).

    Raises BadParameters for a body that is no such form, ends too soon or has too many parts.
    """
    boundary = parse_options_header(content_type)[1].get(b"boundary")
    if not boundary:
        raise BadParameters("the multipart form names no boundary")
    reader = _Reader()
    try:
        parser = MultipartParser(
            boundary,
            {
                "on_part_begin": reader.begin,
                "on_header_field": reader.header_name,
                "on_header_value": reader.header_value,
                "on_header_end": reader.header_end,
                "on_part_data": reader.data,
                "on_part_end": reader.end,
                "on_end": reader.finish,
            },
        )
        parser.write(body)
    except FormParserError:
        raise BadParameters("the multipart form cannot be read") from None
    if not reader.whole:
        raise BadParameters("the multipart form is not whole")
    return reader.fields, reader.files


class _Reader:
    """Gathers what the parser finds."""

    def __init__(self) -> None:
        self.fields: Pairs = []
        self.files: list[File] = []
        self.whole = False
        self._parts = 0
        self._octets = bytearray()
        self._disposition = b""
        self._name = b""
        self._value = b""

    def begin(self) -> None:
        self._parts += 1
        if self._parts > PARTS_MAX:
            raise BadParameters(f"the form has more than {PARTS_MAX} parts")
        self._octets = bytearray()
        self._disposition = b""

    def header_name(self, data: bytes, start: int, end: int) -> None:
        self._name += data[start:end]

    def header_value(self, data: bytes, start: int, end: int) -> None:
        self._value += data[start:end]

    def header_end(self) -> None:
        if self._name.lower() == b"content-disposition":
            self._disposition = self._value
        self._name = self._value = b""

    def data(self, data: bytes, start: int, end: int) -> None:
        self._octets += data[start:end]

    def end(self) -> None:
        options = parse_options_header(self._disposition)[1]
        field = options.get(b"name", b"")
        filename = options.get(b"filename")
        if filename is None:
            self.fields.append((field, bytes(self._octets)))
        elif filename or self._octets:  # a form's empty file input is no file
            self.files.append(File(_readable(field), _readable(filename), bytes(self._octets)))

    def finish(self) -> None:
        self.whole = True


def _readable(name: bytes) -> str:
    """A name for people: it decides nothing, so what cannot be read in it is marked."""
    return name.decode("utf-8", "replace").replace("\0", "\ufffd")
