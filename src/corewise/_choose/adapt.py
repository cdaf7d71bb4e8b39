"""Decisions in the middle of a run: to leave the plain loop, to come back to it, and what is to be expected now.

All of it is pure. The numbers that come in are those of chunks that have ended; nothing here reads a clock.
"""

from __future__ import annotations

from corewise._choose.undecided import GAIN_S
from corewise._types.measurement import Measurement

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from corewise._types.choice import Choice
    from corewise._types.measurement import Costs

# The choice takes 0.1 to 0.3 ms: made again after so much more work at the earliest, it costs some 1 % of it.
_AGAIN_S = 0.02
_AGAIN_GROWTH = 1.25  # and after the work so far has grown by this, so that it is made a few dozen times at most
_OTHER_ITEMS = 2.0  # items that take so many times as long or short as those judged before are looked at at once
# Work that took so many times as long as a move costs is evidence enough for one; less has to be seen twice in a row.
_EVIDENCE = 10.0

_NEW_PART = 0.3  # guess: of a chunk, in what native threads keep busy
_MANY = 1e9  # items, beyond which a clock that stood still is at work

_WINDOW_S = 0.03  # guess: several dozen chunks of the usual length
# So many times as slow as the plain loop, over two windows in a row. Somebody else's programs take cores from workers
# for some time slices now and then, or for good; so what is little has to be seen for longer.
_MUCH_SLOWER, _SLOWER = 1.5, 1.15
_LONG_WINDOW_S = 0.3
_TELLING_ITEMS = 16  # guess: so many tell how long the next ones take, however soon they are over
_DRIFTED = 1.15  # a prediction that is off by less is right enough: what else it rests on may be off as well
_LEAST_EXPLAINED = 0.5  # of an item's seconds in a worker: what it may take less in the caller, where it is alone
_ONE_CORE = 1.25  # cores kept busy, below which it was one and what lies between two items
# Times a second that threads leave their cores by themselves, from which they hand the GIL over all the time: up to
# 1,700 with work that gains from two threads, from 14,000 on with such that gains next to nothing, 37,000 and more
# where it loses (SQLite, small files, small arrays; measured on two cores).
_HANDING_OVER = 20_000.0
_BUSY_HANDING_OVER = 1.4  # cores kept busy, below which that is all there is to it
_BUSY_WITH_ONE = 0.85  # cores kept busy, below which something else holds the threads up
_ALIKE = 0.5  # of each other: CPU seconds of items that are taken to be of one kind (guess)
_OTHER_KIND = 3.0  # items that take so many times as long in workers are others than those of the plain loop
_CHANGE_S = 0.005  # what the way back costs (guess): what is under way is waited for, and workers are released


class Plainly:
    """A plain run that goes on measuring, and says when what remains would repay a move.

    It is told of each chunk. So the first items may be trivial and those behind them heavy: the run moves then; and
    as long as they are trivial no worker is started. One odd item among many moves nothing, unless it took so long
    that a needless move would not count beside it.

    Where the length of the input is unknown, as much time is taken to remain as was spent.

    Args:
        begun: what the first items told.
        costs: what this machine charges.
        choose: makes a choice of a measurement, with all that is known of the wishes and the vetoes of this run.
    """

    def __init__(self, begun: Measurement, costs: Costs, choose: Callable[[Measurement], Choice]) -> None:
        self._choose = choose
        self._cores = costs.cores
        self._held_share = begun.held_share
        self._native = begun.native_cores
        self._children = begun.children_cores
        self._travel = (begun.argument_bytes, begun.result_bytes, begun.pickle_s)
        self._spent_s = begun.wall_s
        self._next_s = _AGAIN_GROWTH * begun.wall_s + _AGAIN_S
        self._judged_s = begun.item_s
        self._seen_once = False

    def observe(
        self,
        items: int,
        wall_s: float,
        cpu_s: float,
        remaining: int | None,
        *,
        queued_s: float = 0.0,
        held_s: float | None = None,
        native_cpu_s: float | None = None,
    ) -> Choice | None:
        """Learn from a chunk.

        Args:
            items: items in it.
            wall_s: seconds they took.
            cpu_s: CPU seconds of the calling thread.
            remaining: items left; None while the length of the input is unknown.
            queued_s: seconds in line for a core.
            held_s: CPU seconds that held the GIL; None where not measured: as large a share as in the first items.
            native_cpu_s: CPU seconds of native threads; None where not measured: as in the items so far. The clock may
                be late by as long as a chunk takes, so it counts for a part.

        Returns:
            What to move to; None to stay.
        """
        self._spent_s += wall_s
        if items <= 0 or remaining == 0:
            return None
        if native_cpu_s is not None and wall_s > 0:
            self._native += _NEW_PART * (native_cpu_s / wall_s - self._native)
        item_s = wall_s / items
        left_s = self._spent_s if remaining is None else remaining * item_s
        if max(left_s, 2 * self._cores * item_s if remaining is None else 0.0) <= GAIN_S:
            self._seen_once = False
            return None
        same = self._judged_s <= _OTHER_ITEMS * item_s and item_s <= _OTHER_ITEMS * self._judged_s
        if same and self._spent_s < self._next_s and not self._seen_once:
            return None
        self._judged_s = item_s
        self._next_s = _AGAIN_GROWTH * self._spent_s + _AGAIN_S
        choice = self._choose(self._measured(items, wall_s, cpu_s, remaining, queued_s=queued_s, held_s=held_s))
        if choice.approach == "sync":
            self._seen_once = False
            return None
        start_s = choice.estimates[0].start_s if choice.estimates else 0.0
        if self._seen_once or wall_s >= _EVIDENCE * (start_s + GAIN_S):
            return choice
        self._seen_once = True
        return None

    def _measured(
        self,
        items: int,
        wall_s: float,
        cpu_s: float,
        remaining: int | None,
        *,
        queued_s: float,
        held_s: float | None,
    ) -> Measurement:
        """Return a chunk as a measurement; with an unknown rest, as many such items as the time so far would hold."""
        if held_s is None and self._held_share is not None:
            held_s = self._held_share * cpu_s
        number = items
        if remaining is None and wall_s > 0:
            number = max(items, round(min(_MANY, self._spent_s * items / wall_s)))
        times = number / items
        item_s = wall_s / items
        argument_bytes, result_bytes, pickle_s = self._travel
        return Measurement(
            items=number,
            wall_s=wall_s * times,
            first_s=item_s,
            deviation_s=0.0,
            longest_s=item_s,
            cpu_s=cpu_s * times,
            native_cpu_s=self._native * wall_s * times,
            held_s=None if held_s is None else held_s * times,
            queued_s=queued_s * times,
            remaining=remaining,
            argument_bytes=argument_bytes,
            result_bytes=result_bytes,
            pickle_s=pickle_s,
            children_cpu_s=self._children * wall_s * times,
        )


class Drift:
    """Says when items have become others than those that a prediction was made of.

    It says so while at least half of what was predicted remains: of the last few items anything can be foretold.

    Args:
        item_s: seconds of an item, as the prediction has it.
        remaining: items that it was made for; None where that is unknown.
    """

    def __init__(self, item_s: float, remaining: int | None) -> None:
        self._first_s = self._item_s = item_s
        self._least = None if remaining is None else remaining / 2
        self._items, self._seconds = 0, 0.0

    def observe(self, items: int, seconds: float, remaining: int | None) -> float | None:
        """Learn from items that have ended.

        Args:
            items: how many.
            seconds: that they took, each by itself.
            remaining: items that are left to hand out.

        Returns:
            How many times as long as in the first prediction an item takes, where it is to be made anew; else None.
        """
        self._items += items
        self._seconds += seconds
        if self._items < _TELLING_ITEMS and self._seconds < _WINDOW_S:
            return None
        item_s = self._seconds / self._items
        self._items, self._seconds = 0, 0.0
        if self._least is None or remaining is None or remaining < self._least or min(item_s, self._item_s) <= 0:
            return None
        if self._item_s / _DRIFTED < item_s < self._item_s * _DRIFTED:
            return None
        self._item_s = item_s
        return item_s / self._first_s


def item_s_there(choice: Choice) -> float:
    """Return the seconds that an item takes by the prediction where it is run: in threads, its turns included.

    Args:
        choice: has a measurement.
    """
    measured = choice.measurement
    item_s = 0.0 if measured is None else measured.item_s
    if choice.approach != "threads" or measured is None or not measured.remaining or not choice.estimates:
        return item_s
    foretold = choice.estimates[0]
    at_once = min(choice.workers, measured.remaining)
    return max(item_s, (foretold.seconds - foretold.start_s) * at_once / measured.remaining)


class BackToPlain:
    """Says when worker processes prove slower than the plain loop would be, as with much data and little work.

    The start of the workers is spent by then and does not count. What the items would take plainly is taken from what
    they take in the workers, which may be longer there (cores share caches and clocks): down to half of it, as far as
    the plain loop has shown.

    Args:
        plain_item_s: seconds that an item took in the plain loop.
    """

    def __init__(self, plain_item_s: float) -> None:
        self._since_s: float | None = None
        self._passed: int | None = None
        self._done = 0
        self._windows = (
            _Slower(plain_item_s, _WINDOW_S, _MUCH_SLOWER),
            _Slower(plain_item_s, _LONG_WINDOW_S, _SLOWER),
        )

    def observe(
        self, now_s: float, items: int, worker_s: float, remaining: int | None, *, passed: int | None = None
    ) -> bool:
        """Learn from outcomes that have come.

        Args:
            now_s: the time, in seconds.
            items: items among them.
            worker_s: seconds that these took in the workers, without what it takes to send them.
            remaining: items that no worker has yet; None while unknown: as many as were done.
            passed: the index of an item that is still under way although later ones have ended; None if there is none.
                A worker that is at a giant has been busy with it meanwhile, though nothing comes of that.

        Returns:
            Whether to go on plainly.
        """
        self._done += items
        still, self._passed = passed is not None and passed == self._passed, passed
        if self._since_s is None:
            if items:
                self._since_s = now_s
            return False
        took_s, self._since_s = now_s - self._since_s, now_s
        rest = self._done if remaining is None else remaining
        giant_s = took_s if still else 0.0
        told = [window.observe(took_s, items, worker_s, giant_s, rest) for window in self._windows]  # both are to learn
        return any(told)


class _Slower:
    """Says whether processes were slower than the plain loop over two windows of time in a row.

    Args:
        plain_item_s: seconds that an item took in the plain loop.
        window_s: seconds that a window has at least.
        times: so many times as slow.
    """

    def __init__(self, plain_item_s: float, window_s: float, times: float) -> None:
        self._plain_item_s = plain_item_s
        self._window_s = window_s
        self._times = times
        self._took_s = self._worker_s = self._giant_s = 0.0
        self._items = 0
        self._before = False

    def observe(self, took_s: float, items: int, worker_s: float, giant_s: float, rest: int) -> bool:
        """Learn from items that came within `took_s` seconds, and took `worker_s` in the workers.

        For `giant_s` of these another worker was at an item that has not come yet.
        """
        self._took_s += took_s
        self._giant_s += giant_s
        self._items += items
        self._worker_s += worker_s
        if self._took_s < self._window_s or not self._items:
            return False
        known_s = max(self._items * self._plain_item_s, _LEAST_EXPLAINED * self._worker_s)
        others = self._worker_s > _OTHER_KIND * self._items * self._plain_item_s
        plain_s = self._giant_s + (self._worker_s if others else min(self._worker_s, known_s))
        repaid = rest / self._items * (self._took_s - plain_s) > _CHANGE_S
        slower = repaid and self._took_s > self._times * plain_s
        twice, self._before = slower and self._before, slower
        self._took_s = self._worker_s = self._giant_s = 0.0
        self._items = 0
        return twice


class TakingTurns:
    """Says when threads that were to compute side by side take turns instead, as they hold the GIL after all.

    Then they keep one core busy all together, and not two or more, as was the reason for them; or hardly more than one,
    as to hand the GIL over all the time keeps cores busy, too.

    Args:
        now_s: the time, in seconds.
        cpu_s: CPU seconds of the process by then.
        blocked: how often threads of the process had left their cores by themselves by then.
        least_s: CPU seconds of an item, below which it is not the items that keep a core busy but the threads
            themselves.
        item_cpu_s: CPU seconds that an item took alone; 0 if unknown. What others agree with is seen at once; else one
            busy core has to be seen twice, or for twice as long, as at first it may have been the start of the threads.
        at_once: threads, each of which may be in the midst of an item.

    Attributes:
        look_s: seconds without outcomes after which to look at the clocks. Many threads that take turns are all at
            their items for long before the first of these ends.
    """

    look_s = 2 * _WINDOW_S

    def __init__(
        self,
        now_s: float,
        cpu_s: float,
        blocked: int,
        *,
        least_s: float = 0.0,
        item_cpu_s: float = 0.0,
        at_once: int = 0,
    ) -> None:
        self._since = now_s, cpu_s, blocked
        self._at_once = at_once
        self._item_cpu_s = item_cpu_s
        self._one_before = False
        self._least_s = least_s
        self._items = 0

    def observe(self, now_s: float, cpu_s: float, blocked: int, items: int) -> bool:
        """Learn how the clocks stand when outcomes have come, or time has gone by without any.

        Args:
            now_s: the time, in seconds.
            cpu_s: CPU seconds of the process by then.
            blocked: how often threads of the process had left their cores by themselves by then.
            items: items that have ended since this was last told.

        Returns:
            Whether to choose anew.
        """
        took_s, busy_s, times = (now - then for now, then in zip((now_s, cpu_s, blocked), self._since, strict=True))
        self._items += items
        if took_s < _WINDOW_S:
            return False
        most = _BUSY_HANDING_OVER if times > _HANDING_OVER * took_s else _ONE_CORE
        one = _BUSY_WITH_ONE * took_s < busy_s < most * took_s and busy_s >= self._least_s * self._items
        turns = one and (self._one_before or took_s >= 2 * _WINDOW_S or self._are_alike(busy_s))
        self._items = 0
        self._one_before = one
        self._since = now_s, cpu_s, blocked
        return turns

    def _are_alike(self, busy_s: float) -> bool:
        """Return whether items, ended or not, compute what one did alone, and not their threads as they start."""
        begun = self._items + self._at_once
        alike = self._items * self._item_cpu_s < busy_s / _ALIKE and _ALIKE * busy_s < begun * self._item_cpu_s
        return self._item_cpu_s > 0 and alike and busy_s >= self._least_s * begun
