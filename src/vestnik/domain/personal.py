"""Texts with a place for each recipient's own words: `Hello, {first_name|friend}!`

Ours; the reference service has nothing of the kind.  `{{` is a brace, and braces around anything
that is no field of a contact stay as they are.
"""

import re
from collections.abc import Mapping

FIELDS = frozenset(
    {
        "name",
        "last_name",
        "first_name",
        "middle_name",
        "birthday",
        "comments",
        "tags",
        "phone",
        "mail",
        "id",
    }
)

_place = re.compile(r"\{(?:\{|(" + "|".join(sorted(FIELDS)) + r")(?:\|([^{}]*))?\})")


def is_personal(text: str) -> bool:
    """Whether `fill` would change the text."""
    return "{" in text and _place.search(text) is not None


def fill(text: str, fields: Mapping[str, str]) -> str:
    """The text with a contact's words in their places.

    What a contact lacks, or has but blanks for, is what stands behind the bar: `{name|friend}`.
    What is put in is not looked at again, so a contact's own braces mean nothing.
    """

    def own(place: re.Match[str]) -> str:
        name = place[1]
        if name is None:
            return "{"
        value = fields.get(name, "")
        return value if value.strip() else place[2] or ""

    return _place.sub(own, text)
