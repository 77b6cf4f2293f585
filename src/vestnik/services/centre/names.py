"""What messages may show and say besides what was written: sender names, signatures, and texts
that operators allow.  Composing asks this of the directory; nothing here reads the store later.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Protocol

from vestnik.domain.client import Client
from vestnik.domain.message import Kind
from vestnik.domain.op_template import OPERATORS, OpTemplate, operator_of
from vestnik.store import senders, templates
from vestnik.store.engine import Transaction

SOCIAL = "soc"  # the operator of messages in social networks

# The formats of templates, by the kinds of messages that a signature can be appended to: octets
# and look-ups have no words (templates.md, 1).
FORMAT_OF: Mapping[Kind, str] = {
    Kind.SMS: "sms",
    Kind.FLASH: "flash",
    Kind.MMS: "mms",
    Kind.CALL: "call",
    Kind.MAIL: "mail",
    Kind.VIBER: "viber",
}
TEMPLATES_KNOWN = 20_000


@dataclass(frozen=True, slots=True)
class Names:
    """What the directory knows of names.

    `senders` are the approved names of each client in lower case, `reserves` what may stand in for
    a name that is not one of them; `signatures` are by client and format ("" is any), `templates`
    the approved ones by client, name in lower case and operator.
    """

    senders: Mapping[int, frozenset[str]] = field(default_factory=dict)
    reserves: Mapping[int, str] = field(default_factory=dict)
    signatures: Mapping[int, Mapping[str, str]] = field(default_factory=dict)
    templates: Mapping[tuple[int, str, str], tuple[OpTemplate, ...]] = field(default_factory=dict)


class Directory(Protocol):
    """See services/centre/directory.py; `registration` says that senders must be registered."""

    @property
    def clients(self) -> Mapping[int, Client]: ...
    @property
    def default_sender(self) -> str: ...
    @property
    def registration(self) -> bool: ...
    @property
    def names(self) -> Names: ...


async def read(tx: Transaction) -> Names:
    """Names as this transaction sees them."""
    allowed: dict[tuple[int, str, str], tuple[OpTemplate, ...]] = {}
    for one in await templates.allowed(tx):
        key = (one.client_id, one.sender.lower(), operator_of(one.kind))
        allowed[key] = (*allowed.get(key, ()), _template(one.message))
    return Names(
        senders=await senders.approved(tx),
        reserves=await senders.reserves(tx),
        signatures=await templates.signatures(tx),
        templates=allowed,
    )


_template = lru_cache(maxsize=TEMPLATES_KNOWN)(OpTemplate)


def may_use(directory: Directory, client: Client, sender: str) -> bool:
    """The client may show this name (err 254 of status.md if not).

    Where senders need no registration any may be shown; the centre's own and none at all always.
    """
    if not directory.registration or not sender:
        return True
    name = sender.removeprefix("+").lower()
    return name == directory.default_sender.lower() or bool(_owner(directory, client, name))


def sender_for(directory: Directory, client: Client, sender: str) -> str | None:
    """The name that a message shows when this one was asked for: it, or the account's reserve name
    (users.md, `sender2`); None if it may show neither."""
    if may_use(directory, client, sender):
        return sender
    reserve = directory.names.reserves.get(client.id, "")
    return reserve if reserve and may_use(directory, client, reserve) else None


def permits(directory: Directory, client_id: int, sender: str, operator: str, text: str) -> bool:
    """The operator lets this text through under this name (err 238 of status.md if not).

    `operator` is MCC and MNC of the network, or SOCIAL.  Where senders need no registration, or
    none of the name's templates is approved at the operator, every text passes.
    """
    if not directory.registration:
        return True
    place = OPERATORS.get(operator, operator)
    name = sender.removeprefix("+").lower()
    known = directory.names.templates.get((client_id, name, place))
    if known is None:
        client = directory.clients[client_id]
        owner = _owner(directory, client, name)
        known = directory.names.templates.get((owner, name, place))
    return known is None or any(template.fits(text) for template in known)


def signed(directory: Directory, client_id: int, kind: Kind, text: str) -> str:
    """A text with the account's automatic signature for such messages, on a line of its own.

    A signature of no format in particular serves where there is none of the message's own.  A text
    that ends with it already stays as it is.
    """
    own = directory.names.signatures.get(client_id)
    format = FORMAT_OF.get(kind)
    if own is None or format is None:
        return text
    signature = own.get(format) or own.get("", "")
    if not signature or text.endswith(signature):
        return text
    return f"{text}\n{signature}" if text else signature


def _owner(directory: Directory, client: Client, name: str) -> int:
    """Whose name it is: the client's, or its main account's if it may use those; 0: nobody's."""
    owners = [client.id]
    if client.limits.parent_senders and client.parent_id is not None:
        owners.append(client.parent_id)
    known = directory.names.senders
    return next((owner for owner in owners if name in known.get(owner, ())), 0)
