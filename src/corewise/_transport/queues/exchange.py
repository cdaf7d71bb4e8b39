"""What all queues have in common: putting and getting, waiting, closing, and going to other processes."""

from __future__ import annotations

from time import monotonic

from corewise._transport.queues import sharing
from corewise._transport.queues.bells import wait
from corewise._transport.queues.core import EMPTY, NO_LIMIT, Core
from corewise._transport.queues.locks import LockHeld
from corewise._transport.queues.messages import decode, encode

try:
    from _queue import Empty  # the same class; the public module takes 3 ms more
except ImportError:  # an interpreter without the C module
    from queue import Empty

__all__ = ["Empty", "Exchange", "Item", "deadline_of", "full"]

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import TracebackType
    from typing import Any, Generic, Self, TypeVar

    Item = TypeVar("Item")

    class OfItems(Generic[Item]):
        """What type checkers need to know of `Queue[int]`."""
else:
    Item = object

    class OfItems:
        """What `Queue[int]` needs to be written."""

        __class_getitem__ = classmethod(type(list[int]))


# From this size on new memory is dear: to be filled for the first time, it takes eight times as long as memory that has
# been in use, where the system has to be asked for it (benchmarks/results/transport.json, "a new block").
_LARGE_BYTES = 1 << 20
_NEW_MEMORY_S = 2.5e-9  # for each byte


def full() -> Exception:
    """Return a new `queue.Full`, whose module is loaded when there is need of it."""
    from queue import Full

    return Full()


def deadline_of(block: bool, timeout: float | None) -> float | None:  # noqa: FBT001 - handed on
    """Return until when to wait, as `time.monotonic` tells time."""
    return monotonic() + timeout if block and timeout is not None else None


class Exchange(OfItems[Item]):
    """A queue between processes and threads.

    Args:
        maxsize: how many items there may be in it. Default: any number.
        max_bytes: how many bytes their messages may have. Default: any number.
    """

    KIND: type[Core] = Core

    def __init__(self, maxsize: int = NO_LIMIT, max_bytes: int = NO_LIMIT) -> None:
        self._core = sharing.make(self.KIND, maxsize, max_bytes)

    def __reduce__(self) -> tuple[Any, ...]:
        """Travel to another process, which then has the same queue.

        Raises:
            RuntimeError: without ``/proc``, when no process is being started.
        """
        return _received, (type(self), *sharing.hand_over(self._core))

    def __enter__(self) -> Self:
        """Return the queue, which is closed at the end of the block."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, where: TracebackType | None
    ) -> None:
        """Close it."""
        self.close()

    def __iter__(self) -> Iterator[Item]:
        """Take items, and wait for them, until the queue is closed and empty."""
        from corewise.errors import QueueClosed

        while True:
            try:
                item = self._get()
            except QueueClosed:
                return
            yield item

    def __repr__(self) -> str:
        state = "closed, " if self._core.closed_by else ""
        return f"<corewise.{type(self).__name__}: {state}{self._core.items_waiting()} items>"

    def close(self) -> None:
        """Let nobody put any more, in whatever process. What is in the queue can still be taken.

        Then whoever gets, or waits for an item, has `QueueClosed` raised, and iteration ends. Twice is no error.
        """
        self._core.putting.run(self._core.close, None)

    def empty(self) -> bool:
        """Return whether there is no item in the queue at this moment."""
        return self._core.items_waiting() == 0

    def _put(self, item: Item, block: bool = True, timeout: float | None = None) -> None:  # noqa: FBT001, FBT002 - as in the standard library
        message = encode(item)
        core = self._core
        deadline_s = None if timeout is None else deadline_of(block, timeout)
        if block and len(message) >= _LARGE_BYTES:
            self._wait_for_used_memory(len(message), deadline_s)
        try:
            while not core.putting.run(core.push, message, deadline_s):
                self._wait_for_room(len(message), block, deadline_s)
        except LockHeld:
            raise full() from None

    def _get(self, block: bool = True, timeout: float | None = None) -> Item:  # noqa: FBT001, FBT002 - as in the standard library
        core = self._core
        deadline_s = None if timeout is None else deadline_of(block, timeout)
        try:
            while (message := core.getting.run(core.pop, None, deadline_s)) is EMPTY:
                self._wait_for_item(block, deadline_s)
        except LockHeld:
            raise Empty from None
        item: Item = decode(message)
        return item

    def _wait_for_room(self, needed: int, block: bool, deadline_s: float | None) -> None:  # noqa: FBT001 - handed on
        """Sleep until there may be room for a message of so many bytes."""
        core = self._core
        if not block or (deadline_s is not None and monotonic() >= deadline_s):
            raise full()
        if core.getting.run(core.putter_sleeps, needed, deadline_s):
            wait(core.room_bell, deadline_s)

    def _wait_for_used_memory(self, size: int, deadline_s: float | None) -> None:
        """Wait until there is room in the memory that the queue has, for as long at most as new memory would cost.

        To rent for as long as it would have cost to buy, and then to buy, costs no more than twice of what is best:
        A. R. Karlin, M. S. Manasse, L. Rudolph and D. D. Sleator, "Competitive Snoopy Caching", Algorithmica 3 (1988).
        """
        core = self._core
        end_s = (now_s := monotonic()) + size * _NEW_MEMORY_S
        if deadline_s is not None:  # it is for putting as well
            end_s = min(end_s, (now_s + deadline_s) / 2)
        try:
            while core.putting.run(core.outgrows, size, end_s) and monotonic() < end_s:
                if core.getting.run(core.grower_sleeps, size, end_s):
                    wait(core.room_bell, end_s)
        except LockHeld:
            return

    def _wait_for_item(self, block: bool, deadline_s: float | None) -> None:  # noqa: FBT001 - handed on
        """Sleep until there may be an item."""
        core = self._core
        if not block or (deadline_s is not None and monotonic() >= deadline_s):
            core.raise_if_over()
            raise Empty
        if core.comes_soon():
            return
        if core.putting.run(core.getter_sleeps, None, deadline_s):
            wait(core.items_bell, deadline_s)


def _received(kind: type[Exchange[Any]], *handed_over: Any) -> Exchange[Any]:
    queue = kind.__new__(kind)
    queue._core = sharing.received(kind.KIND, *handed_over)  # noqa: SLF001 - it is the queue's own
    return queue
