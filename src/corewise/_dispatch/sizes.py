"""How many items a chunk holds. Pure: told what chunks took, it says how large the next one is."""

from __future__ import annotations

# Nobody waits for long for what a chunk of this tells, or for its results.
TARGET_S = 0.004
# The design's doubling finds the size within ten chunks and never overshoots much on uneven work. While a chunk is far
# too short, larger steps save some of its first chunks (benchmarks/results/peers.json, "map of 300,000 tiny calls"). A
# worker that is alone waits for nobody at the end, so that all it loses by a chunk too large is that it hears late.
_GROWTH = 2
_GROWTH_ALONE = 32
_GROWTH_FAR = 8
_FAR_S = TARGET_S / 16
# At the end of the input chunks become small, so that no worker works alone; but not so small that handing them over
# costs more than what is gained.
_FLOOR_S = 0.0002
# Where workers keep all cores busy, others take one away for a time slice now and then, some 4 to 8 ms. A chunk that
# took no longer than that beyond what the one before foretells may have met one, and says nothing of its items: sizes
# that believed it fell to a twentieth and took ten chunks to come back, again and again.
_SLICE_S = 0.010
# Of the target, for a first chunk of items that others have run. They may take longer here, or be others by now.
_FIRST_SHARE = 0.25


class ChunkSizes:
    """Chunk sizes that aim at a duration.

    Args:
        workers: workers that share the items.
        fixed: the size to use always; None adapts.
        target_s: seconds that a chunk is to last.
        item_s: seconds of an item, as far as is known.

    Attributes:
        target_s: seconds that a chunk is to last; may be changed at any time.

    Example:
        >>> sizes = ChunkSizes(workers=2, fixed=None)
        >>> sizes.next(remaining=1000)
        1
        >>> sizes.observe(items=1, seconds=0.001)
        >>> sizes.next(remaining=1000)
        2
    """

    def __init__(
        self, *, workers: int, fixed: int | None, target_s: float = TARGET_S, item_s: float | None = None
    ) -> None:
        self._workers = workers
        self._fixed = fixed
        self.target_s = target_s
        self._size = max(1, int(_FIRST_SHARE * target_s / item_s)) if item_s else 1
        self._floor = 1
        self._item_s: float | None = None

    def for_others(self, workers: int, fixed: int | None, target_s: float) -> ChunkSizes:
        """Return sizes for other workers, who go on with the same items: what is known of these need not be found anew.

        Args:
            workers: as for a new one.
            fixed: as for a new one.
            target_s: as for a new one.
        """
        return ChunkSizes(workers=workers, fixed=fixed, target_s=target_s, item_s=self._item_s)

    def next(self, remaining: int | None) -> int:
        """Return the size of the next chunk.

        Args:
            remaining: items left; None when unknown. A chunk takes no more than the share of them that leaves each
                worker two chunks, so that none works alone at the end; unless that share is hardly any work at all.
        """
        if self._fixed is not None:
            return self._fixed
        if remaining is None or self._workers == 1:
            return self._size
        return min(self._size, max(1, remaining), max(self._floor, remaining // (2 * self._workers)))

    def observe(self, items: int, seconds: float) -> None:
        """Learn from a chunk: grow while chunks are short, shrink to what fits when they are long."""
        if not items:
            return
        before_s, self._item_s = self._item_s, seconds / items
        if before_s is not None and 0 < seconds - items * before_s <= _SLICE_S:
            seconds = items * before_s
        fitting = self.target_s * items / seconds if seconds > 0 else float("inf")
        if items < self._size:
            # A small chunk, at the end of the input, does not say that a larger one would still be short.
            ceiling = self._size
        else:
            growth = _GROWTH_ALONE if self._workers == 1 else _GROWTH_FAR if seconds < _FAR_S else _GROWTH
            ceiling = self._size * growth
        self._size = max(1, int(min(fitting, ceiling)))
        least = _FLOOR_S * items / seconds if seconds > 0 else float("inf")
        self._floor = max(1, int(min(least, self._size)))
