"""The blocks that a worker process was lent: its items lie in them, and they go back when nothing refers to them.

A block is mapped once and stays mapped, shared with the parent. So two things have to be kept apart:

* *The worker and the parent.* The parent writes to a block only after it was given back, which is when no view of it
  is left in this process (`Mapping.in_use`). A view that is kept for ever keeps its block for ever. A block that would
  go back empty with a large result goes back with that result in it instead: until the parent has copied it out, it
  counts as lent.
* *The worker and processes forked from it.* They inherit the mapping, and would see what the worker writes, and what
  the parent writes once the block is given back. So before a fork every block in use is made private in its place,
  and does not go back.

A buffer that travels to many items of one call lies in a block of its own (`blocks.Once`); each item that refers to it
gets a private view, so that none sees what another writes.
"""

from __future__ import annotations

import os

from corewise._transport import frames, memory
from corewise._transport.lender import lay
from corewise._transport.private_views import PrivateViews

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from corewise._transport.frames import Notice, Place


class _Lent:
    """A block of the parent's that is mapped here."""

    __slots__ = ("_fd", "_identity", "_touched", "mapping")

    def __init__(self, fd: int, size: int) -> None:
        self.mapping = memory.Mapping(fd, size)
        self._fd = fd
        self._identity = _identity(fd)
        self._touched = False

    def lay(self, parts: Sequence[memoryview], begins: Sequence[int]) -> None:
        """Lay parts into it, each from its byte on."""
        view = self.mapping.view()
        lay(view, parts, begins, touched=self._touched)
        self._touched = True
        view.release()

    def make_private(self) -> None:
        """Make it this process's own.

        Raises:
            OSError: when that cannot be done.
        """
        # A function that closed descriptors it does not own may have had the number given to another file.
        if _identity(self._fd) != self._identity:
            raise OSError("the descriptor of a block was closed")
        self.mapping.make_private(self._fd)
        fd, self._fd = self._fd, -1
        os.close(fd)

    def close(self) -> None:
        """Let go of it, unless it is in use."""
        self.mapping.close()
        fd, self._fd = self._fd, -1
        try:
            if _identity(fd) == self._identity:
                os.close(fd)
        except OSError:  # closed already
            pass


def _identity(fd: int) -> tuple[int, int]:
    told = os.fstat(fd)
    return told.st_dev, told.st_ino


class Borrower:
    """The worker's side of the blocks that its parent made.

    Attributes:
        lost: the numbers of blocks that could not be taken and whose content has not come yet.
    """

    def __init__(self) -> None:
        self.lost: set[int] = set()
        self._lent: dict[int, _Lent] = {}
        self._shared: dict[int, PrivateViews] = {}
        self._content: dict[int, memoryview] = {}  # of blocks that could not be taken
        self._with_views: set[int] = set()
        self._kept: list[memory.Mapping] = []  # private ones whose block is no more, and which are still in use
        self._gone: list[int] = []

    def take(self, number: int, size: int, fd: int) -> bool:
        """Take a block; return whether that was possible.

        Args:
            number: its number; negative for one that is shared by many messages.
            size: how many bytes.
            fd: its descriptor, -1 when none has come.
        """
        try:
            if fd >= 0 and number < 0:
                self._shared[number] = PrivateViews(fd, size)
                return True
            if fd >= 0:
                self._lent[number] = _Lent(fd, size)
                return True
        except OSError:  # no room for one more mapping
            os.close(fd)
        self.lost.add(number)
        return False

    def fill(self, number: int, content: bytes | bytearray | memoryview) -> None:
        """Take what a block held that could not be taken."""
        self.lost.discard(number)
        self._content[number] = memoryview(bytearray(content) if isinstance(content, bytes) else content)

    def drop(self, number: int) -> None:
        """Let go of a block that the parent has given up."""
        self.lost.discard(number)
        self._content.pop(number, None)
        if number in self._shared:
            self._kept += self._shared.pop(number).close()
        elif number in self._lent:
            self._lent.pop(number).close()

    def fetch(self, place: Place) -> memoryview:
        """Return what lies in a place, to read and to write; nobody else sees what is written.

        Raises:
            OSError: when the parent could not say what was in a block that this process could not take.
        """
        number, begin, size = place
        lent = self._lent.get(number)
        if lent is not None:
            self._with_views.add(number)
            return lent.mapping.view()[begin : begin + size]
        if number in self._shared:
            return self._shared[number].view()[begin : begin + size]
        content = self._content.get(number)
        if content is None or len(content) < begin + size:
            raise OSError("what the parent sent did not arrive: no descriptor was left for it")
        part = content[begin : begin + size]
        # What one message carried is referred to once, so that part is its own already.
        return part if number > 0 else memoryview(memory.private_copy(part))

    def message_taken(self, number: int) -> None:
        """Forget the content of a block that could not be taken: it was that of one message."""
        self._content.pop(number, None)

    def given_back(self, at_least_bytes: int = 0) -> list[Notice]:
        """Return what to tell the parent: blocks to which nothing refers any more, and blocks that do not come back.

        Args:
            at_least_bytes: leave out smaller blocks.
        """
        notices: list[Notice] = []
        if not (self._with_views or self._gone or self._kept):
            return notices
        for number in tuple(self._with_views):
            lent = self._lent.get(number)
            if lent is None:
                self._with_views.discard(number)
            elif lent.mapping.size >= at_least_bytes and not lent.mapping.in_use:
                self._with_views.discard(number)
                notices.append((frames.BACK, number, 0))
        while self._gone:
            notices.append((frames.GONE, self._gone.pop(), 0))
        for kept in self._kept.copy():
            if not kept.in_use:
                self._kept.remove(kept)
                kept.close()
        return notices

    def lay(self, number: int, parts: Sequence[memoryview], begins: Sequence[int], used: int) -> bool:
        """Lay parts into a block that goes back with the message that they are of. Return False if it is too small.

        Args:
            number: of one that `given_back` has just named, so that nothing refers to it.
            parts: what to lay there.
            begins: from which byte on.
            used: how many bytes that takes.
        """
        lent = self._lent[number]
        if lent.mapping.size < used:
            return False
        lent.lay(parts, begins)
        return True

    def keep_what_is_lent(self) -> None:
        """Before a fork: from now on blocks in use are this process's own."""
        for number in tuple(self._with_views):
            lent = self._lent.get(number)
            if lent is None or not lent.mapping.in_use:
                continue
            try:
                lent.make_private()
            except OSError:  # no room for a mapping: the fork shares the block
                continue
            del self._lent[number]
            self._with_views.discard(number)
            self._kept.append(lent.mapping)
            self._gone.append(number)

    def close(self) -> None:
        """Let go of all that is not in use."""
        for number in (*self._lent, *self._shared):
            self.drop(number)
