"""Sender names of accounts: kept, registered with operators, looked up (senders.md)."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from vestnik.domain.client import Client
from vestnik.domain.refusals import BadParameters, NotFound, NotPossible
from vestnik.domain.sender import (
    COMMON,
    DETAIL_MAX,
    FLAGS,
    AtOperator,
    Kind,
    Status,
    file_type,
    missing,
    read,
)
from vestnik.services.clients import subclients
from vestnik.store import clients, counters, settings
from vestnik.store import senders as table
from vestnik.store.engine import Store, Transaction
from vestnik.store.senders import File, Registration, Sender

__all__ = ["Document", "Listed", "Sender", "Senders", "Wish", "document"]

SENDER = "sender"  # of ids
COMMENT_MAX = 500  # characters
SENDERS_MAX = 1_000  # names of one account
FILES_MAX = 10  # documents of one name
ALL_FILES_MAX = 100  # documents of one account
_LAST = 2**62  # beyond every id

# What may not be asked for again: it is on its way, or there.
_ON_ITS_WAY = (AtOperator.ASKED, AtOperator.IN_WORK, AtOperator.REGISTERED)


@dataclass(frozen=True, slots=True)
class Document:
    """A file that came with a request, checked."""

    name: str
    type: str
    octets: bytes


@dataclass(frozen=True, slots=True)
class Wish:
    """What a request says of a name; None where it says nothing.

    `flags` are those of FLAGS and COMMON that it sets, `details` what countries ask for, `about`
    describes the documents.
    """

    cmt: str | None = None
    owner: str | None = None
    flags: Sequence[str] = ()
    details: Mapping[str, str] = field(default_factory=dict)
    documents: Sequence[Document] = ()
    about: str = ""

    @property
    def operators(self) -> dict[str, str]:
        """The operators where a registration is asked for, with the tariff: a paid one wins."""
        return dict(FLAGS[flag] for flag in FLAGS if flag in self.flags)


@dataclass(frozen=True, slots=True)
class Listed:
    """A name with the status at each operator where it was asked for."""

    sender: Sender
    operators: Mapping[str, int]


def document(name: str, octets: bytes) -> Document:
    """A file that came with a request; raises BadParameters for one that may not."""
    harmless, content_type = file_type(name, octets)
    return Document(harmless, content_type, octets)


class Senders:
    """The sender names of clients.

    `refresh` reads the directory anew after a change of what it holds; with `registration` the
    operator of the centre approves names, else they are approved at once.  A digital name is
    always confirmed by its code (services/senders/codes.py).
    """

    def __init__(
        self, store: Store, refresh: Callable[[], Awaitable[object]], *, registration: bool
    ) -> None:
        self._store = store
        self._refresh = refresh
        self._registration = registration

    async def whose(self, client: Client, login: str) -> Client:
        """The subclient whose names are meant by `user`; raises NoSubclient."""
        return await self._store.read(_subclient, client, login)

    async def add(
        self, client: Client, text: str, wish: Wish, now_ms: int, *, mail: bool
    ) -> Sender:
        """Keep a new name.  Raises BadParameters, and NotPossible if the account has it, or too
        many."""
        name, kind = read(text, mail=mail)
        _check(wish)
        status = self._status(kind)
        sender = await self._store.write(_add, client.id, name, kind, status, wish, now_ms)
        if status == Status.APPROVED:
            await self._refresh()
        return sender

    async def change(
        self,
        client: Client,
        sender_id: int | None,
        text: str,
        wish: Wish,
        now_ms: int,
        *,
        mail: bool,
    ) -> None:
        """Change a name's comment, ask for registrations, add documents.

        New documents or registrations bring a refused name back to the moderator.  Raises
        BadParameters, NotFound, NotPossible for too many documents.
        """
        _check(wish)
        if await self._store.write(
            _change, client.id, sender_id, _asked(text, mail=mail), wish, now_ms, self._status
        ):
            await self._refresh()

    async def delete(self, client: Client, sender_id: int | None, text: str, *, mail: bool) -> None:
        """Forget a name, which is free then; raises BadParameters, NotFound."""
        if await self._store.write(_delete, client.id, sender_id, _asked(text, mail=mail)):
            await self._refresh()

    async def listed(
        self,
        client: Client,
        *,
        everything: bool,
        before_id: int | None = None,
        since: int | None = None,
        most: int,
    ) -> list[Listed]:
        """Approved names, or all; the newest ones before an id, oldest first; with `since` those of
        which an operator has changed the status since that moment."""
        return await self._store.read(
            _listed, client.id, everything, before_id or _LAST, since, most
        )

    def _status(self, kind: int) -> Status:
        """What a name begins with."""
        approved = not self._registration and kind != Kind.DIGITAL
        return Status.APPROVED if approved else Status.WAITING


@dataclass(frozen=True, slots=True)
class _Asked:
    """Which name is meant where no id is given."""

    name: str
    mail: bool


def _asked(text: str, *, mail: bool) -> _Asked:
    if not text.strip():
        return _Asked("", mail)
    return _Asked(read(text, mail=mail)[0], mail)


def _check(wish: Wish) -> None:
    for name, text in (("cmt", wish.cmt), ("name", wish.owner), ("doc_info", wish.about)):
        if text is not None and len(text) > COMMENT_MAX:
            raise BadParameters(f"{name}: at most {COMMENT_MAX} characters")
    for name, text in wish.details.items():
        if len(text) > DETAIL_MAX:
            raise BadParameters(f"{name}: at most {DETAIL_MAX} characters")


async def _subclient(tx: Transaction, client: Client, login: str) -> Client:
    return subclients.own(client, await clients.by_login(tx, login.strip().lower()))


async def make(
    tx: Transaction, client_id: int, name: str, kind: Kind, status: Status, now_ms: int
) -> Sender:
    """Put a new name on record; raises NotPossible if the account has it, or too many."""
    # The number comes first: its row is locked, so two requests cannot both be the last allowed.
    numbers = await counters.reserve(tx, SENDER, [(client_id, 1)])
    if await table.named(tx, client_id, name) is not None:
        raise NotPossible(f"there is a name '{name}' already")
    if await table.count(tx, client_id) >= SENDERS_MAX:
        raise NotPossible(f"an account has {SENDERS_MAX} names at most")
    sender = Sender(
        client_id=client_id,
        id=numbers[client_id][0],
        name=name,
        kind=kind,
        status=status,
        cmt="",
        owner="",
        details={},
        common=(),
        reason="",
        created_at=now_ms,
        changed_at=now_ms,
    )
    await table.put(tx, sender)
    return sender


async def _add(
    tx: Transaction,
    client_id: int,
    name: str,
    kind: Kind,
    status: Status,
    wish: Wish,
    now_ms: int,
) -> Sender:
    sender = await make(tx, client_id, name, kind, status, now_ms)
    sender = await _apply(tx, sender, wish, now_ms)
    if status == Status.APPROVED:
        await settings.raise_version(tx)
    return sender


async def _change(
    tx: Transaction,
    client_id: int,
    sender_id: int | None,
    asked: _Asked,
    wish: Wish,
    now_ms: int,
    begins: Callable[[int], Status],
) -> bool:
    """Returns whether the directory has changed by it."""
    before = await _find(tx, client_id, sender_id, asked)
    sender = before
    if before.status in (Status.REFUSED, Status.NEEDS_DOCUMENTS) and (
        wish.documents or wish.operators
    ):
        sender = replace(before, status=begins(before.kind), reason="")
    await _apply(tx, sender, wish, now_ms)
    if sender.status == before.status or sender.status != Status.APPROVED:
        return False
    await settings.raise_version(tx)
    return True


async def _delete(tx: Transaction, client_id: int, sender_id: int | None, asked: _Asked) -> bool:
    """Returns whether the directory has changed by it."""
    sender = await _find(tx, client_id, sender_id, asked)
    await table.drop(tx, client_id, sender.id)
    if sender.status != Status.APPROVED:
        return False
    await settings.raise_version(tx)
    return True


async def _find(tx: Transaction, client_id: int, sender_id: int | None, asked: _Asked) -> Sender:
    """The name of an id, or else the one that is called so; raises BadParameters, NotFound."""
    if sender_id is not None:
        found = await table.one(tx, client_id, sender_id)
    elif asked.name:
        found = await table.named(tx, client_id, asked.name)
    else:
        raise BadParameters("sender or id says which name is meant")
    if found is None or (asked.mail and found.kind != Kind.MAIL):
        raise NotFound
    return found


async def _apply(tx: Transaction, sender: Sender, wish: Wish, now_ms: int) -> Sender:
    """Store a name as a request wants it, with what it asks of operators and its documents."""
    operators = wish.operators
    details = {**sender.details, **{k: v for k, v in wish.details.items() if v}}
    lacking = missing(operators, details)
    if lacking:
        raise BadParameters(f"a registration needs {', '.join(lacking)}")
    common = {COMMON[flag] for flag in COMMON if flag in wish.flags}
    changed = replace(
        sender,
        cmt=sender.cmt if wish.cmt is None else wish.cmt,
        owner=sender.owner if wish.owner is None else wish.owner,
        details=details,
        common=tuple(sorted(common.union(sender.common))),
        changed_at=now_ms,
    )
    await table.change(tx, changed)
    for operator, tariff in operators.items():
        await _ask(tx, sender, operator, tariff, now_ms)
    await _add_documents(tx, sender, wish, now_ms)
    return changed


async def _ask(tx: Transaction, sender: Sender, operator: str, tariff: str, now_ms: int) -> None:
    """Ask for a registration, unless the same was asked for already."""
    known = await table.registration(tx, sender.client_id, sender.id, operator)
    if known is None:
        made = Registration(
            client_id=sender.client_id,
            sender_id=sender.id,
            operator=operator,
            tariff=tariff,
            status=AtOperator.ASKED,
            changed_at=now_ms,
            paid_month=0,
        )
        await table.put_registration(tx, made)
    elif known.tariff != tariff or known.status not in _ON_ITS_WAY:
        asked = replace(known, tariff=tariff, status=AtOperator.ASKED, changed_at=now_ms)
        await table.change_registration(tx, asked)


async def _add_documents(tx: Transaction, sender: Sender, wish: Wish, now_ms: int) -> None:
    if not wish.documents:
        return
    count, last = await table.count_files(tx, sender.client_id, sender.id)
    if count + len(wish.documents) > FILES_MAX:
        raise NotPossible(f"a name has {FILES_MAX} documents at most")
    everywhere = await table.count_all_files(tx, sender.client_id)
    if everywhere + len(wish.documents) > ALL_FILES_MAX:
        raise NotPossible(f"an account has {ALL_FILES_MAX} documents at most")
    for number, given in enumerate(wish.documents, last + 1):
        file = File(number, given.name, given.type, wish.about, now_ms)
        await table.put_file(tx, sender.client_id, sender.id, file, given.octets)


async def _listed(
    tx: Transaction,
    client_id: int,
    everything: bool,
    before_id: int,
    since: int | None,
    most: int,
) -> list[Listed]:
    found = await table.page(tx, client_id, before_id, most, everything=everything, since=since)
    registered = await table.registrations(tx, client_id)
    return [
        Listed(sender, {r.operator: r.status for r in registered.get(sender.id, ())})
        for sender in found
    ]
