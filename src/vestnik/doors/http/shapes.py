"""What an endpoint answers, as its description tells it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from vestnik.doors.http.reply import OK, Answer

# `money` is decimal text, `digits` a number written as text; a `date` is dd.mm.yyyy hh:mm:ss, a
# `minute` the same without seconds, a `moment` Unix seconds, an `id` a number if it is all digits
# and else text; a `list` holds records, `texts` are plain ones; a `record` is one within the other.
MEMBER_KINDS = (
    "text",
    "number",
    "money",
    "digits",
    "date",
    "minute",
    "moment",
    "id",
    "list",
    "texts",
    "record",
)


@dataclass(frozen=True, slots=True)
class Member:
    """One member of a record in JSON; `kind` is one of MEMBER_KINDS.

    `optional`: it may be missing.  `choices` are all the values there are, when they are few.  A
    text, a date and what is made of digits may always be empty.  `members` are those of a list's
    records, or of the one record.
    """

    name: str
    meaning: str
    kind: str = "text"
    optional: bool = False
    choices: tuple[str, ...] = ()
    members: tuple["Member", ...] = ()


@dataclass(frozen=True, slots=True)
class Shape:
    """One form of success: a record of `members`, an array of such records if there may be many.

    `files` are the content types if the answer is a file instead.  `asked` are the parameters of
    an example, credentials left out, and `example` is what it is answered.
    """

    meaning: str
    members: tuple[Member, ...] = ()
    many: bool = False
    files: tuple[str, ...] = ()
    asked: Mapping[str, str] = field(default_factory=dict)
    example: Callable[[], Answer] | None = None


def done(meaning: str, **asked: str) -> Shape:
    """The form of an operation without data (conventions.md, "Plain OK")."""
    members = (Member("result", "Always OK.", choices=("OK",)),)
    return Shape(meaning, members, asked=asked, example=lambda: OK)
