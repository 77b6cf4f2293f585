"""What a carrier's words mean in ours: command_status and the states of receipts."""

from collections.abc import Mapping

from vestnik.channels.smpp_settings import SmppSettings, Verdict, status_number
from vestnik.domain.message import Err, Status
from vestnik.wire.smpp import command_status as c

_FINAL = Verdict(Status.UNDELIVERABLE, Err.REJECTED)
_LATER = Verdict(Status.UNDELIVERABLE, Err.REJECTED, retry=True)
_FULL = Verdict(Status.UNDELIVERABLE, Err.QUEUE_FULL, retry=True)
_BAD_NUMBER = Verdict(Status.BAD_NUMBER, Err.BAD_FORMAT)
_BAD_SENDER = Verdict(Status.FORBIDDEN, Err.UNREGISTERED_SENDER)

# What is not here is refused for good: most such codes mean that the carrier will never like it.
REFUSALS: dict[int, Verdict] = {
    c.ESME_RINVBNDSTS: _LATER,
    c.ESME_RALYBND: _LATER,
    c.ESME_RSYSERR: _LATER,
    c.ESME_RINVSRCADR: _BAD_SENDER,
    c.ESME_RINVDSTADR: _BAD_NUMBER,
    c.ESME_RBINDFAIL: _LATER,
    c.ESME_RMSGQFUL: _FULL,
    c.ESME_RINVNUMDESTS: _BAD_NUMBER,
    c.ESME_RINVDLNAME: _BAD_NUMBER,
    c.ESME_RSUBMITFAIL: _FINAL,
    c.ESME_RINVSRCTON: _BAD_SENDER,
    c.ESME_RINVSRCNPI: _BAD_SENDER,
    c.ESME_RINVDSTTON: _BAD_NUMBER,
    c.ESME_RINVDSTNPI: _BAD_NUMBER,
    c.ESME_RTHROTTLED: _FULL,
    c.ESME_RINVEXPIRY: Verdict(Status.EXPIRED, Err.REJECTED),
    c.ESME_RX_T_APPN: _LATER,
    c.ESME_RX_P_APPN: _FINAL,
    c.ESME_RX_R_APPN: _FINAL,
    c.ESME_RDELIVERYFAILURE: _FINAL,
    c.ESME_RUNKNOWNERR: _LATER,
}
# The carrier asks for a pause.
PAUSES = frozenset({c.ESME_RTHROTTLED, c.ESME_RMSGQFUL})

# The word after stat: our status, and our err when the carrier's says nothing to us.
STATS: dict[str, tuple[int, int]] = {
    "SCHEDUL": (Status.SENT, Err.NONE),
    "ENROUTE": (Status.SENT, Err.NONE),
    "ACCEPTD": (Status.SENT, Err.NONE),
    "DELIVRD": (Status.DELIVERED, Err.NONE),
    "EXPIRED": (Status.EXPIRED, Err.OFFLINE),
    "DELETED": (Status.UNDELIVERABLE, Err.REJECTED),
    "UNDELIV": (Status.UNDELIVERABLE, Err.REJECTED),
    "REJECTD": (Status.UNDELIVERABLE, Err.REJECTED),
    "SKIPPED": (Status.UNDELIVERABLE, Err.REJECTED),
    "UNKNOWN": (Status.UNDELIVERABLE, Err.NO_STATUS),
}


def refusals(settings: SmppSettings) -> Mapping[int, Verdict]:
    """The usual table with the carrier's own lines over it."""
    return REFUSALS | {status_number(key): verdict for key, verdict in settings.errors.items()}


def stats(settings: SmppSettings) -> Mapping[str, tuple[int, int]]:
    """The same for the words of receipts; they are compared in capitals."""
    return STATS | {word.upper(): fate for word, fate in settings.stats.items()}


def verdict_on(status: int, table: Mapping[int, Verdict]) -> Verdict:
    return table.get(status, _FINAL)
