"""What the operator decides of sender names and texts, and papers on the command line."""

import asyncio
from zoneinfo import ZoneInfo

import pytest
from tests.commands.test_commands import lines, vestnik  # noqa: F401 - a fixture

from vestnik.domain.client import Client
from vestnik.services.money import documents
from vestnik.services.senders.names import Senders, Wish, document
from vestnik.services.senders.templates import Templates
from vestnik.store import store_at

ALEX = Client(1, "alex")
NOON = 1_750_000_000_000


async def nothing():
    return None


def by_api(folder, work):
    """What clients do over HTTP, on the command's own folder."""

    async def run():
        store = store_at("", folder)
        await store.open()
        try:
            return await work(store)
        finally:
            await store.close()

    return asyncio.run(run())


@pytest.fixture
def shop(vestnik, tmp_path):  # noqa: F811 - the fixture
    """alex has asked for the name Shop, with a document, and for a text."""
    vestnik("client add alex --password password --balance 100")

    async def ask(store):
        wish = Wish(
            cmt="for the site",
            flags=["mts_step"],
            documents=[document("mark.pdf", b"%PDF-1.4 mark")],
            about="trade mark",
        )
        names = Senders(store, nothing, registration=True)
        await names.add(ALEX, "Shop", wish, NOON, mail=False)
        texts = Templates(store, nothing, registration=True)
        await texts.register(ALEX, "Shop", "Your code is %d", ["mts_srv"], NOON)

    by_api(tmp_path / "data", ask)
    return vestnik


def rows(done):
    return lines(done)[1:]


def test_a_name_is_approved_refused_and_asked_documents_for(shop):
    told = [rows(shop("sender list"))]
    for line in ("approve alex shop", "refuse alex Shop --reason why", "ask-documents alex Shop"):
        done = shop(f"sender {line}")
        assert done.exit_code == 0, done.stderr
        told.append(rows(shop("sender list --client alex")))

    assert [one[0][:7] for one in told] == [
        ["alex", "1", "Shop", status, "mts:asked", "1", "for the site"]
        for status in ("waits", "approved", "refused", "needs documents")
    ]
    assert told[2][0][7] == "why"
    assert rows(shop("sender list --client alex"))[0][3] == "needs documents"


def test_a_paid_name_that_is_connected_is_charged(shop, monkeypatch):
    monkeypatch.setenv("VESTNIK_SENDERS__FEE", "30.50")

    done = shop("sender operator alex Shop mts registered")

    assert done.stdout == "Shop of alex is registered at mts now\n"
    assert rows(shop("client list"))[0][2] == "69.50"
    assert rows(shop("sender list"))[0][4] == "mts:registered"
    assert shop("check").stdout == "every rule holds\n"


def test_who_cannot_pay_is_not_connected(shop, monkeypatch):
    monkeypatch.setenv("VESTNIK_SENDERS__FEE", "101")

    done = shop("sender operator alex Shop mts registered")

    assert done.exit_code == 1
    assert "cannot pay the first month" in done.stderr
    assert rows(shop("sender list"))[0][4] == "mts:asked"


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("sender approve boris Shop", "no client 'boris'"),
        ("sender approve alex Other", "no sender name 'Other'"),
        ("sender operator alex Shop nowhere off", "no operator 'nowhere'"),
        ("sender operator alex Shop bee off", "was not asked for at bee"),
        ("sender operator alex Shop mts lost", "'lost' is no state"),
        ("sender template approve alex 7", "no template 7"),
        ("sender list --client boris", "no client 'boris'"),
        ("document list --client boris", "no client 'boris'"),
        ("document save 7 x.pdf", "no document 7"),
    ],
)
def test_what_is_not_there_is_said_in_one_sentence(shop, line, words):
    done = shop(line)

    assert (done.exit_code, done.stdout) == (1, "")
    assert words in done.stderr


def test_documents_are_put_into_a_folder(shop, tmp_path):
    done = shop(f"sender documents alex Shop --folder {tmp_path}")

    assert done.stdout == f"{tmp_path}/alex_Shop_1_mark.pdf  trade mark\n"
    assert (tmp_path / "alex_Shop_1_mark.pdf").read_bytes() == b"%PDF-1.4 mark"
    assert "cannot be written" in shop("sender documents alex Shop --folder /nowhere").stderr


def test_texts_are_approved_and_rejected(shop):
    told = [rows(shop("sender template list"))]
    for verdict in ("approve", "reject"):
        assert shop(f"sender template {verdict} alex 1").exit_code == 0
        told.append(rows(shop("sender template list")))

    assert [one[0] for one in told] == [
        ["alex", "1", "Shop", "mts_srv", status, "Your code is %d"]
        for status in ("waits", "approved", "rejected")
    ]


def test_papers_are_listed_and_written(shop, tmp_path):
    shop("client add sub --password password --parent alex")

    async def order(store):
        papers = documents.Documents(store, documents.Habits("en", ZoneInfo("Europe/Moscow")))
        await papers.invoice(ALEX, documents.Subclient("sub"), 1_500_000_000, "", NOON)

    by_api(tmp_path / "data", order)

    assert rows(shop("document list")) == [
        ["1", "invoice", "1", "2025-06-15", "alex", "sub", "1500.00", "RUB"]
    ]
    assert len(rows(shop("document list --client sub"))) == 1
    assert shop(f"document save 1 {tmp_path}/a.pdf").exit_code == 0
    assert (tmp_path / "a.pdf").read_bytes().startswith(b"%PDF-")
    assert "cannot be written" in shop("document save 1 /nowhere/a.pdf").stderr
