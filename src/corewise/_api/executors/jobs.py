"""Calls that belong together: one function over many items, whose outcomes are seen to in one place.

A driver's register asks a job for items when workers want some, and tells it what came of them. All of that happens
under the driver's lock.
"""

from __future__ import annotations

from corewise._dispatch.order import AsFinished, InOrder
from corewise._dispatch.sizes import ChunkSizes
from corewise._engine.jobs import Job
from corewise._engine.schedule import CHUNK_S
from corewise._types.light import deque

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import Any, TypedDict, Unpack

    from corewise._api.executors.process_future import Decision, ProcessFuture
    from corewise._dispatch.window import Window
    from corewise._transport.blocks import Once
    from corewise._work.chunk import Done

    class JobTerms(TypedDict):
        """Keyword arguments of every job.

        Attributes:
            workers: worker processes that share the items.
            chunksize: items that are sent together; None adapts that.
            star: whether each item is a tuple of arguments.
            timeout_s: seconds that each item may take; None without a limit.
            once: buffers that are sent once for all items; None where each item sends its own.
            context: the context variables of the caller, as bytes; None where there are none.
        """

        workers: int
        chunksize: int | None
        star: bool
        timeout_s: float | None
        once: Once | None
        context: bytes | None


# Blocks of this size stay in a core's cache from one side to the other, and few are enough: 80 kB arrays took 58 to 76
# µs each there and back, and 72 to 88 without a bound (the work of "80 kB arrays in and out" of benchmarks/peers.py).
_CHUNK_BYTES = 1 << 20
_STOCK = 2  # guess: chunks that are read ahead of the workers, so that the next one finds its own when it comes


class ManagedJob(Job):
    """What a register asks of a job.

    Attributes:
        exhausted: whether no more items will be cut.
        cancelled: how many items will not be run, as nobody wants their results any more.
    """

    def __init__(self, **terms: Unpack[JobTerms]) -> None:
        super().__init__(star=terms["star"], timeout_s=terms["timeout_s"], once=terms["once"], context=terms["context"])
        self.exhausted = False
        self.cancelled = 0
        self._fixed = terms["chunksize"] is not None
        self._sizes = ChunkSizes(workers=terms["workers"], fixed=terms["chunksize"], target_s=CHUNK_S)

    @property
    def left(self) -> int:
        """How many items are known to wait."""
        raise NotImplementedError

    def _size(self, left: int | None) -> int:
        """Return how many items the next worker gets of so many; None stands for an unknown number."""
        size = self._sizes.next(left)
        return size if self._fixed or not self.item_bytes else min(size, max(1, int(_CHUNK_BYTES / self.item_bytes)))

    def cut(self) -> tuple[int, Sequence[Any]] | None:
        """Return items for one worker, and the index of the first; None when none is at hand."""
        raise NotImplementedError

    def take(self, done: Done, decisions: list[Decision]) -> None:
        """Outcomes have come: add what is to be decided."""
        raise NotImplementedError

    def fail(self, error: BaseException, decisions: list[Decision]) -> None:
        """No item can be run any more: add what is to be decided."""
        raise NotImplementedError

    def lift(self) -> None:
        """Do not wait for results to be taken any more."""

    def drop(self) -> None:
        """Nobody wants to know of it any more. Needs no lock: the garbage collector may call it anywhere."""
        if not self.exhausted:
            self.cancelled = self.left
            self.exhausted = True

    def cut_off(self, error: BaseException, decisions: list[Decision]) -> None:
        """Hand out nothing more: add what is to be decided."""
        raise NotImplementedError


class MapJob(ManagedJob):
    """A job whose results make one list, for one future.

    Whatever fails, all items are run; then the failure that is first in the order of the input is raised.

    Args:
        future: decided with all results.
        items: what to run the function over; at least one item.
        **terms: those of every job.
    """

    def __init__(self, future: ProcessFuture, items: Sequence[Any], **terms: Unpack[JobTerms]) -> None:
        super().__init__(**terms)
        self._future = future
        self._items = items
        self._cut = 0
        self._results: list[Any] = [None] * len(items)
        self._missing = len(items)
        self._failed: tuple[int, BaseException] | None = None

    @property
    def left(self) -> int:
        """How many items wait."""
        return 0 if self.exhausted else len(self._items) - self._cut

    def cut(self) -> tuple[int, Sequence[Any]] | None:
        """Return items for one worker, and the index of the first."""
        if self.exhausted:
            return None
        size = self._size(len(self._items) - self._cut)
        first, self._cut = self._cut, self._cut + size
        items = self._items[first : self._cut]
        if self._cut >= len(self._items):
            self.exhausted = True
            self._items = ()
        return first, items

    def take(self, done: Done, decisions: list[Decision]) -> None:
        """Put results where they belong; the future is decided when all are there."""
        if done.wall_s:
            self._sizes.observe(len(done.values), done.wall_s)
        for index in done.failed:
            if self._failed is None or index < self._failed[0]:
                self._failed = index, done.values[index - done.start]
            done.values[index - done.start] = None  # what nobody will see need not be kept
        self._results[done.start : done.stop] = done.values
        self._missing -= len(done.values)
        if self._missing:
            return
        failed, results = self._failed, self._results
        self._failed, self._results = None, []
        decisions.append((self._future, False, results) if failed is None else (self._future, True, failed[1]))

    def cut_off(self, error: BaseException, decisions: list[Decision]) -> None:
        """Hand out nothing more, and decide the future with this error."""
        self.drop()
        self.fail(error, decisions)

    def fail(self, error: BaseException, decisions: list[Decision]) -> None:
        """Decide the future with this error."""
        self.exhausted = True
        self._items, self._results = (), []
        decisions.append((self._future, True, error))


class StreamJob(ManagedJob):
    """A job whose results are taken one by one, perhaps of an endless input. Where its items come from is left open.

    Whoever takes them looks without the lock. So that `over` is never said too early, items count as under way before
    the input counts as exhausted, and no longer only when their results are in `parts`; and whoever finds it over looks
    for parts after that.

    Args:
        window: bounds how far it goes ahead of whoever takes the results.
        ordered: whether results come in the order of the input, rather than as they are finished.
        **terms: those of every job.

    Attributes:
        parts: finished parts whose turn has come; whoever takes one says so by `taken`.
        error: what is to be raised behind them.
    """

    def __init__(self, window: Window, *, ordered: bool, **terms: Unpack[JobTerms]) -> None:
        super().__init__(**terms)
        self.parts: deque[Done] = deque()
        self.error: BaseException | None = None
        self._window = window
        window.share_among(terms["workers"])
        self._lifted = False
        self._order = InOrder() if ordered else AsFinished()
        self._cut = 0
        self._under_way = 0

    @property
    def decided(self) -> bool:
        """Whether there is something to take, or never will be."""
        return bool(self.parts) or self.over

    @property
    def over(self) -> bool:
        """Whether no more parts will come."""
        return self.exhausted and not self._under_way

    def take(self, done: Done, decisions: list[Decision]) -> None:  # noqa: ARG002 - nothing to decide here
        """Put a part where its turn comes."""
        items = len(done.values)  # as whoever takes the part, at once perhaps, empties it
        if done.wall_s:
            self._sizes.observe(items, done.wall_s)
        self._window.finished(done)
        self.parts.extend(self._order.put(done))
        self._under_way -= items

    def taken(self, items: int, size_bytes: int) -> None:
        """So many results have been taken."""
        self._window.taken(items, size_bytes)

    def fail(self, error: BaseException, decisions: list[Decision]) -> None:  # noqa: ARG002 - nothing to decide here
        """Raise this error behind what is finished."""
        self.error = error
        self._under_way = 0
        self._order.clear()
        self.drop()

    def cut_off(self, error: BaseException, decisions: list[Decision]) -> None:  # noqa: ARG002 - nothing to decide here
        """Hand out nothing more, and raise this error behind what has been handed out."""
        if not self.exhausted:
            self.error = error
            self.drop()

    def lift(self) -> None:
        """Do not wait for results to be taken any more."""
        self._lifted = True

    def _handed_out(self, items: Sequence[Any]) -> tuple[int, Sequence[Any]]:
        """Count items that are handed out now, and say where they begin."""
        first = self._cut
        self._cut += len(items)
        self._under_way += len(items)
        return first, items


class SlicedJob(StreamJob):
    """A stream over a list, a tuple or a range, which is read where its items are handed out.

    Args:
        items: the input.
        window: as for every stream.
        ordered: as for every stream.
        **terms: those of every job.
    """

    def __init__(self, items: Sequence[Any], window: Window, *, ordered: bool, **terms: Unpack[JobTerms]) -> None:
        super().__init__(window, ordered=ordered, **terms)
        self._items = items
        self.exhausted = not items

    @property
    def left(self) -> int:
        """How many items wait."""
        return 0 if self.exhausted else max(0, len(self._items) - self._cut)

    def cut(self) -> tuple[int, Sequence[Any]] | None:
        """Return items for one worker, and the index of the first; None when none is at hand."""
        if self.exhausted:
            return None
        size = self._size(self.left)
        if not self._lifted:
            size = self._window.allows(size, fixed=self._fixed)
        items = self._items[self._cut : self._cut + size]
        self._window.read(len(items))
        handed_out = self._handed_out(items)
        # A list may have become shorter in the meantime.
        self.exhausted = handed_out[0] + size >= len(self._items)
        return handed_out if items else None


class FedJob(StreamJob):
    """A stream over an input that a thread of its own reads, as it may keep its reader waiting.

    Items that were read are in `read` at once, so none of them waits for the next; and whoever finds none there says
    so by `hungry`, and is told. (The reader writes the item and then looks whether anybody is hungry; the hungry one
    says so and then looks for items: one of them sees the other.)

    Args:
        window: as for every stream.
        ordered: as for every stream.
        **terms: those of every job.

    Attributes:
        read: items that were read and not handed out.
        hungry: whether workers would take an item that comes now.
        ring: called when the reader may have something to do; it must need no lock.
    """

    def __init__(self, window: Window, *, ordered: bool, **terms: Unpack[JobTerms]) -> None:
        super().__init__(window, ordered=ordered, **terms)
        self.read: deque[Any] = deque()
        self.hungry = False
        self.ring: Callable[[], object] = _nothing
        self._ended = False

    @property
    def left(self) -> int:
        """How many items are known to wait."""
        return len(self.read)

    def cut(self) -> tuple[int, Sequence[Any]] | None:
        """Return items for one worker, and the index of the first; None when none is at hand."""
        if self.exhausted:
            return None
        self.hungry = not self.read
        count = min(len(self.read), self._window.share(self._size(None), fixed=self._fixed))
        if not count:
            return None
        self.hungry = False
        handed_out = self._handed_out([self.read.popleft() for _ in range(count)])
        self.exhausted = self._ended and not self.read
        self.ring()
        return handed_out

    def allow(self) -> int | None:
        """Return how many items to read now, all of which are counted as read; None when no more are wanted."""
        if self.exhausted:
            return None
        count = _STOCK * self._size(None) - len(self.read)
        if not self._lifted:
            count = min(count, self._window.room)
        count = max(0, count)
        self._window.read(count)
        return count

    def end(self, unread: int, error: BaseException | None) -> None:
        """The input has ended.

        Args:
            unread: how many of the items that were last allowed have not come.
            error: what it raised; None if it came to its end.
        """
        if not self.exhausted:
            self._window.read(-unread)
            self.error = error
            self._ended = True
            self.exhausted = not self.read

    def taken(self, items: int, size_bytes: int) -> None:
        """So many results have been taken."""
        super().taken(items, size_bytes)
        self.ring()

    def lift(self) -> None:
        """Do not wait for results to be taken any more."""
        super().lift()
        self.ring()

    def drop(self) -> None:
        """Hand out nothing more."""
        super().drop()
        self.ring()


def _nothing() -> None:
    """Nobody is to be told."""
