"""`corewise.Queue`, in the place of `multiprocessing.Queue`, and `corewise.SimpleQueue`."""

from __future__ import annotations

from corewise._transport.queues.core import NO_LIMIT
from corewise._transport.queues.exchange import Empty, Exchange, Item, deadline_of, full
from corewise._transport.queues.locks import LockHeld
from corewise._transport.queues.messages import BATCH_ITEMS, decode_many, encode, encode_batch
from corewise._types.amounts import bytes_in
from corewise._types.checks import whole_number

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Any

    from corewise._types.queue_statistics import QueueStatistics


class SimpleQueue(Exchange[Item]):
    """A queue of any number of items, without limits of time: `multiprocessing.SimpleQueue`'s interface.

    Example:
        >>> queue = SimpleQueue()
        >>> queue.put("an item")
        >>> queue.get()
        'an item'
    """

    def __init__(self) -> None:
        super().__init__()

    def put(self, item: Item) -> None:
        """Put an item.

        Raises:
            CannotTravel: when it can be pickled in no way.
            QueueClosed: when the queue was closed.
        """
        self._put(item)

    def get(self) -> Item:
        """Take an item, and wait for one.

        Raises:
            QueueClosed: when the queue was closed and is empty.
        """
        return self._get()


class Queue(Exchange[Item]):
    """A queue for many writers and many readers, in threads and processes: `multiprocessing.Queue`'s interface.

    It is inherited by children or passed to them as an argument, whatever their start method; sent to processes that
    run already, as an argument of a call, on Linux. There is no thread behind it, and no lock that a killed process
    could hold: who is killed loses what it was about to put or had just taken, nothing else. Each reader receives the
    items of one writer in the order in which they were put.

    Args:
        maxsize: how many items there may be in it; `put` waits while there are so many. Default: 0, any number; as is
            any number below.
        max_bytes: how many bytes the pickled items in it may have, as a number or an amount such as ``"64 MB"``.
            Default: None, any number.

    Raises:
        OptionError: when an argument is out of range.
        OSError: when no descriptors are left. It takes three, whatever is in the queue.
        MemoryError: when there is no memory.

    Example:
        >>> queue = Queue()
        >>> queue.put_many(["first", "second"])
        >>> queue.close()
        >>> list(queue)
        ['first', 'second']
    """

    def __init__(self, maxsize: int = 0, *, max_bytes: int | str | None = None) -> None:
        items = whole_number("maxsize", maxsize, at_least=None)
        if isinstance(max_bytes, str):
            amount = bytes_in("max_bytes", max_bytes)
        else:
            amount = NO_LIMIT if max_bytes is None else whole_number("max_bytes", max_bytes)
        super().__init__(items if 0 < items < NO_LIMIT else NO_LIMIT, min(amount, NO_LIMIT))

    def put(self, item: Item, block: bool = True, timeout: float | None = None) -> None:  # noqa: FBT001, FBT002 - as in the standard library
        """Put an item. It is pickled before this returns, so it may be changed afterwards.

        Args:
            item: the item.
            block: whether to wait while the queue is full.
            timeout: how many seconds to wait at most. Default: as long as it takes.

        Raises:
            queue.Full: when there was no room in time.
            CannotTravel: when the item can be pickled in no way.
            QueueClosed: when the queue was closed, in whatever process.
            OptionError: when the item alone has more than `max_bytes`.
            MemoryError: when there is no memory for it.
        """
        self._put(item, block, timeout)

    def get(self, block: bool = True, timeout: float | None = None) -> Item:  # noqa: FBT001, FBT002 - as in the standard library
        """Take an item.

        Args:
            block: whether to wait while the queue is empty.
            timeout: how many seconds to wait at most. Default: as long as it takes.

        Raises:
            queue.Empty: when there was none in time.
            QueueClosed: when the queue was closed and is empty.
            Exception: whatever the item raises as it is unpickled; then it is lost.
        """
        return self._get(block, timeout)

    def put_nowait(self, item: Item) -> None:
        """Put an item, or raise at once; as `put` without waiting."""
        self._put(item, block=False)

    def get_nowait(self) -> Item:
        """Take an item, or raise at once; as `get` without waiting."""
        return self._get(block=False)

    def put_many(self, items: Iterable[Item], block: bool = True, timeout: float | None = None) -> None:  # noqa: FBT001, FBT002 - as `put`
        """Put items in their order, at a fraction of the cost of putting each; `timeout` seconds for all together.

        Items of other writers may come in between.

        Raises:
            queue.Full: when there was no room for all in time; its attribute `put` says how many were put.
            CannotTravel: when an item can be pickled in no way; those up to 1,024 before it may have been put.
            QueueClosed, OptionError, MemoryError: as for `put`.
        """
        deadline_s = deadline_of(block, timeout)
        rest, done = list(items), 0
        try:
            while done < len(rest):
                done += self._put_some(rest[done : done + BATCH_ITEMS], block, deadline_s)
        except LockHeld:
            raise _full_after(done) from None
        except type(full()) as error:
            raise _full_after(done) from error

    def _put_some(self, items: list[Item], block: bool, deadline_s: float | None) -> int:  # noqa: FBT001 - handed on
        """Put at least one of these items; return how many."""
        core = self._core
        while len(items) > 1:
            body = encode_batch(items)
            if body is None:
                count = core.putting.run(core.push_run, [encode(item) for item in items], deadline_s)
                if count:
                    return count
                items = items[:1]
                continue
            count = core.putting.run(core.push_batch, (len(items), body), deadline_s)
            if count == len(items):
                return count
            items = items[: max(count, 1)]
        message = encode(items[0])
        while not core.putting.run(core.push, message, deadline_s):
            self._wait_for_room(len(message), block, deadline_s)
        return 1

    def get_many(self, max_items: int = 1000, block: bool = True, timeout: float | None = None) -> list[Item]:  # noqa: FBT001, FBT002 - as `get`
        """Take what is there, but wait for the first item only.

        Args:
            max_items: how many items to take at most.
            block: whether to wait while the queue is empty.
            timeout: how many seconds to wait at most. Default: as long as it takes.

        Returns:
            At least one item.

        Raises:
            queue.Empty: when there was none in time.
            QueueClosed: when the queue was closed and is empty.
            Exception: whatever an item raises as it is unpickled; then it is lost. The items that came with it are in
                the attribute `items` of the exception.
        """
        limit = whole_number("max_items", max_items)
        core = self._core
        deadline_s = deadline_of(block, timeout)
        try:
            while not (taken := core.getting.run(core.pop_many, limit, deadline_s)):
                self._wait_for_item(block, deadline_s)
        except LockHeld:
            raise Empty from None
        return decode_many(taken)

    async def aput(self, item: Item) -> None:
        """Put an item; an event loop goes on while there is no room. Raises what `put` does, but for `queue.Full`."""
        message = encode(item)
        core = self._core
        while not core.putting.run(core.push, message):
            if core.getting.run(core.putter_sleeps, len(message)):
                await core.ringing(core.room_bell)

    async def aget(self) -> Item:
        """Take an item; an event loop goes on while there is none. Raises what `get` does, but for `queue.Empty`.

        No item is taken by a call that is cancelled.
        """
        from corewise._transport.queues.core import EMPTY
        from corewise._transport.queues.messages import decode

        core = self._core
        while (message := core.getting.run(core.pop, None)) is EMPTY:
            if core.putting.run(core.getter_sleeps, None):
                await core.ringing(core.items_bell)
        item: Item = decode(message)
        return item

    def qsize(self) -> int:
        """Return how many items are in the queue at this moment."""
        return self._core.items_waiting()

    def full(self) -> bool:
        """Return whether there is no room for an item at this moment, in number or bytes."""
        core = self._core
        if core.items_waiting() >= core.maxsize:
            return True
        return core.max_bytes < NO_LIMIT and core.getting.run(core.bytes_waiting, None) >= core.max_bytes

    def statistics(self) -> QueueStatistics:
        """Return what is in the queue, and what has gone through it."""
        return self._core.getting.run(self._core.statistics, None)

    def join_thread(self) -> None:
        """Return at once: there is no thread, and what was put is in the queue."""

    def cancel_join_thread(self) -> None:
        """Do nothing: the end of a process never waits for a queue."""


def _full_after(count: int) -> Exception:
    error: Any = full()
    error.put = count
    error.add_note(f"{count} items were put")
    return error  # type: ignore[no-any-return]
