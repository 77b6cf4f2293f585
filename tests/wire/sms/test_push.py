import pytest

from vestnik.wire.sms.push import service_indication


def test_a_push_is_a_service_indication_to_the_push_port():
    data = service_indication("http://example.com/1\nNews")

    assert data == (
        bytes.fromhex("0605040b8423f0 dc0601ae 02056a0045c6 0c03")
        + b"example.com/1"
        + bytes.fromhex("00 01 03")
        + b"News"
        + bytes.fromhex("00 0101")
    )


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("https://www.example.com", b"\x0f\x03example.com\0"),
        ("https://example.com", b"\x0e\x03example.com\0"),
        ("http://www.example.com", b"\x0d\x03example.com\0"),
        ("wap.example.com", b"\x0b\x03wap.example.com\0"),
    ],
)
def test_the_beginning_of_a_link_is_one_octet(url, expected):
    assert expected in service_indication(f"{url}\nNews")


def test_a_title_may_be_in_any_language():
    assert "Новости".encode() in service_indication("http://example.com\nНовости")


def test_without_a_title_the_link_stands_for_it():
    assert service_indication("wap.example.com").count(b"wap.example.com") == 2


@pytest.mark.parametrize("text", ["", "\nNews", "http://e\0vil\nNews"])
def test_a_push_without_a_link_is_refused(text):
    with pytest.raises(ValueError):
        service_indication(text)
