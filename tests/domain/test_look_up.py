import pytest
from hypothesis import given
from hypothesis import strategies as st

from vestnik.domain import look_up

AT_HOME = {
    "imsi": "250023012345678",
    "msc": "79232510066",
    "mcc": "250",
    "mnc": "02",
    "cn": "Russian Federation",
    "net": "MegaFON open Joint Stock Company",
    "rcn": "",
    "rnet": "",
}
# The example of smpp.md.
LINE = (
    "imsi:250023012345678 msc:79232510066 mcc:250 mnc:02 cn:Russian+Federation"
    " net:MegaFON+open+Joint+Stock+Company rcn: rnet:"
)


def test_the_line_is_that_of_the_reference_service():
    assert look_up.written(AT_HOME) == LINE


def test_the_line_is_read_wherever_it_stands():
    assert look_up.read(f"id:855469 stat:DELIVRD err:000 {LINE}") == AT_HOME


@pytest.mark.parametrize(
    "text", ["", "id:1 stat:DELIVRD err:000", "text:my imsi is secret", "nimsi:5 xmsc:7"]
)
def test_other_texts_say_nothing(text):
    assert look_up.read(text) == {}


values = st.text(st.characters(blacklist_categories=("Cs",)), max_size=20)


@given(st.fixed_dictionaries(dict.fromkeys(look_up.NAMES, values)))
def test_whatever_a_network_calls_itself_is_read_as_it_was_written(found):
    assert look_up.read(look_up.written(found)) == found
