from ipaddress import ip_network

import pytest

from vestnik.domain.client import LIMIT_NAMES, Client, Limits, limits_from
from vestnik.domain.refusals import BadParameters


def test_limits_are_the_usual_ones_but_for_those_that_were_changed():
    limits = limits_from({"identical_s": "0", "charge_on": "delivered", "prefixes": "7,-77"})

    assert limits == Limits(identical_s=0, charge_on="delivered", prefixes="7,-77")
    assert limits_from({}) == Limits()
    assert set(LIMIT_NAMES) >= {"day_limit", "number_limit", "rows_per_request"}


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"speed": 1}, "there is no setting 'speed'"),
        ({"day_limit": "many"}, "day_limit takes a whole number, not 'many'"),
        ({"day_limit": -1}, "day_limit cannot be negative"),
        ({"charge_on": "accepted"}, "charge_on is 'sent' or 'delivered'"),
        ({"hours": "9"}, "hours are written as two whole hours, such as 9-22"),
        ({"hours": "9-25"}, "hours are written as two whole hours, such as 9-22"),
        ({"incoming_phone": "none"}, "incoming_phone is one number"),
        ({"incoming_email": "none"}, "incoming_email is one mail address"),
    ],
)
def test_a_wrong_limit_is_refused_in_plain_words(changed, words):
    with pytest.raises(BadParameters, match=words):
        limits_from(changed)


@pytest.mark.parametrize(
    ("address", "allowed"),
    [
        ("192.0.2.7", True),
        ("192.0.3.7", False),
        ("2001:db8::1", True),
        ("::ffff:192.0.2.9", True),
        ("::1", False),
    ],
)
def test_a_client_may_call_from_its_addresses_only(address, allowed):
    networks = (ip_network("192.0.2.0/24"), ip_network("2001:db8::/32"))

    assert Client(1, "alex", addresses=networks).allows(address) == allowed
    assert Client(1, "alex").allows(address)


@pytest.mark.parametrize(
    ("type_", "pays_itself", "own_tariff"),
    [(0, True, True), (1, True, False), (2, False, False), (3, False, True), (4, False, False)],
)
def test_a_subclients_type_says_who_pays_and_by_which_tariff(type_, pays_itself, own_tariff):
    client = Client(2, "branch", parent_id=1, type=type_)

    assert (client.pays_itself, client.own_tariff) == (pays_itself, own_tariff)


@pytest.mark.parametrize("type_", range(5))
def test_a_topmost_account_pays_for_itself_whatever_its_type(type_):
    client = Client(1, "main", type=type_)

    assert (client.pays_itself, client.own_tariff) == (True, True)
