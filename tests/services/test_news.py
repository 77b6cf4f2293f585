import pytest
from tests.building import NOW, House

from vestnik.domain.client import Client, Limits
from vestnik.domain.ids import Ids
from vestnik.domain.message import Flag, Status
from vestnik.notifier.local import LocalNotifier
from vestnik.services.news import HTTP, SMPP, Outboxes, transport_of

pytestmark = pytest.mark.anyio


@pytest.fixture
def house(store):
    return House(store)


def outboxes(house, node=0, at=NOW):
    """Those of a run of a node that begins at a moment."""
    return Outboxes(house.store, Ids(node).take(at)[0], LocalNotifier())


async def test_a_node_that_begins_again_waits_for_no_lease_of_the_run_that_was_killed(house):
    killed, again = outboxes(house), outboxes(house, at=NOW + 1)
    await killed.lease(SMPP, [1, 2])
    await killed.lease(HTTP, [1])
    before = await again.lease(SMPP, [1, 2])

    freed = await again.recover(node=0)

    assert before == {}
    assert freed == 3
    assert set(await again.lease(SMPP, [1, 2])) == {1, 2}


async def test_what_other_nodes_hold_stays_theirs(house):
    other, again = outboxes(house, node=1), outboxes(house, node=0, at=NOW + 1)
    await other.lease(SMPP, [1])

    freed = await again.recover(node=0)

    assert freed == 0
    assert await again.lease(SMPP, [1]) == {}


async def test_an_outbox_that_is_freed_stays_paused(house):
    killed, again = outboxes(house), outboxes(house, at=NOW + 1)
    await killed.lease(HTTP, [1])
    await killed.pause(HTTP, 1, NOW + 5_000, 3)

    await again.recover(node=0)

    [box] = (await again.lease(HTTP, [1])).values()
    assert (box.paused_until, box.failures) == (NOW + 5_000, 3)


URL = {"callback_url": "https://c.example/"}


@pytest.mark.parametrize(
    ("limits", "flags", "status", "transport"),
    [
        ({}, 0, Status.DELIVERED, None),
        (URL, 0, Status.DELIVERED, HTTP),
        (URL, 0, Status.SENT, None),
        (URL | {"callback_sent": 1}, 0, Status.SENT, HTTP),
        (URL | {"callback_statuses": 0, "callback_sent": 1}, 0, Status.SENT, None),
        (URL | {"callback_statuses": 0}, 0, Status.DELIVERED, None),
        (URL | {"callback_incoming": 0}, 0, Status.DELIVERED, HTTP),
        (URL | {"callback_statuses": 0}, Flag.RECEIPT_WANTED, Status.DELIVERED, SMPP),
    ],
)
def test_a_status_is_told_where_the_account_wants_it(limits, flags, status, transport):
    client = Client(1, "alex", limits=Limits(**limits))

    assert transport_of(client, flags, status) == transport
