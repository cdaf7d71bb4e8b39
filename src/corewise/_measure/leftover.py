"""Whether native threads that are busy may be so for what was before: then they say nothing about the items.

OpenBLAS keeps its threads spinning for 50 ms after it was loaded, and for 100 ms after its last call. A program that
loads NumPy and goes to work at once would seem to compute in them.
"""

from __future__ import annotations

import sys
from time import perf_counter, process_time

_LASTS_S = 0.12  # measured on the machine of the benchmarks: 50 and 100 ms
# Guess: who loads NumPy and begins at once has not used more than that by then. Where it is taken wrongly for a
# leftover, workers are started that get a share of the cores each, which native libraries keep to: little is lost.
_YOUNG_S = 1.0

_since_s: float | None = None  # when NumPy was first met


def is_doubtful() -> bool:
    """Return whether native threads that are busy now may be so for what was before."""
    global _since_s  # noqa: PLW0603 - of this process
    if _since_s is None:
        if "numpy" not in sys.modules:
            return False
        _since_s = perf_counter() if process_time() < _YOUNG_S else -_LASTS_S
    return perf_counter() - _since_s < _LASTS_S


def remains_s() -> float:
    """Return for how many seconds that will be so."""
    return _since_s + _LASTS_S - perf_counter() if is_doubtful() and _since_s is not None else 0.0
