"""One run of a function over its items: cuts chunks, hands them out, keeps order, decides what a failure means.

Written once for all approaches and all verbs. A run goes step by step, so that whoever drives it may do something else
between two steps: `feed` hands out, `take` waits and gives what is final. `use` may be called again with another
approach, which goes on where the one before stopped; so no item is ever run twice because a sample was taken.
"""

from __future__ import annotations

from corewise._dispatch.failures import Failures
from corewise._dispatch.order import AsFinished, InOrder, without
from corewise._dispatch.ranges import Outstanding
from corewise._dispatch.sizes import ChunkSizes
from corewise._dispatch.source import READ_S
from corewise._types.choice import Failed
from corewise._types.light import deque
from corewise._work.notes import add_note
from corewise.errors import TooManyFailures

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from corewise._approaches.base import Runner
    from corewise._dispatch.meter import Meter
    from corewise._dispatch.source import Source
    from corewise._dispatch.window import Window
    from corewise._types.options import Options
    from corewise._work.chunk import Chunk, Done

# Failures that are listed of a run whose results are not kept, as it may be endless. A guess: more nobody reads.
LISTED_OF_A_STREAM = 1000


class Run:
    """The state of a run: what is under way, what has come back, what failed.

    Args:
        source: the input.
        options: chunk size, order, and what to do about failures.
        meter: counts outcomes.
        window: bounds how far it goes ahead of its consumer; None where all results are kept.

    Attributes:
        failures: what failed for good.
        retried: how often an item was run again.
    """

    def __init__(self, source: Source, options: Options, meter: Meter, window: Window | None = None) -> None:
        self.source = source
        self.failures = Failures(
            allowed=options.max_failures,
            kept=LISTED_OF_A_STREAM if window is not None and options.on_error == "return" else None,
        )
        self.retried = 0
        self._options = options
        self._meter = meter
        self._window = window
        self._outstanding = Outstanding()
        self._again: deque[Chunk] = deque()
        self._attempts: dict[int, int] = {}
        self._order: InOrder | AsFinished = InOrder() if options.ordered else AsFinished()
        self._stop_before: int | None = None
        self._enough: Callable[[Done], bool] | None = None
        self._full = False
        self._hungry = False

    def use(
        self,
        approach: Runner,
        workers: int,
        *,
        enough: Callable[[Done], bool] | None = None,
        chunksize: int | None = None,
    ) -> None:
        """Run items by this approach from now on.

        Args:
            approach: where to send chunks; opened and closed by the caller.
            workers: how many workers share the items.
            enough: asked after each outcome; once it returns True no more chunks are handed out, and those under way
                are waited for.
            chunksize: size of each chunk; None adapts it.
        """
        self._approach = approach
        self._fixed = chunksize is not None
        self._sizes = ChunkSizes(workers=workers, fixed=chunksize)
        self._enough = enough
        self._full = False
        if self._window is not None:
            self._window.share_among(workers)

    @property
    def unfinished(self) -> bool:
        """Whether there is anything left to hand out."""
        return bool(self._again) or not self.source.exhausted

    @property
    def hungry(self) -> bool:
        """Whether the input keeps those waiting who have room for more."""
        return self._hungry

    @property
    def remaining(self) -> int | None:
        """How many items are left to hand out; None while unknown."""
        left = self.source.remaining
        return None if left is None else left + sum(len(chunk.items) for chunk in self._again)

    def under_way(self, done: Done) -> Chunk:
        """Return the items that an outcome is of; to be asked before it is taken in, as by `enough`."""
        return self._outstanding.part(done.start, done.stop)

    def feed(self, *, wait: bool = True, limit_s: float | None = None) -> bool:
        """Hand out chunks while there is room for them, or until the input keeps us waiting.

        Args:
            wait: False leaves an input alone that has lately been slow to give items.
            limit_s: seconds to wait at most for an input that is a stream; None, where nothing is under way, as long as
                it takes.

        Returns:
            Whether anything is under way that is worth waiting for.
        """
        self._hungry = not wait and self.source.slow
        while self._approach.room and not self._hungry:
            chunk = self._next_chunk(self._patience_s(limit_s) if wait else 0.0)
            if chunk is None:
                break
            self._outstanding.add(chunk)
            self._approach.submit(chunk)
        self._hungry = self._hungry and self._approach.room > 0
        if not self._outstanding or self._stop_before is None:
            return bool(self._outstanding)
        return bool(self._again) or self._outstanding.any_before(self._stop_before)

    def _patience_s(self, limit_s: float | None) -> float | None:
        """Return how long to wait for an input that is a stream: not long where results of this run may come."""
        if not self._outstanding:
            return limit_s
        return READ_S if limit_s is None else min(READ_S, limit_s)

    def take(self, *, wait: bool = True, limit_s: float | None = None) -> list[Done]:
        """Wait for outcomes, and return what is final and whose turn has come; it may be nothing.

        Args:
            wait: False takes what is there.
            limit_s: seconds to wait at most; None waits as long as it takes.

        Raises:
            TooManyFailures: when more items failed than `max_failures` allows.
        """
        # While the input keeps us waiting, results must not: they are looked for between two items.
        timeout_s = self._meter.tick_s if wait and not self._hungry else 0.0
        if limit_s is not None:
            timeout_s = limit_s if timeout_s is None else min(timeout_s, limit_s)
        due: list[Done] = []
        try:
            for done in self._approach.collect(timeout_s):
                if done.wall_s:
                    self._sizes.observe(len(done.values), done.wall_s)
                self._full = self._full or (self._enough is not None and self._enough(done))
                due += self._settle(done)
                del done  # frames of a call that failed may link back to this one, and must not meet their exception
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
            BaseException: the first failure in the order of the input, unless failures are to be returned. It
                carries a note that names the item. Or what the input raised.
            TooManyFailures: when more items failed than `max_failures` allows.
        """
        if self._stop_before is not None:
            self._order.clear()
            _raise(self.failures.release()[0].error)
        if self.unfinished:
            return
        if self.failures.too_many_in_the_end(finished=self._meter.done):
            raise self._too_many()
        error, self.source.error = self.source.error, None
        if error is not None:
            try:
                _raise(error)
            finally:
                del error

    # -- handing out ---------------------------------------------------------------------------------------------------

    def _next_chunk(self, patience_s: float | None) -> Chunk | None:
        if self._full:
            return None
        if self._again:
            return self._cut_again()
        if self._stop_before is not None:
            return None
        size = self._sizes.next(self.source.remaining)
        if self._window is not None:
            size = self._window.allows(size, fixed=self._fixed)
            if not size:
                return None
        chunk = self.source.cut(size, patience_s)
        self._hungry = self.source.slow
        if chunk is not None and self._window is not None:
            self._window.read(len(chunk.items))
        return chunk

    def _cut_again(self) -> Chunk:
        """Take what is to be run again, or was handed back: no more at a time than a chunk has by now."""
        chunk = self._again.popleft()
        size = self._sizes.next(None if (left := self.source.remaining) is None else left + len(chunk.items))
        if len(chunk.items) <= size:
            return chunk
        self._again.appendleft(chunk.part(chunk.start + size, chunk.stop))
        return chunk.part(chunk.start, chunk.start + size)

    # -- taking in -----------------------------------------------------------------------------------------------------

    def _settle(self, done: Done) -> list[Done]:
        """Take in an outcome; return the parts whose turn has come."""
        if done.start == 0:
            _refuse_coroutines(done.values)
        again = [index for index in done.failed if self._is_tried_again(done, index)]
        for index in done.failed:
            if index not in again:
                self._fail(index, done.values[index - done.start])
        if done.left and (self._stop_before is None or done.stop < self._stop_before):
            self._again.append(self._outstanding.part(done.stop, done.stop + done.left))
        self._outstanding.remove(done.start, len(done.values), dropped=done.dropped + done.left)
        for index in [one for one in self._attempts if done.start <= one < done.stop and one not in again]:
            del self._attempts[index]
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

    def _fail(self, index: int, error: BaseException) -> None:
        """An item has failed for good."""
        item = short(self._outstanding.item(index))
        add_note(error, f"item {index}: {item}")
        if index in self._attempts:
            add_note(error, f"attempt {self._attempts[index] + 1} of {self._options.retries + 1}")
        self.failures.add(Failed(index=index, item=item, error=error))
        if self._options.on_error != "return":
            self._stop_at(index)

    def _is_tried_again(self, done: Done, index: int) -> bool:
        """Decide whether an item that failed is to be run again, and if so put it in line."""
        error = done.values[index - done.start]
        from corewise.errors import CannotTravel  # its base class is dear to import

        # What asks to stop is obeyed, and what cannot travel would not travel the next time either.
        if not isinstance(error, Exception) or isinstance(error, CannotTravel):
            return False
        failed = self._attempts.get(index, 0) + 1
        if failed > self._options.retries or (self._stop_before is not None and index > self._stop_before):
            return False
        self._attempts[index] = failed
        self.retried += 1
        # What was dropped behind it goes along, and comes after it, as in the plain loop.
        stop = index + 1 + (done.dropped if index == done.stop - 1 else 0)
        self._again.append(self._outstanding.part(index, stop))
        return True

    def _stop_at(self, index: int) -> None:
        """Nothing from this item on matters any more."""
        stop = self._stop_before = index if self._stop_before is None else min(self._stop_before, index)
        earlier = [chunk.part(chunk.start, min(chunk.stop, stop)) for chunk in self._again if chunk.start < stop]
        self._again = deque(earlier)

    def _too_many(self) -> TooManyFailures:
        self._order.clear()
        failures, allowed = self.failures.release(), self.failures.allowed
        error = TooManyFailures(failures, self.failures.count, self._meter.done, 0 if allowed is None else allowed)
        error.__cause__ = failures[0].error
        return error


def _raise(error: BaseException) -> None:
    try:
        raise error
    finally:
        del error


def short(item: object) -> str:
    """Return the repr of an item, shortened, whatever its `__repr__` does."""
    from reprlib import Repr  # not needed as long as nothing fails

    shortener = Repr()
    shortener.maxstring = shortener.maxother = 120
    try:
        return shortener.repr(item)
    except Exception:  # noqa: BLE001 - a broken repr must not hide the failure
        return f"<{type(item).__qualname__}>"


def _refuse_coroutines(values: list[Any]) -> None:
    coroutines = [value for value in values if type(value).__name__ == "coroutine" and hasattr(value, "close")]
    for coroutine in coroutines:
        coroutine.close()
    if coroutines:
        raise TypeError(
            "the function returned a coroutine, which nobody awaits. Give the coroutine function itself, or wrap the "
            "call: `async def call(item): return await fn(item)`."
        )
