"""Which number each endpoint gives to a refusal, and in which words.

The numbers belong to the endpoints, not to the refusals: 5 is a bad date in send.php and a failed
deletion in status.php (conventions.md).
"""

from collections.abc import Mapping
from dataclasses import dataclass

from vestnik.domain import refusals as r

WORDS_MAX = 500  # characters of a refusal's own words


@dataclass(frozen=True, slots=True)
class Code:
    """An error number and its text.

    Programs compare the recorded texts, so `text` is told whatever the refusal says; where
    `detailed` is given and the refusal has words of its own, they are told in its place `{}`.
    """

    number: int
    text: str
    detailed: str = ""

    def words(self, refusal: r.Refusal) -> str:
        """What the client reads."""
        if not self.detailed:
            return self.text
        own = str(refusal)
        if own == str(type(refusal)()):
            return self.text
        # What the client wrote may be a megabyte, and need not come back whole.
        return self.detailed.format(own if len(own) <= WORDS_MAX else f"{own[:WORDS_MAX]}...")


Codes = Mapping[type[r.Refusal], Code]

COMMON: Codes = {
    r.BadParameters: Code(1, "parameters error", detailed="parameters error: {}"),
    r.BadCredentials: Code(2, "authorise error"),
    r.AddressBlocked: Code(4, "IP is blocked"),
    r.Duplicate: Code(9, "duplicate request, wait a minute"),
    r.TooManyRequests: Code(9, "duplicate request, wait a minute"),
    r.TooManyConnections: Code(9, "too many concurrent requests"),
}
SEND: Codes = {
    **COMMON,
    r.InsufficientFunds: Code(3, "no money"),
    r.BadDate: Code(5, "invalid date"),
    r.MessageForbidden: Code(6, "message is denied"),
    r.BadNumber: Code(7, "invalid number"),
    r.Undeliverable: Code(8, "can't to deliver"),
}
STATUS: Codes = {**COMMON, r.NotPossible: Code(5, "message could not be deleted")}
BALANCE: Codes = COMMON
HISTORY: Codes = {**COMMON, r.NotFound: Code(3, "message not found", detailed="{}")}
TASKS: Codes = {
    **COMMON,
    r.NotFound: Code(3, "task not found", detailed="{}"),
    r.NotPossible: Code(5, "file is not ready", detailed="{}"),
}
USERS: Codes = {
    **COMMON,
    r.NotFound: Code(3, "no records found", detailed="{}"),
    r.NotPossible: Code(5, "operation failed", detailed="{}"),
    r.NoSubclient: Code(6, "no subclient with this login"),
    r.SharedBalance: Code(7, "it has no balance of its own"),
    r.NotSaved: Code(8, "record could not be saved"),
    r.InsufficientFunds: Code(10, "not enough money"),
}
TEMPLATES: Codes = {
    **COMMON,
    r.NotFound: Code(3, "record not found", detailed="{}"),
    r.NotPossible: Code(5, "record could not be saved", detailed="{}"),
}
SENDERS: Codes = {
    **COMMON,
    r.NoSubclient: Code(1, "parameters error: no subclient with this login"),
    r.NotFound: Code(3, "sender name not found"),
    r.NotPossible: Code(5, "the name could not be saved", detailed="{}"),
    r.BadNumber: Code(7, "invalid number"),
    r.Undeliverable: Code(8, "the code cannot be delivered to this number", detailed="{}"),
    r.CodeSent: Code(10, "a code was sent to this number already"),
    r.WrongCode: Code(11, "wrong code"),
}
DOCUMENTS: Codes = {
    **COMMON,
    r.NotFound: Code(3, "no such document"),
    r.NotPossible: Code(5, "the document could not be made", detailed="{}"),
    r.NoSubclient: Code(6, "no such subclient"),
}
CONTACTS: Codes = {
    **COMMON,
    r.NotFound: Code(3, "no records found", detailed="{}"),
    r.NotPossible: Code(5, "operation failed", detailed="{}"),
}
JOBS: Codes = {
    **COMMON,
    r.NotFound: Code(3, "record could not be saved", detailed="{}"),
    r.BadDate: Code(5, "invalid date"),
}
INFO: Codes = {**COMMON, r.NotFound: Code(3, "operator not found")}
LINKS: Codes = {**COMMON, r.NotFound: Code(3, "link not found")}
MNP: Codes = {**COMMON, r.NotFound: Code(3, "there are no ported numbers here")}
RENT: Codes = {**COMMON, r.InsufficientFunds: Code(3, "no money")}
WAIT_CALL: Codes = {
    **COMMON,
    r.BadNumber: Code(5, "invalid number"),
    r.TooManyAttempts: Code(6, "too many attempts on this number today"),
    r.NotPossible: Code(7, "there is no number to call"),
}
PING: Codes = {
    **COMMON,
    r.NotFound: Code(3, "task group not found"),
    r.NotPossible: Code(5, "operation failed", detailed="operation failed: {}"),
}
