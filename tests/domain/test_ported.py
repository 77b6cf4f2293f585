import random

import pytest

from vestnik.domain.complaints import Complaints
from vestnik.domain.ported import BLOCK_NUMBERS, Gathered, Ported, changed, packed
from vestnik.domain.ported_file import day_of, read

FIRST = 79_160_000_000
FAR = 380_671_234_567  # more than a block reaches


def ported(pairs):
    gathered = Gathered()
    for number, mccmnc in pairs:
        gathered.add(number, mccmnc)
    return Ported(gathered.blocks(), gathered.networks)


def test_every_number_is_found_with_its_network_and_no_other():
    chance = random.Random(7)
    numbers = chance.sample(range(FIRST, FIRST + 40_000), 9_000)
    expected = {number: chance.choice(["25001", "25002", "310410"]) for number in numbers}
    table = ported(expected.items())

    found = {n: mccmnc for n in range(FIRST - 5, FIRST + 40_005) if (mccmnc := table.find(n))}
    assert found == expected
    assert len(table) == 9_000


def test_numbers_of_different_countries_share_no_block():
    table = ported([(FAR, "25503"), (FIRST, "25001"), (1_2025550123, "310410")])

    assert [table.find(n) for n in (FAR, FIRST, 1_2025550123)] == ["25503", "25001", "310410"]
    assert len(table.blocks) == 3


def test_of_a_number_twice_the_later_counts():
    gathered = Gathered()
    for mccmnc in ("25002", "25001", "25020"):
        gathered.add(FIRST, mccmnc)
    table = Ported(gathered.blocks(), gathered.networks)

    assert (table.find(FIRST), len(table), gathered.twice) == ("25020", 1, 2)


def test_nothing_is_found_in_nothing():
    assert Ported().find(FIRST) == ""
    assert not Ported()
    assert list(Ported().lines()) == [b"Phone;mccmnc\n"]


def test_the_whole_list_is_lines_by_growing_numbers_whose_length_is_known_before():
    table = ported([(FAR, "25503"), (FIRST + 9, "25002"), (FIRST, "310410"), (9_999_999, "25001")])

    text = b"".join(table.lines())

    assert text.decode() == (
        f"Phone;mccmnc\n9999999;25001\n{FIRST};310410\n{FIRST + 9};25002\n{FAR};25503\n"
    )
    assert table.octets == len(text)


def test_the_length_is_right_where_a_block_has_numbers_of_different_lengths():
    table = ported([(999_999_9, "25001"), (1_000_000_0, "25001")])

    assert table.octets == sum(map(len, table.lines()))
    assert len(table.blocks) == 1


def test_changes_move_numbers_add_some_and_send_some_back():
    [block] = packed([(FIRST, 0), (FIRST + 1, 0), (FIRST + 5, 1)])

    [now] = changed(block, {FIRST: None, FIRST + 1: 1, FIRST + 3: 0, FIRST + 4: None}, stamp=7)

    assert now.pairs() == {FIRST + 1: 1, FIRST + 3: 0, FIRST + 5: 1}
    assert (now.first, now.last, now.numbers, now.stamp) == (FIRST + 1, FIRST + 5, 3, 7)


def test_a_block_that_grows_too_big_becomes_equal_parts_and_an_empty_one_nothing():
    [block] = packed((FIRST + 2 * n, 0) for n in range(BLOCK_NUMBERS))

    parts = list(changed(block, {FIRST + 1: 0}, stamp=1))

    assert [part.numbers for part in parts] == [BLOCK_NUMBERS // 2, BLOCK_NUMBERS // 2 + 1]
    assert list(changed(block, dict.fromkeys(block.pairs()), stamp=1)) == []
    assert list(changed(None, {}, stamp=1)) == []


def lines(text):
    return text.encode().splitlines(keepends=True)


def test_a_file_may_have_a_header_a_mark_dates_and_either_kind_of_line_end():
    complaints = Complaints()

    found = list(
        read(
            lines("\ufeffPhone;mccmnc;date\r\n79160000001;25002;15.06.2025\r\n\n79160000002;25001"),
            complaints,
        )
    )

    assert found == [(79160000001, "25002", day_of("15.06.2025")), (79160000002, "25001", None)]
    assert (complaints.wrong, complaints.lines) == ([], 4)


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("abc;25001", "the phone is not 7 to 15 digits without a leading 0"),
        ("09160000001;25001", "the phone is not 7 to 15 digits without a leading 0"),
        ("1234567890123456;25001", "the phone is not 7 to 15 digits without a leading 0"),
        ("+79160000001;25001", "the phone is not 7 to 15 digits without a leading 0"),
        ("٧٩١٦٠٠٠٠٠٠١;25001", "the phone is not 7 to 15 digits without a leading 0"),
        ("79160000001;2500", "mccmnc is not 5 or 6 digits"),
        ("79160000001;25001;2025-06-15", "the date is not dd.mm.yyyy"),
        ("79160000001;25001;31.02.2025", "there is no day 31.02.2025"),
        ("Phone;mccmnc", "mccmnc is not 5 or 6 digits"),
    ],
)
def test_a_line_that_cannot_be_read_is_left_out_and_told(line, words):
    complaints = Complaints()

    found = list(read(lines(f"79160000009;25001\n{line}\n79160000008;\n"), complaints))

    assert [one[0] for one in found] == [79160000009, 79160000008]
    assert complaints.wrong == [f"line 2: {words}"]


def test_only_the_first_wrong_lines_are_told_in_words():
    complaints = Complaints()

    assert list(read([b"x\n"] * 50, complaints)) == []
    assert (len(complaints.wrong), complaints.wrong_lines, complaints.lines) == (20, 50, 50)


def test_days_are_counted_as_everywhere():
    assert (day_of("01.01.1970"), day_of("15.06.2025")) == (0, 20_254)
