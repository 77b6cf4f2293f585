import asyncio

import pytest

from vestnik.doors.smpp.underway import Underway

pytestmark = pytest.mark.anyio


async def turns(count=3):
    for _ in range(count):
        await asyncio.sleep(0)


async def test_a_request_runs_to_its_first_wait_at_once():
    steps = []

    async def work():
        steps.append("begun")
        await asyncio.get_running_loop().create_future()

    Underway().begin(work())

    assert steps == ["begun"]


async def test_a_request_goes_on_with_what_it_waited_for():
    answer = asyncio.get_running_loop().create_future()
    heard = []

    async def work():
        heard.append(await answer)
        await asyncio.sleep(0)
        heard.append("a turn later")

    Underway().begin(work())
    answer.set_result("committed")
    await turns()

    assert heard == ["committed", "a turn later"]


async def test_a_failure_of_what_is_waited_for_is_raised_where_it_is_waited():
    answer = asyncio.get_running_loop().create_future()
    caught = []

    async def work():
        try:
            await answer
        except KeyError as failure:
            caught.append(failure)

    Underway().begin(work())
    answer.set_exception(KeyError("no"))
    await turns()

    assert [str(failure) for failure in caught] == ["'no'"]


async def test_tasks_and_events_may_be_waited_for_too():
    event, seen = asyncio.Event(), []

    async def other():
        await event.wait()
        return "done"

    async def work():
        seen.append(await asyncio.create_task(other()))

    Underway().begin(work())
    event.set()
    await turns()

    assert seen == ["done"]


async def test_a_request_that_fails_is_told_of_and_harms_no_other():
    loop, told, ended = asyncio.get_running_loop(), [], []
    loop.set_exception_handler(lambda _, context: told.append(context["exception"]))
    underway = Underway()

    async def wrong():
        await asyncio.sleep(0)
        raise ValueError("our bug")

    async def right():
        await asyncio.sleep(0)
        ended.append(1)

    underway.begin(wrong())
    underway.begin(right())
    await underway.finish(1.0)
    loop.set_exception_handler(None)

    assert [str(failure) for failure in told] == ["our bug"]
    assert ended == [1]


async def test_finish_waits_for_what_is_under_way():
    answers = [asyncio.get_running_loop().create_future() for _ in range(3)]
    ended, underway = [], Underway()

    async def work(answer):
        await answer
        ended.append(1)

    for answer in answers:
        underway.begin(work(answer))
    finishing = asyncio.create_task(underway.finish(5.0))
    await turns()
    before = finishing.done()
    for answer in answers:
        answer.set_result(None)
    await finishing

    assert not before
    assert ended == [1, 1, 1]


async def test_what_is_too_late_is_cancelled_where_it_waits():
    answer, left, underway = asyncio.get_running_loop().create_future(), [], Underway()

    async def work():
        try:
            await answer
        finally:
            left.append("cleaned up")

    underway.begin(work())
    await underway.finish(0.0)
    await turns()

    assert left == ["cleaned up"]
    assert answer.cancelled()


async def test_finish_returns_at_once_when_nothing_is_under_way():
    await asyncio.wait_for(Underway().finish(60.0), 1.0)
