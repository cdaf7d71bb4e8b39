"""Which items are under way: chunks handed out, minus what has come back. Pure."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from corewise._work.chunk import Chunk


class Outstanding:
    """Items that were handed out and have not come back, by consecutive stretches.

    Outcomes come back in any order, and a chunk may come back in parts.
    """

    def __init__(self) -> None:
        self._chunks: dict[int, Chunk] = {}

    def __bool__(self) -> bool:
        return bool(self._chunks)

    def add(self, chunk: Chunk) -> None:
        """A chunk was handed out."""
        self._chunks[chunk.start] = chunk

    def item(self, index: int) -> Any:
        """Return an item that is under way."""
        chunk = self._around(index)
        return chunk.items[index - chunk.start]

    def remove(self, start: int, count: int, *, dropped: bool) -> None:
        """Outcomes of `count` items from `start` on have come; with `dropped`, the rest of their chunk never will."""
        chunk = self._around(start)
        del self._chunks[chunk.start]
        if chunk.start < start:
            self.add(chunk.part(chunk.start, start))
        if start + count < chunk.stop and not dropped:
            self.add(chunk.part(start + count, chunk.stop))

    def any_before(self, index: int) -> bool:
        """Return whether any item before `index` is under way."""
        return any(start < index for start in self._chunks)

    def _around(self, index: int) -> Chunk:
        chunk = self._chunks.get(index)
        if chunk is None:
            chunk = next(one for one in self._chunks.values() if one.start <= index < one.stop)
        return chunk
