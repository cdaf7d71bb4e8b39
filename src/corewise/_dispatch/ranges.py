"""Which items are under way: chunks handed out, minus what has come back. Pure."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

    from corewise._types.light import deque
    from corewise._work.chunk import Chunk


class Outstanding:
    """Items that were handed out and have not come back, by consecutive stretches.

    Outcomes come back in any order, and a chunk may come back in parts.
    """

    def __init__(self) -> None:
        self._chunks: dict[int, Chunk] = {}

    def __bool__(self) -> bool:
        return bool(self._chunks)

    def __len__(self) -> int:
        """How many stretches there are."""
        return len(self._chunks)

    def __iter__(self) -> Iterator[Chunk]:
        return iter(self._chunks.values())

    @property
    def items(self) -> int:
        """How many items there are."""
        return sum(chunk.count for chunk in self._chunks.values())

    def add(self, chunk: Chunk) -> None:
        """A chunk was handed out."""
        self._chunks[chunk.start] = chunk

    def item(self, index: int) -> Any:
        """Return an item that is under way."""
        chunk = self.around(index)
        return chunk.items[index - chunk.start]

    def part(self, start: int, stop: int) -> Chunk:
        """Return items that are under way as a chunk of their own: from `start` on, to before `stop`.

        Args:
            start: index of the first one.
            stop: index after the last one.
        """
        return self.around(start).part(start, stop)

    def remove(self, start: int, count: int, *, dropped: int) -> None:
        """Outcomes of `count` items from `start` on have come, and of the `dropped` items behind them none will."""
        chunk = self.around(start)
        del self._chunks[chunk.start]
        if chunk.start < start:
            self.add(chunk.part(chunk.start, start))
        rest = start + count + dropped
        if rest < chunk.stop:
            self.add(chunk.part(rest, chunk.stop))

    def any_before(self, index: int) -> bool:
        """Return whether any item before `index` is under way."""
        return any(start < index for start in self._chunks)

    def around(self, index: int) -> Chunk:
        """Return the chunk, or what is left of it, that an item under way is in."""
        chunk = self._chunks.get(index)
        if chunk is None:
            chunk = next((one for one in self._chunks.values() if one.start <= index < one.stop), None)
        if chunk is None:
            raise RuntimeError(f"an outcome came for item {index}, which is not under way: please report this")
        return chunk


def put_in_order(waiting: deque[Chunk], chunk: Chunk) -> None:
    """Put a chunk before those whose items come later in the input."""
    waiting.insert(next((place for place, one in enumerate(waiting) if one.start > chunk.start), len(waiting)), chunk)
