"""Worker processes forked without `multiprocessing`, for programs that have not loaded it: that saves 9 ms.

Where it is loaded, its own processes are used, so that what it keeps about the current process holds in workers too.
"""

from __future__ import annotations

import os
import sys

from corewise._transport.forks import death_notice

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import TextIO

_SIGTERM, _SIGKILL = 15, 9


def can_be_used() -> bool:
    """Whether this program does without `multiprocessing`, on a system with descriptors for processes."""
    if "multiprocessing.process" in sys.modules or sys.platform != "linux":
        return False
    try:
        os.close(os.pidfd_open(os.getpid()))
    except OSError:
        return False
    return True


class ForkedProcess:
    """A forked process, with as much of the interface of `multiprocessing.Process` as the engine uses.

    Args:
        target: what the process does; it ends afterwards.

    Raises:
        OSError: when the system grants no process, or no descriptor to watch it by.
    """

    def __init__(self, target: Callable[[], None]) -> None:
        self.exitcode: int | None = None
        self._ended = False
        _flush()  # what waits to be written would be written twice
        self.pid = 0
        if sys.platform != "win32":
            self.pid = os.fork()
            if self.pid == 0:
                _run(target)
        try:
            self.notice = death_notice(self.pid)
        except OSError:  # no descriptor left
            self.kill()
            self.join()
            raise

    @property
    def sentinel(self) -> int:
        """A descriptor that is readable when it has ended."""
        return self.notice.fd

    def terminate(self) -> None:
        """Ask it to end."""
        self._signal(_SIGTERM)

    def kill(self) -> None:
        """Kill it."""
        self._signal(_SIGKILL)

    def _signal(self, number: int) -> None:
        if not self._ended:  # a process that nobody has waited for keeps its number
            try:
                os.kill(self.pid, number)
            except ProcessLookupError:
                return

    def join(self, timeout: float | None = None) -> None:  # noqa: ARG002 - who has a time limit asks the pidfd
        """Wait for its end."""
        if self._ended:
            return
        try:
            _, status = os.waitpid(self.pid, 0)
            self.exitcode = os.waitstatus_to_exitcode(status)
        except ChildProcessError:  # the program ignores SIGCHLD, or waits for any child itself
            self.exitcode = None
        self._ended = True

    def close(self) -> None:
        """Let go of its death notice."""
        self.notice.close()


def _run(target: Callable[[], None]) -> None:
    """Be the forked process: run `target`, end as an interpreter does, but without what belongs to the parent."""
    import atexit

    code = 1
    try:
        atexit._clear()  # noqa: SLF001 - as `multiprocessing` does: they are the parent's
        # Two processes that read one input would each get a part of it.
        if sys.stdin is not None:
            _close(sys.stdin)
            sys.stdin = open(os.open(os.devnull, os.O_RDONLY), encoding="utf-8", closefd=False)  # noqa: SIM115 - stays
        target()
        code = 0
    except BaseException:  # noqa: BLE001 - nothing may return into the parent's program
        sys.excepthook(*sys.exc_info())
    finally:
        try:
            atexit._run_exitfuncs()  # noqa: SLF001 - what the function has registered
            threading = sys.modules.get("threading")
            if threading is not None:
                threading._shutdown()  # noqa: SLF001 - waits for the threads that the function has started
            _flush()
        finally:
            os._exit(code)


def _close(stream: TextIO) -> None:
    try:
        stream.close()
    except (OSError, ValueError):
        return


def _flush() -> None:
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except (AttributeError, OSError, ValueError):  # no stream, a closed one, or one that nobody reads any more
            continue
