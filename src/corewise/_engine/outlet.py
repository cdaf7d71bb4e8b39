"""The worker's side of the way to the parent: one message after the other, whoever in the worker sends it."""

from __future__ import annotations

import os
from _thread import RLock

from corewise._types.light import deque
from corewise._types.record import Record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

HALF_SENT = 114  # exit code of a worker that was broken off in the middle of a message


class LogSetup(Record):
    """How logging is set up in the parent.

    Attributes:
        handled: names of the loggers that have handlers; ``"root"`` is the root's.
        levels: level by name, of the loggers that have one of their own.
        disabled: names of the loggers that are switched off.
        floor: the level up to which `logging.disable` has silenced everything; 0 when it has not.
    """

    handled: list[str]
    levels: dict[str, int]
    disabled: list[str]
    floor: int


class Surroundings(Record):
    """What a worker needs to know of its parent's logging and warnings.

    Attributes:
        logs: None when no records are to be forwarded.
        warns: whether warnings are to be forwarded.
        filters: the filters of warnings, each as bytes; None when the worker inherits them.
    """

    logs: LogSetup | None
    warns: bool
    filters: list[bytes] | None


class Sender:
    """Sends messages whole and one after the other, whichever thread of the worker they come from.

    A garbage collection or a signal handler may log while its thread is inside a send. The message waits then until
    that send is complete: a plain lock would stop the thread for ever, and none would put one frame into another.
    """

    def __init__(self, send: Callable[[object], None]) -> None:
        self._send = send
        self._lock = RLock()
        self._sending = False
        self._waiting: deque[object] = deque()

    def __call__(self, message: object) -> None:
        """Send a message, and whatever came to wait meanwhile.

        Raises:
            OSError: when the parent is gone.
        """
        with self._lock:
            self._waiting.append(message)
            while self._waiting and not self._sending:
                self._sending = True
                try:
                    # Empty if, since the last look, a signal handler has sent everything there was.
                    while self._waiting:
                        self._send(self._waiting.popleft())
                except OSError:
                    raise
                except BaseException:  # noqa: BLE001 - a signal handler of the user's may raise anything, anywhere
                    # Half a message may be on the line, and nothing after it could be read: the parent would wait for
                    # ever. So the process ends, and the parent says of which item.
                    os._exit(HALF_SENT)
                finally:
                    self._sending = False


class Outlet:
    """Where records and warnings of a worker leave it.

    Attributes:
        item: tells the index of the item that is running; None when there is none.
    """

    def __init__(self, send: Callable[[object], None], item: Callable[[], int | None]) -> None:
        self.item = item
        self._send = send
        self._pid = os.getpid()

    @property
    def open(self) -> bool:
        """False in a process that the user's function has forked: the line is the worker's alone."""
        return os.getpid() == self._pid

    def give(self, kind: str, data: Any) -> None:
        """Send a record or a warning."""
        try:
            self._send((kind, data))
        except OSError:  # the parent is gone; the worker's loop will find out, and the user's function need not
            return
