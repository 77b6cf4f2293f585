"""Bells: inside a process, and across the nodes of a PostgreSQL."""

import asyncio

import asyncpg
import pytest

from vestnik.notifier.local import LocalNotifier
from vestnik.notifier.postgres import PostgresNotifier

pytestmark = pytest.mark.anyio

SOON_S = 45.0
HARDLY_S = 0.05


@pytest.fixture
async def nodes(postgres_url):
    made = [PostgresNotifier(postgres_url) for _ in range(2)]
    for node in made:
        node.open()
        await asyncio.wait_for(node.connected.wait(), SOON_S)
    yield made
    for node in made:
        await node.close()


async def test_a_ring_that_nobody_hears_is_kept_for_the_next_to_ask():
    bell = LocalNotifier()

    bell.ring("exports")

    assert await bell.wait("exports", HARDLY_S)
    assert not await bell.wait("exports", HARDLY_S)


async def test_a_ring_is_heard_on_every_node(nodes):
    here, there = nodes

    here.ring("exports")

    assert await here.wait("exports", HARDLY_S)
    assert await there.wait("exports", SOON_S)


async def test_a_ring_comes_back_to_nobody(nodes):
    here, there = nodes

    here.ring("exports")
    await here.wait("exports", SOON_S)
    await there.wait("exports", SOON_S)
    there.ring("carriers")
    await here.wait("carriers", SOON_S)  # what there told before it would have come by now

    assert not await here.wait("exports", HARDLY_S)


async def test_topics_are_bells_of_their_own(nodes):
    here, there = nodes

    here.ring("mailings")

    assert await there.wait("mailings", SOON_S)
    assert not await there.wait("exports", HARDLY_S)


async def test_a_connection_that_breaks_is_made_again(nodes, postgres_url):
    here, there = nodes
    admin = await asyncpg.connect(postgres_url)

    await admin.execute(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
        " WHERE datname = current_database() AND pid <> pg_backend_pid()"
    )
    await admin.close()
    async with asyncio.timeout(SOON_S):
        while not await there.wait("after", HARDLY_S):
            here.ring("after")  # one may be lost with the old connection: it is a hint
