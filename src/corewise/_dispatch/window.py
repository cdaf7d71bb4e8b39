"""How far a run may be ahead of its consumer. Pure."""

from __future__ import annotations

from sys import getsizeof

TYPE_CHECKING = False
if TYPE_CHECKING:
    from corewise._work.chunk import Done

# What is ahead by default, by benchmarks/stream.py. More items make tiny ones no faster, and with four times as many a
# million of them, taken slowly, make the parent grow by 6 MB instead of 1.
ITEMS = 16_384
# Results of 1 MB come no faster with more than 16 MB; twice that is for consumers that take them in bursts.
BYTES = 32_000_000
_EACH = 2  # items: one that runs and one that waits, so that no worker is idle, however large results are
# Results that did not travel are weighed here, at 0.1 µs each, unless their items are so short that this would count.
# Large results take longer than that to be made.
_WORTH_WEIGHING_S = 10e-6
_CHUNKS_EACH = 2  # as in `sizes`: a worker has a chunk running and one waiting


class Window:
    """A bound for items that have been read and whose results have not been taken, and for the bytes of those results.

    Args:
        items: most items.
        size_bytes: most bytes of results; None without a bound. A part has the size that it had on its way here, or
            where nothing travelled the size that `sys.getsizeof` tells. What is still under way counts with the size
            that results had lately.
        each: items that each worker is allowed whatever their size, so that none is idle for large results. One item
            is always allowed: otherwise nothing would go on.

    Example:
        >>> window = Window(items=100)
        >>> window.share_among(2)
        >>> window.allows(1000, fixed=False)
        25
    """

    @classmethod
    def usual(cls, workers: int, chunksize: int | None, size_bytes: int | None = None) -> Window:
        """Return the window to use where no number of items was asked for.

        Args:
            workers: how many workers share it, by what is known.
            chunksize: items of a chunk, where that was asked for: two chunks for each worker must fit, however large.
            size_bytes: most bytes of results; None for the usual bound, which lets no worker be idle.
        """
        items = max(ITEMS, (chunksize or 1) * _EACH * workers)
        if size_bytes is not None:
            return cls(items=items, size_bytes=size_bytes)
        return cls(items=items, size_bytes=BYTES, each=_EACH)

    def __init__(self, *, items: int, size_bytes: int | None = None, each: int = 0) -> None:
        self._items = items
        self._size_bytes = size_bytes
        self._each = each
        self._workers = 1
        self._at_least = 1
        self._under_way = 0
        self._waiting = 0
        self._waiting_bytes = 0
        self._item_bytes = 0.0

    @property
    def held(self) -> int:
        """Items that have been read and whose results have not been taken."""
        return self._under_way + self._waiting

    @property
    def capacity(self) -> int:
        """How many items it would hold in all, by what is known of their size."""
        if self._size_bytes is None or not self._item_bytes:
            return self._items
        return max(self._at_least, min(self._items, int(self._size_bytes / self._item_bytes)))

    @property
    def room(self) -> int:
        """How many more items may be read."""
        room = self._items - self.held
        if self._size_bytes is not None and self._item_bytes:
            free = self._size_bytes - self._waiting_bytes - self._under_way * self._item_bytes
            room = min(room, int(free / self._item_bytes))
        return max(room, self._at_least - self.held, 0)

    def share_among(self, workers: int) -> None:
        """So many workers share the window from now on."""
        self._workers = workers
        self._at_least = min(max(1, self._each * workers), self._items)

    def allows(self, wanted: int, *, fixed: bool) -> int:
        """Return how many items the next chunk may have; 0 when there is no room for it yet.

        It is all or nothing: a chunk as small as what has just become free would make all that follow as small.

        Args:
            wanted: items the chunk should have.
            fixed: whether the caller insists on that number. Otherwise each worker's share is left to it.
        """
        size = self.share(wanted, fixed=fixed)
        return size if size <= self.room else 0

    def share(self, wanted: int, *, fixed: bool) -> int:
        """Return how many items a chunk may have, whether or not there is room for it now; as for `allows`."""
        share = 1 if fixed else _CHUNKS_EACH * self._workers
        return min(wanted, max(1, self.capacity // share))

    def read(self, items: int) -> None:
        """Items have been read."""
        self._under_way += items

    def finished(self, part: Done) -> None:
        """Items have been run; their results wait to be taken."""
        items = len(part.values)
        if self._size_bytes is not None and not part.size_bytes and part.wall_s > _WORTH_WEIGHING_S * items:
            part.size_bytes = sum(map(getsizeof, part.values))
        self._under_way -= items
        self._waiting += items
        self._waiting_bytes += part.size_bytes
        if items and part.size_bytes:
            size_bytes = part.size_bytes / items
            # Rises at once and falls slowly: what is under way is better thought too large than too small.
            self._item_bytes = max(size_bytes, self._item_bytes + (size_bytes - self._item_bytes) / 4)

    def taken(self, items: int, size_bytes: int) -> None:
        """Results have been taken."""
        self._waiting -= items
        self._waiting_bytes -= size_bytes
