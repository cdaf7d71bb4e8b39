"""What holds where there is nothing to weigh, since nothing was measured, or nothing remains.

Apart from the rule and its words, so that a call that asks for an approach, or is over at once, loads no choosing.
"""

from __future__ import annotations

from corewise._types.choice import Choice

TYPE_CHECKING = False
if TYPE_CHECKING:
    from corewise._types.measurement import Measurement

THREADS = 32  # as many waits at once as the standard library's pool allows itself at most
COROUTINES = 100  # at once, as common clients allow connections

# A gain below this is within what a run differs from the next one, and not worth a choice (guess).
GAIN_S = 0.004
# Where nothing was measured, by `Choice.code`.
REASONS = {
    "asked": "as asked for",
    "environment": "as the environment variable COREWISE_APPROACH says",
    "coroutine": "a coroutine function: its waits, if it has any, overlap in one event loop",
    "time-limit": "a time limit needs workers that can be killed, so nothing was tried in the caller either",
}


def threads_by_default(items: int | None) -> int:
    """Return the number of threads where nothing was measured and none was asked for: at most one per item."""
    return THREADS if items is None else max(1, min(THREADS, items))


def processes_by_default(cores: int, items: int | None) -> int:
    """Return the number of processes when none was asked for: one per core, no more than there are items."""
    return cores if items is None else max(1, min(cores, items))


def coroutines_by_default(items: int | None) -> int:
    """Return how many coroutines run at once when no number was asked for: as common clients allow connections."""
    return COROUTINES if items is None else max(1, min(COROUTINES, items))


def nothing_left(measurement: Measurement) -> Choice:
    """Return the choice for a run whose items have all been run in the caller by the time it is made.

    Args:
        measurement: what they told.

    Returns:
        The choice, with the words for it left to `explain`.
    """
    return Choice(approach="sync", workers=1, asked="auto", code="nothing-left", why="", measurement=measurement)
