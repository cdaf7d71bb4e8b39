"""Private memory that is used again: results are copied into it, and when nothing refers to one any more, the next.

Fresh memory has to be found and cleared page by page before it is written to, and on a virtual machine it may first
have to be asked of the host. Either takes longer than the copy, up to twenty times. So the memory of the last large
results stays mapped as long as any line is open over which one has come.

A result that lives on is never touched, however long it does: whether memory is in use is seen by who refers to it, as
for `memory.Mapping.in_use`. What is not kept here any more is plain memory, which goes with its last view.
"""

from __future__ import annotations

import sys

from corewise._transport.memory import machine_bytes, private_pages
from corewise._types.light import deque

TYPE_CHECKING = False
if TYPE_CHECKING:
    import mmap

# guess: the results of one call in the benchmark of 64 MB arrays, but not more than a small part of a machine
_KEPT_BYTES = 1 << 29
_KEPT_SHARE = 32
_WASTED_SHARE = 8  # guess: a result may lie in memory that is larger than itself by this part of it


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
