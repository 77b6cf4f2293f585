"""Papers for accountants: what is printed and how it looks.  They read no store."""

from vestnik.papers.pdf import draw

__all__ = ["draw"]
