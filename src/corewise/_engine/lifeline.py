"""No worker outlives its parent, whatever the parent dies of and whatever the worker is doing.

Every worker holds the reading end of a pipe whose only writing end is the parent's. The kernel is asked to send
SIGKILL to the worker when that end is gone (`F_SETOWN`, `F_SETSIG`, `O_ASYNC`): no thread, no GIL, no polling, so it
works inside C code as well. `PR_SET_PDEATHSIG` would not do: it fires when the *thread* that started the worker
ends. Where the kernel has no `F_SETSIG`, a thread of the worker waits for end-of-file instead.
"""

from __future__ import annotations

import os
import select
import sys
import threading

from corewise._transport import forks

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


class _Writer:
    """The parent's end, to be let go in every forked child."""

    def __init__(self, fd: int) -> None:
        self.fd = fd

    def close(self) -> None:
        os.close(self.fd)


class Lifeline:
    """The reading end, as handed to a worker.

    On Windows the parent's process handle does the same service and nothing is handed over.
    """

    def __init__(self, handle: Any = None) -> None:
        self.fd = handle.detach() if handle is not None else -1

    def __reduce__(self) -> tuple[Any, ...]:
        """Travel to a process that is being started."""
        if sys.platform != "win32":
            from multiprocessing.reduction import DupFd

            return Lifeline, (DupFd(self.fd),)
        return Lifeline, ()

    def arm(self) -> None:
        """In the worker: die when the parent does."""
        if sys.platform == "linux":
            import fcntl
            import signal

            fcntl.fcntl(self.fd, fcntl.F_SETOWN, os.getpid())
            fcntl.fcntl(self.fd, fcntl.F_SETSIG, signal.SIGKILL)
            fcntl.fcntl(self.fd, fcntl.F_SETFL, fcntl.fcntl(self.fd, fcntl.F_GETFL) | os.O_ASYNC)
            # The parent may have died before the line above, when nobody was signalled.
            if select.select([self.fd], [], [], 0)[0]:
                os._exit(1)
        else:
            threading.Thread(target=self._watch, name="corewise-lifeline", daemon=True).start()

    def _watch(self) -> None:
        if sys.platform == "win32":
            import multiprocessing
            from multiprocessing.connection import wait

            parent = multiprocessing.parent_process()
            wait([parent.sentinel] if parent is not None else [])
        else:
            os.read(self.fd, 1)
        os._exit(1)


_current: Lifeline | None = None
_writer: _Writer | None = None
_lock = threading.Lock()


def lifeline() -> Lifeline:
    """Return the lifeline of this process, for its workers; made at the first call and kept until the process ends.

    Raises:
        OSError: when no descriptors are left.
    """
    global _current, _writer  # noqa: PLW0603 - one per process: any number of pools share it
    with _lock:
        if _current is None:
            line = Lifeline()
            if sys.platform != "win32":
                line.fd, writing = os.pipe()
                _writer = _Writer(writing)
                forks.close_in_children(_writer)
            _current = line
        return _current


def _forget() -> None:
    """Start afresh in a forked child: its workers get a line of their own.

    The lock too: a thread that is not here may have held it.
    """
    global _current, _writer, _lock  # noqa: PLW0603 - as above
    _current = _writer = None
    _lock = threading.Lock()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forget)
