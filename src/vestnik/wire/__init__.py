"""Other people's octets.  Knows nothing of us: no I/O, no clock."""
