"""The memory of a queue: a file without a name that every process which has the queue maps.

Pages are reserved before anything refers to them, so that memory that is short is told by an error and not by a signal.
"""

from __future__ import annotations

import os
import sys
from errno import EFBIG, ENOMEM, ENOSPC

from corewise._transport import memory
from corewise._transport.queues import locks
from corewise._transport.queues.words import GETTING_AT, PUTTING_AT

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any, Protocol, TypeVar

    Given = TypeVar("Given")
    Result = TypeVar("Result")

    class Lock(Protocol):
        """A lock that no dead process holds."""

        def run(self, act: Callable[[Given], Result], given: Given, deadline_s: float | None = None) -> Result:
            """Hold it while `act(given)` runs; raise `LockHeld` when it is not to be had in time."""

    class View(Protocol):
        """A mapping of the file."""

        def view(self) -> memoryview:
            """Return its bytes."""

        def close(self) -> None:
            """Unmap it, unless it is in use."""

    class Pages(Protocol):
        """The memory of a queue, as `MemoryPages` has it."""

        @property
        def fds(self) -> list[int]:
            """Return the descriptors by which another process gets it; none when it is closed."""

        def reserve(self, begin: int, size: int) -> None:
            """Make sure that there is memory."""

        def give_back(self, begin: int, size: int) -> None:
            """Give memory back."""

        def mapped(self, size: int) -> View:
            """Return a mapping of the first `size` bytes."""

        def make_locks(self, control: View) -> None:
            """Make the locks, once in the life of a queue."""

        def locks(self, control: View) -> tuple[Lock, Lock]:
            """Return the locks of putting and of getting."""

        def close(self) -> None:
            """Let go of it."""


_NO_ROOM = {EFBIG, ENOMEM, ENOSPC}


class MemoryPages:
    """A memfd, with locks in it (Linux).

    Args:
        fd: its descriptor, this object's from now on.
    """

    __slots__ = ("fd",)

    def __init__(self, fd: int) -> None:
        self.fd = fd

    @property
    def fds(self) -> list[int]:
        """Return the descriptor, or nothing when it is closed."""
        return [self.fd] if self.fd >= 0 else []

    def reserve(self, begin: int, size: int) -> None:
        """Make sure that there is memory for so many bytes from `begin` on. New ones are zeros.

        Raises:
            MemoryError: when there is none.
        """
        if sys.platform != "linux":
            raise MemoryError("only Linux has such memory")
        try:
            os.posix_fallocate(self.fd, begin, size)
        except OSError as error:
            if error.errno not in _NO_ROOM:
                raise
            raise MemoryError(f"no memory for the {size:,} bytes that the queue needs") from error

    def give_back(self, begin: int, size: int) -> None:
        """Give memory back that nothing refers to any more."""
        if size <= 0:
            return
        if not _fallocate:
            import ctypes

            library = ctypes.CDLL(None)
            call = getattr(library, "fallocate64", None) or library.fallocate  # musl has one of them, of 64 bits
            call.argtypes = [ctypes.c_int, ctypes.c_int, ctypes.c_longlong, ctypes.c_longlong]
            _fallocate.append(call)
        _fallocate[0](self.fd, _PUNCH_HOLE | _KEEP_SIZE, begin, size)  # after an error it is where it was

    def mapped(self, size: int) -> View:
        """Return a mapping of the first `size` bytes.

        Raises:
            OSError: when the process may map no more.
        """
        return memory.Mapping(self.fd, size)

    def make_locks(self, control: View) -> None:
        """Make the locks.

        Raises:
            OSError: when this system has none that no dead process holds.
        """
        for at in (PUTTING_AT, GETTING_AT):
            locks.make(memory.address_of(control.view()) + at)

    def locks(self, control: View) -> tuple[Lock, Lock]:
        """Return the locks of putting and of getting."""
        address = memory.address_of(control.view())
        return locks.RobustLock(address + PUTTING_AT), locks.RobustLock(address + GETTING_AT)

    def close(self) -> None:
        """Let go of the descriptor. Twice is no error."""
        fd, self.fd = self.fd, -1
        if fd >= 0:
            os.close(fd)


_KEEP_SIZE, _PUNCH_HOLE = 1, 2  # of linux/falloc.h
_fallocate: list[Any] = []  # the C library's, which `os` has not


def new() -> MemoryPages:
    """Return a new one, empty.

    Raises:
        OSError: when no descriptors are left.
    """
    if sys.platform != "linux":
        raise OSError("only Linux has such memory")
    return MemoryPages(os.memfd_create("corewise-queue", os.MFD_CLOEXEC))
