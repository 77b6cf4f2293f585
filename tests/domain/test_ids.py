import threading

import pytest

from vestnik.domain.ids import AHEAD_MS_MAX, EPOCH_MS, PER_MS, Ids, first_id, moment
from vestnik.domain.refusals import StoreUnavailable

NOW = 1_750_000_000_000


def test_an_id_is_a_moment_a_node_and_a_number():
    taken = Ids(3).take(NOW, 2)

    assert taken == [((NOW - EPOCH_MS) << 12) | (3 << 7), ((NOW - EPOCH_MS) << 12) | (3 << 7) | 1]
    assert [moment(i) for i in taken] == [NOW, NOW]
    assert first_id(NOW) <= taken[0] < first_id(NOW + 1)


def test_ids_are_read_by_javascript_until_2094():
    assert first_id(3_913_056_000_000) < 1 << 53


def test_many_ids_run_ahead_of_the_clock():
    taken = Ids(0).take(NOW, 10_000)

    assert len(set(taken)) == 10_000
    assert taken == sorted(taken)
    assert moment(taken[-1]) == NOW + 9_999 // PER_MS


def test_ids_grow_when_the_clock_steps_back():
    ids = Ids(0)
    first = ids.take(NOW)

    assert ids.take(NOW - 60_000) > first


def test_a_new_run_begins_after_the_last_id_of_the_store():
    [last] = Ids(0).take(NOW + 5_000)

    assert Ids(0, last).take(NOW)[0] > last
    assert moment(Ids(0, last).take(NOW + 10_000)[0]) == NOW + 10_000


def test_nodes_never_make_the_same_id():
    assert set(Ids(0).take(NOW, 5_000)).isdisjoint(Ids(31).take(NOW, 5_000))


def test_ids_an_hour_ahead_are_refused_and_the_refusal_changes_nothing():
    ids = Ids(0)
    [last] = ids.take(NOW + AHEAD_MS_MAX, PER_MS)[-1:]

    for _ in range(3):
        with pytest.raises(StoreUnavailable):
            ids.take(NOW)

    assert ids.take(NOW + 1) == [first_id(moment(last) + 1)]


def test_threads_may_ask_at_one_time():
    ids, taken = Ids(0), [[] for _ in range(4)]

    def ask(mine):
        for _ in range(3_000):
            mine += ids.take(NOW, 3)

    threads = [threading.Thread(target=ask, args=(mine,)) for mine in taken]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert len(set().union(*taken)) == 36_000
    assert all(mine == sorted(mine) for mine in taken)
