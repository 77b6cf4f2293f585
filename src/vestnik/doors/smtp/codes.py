"""Which SMTP reply a refusal gets, and its line: the one that send.php answers with fmt=0."""

from collections.abc import Mapping
from dataclasses import dataclass

from vestnik.domain import refusals as r

LINE_MAX = 400  # RFC 5321 allows 512 octets with the code
NEVER, LATER = 554, 451  # told to the sender at once; tried again by his mail server


@dataclass(frozen=True, slots=True)
class Code:
    """An SMTP reply, the error number of send.php, and its words.

    With `detailed` the refusal's own words are told, if it has any.
    """

    reply: int
    number: int
    text: str
    detailed: bool = False


CODES: Mapping[type[r.Refusal], Code] = {
    r.BadParameters: Code(NEVER, 1, "parameters error", detailed=True),
    r.BadCredentials: Code(NEVER, 2, "authorise error"),
    r.InsufficientFunds: Code(NEVER, 3, "no money"),
    r.AddressBlocked: Code(LATER, 4, "IP is blocked"),
    r.BadDate: Code(NEVER, 5, "invalid date"),
    r.MessageForbidden: Code(NEVER, 6, "message is denied"),
    r.BadNumber: Code(NEVER, 7, "invalid number"),
    r.Undeliverable: Code(NEVER, 8, "can't to deliver"),
    r.Duplicate: Code(NEVER, 9, "duplicate request, wait a minute"),
    r.TooManyRequests: Code(NEVER, 9, "duplicate request, wait a minute"),
    r.TooManyConnections: Code(LATER, 9, "too many concurrent requests"),
}


def line_of(refusal: r.Refusal) -> str:
    """The error line of send.php, such as `ERROR = 7 (invalid number), ID - 541`."""
    code = CODES[type(refusal)]
    text = code.text
    own = str(refusal)
    if code.detailed and own != str(type(refusal)()):
        text = f"{text}: {own}"
    line = f"ERROR = {code.number} ({text})"
    return line if refusal.message_id is None else f"{line}, ID - {refusal.message_id}"


def plain(line: str) -> str:
    """A line as a reply may hold it: ASCII on one line, of bounded length."""
    return "".join(c if " " <= c <= "~" else "?" for c in line)[:LINE_MAX]
