"""The condition under which futures are decided: no Ctrl-C can leave it locked."""

from __future__ import annotations

import threading
from _thread import allocate_lock
from operator import attrgetter

from corewise._types.interrupts import InterruptsHeld

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections import deque
    from typing import Any


class Condition(threading.Condition):
    """A `threading.Condition` whose ``with`` is that of its lock.

    That of the standard one runs a function of Python, behind which a Ctrl-C can come when the lock is taken and the
    block is not yet entered: nobody will ever release it then, and the thread that decides futures waits for it for
    ever. That of a lock is a function of C, and Python looks for signals when the block is entered.

    Nothing is kept but what the standard one keeps, so one that exists already can be made one of these.
    """

    if TYPE_CHECKING:
        _waiters: deque[Any]

        def _release_save(self) -> Any: ...
        def _acquire_restore(self, saved: Any) -> None: ...
        def _is_owned(self) -> bool: ...
    else:  # looked up before they are called, and all of that in C
        __enter__ = property(attrgetter("_lock.__enter__"))
        __exit__ = property(attrgetter("_lock.__exit__"))

    def wait(self, timeout: float | None = None) -> bool:
        """Wait for `notify`, or a Ctrl-C, which takes effect when the lock is held again.

        Args:
            timeout: seconds to wait at most; None, the default, waits for ever.

        Returns:
            Whether there was one of them in time.

        Raises:
            RuntimeError: when the lock is not held.
        """
        if not self._is_owned():
            raise RuntimeError("cannot wait on un-acquired lock")
        waiter = allocate_lock()
        waiter.acquire()

        def wake() -> None:
            try:
                waiter.release()
            except RuntimeError:  # it was notified at the same moment
                pass

        with InterruptsHeld(wake):
            self._waiters.append(waiter)
            saved = self._release_save()
            woken = False
            try:
                woken = waiter.acquire(timeout=-1 if timeout is None else max(0.0, timeout))
            finally:
                self._acquire_restore(saved)
                try:
                    self._waiters.remove(waiter)
                except ValueError:  # `notify` has done so
                    pass
        return woken

    def let_go(self) -> None:
        """Release it as often as this thread has taken it; for the main thread, where none of its blocks is under way.

        `concurrent.futures.wait` takes the conditions of all futures one by one, and a Ctrl-C in the midst leaves them
        locked. Callbacks are called outside of every block, so whoever closes the executor may let go.
        """
        while self._is_owned():
            self.release()
