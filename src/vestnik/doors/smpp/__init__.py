"""The SMPP door: our clients' binds."""
