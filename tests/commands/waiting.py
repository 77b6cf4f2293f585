"""Waiting for another process to follow."""

import time

FOLLOW_S_MAX = 45.0
LOOK_S = 0.1


def until(there):
    """Look again and again; what does not come within FOLLOW_S_MAX fails the test."""
    deadline = time.monotonic() + FOLLOW_S_MAX
    while not there():
        assert time.monotonic() < deadline, "it did not come"
        time.sleep(LOOK_S)
