"""A call that is known to be over at once, run as the plain loop that it is.

To measure items, and to be ready for whatever they turn out to be, costs 0.1 to 0.2 ms a call. A function whose items
took next to no time in the last call is run without, if it is to be over before workers would have started. What is not
over by then, or has failed, goes on as any call does.
"""

from __future__ import annotations

from time import perf_counter, process_time

from corewise._api.results import Results
from corewise._choose.undecided import nothing_left
from corewise._dispatch.failures import refuse_coroutines
from corewise._measure.clocks import thread_cpu_s
from corewise._measure.ticker import WORTH_A_LOOK_S, has_gil
from corewise._types.choice import Stats
from corewise._types.measurement import Measurement
from corewise._types.options import USUAL
from corewise._work.chunk import Chunk
from corewise._work.pieces import Pieces
from corewise._work.run import run_chunk

TYPE_CHECKING = False
if TYPE_CHECKING:
    from corewise._api.request import Request
    from corewise._measure.aside import Aside
    from corewise._work.chunk import Done

_AT_ONCE_S = WORTH_A_LOOK_S
_LIMIT_S = 2 * _AT_ONCE_S  # guess: twice as long, and they are others than those of the last call
# Processes have to be started, and each item and its result costs 0.1 µs on its way; what holds the GIL gains nothing
# by threads, and nothing else is as short (benchmarks/results/peers.json, "map of 300,000 tiny calls").
_TINY_S = 0.00000025
_SOON_S = 0.03
_CUT_S = 0.06  # twice as long, as above
# So many items, or such a part of them, are run before anybody looks whether they have become long: each look costs a
# microsecond, 1 % of what is added to the loop, and one of the items may take a second.
_FEW, _PART = 4, 16


class Quick:
    """A call that is thought to be over at once, and was not; or has failed.

    Args:
        request: what was asked for.
        pieces: its items.

    Attributes:
        begin_s: when it began, by `perf_counter`.
        begin_cpu_s: by `process_time`.
        results: what there is so far.
        done: what came of the items that were run; its values are `results`.
    """

    def __init__(self, request: Request, pieces: Pieces) -> None:
        self.begin_s, self.begin_cpu_s, self._thread_s = perf_counter(), process_time(), thread_cpu_s()
        self.results = Results.__new__(Results)
        self._pieces = pieces
        self.done: Done = run_chunk(
            request.fn,
            Chunk(0, pieces, star=request.source.star),  # type: ignore[arg-type]  # of which only the length is asked for
            keep_going=False,
            interruptible=True,
            pending=pieces.more(0),
            more=pieces.more,
            values=self.results,
        )
        if pieces.ended_early:
            del self.results[len(pieces) :]  # of what the function has added to a list that was cut off meanwhile

    def finished(self) -> Results | None:
        """Return the results with all that belongs to them, if all items were run and none has failed."""
        done, results = self.done, self.results
        items, wall_s = len(results), perf_counter() - self.begin_s
        if done.failed or self._pieces.ended_early:
            return None
        refuse_coroutines(results[:1])
        cpu_s, all_cpu_s = thread_cpu_s() - self._thread_s, process_time() - self.begin_cpu_s
        results.choice = nothing_left(_measurement(items, done.wall_s, min(cpu_s, done.wall_s)))
        results.stats = Stats(
            wall_s=wall_s,
            cpu_s=all_cpu_s,
            workers_cpu_s=0.0,
            queued_s=0.0,
            cores_busy=all_cpu_s / wall_s if wall_s > 0 else 0.0,
            items=items,
            failures=0,
            workers=1,
        )
        results.failures = []
        return results


def _measurement(items: int, wall_s: float, cpu_s: float) -> Measurement:
    """Return what a loop has told that nobody looked into."""
    return Measurement(
        items=items,
        wall_s=wall_s,
        first_s=wall_s / items,
        deviation_s=0.0,
        longest_s=wall_s / items,
        cpu_s=cpu_s,
        native_cpu_s=0.0,
        held_s=None,
        queued_s=0.0,
        remaining=0,
    )


def begun(request: Request, item_s: float) -> Results | Quick | None:
    """Run a call that ought to be over at once.

    Args:
        request: what was asked for.
        item_s: what an item took in the last call, in seconds.

    Returns:
        The results; what there is, where it goes on or has failed; None where nothing was begun.
    """
    source = request.source
    number, inputs = source.total, source.sequences
    if request.options is not USUAL or request.progress or inputs is None or not number:
        return None
    if item_s * number <= _AT_ONCE_S:
        # A copy, which the function cannot change. To copy a long list takes a tenth of the time of all.
        items = [*zip(*inputs, strict=False)] if source.star else inputs[0][:]
        quick: Quick | None = Quick(request, Pieces(items, _LIMIT_S, most=max(_FEW, number // _PART)))
    elif item_s * number <= _SOON_S and item_s <= _TINY_S and not source.star and has_gil():
        quick = _watched(request, Pieces(inputs[0], 0.0, watched=True))
    else:
        return None
    return quick and (quick.finished() or quick)


def _watched(request: Request, pieces: Pieces) -> Quick | None:
    """Run a loop that a thread cuts off if it takes too long; None where no more threads are to be had."""
    from corewise._measure import aside

    def look(thread: Aside) -> None:
        if not thread.pause(_CUT_S):
            pieces.cut()

    try:
        watch = aside.begin(look)
    except RuntimeError:
        return None
    try:
        return Quick(request, pieces)
    finally:
        watch.dismiss()
