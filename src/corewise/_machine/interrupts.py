"""Ctrl-C held back while something must not be left half done."""

from __future__ import annotations

import signal
import threading

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import FrameType, TracebackType


class InterruptsHeld:
    """A ``with`` block that no Ctrl-C can break off; one that comes meanwhile takes effect at its end.

    Python raises KeyboardInterrupt between any two instructions of the main thread: also between the start of a worker
    and the line that notes it, which nobody would then ever end. Blocking the signal would not do, as another thread
    may receive it for the process. In other threads there is nothing to hold back.
    """

    def __init__(self) -> None:
        self._came: list[tuple[int, FrameType | None]] = []
        self._handler: object = None

    def __enter__(self) -> None:
        """Hold back from here on."""
        if threading.current_thread() is threading.main_thread() and callable(signal.getsignal(signal.SIGINT)):
            self._handler = signal.signal(signal.SIGINT, self._note)

    def _note(self, number: int, frame: FrameType | None) -> None:
        self._came.append((number, frame))

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, where: TracebackType | None
    ) -> None:
        """Let through what came.

        Raises:
            KeyboardInterrupt: if Ctrl-C was pressed meanwhile, and the program's handler raises it.
        """
        handler = self._handler
        if callable(handler):
            signal.signal(signal.SIGINT, handler)
            if self._came:
                handler(*self._came[0])
