"""A lock in shared memory that a dead process cannot hold: a robust mutex of the C library (Linux).

The kernel walks the list of such mutexes when a thread ends, by whatever cause, and hands each on to whoever waits for
it. Taking and releasing one without a neighbour is no system call: 0.2 µs by way of `ctypes`, where `flock` takes 0.8
(benchmarks/results/queues.json, "locks").

A mutex belongs to a thread, so this serves threads of one process and forked children as well. It is checked for
errors: a signal handler or finalizer that puts into a queue while its own thread is in the midst of that gets an
error, not a deadlock.
"""

from __future__ import annotations

from errno import EBUSY, EDEADLK, EOWNERDEAD, ETIMEDOUT
from time import monotonic, time

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any, TypeVar

    Given = TypeVar("Given")
    Result = TypeVar("Result")

MUTEX_BYTES = 64  # of glibc and musl it is 40, on machines of 64 bits
_ERRORCHECK, _SHARED, _ROBUST = 2, 1, 1  # PTHREAD_MUTEX_ERRORCHECK, PTHREAD_PROCESS_SHARED, PTHREAD_MUTEX_ROBUST
_SLICE_S = 0.1  # guess: how long Ctrl-C may go unheard while another process is in the midst of a message
_UNKNOWN = -1
HELD_BY_SELF = "a signal handler or finalizer uses a queue that its own thread is about to change"


class LockHeld(TimeoutError):
    """The lock was not to be had in time: its holder is stopped, or copies something large."""


class _Library:
    """The C library's calls, loaded with the first queue."""

    def __init__(self) -> None:
        import ctypes

        kept = ctypes.PyDLL(None)  # the calls that return at once keep the interpreter's lock
        let_go = ctypes.CDLL(None)
        at = ctypes.c_void_p
        self.pointer = at
        self.timespec = ctypes.c_long * 2
        self.addressof = ctypes.addressof
        self.attributes = ctypes.c_char * MUTEX_BYTES
        self.trylock = ctypes.PYFUNCTYPE(ctypes.c_int, at)(("pthread_mutex_trylock", kept))
        self.unlock = ctypes.PYFUNCTYPE(ctypes.c_int, at)(("pthread_mutex_unlock", kept))
        self.consistent = ctypes.PYFUNCTYPE(ctypes.c_int, at)(("pthread_mutex_consistent", kept))
        self.timedlock = ctypes.CFUNCTYPE(ctypes.c_int, at, at)(("pthread_mutex_timedlock", let_go))
        self.init = kept.pthread_mutex_init
        self.init.argtypes = [at, at]
        self.set = [
            (kept.pthread_mutexattr_settype, _ERRORCHECK),
            (kept.pthread_mutexattr_setpshared, _SHARED),
            (kept.pthread_mutexattr_setrobust, _ROBUST),
        ]
        self.init_attributes = kept.pthread_mutexattr_init


_loaded: list[_Library] = []


def _library() -> _Library:
    if not _loaded:
        try:
            _loaded.append(_Library())
        except (ImportError, AttributeError) as error:  # no `ctypes`, or a C library without robust mutexes
            raise OSError(f"this system has no locks that outlive their holder: {error}") from error
    return _loaded[0]


def make(address: int) -> None:
    """Make a mutex of the zeroed bytes at an address.

    Raises:
        OSError: when this system has none that are robust.
    """
    library = _library()
    attributes = library.attributes()
    library.init_attributes(attributes)
    for setter, value in library.set:
        if setter(attributes, value):
            raise OSError("this system has no robust mutexes between processes")
    if library.init(address, library.addressof(attributes)):
        raise OSError("the mutex could not be made")


class RobustLock:
    """A lock at an address of shared memory, where `make` has made one.

    Args:
        address: where; the memory stays mapped there for as long as this object is used.
    """

    __slots__ = ("_consistent", "_held", "_library", "_mutex", "_trylock", "_unlock")

    def __init__(self, address: int) -> None:
        library = self._library = _library()
        self._mutex: Any = library.pointer(address)
        self._trylock, self._unlock = library.trylock, library.unlock
        self._held = False  # a thread of this process is past taking it

    def run(self, act: Callable[[Given], Result], given: Given, deadline_s: float | None = None) -> Result:
        """Hold the lock while `act(given)` runs, and return its result.

        Args:
            act: what to do.
            given: what to call it with.
            deadline_s: until when to wait for the lock, as `time.monotonic` tells time. Default: as long as it takes.

        Raises:
            LockHeld: when it was not to be had in time.
            RuntimeError: when this very thread has it.
        """
        got = _UNKNOWN
        try:
            # Ctrl-C may be raised when any call here returns, so the calls that take the lock stand inside.
            got = self._trylock(self._mutex)
            if got:
                got = self._wait(got, deadline_s)
            self._held = True
            return act(given)
        finally:
            if got:
                self._undo()
            else:
                self._held = False
                self._unlock(self._mutex)

    def _wait(self, got: int, deadline_s: float | None) -> int:
        """Return 0 when the lock is taken."""
        library = self._library
        while got:
            if got == EOWNERDEAD:  # its holder has died in the midst of something that it had not committed
                library.consistent(self._mutex)
                return 0
            if got == EDEADLK:
                raise RuntimeError(HELD_BY_SELF)
            if got not in (EBUSY, ETIMEDOUT):
                raise OSError(got, "the lock of the queue cannot be taken")
            wait_s = _SLICE_S
            if deadline_s is not None:
                wait_s = min(wait_s, deadline_s - monotonic())
                if wait_s <= 0:
                    raise LockHeld
            seconds, rest = divmod(time() + wait_s, 1)
            until = library.timespec(int(seconds), int(rest * 1e9))
            got = library.timedlock(self._mutex, library.addressof(until))
        return got

    def _undo(self) -> None:
        """Release the lock if this thread has it unknowingly: Ctrl-C was raised as the call that took it returned."""
        if self._held:  # by another thread, or further out in this one
            return
        library = self._library
        past = library.timespec(0, 0)
        if library.timedlock(self._mutex, library.addressof(past)) in (0, EDEADLK, EOWNERDEAD):
            library.consistent(self._mutex)
            self._unlock(self._mutex)
