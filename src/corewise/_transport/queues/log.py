"""The log of a queue: an index with one word for each item, and a ring of bytes in which the items lie.

```
  index   ...  e(h-1) │ e(h)   e(h+1) ... e(t-1) │ free      e(i): where item i ends, counted in bytes ever written
  ring    ...  ───────┼─ h ──┼─ h+1 ─┼...┼─ t-1 ─┼ free      h: items ever taken, t: items ever put
```

Item i lies between e(i-1) and e(i). Several items may be one pickle, a *batch*: then e(i) = e(i-1) for all of them but
the last, and the pickle begins at e(i-1). Its room is free again when the last of them is taken.

Both index and ring are used round and round. When one is too small a larger pair is made further behind or in front in
the same file, what is in the queue is copied there, and the version of the layout is the last to be written.
"""

from __future__ import annotations

from corewise._transport.queues.words import CONTROL_BYTES, HEAD, LAYOUT, LAYOUT_WORDS, LAYOUTS, TAIL

TYPE_CHECKING = False
if TYPE_CHECKING:
    from array import array
    from typing import Any

    from corewise._transport.queues.pages import Pages, View

_PAGE_BYTES = 4096
_FIRST_SLOTS = 1024
_FIRST_BYTES = 1 << 16
SMALL_BYTES = 1 << 20  # guess: no ring up to this size is ever made smaller


class Side:
    """The log as those who put, or those who get, see it. Used under their lock only.

    Attributes:
        index: the words of the index.
        slots: how many there are; at most one less can be in use.
        ring: the bytes of the ring.
        size: how many there are.
        version: of the layout that these belong to.
    """

    __slots__ = ("_mapping", "_pages", "index", "ring", "size", "slots", "version", "words")

    def __init__(self, pages: Pages, words: memoryview) -> None:
        self._pages = pages
        self.words = words
        self.version = 0
        self._mapping: View | None = None
        self.index = self.ring = memoryview(b"")
        self.slots = self.size = 0

    def follow(self) -> None:
        """Map the log anew if it has been moved.

        Raises:
            OSError: when the process may map no more.
        """
        version = self.words[LAYOUT]
        if version == self.version:
            return
        begin, slots, size = _layout(self.words)
        mapping = self._pages.mapped(begin + slots * 8 + size)
        self.close()
        self._mapping = mapping
        whole = mapping.view()[begin:]
        self.index = whole[: slots * 8].cast("Q")
        self.ring = whole[slots * 8 :]
        self.slots, self.size = slots, size
        self.version = version

    def write(self, at: int, data: Any) -> int:
        """Write a piece into the ring; return where the next one goes."""
        size, count = self.size, len(data)
        begin = at % size
        end = begin + count
        if end <= size:
            self.ring[begin:end] = data
        else:
            first = size - begin
            self.ring[begin:] = data[:first]
            self.ring[: count - first] = data[first:]
        return at + count

    def write_ends(self, first: int, ends: array[int]) -> None:
        """Write words into the index, from that of item `first` on."""
        begin = first % self.slots
        fit = min(len(ends), self.slots - begin)
        self.index[begin : begin + fit] = memoryview(ends)[:fit]
        self.index[: len(ends) - fit] = memoryview(ends)[fit:]

    def read(self, at: int, count: int) -> bytes:
        """Return a copy of some bytes of the ring."""
        begin = at % self.size
        end = begin + count
        if end <= self.size:
            return bytes(self.ring[begin:end])
        return bytes(self.ring[begin:]) + bytes(self.ring[: end - self.size])

    def read_into(self, at: int, memory: memoryview) -> int:
        """Copy bytes of the ring; return where the next ones are."""
        count = len(memory)
        begin = at % self.size
        first = min(count, self.size - begin)
        memory[:first] = self.ring[begin : begin + first]
        memory[first:] = self.ring[: count - first]
        return at + count

    def close(self) -> None:
        """Unmap it."""
        self.version = 0
        self.index = self.ring = memoryview(b"")
        # Forgotten first: Ctrl-C in the midst must not leave one that is half closed.
        mapping, self._mapping = self._mapping, None
        if mapping is not None:
            mapping.close()


def _layout(words: memoryview) -> tuple[int, int, int]:
    at = LAYOUTS + LAYOUT_WORDS * (words[LAYOUT] & 1)
    begin, slots, size = words[at : at + LAYOUT_WORDS].tolist()
    return begin, slots, size


def _set_layout(words: memoryview, begin: int, slots: int, size: int) -> None:
    version = words[LAYOUT] + 1
    at = LAYOUTS + LAYOUT_WORDS * (version & 1)
    words[at], words[at + 1], words[at + 2] = begin, slots, size
    words[LAYOUT] = version


def _whole_pages(size: int) -> int:
    return -(-size // _PAGE_BYTES) * _PAGE_BYTES


def lay_out(pages: Pages, words: memoryview) -> None:
    """Make the first index and ring of a queue.

    Raises:
        MemoryError: when there is none.
    """
    pages.reserve(CONTROL_BYTES, _FIRST_SLOTS * 8 + _FIRST_BYTES)
    _set_layout(words, CONTROL_BYTES, _FIRST_SLOTS, _FIRST_BYTES)


def resize(pages: Pages, side: Side, least_slots: int, least_bytes: int) -> None:
    """Move the log to an index and a ring that are large enough, or small enough; under both locks.

    Args:
        pages: the memory.
        side: the side of the one who does it.
        least_slots: how many items there must be room for.
        least_bytes: how many bytes there must be room for.

    Raises:
        MemoryError: when there is not so much.
        OSError: when the process may map no more.
    """
    words = side.words
    side.follow()
    begin, slots, size = _layout(words)
    grown_slots = _FIRST_SLOTS
    while grown_slots <= least_slots:
        grown_slots *= 2
    grown = _FIRST_BYTES
    while grown < least_bytes and grown < SMALL_BYTES:
        grown *= 2
    if grown < least_bytes:  # not twice as much at once: it may be much
        grown = _whole_pages(least_bytes + least_bytes // 4)
    needed = grown_slots * 8 + grown
    room_before = begin - CONTROL_BYTES
    moved_to = CONTROL_BYTES if room_before >= needed else begin + _whole_pages(slots * 8 + size)
    pages.reserve(moved_to, needed)
    mapping = pages.mapped(moved_to + needed)
    try:
        _copy(side, mapping.view()[moved_to:], grown_slots, grown)
        _set_layout(words, moved_to, grown_slots, grown)
    finally:
        mapping.close()
    # Not only where it was: somebody may have been killed before he came to this.
    pages.give_back(CONTROL_BYTES, moved_to - CONTROL_BYTES)
    if moved_to < begin:
        pages.give_back(_whole_pages(moved_to + needed), begin + slots * 8 + size - _whole_pages(moved_to + needed))


def _copy(side: Side, whole: memoryview, slots: int, size: int) -> None:
    """Copy what is in the queue to where it is to be."""
    words = side.words
    first, last = words[HEAD] - 1, words[TAIL] - 1  # with the one before the first, which tells where that begins
    index, ring = whole[: slots * 8].cast("Q"), whole[slots * 8 :]
    for i in range(first, last + 1):
        index[i % slots] = side.index[i % side.slots]
    at, end = side.index[first % side.slots], side.index[last % side.slots]
    while at < end:
        count = min(end - at, side.size - at % side.size, size - at % size)
        ring[at % size : at % size + count] = side.ring[at % side.size : at % side.size + count]
        at += count
    index.release()
