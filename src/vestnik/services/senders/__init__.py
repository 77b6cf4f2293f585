"""Sender names and templates: kept, confirmed, registered with operators, paid for."""
