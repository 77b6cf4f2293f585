from collections import Counter

import pytest

from vestnik.domain.route import Route, Routes

PHONE = "79161234567"


def plan(routes, default=0):
    return Routes(routes, default).plan("sms", 1, "Shop", PHONE, "25001")


@pytest.mark.parametrize(
    ("route", "fits"),
    [
        (Route(1, 5), True),
        (Route(1, 5, channel="hlr"), False),
        (Route(1, 5, prefix="7916"), True),
        (Route(1, 5, prefix="7917"), False),
        (Route(1, 5, operator="25001"), True),
        (Route(1, 5, operator="25002"), False),
        (Route(1, 5, client_id=1), True),
        (Route(1, 5, client_id=2), False),
        (Route(1, 5, sender="Shop"), True),
        (Route(1, 5, sender="Bank"), False),
    ],
)
def test_a_route_takes_what_fits_all_its_fields(route, fits):
    assert plan([route]) == ((5,) if fits else ())


def test_routes_are_tried_by_priority():
    routes = [Route(1, 5), Route(2, 6, priority=9), Route(3, 7, priority=4)]

    assert plan(routes) == (6, 7, 5)


def test_a_carrier_is_tried_once():
    assert plan([Route(1, 5, priority=2), Route(2, 6, priority=1), Route(3, 5)]) == (5, 6)


def test_equals_share_messages_out_by_weight_and_follow_one_another():
    routes = Routes([Route(1, 5, weight=3), Route(2, 6, weight=1), Route(3, 7, priority=-1)])
    plans = Counter(routes.plan("sms", 1, "", f"7916{n:07}", "") for n in range(4_000))

    assert set(plans) == {(5, 6, 7), (6, 5, 7)}
    assert 2_800 < plans[5, 6, 7] < 3_200


def test_the_same_message_always_draws_the_same_plan():
    def routes():
        return [Route(1, 5), Route(2, 6), Route(3, 7)]

    assert len({plan(routes()) for _ in range(20)}) == 1


def test_equals_without_weight_are_tried_in_their_order():
    assert plan([Route(1, 5, weight=0), Route(2, 6, weight=0)]) == (5, 6)


def test_what_no_route_takes_has_the_default():
    assert plan([Route(1, 5, prefix="1")], default=9) == (9,)
    assert plan([Route(1, 5, prefix="1")]) == ()


def test_what_was_found_once_is_found_again_for_everybody_it_fits():
    routes = Routes(
        [Route(1, 5, client_id=1), Route(2, 6, sender="Bank"), Route(3, 7, prefix="7916")]
    )

    for _ in range(2):
        assert routes.plan("sms", 1, "", "79170000000", "") == (5,)
        assert routes.plan("sms", 2, "Bank", "79170000000", "") == (6,)
        assert routes.plan("sms", 2, "", "79160000000", "") == (7,)
        assert routes.plan("sms", 2, "", "79170000000", "") == ()
