"""Who may come in: logins, passwords, keys, addresses, and the limits on requests.

All state is of one process.  A password is verified by argon2 once and then known by a keyed hash
for a while; a wrong one likewise, so that neither can be used to keep the machine busy.
"""

import asyncio
import secrets
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from hashlib import blake2b, md5
from typing import Protocol

from argon2 import PasswordHasher
from argon2.exceptions import VerifyMismatchError

from vestnik.domain.client import Client
from vestnik.domain.refusals import AddressBlocked, BadCredentials
from vestnik.services.clients.access_limits import (
    Entered,
    PerMinute,
    Recent,
    Running,
    WrongRequests,
)

VERIFICATIONS_AT_ONCE = 2  # each takes a core and 19 MiB for some 20 ms
MD5_HEX_LENGTH = 32
GUESSES_FREE = 3  # wrong requests of an address before its next guess is slowed
GUESS_DELAY_S = 0.1  # doubled with each further wrong request
GUESS_DELAY_S_MAX = 2.0

_HASHER = PasswordHasher(time_cost=2, memory_cost=19 * 1024, parallelism=1)


class Directory(Protocol):
    """What access needs to know of the clients: see services/centre/directory.py."""

    @property
    def clients(self) -> Mapping[int, Client]: ...
    @property
    def by_login(self) -> Mapping[str, int]: ...
    @property
    def secrets(self) -> Mapping[int, tuple[str, ...]]: ...
    @property
    def keys(self) -> Mapping[bytes, int]: ...


@dataclass(frozen=True, slots=True)
class AccessSettings:
    """Limits that concern addresses, not accounts; 0 wrong requests lifts the block."""

    wrong_requests: int = 10  # requests with errors 1 or 2 from one address before it is blocked
    wrong_window_s: int = 600  # the time within which they are counted
    block_s: int = 600  # for how long the address is blocked
    verdict_s: int = 600  # for how long a verified password, right or wrong, is remembered
    memory: int = 100_000  # entries of each counter; beyond, what was used longest ago goes


@dataclass(frozen=True, slots=True)
class _Verdict:
    right: bool
    hashes: tuple[str, ...]  # the stored forms it was found against: others make it void
    until_ms: int


@dataclass(slots=True)
class _Line:
    """The guesses of one address that wait for their turn."""

    lock: asyncio.Lock
    length: int = 0


class Access:
    """The gate of one process.

    `directory` gives the present directory, `secret` (16 to 64 octets) is the one that API keys
    were hashed with, `sleep` slows guessing.  Times are ms since the epoch.
    """

    def __init__(
        self,
        directory: Callable[[], Directory],
        settings: AccessSettings,
        secret: bytes,
        sleep: Callable[[float], Awaitable[object]] = asyncio.sleep,
    ) -> None:
        self._directory, self._secret, self._sleep = directory, secret, sleep
        self._verdict_ms = settings.verdict_s * 1000
        self._process_key = secrets.token_bytes(32)
        self._right: Recent[tuple[int | str, bytes], _Verdict] = Recent(settings.memory)
        self._wrong: Recent[tuple[int | str, bytes], _Verdict] = Recent(settings.memory)
        self._verifying: dict[tuple[int | str, bytes], asyncio.Task[bool]] = {}
        self._verifiers = asyncio.Semaphore(VERIFICATIONS_AT_ONCE)
        self._lines: dict[str, _Line] = {}
        self._wrong_requests = WrongRequests(
            most=settings.wrong_requests,
            window_ms=settings.wrong_window_s * 1000,
            block_ms=settings.block_s * 1000,
            size_max=settings.memory,
        )
        self._per_minute = PerMinute(settings.memory)
        self._running = Running()
        self._nobody = ""

    def admit(self, address: str, now_ms: int) -> None:
        """Raises AddressBlocked while the address is shut out for its wrong requests."""
        if self._wrong_requests.blocked(address, now_ms):
            raise AddressBlocked

    def wrong(self, address: str, now_ms: int) -> None:
        """Count a request that was refused for its parameters or credentials (errors 1 and 2)."""
        self._wrong_requests.add(address, now_ms)

    def entered(self, client: Client, name: str, most: int) -> Entered:
        """`with` it one more request of this name runs; TooManyConnections beyond `most`."""
        return self._running.enter((client.id, name), most)

    def count(self, client: Client, name: str, key: bytes, most: int, now_ms: int) -> None:
        """Count an identical request; raises TooManyRequests beyond `most` within a minute."""
        self._per_minute.count((client.id, name, key), most, now_ms)

    async def authenticate(
        self, login: str, psw: str, apikey: str, address: str, now_ms: int
    ) -> Client:
        """The client these credentials belong to (conventions.md, "Credentials").

        `apikey` decides if it is given; without a login `psw` is the key.  Raises BadCredentials,
        also for a locked account and an address it may not call from, and AddressBlocked for an
        address that was shut out while its guess waited.
        """
        directory = self._directory()
        key = apikey or ("" if login else psw)
        if key:
            client_id = directory.keys.get(key_hash(self._secret, key))
            return self._checked(directory, client_id, address)
        client_id = directory.by_login.get(login.lower())
        if client_id is None:
            await self._guess(login, (await self._nobody_hash(),), psw, True, address, now_ms)
            raise BadCredentials
        client = self._checked(directory, client_id, address)
        hashes = directory.secrets.get(client_id, ())
        md5_too = client.limits.md5_password != 0
        if not await self._guess(client_id, hashes, psw, md5_too, address, now_ms):
            raise BadCredentials
        return client

    def _checked(self, directory: Directory, client_id: int | None, address: str) -> Client:
        client = None if client_id is None else directory.clients.get(client_id)
        if client is None or client.limits.locked or not client.allows(address):
            raise BadCredentials
        return client

    async def _guess(
        self,
        who: int | str,
        hashes: tuple[str, ...],
        psw: str,
        md5_too: bool,
        address: str,
        now_ms: int,
    ) -> bool:
        # The MD5 form has a mark of its own: a password remembered while it was allowed must not
        # open the door afterwards.
        mark = b"\1" if md5_too else b"\0"
        digest = blake2b(mark + psw.encode(), digest_size=16, key=self._process_key).digest()
        known = (who, digest)
        verdict = self._right.get(known) or self._wrong.get(known)
        if verdict is not None and verdict.hashes == hashes and now_ms < verdict.until_ms:
            return verdict.right
        verifying = self._verifying.get(known)
        if verifying is None:
            verifying = asyncio.ensure_future(
                self._verify_slowly(hashes, psw, md5_too, address, now_ms)
            )
            self._verifying[known] = verifying
            verifying.add_done_callback(lambda _: self._verifying.pop(known, None))
        right = await asyncio.shield(verifying)
        verdicts = self._right if right else self._wrong
        verdicts.put(known, _Verdict(right, hashes, now_ms + self._verdict_ms))
        if right:
            self._wrong.drop(known)
        return right

    async def _verify_slowly(
        self, hashes: tuple[str, ...], psw: str, md5_too: bool, address: str, now_ms: int
    ) -> bool:
        """One guess of an address at a time, and slower the more of them were wrong."""
        line = self._lines.setdefault(address, _Line(asyncio.Lock()))
        line.length += 1
        try:
            async with line.lock:
                self.admit(address, now_ms)  # those before it in the line were counted meanwhile
                wrong = self._wrong_requests.recent(address, now_ms)
                if wrong >= GUESSES_FREE:
                    delay_s = GUESS_DELAY_S * 2 ** (wrong - GUESSES_FREE)
                    await self._sleep(min(delay_s, GUESS_DELAY_S_MAX))
                async with self._verifiers:
                    return await asyncio.to_thread(verify_password, hashes, psw, md5_too)
        finally:
            line.length -= 1
            if not line.length:
                del self._lines[address]

    async def _nobody_hash(self) -> str:
        """A stored form that nothing opens: an unknown login must take as long as a known one."""
        if not self._nobody:
            self._nobody = await asyncio.to_thread(hash_password, secrets.token_urlsafe())
        return self._nobody


def hash_password(clear: str) -> str:
    """The stored form of a password: argon2 of its MD5 hex, so that both forms fit one row."""
    return _HASHER.hash(_md5_hex(clear))


def verify_password(hashes: tuple[str, ...], psw: str, md5_too: bool) -> bool:
    """`psw`, in the clear or (with `md5_too`) as lower-case MD5 hex, fits one of the stored forms.

    Takes tens of milliseconds for each form and hash: call it in a thread.
    """
    forms = [_md5_hex(psw)]
    if md5_too and len(psw) == MD5_HEX_LENGTH and not psw.strip("0123456789abcdef"):
        forms.insert(0, psw)
    return any(_fits(stored, form) for form in forms for stored in hashes)


def new_key(secret: bytes) -> tuple[str, bytes]:
    """A new API key: the key to show once, and the keyed hash to store."""
    key = secrets.token_urlsafe(30)
    return key, key_hash(secret, key)


def key_hash(secret: bytes, key: str) -> bytes:
    """The stored form of an API key; keys are random, so a fast hash is enough."""
    return blake2b(key.encode(), digest_size=32, key=secret).digest()


def _md5_hex(text: str) -> str:
    return md5(text.encode(), usedforsecurity=False).hexdigest()


def _fits(stored: str, form: str) -> bool:
    try:
        return _HASHER.verify(stored, form)
    except VerifyMismatchError:
        return False
