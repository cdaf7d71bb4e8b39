"""One run of a function over its items: cuts chunks, hands them out, keeps order, decides what a failure means.

Written once for all approaches and all verbs. A run goes step by step, so that whoever drives it may do something else
between two steps: `feed` hands out, `take` waits and gives what is final. `use` may be called again with another
approach, which goes on where the one before stopped; so no item is ever run twice because a sample was taken.
"""

from __future__ import annotations

from time import monotonic

from corewise._dispatch.failures import Failures, raise_it, refuse_coroutines, retries_of, short
from corewise._dispatch.order import AsFinished, InOrder, without
from corewise._dispatch.ranges import Outstanding, put_in_order
from corewise._dispatch.sizes import TARGET_S, ChunkSizes
from corewise._dispatch.source import READ_S
from corewise._types.choice import Failed
from corewise._types.light import deque
from corewise._work.raised import add_note

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from corewise._approaches.base import Runner
    from corewise._dispatch.adapting import Adapting
    from corewise._dispatch.meter import Meter
    from corewise._dispatch.pace import Pace
    from corewise._dispatch.source import Source
    from corewise._dispatch.window import Window
    from corewise._types.options import Options
    from corewise._work.chunk import Chunk, Done
    from corewise.errors import TooManyFailures

# Failures that are listed of a run whose results are not kept, as it may be endless. A guess: more nobody reads.
LISTED_OF_A_STREAM = 1000


class Run:
    """The state of a run: what is under way, what has come back, what failed.

    Args:
        source: the input.
        options: chunk size, order, and what to do about failures.
        meter: counts outcomes.
        window: bounds how far it goes ahead of its consumer; None where all results are kept.
        clock: gives seconds; its zero is of no matter.
        idle: waits for so many seconds, where nothing is under way; None for `nap`.

    Attributes:
        failures: what failed for good.
        outstanding: what is under way.
        sizes: how many items chunks hold.
    """

    def __init__(
        self,
        source: Source,
        options: Options,
        meter: Meter,
        window: Window | None = None,
        *,
        clock: Callable[[], float] = monotonic,
        idle: Callable[[float], None] | None = None,
    ) -> None:
        self.source = source
        self.failures = Failures(
            allowed=options.max_failures,
            kept=LISTED_OF_A_STREAM if window is not None and options.on_error == "return" else None,
        )
        self._options = options
        self._meter = meter
        self._window = window
        self.outstanding = Outstanding()
        self._again: deque[Chunk] = deque()
        self._retries = retries_of(options)
        self._pace: Pace | None = None
        if options.rate is not None:
            from corewise._dispatch.pace import Pace

            self._pace = Pace(options.rate)
        self._refused = 0
        self._clock, self._idle = clock, idle
        self._order: InOrder | AsFinished = InOrder() if options.ordered else AsFinished()
        self._stop_before: int | None = None
        self._enough: Callable[[Done | None], bool] | None = None
        self.sizes = ChunkSizes(workers=1, fixed=None)
        self._full = self._hungry = self._held_back = False

    def use(
        self,
        approach: Runner,
        workers: int,
        *,
        enough: Callable[[Done | None], bool] | None = None,
        chunksize: int | None = None,
        ahead_s: float = READ_S,
        adapting: Adapting | None = None,
    ) -> None:
        """Run items by this approach from now on.

        Args:
            approach: where to send chunks; opened and closed by the caller.
            workers: how many workers share the items.
            enough: asked after each outcome, and with None when none has come in time; once it returns True no more
                chunks are handed out, and those under way are waited for.
            chunksize: size of each chunk; None adapts it.
            ahead_s: seconds of reading the input after which a chunk is ended as it is.
            adapting: adapts how many calls there are at once; None where that is fixed.
        """
        self._approach, self._workers, self._adapting = approach, workers, adapting
        self.source.inherited = approach.inherits
        self._fixed = chunksize is not None
        share = 1 if approach.shares_chunks else workers
        self.sizes = self.sizes.for_others(share, chunksize, approach.chunk_s or TARGET_S)
        self._enough, self._ahead_s, self._full = enough, ahead_s, False
        if self._window is not None:
            self._window.share_among(workers)

    @property
    def unfinished(self) -> bool:
        """Whether there is anything left to hand out."""
        return bool(self._again or self._retries) or not self.source.exhausted

    @property
    def retried(self) -> int:
        """How often an item was run again."""
        return 0 if self._retries is None else self._retries.count

    @property
    def hungry(self) -> bool:
        """Whether the input keeps those waiting who have room for more."""
        return self._hungry

    @property
    def remaining(self) -> int | None:
        """How many items are left to hand out; None while unknown."""
        left = self.source.remaining
        if left is None or not (self._again or self._retries):
            return left
        waiting = 0 if self._retries is None else len(self._retries)
        return left + waiting + sum(chunk.count for chunk in self._again)

    def under_way(self, done: Done) -> Chunk:
        """Return the items that an outcome is of; to be asked before it is taken in, as by `enough`."""
        return self.outstanding.part(done.start, done.stop)

    def feed(self, *, wait: bool = True, limit_s: float | None = None) -> bool:
        """Hand out chunks while there is room for them, and time, or until the input keeps us waiting.

        Args:
            wait: False leaves an input alone that has lately been slow to give items.
            limit_s: seconds to wait at most for an input that is a stream; None, where nothing is under way, as long as
                it takes.

        Returns:
            Whether anything is worth waiting for: what is under way, or the time to hand out more.
        """
        self._hungry = not wait and self.source.slow
        self._held_back = False
        if self._retries:
            self._again.extendleft(reversed(self._retries.take(self._clock())))
        patience_s = _least(READ_S, limit_s) if wait else 0.0  # not long where results of this run may come
        while self._room and not self._hungry:
            chunk = self._next_chunk(patience_s if self.outstanding or not wait else limit_s)
            if chunk is None:
                break
            self.outstanding.add(chunk)
            self._approach.submit(chunk)
        if self._retries is None and not self.unfinished:
            self._approach.no_more()
        self._hungry = self._hungry and self._approach.room > 0
        if self._held_back or (self._retries and not self._full):
            return True
        if not self.outstanding or self._stop_before is None:
            return bool(self.outstanding)
        return bool(self._again) or self.outstanding.any_before(self._stop_before)

    @property
    def due_s(self) -> float | None:
        """In how many seconds there will be something to hand out; None if that is no matter of time."""
        now_s = self._clock()
        paced_s = self._pace.wait_s(now_s) if self._held_back and self._pace is not None else None
        return _least(paced_s, max(0.0, self._retries.due_s - now_s) if self._retries and not self._full else None)

    def take(self, *, wait: bool = True, limit_s: float | None = None) -> list[Done]:
        """Wait for outcomes, and return what is final and whose turn has come; it may be nothing.

        Args:
            wait: False takes what is there.
            limit_s: seconds to wait at most; None waits as long as it takes.

        Raises:
            TooManyFailures: when more items failed than `max_failures` allows.
        """
        # While the input keeps us waiting, results must not: they are looked for between two items.
        timeout_s = _least(self.due_s, self._meter.tick_s, limit_s) if wait and not self._hungry else 0.0
        due: list[Done] = []
        late = True
        try:
            for done in self._collected(timeout_s):
                late = False
                if done.wall_s:
                    self.sizes.observe(len(done.values), done.wall_s)
                self._full = self._full or (self._enough is not None and self._enough(done))
                due += self.settle(done)
                del done  # frames of a call that failed may link back to this one, and must not meet their exception
            self._full = self._full or (late and self._enough is not None and self._enough(None))
            self._take_back()
            self._meter.add(0, 0)
            if self.failures.too_many(finished=self._meter.done, total=self.source.total):
                raise self._too_many()
            return due
        finally:
            del due  # as above

    def taken(self, items: int, size_bytes: int) -> None:
        """The consumer has taken so many results of those that `take` gave."""
        if self._window is not None:
            self._window.taken(items, size_bytes)

    def finish(self) -> None:
        """Raise what has to be raised in the end: to be called when `feed` finds nothing more to wait for.

        Raises:
            BaseException: the first failure in input order, unless failures are to be returned, with a note that names
                the item. Or what the input raised.
            TooManyFailures: when more items failed than `max_failures` allows.
        """
        if self._stop_before is not None:
            self._order.clear()
            raise_it(self.failures.release()[0].error)
        if self.unfinished:
            return
        if self.failures.too_many_in_the_end(finished=self._meter.done):
            raise self._too_many()
        error, self.source.error = self.source.error, None
        if error is not None:
            try:
                raise_it(error)
            finally:
                del error

    # -- waiting -------------------------------------------------------------------------------------------------------

    def _collected(self, timeout_s: float | None) -> list[Done]:
        """Return outcomes; where nothing is under way, none, but not before the time is up."""
        if self.outstanding or not timeout_s:
            return self._approach.collect(timeout_s)
        until_s = self._clock() + timeout_s
        self._approach.collect(timeout_s)  # an event loop is to turn meanwhile; others return at once
        if (left_s := until_s - self._clock()) > 0:
            from corewise._dispatch.naps import nap  # loaded by whoever makes a run wait

            (self._idle or nap)(left_s)
        return []

    # -- handing out ---------------------------------------------------------------------------------------------------

    @property
    def _room(self) -> int:
        """How many chunks may be handed out now; none is to wait where each begins at once, or failures come first."""
        room = self._approach.room
        ahead = self._pace is None and (self._workers > 1 or self._retries is None)
        return room if ahead else min(room, self._approach.limit - len(self.outstanding))

    def _next_chunk(self, patience_s: float | None) -> Chunk | None:
        if self._full or (self._workers == 1 and self._retries):  # one worker keeps to the order, as the plain loop
            return None
        chunk = self._cut(patience_s)
        if chunk is None or self._pace is None:
            return chunk
        # Cut all the same, so that the end of the input is not waited for.
        now_s = self._clock()
        if self._pace.wait_s(now_s):
            self._again.appendleft(chunk)
            self._held_back = True
            return None
        self._pace.begun(now_s)
        return chunk

    def _cut(self, patience_s: float | None) -> Chunk | None:
        if self._again:
            return self._cut_again()
        if self._stop_before is not None:
            return None
        size = 1 if self._pace is not None else self.sizes.next(self.source.remaining)
        if self._window is not None:
            size = self._window.allows(size, fixed=self._fixed)
            if not size:
                return None
        chunk = self.source.cut(size, self._ahead_s, patience_s)
        self._hungry = self.source.slow
        if chunk is not None and self._window is not None:
            self._window.read(chunk.count)
        return chunk

    def _cut_again(self) -> Chunk:
        """Take what is to be run again, or was handed back: no more at a time than a chunk has by now."""
        chunk = self._again.popleft()
        left = self.source.remaining
        size = 1 if self._pace is not None else self.sizes.next(None if left is None else left + chunk.count)
        if chunk.count <= size:
            return chunk
        self._again.appendleft(chunk.part(chunk.start + size, chunk.stop))
        return chunk.part(chunk.start, chunk.start + size)

    def _take_back(self) -> None:
        """Have back what was handed out and nobody has begun, if something else is to run it."""
        for chunk in self._approach.hand_back() if self._full else ():
            self.outstanding.remove(chunk.start, chunk.count, dropped=0)
            if self._stop_before is None or chunk.start < self._stop_before:
                put_in_order(self._again, chunk)

    # -- taking in -----------------------------------------------------------------------------------------------------

    def settle(self, done: Done) -> list[Done]:
        """Take in an outcome of what is under way; return the parts whose turn has come."""
        if done.start == 0:
            refuse_coroutines(done.values)
        again = self._judge(done)
        if done.left and (self._stop_before is None or done.stop < self._stop_before):
            put_in_order(self._again, self.outstanding.part(done.stop, done.stop + done.left))
        self.outstanding.remove(done.start, len(done.values), dropped=done.dropped + done.left)
        self._meter.add(len(done.values) - len(again), len(done.failed) - len(again))
        # Where the first failure is raised, exceptions are no results.
        gone = again if self._options.on_error == "return" else done.failed
        due: list[Done] = []
        for part in without(done, gone) if gone else [done]:
            if self._stop_before is not None and part.start > self._stop_before:
                continue
            if self._window is not None:
                self._window.finished(part)
            due += self._order.put(part)
        return due

    def _judge(self, done: Done) -> list[int]:
        """Decide what the failures among an outcome mean; return the indexes of items that are run again."""
        refused = self._refused
        again: list[int] = [index for index in done.failed if self._is_tried_again(done, index)]
        for index in done.failed:
            if index not in again:
                self._fail(index, done.values[index - done.start])
        if self._retries is not None:
            self._retries.ended(done.start, done.stop, again)
        if self._adapting is not None and (self._refused > refused or not done.failed):
            was_refused = self._refused > refused
            self._adapting.learn(self._approach, done, self.outstanding, refused=was_refused, remaining=self.remaining)
        return again

    def _fail(self, index: int, error: BaseException) -> None:
        """An item has failed for good."""
        item = short(self.outstanding.item(index))
        add_note(error, f"item {index}: {item}")
        if self._retries is not None and (before := self._retries.attempts.get(index)):
            add_note(error, f"attempt {before + 1} of {self._options.retries + 1}")
        self.failures.add(Failed(index=index, item=item, error=error))
        if self._options.on_error != "return":
            self._stop_at(index)

    def _is_tried_again(self, done: Done, index: int) -> bool:
        """Decide whether an item that failed is to be run again, and if so put it in line."""
        retries = self._retries
        if retries is None or (self._stop_before is not None and index > self._stop_before):
            return False
        least_s = retries.wanted_s(done.values[index - done.start])
        if least_s is None:
            return False
        self._refused += self._options.retry_on is not None
        wait_s = retries.wait_s(index, least_s)
        if wait_s is None:
            return False
        # What was dropped behind it goes along, and comes after it, as in the plain loop.
        stop = index + 1 + (done.dropped if index == done.stop - 1 else 0)
        if wait_s:
            retries.put(self.outstanding.part(index, index + 1), self._clock() + wait_s)
            index += 1
        if index < stop:  # one worker keeps to the order; among several, others in line are not to wait for it
            put = put_in_order if self._workers == 1 else deque.append
            put(self._again, self.outstanding.part(index, stop))
        return True

    def _stop_at(self, index: int) -> None:
        """Nothing from this item on matters any more."""
        stop = self._stop_before = index if self._stop_before is None else min(self._stop_before, index)
        earlier = [chunk.part(chunk.start, min(chunk.stop, stop)) for chunk in self._again if chunk.start < stop]
        self._again = deque(earlier)
        if self._retries is not None:
            self._retries.stop_before(stop)

    def _too_many(self) -> TooManyFailures:
        self._order.clear()
        return self.failures.as_error(self._meter.done)


def _least(*seconds: float | None) -> float | None:
    """Return the shortest of several times, None being for ever."""
    return min((one for one in seconds if one is not None), default=None)
