"""Templates that operators register, and the test whether a text satisfies one (templates.md, 2).

`%w` stands for one word, `%w{1,5}` for one to five words, `%d` for digits, `%%` for a percent sign;
everything else stands for itself.  A word is any characters but white space.

A text is matched in one pass over the template.  All places of the text that the template may have
come to are bits of one whole number, so no text and no template makes it go back and try again.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass

from vestnik.domain.refusals import BadParameters

LENGTH_MAX = 1_000  # characters of a template
WORDS_MAX = 100  # words that one placeholder may stand for

_places = re.compile(r"%%|%d|%w(?:\{(\d{1,4}),(\d{1,4})\})?", re.ASCII)

# MCC and MNC of the operators whose templates are known, and their names in parameters.
OPERATORS = {
    "25001": "mts",
    "25002": "mega",
    "25099": "bee",
    "25028": "bee",
    "25020": "tele2",
    "25035": "motiv",
}

# What a template may be registered for, by parameter, as lists name it (templates.md, 2).
KINDS = {
    "mts_srv": "MTS (service)",
    "mts_auth": "MTS (authorisation)",
    "mts_trn": "MTS (transactional)",
    "mega_srv": "Megafon (service)",
    "mega_auth": "Megafon (authorisation)",
    "mega_trn": "Megafon (transactional)",
    "mega_adv": "Megafon (advertising)",
    "bee_srv": "Beeline (service)",
    "bee_trn": "Beeline (transactional)",
    "tele2_srv": "Tele2 (service)",
    "tele2_trn": "Tele2 (transactional)",
    "motiv_srv": "Motiv (service)",
    "motiv_trn": "Motiv (transactional)",
    "soc": "Social networks",
}


def operator_of(kind: str) -> str:
    """The operator that a kind of KINDS belongs to."""
    return kind.partition("_")[0]


@dataclass(frozen=True, slots=True)
class _Text:
    """What is being matched: bit `i` of a set of places stands before character `i`."""

    text: str
    digits: int
    words: int
    spaces: int

    def run(self, places: int, among: int) -> int:
        """The places that one or more characters of a class lead to."""
        first = (places & among) << 1
        # The carry of the sum runs through each run of ones to its end; its way is the answer.
        return (((first & among) + among) ^ among) | first

    def after(self, places: int, literal: str) -> int:
        """The places that these very characters lead to."""
        found, at = 0, self.text.find(literal)
        while at >= 0:
            found |= 1 << at
            at = self.text.find(literal, at + 1)
        return (places & found) << len(literal)


Step = Callable[[_Text, int], int]


def _literal(characters: str) -> Step:
    return lambda text, places: text.after(places, characters)


def _digits(text: _Text, places: int) -> int:
    return text.run(places, text.digits)


def _words(least: int, most: int) -> Step:
    def step(text: _Text, places: int) -> int:
        reached = 0
        for number in range(1, most + 1):
            places = text.run(places, text.words)
            if number >= least:
                reached |= places
            places = text.run(places, text.spaces)
            if not places:
                break
        return reached

    return step


class OpTemplate:
    """A template that texts can be held against; raises BadParameters when it cannot be read."""

    __slots__ = ("_steps", "template")

    def __init__(self, template: str) -> None:
        self.template = _plain(template)
        if not self.template or len(self.template) > LENGTH_MAX:
            raise BadParameters(f"msg: a template has 1 to {LENGTH_MAX} characters")
        self._steps = tuple(_steps(self.template))

    def fits(self, text: str) -> bool:
        """The whole text satisfies it."""
        text = _plain(text)
        whole = _Text(
            text,
            _bits(text, lambda c: c.isascii() and c.isdigit()),
            _bits(text, lambda c: not c.isspace()),
            _bits(text, str.isspace),
        )
        places = 1
        for step in self._steps:
            places = step(whole, places)
            if not places:
                return False
        return bool(places >> len(text) & 1)


def _plain(text: str) -> str:
    return text.replace("\r\n", "\n").replace("\r", "\n").strip()


def _bits(text: str, belongs: Callable[[str], bool]) -> int:
    return int("".join("1" if belongs(c) else "0" for c in reversed(text)) or "0", 2)


def _steps(template: str) -> list[Step]:
    steps: list[Step] = []
    literal, at = "", 0
    for found in _places.finditer(template):
        literal += template[at : found.start()]
        at = found.end()
        if found[0] == "%%":
            literal += "%"
            continue
        if literal:
            steps.append(_literal(literal))
            literal = ""
        steps.append(_digits if found[0] == "%d" else _words(*_bounds(found)))
    literal += template[at:]
    if literal:
        steps.append(_literal(literal))
    return steps


def _bounds(found: re.Match[str]) -> tuple[int, int]:
    if found[1] is None:
        return 1, 1
    least, most = int(found[1]), int(found[2])
    if not 1 <= least <= most <= WORDS_MAX:
        raise BadParameters(f"msg: {found[0]} does not stand for 1 to {WORDS_MAX} words")
    return least, most
