"""The futures that executors hand out: no callback can end a thread, and cancelling is known to all at once."""

from __future__ import annotations

import threading
from concurrent.futures import Future
from concurrent.futures._base import CANCELLED_AND_NOTIFIED

from corewise._api.executors.condition import Condition

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any


class CallFuture(Future):  # type: ignore[type-arg]  # subscribing it here would need typing, which is dear to import
    """A `concurrent.futures.Future` whose callbacks may raise anything, and that is cancelled for all at once.

    The standard one lets SystemExit and other BaseExceptions of a callback pass into the thread that has just run the
    call. That ends a worker thread whose place nobody takes, and the callbacks behind it are never called.

    And `concurrent.futures.wait` learns of a cancelled one only when a worker comes to it: after
    ``shutdown(cancel_futures=True)`` of the standard thread pool it waits for ever.
    """

    def __init__(self) -> None:
        super().__init__()
        self._condition = Condition()

    def cancel(self) -> bool:
        """Cancel the call if it has not begun; return whether it is cancelled."""
        if not super().cancel():
            return False
        self.set_running_or_notify_cancel()
        return True

    def set_running_or_notify_cancel(self) -> bool:
        """Return whether the call is to be run; for executors. May be called again for a cancelled one."""
        with self._condition:  # reentrant
            return self._state != CANCELLED_AND_NOTIFIED and super().set_running_or_notify_cancel()

    def add_done_callback(self, fn: Callable[[Future[Any]], object]) -> None:
        """Call a function with this future once it is decided: at once, in this thread, if it is so already.

        Args:
            fn: the callback. What it raises is logged to ``concurrent.futures``, whatever it is. Only Ctrl-C in the
                main thread passes, and what is no `Exception` where the future was decided before: that is raised
                here.
        """
        super().add_done_callback(fn if self.done() else _guarded(fn))


def _guarded(fn: Callable[[Future[Any]], object]) -> Callable[[Future[Any]], object]:
    def call(future: Future[Any]) -> None:
        try:
            fn(future)
        except Exception:
            raise  # logged by the standard future
        except BaseException as error:
            if isinstance(error, KeyboardInterrupt) and threading.current_thread() is threading.main_thread():
                raise
            log().exception("exception calling callback for %r", future)

    return call


def log() -> Any:
    """Return the logger of `concurrent.futures`, where users of executors look for what went wrong."""
    from logging import getLogger

    return getLogger("concurrent.futures")
