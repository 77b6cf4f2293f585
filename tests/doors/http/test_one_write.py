import asyncio

import pytest

from vestnik.doors.http.listener import _OneWrite

pytestmark = pytest.mark.anyio


class Transport:
    """Keeps what it is told to write."""

    def __init__(self):
        self.written = []
        self.closed = False

    def write(self, data):
        self.written.append(data)

    def close(self):
        self.closed = True


async def test_head_and_body_of_an_answer_leave_in_one_write():
    transport = Transport()
    coat = _OneWrite(transport, asyncio.get_running_loop())

    coat.write(b"head\r\n\r\n")
    coat.write(b"body")
    early = list(transport.written)
    await asyncio.sleep(0)

    assert early == []
    assert transport.written == [b"head\r\n\r\nbody"]


async def test_what_is_not_written_yet_leaves_before_the_end():
    transport = Transport()
    coat = _OneWrite(transport, asyncio.get_running_loop())

    coat.write(b"last words")
    coat.close()
    await asyncio.sleep(0)

    assert transport.written == [b"last words"]
    assert transport.closed
