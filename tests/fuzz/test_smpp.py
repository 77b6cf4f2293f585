"""A bounded run of the fuzzer over what SMPP clients and carriers may send."""

import importlib.util
import subprocess
import sys

import pytest

from vestnik.wire.smpp import pdu as p
from vestnik.wire.smpp import tlv

SECONDS = 10
EXAMPLES = [
    p.BindTransceiver("shop", "secret", "ISO", 0x34),
    p.SubmitSm(source_addr="Shop", destination_addr="79161234567", short_message=b"Hello"),
    p.SubmitSm(
        destination_addr="79161234567",
        esm_class=0x40,
        schedule_delivery_time="260101120000012+",
        validity_period="000001000000000R",
        data_coding=8,
        short_message=b"\x05\x00\x03\x01\x02\x01\x04\x1f",
    ),
    p.SubmitSm(
        destination_addr="79161234567",
        data_coding=0xF5,
        tlvs={
            tlv.MESSAGE_PAYLOAD: b"x" * 300,
            tlv.SAR_MSG_REF_NUM: b"\0\7",
            tlv.SAR_TOTAL_SEGMENTS: b"\2",
            tlv.SAR_SEGMENT_SEQNUM: b"\1",
        },
    ),
    p.DataSm(destination_addr="79161234567", tlvs={tlv.MESSAGE_PAYLOAD: b"__MAIL__Hi\nyou"}),
    p.DeliverSm(
        esm_class=4,
        short_message=b"id:7 sub:001 dlvrd:001 submit date:2601011200 done date:2601011201"
        b" stat:DELIVRD err:000 text:",
    ),
    p.QuerySm("7"),
    p.CancelSm(message_id="7"),
    p.EnquireLink(),
    p.Unbind(),
]


@pytest.mark.skipif(
    importlib.util.find_spec("atheris") is None,
    reason="atheris is not installed (pip install 'vestnik[fuzz]')",
)
def test_nothing_that_comes_over_smpp_raises(tmp_path):
    for number, example in enumerate(EXAMPLES):
        for state in (0x01, 0x07, 0x06, 0x26):
            octets = bytes((state,)) + p.encode(example, number + 1)
            (tmp_path / f"{number}-{state}").write_bytes(octets)
    words = ["-m", "tests.fuzz.smpp", f"-max_total_time={SECONDS}", "-max_len=2000", "-timeout=5"]

    done = subprocess.run(
        [sys.executable, *words, f"-artifact_prefix={tmp_path}/", str(tmp_path)],
        capture_output=True,
        text=True,
        timeout=10 * SECONDS,
        check=False,
    )

    assert done.returncode == 0, done.stderr[-3000:]
