"""The items of a chunk that ends early when they take much longer than those before them."""

from __future__ import annotations

from itertools import chain
from time import perf_counter

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from typing import Any

# So many items are run at most before anybody notices that they have become long: an eighth of the chunk, as a short
# input may be over by then, but not so few or so many that the pieces cost more than they save. Each costs 4 µs,
# where 512 of the shortest calls take 20.
_PART = 8
_FEWEST, _MOST = 16, 512
_OF_ONE_UNDER_WAY = 3  # parts that an iterator is pickled in: the last one says where it is


class Pieces:
    """Gives items one by one, and stops when they have taken too long. Once.

    Chunks of a plain loop hold thousands of items as long as these are short. If longer ones follow, the rest of the
    chunk is better not run here. That is looked at behind every few items, which take next to no time while they are
    short; another thread that finds out sooner says so by `cut`, and where there is one nobody else has to look.

    Args:
        items: a list, a tuple or a range.
        limit_s: seconds after which no more are given.
        watched: whether another thread is there to say so, by `cut`. Then `more` gives all in one piece.
        most: items that are run at most before anybody looks, where nobody watches; None for an eighth, within bounds.

    Attributes:
        ended_early: whether there were items that were not given.

    Example:
        >>> pieces = Pieces(range(1000), limit_s=0.0)
        >>> list(pieces), len(pieces), pieces.ended_early
        ([0], 1, True)
    """

    __slots__ = (
        "_cut_at",
        "_end_s",
        "_given",
        "_items",
        "_most",
        "_number",
        "_piece",
        "_size",
        "_watched",
        "ended_early",
    )

    def __init__(self, items: Sequence[Any], limit_s: float, *, watched: bool = False, most: int | None = None) -> None:
        self._items = items
        self._number = len(items)
        self.ended_early = False
        self._given = 0
        self._size = 1
        self._watched = watched
        self._piece: Any = None  # the iterator that may be cut off
        self._cut_at: int | None = None
        self._most = most or min(_MOST, max(_FEWEST, self._number // _PART))
        self._end_s = perf_counter() + limit_s

    def __len__(self) -> int:
        """How many items there are; after an early end, how many were given."""
        return self._number

    def __iter__(self) -> Iterator[Any]:
        return chain.from_iterable(self._pieces())

    def more(self, done: int) -> Iterator[Any] | None:
        """Return the next few items; None when there are no more, or no more are to be run.

        Whoever takes them so, and not one by one, saves 3 ns an item.

        Args:
            done: how many have been run. Unless it is all that were given, nothing more is.
        """
        if self._cut_at is not None and done >= self._cut_at:
            self._number, self.ended_early = self._cut_at, True
            return None
        if done != self._given and _is_through(self._piece):
            self._number = done  # somebody has changed the list meanwhile, and its end came as it comes to any loop
        if self._watched and not self._given:
            self._size = self._number
        self._piece = piece = self._next() if done == self._given else None
        return piece

    def cut(self) -> None:
        """Give no more, if the time is over. Called by another thread than the one that takes items by `more`.

        An iterator over a list, a tuple or a range can be told to be at its end. It is not, where the function itself
        raises StopIteration: then fewer were run than were taken.
        """
        piece = self._piece
        if piece is not None and self._cut_at is None and perf_counter() > self._end_s:
            # First said, then done: whoever comes to the end in between must not take it for a failure.
            self._cut_at = self._given - piece.__length_hint__()
            piece.__setstate__(self._number)

    def _next(self) -> Iterator[Any] | None:
        begin, all_of_them = self._given, self._number
        if begin >= all_of_them:
            return None
        if begin and perf_counter() > self._end_s:
            self._number, self.ended_early = begin, True
            return None
        size = self._size
        if not begin and size >= all_of_them:
            self._given = all_of_them
            return iter(self._items)
        self._given = min(begin + size, all_of_them)
        self._size = min(2 * size, self._most)
        return iter(self._items[begin : begin + size])

    def _pieces(self) -> Iterator[Iterator[Any]]:
        while (piece := self._next()) is not None:
            yield piece


def _is_through(piece: Any) -> bool:
    """Return whether an iterator over a list has come to the end of it, and not to a StopIteration of its user's."""
    return piece is not None and len(piece.__reduce__()) < _OF_ONE_UNDER_WAY
