"""What any test may ask for: an empty store of either engine."""

import asyncio
import shutil

import pytest
import structlog
from tests import postgres

from vestnik.store import FILE_NAME, store_at
from vestnik.store.migrations.run import migrate


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


@pytest.fixture(scope="session")
def migrated_file(tmp_path_factory):
    """A migrated store in a file, to be copied: that takes no time, and migrating takes some."""
    folder = tmp_path_factory.mktemp("migrated")
    asyncio.run(_migrated(folder))
    return folder / FILE_NAME


async def _migrated(folder):
    made = store_at("", folder)
    await made.open()
    await migrate(made)
    await made.close()


@pytest.fixture
async def store(store_url, tmp_path, migrated_file):
    """A fresh, migrated, open store: each test that asks for it runs on every engine."""
    if not store_url:
        shutil.copyfile(migrated_file, tmp_path / FILE_NAME)
    opened = store_at(store_url, tmp_path)
    await opened.open()
    await migrate(opened)  # of a copy it only makes the months of today
    yield opened
    await opened.close()
