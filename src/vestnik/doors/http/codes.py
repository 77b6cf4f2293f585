"""Which number each endpoint gives to a refusal, and in which words.

The numbers belong to the endpoints, not to the refusals: 5 is a bad date in send.php and a failed
deletion in status.php (conventions.md).
"""

from collections.abc import Mapping
from dataclasses import dataclass

from vestnik.domain import refusals as r


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
        return self.text if own == str(type(refusal)()) else self.detailed.format(own)


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
CONTACTS: Codes = {
    **COMMON,
    r.NotFound: Code(3, "no records found", detailed="{}"),
    r.NotPossible: Code(5, "operation failed", detailed="{}"),
}
