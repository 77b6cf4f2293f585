"""Who may ask what, and when: the operation matrix of SMPP 3.4 as a table.

A side may be asked exactly what the other side may ask.
"""

from enum import Enum, auto

from vestnik.wire.smpp import pdu as p


class Side(Enum):
    """The two ends of a session."""

    ESME = auto()
    SMSC = auto()

    @property
    def other(self) -> "Side":
        return Side.SMSC if self is Side.ESME else Side.ESME


class State(Enum):
    """Where a session stands; the first value numbers it, the second says whether it is bound."""

    OPEN = 1, False  # connected, not bound
    BOUND_TX = 2, True
    BOUND_RX = 3, True
    BOUND_TRX = 4, True
    UNBOUND = 5, False  # said good-bye; only the connection is left
    CLOSED = 6, False  # of no more use

    def __init__(self, number: int, bound: bool) -> None:
        self.bound = bound


Operations = frozenset[type[p.Pdu]]

BINDS: dict[type[p.Pdu], State] = {
    p.BindTransmitter: State.BOUND_TX,
    p.BindReceiver: State.BOUND_RX,
    p.BindTransceiver: State.BOUND_TRX,
}

_NOTHING: Operations = frozenset()
# The specification allows enquire_link in any state, also before the bind.
_BOTH: Operations = frozenset({p.EnquireLink, p.Unbind})
_SENDS: Operations = frozenset({p.SubmitSm, p.DataSm, p.QuerySm, p.CancelSm, p.ReplaceSm})
_DELIVERS: Operations = frozenset({p.DeliverSm, p.DataSm, p.AlertNotification})

MAY_ASK: dict[Side, dict[State, Operations]] = {
    Side.ESME: {
        State.OPEN: frozenset({*BINDS, p.EnquireLink}),
        State.BOUND_TX: _BOTH | _SENDS,
        # A receiver may ask after its messages: the reference service says so (smpp.md).
        State.BOUND_RX: _BOTH | {p.QuerySm},
        State.BOUND_TRX: _BOTH | _SENDS,
        State.UNBOUND: _NOTHING,
        State.CLOSED: _NOTHING,
    },
    Side.SMSC: {
        State.OPEN: frozenset({p.Outbind, p.EnquireLink}),
        State.BOUND_TX: _BOTH,
        State.BOUND_RX: _BOTH | _DELIVERS,
        State.BOUND_TRX: _BOTH | _DELIVERS,
        State.UNBOUND: _NOTHING,
        State.CLOSED: _NOTHING,
    },
}
