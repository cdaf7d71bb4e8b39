"""Measures items that run in the calling thread as real work: not what reading them takes, nor what follows them."""

from __future__ import annotations

import sys
from _thread import get_ident
from itertools import chain, islice
from time import perf_counter, process_time

from corewise._measure.clocks import ThreadClocks, children_cpu_s, thread_cpu_s
from corewise._measure.count import Count, stamped
from corewise._measure.held import HeldTime
from corewise._measure.ticker import WAITS, WORTH_A_LOOK_S, Ticker, can_tell_waits, has_gil, times_switched
from corewise._types.measurement import Measurement

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from typing import Any

    from corewise._work.pieces import Pieces

TIMED_FROM_S = 0.00001  # benchmarks/probe.py: to time items one by one costs 0.1 µs each, so 1 % from here on
_GAP_S = 0.001  # guess: what lies between two chunks is mostly shorter, and to read the clocks again costs 3 µs
_SHORT_S = 0.0003  # guess: who stands in line for a core does so for longer
_WORTH_ASKING_S = 0.00003  # guess: of idling in a chunk; less is what its clocks are read apart
_SEEN_SHARE = 0.1  # guess: of the computing, for its share of the GIL to stand for all of it
_COMPUTES_ALL = 0.75  # share of computing from which a thread that was blocked wanted the GIL (guess)
LETS_GO = 0.2  # guess: share of its computing for which an item may hold the GIL beside a thread that wants it
_IDLE_SHARE = 0.05  # guess: less than that changes no decision
_IDLE_S = 0.0003  # benchmarks/probe.py: who is made to give way to a look idles for some 0.1 ms
LONG_S = 0.04  # guess: a user does not notice so much later a start
LONG_FREE_S = 0.01  # where it does not hold the GIL it is not held up by that, and by then it is known (guess)
LONG_WAIT_S = 0.001  # beside a wait there is a core for whatever is to be started, so it is as soon as anybody looks


class Gauge:
    """Measures chunks of items. `begin` before each, `end` after it, in one thread at a time; then `measurement`.

    To be closed: it may hold a thread and a descriptor.

    Args:
        when_long: called in another thread when one item has run for `long_s`, or for 10 ms without the GIL, or has
            waited for a millisecond; and again a moment later for as long as it returns False. It may ask `so_far`.
            Not called when no thread can run beside the item: because it is one C call that holds the GIL, or because
            it forked.
        long_s: seconds that an item computes, see `when_long`.
        often: called in that thread every few milliseconds while a chunk runs, from its tenth on.
        ours_s: gives the CPU seconds of threads that are there because of the measurement, and no part of the work.

    Attributes:
        is_timing: whether items of the chunk that was begun last are timed one by one, so that the iterator has to be
            gone through.

    Example:
        >>> gauge = Gauge()
        >>> results = list(map(abs, gauge.begin([-1, -2, -3])))
        >>> gauge.end(len(results))
        >>> gauge.measurement(remaining=0).items
        3
        >>> gauge.close()
    """

    def __init__(
        self,
        *,
        when_long: Callable[[], object] | None = None,
        long_s: float = LONG_S,
        often: Callable[[], object] | None = None,
        ours_s: Callable[[], float] = float,
    ) -> None:
        self._when_long, self._long_s, self._often = when_long, long_s, often
        self._clocks: ThreadClocks | None = None
        self._held = HeldTime() if has_gil() else None
        self._ticker = Ticker(self._clock, self._held, self._watch)
        self._count = Count()
        self._others = _Others(self._ticker, ours_s)
        # Seconds and CPU seconds of what ran before anybody looked closely.
        self._blind: tuple[float, float] | None = None
        # Seconds and CPU seconds of what has ended; since when, and from which CPU second on, a chunk runs. Replaced as
        # a whole, lest another thread finds half of it changed.
        self._state: tuple[float, float, float | None, float] = (0.0, 0.0, None, 0.0)
        self._stamps: list[float] = []
        # CPU seconds of children: of those that ended under a chunk, and of all when the running one began.
        self._children: tuple[float, float | None] = (0.0, None)
        # Looks of the ticker, and how often the thread was blocked and preempted, when the chunk began.
        self._asked = (0, -1, -1)
        self._stood_s = 0.0  # in line for a core, in chunks in which the thread has waited for nothing
        self.is_timing = False
        self._tells = sys.platform == "linux"

    @property
    def items(self) -> int:
        """Items that have ended."""
        return self._count.items

    @property
    def wall_s(self) -> float:
        """Seconds that they took."""
        return self._state[0]

    @property
    def cpu_s(self) -> float:
        """CPU seconds that they took."""
        return self._state[1]

    @property
    def queued_s(self) -> float:
        """Seconds of theirs in line for a core."""
        return max(self._others.so_far[1], self._stood_s)

    @property
    def native_s(self) -> float:
        """CPU seconds of native threads meanwhile."""
        return self._others.so_far[0]

    @property
    def ours_s(self) -> float:
        """CPU seconds of threads that are there because of the measurement."""
        return self._ticker.cpu_s + self._others.ours_s()

    @property
    def in_line_s(self) -> float | None:
        """Seconds of theirs in line for a core, once nothing runs any more; None where the system does not tell.

        Nobody looked in the first millisecond, nor where next to all time was computed.
        """
        wall_s, cpu_s, _, _ = self._state
        return self._queued(wall_s, cpu_s, self._others.so_far[1]) if self._tells else None

    @property
    def seen(self) -> tuple[float, float]:
        """CPU seconds of theirs that were looked at for the GIL, and those of them for which it was held."""
        return (self.cpu_s, 0.0) if self._held is None else (self._held.seen_s, self._held.all_held_s)

    def begin(self, items: Sequence[Any] | Pieces) -> Iterator[Any]:
        """Begin to measure, and return an iterator over the items of a chunk, which are to be run now.

        Args:
            items: the items; at least one.
        """
        clocks = self._clocks
        if clocks is None or clocks.ident != get_ident():
            clocks = self._bind()
        wall_s, cpu_s, _, _ = self._state
        ended = self._count.items
        stamps: list[float] = []
        self._stamps = stamps
        pending: Iterator[Any] = iter(items)
        self.is_timing = len(items) > 1 and wall_s >= ended * TIMED_FROM_S  # which is so where none has ended
        if self.is_timing and not ended:
            pending = chain(stamped(islice(pending, 1), stamps), pending)
        elif self.is_timing:
            pending = stamped(items, stamps)
        if wall_s * (1 + len(items) / max(1, ended)) >= WORTH_A_LOOK_S:  # by the end of this chunk, if not now
            self._look_closely(clocks, wall_s, cpu_s)
        self._others.begin(clocks)
        self._children = self._children[0], children_cpu_s()
        # At once, as a first item that lasts long can only be looked into by what is there already; and last, as
        # whatever lets go of the GIL now would have to wait until the ticker is ready.
        self._ticker.start()
        self._asked = (self._ticker.looks, *times_switched())
        self._state = (wall_s, cpu_s, perf_counter(), thread_cpu_s())
        return pending

    def end(self, items: int) -> None:
        """Say that the chunk has ended. Where none was begun, nothing happens.

        Args:
            items: how many of its items were run, one that failed among them.
        """
        wall_s, cpu_s, since, cpu_since = self._state
        clocks = self._clocks
        if since is None or clocks is None:
            return
        now, cpu_now = perf_counter(), thread_cpu_s()
        self._state = (wall_s + now - since, cpu_s + cpu_now - cpu_since, None, 0.0)
        self._ticker.rest()
        self._note_switches(now - since, cpu_now - cpu_since)
        self._others.end(clocks, cpu_now, now, since)
        self._children = self._children_s(), None
        self._count.add(items, since, now, self._stamps)

    def measurement(self, remaining: int | None) -> Measurement:
        """Return what was measured of the items that have ended. Nothing watches them any more then.

        Args:
            remaining: items left; None while unknown.
        """
        self._stop()
        wall_s, cpu_s, _, _ = self._state
        return self._made(self._count, wall_s, cpu_s, self._others.so_far, remaining)

    def so_far(self, remaining: int | None) -> Measurement:
        """Return what was measured, as if the running item ended now. Any thread may ask, also while an item runs.

        Args:
            remaining: items left behind the running one; None while unknown.
        """
        stamps, (wall_s, cpu_s, since, cpu_since), clocks = list(self._stamps), self._state, self._clocks
        if since is None or clocks is None:
            return self._made(self._count, wall_s, cpu_s, self._others.so_far, remaining)
        now = perf_counter()
        # Where nobody can read the clock of another thread, all that the process does is taken to be the item's.
        cpu_now = self._others.all_s if clocks.cpu_s is None else clocks.cpu_s()
        count = self._count.copy()
        count.add(len(stamps) or 1, since, now, stamps)
        others = self._others.at(clocks, cpu_now)
        return self._made(count, wall_s + now - since, cpu_s + cpu_now - cpu_since, others, remaining)

    def running_s(self) -> float:
        """Return for how long the running item has run; 0 when none does. Any thread may ask."""
        stamps, since = self._stamps, self._state[2]
        return 0.0 if since is None else perf_counter() - (stamps[-1] if stamps else since)

    def sleeps(self) -> bool:
        """Return whether the thread of the running item waits for something just now; True where nobody tells."""
        clocks = self._clocks
        return clocks is None or clocks.sleeps()

    def has_children(self) -> bool:
        """Return whether that thread has started processes that have not ended; False where nobody tells."""
        clocks = self._clocks
        return clocks is not None and clocks.has_children()

    def rest(self) -> None:
        """Let no thread of the gauge run until the next chunk begins: whoever looks around now finds none."""
        self._ticker.stop()

    def close(self) -> None:
        """End what the gauge has started. Once is enough, more is no error."""
        try:
            self._stop()
        finally:  # a Ctrl-C in the middle leaves the thread to itself, and it looks a few times more before it ends
            clocks, self._clocks = self._clocks, None
            if clocks is not None:
                clocks.close()

    def _note_switches(self, wall_s: float, cpu_s: float) -> None:
        """Note why the thread has left its core while the chunk ran that is over: whose seconds these are."""
        (looks, blocked, preempted), idle_s = self._asked, wall_s - cpu_s
        looked = self._ticker.looks - looks
        if blocked < 0 or (idle_s < _WORTH_ASKING_S and not looked):
            return
        times, others = (now - then for now, then in zip(times_switched(), (blocked, preempted), strict=True))
        if not times:  # it has waited for nothing, so whatever it did not compute it stood in line, seen or not
            self._stood_s += idle_s
        # Where less was computed it may have been blocked by anything, else by the ticker.
        if self._held is not None and looked and cpu_s >= _COMPUTES_ALL * wall_s:
            # By a neighbour it is preempted for longer than by the ticker.
            self._held.asked_again(times, looked, others if idle_s <= _IDLE_S * looked else 0)

    def _stop(self) -> None:
        self._ticker.stop(now=self._state[0] >= WORTH_A_LOOK_S)

    def _bind(self) -> ThreadClocks:
        """Turn to the calling thread, which may be another one than the last time."""
        self.close()
        self._clocks = clocks = ThreadClocks()
        return clocks

    def _clock(self) -> tuple[float, float, float | None]:
        """Return for how long items have run, the CPU seconds that they took, and for how long the chunk under way has.

        Where the CPU time of another thread cannot be read, time on the wall stands for it.
        """
        wall_s, cpu_s, since, cpu_since = self._state
        clocks = self._clocks
        chunk_s = None if since is None else perf_counter() - since
        wall_s += chunk_s or 0.0
        if clocks is None or clocks.cpu_s is None:
            return wall_s, wall_s, chunk_s
        return wall_s, cpu_s if since is None else cpu_s + clocks.cpu_s() - cpu_since, chunk_s

    def _look_closely(self, clocks: ThreadClocks, wall_s: float, cpu_s: float) -> bool:
        """Prepare what takes too long for a run that is not worth it. Return whether anything was left to do.

        It lets go of the GIL many times. So the watched thread does it where it can, between two chunks; only behind an
        item that has run for long the ticker does. The way to a core matters only where not all time was computed.
        """
        first = can_tell_waits()
        if wall_s - cpu_s < max(_IDLE_S, _IDLE_SHARE * wall_s) or not clocks.look_at_line():
            return first
        self._tells = clocks.line_tells
        if self._blind is None:
            self._blind = wall_s, cpu_s
        return True

    def _watch(self, wall_s: float, cpu_s: float) -> bool:
        """Tell when an item has run for long. Called by the ticker. Return whether this has let go of the GIL."""
        clocks, call = self._clocks, self._when_long
        spoilt = clocks is not None and self._look_closely(clocks, wall_s, cpu_s)
        if self._often is not None:
            self._often()
        running_s = self.running_s()
        seems_to_wait = cpu_s < WAITS * wall_s and running_s >= LONG_WAIT_S
        is_long = running_s >= self._long_s or (running_s >= LONG_FREE_S and self._lets_go(cpu_s))
        if call is None or not (is_long or seems_to_wait):
            return spoilt
        # Beside busy neighbours it may but stand in line.
        if (is_long or self.sleeps()) and call() is not False:
            self._when_long = None
            return True
        return spoilt or not is_long  # to see whether it sleeps reads a file

    def _lets_go(self, cpu_s: float) -> bool:
        """Return whether what has run so far is known to have left the GIL to others."""
        held = self._held
        return held is None or (held.seen_s > _SEEN_SHARE * cpu_s and held.all_held_s <= LETS_GO * held.seen_s)

    def _made(
        self, count: Count, wall_s: float, cpu_s: float, others: tuple[float, float], remaining: int | None
    ) -> Measurement:
        native_cpu_s, queued_s = others
        weighed_s = wall_s if self._clocks is None or self._clocks.cpu_s is None else cpu_s
        queued_s = self._queued(wall_s, cpu_s, queued_s)
        waits = cpu_s < _COMPUTES_ALL * (wall_s - queued_s)
        share = 0.0 if self._held is None else self._held.share(_SEEN_SHARE * weighed_s, waits=waits)
        return Measurement(
            items=count.items,
            wall_s=wall_s,
            first_s=count.first_s,
            deviation_s=count.deviation_s,
            longest_s=count.longest_s,
            cpu_s=cpu_s,
            native_cpu_s=max(0.0, native_cpu_s),
            held_s=None if share is None else share * cpu_s,
            queued_s=queued_s,
            remaining=remaining,
            children_cpu_s=self._children_s(),
        )

    def _children_s(self) -> float:
        ended_s, before_s = self._children
        now_s = None if before_s is None else children_cpu_s()
        return ended_s if before_s is None or now_s is None else ended_s + now_s - before_s

    def _queued(self, wall_s: float, cpu_s: float, queued_s: float) -> float:
        """Return the seconds in line for a core, by those that were seen."""
        if self._blind is not None:  # what was not seen of it is taken to be like the rest
            blind_s = self._blind[0] - self._blind[1]
            seen_s = wall_s - cpu_s - blind_s
            if blind_s > 0 and seen_s > 0:
                queued_s *= 1 + blind_s / seen_s
        return max(0.0, min(max(queued_s, self._stood_s), wall_s - cpu_s))  # less is what stood between two chunks


class _Others:
    """What the rest of the process and of the machine did while chunks ran.

    Attributes:
        so_far: CPU seconds of other threads of this process, without the ticker, and seconds in line for a core.
    """

    def __init__(self, ticker: Ticker, ours_s: Callable[[], float]) -> None:
        self.ours_s = ours_s
        self._ticker = ticker
        self.so_far = (0.0, 0.0)
        self._native_s = 0.0  # what the clocks said at their last reading
        self._queued_s: float | None = None
        self._read = self._ended = -1e9  # when that was, and when the last chunk ended

    @property
    def all_s(self) -> float:
        """CPU seconds of the process so far, without the ticker."""
        return process_time() - self._ticker.cpu_s - self.ours_s()

    def begin(self, clocks: ThreadClocks) -> None:
        """A chunk begins in the calling thread."""
        now = perf_counter()
        if now - self._ended > _GAP_S or (self._queued_s is None and clocks.begin_s is not None):
            self._native_s, self._queued_s, self._read = self.all_s - thread_cpu_s(), clocks.queued_s(), now

    def at(self, clocks: ThreadClocks, cpu_s: float) -> tuple[float, float]:
        """Return what `so_far` would be if the chunk ended now, when its thread's clock says `cpu_s`."""
        (native_s, queued_s), _ = self._read_at(clocks, cpu_s)
        return native_s, queued_s

    def end(self, clocks: ThreadClocks, cpu_s: float, now: float, since: float) -> None:
        """The chunk that began at `since` ended when its thread's clock said `cpu_s`.

        The clocks are not read behind every short chunk: to read a file lets go of the GIL, and a thread that waits for
        it, such as the ticker, would be woken each time for nothing.
        """
        self._ended = now
        if now - since > _SHORT_S or now - self._read > _GAP_S:
            self.so_far, (self._native_s, self._queued_s) = self._read_at(clocks, cpu_s)
            self._read = now

    def _read_at(self, clocks: ThreadClocks, cpu_s: float) -> tuple[tuple[float, float], tuple[float, float | None]]:
        """Read the clocks. Return what `so_far` is then, and what they say."""
        native_s, queued_s = self.all_s - cpu_s, clocks.queued_s()
        before_s = clocks.begin_s if self._queued_s is None else self._queued_s
        in_line_s = 0.0 if queued_s is None or before_s is None else queued_s - before_s
        return (self.so_far[0] + native_s - self._native_s, self.so_far[1] + in_line_s), (native_s, queued_s)
