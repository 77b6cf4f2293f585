"""Vestnik, a self-hosted messaging centre.

A message comes in through a door, is remembered in the store, and leaves through a channel.
"""

__version__ = "0.1.0"
