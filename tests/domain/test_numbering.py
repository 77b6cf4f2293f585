import pytest
from hypothesis import given
from hypothesis import strategies as st

from vestnik.domain.numbering import (
    UNKNOWN,
    Network,
    Numbering,
    Plotting,
    Row,
    builtin,
    builtin_rows,
    read_csv,
)
from vestnik.domain.ported import Gathered, Ported

HEADER = "prefix;country;operator;region;mccmnc;zone"


def prefix(digits, operator):
    return Row(digits, digits, "Россия", operator, "", "25001")


def numbers(first, last, operator):
    return Row(first, last, "Россия", operator, "", "25001")


def test_a_network_is_found_with_all_that_is_known_of_it():
    row = Row("7913", "7913", "Россия", "МТС", "Сибирь", "25001", "Asia/Omsk")

    network = Numbering([row]).find("79131234567")

    assert network == Network("Россия", "МТС", "Сибирь", "250", "01", "Asia/Omsk")
    assert network.mccmnc == "25001"


def test_a_number_that_no_row_has_is_unknown():
    table = Numbering([prefix("791", "A"), prefix("793", "B")])

    for msisdn in ("79012345678", "79212345678", "79412345678", "1", "999999999999999"):
        assert table.find(msisdn) is UNKNOWN


@pytest.mark.parametrize("phone", ["", "alex@example.com", "#123", "+79131234567"])
def test_what_is_no_msisdn_is_unknown(phone):
    assert Numbering([prefix("7", "A")]).find(phone) is UNKNOWN


def test_an_empty_table_knows_nothing():
    assert Numbering([]).find("79131234567") is UNKNOWN


def test_the_longest_prefix_counts_whatever_the_order():
    rows = [prefix("7", "A"), prefix("7913", "B"), prefix("79", "C")]

    for order in (rows, rows[::-1]):
        table = Numbering(order)

        found = [table.find(m).operator for m in ("74951234567", "79131234567", "79211234567")]
        assert found == ["A", "B", "C"]


def test_a_range_covers_its_ends_and_no_more():
    table = Numbering([numbers("79130010000", "79130019999", "A")])

    assert table.find("79130009999") is UNKNOWN
    assert table.find("79130010000").operator == "A"
    assert table.find("79130019999").operator == "A"
    assert table.find("79130020000") is UNKNOWN


def test_a_range_lies_over_the_prefix_it_is_cut_from():
    table = Numbering([numbers("79130010000", "79130019999", "A"), prefix("7913", "B")])

    assert table.find("79130015555").operator == "A"
    assert table.find("79130025555").operator == "B"


def test_of_equal_rows_the_last_counts():
    assert Numbering([prefix("7913", "A"), prefix("7913", "B")]).find("79131").operator == "B"


prefixes = st.text("123", min_size=1, max_size=3).map(lambda digits: (digits, digits))
triples = st.text("123", min_size=3, max_size=3)
ranges = st.one_of(prefixes, st.tuples(triples, triples).map(sorted))


@given(st.lists(ranges, max_size=8))
def test_overlapping_rows_give_what_a_search_of_all_would(ends):
    rows = [numbers(first, last, str(i)) for i, (first, last) in enumerate(ends)]
    table = Numbering(rows)

    for msisdn in (a + b + c + "5" for a in "1234" for b in "0123" for c in "1239"):
        having = [r for r in rows if r.first <= msisdn[: len(r.first)] <= r.last]
        width = {r: (int(r.last) - int(r.first) + 1) * 10 ** (3 - len(r.first)) for r in having}
        narrowest = [r for r in having if width[r] == min(width.values())]

        expected = narrowest[-1].operator if having else ""
        assert table.find(msisdn).operator == expected


def test_neighbours_of_one_network_are_one_place():
    table = Numbering(numbers(f"7913{i}", f"7913{i}", "A") for i in range(10))

    assert len(table) == len(Numbering([prefix("7913", "A")]))


def test_a_table_is_read_with_prefixes_ranges_comments_and_quotes():
    lines = [
        "\ufeff" + HEADER,
        "# Siberia",
        "",
        "7913;Россия;МТС;;25001;Asia/Omsk",
        "79130010000-79130019999 ; Россия;Йота;Алтай;25011",
        '375;Беларусь;;"Брест; Минск";;',
    ]

    assert list(read_csv(lines)) == [
        Row("7913", "7913", "Россия", "МТС", "", "25001", "Asia/Omsk"),
        Row("79130010000", "79130019999", "Россия", "Йота", "Алтай", "25011"),
        Row("375", "375", "Беларусь", "", "Брест; Минск", ""),
    ]


def test_the_zone_may_be_left_out_of_the_whole_table():
    lines = [HEADER.removesuffix(";zone"), "7913;Россия;МТС;;25001"]

    assert list(read_csv(lines)) == [Row("7913", "7913", "Россия", "МТС", "", "25001")]


@pytest.mark.parametrize(
    ("line", "why"),
    [
        ("7913;Россия;МТС;", "4 fields where the header has 6"),
        ("7913;Россия;МТС;;25001;Asia/Omsk;", "7 fields"),
        ("791x;Россия;МТС;;25001", "prefix '791x' is not 1 to 15 digits"),
        (";Россия;МТС;;25001", "prefix '' is not"),
        ("0913;Россия;МТС;;25001", "prefix '0913' is not"),
        ("7913-;Россия;МТС;;25001", "prefix '' is not"),
        ("1234567890123456;Россия;МТС;;25001", "1 to 15 digits"),
        ("7913-79139;Россия;МТС;;25001", "7913 and 79139 differ in length"),
        ("7914-7913;Россия;МТС;;25001", "the range 7914-7913 ends before it begins"),
        ("7913;;МТС;;25001", "the country is missing"),
        ("7913;Россия;МТС;;2500", "mccmnc '2500' is not 5 or 6 digits"),
        ("7913;Россия;МТС;;250-01", "mccmnc '250-01' is not"),
        ("7913;Россия;МТС;;25001;Asia/Nowhere", "there is no time zone 'Asia/Nowhere'"),
        ("7913;Россия;МТС;;25001;Asia", "there is no time zone 'Asia'"),
    ],
)
def test_a_bad_line_is_named_with_what_is_wrong(line, why):
    with pytest.raises(ValueError, match=f"line 3: .*{why}"):
        list(read_csv([HEADER, "7;Россия;;;", line]))


@pytest.mark.parametrize("header", ["7913;Россия;МТС;;25001", "prefix;country", HEADER + ";more"])
def test_a_table_without_its_header_is_refused(header):
    with pytest.raises(ValueError, match="line 1: the header is not prefix;country"):
        list(read_csv([header]))


def test_an_empty_table_is_refused():
    with pytest.raises(ValueError, match="the table is empty"):
        list(read_csv([]))


@pytest.mark.parametrize(
    ("msisdn", "country", "operator", "mccmnc", "zone"),
    [
        ("79161234567", "Россия", "МТС", "25001", "Europe/Moscow"),
        ("79241234567", "Россия", "МегаФон", "25002", "Asia/Vladivostok"),
        ("79031234567", "Россия", "Билайн", "25099", "Europe/Moscow"),
        ("79041234567", "Россия", "Т2", "25020", "Europe/Moscow"),
        ("79990000001", "Россия", "Йота", "25011", "Europe/Moscow"),
        ("73831234567", "Россия", "", "", "Asia/Novosibirsk"),
        ("77771234567", "Казахстан", "Beeline", "40101", "Asia/Almaty"),
        ("77172123456", "Казахстан", "", "", "Asia/Almaty"),
        ("375291234567", "Беларусь", "A1", "25701", "Europe/Minsk"),
        ("380671234567", "Украина", "Kyivstar", "25503", "Europe/Kiev"),
        ("4915112345678", "Германия", "", "", "Europe/Berlin"),
        ("12125550123", "США и Канада", "", "", ""),
        ("18765550123", "Ямайка", "", "", "America/Jamaica"),
    ],
)
def test_the_table_that_comes_with_us_knows_the_nearest_networks(
    msisdn, country, operator, mccmnc, zone
):
    network = builtin().find(msisdn)

    assert (network.country, network.operator, network.mccmnc) == (country, operator, mccmnc)
    assert network.zone == zone


def test_the_table_that_comes_with_us_says_nothing_twice():
    prefixes = [row.first for row in builtin_rows()]

    assert len(prefixes) == len(set(prefixes))


def test_every_network_that_comes_with_us_has_one_name_and_a_zone():
    names = {(row.mccmnc, row.operator) for row in builtin_rows() if row.mccmnc}

    assert len(names) == len({mccmnc for mccmnc, _ in names})
    assert all(row.zone and row.operator for row in builtin_rows() if row.mccmnc)


def test_an_operators_rows_lie_over_those_that_come_with_us():
    own = numbers("79160000000", "79160009999", "Наш")
    table = Numbering([*builtin_rows(), own])

    assert table.find("79160001234").operator == "Наш"
    assert table.find("79160101234").operator == "МТС"


# Numbers that moved.

MOSCOW = Row("7916", "7916", "Россия", "МТС", "г.Москва", "25001", "Europe/Moscow")
MOVED = 79160000001


def moved(*numbers, to="25002"):
    gathered = Gathered()
    for number in numbers:
        gathered.add(number, to)
    return Ported(gathered.blocks(), gathered.networks)


def test_a_ported_number_has_the_operator_it_moved_to_and_the_region_that_issued_it():
    plan = Numbering([MOSCOW, Row("7920", "7920", "Россия", "МегаФон", "", "25002")])
    plan = plan.with_ported(moved(MOVED))

    assert plan.find(str(MOVED)) == Network(
        "Россия", "МегаФон", "г.Москва", "250", "02", "Europe/Moscow"
    )
    assert plan.find(str(MOVED)) is plan.find(str(MOVED))
    assert plan.issued(str(MOVED)).operator == "МТС"
    assert plan.find("79160000002").operator == "МТС"


def test_a_plan_that_gets_ported_numbers_is_another_one():
    plan = Numbering([MOSCOW])

    assert plan.with_ported(moved(MOVED)).find(str(MOVED)).mccmnc == "25002"
    assert plan.find(str(MOVED)).mccmnc == "25001"


def test_a_number_that_moved_to_an_unknown_network_has_its_codes_and_no_name():
    plan = Numbering([MOSCOW]).with_ported(moved(MOVED, to="25777"))

    assert plan.find(str(MOVED)).mccmnc == "25777"
    assert plan.find(str(MOVED)).operator == ""


def test_a_message_keeps_the_network_it_went_to():
    plan = Numbering([MOSCOW, Row("7920", "7920", "Россия", "МегаФон", "", "25002")])

    assert plan.carried("79160000009", "25002").operator == "МегаФон"
    assert plan.carried("79160000009", "25001") is plan.issued("79160000009")
    assert plan.carried("79160000009", "").operator == "МТС"
    assert plan.carried("alex@example.com", "") is UNKNOWN


def test_a_network_has_a_number_that_stands_for_it():
    plan = Numbering([MOSCOW])

    assert plan.number_of("25001") == "791600000000000"
    assert plan.number_of("25099") == plan.number_of("") == ""


def test_rows_may_come_in_portions():
    rows = [
        prefix("7", "A"),
        prefix("7913", "B"),
        numbers("79135", "79137", "C"),
        prefix("79", "D"),
    ]
    plotting = Plotting()
    for row in rows:
        plotting.add([row])
    whole, portions = Numbering(rows), Numbering(plotting)

    probed = [str(number) for number in range(79120000000, 79140000000, 999_983)]
    assert [portions.find(n) for n in probed] == [whole.find(n) for n in probed]
    assert {whole.find(n).operator for n in probed} == {"B", "C", "D"}
