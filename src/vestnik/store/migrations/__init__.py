"""The store's versions: numbered, forward only, both engines.

A revision is `versions/vNNNN_name.py`; `run.migrate` brings a store to the newest.
"""
