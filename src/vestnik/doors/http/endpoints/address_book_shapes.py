"""What phones.php and mails.php read and answer (phones.md); they differ in two words."""

from dataclasses import dataclass
from functools import cache

from vestnik.domain.contact import NAME_MAX, QUERY_MAX, TEXT_MAX, Book, Contact, Group
from vestnik.doors.http.endpoint import Parameter
from vestnik.doors.http.records import Field, Record
from vestnik.doors.http.reply import Reply
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
        contacts(words).many("Contacts, by growing int_id.", _an_example(words, shown), get="1"),
        GROUPS.many("Groups, by growing id.", Group(321, 7, "Friends", 2), get_group="1"),
    )


def made(number: int, root: str) -> Reply:
    return Reply({"id": number}, "ID = {id}", "{id}", root=root)


@cache
def contacts(words: Words) -> Record[Found]:
    """A contact of a book."""
    return Record(
        "contact",
        Field("int_id", lambda one: one.contact.id, "Id of the contact.", "number"),
        Field("id", lambda one: one.contact.my_id, "Its id with the client."),
        Field("name", lambda one: one.contact.name, "Its title."),
        Field(words.address, lambda one: one.contact.addresses, "Its addresses, by commas."),
        Field(
            "group",
            lambda one: "|".join(map(str, one.groups)) or "0",
            "Ids of its groups, by bars; 0: none.",
        ),
        Field("first_name", lambda one: one.contact.first_name, "First name."),
        Field("last_name", lambda one: one.contact.last_name, "Last name."),
        Field("middle_name", lambda one: one.contact.middle_name, "Middle name."),
        Field("birthday", lambda one: one.contact.birthday, "Birthday, dd.mm.yyyy."),
        Field("comments", lambda one: one.contact.comments, "Comment."),
        Field("tags", lambda one: one.contact.tags, "Labels."),
        Field("phone_other", lambda one: one.contact.phone_other, "Other numbers."),
        listed="contacts",
        quoted=True,
    )


GROUPS = Record[Group](
    "group",
    Field("id", lambda group: group.id, "Id of the group.", "number"),
    Field("name", lambda group: group.name, "Its name."),
    Field("number", lambda group: group.num, "Its number, as in G7.", "digits"),
    Field("cnt", lambda group: group.members, "How many contacts are in it.", "digits"),
    listed="groups",
    quoted=True,
)


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
