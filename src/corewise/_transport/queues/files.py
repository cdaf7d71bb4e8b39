"""The memory of a queue where there is no unnamed memory: a temporary file without a name, and locks on another.

For systems that are not Linux. The kernel releases the locks of a process that dies, as those of `locks`. But taking
one is a system call, and who finds it taken asks for it again and again.
"""

from __future__ import annotations

import mmap
import os
import sys
from _thread import RLock
from time import monotonic, sleep

from corewise._transport.queues.locks import HELD_BY_SELF, LockHeld

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from corewise._transport.queues.pages import Given, Result, View

_FILES = 3
_STEP_BYTES = 1 << 20
# Guesses: about as long as somebody is inside, and as long as may pass unnoticed.
_PAUSE_S = 20e-6
_LONGEST_PAUSE_S = 2e-3


class FilePages:
    """A temporary file, and two more to put locks on.

    Files of their own, because the locks that a process has on a file are gone when it closes any descriptor of it.

    Args:
        fd: descriptor of the file, this object's from now on.
        locked: descriptors of the others, likewise.
    """

    __slots__ = ("fd", "locked")

    def __init__(self, fd: int, *locked: int) -> None:
        self.fd, self.locked = fd, list(locked)

    @property
    def fds(self) -> list[int]:
        """Return the descriptors, or nothing when they are closed."""
        return [self.fd, *self.locked] if self.fd >= 0 else []

    def reserve(self, begin: int, size: int) -> None:
        """Make sure that there is room for so many bytes from `begin` on. New ones are zeros.

        Raises:
            MemoryError: when there is none.
        """
        try:
            end = os.fstat(self.fd).st_size
            os.lseek(self.fd, end, os.SEEK_SET)
            while end < begin + size:
                end += os.write(self.fd, bytes(min(_STEP_BYTES, begin + size - end)))
        except OSError as error:
            raise MemoryError(f"no room for the {size:,} bytes that the queue needs") from error

    def give_back(self, begin: int, size: int) -> None:
        """Do nothing: the room is kept for later."""

    def mapped(self, size: int) -> View:
        """Return a mapping of the first `size` bytes.

        Raises:
            OSError: when the process may map no more.
        """
        return _Mapped(self.fd, size)

    def make_locks(self, control: View) -> None:
        """Do nothing: the file is there."""

    def locks(self, control: View) -> tuple[FileLock, FileLock]:  # noqa: ARG002 - as for memory
        """Return the locks of putting and of getting."""
        putting, getting = self.locked
        return FileLock(putting), FileLock(getting)

    def close(self) -> None:
        """Let go of the files. Twice is no error."""
        fds, self.fd = self.fds, -1
        for fd in fds:
            os.close(fd)


class _Mapped:
    """A mapping of the file."""

    __slots__ = ("_map",)

    def __init__(self, fd: int, size: int) -> None:
        self._map = mmap.mmap(fd, size)

    def view(self) -> memoryview:
        """Return its bytes."""
        return memoryview(self._map)

    def close(self) -> None:
        """Unmap it when nothing refers to it any more."""
        try:
            self._map.close()
        except BufferError:
            pass


class FileLock:
    """A lock between processes on a file, and between the threads of this one.

    Whoever does not get it asks again, ever less often: so threads and limits of time need no more than this.

    Args:
        fd: descriptor of the file, which stays open.
    """

    __slots__ = ("_fd", "_inside", "_pid", "_thread")

    def __init__(self, fd: int) -> None:
        self._fd = fd
        self._thread, self._pid, self._inside = RLock(), os.getpid(), False

    def run(self, act: Callable[[Given], Result], given: Given, deadline_s: float | None = None) -> Result:
        """Hold the lock while `act(given)` runs, and return its result.

        Raises:
            LockHeld: when it was not to be had in time.
            RuntimeError: when this very thread has it.
        """
        if self._pid != os.getpid():  # forked, perhaps while another thread was inside
            self._thread, self._pid, self._inside = RLock(), os.getpid(), False
        pause_s = 0.0
        while True:
            with self._thread:
                if self._inside:
                    raise RuntimeError(HELD_BY_SELF)
                # Ctrl-C may be raised when any call here returns, so the one that takes the lock stands inside; and to
                # release a lock that one has not is no error.
                try:
                    self._inside = True
                    if _taken(self._fd):
                        return act(given)
                finally:
                    self._inside = False
                    _release(self._fd, *_RELEASE)
            if deadline_s is not None and monotonic() >= deadline_s:
                raise LockHeld
            sleep(pause_s)
            pause_s = min(2 * pause_s + _PAUSE_S, _LONGEST_PAUSE_S)


if sys.platform == "win32":
    import msvcrt
    from multiprocessing.reduction import DupHandle

    _READ_AND_WRITE = 0xC0000000  # GENERIC_READ | GENERIC_WRITE
    _RELEASE = ()

    def _taken(fd: int) -> bool:
        os.lseek(fd, 0, os.SEEK_SET)
        try:
            msvcrt.locking(fd, msvcrt.LK_NBLCK, 1)
        except OSError:
            return False
        return True

    def _release(fd: int) -> None:
        os.lseek(fd, 0, os.SEEK_SET)
        try:
            msvcrt.locking(fd, msvcrt.LK_UNLCK, 1)
        except OSError:  # it was not taken
            pass

    def _handle(fd: int) -> Any:
        return DupHandle(msvcrt.get_osfhandle(fd), _READ_AND_WRITE)

    def _arrived(handle: Any) -> int:
        return msvcrt.open_osfhandle(handle.detach(), os.O_RDWR | os.O_BINARY | os.O_NOINHERIT)
else:
    import fcntl

    # Called by itself, as a function of our own could be broken off before it has released anything.
    _release = fcntl.lockf
    _RELEASE = (fcntl.LOCK_UN,)

    def _taken(fd: int) -> bool:
        try:
            fcntl.lockf(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except (BlockingIOError, PermissionError):
            return False
        return True

    def _handle(fd: int) -> Any:
        from multiprocessing.reduction import DupFd

        return DupFd(fd)

    def _arrived(handle: Any) -> int:
        fd: int = handle.detach()
        os.set_inheritable(fd, False)  # noqa: FBT003 - it has no name
        return fd


class Travelling:
    """A descriptor that comes out as a number of the receiving process.

    Args:
        fd: the descriptor, of a file on Windows, of anything elsewhere.
    """

    def __init__(self, fd: int) -> None:
        self._fd = fd

    def __reduce__(self) -> tuple[Any, ...]:
        """Travel to a process that is being started; to another one by a thread of `multiprocessing`."""
        return _arrived, (_handle(self._fd),)


def new() -> FilePages:
    """Return a new one, empty.

    Raises:
        OSError: when no descriptors are left, or nothing can be written where temporary files are.
    """
    opened: list[int] = []
    try:
        while len(opened) < _FILES:
            opened.append(_temporary())
    except BaseException:
        for fd in opened:
            os.close(fd)
        raise
    return FilePages(*opened)


def _temporary() -> int:
    from tempfile import TemporaryFile

    with TemporaryFile(prefix="corewise-queue-", buffering=0) as file:
        return os.dup(file.fileno())
