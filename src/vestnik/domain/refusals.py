"""Why the centre says no.

A refusal is an answer, not a fault: the request was understood and a rule forbids it.  The class
says which rule; each door has its own number for it.  Anything that is not a Refusal is a bug or a
broken world.
"""


class Refusal(Exception):
    """A rule forbids it.

    `message_id` is the wire id once the message is on record: it was numbered and stored, though
    it will not be sent.
    """

    def __init__(self, detail: str = "", *, message_id: str | None = None) -> None:
        super().__init__(detail or (type(self).__doc__ or "").strip().splitlines()[0].rstrip("."))
        self.message_id = message_id


class BadParameters(Refusal):
    """parameters error."""


class BadCredentials(Refusal):
    """authorise error."""


class AddressBlocked(Refusal):
    """IP is blocked."""


class InsufficientFunds(Refusal):
    """no money."""


class BadDate(Refusal):
    """invalid date."""


class MessageForbidden(Refusal):
    """message is denied."""


class BadNumber(Refusal):
    """invalid number."""


class Undeliverable(Refusal):
    """can't to deliver."""


class Duplicate(Refusal):
    """duplicate request, wait a minute."""


class TooManyRequests(Refusal):
    """duplicate request, wait a minute."""


class TooManyConnections(Refusal):
    """too many concurrent requests."""


class NotFound(Refusal):
    """record not found."""


class NotPossible(Refusal):
    """operation failed."""


class NoSubclient(Refusal):
    """no subclient with this login."""


class SharedBalance(Refusal):
    """it has no balance of its own."""


class NotSaved(Refusal):
    """record could not be saved."""


class CodeSent(Refusal):
    """a code was sent to this number already."""


class WrongCode(Refusal):
    """wrong code."""


class TooManyAttempts(Refusal):
    """too many attempts on this number today."""


class StoreUnavailable(Exception):
    """The store is away or full: nothing was promised, and the client should try again."""
