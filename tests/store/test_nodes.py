import pytest

from vestnik.store import postgres
from vestnik.store.postgres import PostgresStore

pytestmark = pytest.mark.anyio


async def opened(url):
    store = PostgresStore(url)
    await store.open()
    return store


async def test_a_node_is_served_by_one_process_at_a_time(postgres_url, monkeypatch):
    monkeypatch.setattr(postgres, "CLAIM_TRIES", 1)
    first, second = await opened(postgres_url), await opened(postgres_url)

    assert await first.claim_node(3)
    assert not await second.claim_node(3)
    assert await second.claim_node(4)

    await first.close()
    await second.close()


async def test_a_node_that_closed_may_be_served_again(postgres_url):
    first, second = await opened(postgres_url), await opened(postgres_url)
    await first.claim_node(3)

    await first.close()

    assert await second.claim_node(3)

    await second.close()
