"""The memory of a queue where there is no unnamed memory: a temporary file without a name, and locks on another.

For systems that are not Linux. The kernel releases the locks of a process that dies, as those of `locks`; but each is a
system call, and where a limit of time is set they are asked for again and again.
"""

from __future__ import annotations

import mmap
import os
import sys
from _thread import RLock
from errno import EACCES, EAGAIN, EDEADLK
from time import monotonic, sleep

from corewise._transport.queues.locks import LockHeld

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from corewise._transport.queues.pages import Given, Result, View

_FILES = 3
_STEP_BYTES = 1 << 20
_AGAIN_S = 0.001  # guess: about as long as a process waits for its turn
_AGAIN = {EACCES, EAGAIN, EDEADLK}


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
        for fd in self.fds:
            os.close(fd)
        self.fd = -1


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

    Args:
        fd: descriptor of the file, which stays open.
    """

    __slots__ = ("_fd", "_held", "_pid", "_thread")

    def __init__(self, fd: int) -> None:
        self._fd = fd
        self._thread, self._pid, self._held = RLock(), os.getpid(), False

    def run(self, act: Callable[[Given], Result], given: Given, deadline_s: float | None = None) -> Result:
        """Hold the lock while `act(given)` runs, and return its result.

        Raises:
            LockHeld: when it was not to be had in time.
            RuntimeError: when this very thread has it.
        """
        if self._pid != os.getpid():  # forked, perhaps while another thread was inside
            self._thread, self._pid, self._held = RLock(), os.getpid(), False
        wait_s = -1.0 if deadline_s is None else max(0.0, deadline_s - monotonic())
        thread = self._thread
        nested = False
        try:
            # Ctrl-C may be raised when any call here returns, so the calls that take something stand inside.
            if not thread.acquire(timeout=wait_s):
                raise LockHeld
            nested = self._held  # by this thread, further out
            if nested:
                raise RuntimeError("a signal handler or finalizer uses a queue that its own thread is about to change")
            self._lock(deadline_s)
            self._held = True
            return act(given)
        finally:
            if thread._is_owned():  # type: ignore[attr-defined]  # noqa: SLF001 - there is no other way to ask
                if not nested:
                    _release(self._fd)
                    self._held = False
                thread.release()

    def _lock(self, deadline_s: float | None) -> None:
        while True:
            try:
                _take(self._fd, wait=deadline_s is None)
            except OSError as error:
                # The kernel sees two processes wait for each other where it is two threads that do not.
                if error.errno not in _AGAIN:
                    raise
                if deadline_s is not None and monotonic() >= deadline_s:
                    raise LockHeld from None
                sleep(_AGAIN_S)
            else:
                return


if sys.platform == "win32":
    import msvcrt
    from multiprocessing.reduction import DupHandle

    _READ_AND_WRITE = 0xC0000000  # GENERIC_READ | GENERIC_WRITE

    def _take(fd: int, *, wait: bool) -> None:  # noqa: ARG001 - there is no waiting without an end here
        os.lseek(fd, 0, os.SEEK_SET)
        msvcrt.locking(fd, msvcrt.LK_NBLCK, 1)

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

    def _take(fd: int, *, wait: bool) -> None:
        fcntl.lockf(fd, fcntl.LOCK_EX if wait else fcntl.LOCK_EX | fcntl.LOCK_NB, 1)

    def _release(fd: int) -> None:
        fcntl.lockf(fd, fcntl.LOCK_UN, 1)

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
