"""Threads that look at something beside the program, and that nobody else is to notice.

Such a thread takes no signals; it is no `threading.Thread`, so nobody meets it in `threading.enumerate`; and it is
ended before any fork of this process, by whomever: a child may find a lock held for ever that another thread held, and
Python 3.12 warns of it.

To start one takes some 10 µs, but to wait for its end 50 to 150, as it has to get the GIL once more for that. So nobody
waits for it but who is about to fork. And one that was left behind within a moment may be taken again: so many short
calls, one after the other, start few threads.
"""

from __future__ import annotations

import _thread
import sys
from time import sleep

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

if sys.platform != "win32":
    if TYPE_CHECKING:
        from signal import SIG_BLOCK, valid_signals
        from signal import pthread_sigmask as set_mask
    else:  # as in `corewise._engine.start`
        from _signal import SIG_BLOCK, valid_signals
        from _signal import pthread_sigmask as set_mask
_sentinel: Any = getattr(_thread, "_set_sentinel", None)  # a lock that is let go when the thread is forgotten

_SOON_S = 0.0001  # between two steps of another thread

_running: list[Aside] = []
_left: list[Aside] = []  # with nothing to do; whoever takes one off, another ticker or the thread itself, may have it
_hooked: list[bool] = []  # whether forks and the end of the program are prepared for


def begin(job: Callable[[Aside], object]) -> Aside:
    """Have a thread run `job` with itself, and return it.

    Args:
        job: to return when `Aside.pause` returns True, or earlier, when it has nothing more to do.

    Raises:
        RuntimeError: when no thread can be started.
    """
    settle()  # two that wait for the GIL hold each other up for many milliseconds
    while _left:
        try:
            one = _left.pop()
        except IndexError:  # it has just ended
            break
        one.job = job
        if not one.over:
            return one
    if not _hooked:
        import atexit  # built in

        from corewise._transport import forks

        _hooked.append(True)
        forks.around_forks(_end_all, _forget_all)
        atexit.register(_end_all)  # one that still waits for the GIL would meet an interpreter that is going away
    return Aside(job)


def settle() -> None:
    """Wait until all that were told to end have."""
    for one in tuple(_running):
        if one.told:
            one.end()


def _remove(some: list[Aside], one: Aside) -> bool:
    """Take a thread off a list. Return whether it was there; of several that try, one is told so."""
    try:
        some.remove(one)
    except ValueError:
        return False
    return True


def _end_all() -> None:
    for one in tuple(_running):
        if one.ident != _thread.get_ident():
            one.end()


def _forget_all() -> None:
    """In a forked child none of them is there."""
    for one in _running:
        one.over = True
    _running.clear()
    _left.clear()
    _hooked.clear()


class Aside:
    """A thread that runs beside the program. To be made by `begin`.

    Args:
        job: what it runs first.

    Attributes:
        ident: its number; 0 until it runs.
        job: what it runs; None when it was left.
        jobs: how many it has begun.
        told: whether it is to end.
        over: whether it has nothing more to do, and never will have.

    Raises:
        RuntimeError: when no thread can be started.
    """

    ident = 0
    jobs = 0
    over = False
    told = False
    _doing: Callable[[Aside], object] | None = None

    def __init__(self, job: Callable[[Aside], object]) -> None:
        self.job: Callable[[Aside], object] | None = job
        self._ending = _thread.allocate_lock()  # held until it is to end
        self._ending.acquire()
        self._join: Callable[[], object]
        if sys.version_info >= (3, 13):
            self._join = _thread.start_joinable_thread(self._work, daemon=True).join
        else:
            self._gone = _thread.allocate_lock()  # held until it has nothing more to do
            self._gone.acquire()
            self._state: Any = None  # held until the interpreter has forgotten it
            _thread.start_new_thread(self._work, ())
        _running.append(self)
        if self.over:
            _remove(_running, self)

    def pause(self, seconds: float) -> bool:
        """Sleep, and return whether the job is to end. To be called by the job."""
        if sys.platform == "win32":  # where a lock is waited for by a coarser clock
            sleep(seconds)
            return self.told or self.job is not self._doing
        return self._ending.acquire(timeout=seconds) or self.told or self.job is not self._doing

    def leave(self) -> None:
        """Have it end when it next wakes by itself, unless it is taken until then."""
        self.job = None
        if not self.over:
            _left.append(self)

    def dismiss(self) -> None:
        """Have it end now; it does as soon as it has the GIL. More than once is no error."""
        self.told = True
        try:
            self._ending.release()
        except RuntimeError:  # told already, and not read yet
            pass

    def end(self) -> None:
        """Have it end now, and wait until it has. More than once is no error."""
        self.dismiss()
        self.wait()

    def wait(self) -> None:
        """Wait until it has ended."""
        if sys.version_info >= (3, 13):
            self._join()
        else:
            with self._gone, self._state:
                pass

    def _work(self) -> None:
        self.ident = _thread.get_ident()
        if sys.version_info < (3, 13):
            self._state = _sentinel()
            self._state.acquire()
        try:
            if sys.platform != "win32":  # a signal that this thread took would not wake a call that sleeps
                set_mask(SIG_BLOCK, valid_signals())
            while not self.told:
                self._doing = job = self.job
                if job is not None:
                    self.jobs += 1
                    job(self)
                    if self.job is job:
                        break
                elif _remove(_left, self):
                    break
                else:  # somebody is just leaving it, or taking it
                    self.pause(_SOON_S)
        finally:
            self.over = True
            _remove(_running, self)
            if sys.version_info < (3, 13):
                self._gone.release()
