"""In which order finished parts are handed to the caller. Pure."""

from __future__ import annotations

from corewise._work.chunk import Done

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Collection


class InOrder:
    """Holds back what was finished early, until its turn in the order of the input has come.

    Example:
        >>> order = InOrder()
        >>> order.put(Done(1, ["b"], [], 0.0))
        []
        >>> [part.values for part in order.put(Done(0, ["a"], [], 0.0))]
        [['a'], ['b']]
    """

    def __init__(self) -> None:
        self._early: dict[int, Done] = {}
        self._next = 0

    def put(self, part: Done) -> list[Done]:
        """Take in a finished part, and return those whose turn has come."""
        self._early[part.start] = part
        due: list[Done] = []
        while (one := self._early.pop(self._next, None)) is not None:
            self._next = one.stop
            due.append(one)
        return due

    def clear(self) -> None:
        """Forget what is held back: nobody will ask for it."""
        self._early.clear()


class AsFinished:
    """Holds nothing back."""

    def put(self, part: Done) -> list[Done]:
        """Return the part."""
        return [part]

    def clear(self) -> None:
        """Nothing is held back."""


def without(done: Done, indexes: Collection[int]) -> list[Done]:
    """Return what remains of an outcome when some of its items are taken out, as consecutive parts.

    Args:
        done: the outcome.
        indexes: of the items to take out, in the whole input.
    """
    parts: list[Done] = []
    start = done.start
    for index in [*sorted(indexes), done.stop]:
        if index > start:
            values = done.values[start - done.start : index - done.start]
            failed = [one for one in done.failed if start <= one < index]
            share = len(values) / len(done.values)
            parts.append(Done(start, values, failed, done.wall_s * share, size_bytes=int(done.size_bytes * share)))
        start = index + 1
    return parts
