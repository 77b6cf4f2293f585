"""Short links: finding addresses in a text, the codes that stand for them, where they lead."""

import re
from collections.abc import Callable
from hashlib import blake2b
from urllib.parse import quote, urlsplit

CODE_LENGTH = 9  # of 62 characters: some 10^16 codes, so that nobody guesses one
LINK_MAX = 2_000  # characters of an address; a longer one stays in its text

_ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
_CODES = len(_ALPHABET) ** CODE_LENGTH
RANDOM_OCTETS = 10  # that a code is made of

_address = re.compile(r"""https?://[^\s<>"'`\\^{|}\x00-\x20\x7f]+""", re.IGNORECASE)
_code = re.compile(rf"[0-9A-Za-z]{{{CODE_LENGTH}}}", re.ASCII).fullmatch

_TAIL = ".,;:!?…»”’*"  # ends a sentence, not an address
_PAIRS = {")": "(", "]": "["}
# What stays as it is in a header; everything else is written by its octets.
_SAFE = "%!$&'()*+,;=:@/?~-._"


def code_of(octets: bytes) -> str:
    """A code made of RANDOM_OCTETS random octets."""
    number = int.from_bytes(octets, "big") % _CODES
    letters = []
    for _ in range(CODE_LENGTH):
        number, place = divmod(number, len(_ALPHABET))
        letters.append(_ALPHABET[place])
    return "".join(letters)


def is_code(text: str) -> bool:
    """Whether a text has the form of a code."""
    return _code(text) is not None


def replace_links(text: str, short: Callable[[str], str]) -> str:
    """The text with `short` of each http and https address in it.

    A mark or a bracket that ends the sentence around an address stays behind it.  What is no sound
    address, or is longer than LINK_MAX, stays as it is.
    """

    def replaced(match: re.Match[str]) -> str:
        link, tail = _trimmed(match[0])
        return match[0] if location(link) is None else short(link) + tail

    return _address.sub(replaced, text)


def location(link: str) -> str | None:
    """An address as a Location header may say it, in ASCII; None if nobody should be led there.

    Only http and https, with a host and without a user's name, which would hide it.
    """
    if len(link) > LINK_MAX or any(ord(c) <= 0x20 or ord(c) == 0x7F for c in link):
        return None
    try:
        parts = urlsplit(link)
        host = (parts.hostname or "").encode("idna").decode("ascii")
        port = f":{parts.port}" if parts.port is not None else ""
    except (ValueError, UnicodeError):
        return None
    if parts.scheme not in ("http", "https") or not host or "@" in parts.netloc:
        return None
    if re.fullmatch(r"[a-z0-9.:_-]+", host) is None:
        return None
    if ":" in host:
        host = f"[{host}]"
    made = f"{parts.scheme}://{host}{port}{quote(parts.path, _SAFE)}"
    if parts.query:
        made += f"?{quote(parts.query, _SAFE)}"
    if parts.fragment:
        made += f"#{quote(parts.fragment, _SAFE)}"
    return made


def digest_of(link: str) -> int:
    """A number that finds an address again, below 2^63."""
    return int.from_bytes(blake2b(link.encode(), digest_size=8).digest(), "big") >> 1


def _trimmed(found: str) -> tuple[str, str]:
    """An address, and what only stood behind it."""
    link = found
    while link:
        last = link[-1]
        opened = _PAIRS.get(last)
        if last in _TAIL or (opened and link.count(last) > link.count(opened)):
            link = link[:-1]
        else:
            break
    return link, found[len(link) :]
