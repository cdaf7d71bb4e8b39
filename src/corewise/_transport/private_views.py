"""Private views of a block that many messages refer to: none of them sees what is written to another.

A view is a private mapping of the block, in which a page is copied when it is written to. Finding the pages of a new
mapping takes longer than reading them, so a mapping that nobody uses any more and nobody has written to is used again.
"""

from __future__ import annotations

import os

from corewise._transport.memory import Mapping, read, tells_pages_apart

# Whether the kernel of this process tells what was written to; seen when it is first of use.
_told: list[bool] = []


class PrivateViews:
    """The private views of one block.

    Args:
        fd: its descriptor, which is this object's from now on.
        size: how many bytes.
    """

    def __init__(self, fd: int, size: int) -> None:
        self._fd = fd
        self._size = size
        self._mappings: list[Mapping] = []

    def view(self) -> memoryview:
        """Return one, to read and to write.

        Raises:
            OSError: when the block cannot be read.
            MemoryError: when there is no memory for it.
        """
        for mapping in self._mappings.copy():
            if mapping.in_use:
                continue
            if self._is_untouched(mapping):
                return mapping.view()
            self._mappings.remove(mapping)
            mapping.close()
        try:
            mapping = Mapping(self._fd, self._size, private=True)
        except OSError:  # more mappings than a process may have
            return read(self._fd, self._size)
        self._mappings.append(mapping)
        return mapping.view()

    @staticmethod
    def _is_untouched(mapping: Mapping) -> bool:
        if not _told:
            _told.append(tells_pages_apart())
        return _told[0] and mapping.is_untouched()

    def close(self) -> list[Mapping]:
        """Let go of the block. Return the mappings that are still in use, to be closed later."""
        fd, self._fd = self._fd, -1
        if fd >= 0:
            os.close(fd)
        in_use = []
        for mapping in self._mappings:
            if mapping.in_use:
                in_use.append(mapping)
            else:
                mapping.close()
        self._mappings.clear()
        return in_use
