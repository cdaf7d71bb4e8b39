"""What this machine is believed to charge: read when first asked for, corrected by each run, written when it has moved.

The first call of all finds nothing, and goes by guesses: no run is held up to measure what another one could have used.
"""

from __future__ import annotations

from corewise._measure import costs_file
from corewise._measure.costs import MEASURED, guessed, learn

TYPE_CHECKING = False
if TYPE_CHECKING:
    from corewise._measure.costs import Observed
    from corewise._types.measurement import Costs

_WORTH_WRITING = 1.1  # guess: what differs by less than this factor decides nothing, and to write takes 0.3 ms

_known: dict[tuple[int, bool, str], Costs] = {}
_stored: dict[tuple[int, bool, str], Costs] = {}  # what the file says


def costs_of(cores: int, *, has_gil: bool, start_method: str) -> Costs:
    """Return what is believed now. The file is read once.

    Args:
        cores: cores that this process may use.
        has_gil: whether this build of Python has a global interpreter lock that is on.
        start_method: how worker processes would be started.
    """
    key = (cores, has_gil, start_method)
    costs = _known.get(key)
    if costs is None:
        costs = costs_file.load(guessed(cores, has_gil=has_gil, start_method=start_method), start_method)
        _known[key] = _stored[key] = costs
    return costs


def learn_from(observed: Observed, costs: Costs, start_method: str) -> Costs:
    """Return, and believe from now on, what a finished run has shown.

    Args:
        observed: what it has shown.
        costs: what `costs_of` said for it.
        start_method: how its worker processes were started.
    """
    costs = learn(costs_of(costs.cores, has_gil=costs.has_gil, start_method=start_method), observed)
    return believe(costs, start_method)


def believe(costs: Costs, start_method: str) -> Costs:
    """Believe these costs from now on; written where they differ from what the file says."""
    key = (costs.cores, costs.has_gil, start_method)
    _known[key] = costs
    stored = _stored.get(key)
    if costs.measured and (stored is None or not stored.measured or any(map(_moved, _of(stored), _of(costs)))):
        costs_file.store(costs, start_method)
        _stored[key] = costs
    return costs


def _of(costs: Costs) -> list[float]:
    return [getattr(costs, name) for name in MEASURED]


def _moved(before: float, now: float) -> bool:
    return max(before, now) > _WORTH_WRITING * min(before, now)
