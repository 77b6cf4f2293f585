import pytest

from vestnik.domain.refusals import TooManyConnections, TooManyRequests
from vestnik.services.clients.access_limits import PerMinute, Recent, Running, WrongRequests


def wrong_requests(**changed):
    return WrongRequests(
        **{"most": 3, "window_ms": 1_000, "block_ms": 5_000, "size_max": 10} | changed
    )


def test_what_was_used_longest_ago_is_forgotten():
    recent = Recent(2)
    recent.put("a", 1)
    recent.put("b", 2)
    recent.get("a")
    recent.put("c", 3)

    assert [recent.get(key) for key in "abc"] == [1, None, 3]


def test_wrong_requests_block_when_they_are_many_within_the_window():
    counted = wrong_requests()
    for at in (0, 500, 999):
        assert not counted.blocked("a", at)
        counted.add("a", at)

    assert counted.blocked("a", 999)
    assert counted.blocked("a", 5_998)
    assert not counted.blocked("a", 5_999)
    assert not counted.blocked("b", 999)


def test_wrong_requests_that_are_far_between_do_not_block():
    counted = wrong_requests()
    for at in (0, 500, 1_000, 1_500, 2_000):
        counted.add("a", at)

    assert not counted.blocked("a", 2_000)
    assert counted.recent("a", 2_000) == 2


def test_a_bound_of_0_never_blocks():
    counted = wrong_requests(most=0)
    for _ in range(100):
        counted.add("a", 0)

    assert not counted.blocked("a", 0)


def test_many_addresses_take_no_more_memory_than_allowed():
    counted = wrong_requests(size_max=2)
    for number in range(100):
        counted.add(f"address {number}", 0)

    assert counted.recent("address 99", 0) == 1
    assert counted.recent("address 0", 0) == 0


def test_one_request_more_than_may_run_is_refused():
    running = Running()

    with (
        running.enter("a", 2),
        running.enter("a", 2),
        running.enter("b", 2),
        pytest.raises(TooManyConnections),
    ):
        running.enter("a", 2)

    with running.enter("a", 1):
        pass


def test_a_request_that_fails_runs_no_more():
    running = Running()
    with pytest.raises(ValueError, match="ours"), running.enter("a", 1):
        raise ValueError("ours")

    with running.enter("a", 1):
        pass


def test_0_lets_any_number_run():
    running = Running()

    with running.enter("a", 0), running.enter("a", 0), running.enter("a", 0):
        pass


def test_a_minute_slides():
    counted = PerMinute(10)
    counted.count("a", 2, 0)
    counted.count("a", 2, 30_000)

    with pytest.raises(TooManyRequests):
        counted.count("a", 2, 59_999)
    counted.count("a", 2, 60_000)
    with pytest.raises(TooManyRequests):
        counted.count("a", 2, 60_001)
    counted.count("b", 2, 60_001)


def test_0_lets_any_number_come():
    counted = PerMinute(10)

    for _ in range(1_000):
        counted.count("a", 0, 0)
