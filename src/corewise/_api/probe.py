"""The first items, run in the caller as real work, and measured; and those behind them, as long as they stay there."""

from __future__ import annotations

from sys import modules

from corewise._approaches.sync import Sync
from corewise._measure.gauge import Gauge
from corewise._measure.ticker import WORTH_A_LOOK_S, has_gil
from corewise._work.chunk import Chunk
from corewise._work.pieces import Pieces
from corewise._work.run import run_chunk, run_seeded

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import Any, Protocol

    from corewise._approaches.base import Terms
    from corewise._types.measurement import Measurement
    from corewise._work.chunk import Done

    class Beside(Protocol):
        """Whatever may go on in another thread while the caller is at an item, such as `Early`."""

        cpu_s: float

        def is_worth_it(self, waited_s: float) -> bool: ...

        def begin(self) -> None: ...

        def away(self) -> None: ...

        def back(self) -> list[Done]: ...


# A chunk is made to last 4 ms. One that is not over by then holds other items than those before, and whoever decides
# should hear of them.
_TOO_LONG_S = 0.02
_OURS = frozenset({"resource"})  # what the gauge loads itself beside an item
_COMPUTES_ALL = 0.98  # share of computing; a chunk that stood in line for so little of its time is not judged by it
_HARDLY = 0.05  # share of computing below which an item does nothing but wait (guess)
_MOSTLY = 0.5  # a share from which something is what an item mostly does
_LONG_LOADING_S = 0.4  # guess: what takes longer does more than to load, and not to wait for a second one is worth more
_LONG_FIRST_S = 0.02  # guess: of a first item; what fills a cache in less time hardly changes a choice
_UNLIKE = 0.05  # share of the first item's time; if the next one takes less, the first has filled a cache (guess)


class Probe(Sync):
    """Runs chunks plainly and measures the items alone: not what reading them takes, nor what is done with results.

    Args:
        terms: what to run, and how.
        early: takes over what others can do while an item runs long; None where there is nothing for them.

    Attributes:
        gauge: what was measured.
        loaded: whether the first item has loaded modules, as no later one will; as far as is known.
        starts_programs: whether it has loaded what starts programs, among others.
    """

    _counts_at_once = False

    def __init__(self, terms: Terms, early: Beside | None) -> None:
        super().__init__(terms)
        self._line_s = 0.0  # seconds in line for a core, when that was last looked up
        self._pieces: Pieces | None = None  # those that may be cut off
        self.loaded = self.starts_programs = False
        self._modules: int | None = None  # how many there were when the first item began; None where that is no matter
        self._loading: tuple[float, ...] = (0.0,) * 7  # figures of a first item that did nothing else for all one knows
        self._long_first: tuple[float, ...] | None = None  # those of a long one, until the next tells if it is alike
        if early is None:
            self.gauge = Gauge(often=self._cut)
        else:
            self.gauge = Gauge(when_long=self._is_long, often=self._cut, ours_s=lambda: early.cpu_s)
        self._early = early

    def collect(self, timeout_s: float | None) -> list[Done]:
        """Run the chunk; return what others have done meanwhile as well, if there are any."""
        self.prepare()
        if not self._queue.has_begun and self.gauge.wall_s >= WORTH_A_LOOK_S:
            self._queue.begin()
        early = self._early
        if early is None:
            return super().collect(timeout_s)
        early.away()
        return [*super().collect(timeout_s), *early.back()]

    @property
    def queued_s(self) -> float | None:
        """As of any plain loop, or of the gauge, which looks during a first item; 0 of what is not worth the look."""
        told_s, seen_s = self.gauge.in_line_s, super().queued_s if self._queue.has_begun else None
        return None if told_s is None and seen_s is None else max(told_s or 0.0, seen_s or 0.0)

    @property
    def told(self) -> tuple[float, float, float]:
        """Items that tell of those to come, their seconds and their CPU seconds."""
        items, wall_s, cpu_s, *_ = self._loading
        return self.gauge.items - items, self.gauge.wall_s - wall_s, self.gauge.cpu_s - cpu_s

    @property
    def holds(self) -> bool | None:
        """Whether the items mostly compute and hold the GIL for that; None where nobody has looked."""
        _, wall_s, cpu_s = self.told
        seen_s, held_s = (one - before for one, before in zip(self.gauge.seen, self._loading[5:], strict=True))
        if cpu_s < _MOSTLY * wall_s:
            return False
        return held_s > _MOSTLY * seen_s if seen_s > 0 else None

    @property
    def only_waits(self) -> bool:
        """Whether items that have ended did nothing but wait."""
        return 0 < self.gauge.cpu_s < _HARDLY * self.gauge.wall_s

    def measured(self, remaining: int | None) -> Measurement:
        """Return what was measured of the items that tell of those to come.

        Args:
            remaining: items left; None while unknown.
        """
        measured, now = self.gauge.so_far(remaining), self.figures()
        measured = measured.replace(queued_s=max(0.0, min(now[3], measured.wall_s - measured.cpu_s)))
        if not self._loading[0]:
            return measured
        from corewise._choose.put_right import behind_the_first

        return behind_the_first(measured, *(one - before for one, before in zip(now, self._loading, strict=True)))

    def figures(self) -> tuple[float, ...]:
        """Return what adds up: items, seconds, CPU seconds, seconds in line, those of native threads; and the last two.

        These are CPU seconds that were looked at, and those of them that held the GIL.

        To wait for a thread that is there because of the measurement is to stand in line, too. It is not known, but not
        longer than what such threads computed.
        """
        gauge = self.gauge
        in_the_way = min(1.0, gauge.cpu_s / gauge.wall_s) if gauge.wall_s > 0 else 1.0  # who waits misses nothing
        if in_the_way <= _COMPUTES_ALL:  # to look it up opens a file; else there is next to nothing to look up
            self._line_s = self.queued_s or 0.0
        queued_s = max(gauge.queued_s, self._line_s) + gauge.ours_s * in_the_way
        return (gauge.items, gauge.wall_s, gauge.cpu_s, queued_s, gauge.native_s, *gauge.seen)

    def _run(self) -> Iterator[Done]:
        call = self.prepare()
        while True:
            yield self._measured(call, self._taken())

    def _measured(self, call: Callable[..., Any], chunk: Chunk) -> Done:
        terms, gauge = self._terms, self.gauge
        watched = has_gil()  # without one, no iterator suffers two threads
        pieces = None if len(chunk.items) == 1 else Pieces(chunk.items, _TOO_LONG_S, watched=watched)
        items: Any = pieces or chunk.items
        part = Chunk(chunk.start, items, star=chunk.star)
        first = not gauge.items
        pending = gauge.begin(items)
        if first:
            self._modules = len(modules)
        more = None
        if pieces is not None and not gauge.is_timing and terms.seed is None:
            more = pieces.more
            pending = more(0) or pending
            self._pieces = pieces if watched else None
        if terms.seed is None:
            done = run_chunk(call, part, keep_going=terms.keep_going, interruptible=True, pending=pending, more=more)
        else:
            done = run_seeded(call, part, terms.seed, keep_going=terms.keep_going, interruptible=True)
        self._pieces = None
        try:
            gauge.end(len(done.values))
            if first:
                self._note_loading()
            elif self._long_first is not None:
                self._compare(self._long_first)
            done.left = len(chunk.items) - len(done.values) - done.dropped
            return done
        finally:
            del done  # frames of a call that failed link back to this one, and must not meet their exception

    def _note_loading(self) -> None:
        """The first chunk is over: if it was one item that loaded modules, it tells nothing of the others."""
        gauge = self.gauge
        self._look_for_modules()
        if gauge.items == 1 and self.loaded and gauge.wall_s < _LONG_LOADING_S:
            self._loading = self.figures()
        elif gauge.items == 1 and gauge.wall_s >= _LONG_FIRST_S:
            self._long_first = self.figures()

    def _compare(self, first: tuple[float, ...]) -> None:
        """The second chunk is over: if its items were much shorter than the first, that one tells nothing of them."""
        self._long_first = None
        items, wall_s, *_ = first
        if self.gauge.wall_s - wall_s < _UNLIKE * wall_s * (self.gauge.items - items):
            self._loading = first

    def _look_for_modules(self) -> None:
        """Whatever is loaded later is not for the first item."""
        before, self._modules = self._modules, None
        if before is not None and len(modules) > before:
            new = [name for name in [*modules][before:] if name not in _OURS and not name.startswith("corewise.")]
            self.loaded, self.starts_programs = bool(new), "_posixsubprocess" in new

    def _is_long(self) -> bool:
        """An item runs long. Called by the gauge's thread, again if this returns False."""
        early, gauge = self._early, self.gauge
        if early is None or gauge.items:
            return True  # behind other items, a long one says little of those that remain
        if not early.is_worth_it(gauge.running_s()):
            return False
        self._look_for_modules()
        early.begin()
        return True

    def _cut(self) -> None:
        """End the running chunk, if it takes too long. Called by the gauge's thread."""
        pieces = self._pieces
        if pieces is not None:
            pieces.cut()

    def close(self, *, kill: bool, wait: bool = True) -> None:
        """Stop measuring."""
        self.gauge.close()
        super().close(kill=kill, wait=wait)
