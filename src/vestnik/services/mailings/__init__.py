"""Mailings with a name: ordered, run slice by slice, repeated (jobs.md)."""
