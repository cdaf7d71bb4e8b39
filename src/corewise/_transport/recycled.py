"""Private memory that is used again: results are copied into it, and when nothing refers to one any more, the next.

Fresh memory has to be found and cleared page by page before it is written to, and on a virtual machine it may first
have to be asked of the host. Either takes longer than the copy, up to twenty times. So the memory of the last large
results stays mapped as long as any line is open over which one has come.

A result that lives on is never touched, however long it does: whether memory is in use is seen by who refers to it, as
for `memory.Mapping.in_use`. What is not kept here any more is plain memory, which goes with its last view.

There are regions for large results, and pieces for smaller ones, which are many: those are kept by each line.
"""

from __future__ import annotations

import os
import sys

from corewise._transport.memory import HUGE_FROM_BYTES, machine_bytes, private_pages
from corewise._types.light import deque

TYPE_CHECKING = False
if TYPE_CHECKING:
    import mmap

# guess: the results of one call in the benchmark of 64 MB arrays, but not more than a small part of a machine
_KEPT_BYTES = 1 << 29
_KEPT_SHARE = 32
_WASTED_SHARE = 8  # guess: a result may lie in memory that is larger than itself by this part of it
_PIECES_BYTES = 1 << 26  # guess: what a worker returns of some hundred arrays, more than any cache holds


class _Region:
    """Memory that is lent to one result after the other."""

    __slots__ = ("_alone", "_pages", "size")

    def __init__(self, size: int) -> None:
        self.size = size
        self._pages: mmap.mmap = private_pages(size)
        self._alone = sys.getrefcount(self._pages)

    @property
    def in_use(self) -> bool:
        return sys.getrefcount(self._pages) > self._alone

    def view(self, size: int) -> memoryview:
        return memoryview(self._pages)[:size]


# Not by line, nor by executor: that would keep more. A region is taken out while it is looked at, so that two threads
# never look at the same one.
_regions: deque[_Region] = deque()
_lines: list[None] = []  # one entry for each open line over which such a result has come


def opened() -> None:
    """A line is going to use it."""
    _lines.append(None)


def closed() -> None:
    """Such a line was closed. With the last one all goes that is not in use."""
    if _lines:
        _lines.pop()
    if not _lines:
        _regions.clear()


def memory(size: int) -> memoryview:
    """Return memory of this process alone, to write to; what is in it is undefined.

    Args:
        size: how many bytes.

    Raises:
        MemoryError: when there is none.
    """
    for _ in range(len(_regions)):
        try:
            region = _regions.popleft()
        except IndexError:  # another thread has it
            break
        fits = size <= region.size <= size + size // _WASTED_SHARE
        view = None if region.in_use or not fits else region.view(size)
        _regions.append(region)
        if view is not None:
            return view
    try:
        region = _Region(size)
    except MemoryError:
        _regions.clear()
        region = _Region(size)
    view = region.view(size)
    if _lines:
        _keep(region)
    return view


def _keep(region: _Region) -> None:
    """Keep a region, and no more of those before it than there is room for."""
    kept_bytes = sum(one.size for one in _regions.copy()) + region.size
    most_bytes = min(_KEPT_BYTES, machine_bytes() // _KEPT_SHARE)
    try:
        while kept_bytes > most_bytes:
            kept_bytes -= _regions.popleft().size
    except IndexError:  # it alone is too large
        return
    _regions.append(region)


class Copies:
    """What the results of one line are copied into: regions for large ones, and for others pieces of its own.

    Of the pieces only the oldest is looked at: when results go as they came, or all together, it is the first that is
    free. One that is free and does not fit is let go, so that what is kept is of the size of the results of late.

    One thread at a time may use it.
    """

    def __init__(self) -> None:
        self._pieces: deque[bytearray] = deque()
        self._pieces_bytes = 0
        self._most_bytes = min(_PIECES_BYTES, machine_bytes() // _KEPT_SHARE // (os.cpu_count() or 1))
        self._pieces.append(bytearray())
        self._alone = self._referring_to_oldest()
        self._pieces.clear()
        opened()

    def copy(self, view: memoryview) -> memoryview:
        """Return a copy of what is in a view, to write to.

        Raises:
            MemoryError: when there is none for it.
        """
        size = len(view)
        if size >= HUGE_FROM_BYTES:
            copy = memory(size)
            copy[:] = view
            return copy
        piece = self._oldest_free()
        if piece is not None and len(piece) == size:
            copy = memoryview(piece)
            copy[:] = view
        else:
            piece = bytearray(view)
            copy = memoryview(piece)  # which keeps it at its length
        self._pieces.append(piece)
        self._pieces_bytes += size
        while self._pieces_bytes > self._most_bytes:
            self._pieces_bytes -= len(self._pieces.popleft())
        return copy

    def _oldest_free(self) -> bytearray | None:
        if not self._pieces:
            return None
        free = self._referring_to_oldest() == self._alone
        piece = self._pieces.popleft()
        if not free:
            self._pieces.append(piece)
            return None
        self._pieces_bytes -= len(piece)
        return piece

    def _referring_to_oldest(self) -> int:
        return sys.getrefcount(self._pieces[0])

    def close(self) -> None:
        """The line is closed."""
        self._pieces.clear()
        closed()
