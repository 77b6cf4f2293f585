"""Who pays whom: three accounts, one under another, charged over HTTP."""

import shutil

import pytest
from tests.serving import PASSWORD, Centre, until

pytestmark = pytest.mark.anyio

# What each pays for a part to the one above it; the topmost pays the centre.
PRICES = {"top": "1", "middle": "1.50", "leaf": "4"}
DELIVERED, UNDELIVERABLE, REFUSED = "79161112233", "79160009901", "79160009904"
TWO_PARTS = "x" * 200
NOTHING = dict.fromkeys(PRICES, 0.0)


@pytest.fixture(scope="module")
async def centre(furnished, tmp_path_factory):
    """The chain, whose middle pays for what is delivered and the others for what is sent; and
    `both`, with 1.00 and an electronic balance of 3.00."""
    folder = shutil.copytree(furnished, tmp_path_factory.mktemp("money") / "data")
    chain = Centre(folder)
    above = ""
    for login in PRICES:
        parent = ("--parent", above) if above else ()
        await chain.run(
            *("client", "add", login, "--password", PASSWORD, "--balance", "100", *parent)
        )
        above = login
    await chain.run("client", "set", "middle", "charge_on=delivered")
    await chain.run("client", "add", "both", "--password", PASSWORD, "--balance", "1")
    await chain.run("client", "topup", "both", "3", "--purse", "1")
    file = folder.with_name("rates.csv")
    lines = [f"{login};sms;;;{price}" for login, price in PRICES.items()]
    file.write_text("client;channel;prefix;operator;price\n" + "\n".join(lines) + "\n")
    await chain.run("rate", "load", str(file))
    async with chain:
        yield chain


async def balances(centre):
    """What each account may still spend."""
    rows = await centre.rows(
        "SELECT c.login, (a.posted - a.held) / 1000000.0 FROM accounts a"
        " JOIN clients c ON c.id = a.id WHERE a.purse = 0"
    )
    return {login: balance for login, balance in rows if login in PRICES}


async def moved(centre, login, phone, text=TWO_PARTS):
    """What sending one message has cost each account in the end, and the status of the message."""
    before = await balances(centre)
    await centre.ask("send", login=login, phones=phone, mes=text)
    await until(lambda: nothing_waits(centre))
    after = await balances(centre)
    status = await centre.value(
        f"SELECT status FROM messages WHERE phone = '{phone}' ORDER BY id DESC LIMIT 1"
    )
    return status, {name: after[name] - before[name] for name in before}


async def nothing_waits(centre):
    return not await centre.value("SELECT count(*) FROM queue")


async def test_each_account_pays_its_price_to_the_one_above(centre):
    before = float((await centre.ask("balance", login="leaf"))["balance"])
    price = await centre.ask("send", login="leaf", phones=DELIVERED, mes=TWO_PARTS, cost=1)
    status, changes = await moved(centre, "leaf", DELIVERED)
    after = float((await centre.ask("balance", login="leaf"))["balance"])

    assert price == {"cost": "8.00", "cnt": 2}
    assert status == 1
    assert changes == {"leaf": -8.0, "middle": 8.0 - 3.0, "top": 3.0 - 2.0}
    assert after == before - 8
    await centre.sound()


async def test_what_the_carrier_refuses_costs_nobody(centre):
    assert await moved(centre, "leaf", REFUSED) == (20, NOTHING)

    await centre.sound()


async def test_what_was_sent_in_vain_is_paid_by_who_pays_for_sending(centre):
    assert await moved(centre, "leaf", UNDELIVERABLE) == (
        20,
        {"leaf": -8.0, "middle": 5.0, "top": 1.0},
    )


async def test_what_was_sent_in_vain_is_free_for_who_pays_for_delivery(centre):
    assert await moved(centre, "middle", UNDELIVERABLE, "In vain") == (20, NOTHING)
    assert await moved(centre, "middle", DELIVERED, "Not in vain") == (
        1,
        {"leaf": 0.0, "middle": -1.5, "top": 0.5},
    )

    await centre.sound()


async def test_an_account_that_cannot_pay_is_told_so_and_its_ancestors_are_left_alone(centre):
    before = await balances(centre)
    phones = ",".join(str(79_170_000_000 + number) for number in range(100))
    answer = await centre.ask("send", login="leaf", phones=phones, mes="Too dear")

    assert (answer["error"], answer["error_code"]) == ("no money", 3)
    assert isinstance(answer["id"], int)
    assert await balances(centre) == before
    await centre.sound()


async def test_the_electronic_balance_pays_for_what_the_first_cannot(centre):
    phones = f"{DELIVERED},{UNDELIVERABLE},{REFUSED}"
    dear = await centre.ask("send", login="both", phones=phones, mes="By the second")
    cheap = await centre.ask("send", login="both", phones=DELIVERED, mes="By the first", cost=3)
    await until(lambda: nothing_waits(centre))
    flags = [
        (await centre.ask("status", login="both", phone=DELIVERED, id=answer["id"]))["flag"]
        for answer in (dear, cheap)
    ]
    [first] = await centre.ask("get", login="both", get_stat=1)
    [second] = await centre.ask("get", login="both", get_stat=1, balance2=1)

    assert (cheap["cost"], cheap["balance"], flags) == ("1.00", "0.00", [32, 0])
    assert (first["cnt"], first["credit"], first["debit"]) == (1, "1.00", "1.00")
    assert (second["cnt"], second["credit"], second["debit"]) == (3, "2.00", "3.00")
    await centre.sound()
