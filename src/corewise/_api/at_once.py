"""How many calls at once, where nobody has fixed that number: what adapts it to the calls."""

from __future__ import annotations

from time import perf_counter, process_time

from corewise._choose.at_once import AtOnce
from corewise._choose.climb import MOST_THREADS
from corewise._dispatch.adapting import Adapting

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from corewise._types.choice import Choice
    from corewise._types.measurement import Costs
    from corewise._types.options import Options

MOST_COROUTINES = 1024  # guess: so many calls at once at most, unless the user asks for more
# Guess: some hundred threads that wait 20 ms keep half a core busy by themselves; what computes, a whole one or more.
_COMPUTES = 0.75
_THREAD_S = 0.0002  # what one more thread costs, see `model.thread_s`


def adapted(choice: Choice, workers: int | None, options: Options, items: int | None) -> Adapting | None:
    """Return what adapts the number of calls at once of an approach that was asked for.

    Args:
        choice: the approach, and the number to begin with.
        workers: workers asked for, which fixes the number.
        options: the options.
        items: number of items; None when unknown.

    Returns:
        That; None where there is nothing to adapt.
    """
    if workers is not None or choice.approach not in ("threads", "asyncio"):
        return None
    if options.retry_on is None and items is not None and items <= choice.workers:
        return None
    threads = choice.approach == "threads"
    most = MOST_THREADS if threads else MOST_COROUTINES
    calls = AtOnce(choice.workers, alone_s=0.0, most=most if options.limit is None else min(most, options.limit))
    return Adapting(calls, worker_s=_thread_s, computes=_busy()) if threads else Adapting(calls)


def adapted_threads(start: int, most: int, alone_s: float, costs: Callable[[], Costs]) -> Adapting:
    """Return what adapts the number of threads that are known to wait.

    Args:
        start: threads to begin with.
        most: threads at most.
        alone_s: seconds that a call took in the plain loop.
        costs: gives what this machine charges.
    """
    from corewise._choose.model import thread_s  # which has been loaded to choose them

    return Adapting(AtOnce(start, alone_s=alone_s, most=most), worker_s=lambda: thread_s(costs()))


def _thread_s() -> float:
    return _THREAD_S


def _busy() -> Callable[[], bool]:
    """Return what says whether this process has kept most of a core busy from now on."""
    begin_s, cpu_s = perf_counter(), process_time()
    return lambda: process_time() - cpu_s > _COMPUTES * (perf_counter() - begin_s)
