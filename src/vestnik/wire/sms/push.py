"""WAP push: a link with a title as a service indication, ready to be cut into parts.

The octets are those of WAP-167 (service indication, its WBXML) inside a WSP push.
"""

# Ports 2948 (push) and 9200, in a user data header that begins with its length.
PORTS = bytes.fromhex("0605040B8423F0")
# Transaction, "push", one octet of headers: application/vnd.wap.sic.
_WSP = bytes.fromhex("DC0601AE")
# WBXML 1.2, SI 1.0, UTF-8, no string table; <si>, then <indication> with attributes.
_OPEN = bytes.fromhex("02056A0045C6")
_CLOSE = bytes.fromhex("0101")
_STRING, _END = b"\x03", b"\x00"
_END_ATTRIBUTES = b"\x01"
_HREF = b"\x0b"
_HREFS = (  # the longest first
    ("https://www.", b"\x0f"),
    ("http://www.", b"\x0d"),
    ("https://", b"\x0e"),
    ("http://", b"\x0c"),
)


def service_indication(text: str) -> bytes:
    """The data of a push made from "URL, newline, title" (channels.md), header included.

    Without a title the link stands for it.  Raises ValueError for an empty link or a NUL.
    """
    url, _, title = text.partition("\n")
    url, title = url.strip(), title.strip()
    if not url or "\0" in text:
        raise ValueError("a push is a link, a newline and a title")
    body = _OPEN + _href(url) + _END_ATTRIBUTES + _inline(title or url) + _CLOSE
    return PORTS + _WSP + body


def _href(url: str) -> bytes:
    for prefix, token in _HREFS:
        if url.lower().startswith(prefix):
            return token + _inline(url[len(prefix) :])
    return _HREF + _inline(url)


def _inline(text: str) -> bytes:
    return _STRING + text.encode("utf-8", "replace") + _END
