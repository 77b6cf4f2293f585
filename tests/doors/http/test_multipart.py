import pytest

from vestnik.domain.refusals import BadParameters
from vestnik.doors.http.multipart import PARTS_MAX, File, read_multipart

TYPE = b"multipart/form-data; boundary=xx"


def part(name, value, *, filename=None):
    described = f'form-data; name="{name}"'
    if filename is not None:
        described += f'; filename="{filename}"'
    return b"--xx\r\nContent-Disposition: " + described.encode() + b"\r\n\r\n" + value + b"\r\n"


def form(*parts):
    return b"".join(parts) + b"--xx--\r\n"


def test_fields_keep_their_octets_and_files_their_order():
    body = form(
        part("file0", b"\x00\r\n\xff", filename="a.wav"),
        part("mes", b"\xcf\xf0\xe8"),
        part("x", b"two", filename="b.wav"),
    )

    fields, files = read_multipart(TYPE, body)

    assert fields == [(b"mes", b"\xcf\xf0\xe8")]
    assert files == [File("file0", "a.wav", b"\x00\r\n\xff"), File("x", "b.wav", b"two")]


def test_an_empty_file_input_is_no_file():
    assert read_multipart(TYPE, form(part("file0", b"", filename=""))) == ([], [])


@pytest.mark.parametrize(
    ("content_type", "body"),
    [
        (b"multipart/form-data", form(part("a", b"b"))),
        (b"multipart/form-data; boundary=", form(part("a", b"b"))),
        (b"multipart/form-data; boundary=" + b"x" * 400, form(part("a", b"b"))),
        (TYPE, part("a", b"b")),
        (TYPE, b"--yy\r\n\r\n"),
        (TYPE, b""),
        (TYPE, form(part("a", b"b"))[:-20]),
    ],
)
def test_a_form_that_is_broken_or_not_whole_is_refused(content_type, body):
    with pytest.raises(BadParameters):
        read_multipart(content_type, body)


def test_a_form_of_too_many_parts_is_refused():
    with pytest.raises(BadParameters, match="parts"):
        read_multipart(TYPE, form(*[part("a", b"")] * (PARTS_MAX + 1)))


def test_a_file_name_that_cannot_be_read_is_still_a_file():
    body = (
        b'--xx\r\nContent-Disposition: form-data; name="f"; filename="\xff.wav"\r\n\r\na\r\n--xx--'
    )

    [file] = read_multipart(TYPE, body)[1]

    assert file == File("f", "\ufffd.wav", b"a")
