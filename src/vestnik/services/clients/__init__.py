"""Clients: their accounts, who may come in as one, subclients, the currencies of both."""
