"""Ctrl-C held back while something must not be left half done."""

from __future__ import annotations

from sys import _getframe

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from signal import SIGINT, getsignal, signal
    from threading import Thread
    from types import FrameType, TracebackType
    from typing import Self
else:
    # The public module turns every number into an enum and back, which takes ten times as long as all the rest here,
    # and costs 2 ms to import.
    from _signal import SIGINT, getsignal, signal


class InterruptsHeld:
    """A ``with`` block that no Ctrl-C can break off; one that comes meanwhile takes effect at its end.

    Python raises KeyboardInterrupt between any two instructions of the main thread: also between the start of a worker
    and the line that notes it, which nobody would then ever end. Blocking the signal would not do, as another thread
    may receive it for the process. In other threads there is nothing to hold back.

    Args:
        wake: called when one comes, to end a wait inside the block; None where nothing waits.

    Attributes:
        came: whether one has come.
    """

    __slots__ = ("_handler", "_number", "_wake", "came")

    def __init__(self, wake: Callable[[], object] | None = None) -> None:
        self.came = False
        self._wake = wake
        self._number = 0
        self._handler: object = None

    def __enter__(self) -> Self:
        """Hold back from here on."""
        handler = getsignal(SIGINT)
        if callable(handler):
            try:
                signal(SIGINT, self._note)
            except ValueError:  # not the main thread
                return self
            self._handler = handler
        return self

    def _note(self, number: int, _: FrameType | None) -> None:
        # The frame is let go of: what it holds, such as a view of memory, could not be closed before the block is left.
        self.came = True
        self._number = number
        if self._wake is not None:
            self._wake()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, where: TracebackType | None
    ) -> None:
        """Let through what came.

        Raises:
            KeyboardInterrupt: if Ctrl-C was pressed meanwhile, and the program's handler raises it.
        """
        handler = self._handler
        if callable(handler):
            signal(SIGINT, handler)
            if self.came:
                handler(self._number, _getframe(1))


def start_thread(thread: Thread) -> None:
    """Start a thread, whole: broken off by a Ctrl-C, its own `start` may raise another error than KeyboardInterrupt.

    Raises:
        RuntimeError: when no more threads are to be had.
    """
    with InterruptsHeld():
        thread.start()
