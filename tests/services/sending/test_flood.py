from vestnik.domain.client import Limits
from vestnik.services.sending import flood
from vestnik.services.sending.flood import Floods

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


def test_memory_is_bounded_and_the_quietest_are_forgotten(monkeypatch):
    monkeypatch.setattr(flood, "BUCKETS", 1)
    floods = Floods()
    for at, phone in enumerate(("1", "1", "1", "2", "3", "4", "5")):
        floods.flooded(1, phone, LIMITS, at)

    assert not floods.flooded(1, "1", LIMITS, 7)  # its place went to the fifth
    for at in range(8, 10):
        assert not floods.flooded(1, "5", LIMITS, at)
    assert floods.flooded(1, "5", LIMITS, 10)


def test_a_hundred_thousand_others_are_no_reason_to_forget():
    floods = Floods()
    for number in range(100_000):
        floods.flooded(1, str(79_160_000_000 + number), LIMITS, 0)
    again = [
        floods.flooded(1, str(79_160_000_000 + number), Limits(flood_count=1), 1)
        for number in range(100_000)
    ]

    assert sum(again) > 95_000
