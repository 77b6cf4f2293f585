import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vestnik.domain.refusals import BadParameters
from vestnik.doors.smtp.letter import HEADER_MAX, File, read_letter

TYPE = "Content-Type: text/plain; charset="


def written(headers, body, charset="utf-8"):
    return f"{headers}\r\n\r\n".encode("ascii") + body.encode(charset)


def multipart(*parts, subtype="mixed"):
    inside = "".join(f"--B\r\n{part}\r\n" for part in parts)
    return written(f'Content-Type: multipart/{subtype}; boundary="B"', f"{inside}--B--\r\n")


@pytest.mark.parametrize(
    ("headers", "charset"),
    [
        ("Subject: x", "koi8-r"),
        ("Content-Type: text/plain", "koi8-r"),
        (TYPE + '"koi8-r"', "koi8-r"),
        (TYPE + "us-ascii", "koi8-r"),
        (TYPE + "windows-1251", "cp1251"),
        (TYPE + '"UTF-8"', "utf-8"),
        (TYPE + "iso-8859-5", "iso-8859-5"),
    ],
)
def test_a_letter_is_read_in_its_charset_koi8_r_if_it_names_none(headers, charset):
    assert read_letter(written(headers, "Привет", charset)).text == "Привет"


@pytest.mark.parametrize(
    ("headers", "body", "words"),
    [
        (TYPE + "utf-8", b"\xff", "cannot be read as utf-8"),
        (TYPE + "idna", b"x", "the charset"),
        (TYPE + "utf-16", b"x", "the charset"),
        ("Content-Type: image/png", b"x", "no text"),
        ("Content-Type: multipart/mixed; boundary=B", b"--B--", "no text"),
        ("Content-Type: text/html", b"alex:123:::::1:x", r"\[text\]"),
        (TYPE + "utf-8\r\nContent-Transfer-Encoding: base64", b"!!!!", "base64"),
        (TYPE + "utf-8\r\nContent-Transfer-Encoding: base64", b"YWJ", "base64"),
        (TYPE + "utf-8\r\nContent-Transfer-Encoding: x-uuencode", b"x", "transfer encoding"),
        ("X: y", b"Content-Type: text/plain\r\n" * 60, "more than 50 parts"),
    ],
)
def test_what_cannot_be_read_is_refused_in_plain_words(headers, body, words):
    with pytest.raises(BadParameters, match=words):
        read_letter(f"{headers}\r\n\r\n".encode() + body)


@pytest.mark.parametrize(
    ("encoding", "body"),
    [
        ("base64", "0J/RgNC4\r\n0LLQtdGC\r\n"),
        ("Quoted-Printable", "=D0=9F=D1=80=D0=B8=\r\n=D0=B2=D0=B5=D1=82"),
        ("8bit", "Привет"),
    ],
)
def test_transfer_encodings_are_undone(encoding, body):
    headers = f"{TYPE}utf-8\r\nContent-Transfer-Encoding: {encoding}"

    assert read_letter(written(headers, body)).text == "Привет"


def test_only_what_stands_between_the_marks_counts():
    letter = read_letter(written(TYPE + "utf-8", "Hello\r\n[text]a:b[/TEXT]\r\n-- \r\nBob"))

    assert letter.text == "a:b"


def test_html_between_the_marks_is_read_as_text():
    html = "<p>Hi</p><div>[text]alex:1&amp;2:<b>x</b>:a\r\n b<br>c&nbsp;d[/text]</div>"

    letter = read_letter(written("Content-Type: text/html; charset=utf-8", html))

    assert letter.text == "alex:1&2:x:a b\nc d"


def test_lines_that_a_mail_program_folded_are_one():
    body = "one \r\ntwo\r\n from\r\n-- \r\nend"
    flowed = read_letter(written(TYPE + "utf-8; format=flowed", body))
    closed = read_letter(written(TYPE + "utf-8; format=flowed; delsp=yes", body))

    assert flowed.text == "one two\nfrom\n-- \nend\n"
    assert closed.text == "onetwo\nfrom\n-- \nend\n"


def test_the_plain_form_of_a_letter_is_preferred_and_the_other_is_no_file():
    letter = read_letter(
        multipart(
            "Content-Type: text/html; charset=utf-8\r\n\r\n<b>x</b>",
            "Content-Type: text/plain; charset=utf-8\r\n\r\nплоско",
            subtype="alternative",
        )
    )

    assert (letter.text, letter.files()) == ("плоско", ())


def test_other_parts_are_files():
    letter = read_letter(
        multipart(
            "Content-Type: text/plain\r\n\r\ncommand",
            "Content-Type: audio/wav\r\nContent-Transfer-Encoding: base64\r\n"
            'Content-Disposition: attachment; filename="a\tb.wav"\r\n\r\nUklGRg==',
            "Content-Type: text/plain; name=note.txt\r\n\r\nnote",
        )
    )

    assert letter.files() == (File("file", "a b.wav", b"RIFF"), File("file", "note.txt", b"note"))


@pytest.mark.parametrize(
    "part",
    [
        "Content-Type: audio/wav\r\nContent-Transfer-Encoding: base64\r\n\r\n%%%",
        "Content-Type: message/rfc822\r\n\r\nSubject: x\r\n\r\ny",
    ],
)
def test_a_file_that_cannot_be_read_only_matters_when_files_are_asked_for(part):
    letter = read_letter(multipart("Content-Type: text/plain\r\n\r\ncommand", part))

    assert letter.text == "command"
    with pytest.raises(BadParameters):
        letter.files()


@pytest.mark.parametrize(
    ("subject", "expected"),
    [
        (b"Hi", "Hi"),
        (b"=?utf-8?b?0J/RgNC40LLQtdGC?=", "Привет"),
        (b"=?utf-8?b?0J/RgA?=", "Пр"),
        (b"=?nonsense?b?0J/RgA==?=", "=?nonsense?b?0J/RgA==?="),
        ("Привет".encode("koi8-r"), "Привет"),
        (b"a\tb\0c", "a b c"),
    ],
)
def test_a_subject_is_for_people(subject, expected):
    assert read_letter(b"Subject: " + subject + b"\r\n\r\nx").subject == expected


@pytest.mark.parametrize(
    ("value", "expected"),
    [("", False), ("no", False), ("No; x", False), ("auto-replied", True), ("x", True)],
)
def test_a_letter_that_a_program_wrote_by_itself_says_so(value, expected):
    headers = f"Auto-Submitted: {value}" if value else "X: y"

    assert read_letter(written(headers, "x")).automatic is expected


def test_the_whole_of_a_letter_needs_no_marks():
    html = "<head><style>p {}</style><title>x</title></head><p>Hi&nbsp;Bob</p><script>1</script>!"
    letter = read_letter(written("Content-Type: text/html", html), whole=True)

    assert letter.text == "Hi Bob\n!"
    assert read_letter(written("X: y", "a [text]b[/text]"), whole=True).text == "a [text]b[/text]"


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        ("From: Bob <bob@x.example>", "bob@x.example"),
        ('From: "ann@y" <bob@x>', "bob@x"),
        ("X: y", ""),
    ],
)
def test_the_author_is_an_address(header, expected):
    assert read_letter(written(header, "x")).author == expected


HOSTILE = {
    "nested": b"".join(
        b'Content-Type: multipart/mixed; boundary="%d"\r\n\r\n--%d\r\n' % (n, n) for n in range(50)
    )
    + b"\r\n" * 45_000,
    "deeper": b"".join(
        b'Content-Type: multipart/mixed; boundary="%d"\r\n\r\n--%d\r\n' % (n, n)
        for n in range(1_500)
    ),
    "parameters": b"Content-Type: text/plain" + b';"' * 51_000 + b"\r\n\r\nx",
    "tags": b"Content-Type: text/html\r\n\r\n[text]" + b"<" * 102_000,
    "breaks": b"Content-Type: text/html\r\n\r\n[text]" + b"<br" * 34_000,
    "marks": b"\r\n" + b"[text]" * 17_000,
    "styles": b"Content-Type: text/html\r\n\r\n" + b"<style" * 8_000 + b"<style>" * 7_000,
    "authors": b"From: " + b'(<"' * 34_000 + b"\r\n\r\nx",
    "headers": b"A:b\r\n" * 20_000 + b"\r\nx",
    "words": b"Subject: " + b"=?utf-8?q?x?= " * 7_000 + b"\r\n\r\nx",
}


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_letter_takes_no_longer_than_its_size_allows(name):
    began = time.process_time()
    for whole in (False, True):
        try:
            read_letter(HOSTILE[name], whole=whole)
        except BadParameters:
            pass
    took = time.process_time() - began

    assert took < 2.0


def test_a_header_is_looked_at_so_far():
    letter = read_letter(b"Subject: " + b"x" * 100_000 + b"\r\n\r\nx")

    assert len(letter.subject) == HEADER_MAX


@settings(max_examples=300, deadline=None)
@given(
    st.lists(
        st.one_of(
            st.binary(max_size=30),
            st.sampled_from(
                [
                    b"\r\n",
                    b"\r\n\r\n",
                    b"Content-Type: ",
                    b"multipart/mixed; boundary=B",
                    b"message/rfc822",
                    b"text/plain; charset*=utf-8''x",
                    b"text/html",
                    b"--B",
                    b"--B--",
                    b"Content-Transfer-Encoding: base64",
                    b"Content-Transfer-Encoding: quoted-printable",
                    b"Content-Disposition: attachment; filename*=idna'x'%FF",
                    b"Subject: =?utf-8?b?",
                    b"?=",
                    b"[text]",
                    b"\0",
                ]
            ),
        ),
        max_size=30,
    )
)
def test_any_octets_are_a_letter_or_are_refused(pieces):
    try:
        letter = read_letter(b"".join(pieces))
        letter.files()
    except BadParameters:
        return
    assert "\udc80" not in letter.text
