import io
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from importlib.resources import files

import pytest
from pypdf import PdfReader

from vestnik.domain.paper import ACT, INVOICE, Line, Paper, Party, to_hundredths
from vestnik.papers import draw

RUB = 1_000_000
INVOICE_15 = Paper(
    kind=INVOICE,
    num=15,
    day=(2025, 10, 5),
    seller=Party("ООО «Ромашка»", "ИНН 7701234567\nг. Москва, ул. Садовая, д. 4"),
    buyer=Party("ИП Александрова А. А.", "ИНН 770123456789"),
    lines=(Line("Услуги по доставке сообщений", 1, "service", 1_500 * RUB),),
    currency="RUB",
    language="ru",
    contract="12/2025",
)
ACT_7 = replace(
    INVOICE_15,
    kind=ACT,
    num=7,
    day=(2025, 11, 1),
    lines=(
        Line("Delivery of messages", 12_345, "message", 15_432_500_000),
        Line("Sender names", 3, "month", 4_500 * RUB),
    ),
    currency="USD",
    language="en",
    month=(2025, 10),
)


def pages(paper):
    found = PdfReader(io.BytesIO(draw(paper))).pages
    return [" ".join(page.extract_text().replace("\xa0", " ").split()) for page in found]


def text(paper):
    return " ".join(pages(paper))


def test_an_invoice_says_who_owes_whom_how_much_and_for_what():
    [page] = pages(INVOICE_15)

    for words in (
        "Счёт на оплату № 15 от 5 октября 2025 г.",
        "Поставщик ООО «Ромашка» ИНН 7701234567 г. Москва, ул. Садовая, д. 4",
        "Покупатель ИП Александрова А. А. ИНН 770123456789",
        "Договор № 12/2025",
        "1 Услуги по доставке сообщений 1 усл. 1 500,00 1 500,00",
        "Итого 1 500,00",
        "Всего 1 наименование на сумму 1 500,00 руб.",
        "Одна тысяча пятьсот рублей 00 копеек",
        "подпись расшифровка подписи",
    ):
        assert words in page


def test_an_act_says_what_was_done_in_its_month_and_both_sign_it():
    [page] = pages(ACT_7)

    for words in (
        "Act of services rendered No. 7 of 1 November 2025",
        "for October 2025",
        "Delivery of messages 12,345 msg 15,432.50",
        "Sender names 3 month 4,500.00",
        "Total 19,932.50",
        "Nineteen thousand nine hundred thirty-two US dollars 50 cents",
        "The services were rendered in full and on time.",
    ):
        assert words in page
    assert page.count("signature name Seal") == 2


def test_a_paper_without_a_contract_has_no_line_for_it():
    assert "Основание" not in text(replace(INVOICE_15, contract=""))


@pytest.mark.parametrize(
    "words",
    [
        "<b>bold</b> & co",
        '<img src="/etc/passwd"/>',
        "<para><font color=red>x</para>",
        "&lt;i&gt; <",
        "<a href='http://example.org'>x</a>",
        "]]> <!-- -- >",
    ],
)
def test_what_people_write_is_no_markup(words):
    paper = replace(
        INVOICE_15,
        seller=Party(words, words),
        buyer=Party(words, words),
        contract=words,
        lines=(Line(words, 1, "service", RUB),),
    )

    assert text(paper).count(words) == 6


def test_marks_that_only_screens_obey_are_left_out():
    assert "ab c" in text(replace(INVOICE_15, contract="a\u202eb\x00\x1b\u200b c"))


def test_long_words_and_details_go_on_over_pages_and_nothing_is_lost():
    paper = replace(
        INVOICE_15,
        seller=Party("Очень длинное название " * 20, "Слово" * 80),
        buyer=Party("W" * 300, "\n".join(f"line {n}." for n in range(29))),
        lines=(Line("услуга " * 60 + "Щ" * 200, 1, "service", 999_999_999_999_990_000),),
    )
    found = pages(paper)

    whole = " ".join(found)
    assert len(found) > 1
    assert "line 28." in whole
    assert whole.count("Щ") == 200
    assert "999 999 999 999,99" in whole
    assert f"страница 1 из {len(found)}" in found[0]
    assert "Очень длинное" not in found[-1]


def test_endless_details_are_cut_and_it_is_shown():
    whole = text(replace(INVOICE_15, buyer=Party("alex", "\n".join(["x" * 200] * 500))))

    assert "…" in whole
    assert len(whole) < 10_000


def test_the_same_paper_makes_the_same_octets_also_in_threads():
    alone = [draw(INVOICE_15), draw(ACT_7)]

    with ThreadPoolExecutor(4) as pool:
        together = list(pool.map(draw, [INVOICE_15, ACT_7] * 4))

    assert together == alone * 4


def test_a_title_tells_readers_what_it_is():
    reader = PdfReader(io.BytesIO(draw(INVOICE_15)))

    assert reader.metadata.title == "Счёт на оплату № 15 от 5 октября 2025 г."


def test_letters_of_other_alphabets_do_not_break_it():
    assert "alex" in text(replace(INVOICE_15, buyer=Party("alex 漢字 😀 עברית")))


def test_the_fonts_come_with_their_licence():
    folder = files("vestnik.papers") / "fonts"

    names = {entry.name for entry in folder.iterdir()}

    assert names == {"DejaVuSans.ttf", "DejaVuSans-Bold.ttf", "LICENSE"}
    assert "Bitstream" in (folder / "LICENSE").read_text()


def test_papers_know_nothing_smaller_than_a_hundredth():
    assert [to_hundredths(n) for n in (0, 4_999, 5_000, 1_234_567)] == [0, 0, 10_000, 1_230_000]
