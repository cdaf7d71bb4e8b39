"""A forked process: `multiprocessing`'s, with a death notice of its own instead of a pipe that others may hold open."""

from __future__ import annotations

import atexit
import os
import select
import sys

assert sys.platform == "linux"  # noqa: S101 - says so to type checkers as well

from multiprocessing import popen_fork
from multiprocessing import util as standard_util

from corewise._engine.processes import no_input
from corewise._machine.native_threads import why_not_fork
from corewise._transport.forks import OwnDescriptor

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

_util: Any = standard_util  # whose private parts are used
_ENDS_BY_ATEXIT = sys.version_info >= (3, 13)  # what a child does at its end; before, `_bootstrap` does it
_UNKNOWN = 255  # what the standard library says of a process whose exit code nobody could read


class Popen(popen_fork.Popen):
    """A forked process."""

    sentinel: int
    _notice: OwnDescriptor | None = None

    def _launch(self, process_obj: Any) -> None:
        no_input.prepare()
        process_obj._reporting = process_obj._report.of(process_obj.run)
        line = process_obj._lifeline.reading
        self.pid = _fork()
        if self.pid == 0:
            self._be_child(process_obj, line)
        try:
            self._notice = OwnDescriptor(os.pidfd_open(self.pid))
        except OSError:  # no descriptor left
            self.kill()
            os.waitpid(self.pid, 0)
            raise
        self.sentinel = self._notice.fd

    def _be_child(self, process_obj: Any, line: int) -> None:
        """Be the child: as the standard library has it in this version, but for Ctrl-C, which the parent holds back."""
        code = 1
        try:
            if _ENDS_BY_ATEXIT:
                atexit._clear()
                atexit.register(_util._exit_function)
            process_obj._interrupts.__exit__(None, None, None)
            process_obj._stdin = no_input.take()
            code = process_obj._bootstrap(line)
        finally:
            if _ENDS_BY_ATEXIT:
                atexit._run_exitfuncs()
            os._exit(code)

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


def _fork() -> int:
    if sys.version_info < (3, 12) or why_not_fork() is not None:
        return os.fork()
    import warnings

    with warnings.catch_warnings():
        # Python 3.12 and later warn of any second thread; `why_not_fork` has looked which ones they are.
        warnings.simplefilter("ignore", DeprecationWarning)
        return os.fork()
