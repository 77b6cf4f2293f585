"""A serving centre with one client, and somebody else's carrier."""

import shutil

import pytest
from tests import serving
from tests.carriers.conftest import npm_carrier, npm_carrier_folder
from tests.serving import LIFTED, LOGIN, PASSWORD, Centre

__all__ = ["npm_carrier", "npm_carrier_folder"]


@pytest.fixture(scope="session")
def anyio_backend():
    return "asyncio"


@pytest.fixture(scope="session")
def furnished(tmp_path_factory):
    """A data folder with a client that has 100,000.00 and no limits; tests copy it."""
    folder = tmp_path_factory.mktemp("furnished") / "data"
    furnish(folder)
    return folder


def furnish(folder, url=""):
    """Add the client by commands."""
    words = ("client", "add", LOGIN, "--password", PASSWORD, "--balance", "100000")
    serving.command(folder, *words, url=url)
    serving.command(folder, "client", "set", LOGIN, *LIFTED, url=url)


@pytest.fixture
def folder(furnished, tmp_path):
    """A data folder of the test's own, with the client."""
    return shutil.copytree(furnished, tmp_path / "data")


@pytest.fixture
async def centre(folder):
    """Serves until the test ends."""
    async with Centre(folder, TASKS__PERIOD_S="0.5") as serving_one:
        yield serving_one


@pytest.fixture(params=["sqlite", "postgres"])
def store(request, tmp_path):
    """Folder and url of a centre that is furnished and not started, on each engine."""
    if request.param == "sqlite":
        return request.getfixturevalue("folder"), ""
    url = request.getfixturevalue("postgres_url")
    furnish(tmp_path / "data", url)
    return tmp_path / "data", url
