"""One function over many items, beside other calls in a pool: sent to each worker once, its items in batches."""

from __future__ import annotations

from corewise._engine.parcels import pack_items
from corewise._work.chunk import Chunk

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from corewise._engine.calls import Function
    from corewise._transport.blocks import Once
    from corewise._transport.codec import Packed


class Job:
    """A function that is run over items, and the terms of that.

    Args:
        star: whether each item is a tuple of arguments rather than the one argument.
        timeout_s: seconds that each item may take; None without a limit.
        once: buffers that are sent once for all items; None where each item sends its own.
        context: the context variables of whoever asked for it, as bytes; None where there are none.

    Attributes:
        function: what is run; set before the first batch.
        item_s: seconds an item took lately; None before the first.
        item_bytes: bytes of one that were laid into a block lately; 0 if none were.
    """

    function: Function

    def __init__(self, *, star: bool, timeout_s: float | None, once: Once | None, context: bytes | None) -> None:
        self.star = star
        self.timeout_s = timeout_s
        self.once = once
        self.context = context
        self.item_s: float | None = None
        self.item_bytes = 0.0


class Batch(Chunk):
    """Consecutive items of a job, handed to a worker together.

    The pool counts the items of all calls that it was ever given (`start`), and each job its own (`first`): messages
    speak of the latter.

    Attributes:
        job: what they are items of.
        first: index of the first item among those of the job.
    """

    __slots__ = ("first", "job")

    def __init__(self, start: int, items: Any, job: Job, first: int) -> None:
        super().__init__(start, items, star=job.star)
        self.job = job
        self.first = first

    @property
    def functions(self) -> list[Function]:
        """The functions that a worker needs for it."""
        return [self.job.function]

    @property
    def timeout_s(self) -> float | None:
        """Seconds that each item may take; None without a limit."""
        return self.job.timeout_s

    @property
    def once(self) -> Once | None:
        """Buffers that are sent once for all items; None where each sends its own."""
        return self.job.once

    def part(self, start: int, stop: int) -> Batch:
        """Return the items from index `start` to before `stop` as a batch of their own."""
        items = self.items[start - self.start : stop - self.start]
        return Batch(start, items, self.job, self.first + start - self.start)


def pack_batch(batch: Batch, *, main_by_value: bool) -> bytes | list[Packed]:
    """Return the items packed, as `pack_items` does.

    Raises:
        ItemRefused: at the first item that cannot travel.
    """
    # What `fn(*item)` cannot unpack must fail in the worker, as the item's doing.
    apart = batch.star and not set(map(type, batch.items)) <= {tuple, list}
    return pack_items(batch, main_by_value=main_by_value, first=batch.first, apart=apart)
