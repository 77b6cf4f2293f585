import pytest

from vestnik.wire.sms import gsm7
from vestnik.wire.sms.translit import translit

RUSSIAN = "абвгдеёжзийклмнопрстуфхцчшщъыьэюя"
NEIGHBOURS = "іїєґўәғқңөұүһ"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (RUSSIAN, "abvgdeyozhzijklmnoprstufhcchshsch\"y'eyuya"),
        ("Щука", "Schuka"),
        ("ЩУКА", "SCHUKA"),
        ("БОРЩ!", "BORSCH!"),
        ("Ёж", "Yozh"),
        ("Я ПОШЁЛ", "Ya POSHYOL"),
        ("ИЮнь", "IYun'"),
        ("Код: 1234\nЖдём", "Kod: 1234\nZhdyom"),
        ("Київ, Қазақстан", "Kiyiv, Qazaqstan"),
        ("Hello €5 😀", "Hello €5 😀"),
    ],
)
def test_transcription_follows_the_table_and_keeps_capitals(text, expected):
    assert translit(text, 1) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("транслит", "mpaHc/Ium"),
        ("ТРАНСЛИТ", "TPAHC/IUT"),
        ("Ваш код 77", "Baw kog 77"),
        ("Hello", "Hello"),
    ],
)
def test_look_alikes_follow_the_example(text, expected):
    assert translit(text, 2) == expected


@pytest.mark.parametrize("style", [1, 2])
@pytest.mark.parametrize("char", RUSSIAN + RUSSIAN.upper() + NEIGHBOURS + NEIGHBOURS.upper())
def test_every_letter_becomes_gsm_without_an_escape(style, char):
    latin = translit(char, style)

    assert gsm7.fits(latin)
    assert gsm7.septets(latin) == len(latin)


def test_style_0_changes_nothing():
    assert translit("Привет", 0) == "Привет"


@pytest.mark.parametrize("style", [-1, 3])
def test_an_unknown_style_is_refused(style):
    with pytest.raises(ValueError, match=f"no transliteration {style}"):
        translit("Привет", style)
