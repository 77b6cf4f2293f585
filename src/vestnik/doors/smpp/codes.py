"""Which command_status each refusal gets, and which words and numbers a status has (smpp.md)."""

from collections.abc import Mapping

from vestnik.domain import refusals as r
from vestnik.domain.message import Status
from vestnik.domain.number import valid_sender
from vestnik.wire.smpp import command_status as c

Numbers = Mapping[type[r.Refusal], int]

SUBMIT: Numbers = {
    r.BadParameters: c.ESME_RSUBMITFAIL,
    r.InsufficientFunds: c.ESME_NO_MONEY,
    r.BadDate: c.ESME_RINVSCHED,
    r.MessageForbidden: c.ESME_RSUBMITFAIL,
    r.BadNumber: c.ESME_RINVDSTADR,
    r.Undeliverable: c.ESME_RSUBMITFAIL,
    r.Duplicate: c.ESME_RSUBMITFAIL,
    r.TooManyRequests: c.ESME_RTHROTTLED,
    r.TooManyConnections: c.ESME_RTHROTTLED,
}
QUERY: Numbers = {
    r.NotFound: c.ESME_RQUERYFAIL,
    r.TooManyRequests: c.ESME_RTHROTTLED,
}
CANCEL: Numbers = {
    r.NotFound: c.ESME_RCANCELFAIL,
    r.NotPossible: c.ESME_RCANCELFAIL,
}

# The word after `stat:`, for each status that a client may be told.
STATS: Mapping[int, str] = {
    Status.WAITING: "ENROUTE",
    Status.SENT: "ACCEPTD",
    Status.DELIVERED: "DELIVRD",
    Status.READ: "DELIVRD",
    Status.CLICKED: "DELIVRD",
    Status.EXPIRED: "EXPIRED",
    Status.UNDELIVERABLE: "UNDELIV",
    Status.UNREACHABLE: "UNDELIV",
    Status.BAD_NUMBER: "REJECTD",
    Status.FORBIDDEN: "REJECTD",
    Status.NO_FUNDS: "REJECTD",
    Status.STOPPED: "DELETED",
    Status.NOT_FOUND: "UNKNOWN",
}


class Wrong(r.Refusal):
    """A request that cannot be taken for how it is written; `status` is its answer."""

    def __init__(self, status: int) -> None:
        super().__init__(c.described(status))
        self.status = status


def submit_status(refusal: r.Refusal, sender: str) -> int:
    """The answer to a submit that was refused; `sender` is its source_addr.

    A message that is forbidden for its sender says so by a number of its own (smpp.md).
    """
    if isinstance(refusal, r.MessageForbidden) and sender and not _can_be_shown(sender):
        return c.ESME_RINVSRCADR
    return status_of(refusal, SUBMIT)


def status_of(refusal: r.Refusal, numbers: Numbers) -> int:
    """The answer to a request that was refused."""
    return refusal.status if isinstance(refusal, Wrong) else numbers[type(refusal)]


def _can_be_shown(sender: str) -> bool:
    return "@" in sender or valid_sender(sender)
