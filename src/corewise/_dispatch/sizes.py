"""How many items a chunk holds. Pure: told what chunks took, it says how large the next one is."""

from __future__ import annotations

# Handing over a chunk costs 20 to 60 µs, so one of 4 ms loses about 1 % to it, while the wait for the last chunk of
# a run stays short.
TARGET_S = 0.004
_GROWTH_ALONE = 8  # a plain loop has no tail to keep short: it may grow fast
_GROWTH_SHARED = 2  # the design's: doubling finds the size within ten chunks and never overshoots much on uneven work


class ChunkSizes:
    """Chunk sizes that aim at a duration.

    Args:
        workers: workers that share the items.
        fixed: the size to use always; None adapts.

    Example:
        >>> sizes = ChunkSizes(workers=2, fixed=None)
        >>> sizes.next(remaining=1000)
        1
        >>> sizes.observe(items=1, seconds=0.0001)
        >>> sizes.next(remaining=1000)
        2
    """

    def __init__(self, *, workers: int, fixed: int | None) -> None:
        self._workers = workers
        self._fixed = fixed
        self._size = 1
        self._growth = _GROWTH_ALONE if workers == 1 else _GROWTH_SHARED

    def next(self, remaining: int | None) -> int:
        """Return the size of the next chunk.

        Args:
            remaining: items left; None when unknown. A chunk takes no more than the share of them that leaves each
                worker two chunks, so that none works alone at the end.
        """
        if self._fixed is not None:
            return self._fixed
        if remaining is None or self._workers == 1:
            return self._size
        return max(1, min(self._size, remaining // (2 * self._workers)))

    def observe(self, items: int, seconds: float) -> None:
        """Learn from a chunk: grow while chunks are short, shrink to what fits when they are long."""
        if not items:
            return
        fitting = TARGET_S * items / seconds if seconds > 0 else float("inf")
        # Only a chunk of the present size says that a larger one would still be short; a small one at the end of the
        # input does not.
        ceiling = self._size * self._growth if items >= self._size else self._size
        self._size = max(1, int(min(fitting, ceiling)))
