"""What the command line says of subclients, purses and currencies."""

from tests.commands.test_commands import alex, lines, vestnik

__all__ = ["alex", "vestnik"]  # fixtures


def test_a_subclient_is_listed_with_its_main_account_and_type(vestnik, alex):
    vestnik("client add shop --password password --parent alex")
    vestnik("client set shop type=2")

    found = lines(vestnik("client list"))

    assert found[0][:4] == ["ID", "LOGIN", "PARENT", "TYPE"]
    assert found[2][:4] == ["2", "shop", "alex", "2"]


def test_the_electronic_balance_is_topped_up_apart(vestnik, alex):
    assert vestnik("client topup alex 5 --purse 1").stdout == "alex has 5.00 RUB now\n"
    assert vestnik("client topup alex 5").stdout == "alex has 105.00 RUB now\n"
    assert vestnik("client topup alex 5 --purse 2").exit_code == 2


def test_an_account_is_renamed_and_described(vestnik, alex):
    changed = lines(vestnik("client set alex login=Alexander", "name=Alex & Sons", "hours=9-22"))

    assert [row[:2] for row in changed[1:]] == [
        ["login", "alexander"],
        ["hours", "9-22"],
        ["name", "Alex & Sons"],
    ]
    assert vestnik("client set alex").exit_code == 1


def test_currencies_are_worth_what_the_operator_says(vestnik, alex):
    assert vestnik("currency set usd 92.5").stdout == "1 USD is worth 92.50 RUB\n"
    assert lines(vestnik("currency list"))[1:] == [["RUB", "1.00"], ["USD", "92.50"]]

    vestnik("client add shop --password password --parent alex")

    assert lines(vestnik("client set shop currency=USD"))[1][:2] == ["currency", "USD"]
    assert vestnik("client set shop currency=EUR").stderr == (
        "vestnik: nobody has told what EUR is worth\n"
    )
    assert "has had money in RUB already" in vestnik("client set alex currency=USD").stderr


def test_a_main_account_without_money_keeps_a_currency_its_subclients_can_be_paid_in(vestnik):
    vestnik("client add alex --password password")
    vestnik("client add shop --password password --parent alex")

    assert vestnik("client set alex currency=KZT").stderr == (
        "vestnik: nobody has told what RUB is worth\n"
    )


def test_what_a_currency_cannot_be_is_said(vestnik):
    wrong = {
        "RUB 5": "RUB is the currency of the centre",
        "US 5": "'US' is not a currency",
        "USD 0": "a currency is worth more than nothing",
        "USD much": "'much' is not an amount of money",
    }

    for words, said in wrong.items():
        assert said in vestnik(f"currency set {words}").stderr
