"""What this machine charges, tried out: once in a program, when somebody asks for advice."""

from __future__ import annotations

from itertools import repeat
from time import perf_counter, thread_time

from corewise._api.decision import costs_charged
from corewise._approaches import open_approach
from corewise._approaches.base import Terms
from corewise._measure.costs import Trials, calibrated
from corewise._measure.known_costs import believe
from corewise._types.interrupts import start_thread
from corewise._work.chunk import Chunk
from corewise.errors import CorewiseError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from typing import Any

    from corewise._approaches.base import Approach
    from corewise._types.measurement import Costs

BUDGET_S = 0.3  # guess: where each start of workers takes 0.1 s, it is enough to try everything once

_TRIES = 3  # guess: each takes a millisecond or two

_tried: set[str] = set()


def calibrate(start_method: str) -> None:
    """Measure what this machine charges, believe it from now on, and store it; unless this program has done so.

    Args:
        start_method: how processes are to be started: ``"auto"`` or a name.
    """
    method, believed = costs_charged(start_method)
    if method in _tried:
        return
    _tried.add(method)
    believe(_measured(believed, method), method)


def _measured(costs: Costs, method: str) -> Costs:
    trier = _Trier(method)
    here = Trials(
        threads=lambda number: _best(_threads, number),
        thread_items=lambda number: _best(_thread_items, number),
        coroutines=lambda number: _best(_coroutines, number),
    )
    try:
        with_processes = here.replace(start=trier.start, send=trier.send)
        return calibrated(costs, with_processes, perf_counter, budget_s=BUDGET_S)
    except (CorewiseError, OSError):  # such as in a daemonic process, or where there may be no more of them
        return calibrated(costs, here, perf_counter, budget_s=BUDGET_S)
    finally:
        trier.close()


class _Trier:
    """Tries out what processes cost.

    Args:
        method: how they are started.
    """

    def __init__(self, method: str) -> None:
        self._method = method
        self._open: Approach | None = None

    def start(self, workers: int) -> float:
        """Start so many; return the seconds until all were ready."""
        approach = self._opened(workers)
        try:
            _through(approach, repeat(1, workers), 0)
        finally:
            approach.close(kill=False)
        return approach.startup_s

    def send(self, chunks: int, items: int, size: int) -> float:
        """Send so many chunks of so many items of so many bytes; return the CPU seconds that this took the caller."""
        if self._open is None:
            self._open = self._opened(1)
            _through(self._open, repeat(1, 1), 0)
        begin = thread_time()
        _through(self._open, repeat(items, chunks), size)
        return thread_time() - begin

    def close(self) -> None:
        """End what runs."""
        if self._open is not None:
            self._open.close(kill=True)

    def _opened(self, workers: int) -> Approach:
        return open_approach("processes", _terms(_nothing, workers, self._method))


def _best(trial: Callable[[int], float], number: int) -> float:
    """Return the shortest of a few trials: what takes so little is much longer where others have the core meanwhile."""
    return min(trial(number) for _ in range(_TRIES))


def _threads(number: int) -> float:
    import threading

    begin = perf_counter()
    some = [threading.Thread(target=_nothing, args=(0,)) for _ in range(number)]
    for thread in some:
        start_thread(thread)
    for thread in some:
        thread.join()
    return perf_counter() - begin


def _thread_items(number: int) -> float:
    return _apart("threads", _nothing, 1, number)


def _coroutines(number: int) -> float:
    return _apart("asyncio", _nothing_async, 100, number)


def _apart(name: str, fn: Any, workers: int, items: int) -> float:
    """Return the seconds that items take by an approach which is there already."""
    approach = open_approach(name, _terms(fn, workers, "auto"))
    try:
        _through(approach, repeat(1, 1), 0)
        # One chunk to a thread, as large as for items that do nothing; coroutines come one by one.
        sizes = repeat(items, 1) if name == "threads" else repeat(1, items)
        begin = perf_counter()
        _through(approach, sizes, 0)
        return perf_counter() - begin
    finally:
        approach.close(kill=False)


def _terms(fn: Any, workers: int, method: str) -> Terms:
    return Terms(fn=fn, workers=workers, keep_going=False, start_method=method, share_cores=False)


def _through(approach: Approach, sizes: Iterable[int], size_bytes: int) -> None:
    """Have an approach run chunks of items of so many bytes."""
    pending = 0
    begun = 0
    for items in sizes:
        approach.submit(Chunk(begun, [bytes(size_bytes)] * items, star=False))
        begun += items
        pending += items
        while not approach.room:
            pending -= _come(approach)
    while pending > 0:
        pending -= _come(approach)


def _come(approach: Approach) -> int:
    return sum(len(done.values) for done in approach.collect(None))


def _nothing(_: object) -> None:
    """Do nothing, for a worker to be tried with."""


async def _nothing_async(_: object) -> None:
    """Do nothing, in an event loop."""
