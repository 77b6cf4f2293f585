"""How a message leaves.  A channel remembers nothing: no store, no services.

`CHANNELS` is every channel by the name that carriers are configured with.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from vestnik.channels import smpp, virtual
from vestnik.channels.base import Channel
from vestnik.channels.smpp_settings import settings_from as smpp_settings


@dataclass(frozen=True, slots=True)
class Kind:
    """How a channel is made: `check` raises ValueError in plain words for settings it cannot have,
    `make` takes the same settings and the carrier's name."""

    check: Callable[[dict[str, Any]], Any]
    make: Callable[[dict[str, Any], str], Channel]


CHANNELS: dict[str, Kind] = {
    "smpp": Kind(smpp_settings, lambda values, name: smpp.SmppChannel(smpp_settings(values), name)),
    "virtual": Kind(
        virtual.settings_from,
        lambda values, _: virtual.VirtualChannel(virtual.settings_from(values)),
    ),
}
