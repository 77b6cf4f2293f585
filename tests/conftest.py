"""What any test may ask for: an empty store of either engine."""

import pytest
import structlog
from hypothesis import HealthCheck, settings
from tests import postgres
from tests.migrated import new_store

from vestnik.store import store_at
from vestnik.store.migrations.run import migrate

# The same examples every time, in whatever time the machine has for them: what fails, fails again.
# Others are looked for by `pytest --hypothesis-profile default`.
settings.register_profile(
    "steady", derandomize=True, deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile("steady")


@pytest.fixture(scope="session")
def anyio_backend():
    return "asyncio"


@pytest.fixture(autouse=True)
def usual_logs():
    """What a test says of logging, by running a command for one, is over with it."""
    yield
    structlog.reset_defaults()


@pytest.fixture(scope="session")
def postgres_server():
    programs = postgres.binaries()
    if programs is None:
        pytest.skip("PostgreSQL is not installed (apt-get install postgresql)")
    server = postgres.Server(programs)
    try:
        server.start()
        yield server
    finally:
        server.stop()


@pytest.fixture
def postgres_url(postgres_server):
    """The address of a migrated database with nothing else in it."""
    name = postgres_server.lend()
    yield postgres_server.url(name)
    postgres_server.give_back(name)


@pytest.fixture(params=["sqlite", "postgres"])
def store_url(request):
    """The address of a fresh store; empty for the one in the data folder."""
    return request.getfixturevalue("postgres_url") if request.param == "postgres" else ""


@pytest.fixture
async def store(store_url, tmp_path):
    """A fresh, migrated, open store: each test that asks for it runs on every engine."""
    if not store_url:
        new_store(tmp_path)
    opened = store_at(store_url, tmp_path)
    await opened.open()
    await migrate(opened)  # of a copy it only makes the months of today
    yield opened
    await opened.close()
