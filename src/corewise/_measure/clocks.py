"""The clocks of one thread, as any thread of the process can read them."""

from __future__ import annotations

import os
import sys
import time
from _thread import get_ident, get_native_id
from time import process_time

from corewise._transport.forks import OwnDescriptor

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

thread_cpu_s: Callable[[], float] = getattr(
    time, "thread_time", process_time
)  # every system that Python is built for has the first


class PlaceInLine:
    """The calling thread's way to a core, as the kernel counts it; any thread can read it. To be closed."""

    def __init__(self) -> None:
        self._file: OwnDescriptor | None = None
        if sys.platform == "linux":
            try:
                # Kept open, as to open it takes five times as long as to read it.
                self._file = OwnDescriptor(os.open(f"/proc/self/task/{get_native_id()}/schedstat", os.O_RDONLY))
            except OSError:
                pass

    def queued_s(self) -> float:
        """Return the seconds for which the thread has stood in line; 0 where the system does not tell."""
        if sys.platform == "win32" or self._file is None:
            return 0.0
        try:
            return int(os.pread(self._file.fd, 100, 0).split()[1]) / 1e9
        except (OSError, ValueError, IndexError):  # closed in a fork, or written otherwise
            return 0.0

    def close(self) -> None:
        """Let go of it; once is enough, more is no error."""
        file, self._file = self._file, None
        if file is not None:
            file.close()


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
                clock = time.pthread_getcpuclockid(self.ident)
                self.cpu_s = lambda: time.clock_gettime(clock)
            except (AttributeError, OSError):
                pass

    def queued_s(self) -> float:
        """Return the seconds for which the thread has stood in line for a core; 0 where the system cannot tell."""
        return self._line.queued_s()

    def close(self) -> None:
        """Let go of what was opened."""
        self._line.close()
