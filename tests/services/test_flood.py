from vestnik.domain.client import Limits
from vestnik.services import flood
from vestnik.services.flood import Floods

LIMITS = Limits(flood_count=3, flood_gap_s=30)
PHONE = "79161234567"


def test_messages_with_small_gaps_are_a_flood_past_the_limit():
    floods = Floods()

    found = [floods.flooded(1, PHONE, LIMITS, at * 29_999) for at in range(5)]

    assert found == [False] * 3 + [True] * 2


def test_a_pause_ends_a_flood():
    floods = Floods()
    for at in range(4):
        floods.flooded(1, PHONE, LIMITS, at)

    assert not floods.flooded(1, PHONE, LIMITS, 3 + 30_000)


def test_each_number_of_each_client_is_counted_by_itself():
    floods = Floods()
    for _ in range(3):
        floods.flooded(1, PHONE, LIMITS, 0)

    assert not floods.flooded(1, "79160000000", LIMITS, 0)
    assert not floods.flooded(2, PHONE, LIMITS, 0)
    assert floods.flooded(1, PHONE, LIMITS, 0)


def test_memory_is_bounded_and_the_oldest_are_forgotten(monkeypatch):
    monkeypatch.setattr(flood, "REMEMBERED_MAX", 2)
    floods = Floods()
    for phone in ("1", "1", "1", "2", "3"):
        floods.flooded(1, phone, LIMITS, 0)

    assert not floods.flooded(1, "1", LIMITS, 0)
