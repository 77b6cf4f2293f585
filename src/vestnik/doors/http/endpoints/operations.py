"""What can be asked of an endpoint that does several things, and how often."""

from collections.abc import Mapping

from vestnik.domain.refusals import BadParameters
from vestnik.doors.http.endpoint import Call, Parameter, Rate


class Operations:
    """Parameters of which a request sets one to 1: the name of each, and its meaning."""

    def __init__(self, address: str, meanings: Mapping[str, str]) -> None:
        self.names = tuple(meanings)
        self.parameters = tuple(
            Parameter(name, meaning, kind="flag") for name, meaning in meanings.items()
        )
        self._refusal = f"{address} takes one of {', '.join(f'{name}=1' for name in self.names)}"

    def only(self, call: Call) -> str:
        """The one that is asked for; raises BadParameters for none and for several."""
        chosen = [name for name in self.names if call.flag(name)]
        if len(chosen) != 1:
            raise BadParameters(self._refusal)
        return chosen[0]

    def first(self, call: Call) -> str:
        """The first that is asked for, in their order; raises BadParameters for none."""
        for name in self.names:
            if call.flag(name):
                return name
        raise BadParameters(self._refusal)


def identical(call: Call) -> Rate:
    """Identical requests a minute, whatever they ask for; three if nobody set another limit."""
    return Rate(call.digest(), call.client.limits.identical_per_minute)
