"""The clocks of one thread, as any thread of the process can read them."""

from __future__ import annotations

import os
import sys
import time
from _thread import get_ident, get_native_id
from functools import partial
from time import process_time

from corewise._transport.forks import OwnDescriptor

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

thread_cpu_s: Callable[[], float] = getattr(
    time, "thread_time", process_time
)  # every system that Python is built for has the first


class _OfThread:
    """A file in which the kernel tells of the calling thread; any thread can read it. To be closed.

    Args:
        name: of the file. Only Linux has it.
    """

    def __init__(self, name: str) -> None:
        self._file: OwnDescriptor | None = None
        if sys.platform == "linux":
            try:
                # Kept open, as to open it takes five times as long as to read it.
                self._file = OwnDescriptor(os.open(f"/proc/self/task/{get_native_id()}/{name}", os.O_RDONLY))
            except OSError:
                pass

    def read(self) -> bytes:
        """Return what it says; nothing where it cannot be read."""
        if sys.platform == "win32" or self._file is None:
            return b""
        try:
            return os.pread(self._file.fd, 4096, 0)
        except OSError:  # closed in a fork, or the thread has ended
            return b""

    def close(self) -> None:
        """Let go of it; once is enough, more is no error."""
        file, self._file = self._file, None
        if file is not None:
            file.close()


class PlaceInLine(_OfThread):
    """The calling thread's way to a core; any thread can read it. To be closed."""

    def __init__(self) -> None:
        super().__init__("schedstat")

    def seconds_and_turns(self) -> tuple[float, int]:
        """Return the seconds in line so far, and how often the thread was given a core; zeros where nobody tells."""
        parts = self.read().split()
        return (int(parts[1]) / 1e9, int(parts[2])) if len(parts) > 2 else (0.0, 0)  # noqa: PLR2004 - of three


class Blocked:
    """Whether the calling thread, which has just begun, has had to wait for more than a core and its own pauses."""

    def __init__(self) -> None:
        self._line = PlaceInLine()
        self._status: _OfThread | None = None
        self._queued_s = 0.0
        self._turns = 1  # one without having waited: when it was started
        self._times = 0  # that it left the core by itself

    def since(self, pauses: int) -> tuple[float, bool | None]:
        """Return for how many seconds it stood in line since the last time, and whether it had to wait besides.

        Args:
            pauses: how often it has paused in between.

        Returns:
            The seconds, and whether; None where the system does not tell.
        """
        queued_s, turns = self._line.seconds_and_turns()
        if not turns:
            return 0.0, None
        in_line_s, extra = queued_s - self._queued_s, turns - self._turns - pauses
        self._queued_s, self._turns = queued_s, turns
        if extra <= 0:
            self._times += pauses
            return in_line_s, False
        # Had to wait, or was made to leave the core to others. The file that tells is ten times as dear to read.
        if self._status is None:
            self._status = _OfThread("status")
        _, found, number = self._status.read().partition(b"\nvoluntary_ctxt_switches:")
        if not found:
            return in_line_s, None
        times = int(number.split(None, 1)[0])
        by_itself, self._times = times - self._times, times
        return in_line_s, by_itself > pauses

    def close(self) -> None:
        """Let go of what was opened."""
        self._line.close()
        if self._status is not None:
            self._status.close()


class ThreadClocks:
    """The clocks of the calling thread. To be closed.

    Attributes:
        ident: the thread.
        cpu_s: gives its CPU seconds to whichever thread asks; None where the system has no such clock.
    """

    def __init__(self) -> None:
        self.ident = get_ident()
        self.cpu_s: Callable[[], float] | None = None
        self._line = PlaceInLine()
        if sys.platform not in ("win32", "darwin"):
            try:
                self.cpu_s = partial(time.clock_gettime, time.pthread_getcpuclockid(self.ident))
            except (AttributeError, OSError):
                pass

    def queued_s(self) -> float:
        """Return the seconds for which the thread has stood in line for a core; 0 where the system cannot tell."""
        return self._line.seconds_and_turns()[0]

    def close(self) -> None:
        """Let go of what was opened."""
        self._line.close()
