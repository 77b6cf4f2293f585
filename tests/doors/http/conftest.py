"""What tests of the HTTP door may ask for."""

import pytest
from tests.doors.http.standins import Centre


@pytest.fixture
def centre():
    return Centre()
