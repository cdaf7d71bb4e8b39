"""A chunk of items on its way to a worker, and what came of it."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from typing import Any


class Stretch:
    """A stretch of a list that is taken out only where somebody needs the items.

    Those that are run by other processes nobody here has to touch; and to touch objects that are shared with forked
    processes has each page of them copied.

    Args:
        of: the list.
        start: index of the first item.
        stop: index behind the last one.
    """

    __slots__ = ("_of", "_start", "_stop")

    def __init__(self, of: list[Any], start: int, stop: int) -> None:
        self._of, self._start, self._stop = of, start, stop

    def __len__(self) -> int:
        return self._stop - self._start

    def __iter__(self) -> Iterator[Any]:
        return iter(self[:])

    def __getitem__(self, at: Any) -> Any:
        """Return an item, or a list of some."""
        if len(self._of) < self._stop:  # by a callback, or another thread; fewer would be sent than were promised
            raise RuntimeError("the list of items was shortened while they were run")
        if isinstance(at, slice):
            return self._of[self._start : self._stop][at]
        return self._of[range(self._start, self._stop)[at]]


class Chunk:
    """Consecutive items of the input, handed to a worker together.

    Attributes:
        start: index of the first item in the whole input.
        items: the items, in a list, a tuple, a range or a `Stretch`; with `star`, tuples of arguments.
        star: whether each item is a tuple of arguments rather than the one argument.
        count: how many items there are.
        stop: index after the last item.
    """

    __slots__ = ("count", "items", "star", "start", "stop")

    def __init__(self, start: int, items: Sequence[Any], *, star: bool) -> None:
        self.start = start
        self.items = items
        self.star = star
        self.count = len(items)
        self.stop = start + self.count

    def part(self, start: int, stop: int) -> Chunk:
        """Return the items from index `start` to before `stop`, both of the whole input, as a chunk of their own."""
        return Chunk(start, self.items[start - self.start : stop - self.start], star=self.star)

    def __repr__(self) -> str:
        return f"Chunk({self.start}..{self.stop})"


class Done:
    """What came of a chunk, or of its first part.

    Attributes:
        start: index of the first item.
        values: one result per item that was run; the exception itself where an item failed.
        failed: indexes, in the whole input, of the items that failed.
        wall_s: seconds it took in the worker; 0.0 when unknown.
        dropped: how many items behind the last one of `values` will never be run, because that one failed.
        left: how many items behind the last one of `values` were not run and are to be handed out again, because the
            others took longer than was to be expected.
        size_bytes: bytes that the values took on their way here; 0 where nothing travelled.
    """

    __slots__ = ("dropped", "failed", "left", "size_bytes", "start", "values", "wall_s")

    def __init__(
        self,
        start: int,
        values: list[Any],
        failed: list[int],
        wall_s: float,
        *,
        dropped: int = 0,
        left: int = 0,
        size_bytes: int = 0,
    ) -> None:
        self.start = start
        self.values = values
        self.failed = failed
        self.wall_s = wall_s
        self.dropped = dropped
        self.left = left
        self.size_bytes = size_bytes

    @property
    def stop(self) -> int:
        """Index after the last item that was run."""
        return self.start + len(self.values)

    def __repr__(self) -> str:
        return f"Done({self.start}..{self.stop}, failed={self.failed})"
