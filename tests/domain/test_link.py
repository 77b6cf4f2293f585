import random

import pytest

from vestnik.domain.link import (
    CODE_LENGTH,
    LINK_MAX,
    RANDOM_OCTETS,
    code_of,
    digest_of,
    is_code,
    location,
    replace_links,
)


def found(text):
    """The addresses of a text, and the text with a mark for each."""
    links = []

    def short(link):
        links.append(link)
        return f"<{len(links)}>"

    return replace_links(text, short), links


@pytest.mark.parametrize(
    ("text", "shortened", "links"),
    [
        ("see https://a.example/x.", "see <1>.", ["https://a.example/x"]),
        ("(http://a.example/x_(y)), now", "(<1>), now", ["http://a.example/x_(y)"]),
        ("HTTPS://A.EXAMPLE", "<1>", ["HTTPS://A.EXAMPLE"]),
        ("https://a.example/?q=1&r=2#top!", "<1>!", ["https://a.example/?q=1&r=2#top"]),
        ("a\nhttp://a.example\nhttp://b.example", "a\n<1>\n<2>", ["http://a.example", "http://b.example"]),
        ("https://пример.рф/путь", "<1>", ["https://пример.рф/путь"]),
        ("«https://a.example»", "«<1>»", ["https://a.example"]),
    ],
)  # fmt: skip
def test_an_address_is_found_without_what_stands_around_it(text, shortened, links):
    assert found(text) == (shortened, links)


@pytest.mark.parametrize(
    "text",
    [
        "javascript:alert(1)",
        "ftp://a.example/x",
        "data:text/html,x",
        "http://",
        "https://user@a.example/",
        "https://bank.example@evil.example/",
        "https://a.example:99999/",
        "https://a b",
        "https://" + "a" * LINK_MAX,
        "http://..",
        "www.example.com",
    ],
)
def test_what_is_no_sound_address_stays_as_it_is(text):
    shortened, _ = found(text)

    assert shortened == text or "<1> b" in shortened


@pytest.mark.parametrize(
    ("link", "expected"),
    [
        ("https://a.example/x?y=%20#z", "https://a.example/x?y=%20#z"),
        ("HTTP://A.Example:8080/Ж", "http://a.example:8080/%D0%96"),
        ("https://пример.рф/", "https://xn--e1afmkfd.xn--p1ai/"),
        ("http://[2001:db8::1]/x", "http://[2001:db8::1]/x"),
        ("https://a.example/\r\nSet-Cookie: x=1", None),
        ("https://a.example/\x7f", None),
        ("javascript://a.example/%0aalert(1)", None),
        ("//a.example/", None),
        ("/local", None),
        ("https:///path", None),
        ('https://a.example/"><script>', "https://a.example/%22%3E%3Cscript%3E"),
    ],
)
def test_a_location_is_ascii_and_leads_to_the_web_only(link, expected):
    assert location(link) == expected


def test_codes_are_of_one_length_and_differ():
    chance = random.Random(3)
    codes = {code_of(chance.randbytes(RANDOM_OCTETS)) for _ in range(5_000)}

    assert len(codes) == 5_000
    assert {len(code) for code in codes} == {CODE_LENGTH}
    assert all(is_code(code) for code in codes)


@pytest.mark.parametrize(
    "text", ["", "short", "тысячадев", "123456789\n", "../../etc", "12345678901"]
)
def test_what_is_no_code_is_told_from_one(text):
    assert not is_code(text)


def test_an_address_has_a_number_that_fits_a_column():
    numbers = {digest_of(f"https://a.example/{n}") for n in range(100)}

    assert len(numbers) == 100
    assert all(0 <= number < 2**63 for number in numbers)
