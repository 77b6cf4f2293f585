"""Templates of messages: an account's own, and those it has registered with operators."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, replace

from vestnik.domain.client import Client
from vestnik.domain.op_template import KINDS, OpTemplate
from vestnik.domain.refusals import BadParameters, NotFound, NotPossible
from vestnik.services.clients import clients
from vestnik.store import counters, settings
from vestnik.store import templates as table
from vestnik.store.engine import Store, Transaction
from vestnik.store.templates import SIGNATURE, Registered, Template

__all__ = ["FORMATS", "SIGNATURE", "New", "Registered", "Template", "Templates", "text_of"]

NAME_MAX = 100
MESSAGE_MAX = 10_000  # of a letter; other texts are as long as the account's messages may be
SENDER_MAX = 100
TEMPLATES_MAX = 1_000  # of one account, of each sort
FORMATS = ("", "sms", "flash", "bin", "push", "mms", "call", "mail", "viber")

WAITING, APPROVED, REJECTED = range(3)  # what becomes of a text at an operator
TEMPLATE = "template"
OP_TEMPLATE = "op_template"


@dataclass(frozen=True, slots=True)
class New:
    """A template to be made; `signature`: it is appended to the account's texts by itself."""

    name: str
    message: str
    format: str = ""
    sender: str = ""
    signature: bool = False


class Templates:
    """The templates of clients.

    `refresh` reads the directory anew after a change of what it holds; with `registration` the
    operator of the centre approves texts for operators, else they are approved at once.
    """

    def __init__(
        self, store: Store, refresh: Callable[[], Awaitable[object]], *, registration: bool
    ) -> None:
        self._store = store
        self._refresh = refresh
        self._registration = registration

    async def add(self, client: Client, new: New, now_ms: int) -> int:
        """Keep a template; returns its id.  Raises BadParameters, NotPossible if there are too many
        (templates.md, 1)."""
        if not new.name.strip() or not new.message.strip():
            raise BadParameters("a template has a name and a text: name, msg")
        template = Template(
            id=0,
            name=new.name,
            message=new.message,
            format=new.format,
            sender=new.sender,
            flag=SIGNATURE if new.signature else 0,
        )
        _check(template, client)
        template_id = await self._store.write(_add, client.id, template, now_ms)
        if template.flag:
            await self._refresh()
        return template_id

    async def change(
        self, client: Client, template_id: int, given: Mapping[str, str | int]
    ) -> None:
        """Change what is given of `name`, `message`, `format`, `sender` and `flag`; the rest stays.

        Raises BadParameters, NotFound.
        """
        if await self._store.write(_change, client, template_id, given):
            await self._refresh()

    async def delete(self, client: Client, template_id: int) -> None:
        """Forget a template; raises NotFound."""
        if await self._store.write(_delete, client.id, template_id):
            await self._refresh()

    async def listed(self, client: Client) -> list[Template]:
        """All templates, oldest first; raises NotFound if there is none (recorded.md)."""
        found = await self._store.read(table.all_of, client.id)
        if not found:
            raise NotFound
        return found

    async def register(
        self, client: Client, sender: str, message: str, kinds: Sequence[str], now_ms: int
    ) -> list[Registered]:
        """Register a text with operators, for each of these kinds of KINDS; one that was registered
        before keeps its number.  Raises BadParameters, NotPossible (templates.md, 2)."""
        _check_sender(sender)
        text = OpTemplate(message).template
        if not sender.strip() or not kinds:
            raise BadParameters("a text is registered for a sender and at least one operator")
        status = WAITING if self._registration else APPROVED
        found = await self._store.write(
            _register, client.id, sender.strip(), text, kinds, status, now_ms
        )
        await self._refresh()
        return found

    async def registered(self, client: Client, sender: str, message: str) -> list[Registered]:
        """What the account has registered for a sender and a text, or for any where it is "".

        Raises NotFound if there is nothing.
        """
        found = await self._store.read(table.registered, client.id, sender.strip())
        if message:
            text = OpTemplate(message).template
            found = [one for one in found if one.message == text]
        if not found:
            raise NotFound
        return found


async def text_of(tx: Transaction, client_id: int, template_id: int) -> str:
    """The text of a client's template; raises NotFound."""
    return (await _one(tx, client_id, template_id)).message


async def everybodys(tx: Transaction) -> list[tuple[str, Registered]]:
    """Every text registered with an operator, with the login of its account."""
    logins = {client.id: client.login for client, _ in await clients.everybody(tx)}
    return [(logins[one.client_id], one) for one in await table.everybodys(tx)]


async def judge(tx: Transaction, login: str, template_id: int, status: int) -> None:
    """The operator's verdict on a registered text; raises NotFound."""
    client = await clients.named(tx, login)
    if not await table.judge(tx, client.id, template_id, status):
        raise NotFound(
            f"'{client.login}' has no template {template_id}; 'vestnik sender template list' shows"
            " all"
        )
    await settings.raise_version(tx)


def _check(template: Template, client: Client) -> None:
    if len(template.name) > NAME_MAX:
        raise BadParameters(f"name: at most {NAME_MAX} characters")
    most = MESSAGE_MAX if template.format == "mail" else client.limits.text_max or MESSAGE_MAX
    if len(template.message) > most:
        raise BadParameters(f"msg: at most {most} characters")
    if template.format not in FORMATS:
        raise BadParameters(f"format is one of {', '.join(filter(None, FORMATS))}, or empty")
    _check_sender(template.sender)


def _check_sender(sender: str) -> None:
    if len(sender) > SENDER_MAX or not sender.isprintable():
        raise BadParameters(f"sender: at most {SENDER_MAX} characters on one line")


async def _add(tx: Transaction, client_id: int, template: Template, now_ms: int) -> int:
    # The number comes first: its row is locked, so two requests cannot both be the last allowed.
    numbers = await counters.reserve(tx, TEMPLATE, [(client_id, 1)])
    if await table.count(tx, client_id) >= TEMPLATES_MAX:
        raise NotPossible(f"an account keeps {TEMPLATES_MAX} templates at most")
    template_id = numbers[client_id][0]
    await table.put(tx, client_id, replace(template, id=template_id), now_ms)
    if template.flag:
        await settings.raise_version(tx)
    return template_id


async def _change(
    tx: Transaction, client: Client, template_id: int, given: Mapping[str, str | int]
) -> bool:
    """Returns whether the directory has changed by it."""
    before = await _one(tx, client.id, template_id)
    changed = replace(before, **given)  # type: ignore[arg-type]  # each fits its field
    if not changed.name.strip() or not changed.message.strip():
        raise BadParameters("a template has a name and a text: name, msg")
    _check(changed, client)
    await table.change(tx, client.id, changed)
    if before.flag or changed.flag:
        await settings.raise_version(tx)
        return True
    return False


async def _delete(tx: Transaction, client_id: int, template_id: int) -> bool:
    """Returns whether the directory has changed by it."""
    template = await _one(tx, client_id, template_id)
    await table.drop(tx, client_id, template_id)
    if template.flag:
        await settings.raise_version(tx)
    return bool(template.flag)


async def _one(tx: Transaction, client_id: int, template_id: int) -> Template:
    template = await table.one(tx, client_id, template_id)
    if template is None:
        raise NotFound
    return template


async def _register(
    tx: Transaction,
    client_id: int,
    sender: str,
    message: str,
    kinds: Sequence[str],
    status: int,
    now_ms: int,
) -> list[Registered]:
    # Numbers first, as above; those that were registered before leave theirs unused.
    numbers = (await counters.reserve(tx, OP_TEMPLATE, [(client_id, len(kinds))]))[client_id]
    before = {
        one.kind: one
        for one in await table.registered(tx, client_id, sender)
        if one.message == message
    }
    made = [
        Registered(client_id, number, sender, kind, message, status)
        for number, kind in zip(numbers, kinds, strict=True)
        if kind not in before
    ]
    if await table.count_registered(tx, client_id) + len(made) > TEMPLATES_MAX:
        raise NotPossible(f"an account registers {TEMPLATES_MAX} templates at most")
    await table.put_registered(tx, made, now_ms)
    if made and status == APPROVED:
        await settings.raise_version(tx)
    known = before | {one.kind: one for one in made}
    return [known[kind] for kind in KINDS if kind in kinds]
