"""Numbers and sums of money in words, as papers of accountants have them."""

from collections.abc import Sequence
from dataclasses import dataclass

from vestnik.domain.money import MICRO

WHOLE_MAX = 10**15 - 1  # the largest number that has words here

_RU_UNITS = (
    "",
    "один",
    "два",
    "три",
    "четыре",
    "пять",
    "шесть",
    "семь",
    "восемь",
    "девять",
    "десять",
    "одиннадцать",
    "двенадцать",
    "тринадцать",
    "четырнадцать",
    "пятнадцать",
    "шестнадцать",
    "семнадцать",
    "восемнадцать",
    "девятнадцать",
)
_RU_FEMININE = {1: "одна", 2: "две"}
_RU_TENS = (
    "",
    "",
    "двадцать",
    "тридцать",
    "сорок",
    "пятьдесят",
    "шестьдесят",
    "семьдесят",
    "восемьдесят",
    "девяносто",
)
_RU_HUNDREDS = (
    "",
    "сто",
    "двести",
    "триста",
    "четыреста",
    "пятьсот",
    "шестьсот",
    "семьсот",
    "восемьсот",
    "девятьсот",
)
# One, two, five of each thousandfold; only thousands are feminine.
_RU_SCALES = (
    ("тысяча", "тысячи", "тысяч"),
    ("миллион", "миллиона", "миллионов"),
    ("миллиард", "миллиарда", "миллиардов"),
    ("триллион", "триллиона", "триллионов"),
)
_EN_UNITS = (
    "",
    "one",
    "two",
    "three",
    "four",
    "five",
    "six",
    "seven",
    "eight",
    "nine",
    "ten",
    "eleven",
    "twelve",
    "thirteen",
    "fourteen",
    "fifteen",
    "sixteen",
    "seventeen",
    "eighteen",
    "nineteen",
)
_EN_TENS = (
    "",
    "",
    "twenty",
    "thirty",
    "forty",
    "fifty",
    "sixty",
    "seventy",
    "eighty",
    "ninety",
)
_EN_SCALES = ("thousand", "million", "billion", "trillion")


@dataclass(frozen=True, slots=True)
class Currency:
    """The names of a currency and of its hundredth: one, two, five; in English one and many."""

    ru: tuple[str, str, str]
    ru_small: tuple[str, str, str]
    en: tuple[str, str]
    en_small: tuple[str, str]
    feminine: bool = False


_CENT = ("цент", "цента", "центов")
_KOPECK = ("копейка", "копейки", "копеек")
CURRENCIES = {
    "RUB": Currency(
        ("рубль", "рубля", "рублей"), _KOPECK, ("ruble", "rubles"), ("kopeck", "kopecks")
    ),
    "USD": Currency(
        ("доллар США", "доллара США", "долларов США"),
        _CENT,
        ("US dollar", "US dollars"),
        ("cent", "cents"),
    ),
    "EUR": Currency(("евро", "евро", "евро"), _CENT, ("euro", "euros"), ("cent", "cents")),
    "UAH": Currency(
        ("гривна", "гривны", "гривен"),
        _KOPECK,
        ("hryvnia", "hryvnias"),
        ("kopeck", "kopecks"),
        feminine=True,
    ),
    "KZT": Currency(
        ("тенге", "тенге", "тенге"),
        ("тиын", "тиына", "тиынов"),
        ("tenge", "tenge"),
        ("tiyn", "tiyn"),
    ),
    "BYN": Currency(
        ("белорусский рубль", "белорусских рубля", "белорусских рублей"),
        _KOPECK,
        ("Belarusian ruble", "Belarusian rubles"),
        ("kopeck", "kopecks"),
    ),
}


def form(number: int, forms: Sequence[str]) -> str:
    """The Russian form of a noun that goes with a number: one, two, five."""
    if number % 100 in range(11, 15):
        return forms[2]
    if number % 10 == 1:
        return forms[0]
    return forms[1] if number % 10 in (2, 3, 4) else forms[2]


def in_russian(number: int, *, feminine: bool = False) -> str:
    """A number from 0 to WHOLE_MAX in Russian words."""
    assert 0 <= number <= WHOLE_MAX, number
    words: list[str] = []
    for place, three in reversed(list(enumerate(_threes(number)))):
        if not three:
            continue
        words += _russian_three(three, feminine=feminine if place == 0 else place == 1)
        if place:
            words.append(form(three, _RU_SCALES[place - 1]))
    return " ".join(words) or "ноль"


def _russian_three(three: int, *, feminine: bool) -> list[str]:
    hundreds, rest = divmod(three, 100)
    tens, units = (0, rest) if rest < 20 else divmod(rest, 10)
    unit = _RU_FEMININE.get(units, _RU_UNITS[units]) if feminine else _RU_UNITS[units]
    return [word for word in (_RU_HUNDREDS[hundreds], _RU_TENS[tens], unit) if word]


def in_english(number: int) -> str:
    """A number from 0 to WHOLE_MAX in English words."""
    assert 0 <= number <= WHOLE_MAX, number
    words: list[str] = []
    for place, three in reversed(list(enumerate(_threes(number)))):
        if not three:
            continue
        words += _english_three(three)
        if place:
            words.append(_EN_SCALES[place - 1])
    return " ".join(words) or "zero"


def _english_three(three: int) -> list[str]:
    hundreds, rest = divmod(three, 100)
    words = [_EN_UNITS[hundreds], "hundred"] if hundreds else []
    if rest < 20:
        return [*words, _EN_UNITS[rest]] if rest else words
    tens, units = divmod(rest, 10)
    return [*words, f"{_EN_TENS[tens]}-{_EN_UNITS[units]}" if units else _EN_TENS[tens]]


def _threes(number: int) -> list[int]:
    """The digits in threes, the lowest first."""
    found = []
    while number:
        number, three = divmod(number, 1000)
        found.append(three)
    return found


def sum_in_words(micro: int, currency: str, language: str) -> str:
    """A sum of whole hundredths, in micro-units: the whole in words, the rest in figures.

    A currency without names here is told by its code.
    """
    whole, rest = divmod(micro // (MICRO // 100), 100)
    names = CURRENCIES.get(currency)
    if language == "ru":
        words = in_russian(whole, feminine=names is not None and names.feminine)
        unit = form(whole, names.ru) if names else currency
        small = form(rest, names.ru_small) if names else ""
    else:
        words = in_english(whole)
        unit = names.en[whole != 1] if names else currency
        small = names.en_small[rest != 1] if names else ""
    ending = f"{rest:02d} {small}" if small else f"{rest:02d}/100"
    return f"{words[0].upper()}{words[1:]} {unit} {ending}"
