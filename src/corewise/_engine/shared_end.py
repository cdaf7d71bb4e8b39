"""A worker's end of its line for several threads: each sends, whichever of them reads hands out what has come."""

from __future__ import annotations

import os
from _thread import RLock

from corewise._engine.outlet import HALF_SENT
from corewise._types.light import deque

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from corewise._transport.worker_end import WorkerEnd


class SharedEnd:
    """Sends messages whole and one after the other, and takes messages in, whichever thread does it.

    To send a large result may mean to read: whether the parent has taken a new block. What else is read then is handed
    out by the thread that sends. Nobody reads while another does, and what was read is handed out in its order.

    As with `outlet.Sender`, a garbage collection or a signal handler may log in the middle of all that. Its message
    waits until the one at hand is through.

    Args:
        end: the worker's end; used by nobody else.

    Attributes:
        take: called with each message that has come, by one thread at a time; it must not wait for anything.
    """

    def __init__(self, end: WorkerEnd) -> None:
        self.take: Callable[[tuple[Any, ...]], None] = _nobody_takes
        self._end = end
        self._lock = RLock()
        self._busy = False
        self._waiting: deque[object] = deque()

    def send(self, message: object) -> None:
        """Send a message.

        Raises:
            EOFError: when the parent is gone.
            OSError: likewise.
        """
        with self._lock:
            self._waiting.append(message)
            while self._waiting and not self._busy:
                self._go(look=False)

    def receive(self) -> None:
        """Wait until something has come, and take it in. For one thread.

        Raises:
            EOFError: when the parent is gone.
            OSError: likewise, or when part of a message could not be had.
            MemoryError: when there is none for what has come.
        """
        self._end.wait()
        with self._lock:
            self._go(look=True)
            while self._waiting and not self._busy:
                self._go(look=False)

    def _go(self, *, look: bool) -> None:
        self._busy = True
        try:
            if look:
                self._hand_out(look=True)
            # Empty if, since the last look, a signal handler has sent everything there was.
            while self._waiting:
                self._end.send(self._waiting.popleft())
                self._hand_out(look=False)
        except (EOFError, OSError, MemoryError):
            raise
        except BaseException:  # noqa: BLE001 - a signal handler of the user's may raise anything, anywhere
            os._exit(HALF_SENT)  # as for `outlet.Sender`: what follows half a message could not be read
        finally:
            self._busy = False

    def _hand_out(self, *, look: bool) -> None:
        messages = self._end.arrived(look=look)
        messages.reverse()
        while messages:  # let go of each: its memory may be given back before the next message comes
            self.take(messages.pop())


def _nobody_takes(message: tuple[Any, ...]) -> None:
    raise RuntimeError(f"nobody takes {message!r}")
