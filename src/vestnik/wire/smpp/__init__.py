"""SMPP 3.4: octets, PDUs, receipts and a session that owns no socket."""
