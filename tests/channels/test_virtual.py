import asyncio

import pytest
from msgspec.structs import replace
from tests.building import until

from vestnik.channels import virtual
from vestnik.channels.base import Hears, SendFailed
from vestnik.channels.virtual import VirtualChannel, settings_from
from vestnik.domain.message import Kind, Outgoing, Status

pytestmark = pytest.mark.anyio


@pytest.fixture(autouse=True)
def _at_once(monkeypatch):
    """Reports come at once, but for those that take a minute."""
    at_once = {
        ending: virtual.Ending(e.status, e.err, 0.0 if e.delay_s < 1 else e.delay_s)
        for ending, e in virtual.ENDINGS.items()
    }
    monkeypatch.setattr(virtual, "ENDINGS", at_once)
    monkeypatch.setattr(virtual, "DELIVERED", virtual.Ending(Status.DELIVERED, delay_s=0.0))


class Ears:
    """Hears reports; fails as often as it is told."""

    def __init__(self, failures=0):
        self.reports = []
        self.failures = failures

    async def report(self, report):
        if self.failures:
            self.failures -= 1
            raise ConnectionError("the store is away")
        self.reports.append(report)

    async def incoming(self, message):
        raise AssertionError("nobody writes to a virtual number")


def message(phone="79161234567", parts=1, **fields):
    given = {"options": {}, "expires_at": None, "urgent": True, "attempt": 0} | fields
    return Outgoing(1, 77, Kind.SMS, phone, "Vestnik", "Hello", parts, **given)


async def started(ears, clock=lambda: 0.0, **settings):
    channel = VirtualChannel(settings_from(settings), clock)
    await channel.start(Hears(ears.report, ears.incoming))
    return channel


async def test_everything_is_taken_and_delivered():
    ears = Ears()
    channel = await started(ears)
    taken = await channel.send(message(parts=2))
    await until(lambda: len(ears.reports) == 2)

    assert taken.refs == ((1, "77-1"), (2, "77-2"))
    assert taken.final is None
    told = [(r.ref, r.phone, r.status, r.err) for r in ears.reports]
    assert told == [(f"77-{n}", "79161234567", Status.DELIVERED, 0) for n in (1, 2)]
    await channel.stop(1.0)


@pytest.mark.parametrize(
    ("ending", "status", "err"),
    [("9901", Status.UNDELIVERABLE, 1), ("9902", Status.EXPIRED, 6)],
)
async def test_a_numbers_ending_chooses_its_fate(ending, status, err):
    ears = Ears()
    channel = await started(ears)
    await channel.send(message("7916123" + ending))
    await until(lambda: ears.reports)

    assert [(r.status, r.err) for r in ears.reports] == [(status, err)]
    await channel.stop(1.0)


async def test_an_ending_is_refused_at_once():
    channel = await started(Ears())

    with pytest.raises(SendFailed) as refused:
        await channel.send(message("79161239904"))

    failure = refused.value
    assert (failure.retry, failure.sure) == (False, True)
    assert (failure.status, failure.err) == (Status.UNDELIVERABLE, 255)
    await channel.stop(1.0)


@pytest.mark.parametrize("ending", ["9903", "9905"])
async def test_some_are_not_reported_soon_or_at_all(ending):
    ears = Ears()
    channel = await started(ears)
    await channel.send(message("7916123" + ending))
    await channel.send(message())
    await until(lambda: ears.reports)

    assert [r.phone for r in ears.reports] == ["79161234567"]
    await channel.stop(1.0)


async def test_a_report_that_was_not_taken_is_repeated(monkeypatch):
    monkeypatch.setattr(virtual, "AGAIN_S", 0.0)
    ears = Ears(failures=2)
    channel = await started(ears)
    await channel.send(message())
    await until(lambda: ears.reports)

    assert len(ears.reports) == 1
    await channel.stop(1.0)


async def test_after_a_restart_reports_come_when_they_were_to_come():
    ears = Ears()
    channel = await started(ears, clock=lambda: 1_000.0)
    channel.resume(message("79161239903"), "77-1", 1_000_000 - 61_000)  # a minute is over
    channel.resume(message("79161239903"), "77-2", 1_000_000)
    await until(lambda: ears.reports)

    assert [r.ref for r in ears.reports] == ["77-1"]
    await channel.stop(1.0)


async def test_it_is_ready_between_start_and_stop():
    channel = VirtualChannel(settings_from({"window": "7"}))
    states = [(channel.ready, channel.state)]
    ears = Ears()
    await channel.start(Hears(ears.report, ears.incoming))
    states.append((channel.ready, channel.state))
    await channel.send(message("79161239903"))
    await channel.stop(1.0)
    states.append((channel.ready, channel.state))
    await asyncio.sleep(0)

    assert states == [
        (False, "stopped"),
        (True, "takes everything, reaches nobody"),
        (False, "stopped"),
    ]
    assert channel.window == 7
    assert ears.reports == []


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"host": "x"}, "virtual has no setting 'host'"),
        ({"window": "0"}, "window must be at least 1"),
        ({"window": "many"}, "invalid literal"),
    ],
)
def test_a_setting_it_cannot_have_is_refused(settings, words):
    with pytest.raises(ValueError, match=words):
        settings_from(settings)


async def looked_up(phone):
    ears = Ears()
    channel = await started(ears)
    await channel.send(replace(message(phone), kind=Kind.HLR))
    await until(lambda: ears.reports)
    await channel.stop(1.0)
    return ears.reports[0].hlr


async def test_a_look_up_says_what_the_numbers_network_might():
    assert await looked_up("79261234567") == {
        "imsi": "250029261234567",
        "msc": "79260000099",
        "mcc": "250",
        "mnc": "02",
        "cn": "Россия",
        "net": "МегаФон",
        "rcn": "",
        "rnet": "",
    }


async def test_a_look_up_may_find_a_subscriber_abroad():
    found = await looked_up("79261239906")

    assert (found["net"], found["rcn"], found["rnet"]) == ("МегаФон", "Казахстан", "Kcell")
    assert found["msc"].startswith("7701")


async def test_of_a_subscriber_who_is_away_only_the_imsi_is_known():
    found = await looked_up("79261239902")

    assert {name for name, value in found.items() if value} == {"imsi"}


async def test_of_a_number_that_does_not_exist_nothing_is_found():
    assert await looked_up("79261239901") is None


async def test_a_number_of_no_known_network_is_one_of_the_test_network():
    found = await looked_up("12125551234")

    assert (found["imsi"], found["mcc"], found["mnc"]) == ("001012125551234", "001", "01")


async def test_a_text_message_finds_out_nothing():
    ears = Ears()
    channel = await started(ears)
    await channel.send(message())
    await until(lambda: ears.reports)

    assert ears.reports[0].hlr is None
