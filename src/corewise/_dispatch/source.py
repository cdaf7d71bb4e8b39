"""The input: pulled lazily, cut into chunks, counted."""

from __future__ import annotations

from itertools import islice

from corewise._work.chunk import Chunk

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Any


class Source:
    """Items for a function, from one iterable or several in step.

    Args:
        iterables: one or more; with several, each item is a tuple of arguments and the shortest ends the input.
    """

    def __init__(self, iterables: tuple[Iterable[Any], ...]) -> None:
        self.star = len(iterables) > 1
        # Not strict: the built-in map stops with the shortest as well.
        self._items = iter(zip(*iterables, strict=False)) if self.star else iter(iterables[0])
        known = [length for length in map(_length, iterables) if length is not None]
        self.total: int | None = min(known) if len(known) == len(iterables) else None
        self.taken = 0
        self.exhausted = False

    @property
    def remaining(self) -> int | None:
        """Items left; None while unknown."""
        if self.exhausted:
            return 0
        return None if self.total is None else max(0, self.total - self.taken)

    def cut(self, size: int) -> Chunk | None:
        """Take the next chunk; None when nothing is left."""
        if self.exhausted:
            return None
        items = list(islice(self._items, size))
        if len(items) < size:
            self.exhausted = True
        if not items:
            return None
        chunk = Chunk(self.taken, items, star=self.star)
        self.taken += len(items)
        if self.taken == self.total:
            self.exhausted = True
        return chunk


def _length(one: Iterable[Any]) -> int | None:
    """Return the length of an input; None where it has none, cannot tell it, or has too many items to count."""
    try:
        return len(one)  # type: ignore[arg-type]  # that is the question
    except (TypeError, OverflowError):
        return None
