"""Messages from their draft to their end: rows, ways, reports, money held and settled."""
