import pytest
from hypothesis import given
from hypothesis import strategies as st

from vestnik.domain.client import Client
from vestnik.domain.exchange import Exchange
from vestnik.domain.rate import DEFAULT_PRICE, Chain, Payer, Rate, Rates, payers, shares
from vestnik.domain.refusals import NotPossible

PHONE = "79161234567"
RATES = Rates(
    [
        Rate(None, "sms", 10),
        Rate(None, "sms", 20, prefix="7"),
        Rate(None, "sms", 30, prefix="7916"),
        Rate(None, "sms", 40, operator="25002"),
        Rate(2, "sms", 50, prefix="7"),
        Rate(2, "hlr", 5),
    ]
)


@pytest.mark.parametrize(
    ("owner", "channel", "phone", "network", "price"),
    [
        (1, "sms", "4915112345678", "26201", 10),
        (1, "sms", "79261234567", "25099", 20),
        (1, "sms", PHONE, "25001", 30),  # the longest prefix
        (1, "sms", PHONE, "25002", 40),  # an operator before a prefix
        (2, "sms", PHONE, "25002", 50),  # his own before everybody's
        (2, "sms", "4915112345678", "26201", 10),
        (2, "hlr", PHONE, "25001", 5),
        (1, "hlr", PHONE, "25001", DEFAULT_PRICE),
    ],
)
def test_the_nearest_rate_is_the_price(owner, channel, phone, network, price):
    assert [RATES.price(owner, channel, phone, network) for _ in range(2)] == [price] * 2


def test_without_rates_a_part_costs_one_whole_unit():
    assert Rates([]).price(1, "sms", PHONE, "25001") == 1_000_000


def chain(*types):
    """Clients 1, 2, 3 …, each the subclient of the one before."""
    clients = {
        number: Client(number, f"c{number}", parent_id=number - 1 or None, type=type_)
        for number, type_ in enumerate(types, start=1)
    }
    return payers(clients[len(types)], clients)


@pytest.mark.parametrize(
    ("types", "who"),
    [
        ((0,), (Payer(1, 1),)),
        ((0, 0), (Payer(2, 2), Payer(1, 1))),
        ((0, 1), (Payer(2, 1), Payer(1, 1))),
        ((0, 2), (Payer(1, 1),)),
        ((0, 3), (Payer(1, 2),)),
        ((0, 4), (Payer(1, 1),)),
        ((0, 0, 0), (Payer(3, 3), Payer(2, 2), Payer(1, 1))),
        ((0, 0, 2), (Payer(2, 2), Payer(1, 1))),
        ((0, 1, 1), (Payer(3, 1), Payer(2, 1), Payer(1, 1))),
        ((0, 2, 3), (Payer(1, 3),)),
        ((0, 3, 2), (Payer(1, 2),)),
    ],
)
def test_who_pays_at_whose_tariff(types, who):
    assert chain(*types) == who


@pytest.mark.parametrize(
    ("prices", "lost"),
    [([10], [10]), ([10, 7], [10, -3]), ([7, 10], [7, 3]), ([10, 10, 12], [10, 0, 2])],
)
def test_each_pays_the_difference_and_the_topmost_pays_the_centre(prices, lost):
    assert shares(prices) == lost
    assert sum(lost) == prices[-1]


EUROPE = Exchange({"RUB": 1_000_000, "USD": 90_000_000, "KZT": 200_000})


def test_shares_of_a_chain_in_one_currency_need_no_exchange():
    chain = Chain((Payer(2, 2), Payer(1, 1)))

    assert chain.losses([10, 7]) == [10, -3]


def test_each_account_of_a_chain_loses_its_own_currency():
    dollars = Payer(3, 3, "USD", "USD")
    tenge = Payer(2, 2, "KZT", "KZT")
    roubles = Payer(1, 1, "RUB", "RUB")

    lost = Chain((dollars, tenge, roubles), EUROPE).losses([20_000, 8_000_000, 1_500_000])

    # 0.02 USD are 9 KZT, of which 8 go on; 8 KZT are 1.60 RUB, of which 1.50 go on.
    assert lost == [20_000, -1_000_000, -100_000]


def test_a_price_of_a_tariff_in_another_currency_is_rounded_up():
    dollars = Payer(2, 1, "USD", "RUB")

    assert Chain((dollars, Payer(1, 1)), EUROPE).losses([1_000_000, 1_000_000])[0] == 11_112


def test_money_is_not_exchanged_for_a_currency_whose_worth_is_unknown():
    with pytest.raises(NotPossible, match="nobody has told what EUR is worth"):
        EUROPE.convert(1, "RUB", "EUR")


@given(st.integers(0, 10**12))
def test_whoever_exchanges_there_and_back_gains_nothing(amount):
    there = EUROPE.convert(amount, "RUB", "USD")

    assert EUROPE.convert(there, "USD", "RUB") <= amount
    assert EUROPE.convert(EUROPE.convert(amount, "RUB", "USD", up=True), "USD", "RUB") >= amount
