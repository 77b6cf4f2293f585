import pytest
from tests.building import PHONE, RUB
from tests.fakes.history import NOON, message, put
from tests.fakes.reseller import Reseller

from vestnik.domain.refusals import BadParameters, NotFound
from vestnik.domain.schedule import MOSCOW
from vestnik.services.clients import clients, currencies
from vestnik.services.history.statistics import Asked, Statistics
from vestnik.store import statistics as table

pytestmark = pytest.mark.anyio

DAY = 86_400_000
TODAY = NOON // DAY  # by UTC and in Moscow, at noon
KAZAKHSTAN, RUSSIA = "40102", "25001"


@pytest.fixture
async def centre(store):
    return await Reseller().over(store)


@pytest.fixture
def statistics(centre):
    return Statistics(centre.store, centre.current.current, MOSCOW)


async def sent(
    centre, client, count, spent, day=TODAY, kind=0, mccmnc=RUSSIA, sender="", node=0, purse=0
):
    """What a commit adds to the sums."""
    made = table.Sums()
    made.add((client, day, kind, mccmnc, sender, purse), (count, count, 0, 0, 0, spent, 0))
    await centre.store.write(table.add, made, node)


def test_days_are_those_of_the_centre_from_their_first_moment_on():
    statistics = Statistics(None, None, MOSCOW)

    days = statistics.days("15.06.2025", "16.06.2025", NOON)

    assert (days.first, days.last) == (TODAY, TODAY + 1)
    assert (days.until - days.since) == 2 * DAY
    assert days.since % DAY == DAY - 3 * 3_600_000


def test_without_days_it_is_today_or_this_month():
    statistics = Statistics(None, None, MOSCOW)

    assert statistics.days("", "", NOON).first == TODAY
    assert statistics.days("", "", NOON, month=True).first == TODAY - 14
    assert statistics.days("", "", NOON).last == TODAY


def test_a_period_may_begin_in_the_future_and_is_then_empty():
    days = Statistics(None, None, MOSCOW).days("01.01.2030", "", NOON)

    assert days.first > TODAY
    assert days.since < days.until


@pytest.mark.parametrize(
    ("start", "end"),
    [
        ("2025-06-15", ""),
        ("31.02.2025", ""),
        ("", "x"),
        ("16.06.2025", "15.06.2025"),
        ("", "14.06.2025"),
    ],
)
def test_days_that_are_none_are_refused(start, end):
    with pytest.raises(BadParameters):
        Statistics(None, None, MOSCOW).days(start, end, NOON)


async def test_sums_of_all_nodes_and_keys_are_added(centre, statistics):
    alex = centre.client("alex")
    await sent(centre, alex.id, 2, 3 * RUB)
    await sent(centre, alex.id, 1, RUB, sender="Shop")
    await sent(centre, alex.id, 5, RUB, node=1)
    await sent(centre, alex.id, 7, RUB, day=TODAY - 1)
    await sent(centre, centre.client("boris").id, 100, 100 * RUB)

    found = await statistics.of_client(alex, statistics.days("", "", centre.now))

    assert (found.messages, found.spent) == (8, 5 * RUB)
    assert (found.received, found.currency) == (100 * RUB, "RUB")


async def test_what_was_paid_in_is_what_came_in_those_days_and_nothing_else(centre, statistics):
    alex = centre.client("alex")
    store, ids = centre.store, centre.ids
    days = statistics.days("", "", centre.now)
    await store.write(clients.top_up, "alex", -30 * RUB, "", ids, centre.now)
    await store.write(clients.change, "alex", {"credit": "5"}, ids, centre.now)
    await store.write(clients.top_up, "alex", 7 * RUB, "", ids, centre.now, 1)
    await store.write(clients.top_up, "alex", 9 * RUB, "", ids, centre.now + DAY)

    assert (await statistics.of_client(alex, days)).received == 100 * RUB
    assert (await statistics.of_client(alex, days, 1)).received == 7 * RUB


async def test_details_are_by_kind_country_and_operator(centre, statistics):
    shop = await centre.subclient()
    await sent(centre, shop, 2, RUB)
    await sent(centre, shop, 1, RUB, mccmnc=KAZAKHSTAN, kind=4)
    await sent(centre, shop, 1, RUB, mccmnc="")
    days = statistics.days("", "", centre.now)

    found = await statistics.detailed(centre.client("alex"), Asked(days, shared=False))

    assert [(t.kind, t.country, t.messages, t.spent) for t in found] == [
        (0, "", 1, RUB),
        (0, "Россия", 2, RUB),
        (4, "Казахстан", 1, RUB),
    ]
    assert {t.received for t in found} == {0}


async def test_subclients_are_those_of_the_kind_that_was_asked_for(centre, statistics):
    own = await centre.subclient("own")
    tariff = await centre.subclient("tariff", type=1)
    shared = await centre.subclient("shared", type=2)
    login = await centre.subclient("login", type=4)
    await centre.subclient("foreign", "boris")
    alex, days = centre.client("alex"), statistics.days("", "", centre.now)

    async def ids(**asked):
        found = await statistics.of_subclients(alex, Asked(days, **asked))
        return [turnover.client_id for turnover in found]

    assert await ids() == [shared, login]
    assert await ids(shared=False) == [own, tariff]
    assert await ids(user="OWN") == await ids(user_id=own) == [own]


async def test_no_subclients_and_no_messages_are_not_found(centre, statistics):
    alex, days = centre.client("alex"), statistics.days("", "", centre.now)

    with pytest.raises(NotFound):
        await statistics.of_subclients(alex, Asked(days))

    await centre.subclient()
    with pytest.raises(NotFound):
        await statistics.detailed(alex, Asked(days, shared=False))
    with pytest.raises(NotFound):
        await statistics.detailed(alex, Asked(days, user="shop", purse=1))


async def test_money_is_told_in_ones_own_currency_or_in_the_main_accounts(centre, statistics):
    await centre.store.write(currencies.tell, "USD", "90", "RUB")
    shop = await centre.subclient(currency="USD")
    await sent(centre, shop, 1, RUB // 10)
    await centre.store.write(clients.top_up, "shop", RUB, "", centre.ids, centre.now)
    alex, days = centre.client("alex"), statistics.days("", "", centre.now)

    [own] = await statistics.of_subclients(alex, Asked(days, user="shop"))
    [mine] = await statistics.of_subclients(alex, Asked(days, user="shop", own_currency=False))

    assert (own.spent, own.received, own.currency) == (RUB // 10, RUB, "USD")
    assert (mine.spent, mine.received, mine.currency) == (9 * RUB, 90 * RUB, "RUB")


async def test_a_hidden_history_is_empty(centre):
    await put(centre.store, [message(1, phone=PHONE)])
    await centre.set("alex", hide_messages=1)

    assert await centre.get("get_messages=1") == "ERROR = 3 (message not found)"
