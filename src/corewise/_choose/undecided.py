"""What holds where there is nothing to weigh, since nothing was measured, or nothing remains.

Apart from the rule and its words, so that a call that asks for an approach, or is over at once, loads no choosing.
"""

from __future__ import annotations

from corewise._types.choice import Choice

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Container

    from corewise._types.measurement import Measurement

THREADS = 32  # as many waits at once as the standard library's pool allows itself at most
COROUTINES = 100  # at once, as common clients allow connections
ASSUMED = 100  # guess: where the length of an input is unknown. Hardly anybody makes a generator for a handful of items

_FIRST_LOOK_S = 0.002  # guess: sooner, hardly anything is known; later, workers are missed
_FIRST_ALONE_S = 0.02  # guess: of one item alone, which may have loaded modules and filled caches as no later one
# Guess: items for each core, from which on a second one is run before anybody thinks about the first. If it takes as
# long, no more than a hundredth of the time is lost; and if the first has but filled a cache, the choice is saved.
_MANY = 100

# A gain below this is within what a run differs from the next one, and not worth a choice (guess).
GAIN_S = 0.004
# As is one below this share of the time (guess).
GAIN_SHARE = 0.1
# And one below this where nobody knows how much remains: what little was gained would go to starting it. Sixty sums of
# 8 MB from a generator, foretold to take 13 % less by threads, took a quarter more (benchmarks/choice.py).
GAIN_SHARE_OF_ANY = 0.25
# To load what runs them, once in a program (benchmarks/import_cost.py), and what chooses, that a function may run in
# another process included (benchmarks/choice.py, "arrays_listed", "python_50us").
_LOADING_S = {"choice": 0.003, "threads": 0.002, "processes": 0.009}
_NEEDS = {"choice": "corewise._choose.model"}  # the last module to be loaded; for an approach that of its name
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


def loading_s(what: str, loaded: Container[str]) -> float:
    """Return the seconds to load what runs an approach, or chooses; 0 where that has been done.

    Args:
        what: ``"threads"``, ``"processes"`` or ``"choice"``.
        loaded: the names of the modules that are there.
    """
    return 0.0 if _NEEDS.get(what, f"corewise._approaches.{what}") in loaded else _LOADING_S[what]


def to_choose_s(loaded: Container[str], *, holds: bool) -> float:
    """Return the seconds to load what chooses, and then what runs such items; 0 where a choice was made before.

    Args:
        loaded: the names of the modules that are there.
        holds: whether the items may hold the GIL, so that only processes gain anything.
    """
    choose_s = loading_s("choice", loaded)
    return choose_s and choose_s + loading_s("processes" if holds else "threads", loaded)


def look_from_s(items: int, remaining: int | None, cores: int) -> float:
    """Return the seconds that items have to have taken before there is anything to choose by.

    Args:
        items: how many have ended.
        remaining: items left; None while unknown.
        cores: cores that there are.
    """
    if items > 1:
        return _FIRST_LOOK_S
    return float("inf") if remaining is not None and remaining >= _MANY * cores else _FIRST_ALONE_S


def may_gain(wall_s: float, cpu_s: float, read_s: float, cores: int, *, known: bool) -> bool:
    """Return whether items could gain enough if all cores shared their computing, and all their waits overlapped.

    Args:
        wall_s: seconds that they take.
        cpu_s: CPU seconds that they take.
        read_s: seconds to read them from the input, which nobody can share.
        cores: cores that there are.
        known: whether it is known how many items remain.
    """
    return wall_s - cpu_s / cores >= (GAIN_SHARE if known else GAIN_SHARE_OF_ANY) * (wall_s + read_s)


def nothing_left(measurement: Measurement) -> Choice:
    """Return the choice for a run whose items have all been run in the caller by the time it is made.

    Args:
        measurement: what they told.

    Returns:
        The choice, with the words for it left to `explain`.
    """
    return Choice(approach="sync", workers=1, asked="auto", code="nothing-left", why="", measurement=measurement)
