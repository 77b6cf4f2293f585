import pytest

from vestnik.domain.numbering import Row
from vestnik.domain.register import (
    Findings,
    Operator,
    is_register,
    known_operators,
    normal,
    read,
    read_operators,
    zone_of,
)

HEADER = "АВС/ DEF;От;До;Емкость;Оператор;Регион;Территория ГАР;ИНН"
MTS = 'ПАО "Мобильные ТелеСистемы"'


def rows(*lines, header=HEADER, operators=None):
    findings = Findings()
    known = operators if operators is not None else known_operators()
    return list(read([header, *lines], known, findings)), findings


def test_a_range_of_the_register_becomes_a_row_of_the_plan():
    found, findings = rows(
        f"913;5000000;5009999;10000;{MTS};г.о. Барнаул|Алтайский край;край Алтайский;7740000076"
    )

    assert found == [
        Row(
            "79135000000", "79135009999", "Россия", "МТС", "Алтайский край", "25001", "Asia/Barnaul"
        )
    ]
    assert (findings.wrong, findings.companies, findings.places) == ([], {}, {})


def test_quotes_doubled_by_the_export_and_leading_zeroes_that_were_lost_are_borne():
    found, _ = rows('"495";"0";"999";1000;"ООО ""Связь""";"г. Москва и Московская область"')

    assert found[0][:4] == ("74950000000", "74950000999", "Россия", 'ООО "Связь"')


@pytest.mark.parametrize(
    "header",
    [HEADER, "\ufeff" + HEADER, "код;оператор;регион;от;до", "DEF;От;До;Ёмкость;Оператор;Регион"],
)
def test_the_header_says_where_the_fields_are(header):
    assert is_register(header + "\r\n")


def test_other_tables_are_no_register():
    assert not is_register("prefix;country;operator;region;mccmnc;zone")
    with pytest.raises(ValueError, match="line 1"):
        rows(header="от;до")


def test_what_is_not_known_is_counted_and_its_rows_are_there_all_the_same():
    found, findings = rows(
        "999;0000000;0000009;10;ООО «Неведомое»;Республика Мордор",
        "999;0000010;0000029;20;ООО «Неведомое»;Республика Мордор",
    )

    assert [row.mccmnc for row in found] == ["", ""]
    assert [row.operator for row in found] == ["ООО «Неведомое»"] * 2
    assert findings.companies == {"ООО «Неведомое»": 30}
    assert findings.places == {"Республика Мордор": 2}


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("91;1;2;2;A;B", "the code '91' is not three digits"),
        ("9x3;1;2;2;A;B", "the code '9x3' is not three digits"),
        ("913;1;99999999;2;A;B", "'0000001' and '99999999' are not numbers of seven digits"),
        ("913;2;1;2;A;B", "the range 0000002-0000001 ends before it begins"),
        ("913;1;2", "fields are missing"),
    ],
)
def test_a_wrong_line_is_left_out_and_told_by_its_number(line, words):
    found, findings = rows("913;1;2;2;A;Омская область", line, "", "913;3;4;2;A;Омская область")

    assert len(found) == 2
    assert (findings.wrong, findings.lines) == ([f"line 3: {words}"], 3)


@pytest.mark.parametrize(
    "name",
    [
        'ПАО "Мобильные ТелеСистемы"',
        "ПАО «МОБИЛЬНЫЕ  ТЕЛЕСИСТЕМЫ»",
        'Публичное акционерное общество "Мобильные ТелеСистемы"',
        "мобильные телесистемы",
    ],
)
def test_a_company_is_known_however_it_is_written(name):
    assert known_operators()[normal(name)] == Operator("25001", "МТС")


def test_a_name_that_is_only_a_legal_form_stays_a_name():
    assert normal("ООО") == "ооо"


def test_an_operator_may_say_what_other_companies_stand_for():
    known = read_operators(["name;mccmnc;operator", "# ours", 'ООО "Связь";25077;'])

    assert rows("999;1;2;2;Связь;Омская область", operators=known)[0][0][3:6] == (
        'ООО "Связь"',
        "Омская область",
        "25077",
    )


@pytest.mark.parametrize(
    ("lines", "words"),
    [
        ([], "line 1: the table is empty"),
        (["a;b;c"], "line 1: the header is not name;mccmnc;operator"),
        (["name;mccmnc;operator", "A;2500;B"], "line 2: it is not name;mccmnc;operator"),
        (["name;mccmnc;operator", "A;25001"], "line 2: it is not name;mccmnc;operator"),
    ],
)
def test_a_wrong_table_of_companies_is_told_by_its_line(lines, words):
    with pytest.raises(ValueError, match=words):
        read_operators(lines)


@pytest.mark.parametrize(
    ("region", "zone"),
    [
        ("г. Москва и Московская область", "Europe/Moscow"),
        ("г. Санкт - Петербург и Ленинградская область", "Europe/Moscow"),
        ("Калининградская обл.", "Europe/Kaliningrad"),
        ("Республика Татарстан (Татарстан)", "Europe/Moscow"),
        ("Ямало-Ненецкий автономный округ", "Asia/Yekaterinburg"),
        ("Ненецкий автономный округ", "Europe/Moscow"),
        ("Новосибирская область", "Asia/Novosibirsk"),
        ("Омская область", "Asia/Omsk"),
        ("Томская область", "Asia/Tomsk"),
        ("Республика Саха (Якутия)", "Asia/Yakutsk"),
        ("Сахалинская область", "Asia/Sakhalin"),
        ("Камчатский край", "Asia/Kamchatka"),
        ("Российская Федерация", "Europe/Moscow"),
        ("", ""),
        ("Мордор", ""),
    ],
)
def test_a_region_has_its_time_zone(region, zone):
    assert zone_of(region) == zone
