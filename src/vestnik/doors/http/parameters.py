"""Query, form, multipart and JSON: how a request becomes parameters.

Octets are taken apart first and decoded last, because the charset is itself a parameter.
"""

from collections.abc import Iterable
from urllib.parse import unquote_to_bytes

import msgspec

from vestnik.domain.refusals import BadParameters
from vestnik.doors.http.multipart import File, read_multipart
from vestnik.doors.http.reply import CODECS

PIECE = 64 * 1024  # octets of a value that are unquoted at a time
PAIRS_MAX = 20_000  # parameters of one form: phones[] may be repeated for each recipient

# Other spellings of the charsets of conventions.md.
_SPELLINGS = {
    "cp1251": "windows-1251",
    "win-1251": "windows-1251",
    "windows1251": "windows-1251",
    "utf8": "utf-8",
    "koi8r": "koi8-r",
    **{name: name for name in CODECS},
}
_FMTS = {b"0": 0, b"1": 1, b"2": 2, b"3": 3}
# Lists that clients send as arrays; any other array would be read as something it is not.
_ARRAYS = frozenset({"phones", "phone", "id"})
# With bin=1 these hold octets, not characters: they keep their values as U+0000 to U+00FF.
_OCTETS = frozenset({"mes", "list"})

Scalar = str | int | float | bool | None


class Form:
    """Everything a request says, the body over the query."""

    __slots__ = ("_octets", "_texts", "files", "json")

    def __init__(self, query: bytes) -> None:
        self._octets = read_pairs(query)
        self._texts: dict[str, str] = {}
        self.files: tuple[File, ...] = ()
        self.json = False

    def add(self, content_type: bytes, body: bytes, *, guess_json: bool) -> None:
        """Take the body in; raises BadParameters if it cannot be read.

        With `guess_json` a body that looks like an object is one, whatever its type says.
        """
        kind = content_type.partition(b";")[0].strip().lower()
        if kind.endswith((b"/json", b"+json")) or (guess_json and body.lstrip()[:1] == b"{"):
            self.json = True
            self._texts = read_json(self._utf_8(content_type, body))
        elif kind == b"multipart/form-data":
            fields, files = read_multipart(content_type, body)
            self._octets.update(gathered(fields))
            self.files = tuple(files)
        else:
            self._octets.update(read_pairs(body.strip(b"\r\n")))

    def fmt(self, default: int) -> int:
        """The shape of the answer; what is not known is 0 (conventions.md)."""
        given = self._given("fmt")
        return _FMTS.get(given, 0) if given else default

    def charset(self, default: str) -> str:
        """The charset of request and answer; raises BadParameters for one not spoken here."""
        given = self._given("charset")
        return _charset(given) if given else default

    def decoded(self, charset: str) -> dict[str, str]:
        """The parameters as text.

        Raises BadParameters for octets that the charset lacks, and for characters no text has.
        """
        binary = self._given("bin") == b"1"
        if binary:
            plain = {k: v for k, v in self._octets.items() if k.decode("latin-1") not in _OCTETS}
            params = _decoded(plain, charset)
            params.update(
                (name, self._octets[name.encode()].decode("latin-1"))
                for name in _OCTETS
                if name.encode() in self._octets
            )
        else:
            params = _decoded(self._octets, charset)
        if not self._texts:
            return params
        for name, text in self._texts.items():
            if not (binary and name in _OCTETS):
                _check(name, text)
            elif not all(character <= "\xff" for character in text):
                raise BadParameters(f"{name} is not binary")
        params.update(self._texts)
        return params

    def forget(self) -> None:
        """Let go of what has been decoded: of a long list there need not be two."""
        self._octets, self._texts = {}, {}

    def _given(self, name: str) -> bytes:
        if name in self._texts:
            return self._texts[name].encode("utf-8", "replace")
        return self._octets.get(name.encode(), b"")

    def _utf_8(self, content_type: bytes, body: bytes) -> bytes:
        """A JSON body in UTF-8, whatever charset the query or the header names."""
        named = self._given("charset")
        if not named:
            named = content_type.lower().partition(b"charset=")[2].partition(b";")[0]
        charset = _charset(named.strip(b' "')) if named else "utf-8"
        if charset == "utf-8":
            return body.removeprefix(b"\xef\xbb\xbf")
        try:
            return body.decode(CODECS[charset]).encode()
        except UnicodeDecodeError:
            raise BadParameters(f"the body cannot be read as {charset}") from None


def _decoded(octets: dict[bytes, bytes], charset: str) -> dict[str, str]:
    # All at once, with NULs between: it is several times faster than one by one, and a NUL that
    # does not belong is found by counting.
    whole = b"\0".join([*octets, *octets.values()])
    try:
        texts = whole.decode("ascii" if whole.isascii() else CODECS[charset]).split("\0")
    except UnicodeDecodeError:
        raise BadParameters(f"the request cannot be read as {charset}") from None
    count = len(octets)
    if len(texts) != 2 * count and count:
        raise BadParameters("the request has a NUL character")
    return dict(zip(texts[:count], texts[count:], strict=False))


def read_pairs(data: bytes) -> dict[bytes, bytes]:
    """The parameters of a query or an urlencoded form, in octets; the last of a name wins.

    Raises BadParameters for more than PAIRS_MAX.
    """
    if not data:
        return {}
    if data.count(b"&") >= PAIRS_MAX:
        raise BadParameters(f"the request has more than {PAIRS_MAX} parameters")
    if b"[" in data or b"%5" in data:  # a bracket, perhaps, and then a list of values
        return gathered(_all_pairs(data))
    parts = [pair.partition(b"=") for pair in data.replace(b"+", b" ").split(b"&")]
    if b"%" in data:
        return {
            _unquoted(name) if b"%" in name else name: _unquoted(value) if b"%" in value else value
            for name, _, value in parts
            if name
        }
    return {name: value for name, _, value in parts if name}


def _all_pairs(data: bytes) -> Iterable[tuple[bytes, bytes]]:
    for pair in data.replace(b"+", b" ").split(b"&"):
        name, _, value = pair.partition(b"=")
        yield _unquoted(name), _unquoted(value)


def _unquoted(data: bytes) -> bytes:
    """Escapes undone, piece by piece: the library's way takes a hundred octets for each escape."""
    if len(data) <= PIECE:
        return unquote_to_bytes(data)
    pieces = []
    start = 0
    while start < len(data):
        end = start + PIECE
        cut = data.rfind(b"%", end - 2, end)  # an escape is never cut in two
        end = end if cut < 0 else cut
        pieces.append(unquote_to_bytes(data[start:end]))
        start = end
    return b"".join(pieces)


def gathered(fields: Iterable[tuple[bytes, bytes]]) -> dict[bytes, bytes]:
    """Fields by name; `phones[]` and `phones[0]` are entries of one list (recorded.md)."""
    pairs: dict[bytes, bytes] = {}
    lists: dict[bytes, list[bytes]] = {}
    for name, value in fields:
        base, bracket, index = name.partition(b"[")
        if bracket and index.endswith(b"]") and base.decode("latin-1") in _ARRAYS:
            lists.setdefault(base, []).append(value)
        elif name:
            pairs[name] = value
    pairs.update((name, b",".join(values)) for name, values in lists.items())
    return pairs


def read_json(body: bytes) -> dict[str, str]:
    """The members of one JSON object as text: numbers as written, true 1, false 0, null absent.

    Raises BadParameters for anything but an object of plain values and lists of phones or ids.
    """
    try:
        members = msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        raise BadParameters("the body is not JSON") from None
    if not isinstance(members, dict):
        raise BadParameters("the body is not a JSON object")
    texts = {}
    for name, value in members.items():
        if isinstance(value, list) and name in _ARRAYS:
            texts[name] = ",".join(_text(name, entry) for entry in value)
        elif value is not None:
            texts[name] = _text(name, value)
    return texts


def _text(name: str, value: object) -> str:
    match value:
        case str():
            return value
        case bool():
            return "1" if value else "0"
        case float() if value.is_integer() and abs(value) < 2**53:
            return str(int(value))
        case int() | float():
            return str(value)
    raise BadParameters(f"{name} is not a plain value")


def _charset(given: bytes) -> str:
    name = given.decode("latin-1").strip().lower()
    charset = _SPELLINGS.get(name)
    if charset is None:
        raise BadParameters(f"the charset is not one of {', '.join(CODECS)}")
    return charset


def _check(name: str, text: str) -> None:
    if text.isascii():
        if "\0" in text:
            raise BadParameters(f"{name} has a NUL character")
        return
    try:
        text.encode()
    except UnicodeEncodeError:
        raise BadParameters(f"{name} has half a character") from None
    if "\0" in text:
        raise BadParameters(f"{name} has a NUL character")
