import pytest
from tests.doors.http.standins import Centre, Statement

pytestmark = pytest.mark.anyio

ADDRESS = "/sys/balance.php?login=alex&psw=123"


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("", b"1871.62"),
        ("&fmt=1", b"1871.62"),
        ("&fmt=2", b"<balance>1871.62</balance>"),
        ("&fmt=3", b'{\n"balance": "1871.62"\n}'),
        ("&cur=1", b"1871.62,RUB"),
        ("&cur=1&fmt=1", b"1871.62,RUB"),
        (
            "&cur=1&fmt=2",
            b"<result><balance>1871.62</balance><currency>RUB</currency></result>",
        ),
        ("&cur=1&fmt=3", b'{\n"balance": "1871.62",\n"currency": "RUB"\n}'),
    ],
)
async def test_the_balance_is_told_in_every_format(centre, query, expected):
    assert await centre.body(ADDRESS + query) == expected


async def test_a_credit_is_a_further_member_of_json_alone(centre):
    centre.billing.answer = Statement(credit=500_000_000)

    assert await centre.body(ADDRESS) == b"1871.62"
    assert await centre.body(ADDRESS + "&fmt=2") == b"<balance>1871.62</balance>"
    assert (
        await centre.body(ADDRESS + "&fmt=3") == b'{\n"balance": "1871.62",\n"credit": "500.00"\n}'
    )


async def test_ten_requests_a_minute_are_enough():
    centre = Centre()
    for number in range(10):
        assert await centre.body(f"{ADDRESS}&n={number}") == b"1871.62"

    assert await centre.body(ADDRESS + "&fmt=1") == b"0,-9"
    centre.now += 60_000
    assert await centre.body(ADDRESS) == b"1871.62"
