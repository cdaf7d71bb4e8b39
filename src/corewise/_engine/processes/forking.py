"""A forked process: `multiprocessing`'s, with a death notice of its own instead of a pipe that others may hold open.

Each page that is written to after a fork has to be copied, by either of the two processes, and with a function that
returns at once that is where most of the time goes. So one line does for the result and for the life of the child, what
both need is looked up or made before the fork, and there are few objects and functions.
"""

from __future__ import annotations

import os
import select
import sys

assert sys.platform == "linux"  # noqa: S101 - says so to type checkers as well

from multiprocessing import popen_fork
from multiprocessing import process as standard
from multiprocessing import util as standard_util

from corewise._engine.processes import child, no_input, outcome
from corewise._machine.native_threads import why_not_fork
from corewise._transport.forks import OwnDescriptor, death_notice
from corewise._transport.pipes import ends
from corewise._types.interrupts import InterruptsHeld

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

_standard: Any = standard  # whose private parts are used
_util: Any = standard_util
_WARNS_OF_THREADS = sys.version_info >= (3, 12)
_UNKNOWN = 255  # what the standard library says of a process whose exit code nobody could read


def start(process: Any) -> None:
    """Start a process, and note in it what there is of it.

    Raises:
        OSError: when the system grants no process or descriptors.
    """
    with InterruptsHeld() as interrupts:  # a process that nobody has noted would be forgotten
        awaited = outcome.Awaited(in_packets=True)
        try:
            line = awaited.hang_on_line()
            popen = process._popen = Popen(process, line, interrupts)
            process._sentinel = popen.sentinel
            process._awaited = awaited
            _standard._children.add(process)
            line.close()
        except BaseException:
            if process._popen is None:
                awaited.close()
            raise


class Popen(popen_fork.Popen):
    """A forked process.

    Args:
        process: what it runs.
        line: its end of the line.
        interrupts: what holds back Ctrl-C.
    """

    sentinel: int
    _notice: OwnDescriptor | None = None

    def __init__(self, process: Any, line: Any, interrupts: InterruptsHeld) -> None:
        _util._flush_std_streams()
        self.returncode = None
        self.finalizer = None
        number = line.fileno()
        streams = no_input.prepared(process._parent_pid)
        parent = child.parent_for(process, number)
        unwanted = ends.all_but(process._passed()) if ends.are_open() else []
        pid = self.pid = os.fork() if not _WARNS_OF_THREADS or why_not_fork() is not None else _fork_in_silence()
        if pid == 0:
            child.live(process, line, number, parent, interrupts.__exit__, streams, unwanted)
        try:
            self._notice = death_notice(pid)
        except OSError:  # no descriptor left
            self.kill()
            super().poll(0)
            raise
        self.sentinel = self._notice.fd

    def close(self) -> None:
        """Let go of the death notice."""
        if self._notice is not None:
            self._notice.close()

    # Not by the standard library's `Finalize`: its parts lie in a dozen pages that would have to be copied now, with
    # the fork just done. A child has no more to close: the descriptor was closed there at the fork.
    __del__ = close

    def poll(self, flag: int = os.WNOHANG) -> int | None:
        """Return the exit code; None while it runs."""
        if self.returncode is None and super().poll(flag) is None and self._is_gone():
            # Somebody else has waited for it, or the program ignores SIGCHLD; or it has ended just now.
            super().poll(os.WNOHANG)
            if self.returncode is None:
                self.returncode = _UNKNOWN
        code: int | None = self.returncode
        return code

    def wait(self, timeout: float | None = None) -> int | None:
        """Wait for its end."""
        if self.returncode is None and timeout is not None and not self._is_gone(timeout):
            return None
        return self.poll(os.WNOHANG if timeout == 0.0 else 0)

    def _is_gone(self, timeout: float = 0.0) -> bool:
        # Not by the standard library's `wait`, whose module takes longer to import than a process to start.
        poll = select.poll()
        poll.register(self.sentinel, select.POLLIN)
        return bool(poll.poll(max(0.0, timeout * 1000)))


def _fork_in_silence() -> int:
    import warnings

    with warnings.catch_warnings():
        # Python 3.12 and later warn of any second thread; `why_not_fork` has looked which ones they are.
        warnings.simplefilter("ignore", DeprecationWarning)
        return os.fork()
