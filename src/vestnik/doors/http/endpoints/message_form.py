"""What a request says of its messages, to send.php and to jobs.php alike: kind, octets, sender."""

from vestnik.domain.lists import ListLine
from vestnik.domain.message import Kind
from vestnik.domain.refusals import BadParameters
from vestnik.doors.http.endpoint import Call

# At most one of these applies: the first that is set (send.md).
FLAGS = (
    ("hlr", Kind.HLR),
    ("ping", Kind.PING),
    ("flash", Kind.FLASH),
    ("push", Kind.PUSH),
    ("bin", Kind.BINARY),
    ("mms", Kind.MMS),
    ("mail", Kind.MAIL),
    ("call", Kind.CALL),
    ("viber", Kind.VIBER),
    ("soc", Kind.SOCIAL),
)
_WITHOUT_TEXT = frozenset({Kind.HLR, Kind.PING})
_FILE_FOR_TEXT = frozenset({Kind.MMS, Kind.CALL})
_TAIL = "\n~~~\n"  # stands between binary data and its pid and dcs (channels.md)


def kind_of(call: Call, flags: tuple[tuple[str, Kind], ...] = FLAGS) -> Kind | None:
    """The kind that a flag asks for; None when none is set."""
    binary = call.number("bin", 0, 0, 2)
    for name, kind in flags:
        if binary if name == "bin" else call.flag(name):
            return kind
    return None


def octets_given(call: Call, kind: Kind) -> bool:
    """The texts are the octets themselves."""
    return kind is Kind.BINARY and call.text("bin") == "1"


def in_hex(line: ListLine) -> ListLine:
    """A line of octets (bin=1) as the hex digits that bin=2 would send (channels.md)."""
    data, separator, tail = line.text.partition(_TAIL)
    try:
        octets = data.encode("latin-1")
    except UnicodeEncodeError:
        raise BadParameters("mes: with bin=1 it is made of octets") from None
    return line._replace(text=octets.hex() + separator + tail)


def may_be_empty(call: Call, kind: Kind) -> bool:
    """Messages of the kind need no text, or something stands for it."""
    if kind in _WITHOUT_TEXT or (kind is Kind.MMS and call.text("subj")):
        return True
    return kind in _FILE_FOR_TEXT and bool(call.files or call.text("fileurl"))


def sender_of(call: Call, name: str = "sender") -> str | None:
    """None is the account's default, which `.` switches off (recorded.md rules over send.md)."""
    sender = call.text(name).strip()
    return None if not sender else "" if sender == "." else sender


def options_of(call: Call, names: frozenset[str]) -> dict[str, object]:
    """What is handed on as it came, if it is given."""
    options: dict[str, object] = dict(call.among(names))
    if call.flag("tinyurl"):
        options["tinyurl"] = 1
    return options
