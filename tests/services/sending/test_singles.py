"""Orders to one recipient are composed together; each has its own fate."""

import asyncio

import pytest
from tests.building import OTHER, PHONE, THIRD, House, Memory

from vestnik.domain.lists import ListLine
from vestnik.domain.refusals import BadDate, BadParameters, StoreUnavailable
from vestnik.domain.schedule import MOSCOW
from vestnik.services.sending.flood import Floods
from vestnik.services.sending.singles import Singles, is_single

pytestmark = pytest.mark.anyio


@pytest.fixture
async def house():
    made = House(Memory())
    await made.client(1)
    return made


class Intake:
    """Keeps the drafts it is given, in order; raises what it is told to."""

    def __init__(self, failure=None):
        self.drafts, self.failure = [], failure

    def put(self, draft):
        if self.failure is not None:
            raise self.failure
        self.drafts.append(draft)
        draft.answered.set_result(draft)

    @property
    def phones(self):
        return [draft.recipients[0].phone for draft in self.drafts]


def singles(house, intake):
    return Singles(house.directory, Floods(), MOSCOW, intake)


async def test_the_orders_of_one_turn_keep_their_order(house):
    intake = Intake()
    line = singles(house, intake)

    await asyncio.gather(*(line.add(house.order(phone)) for phone in (PHONE, OTHER, THIRD)))

    assert intake.phones == [PHONE, OTHER, THIRD]


async def test_nothing_is_composed_before_the_turn_is_over(house):
    intake = Intake()
    answered = singles(house, intake).add(house.order())

    assert intake.drafts == []
    assert (await answered) is intake.drafts[0]


@pytest.mark.parametrize(
    ("fault", "failure"),
    [({"time": "never"}, BadDate), ({"text": " "}, BadParameters)],  # of the first and second step
)
async def test_a_fault_of_one_is_not_the_others(house, fault, failure):
    intake = Intake()
    line = singles(house, intake)
    orders = [house.order(PHONE), house.order(OTHER, **fault), house.order(THIRD)]

    fates = await asyncio.gather(*map(line.add, orders), return_exceptions=True)

    assert intake.phones == [PHONE, THIRD]
    assert isinstance(fates[1], failure)


async def test_who_cannot_be_handed_on_is_told(house):
    line = singles(house, Intake(StoreUnavailable("the centre is shutting down")))

    with pytest.raises(StoreUnavailable, match="shutting down"):
        await line.add(house.order())


async def test_the_next_turn_is_composed_too(house):
    intake = Intake()
    line = singles(house, intake)
    await line.add(house.order(PHONE))
    await line.add(house.order(OTHER))

    assert intake.phones == [PHONE, OTHER]


@pytest.mark.parametrize("phones", [f"{PHONE},{OTHER}", f"{PHONE};{OTHER}", f"{PHONE}\n{OTHER}"])
async def test_many_phones_are_no_single(house, phones):
    assert is_single(house.order(PHONE))
    assert not is_single(house.order(phones))


@pytest.mark.parametrize(
    "fields",
    [
        {"phones": "G12"},
        {"phones": "g3"},
        {"phones": ""},
        {"period": "1"},
        {"lines": [ListLine(PHONE, "a"), ListLine(OTHER, "b")]},
        {"lines": iter([ListLine(PHONE, "a")])},
    ],
)
async def test_what_may_be_many_is_no_single(house, fields):
    assert not is_single(house.order(**fields))


async def test_an_own_id_that_counts_with_its_numbers_is_no_single(house):
    house.limit(unique_ids=1)

    assert not is_single(house.order(wire_id="7"))
