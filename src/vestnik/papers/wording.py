"""What papers say, in two languages."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

from vestnik.domain.money import MICRO
from vestnik.domain.paper import ACT, Paper
from vestnik.domain.words import form, sum_in_words

NBSP = "\u00a0"

_MONTHS = {
    "ru": (
        ("январь", "января"),
        ("февраль", "февраля"),
        ("март", "марта"),
        ("апрель", "апреля"),
        ("май", "мая"),
        ("июнь", "июня"),
        ("июль", "июля"),
        ("август", "августа"),
        ("сентябрь", "сентября"),
        ("октябрь", "октября"),
        ("ноябрь", "ноября"),
        ("декабрь", "декабря"),
    ),
    "en": (
        ("January", "January"),
        ("February", "February"),
        ("March", "March"),
        ("April", "April"),
        ("May", "May"),
        ("June", "June"),
        ("July", "July"),
        ("August", "August"),
        ("September", "September"),
        ("October", "October"),
        ("November", "November"),
        ("December", "December"),
    ),
}


@dataclass(frozen=True, slots=True)
class Wording:
    """The words of a paper that are the same on each of its kind."""

    seller: str
    buyer: str
    contract: str
    service: str
    quantity: str
    unit: str
    price: str
    amount: str
    total: str
    signature: str
    name: str
    stamp: str
    page: str
    confirmed: str = ""


_RU = Wording(
    seller="Поставщик",
    buyer="Покупатель",
    contract="Основание",
    service="Наименование услуги",
    quantity="Кол-во",
    unit="Ед.",
    price="Цена",
    amount="Сумма",
    total="Итого",
    signature="подпись",
    name="расшифровка подписи",
    stamp="М. П.",
    page="страница {} из {}",
)
_EN = Wording(
    seller="Seller",
    buyer="Buyer",
    contract="Reference",
    service="Service",
    quantity="Quantity",
    unit="Unit",
    price="Price",
    amount="Amount",
    total="Total",
    signature="signature",
    name="name",
    stamp="Seal",
    page="page {} of {}",
)
_ACTS = {
    "ru": (
        "Исполнитель",
        "Заказчик",
        (
            "Услуги оказаны полностью и в срок. Заказчик претензий по объёму, качеству и срокам"
            " оказания услуг не имеет."
        ),
    ),
    "en": (
        "Contractor",
        "Customer",
        (
            "The services were rendered in full and on time. The customer has no claims as to their"
            " volume, quality or terms."
        ),
    ),
}

_UNITS: Mapping[str, Mapping[str, str]] = {
    "ru": {"service": "усл.", "message": "сообщ.", "month": "мес."},
    "en": {"service": "item", "message": "msg", "month": "month"},
}
_SYMBOLS = {"RUB": "руб.", "USD": "долл. США", "EUR": "евро", "UAH": "грн.", "KZT": "тенге"}


def wording(paper: Paper) -> Wording:
    """The words of this paper."""
    usual = _RU if paper.language == "ru" else _EN
    if paper.kind != ACT:
        return usual
    seller, buyer, confirmed = _ACTS[paper.language]
    return replace(usual, seller=seller, buyer=buyer, confirmed=confirmed)


def title(paper: Paper) -> str:
    """The heading: what it is, its number and date."""
    day = long_date(paper.day, paper.language)
    if paper.language == "ru":
        kind = "Акт об оказании услуг" if paper.kind == ACT else "Счёт на оплату"
        return f"{kind} №{NBSP}{paper.num} от {day}"
    kind = "Act of services rendered" if paper.kind == ACT else "Invoice"
    return f"{kind} No.{NBSP}{paper.num} of {day}"


def period(paper: Paper) -> str:
    """Which month an act is about; "" of an invoice."""
    if paper.month is None:
        return ""
    year, month = paper.month
    name = _MONTHS[paper.language][month - 1][0]
    return f"за {name} {year}{NBSP}г." if paper.language == "ru" else f"for {name} {year}"


def long_date(day: tuple[int, int, int], language: str) -> str:
    """`5 октября 2025 г.`, `5 October 2025`."""
    year, month, number = day
    written = f"{number}{NBSP}{_MONTHS[language][month - 1][1]}{NBSP}{year}"
    return f"{written}{NBSP}г." if language == "ru" else written


def contract(paper: Paper) -> str:
    """The contract that a paper refers to; "" without one."""
    if not paper.contract:
        return ""
    return f"Договор № {paper.contract}" if paper.language == "ru" else f"Contract {paper.contract}"


def figures(micro: int, language: str) -> str:
    """`1 500,00`, `1,500.00`."""
    whole, rest = divmod(micro // (MICRO // 100), 100)
    grouped = f"{whole:,}"
    if language == "ru":
        return f"{grouped.replace(',', NBSP)},{rest:02d}"
    return f"{grouped}.{rest:02d}"


def count(number: int, language: str) -> str:
    """`12 345`, `12,345`."""
    return f"{number:,}".replace(",", NBSP) if language == "ru" else f"{number:,}"


def unit(name: str, language: str) -> str:
    """A unit of a line: service, message or month."""
    return _UNITS[language][name]


def currency(paper: Paper) -> str:
    """The currency as figures have it beside them."""
    if paper.language == "ru":
        return _SYMBOLS.get(paper.currency, paper.currency)
    return paper.currency


def summary(paper: Paper) -> str:
    """How many services for how much, in figures."""
    number, sum_ = len(paper.lines), figures(paper.total, paper.language)
    if paper.language == "ru":
        services = form(number, ("наименование", "наименования", "наименований"))
        return f"Всего {number} {services} на сумму {sum_}{NBSP}{currency(paper)}"
    services = "service" if number == 1 else "services"
    return f"{number} {services} for {sum_}{NBSP}{currency(paper)}"


def in_words(paper: Paper) -> str:
    """The sum in words."""
    return sum_in_words(paper.total, paper.currency, paper.language)
