"""SOAP envelopes, 1.1 and 1.2: a request read, an answer and a fault written (soap.md).

A request is read tolerantly, for programs were generated from other people's descriptions: any
namespace, parameters below the operation or one structure deeper.  Its XML is read strictly: no
document type, so no entities and nothing fetched, and no more elements than anybody needs.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from xml.etree.ElementTree import ParseError

from defusedxml.common import DefusedXmlException
from defusedxml.ElementTree import DefusedXMLParser

from vestnik.doors.http.reply import escaped

SOAP_11 = "http://schemas.xmlsoap.org/soap/envelope/"
SOAP_12 = "http://www.w3.org/2003/05/soap-envelope"
FAULT_STATUSES = {SOAP_11: 500, SOAP_12: 400}
CONTENT_TYPES = {
    SOAP_11: b"text/xml; charset=utf-8",
    SOAP_12: b"application/soap+xml; charset=utf-8",
}
ELEMENTS_MAX = 200
DEPTH_MAX = 20
OPERATION_DEPTH = 2  # within Envelope and Body


class Unreadable(Exception):
    """What came is no envelope that can be read; the words say why.

    `version` is that of the envelope, as far as it was known.
    """

    version = SOAP_11


@dataclass(frozen=True, slots=True)
class Envelope:
    """A request: `operation` is the name of its element, `params` what stands within.

    `version` is the namespace of the envelope; the answer is written with it, and with
    `namespace`, in which the parameters stand too if `qualified`.
    """

    version: str
    operation: str
    namespace: str
    qualified: bool
    params: Mapping[str, str]


def read_envelope(octets: bytes) -> Envelope:
    """Read a request; raises Unreadable."""
    reader = _Reader()
    try:
        _read(octets, reader)
        if reader.operation is None:
            raise Unreadable("the envelope has no operation in its Body")
    except Unreadable as reason:
        reason.version = reader.version
        raise
    namespace, name = reader.operation
    return Envelope(reader.version, name, namespace, reader.qualified, reader.params)


def _read(octets: bytes, reader: "_Reader") -> None:
    parser = DefusedXMLParser(target=reader, forbid_dtd=True)
    try:
        parser.feed(octets)
        parser.close()
    except DefusedXmlException:
        raise Unreadable("the envelope has a document type, which is not read") from None
    except (ParseError, LookupError, ValueError):  # the last two: its encoding is not known
        raise Unreadable("the envelope is not XML") from None


def write_answer(asked: Envelope, wrapper: str, result: str, members: Mapping[str, str]) -> bytes:
    """An answer in the form of its request: `<wrapper><result>members</result></wrapper>`."""
    outer = "r:" if asked.namespace else ""
    inner = outer if asked.qualified else ""
    declared = f' xmlns:r="{escaped(asked.namespace)}"' if asked.namespace else ""
    inside = "".join(
        f"<{inner}{name}>{escaped(value)}</{inner}{name}>" for name, value in members.items()
    )
    body = (
        f"<{outer}{wrapper}{declared}>"
        f"<{inner}{result}>{inside}</{inner}{result}></{outer}{wrapper}>"
    )
    return _envelope(asked.version, body)


def write_fault(version: str, words: str) -> bytes:
    """The sender's mistake."""
    if version == SOAP_12:
        body = (
            "<s:Fault><s:Code><s:Value>s:Sender</s:Value></s:Code>"
            f'<s:Reason><s:Text xml:lang="en">{escaped(words)}</s:Text></s:Reason></s:Fault>'
        )
    else:
        body = (
            "<s:Fault><faultcode>s:Client</faultcode>"
            f"<faultstring>{escaped(words)}</faultstring></s:Fault>"
        )
    return _envelope(version, body)


def _envelope(version: str, body: str) -> bytes:
    return (
        '<?xml version="1.0" encoding="UTF-8"?>\n'
        f'<s:Envelope xmlns:s="{version}"><s:Body>{body}</s:Body></s:Envelope>'
    ).encode()


class _Reader:
    """Follows the parser through an envelope and keeps what is asked."""

    def __init__(self) -> None:
        self.version = SOAP_11
        self.operation: tuple[str, str] | None = None
        self.qualified = True
        self.params: dict[str, str] = {}
        self._elements = 0
        self._path: list[tuple[str, str]] = []
        self._text: list[str] = []
        self._leaf = False  # no element has ended since the last one began

    def start(self, tag: str, attributes: Mapping[str, str]) -> None:
        self._elements += 1
        if self._elements > ELEMENTS_MAX or len(self._path) >= DEPTH_MAX:
            raise Unreadable(f"the envelope has more than {ELEMENTS_MAX} elements")
        name = _name(tag)
        match len(self._path):
            case 0:
                self._begin(*name)
            case 1 if name[0] != self.version or name[1] not in ("Header", "Body"):
                raise Unreadable("an Envelope has a Header and a Body alone")
            case 2 if self._in_body:
                if self.operation is not None:
                    raise Unreadable("the Body has more than one operation")
                self.operation = name
        self._path.append(name)
        self._text, self._leaf = [], True

    def data(self, text: str) -> None:
        self._text.append(text)

    def end(self, tag: str) -> None:
        namespace, name = self._path.pop()
        if self._leaf and self._in_body and len(self._path) > OPERATION_DEPTH:
            self.params[name] = "".join(self._text)
            self.qualified = self.qualified and bool(namespace)
        self._leaf = False

    def close(self) -> None:
        """The parser is at the end."""

    @property
    def _in_body(self) -> bool:
        return len(self._path) > 1 and self._path[1][1] == "Body"

    def _begin(self, namespace: str, name: str) -> None:
        if name != "Envelope" or namespace not in CONTENT_TYPES:
            raise Unreadable("the body is no SOAP Envelope")
        self.version = namespace


def _name(tag: str) -> tuple[str, str]:
    """Namespace and local name of `{namespace}local`."""
    namespace, brace, local = tag.rpartition("}")
    return (namespace.removeprefix("{"), local) if brace else ("", tag)
