"""Who may bind, how, and how often (smpp.md, "Connection")."""

import asyncio
import shutil
import ssl
import subprocess

import pytest
from tests.doors.smpp.house import (
    LOGIN,
    PASSWORD,
    SOON_S,
    bind,
    open_house,
    reach,
    submit,
    wire,
)

from vestnik.doors.smpp.listeners import SmppSettings
from vestnik.services.clients import clients
from vestnik.wire.smpp import pdu as p
from vestnik.wire.smpp import tlv
from vestnik.wire.smpp.command_status import (
    ESME_RALYBND,
    ESME_RBINDFAIL,
    ESME_RINVBNDSTS,
    ESME_RINVCMDID,
    ESME_RREPLACEFAIL,
    ESME_RSUBMITFAIL,
)

pytestmark = pytest.mark.anyio

KINDS = [p.BindTransmitter, p.BindReceiver, p.BindTransceiver]


@pytest.fixture
async def house(tmp_path):
    async with open_house(tmp_path) as opened:
        yield opened


async def gone(esme):
    async with asyncio.timeout(SOON_S):
        return await esme.lost


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(("asked", "told"), [(0x34, b"\x34"), (0x50, b"\x50"), (0x33, b"\x34")])
async def test_a_client_binds_and_is_told_the_version(house, kind, asked, told):
    esme = await reach(house)

    frame = await esme.ask(kind(LOGIN, PASSWORD, "", asked, 5, 1, ""))

    assert (frame.status, type(frame.pdu)) == (0, p.RESPONSES[kind])
    assert frame.pdu.system_id == "vestnik"
    assert frame.pdu.tlvs == {tlv.SC_INTERFACE_VERSION: told}


async def test_an_api_key_opens_the_door_without_a_login(house):
    key = await house.centre.store.write(clients.add_key, LOGIN, "", house.centre.store.now())
    await house.centre.current.refresh()
    esme = await bind(house, "", key)

    frame = await esme.submit()

    assert (frame.status, frame.pdu.message_id) == (0, "1")


@pytest.mark.parametrize(
    ("login", "password"),
    [(LOGIN, "wrong"), ("nobody", PASSWORD), ("", "no such key"), ("", "")],
)
async def test_all_that_is_wrong_gets_one_number_and_the_connection_ends(house, login, password):
    esme = await reach(house)

    frame = await esme.ask(p.BindTransceiver(login, password))

    assert frame.status == ESME_RBINDFAIL
    assert await gone(esme)


async def test_an_address_that_is_not_entered_may_not_bind(house):
    await house.limit(addresses="192.0.2.0/24")
    esme = await reach(house)

    frame = await esme.ask(p.BindTransceiver(LOGIN, PASSWORD))

    assert frame.status == ESME_RBINDFAIL


async def test_an_address_that_guesses_is_shut_out_even_with_the_right_password(tmp_path):
    async with open_house(tmp_path) as house:
        for _ in range(10):
            esme = await reach(house)
            await esme.ask(p.BindTransceiver(LOGIN, "wrong"))
        esme = await reach(house)

        frame = await esme.ask(p.BindTransceiver(LOGIN, PASSWORD))

        assert frame.status == ESME_RBINDFAIL


async def test_so_many_binds_and_no_more_until_one_leaves(house):
    await house.limit(smpp_binds=2)
    first, _ = await bind(house), await bind(house)
    third = await reach(house)

    assert (await third.ask(p.BindTransceiver(LOGIN, PASSWORD))).status == ESME_RBINDFAIL

    await first.link.unbind(SOON_S)
    await bind(house)


async def test_a_second_bind_on_a_connection_is_refused_and_the_first_stays(house):
    octets = p.encode(p.BindTransceiver(LOGIN, PASSWORD), 1)

    frames = await raw(house, octets, octets, p.encode(submit(), 2))

    assert [frame.status for frame in frames] == [0, ESME_RALYBND, 0]


async def test_two_binds_at_once_on_a_connection_make_one(house):
    esme = await reach(house)

    frames = await asyncio.gather(*(esme.ask(p.BindTransceiver(LOGIN, PASSWORD)) for _ in range(3)))

    assert sorted(frame.status for frame in frames) == [0, ESME_RALYBND, ESME_RALYBND]
    assert (await esme.submit()).status == 0


async def raw(house, *requests):
    """The answers to PDUs that our own side would know better than to send, one after another."""
    async with wire(house) as plain:
        return [await plain.asks(octets) for octets in requests]


async def test_who_has_not_bound_may_not_submit(house):
    [frame] = await raw(house, p.encode(submit(), 5))

    assert (frame.status, frame.sequence, type(frame.pdu)) == (ESME_RINVBNDSTS, 5, p.SubmitSmResp)


async def test_a_receiver_may_not_submit_and_a_replacement_always_fails(house):
    receiver = p.encode(p.BindReceiver(LOGIN, PASSWORD), 1)
    [bound, refused] = await raw(house, receiver, p.encode(submit(), 2))

    assert (bound.status, refused.status) == (0, ESME_RINVBNDSTS)

    transmitter = await bind(house, kind=p.BindTransmitter)
    assert (await transmitter.ask(p.ReplaceSm("1"))).status == ESME_RREPLACEFAIL


async def test_a_submit_to_many_is_an_unknown_command(house):
    octets = p.HEADER.pack(16, 0x21, 0, 9)
    [_, frame] = await raw(house, p.encode(p.BindTransceiver(LOGIN, PASSWORD), 1), octets)

    assert (frame.status, frame.sequence, type(frame.pdu)) == (ESME_RINVCMDID, 9, p.GenericNack)


async def test_a_client_that_is_locked_or_moves_away_is_cut_off(house):
    esme = await bind(house)

    await house.limit(locked=1)

    assert await gone(esme)
    refused = await reach(house)
    assert (await refused.ask(p.BindTransceiver(LOGIN, PASSWORD))).status == ESME_RBINDFAIL


async def test_too_many_that_do_not_bind_are_cut_off_and_those_inside_stay(tmp_path):
    settings = SmppSettings(listen=("127.0.0.1", 0), unbound_max=3)
    async with open_house(tmp_path, settings=settings) as house:
        inside = await bind(house)
        waiting = [await reach(house) for _ in range(3)]
        late = await reach(house)

        assert await gone(late)
        assert (await inside.submit()).status == 0
        frame = await waiting[0].ask(p.BindTransceiver(LOGIN, PASSWORD))
        assert frame.status == 0


@pytest.fixture
def certificate(tmp_path):
    """The files of a certificate for the loopback address, and of its key."""
    if shutil.which("openssl") is None:
        pytest.skip("openssl is not installed")
    certificate, key = tmp_path / "cert.pem", tmp_path / "key.pem"
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2"]
        + ["-subj", "/CN=127.0.0.1", "-addext", "subjectAltName=IP:127.0.0.1"]
        + ["-keyout", key, "-out", certificate],
        check=True,
        capture_output=True,
    )
    return certificate, key


async def test_tls_has_a_port_of_its_own_and_shares_the_account(tmp_path, certificate):
    anywhere = ("127.0.0.1", 0)
    settings = SmppSettings(anywhere, anywhere, *certificate)
    trust = ssl.create_default_context(cafile=certificate[0])
    async with open_house(tmp_path, settings=settings, smpp_binds=1) as house:
        esme = await reach(house, house.ports["smpps"][1], trust)
        assert (await esme.ask(p.BindTransceiver(LOGIN, PASSWORD))).status == 0

        frame = await esme.submit()
        second = await reach(house)
        refused = await second.ask(p.BindTransceiver(LOGIN, PASSWORD))

        assert (frame.status, refused.status) == (0, ESME_RBINDFAIL)


async def test_tls_without_a_certificate_does_not_open(tmp_path):
    settings = SmppSettings(tls_listen=("127.0.0.1", 0))

    with pytest.raises(OSError, match="certificate"):
        async with open_house(tmp_path, settings=settings):
            pass


async def test_an_account_without_smpp_access_gets_the_number_of_a_wrong_password(house):
    await house.limit(smpp=0)
    esme = await reach(house)

    frame = await esme.ask(p.BindTransceiver(LOGIN, PASSWORD, "", 0x34, 0, 0, ""))

    assert frame.status == ESME_RBINDFAIL


@pytest.mark.parametrize("limit", [{"locked": 1}, {"smpp": 0}])
async def test_a_bind_submits_nothing_more_once_its_account_may_not(house, limit):
    esme = await bind(house)
    first = await esme.submit()
    await house.limit(**limit)

    frame = await esme.submit(b"again")

    assert (first.status, frame.status) == (0, ESME_RSUBMITFAIL)
    assert len(await house.messages()) == 1
