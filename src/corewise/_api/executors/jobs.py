"""Calls that belong together: one function over many items, whose outcomes are seen to in one place.

A driver's register asks a job for items when workers want some, and tells it what came of them. All of that happens
under the driver's lock.
"""

from __future__ import annotations

from corewise._dispatch.order import AsFinished, InOrder
from corewise._dispatch.sizes import ChunkSizes
from corewise._engine.jobs import Job
from corewise._types.light import deque

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import Any, TypedDict, Unpack

    from corewise._api.executors.process_future import ProcessFuture
    from corewise._api.executors.register import Decision
    from corewise._dispatch.source import Source
    from corewise._dispatch.window import Window
    from corewise._transport.blocks import Once
    from corewise._work.chunk import Chunk, Done

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


_STOCK = 2  # chunks that are read ahead of the workers: one for the next of them, one for the one behind it


class ManagedJob(Job):
    """What a register asks of a job.

    Attributes:
        exhausted: whether no more items will be cut.
    """

    def __init__(self, **terms: Unpack[JobTerms]) -> None:
        super().__init__(
            star=terms["star"], timeout_s=terms["timeout_s"], once=terms["once"], context=terms["context"]
        )
        self.exhausted = False
        self._fixed = terms["chunksize"] is not None
        self._sizes = ChunkSizes(workers=terms["workers"], fixed=terms["chunksize"])

    @property
    def left(self) -> int:
        """How many items are known to wait."""
        raise NotImplementedError

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
        self.exhausted = True


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
        size = self._sizes.next(len(self._items) - self._cut)
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

    def fail(self, error: BaseException, decisions: list[Decision]) -> None:
        """Decide the future with this error."""
        self.exhausted = True
        self._items, self._results = (), []
        decisions.append((self._future, True, error))


class StreamJob(ManagedJob):
    """A job whose results are taken one by one, perhaps of an endless input.

    Args:
        source: the input.
        window: bounds how far it goes ahead of whoever takes the results.
        ordered: whether results come in the order of the input, rather than as they are finished.
        **terms: those of every job.

    Attributes:
        parts: finished parts whose turn has come; whoever takes one says so by `taken`.
        error: what is to be raised behind them.
        read_elsewhere: whether reading the source may block, so that a thread of its own does that.
        ring: called when that thread may have something to do; it must need no lock.
    """

    def __init__(self, source: Source, window: Window, *, ordered: bool, **terms: Unpack[JobTerms]) -> None:
        super().__init__(**terms)
        self.parts: deque[Done] = deque()
        self.error: BaseException | None = None
        self.read_elsewhere = source.sequences is None
        self.ring: Callable[[], object] = _nothing
        self._source = source
        self._window = window
        window.share_among(terms["workers"])
        self._lifted = False
        self._order = InOrder() if ordered else AsFinished()
        self._stock: deque[Chunk] = deque()
        self._under_way = 0

    @property
    def decided(self) -> bool:
        """Whether there is something to take, or never will be."""
        return bool(self.parts) or self.over

    @property
    def over(self) -> bool:
        """Whether no more parts will come."""
        return self.exhausted and not self._under_way

    @property
    def left(self) -> int:
        """How many items are known to wait."""
        return sum(len(chunk.items) for chunk in self._stock)

    def cut(self) -> tuple[int, Sequence[Any]] | None:
        """Return items for one worker, and the index of the first; None when none is at hand."""
        if self.exhausted:
            return None
        if not self.read_elsewhere:
            size = self.wanted()
            if size:
                self.put(self._source.cut(size))
        if not self._stock:
            return None
        chunk = self._stock.popleft()
        self._under_way += len(chunk.items)
        self.exhausted = self._source.exhausted and not self._stock
        self.ring()
        return chunk.start, chunk.items

    def wanted(self) -> int | None:
        """Return how many items to read now; None when no more will ever be wanted."""
        if self.exhausted or self._source.exhausted:
            return None
        if len(self._stock) >= _STOCK:
            return 0
        size = self._sizes.next(self._source.remaining)
        return size if self._lifted else self._window.allows(size, fixed=self._fixed)

    def put(self, chunk: Chunk | None) -> int | None:
        """Items have been read, or there are none left. Return how many to read next, as `wanted` does."""
        if self.exhausted:  # nobody wants them any more
            return None
        if chunk is not None:
            self._window.read(len(chunk.items))
            self._stock.append(chunk)
        if self._source.exhausted:
            self.error = self._source.error
            self._source.error = None
            self.exhausted = not self._stock
        return self.wanted()

    def take(self, done: Done, decisions: list[Decision]) -> None:  # noqa: ARG002 - nothing to decide here
        """Put a part where its turn comes."""
        if done.wall_s:
            self._sizes.observe(len(done.values), done.wall_s)
        self._under_way -= len(done.values)
        self._window.finished(done)
        self.parts.extend(self._order.put(done))

    def taken(self, items: int, size_bytes: int) -> None:
        """So many results have been taken."""
        self._window.taken(items, size_bytes)
        self.ring()

    def fail(self, error: BaseException, decisions: list[Decision]) -> None:  # noqa: ARG002 - nothing to decide here
        """Raise this error behind what is finished."""
        self.error = error
        self._under_way = 0
        self._order.clear()
        self.drop()

    def lift(self) -> None:
        """Do not wait for results to be taken any more."""
        self._lifted = True
        self.ring()

    def drop(self) -> None:
        """Hand out nothing more. What is read and waits is let go of by whoever comes next."""
        self.exhausted = True
        self.ring()


def _nothing() -> None:
    """Nobody is to be told."""
