"""The items of a chunk that ends early when they take much longer than those before them."""

from __future__ import annotations

from itertools import chain
from time import perf_counter

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from typing import Any

# So many items are run at most before anybody notices that they have become long: an eighth of the chunk, as a short
# input may be over by then, but not so few or so many that the pieces cost more than they save. To go through pieces of
# 128 items costs 6 ns for each item, of 512 half of that (benchmarks/choice.py, "tiny_30ns").
_PART = 8
_FEWEST, _MOST = 16, 512


class Pieces:
    """Gives items one by one, and stops when they have taken too long. Once.

    Chunks of a plain loop hold thousands of items as long as these are short. If longer ones follow, the rest of the
    chunk is better not run here.

    Args:
        items: a list, a tuple or a range.
        limit_s: seconds after which no more are given; looked at behind every few items.

    Example:
        >>> pieces = Pieces(range(1000), limit_s=0.0)
        >>> list(pieces), len(pieces)
        ([0], 1)
    """

    __slots__ = ("_items", "_limit_s", "_number")

    def __init__(self, items: Sequence[Any], limit_s: float) -> None:
        self._items = items
        self._limit_s = limit_s
        self._number = len(items)

    def __len__(self) -> int:
        """How many items there are; after an early end, how many were given."""
        return self._number

    def __iter__(self) -> Iterator[Any]:
        return chain.from_iterable(self._pieces())

    def _pieces(self) -> Iterator[Sequence[Any]]:
        items, all_of_them = self._items, len(self._items)
        end_s = perf_counter() + self._limit_s
        begin, size = 0, 1
        most = min(_MOST, max(_FEWEST, all_of_them // _PART))
        while begin < all_of_them:
            yield items[begin : begin + size]
            begin += size
            size = min(2 * size, most)
            if perf_counter() > end_s and begin < all_of_them:
                self._number = begin
                return
