"""What phones.php and mails.php read and answer (phones.md); they differ in two words."""

import re
from dataclasses import dataclass

from vestnik.domain.contact import NAME_MAX, QUERY_MAX, TEXT_MAX, Book, Contact, Group
from vestnik.doors.http.endpoint import Parameter
from vestnik.doors.http.reply import Listing, Reply, Value
from vestnik.doors.http.shapes import Member, Shape, done
from vestnik.services.contacts.books import Found

ID_DIGITS_MAX = 18  # more would not fit the store
ID_MAX = 10**ID_DIGITS_MAX - 1
NUM_MAX = 2**31 - 1

# In the order in which they count when a request has several.
OPERATIONS = (
    "add",
    "add_group",
    "chg",
    "chg_group",
    "move_group",
    "del",
    "del_group",
    "get",
    "get_group",
    "add_black",
    "del_black",
)
_NAMES = ("add", "chg")
_QUOTED = re.compile(r'[,"]')


@dataclass(frozen=True, slots=True)
class Words:
    """The words of one address book: what an address and its replacement are called."""

    book: Book
    address: str
    replacement: str


def parameters(words: Words) -> tuple[Parameter, ...]:
    """What the endpoint of a book reads."""
    addressed = ("add", "chg", "move_group", "del", "get", "add_black", "del_black")
    named = ("add", "add_group", "chg", "chg_group")
    grouped = ("add", "chg", "chg_group", "move_group", "del_group", "get")
    return (
        Parameter("add", "1 makes a contact.", kind="flag"),
        Parameter("add_group", "1 makes a group.", kind="flag"),
        Parameter("chg", "1 changes a contact.", kind="flag"),
        Parameter("chg_group", "1 renames a group.", kind="flag"),
        Parameter(
            "move_group",
            "A contact comes into a group: 1 instead of all others, 2 besides them; 3 leaves it.",
            kind="number",
            low=0,
            high=3,
        ),
        Parameter("del", "1 deletes a contact.", kind="flag"),
        Parameter("del_group", "1 deletes a group, though not its contacts.", kind="flag"),
        Parameter("get", "1 lists contacts.", kind="flag"),
        Parameter("get_group", "1 lists groups.", kind="flag"),
        Parameter("add_black", "1 puts an address on the black list.", kind="flag"),
        Parameter("del_black", "1 takes an address off the black list.", kind="flag"),
        Parameter(words.address, "Whom it is about; add takes a list.", only=addressed),
        Parameter(words.replacement, "All addresses that the contact is to have.", only=("chg",)),
        Parameter("name", "Title of the contact or group.", high=NAME_MAX, only=named),
        Parameter("grp", "Id of the group; add and chg take several by commas.", only=grouped),
        Parameter(
            "num",
            "Number of the group, as in G7; the smallest free one if left out.",
            kind="number",
            low=0,
            high=NUM_MAX,
            only=("add_group", "chg_group"),
        ),
        Parameter("lnm", "Last name.", high=NAME_MAX, only=_NAMES),
        Parameter("fnm", "First name.", high=NAME_MAX, only=_NAMES),
        Parameter("mnm", "Middle name.", high=NAME_MAX, only=_NAMES),
        Parameter(
            "fio", "Last, first and middle name in one; what get looks for.", only=(*_NAMES, "get")
        ),
        Parameter("bd", "Birthday, dd.mm.yyyy.", only=_NAMES),
        Parameter("myid", "The contact's id with the client.", high=NAME_MAX, only=_NAMES),
        Parameter("cmt", "Comment.", high=TEXT_MAX, only=_NAMES),
        Parameter("tags", "Labels, by commas.", high=TEXT_MAX, only=_NAMES),
        Parameter("pho", "Other numbers, kept as they are.", high=TEXT_MAX, only=_NAMES),
        Parameter(
            "type",
            "Of a group: 0 for telephones, 1 for e-mail.  Of the black list: 0 blocks everything,"
            " 1 mailings, 2 single messages.",
            kind="number",
            low=0,
            high=2,
            only=("add_group", "add_black"),
        ),
        Parameter("search", "Only contacts that have this in them.", high=QUERY_MAX, only=("get",)),
        Parameter(
            "after_id",
            "Only contacts past this int_id.",
            kind="number",
            low=0,
            high=ID_MAX,
            only=("get",),
        ),
    )


def answers(words: Words) -> tuple[Shape, ...]:
    """What it answers."""
    one_id = (Member("id", "Id of the contact, group or entry.", kind="number"),)
    shown = "79990000001" if words.book == Book.PHONES else "anna@example.org"
    return (
        Shape(
            "What was made: a contact, a group, an entry of the black list.",
            one_id,
            asked={"add": "1", words.address: shown, "name": "Anna"},
            example=lambda: made(1001, words.address),
        ),
        done("It was changed, moved or deleted.", **{"del": "1", words.address: shown}),
        Shape(
            "Contacts, by growing int_id.",
            (
                Member("int_id", "Id of the contact.", kind="number"),
                Member("id", "Its id with the client."),
                Member("name", "Its title."),
                Member(words.address, "Its addresses, by commas.", kind="text"),
                Member("group", "Ids of its groups, by bars; 0: none."),
                Member("first_name", "First name."),
                Member("last_name", "Last name."),
                Member("middle_name", "Middle name."),
                Member("birthday", "Birthday, dd.mm.yyyy."),
                Member("comments", "Comment."),
                Member("tags", "Labels."),
                Member("phone_other", "Other numbers."),
            ),
            many=True,
            asked={"get": "1"},
            example=lambda: Listing([contact(_an_example(words, shown), words)], root="contacts"),
        ),
        Shape(
            "Groups, by growing id.",
            (
                Member("id", "Id of the group.", kind="number"),
                Member("name", "Its name."),
                Member("number", "Its number, as in G7.", kind="digits"),
                Member("cnt", "How many contacts are in it.", kind="digits"),
            ),
            many=True,
            asked={"get_group": "1"},
            example=lambda: Listing([group(Group(321, 7, "Friends", 2))], root="groups"),
        ),
    )


def made(number: int, root: str) -> Reply:
    return Reply({"id": number}, "ID = {id}", "{id}", root=root)


def contact(found: Found, words: Words) -> Reply:
    known = found.contact
    fields: dict[str, Value] = {
        "int_id": known.id,
        "id": known.my_id,
        "name": known.name,
        words.address: known.addresses,
        "group": "|".join(map(str, found.groups)) or "0",
        "first_name": known.first_name,
        "last_name": known.last_name,
        "middle_name": known.middle_name,
        "birthday": known.birthday,
        "comments": known.comments,
        "tags": known.tags,
        "phone_other": known.phone_other,
    }
    sentence = ", ".join(f"{name} = {{{name}}}" for name in fields)
    return Reply(fields, sentence, _row(fields), root="contact")


def group(known: Group) -> Reply:
    fields: dict[str, Value] = {
        "id": known.id,
        "name": known.name,
        "number": str(known.num),
        "cnt": str(known.members),
    }
    sentence = ", ".join(f"{name} = {{{name}}}" for name in fields)
    return Reply(fields, sentence, _row(fields), root="group")


def _row(fields: dict[str, Value]) -> str:
    """The values by commas, quoted where one holds a comma or a quote, as a literal template."""
    cells = []
    for value in fields.values():
        cell = " ".join(str(value).splitlines())
        cells.append('"' + cell.replace('"', '""') + '"' if _QUOTED.search(cell) else cell)
    return ",".join(cells).replace("{", "{{").replace("}", "}}")


def _an_example(words: Words, address: str) -> Found:
    known = Contact(
        1,
        words.book,
        1001,
        address,
        "100500",
        "Anna",
        "Ivanova",
        "Anna",
        "",
        "01.02.1990",
        "",
        "friends",
        "",
        "",
    )
    return Found(known, (321, 322))
