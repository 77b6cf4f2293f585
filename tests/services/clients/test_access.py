import asyncio
import dataclasses
from hashlib import md5
from ipaddress import ip_network

import pytest
from tests.doors.http.standins import KEY, NOON, PASSWORD, SECRET, clients

from vestnik.domain.client import Limits
from vestnik.domain.refusals import AddressBlocked, BadCredentials
from vestnik.services.clients import access as module
from vestnik.services.clients.access import (
    Access,
    AccessSettings,
    hash_password,
    key_hash,
    new_key,
    verify_password,
)

pytestmark = pytest.mark.anyio

ADDRESS = "203.0.113.7"
MD5 = md5(b"123").hexdigest()


class Gate:
    """An Access over one client, and everything that was slept."""

    def __init__(self, limits=None, settings=None, **client):
        self.directory = clients(limits, **client)
        self.slept = []
        self.access = Access(
            lambda: self.directory, settings or AccessSettings(), SECRET, sleep=self._sleep
        )

    async def _sleep(self, seconds):
        self.slept.append(seconds)

    async def enter(self, login="alex", psw="123", apikey="", address=ADDRESS, now=NOON):
        return await self.access.authenticate(login, psw, apikey, address, now)

    def change(self, **fields):
        client = dataclasses.replace(self.directory.clients[1], **fields)
        self.directory = dataclasses.replace(self.directory, clients={1: client})


@pytest.fixture
def verifications(monkeypatch):
    """The passwords that argon2 had to look at."""
    seen = []

    def verify(hashes, psw, md5_too):
        seen.append(psw)
        return verify_password(hashes, psw, md5_too)

    monkeypatch.setattr(module, "verify_password", verify)
    return seen


@pytest.mark.parametrize(
    "credentials",
    [
        {},
        {"login": "ALEX"},
        {"psw": MD5},
        {"apikey": KEY},
        {"login": "", "psw": KEY},
        {"login": "alex", "psw": "wrong", "apikey": KEY},
    ],
)
async def test_a_client_may_show_who_it_is_in_many_ways(credentials):
    assert (await Gate().enter(**credentials)).login == "alex"


@pytest.mark.parametrize(
    "credentials",
    [
        {"psw": "1234"},
        {"psw": ""},
        {"psw": MD5.upper()},
        {"psw": md5(b"124").hexdigest()},
        {"login": "nobody"},
        {"login": "", "psw": ""},
        {"login": "", "psw": "123"},
        {"apikey": "wrong"},
    ],
)
async def test_nobody_else_gets_in(credentials):
    with pytest.raises(BadCredentials):
        await Gate().enter(**credentials)


async def test_a_locked_account_is_closed():
    with pytest.raises(BadCredentials):
        await Gate(Limits(locked=1)).enter()


@pytest.mark.parametrize("credentials", [{}, {"apikey": KEY}])
async def test_an_account_with_addresses_opens_to_them_only(credentials):
    gate = Gate(addresses=(ip_network("203.0.113.0/24"),))

    assert await gate.enter(**credentials)
    with pytest.raises(BadCredentials):
        await gate.enter(address="198.51.100.1", **credentials)


async def test_the_md5_form_may_be_forbidden_even_after_it_was_remembered():
    gate = Gate()
    await gate.enter(psw=MD5)

    gate.change(limits=Limits(md5_password=0))

    assert await gate.enter()
    with pytest.raises(BadCredentials):
        await gate.enter(psw=MD5)


async def test_one_of_several_passwords_is_enough():
    gate = Gate()
    gate.directory.secrets = {1: (PASSWORD, hash_password("second"))}

    assert await gate.enter(psw="second")


async def test_a_password_is_verified_once(verifications):
    gate = Gate()
    for _ in range(3):
        await gate.enter()

    assert verifications == ["123"]


async def test_a_wrong_password_is_verified_once_even_in_parallel(verifications):
    gate = Gate()

    results = await asyncio.gather(*(gate.enter(psw="x") for _ in range(5)), return_exceptions=True)
    with pytest.raises(BadCredentials):
        await gate.enter(psw="x")

    assert [type(result) for result in results] == [BadCredentials] * 5
    assert verifications == ["x"]


async def test_an_unknown_login_takes_a_verification_like_a_known_one(verifications):
    gate = Gate()
    for login in ("nobody", "noone", "nobody"):
        with pytest.raises(BadCredentials):
            await gate.enter(login=login, psw="x")

    assert verifications == ["x", "x"]


async def test_a_verdict_is_forgotten_after_a_while(verifications):
    gate = Gate(settings=AccessSettings(verdict_s=60))
    await gate.enter()
    await gate.enter(now=NOON + 59_999)
    await gate.enter(now=NOON + 60_000)

    assert verifications == ["123", "123"]


async def test_a_changed_password_counts_at_once():
    gate = Gate()
    await gate.enter()
    with pytest.raises(BadCredentials):
        await gate.enter(psw="new")

    gate.directory.secrets = {1: (hash_password("new"),)}

    assert await gate.enter(psw="new")
    with pytest.raises(BadCredentials):
        await gate.enter()


async def test_an_address_that_guesses_is_slowed_before_argon2():
    gate = Gate(settings=AccessSettings(wrong_requests=9))
    for guess in range(8):
        with pytest.raises(BadCredentials):
            await gate.enter(psw=f"guess {guess}")
        gate.access.wrong(ADDRESS, NOON)

    assert gate.slept == [0.1, 0.2, 0.4, 0.8, 1.6]


async def test_guesses_in_parallel_do_not_escape_the_block(verifications):
    gate = Gate(settings=AccessSettings(wrong_requests=3))

    async def guess(number):
        try:
            await gate.enter(psw=str(number))
        except BadCredentials:
            gate.access.wrong(ADDRESS, NOON)
            return 2
        except AddressBlocked:
            return 4

    results = await asyncio.gather(*(guess(number) for number in range(8)))

    # The one behind the third may already be on its way when the third is counted.
    assert results.count(4) >= 4
    assert len(verifications) <= 4


async def test_a_blocked_address_is_let_in_again_later():
    gate = Gate(settings=AccessSettings(wrong_requests=2, block_s=600))
    gate.access.admit(ADDRESS, NOON)
    for _ in range(2):
        gate.access.wrong(ADDRESS, NOON)

    with pytest.raises(AddressBlocked):
        gate.access.admit(ADDRESS, NOON + 599_999)
    gate.access.admit("198.51.100.1", NOON)
    gate.access.admit(ADDRESS, NOON + 600_000)


async def test_a_new_key_opens_by_its_hash_only():
    key, stored = new_key(SECRET)
    gate = Gate()
    gate.directory.keys = {stored: 1}

    assert await gate.enter(apikey=key)
    assert stored == key_hash(SECRET, key)
    assert stored != key_hash(b"another secret", key)
    assert key.encode() not in stored


def test_a_stored_password_is_argon2_of_its_md5():
    stored = hash_password("пароль")

    assert stored.startswith("$argon2id$v=19$m=19456,t=2,p=1$")
    assert verify_password((stored,), "пароль", md5_too=False)
    assert verify_password((stored,), md5("пароль".encode()).hexdigest(), md5_too=True)
    assert not verify_password((stored,), md5("пароль".encode()).hexdigest(), md5_too=False)
