from typing import NamedTuple
from zoneinfo import ZoneInfo

import pytest

from vestnik.doors.http.records import Field, Record
from vestnik.doors.http.reply import render
from vestnik.doors.http.schemas import shape_schema

MOSCOW = ZoneInfo("Europe/Moscow")


class Parcel(NamedTuple):
    id: str = "12"
    name: str = "Tea, green"
    cost: int = 1_400_000
    sent_at: int = 1_495_823_967_000
    note: str | None = None


PARCEL = Record[Parcel](
    "parcel",
    Field("id", lambda parcel: parcel.id, "Its id.", "id", told="ID - {id}"),
    Field("name", lambda parcel: parcel.name, "What is in it.", last=True),
    Field("sent", lambda parcel: parcel.sent_at, "When it was sent.", "date", short=False),
    Field("sent_s", lambda parcel: parcel.sent_at, "The same moment.", "moment", told=""),
    Field("note", lambda parcel: parcel.note, "A note.", optional=True),
    Field("cost", lambda parcel: parcel.cost, "Its price.", "money", after="id"),
    listed="parcels",
)


def told(answer, fmt):
    return render(answer, fmt, "utf-8").decode()


@pytest.mark.parametrize(
    ("fmt", "expected"),
    [
        (0, "ID - 12, cost = 1.40, name = Tea, green, sent = 26.05.2017 21:39:27, note = soon"),
        (1, "12,1.40,1495823967,soon,Tea, green"),
        (
            2,
            (
                "<parcel>\n<id>12</id>\n<name>Tea, green</name>\n<sent>26.05.2017 21:39:27</sent>\n"
                "<sent_s>1495823967</sent_s>\n<note>soon</note>\n<cost>1.40</cost>\n</parcel>"
            ),
        ),
        (
            3,
            (
                '{\n"id": 12,\n"name": "Tea, green",\n"sent": "26.05.2017 21:39:27",\n'
                '"sent_s": 1495823967,\n"note": "soon",\n"cost": "1.40"\n}'
            ),
        ),
    ],
)
def test_a_record_is_told_in_each_format_by_one_declaration(fmt, expected):
    found = told(PARCEL.reply(Parcel(note="soon"), MOSCOW), fmt)

    assert found == expected


def test_what_a_thing_lacks_is_left_out_everywhere():
    listing = PARCEL.listing([Parcel(), Parcel(note="soon"), Parcel()], MOSCOW)

    assert told(listing, 1).splitlines() == [
        "12,1.40,1495823967,Tea, green",
        "12,1.40,1495823967,soon,Tea, green",
        "12,1.40,1495823967,Tea, green",
    ]
    assert told(listing, 0).count("note") == 1
    assert told(listing, 2).count("<note>") == 1
    assert told(listing, 3).count("note") == 1


def test_text_in_the_place_of_a_moment_or_an_amount_stays_as_it_is():
    record = Record[str](
        "one",
        Field("sent", lambda text: text, "When.", "date"),
        Field("cost", lambda text: text, "How much.", "money"),
    )

    assert record.reply("").fields == {"sent": "", "cost": ""}


def test_dates_are_told_by_the_clocks_of_a_zone_or_not_at_all():
    with pytest.raises(AssertionError):
        PARCEL.reply(Parcel())


def test_values_by_commas_may_be_told_apart_by_quotes():
    record = Record[str](
        "one",
        Field("name", lambda text: text, "Its name."),
        Field("again", lambda text: text, "The same."),
        quoted=True,
    )

    assert told(record.reply("Tea"), 1) == "Tea,Tea"
    assert told(record.reply('{Tea},\n"green"'), 1) == '"{Tea}, ""green""","{Tea}, ""green"""'


def test_the_description_is_that_of_the_same_fields():
    one = PARCEL.one("A parcel.", Parcel(), get="1")
    many = PARCEL.many("Parcels.", Parcel(), get_all="1")
    schema = shape_schema(one)

    assert list(schema["properties"]) == ["id", "name", "sent", "sent_s", "note", "cost"]
    assert schema["required"] == ["id", "name", "sent", "sent_s", "cost"]
    assert one.example is not None
    assert one.example() == PARCEL.reply(Parcel(), MOSCOW)
    assert shape_schema(many)["type"] == "array"
    assert many.asked == {"get_all": "1"}
