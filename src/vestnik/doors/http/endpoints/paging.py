"""How many records a list holds, and where it goes on."""

from vestnik.doors.http.endpoint import Call


def count(call: Call, default: int, most: int) -> int:
    """The parameter `cnt`: what is no number above 0 is the default, more is the most there can be
    (downloads.md)."""
    text = call.text("cnt").strip()
    if not (text.isascii() and text.isdigit()):
        return default
    return min(int(text[:10]), most) or default


def after_id(call: Call) -> int | None:
    """The parameter `after_id`; None if there is none.  Raises BadParameters."""
    return call.number("after_id", 0, 0) if call.text("after_id").strip() else None
