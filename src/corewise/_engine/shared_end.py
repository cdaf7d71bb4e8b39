"""A worker's end of its line for several threads: each sends, whichever of them reads hands out what has come."""

from __future__ import annotations

import os
from _thread import RLock, allocate_lock

from corewise._engine.outlet import HALF_SENT
from corewise._types.light import deque

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from corewise._transport.worker_end import WorkerEnd


class _Letter:
    """A message on its way.

    Attributes:
        message: what is sent.
        gate: held until it has been sent.
    """

    __slots__ = ("gate", "message")

    def __init__(self, message: object) -> None:
        self.message = message
        self.gate = allocate_lock()
        self.gate.acquire()


class SharedEnd:
    """Sends messages whole and one after the other, and takes messages in, whichever thread does it.

    Whoever sends holds the line until he comes by the GIL again, which takes 5 ms for each thread that computes. So he
    sends what the others have left for him as well, in one go, and they wait for no more than that.

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
        self._turn = RLock()
        self._busy = False
        self._waiting: deque[_Letter] = deque()

    def send(self, message: object) -> None:
        """Send a message, and return when the kernel has all of it.

        Raises:
            EOFError: when the parent is gone.
            OSError: likewise.
        """
        letter = _Letter(message)
        self._waiting.append(letter)
        if not self._send_waiting():
            letter.gate.acquire()  # another thread may have taken it, and be about to send it

    def receive(self) -> None:
        """Wait until something has come, and take it in. For one thread.

        Raises:
            EOFError: when the parent is gone.
            OSError: likewise, or when part of a message could not be had.
            MemoryError: when there is none for what has come.
        """
        self._end.wait()
        with self._turn:
            self._go(look=True)
        self._send_waiting()

    def _send_waiting(self) -> bool:
        """Send what waits, unless another thread is at it. Return whether that is this very thread, interrupted."""
        # Another one looks once more after it has given up its turn, so what came in between is not forgotten.
        while self._waiting and self._turn.acquire(blocking=False):
            try:
                if self._busy:
                    return True
                self._go(look=False)
            finally:
                self._turn.release()
        return False

    def _go(self, *, look: bool) -> None:
        self._busy = True
        try:
            if look:
                self._hand_out(look=True)
            # Empty if, since the last look, a signal handler has sent everything there was.
            while self._waiting:
                letters = [self._waiting.popleft() for _ in range(len(self._waiting))]
                self._end.send_several([letter.message for letter in letters])
                for letter in letters:
                    letter.gate.release()
                del letters  # results must not stay
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
