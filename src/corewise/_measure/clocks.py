"""The clocks of one thread, as any thread of the process can read them."""

from __future__ import annotations

import os
import sys
import time
from _thread import get_ident, get_native_id
from time import process_time

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from corewise._transport.forks import OwnDescriptor
    from corewise._types.dropped import WhenDropped

thread_cpu_s: Callable[[], float] = getattr(
    time, "thread_time", process_time
)  # every system that Python is built for has the first


def times_all_blocked() -> int:
    """Return how often threads of this process have left their cores by themselves; 0 where nobody tells."""
    if sys.platform != "win32":
        from resource import RUSAGE_SELF, getrusage

        return getrusage(RUSAGE_SELF).ru_nvcsw
    return 0


def children_cpu_s() -> float | None:
    """Return the CPU seconds of programs that this process has started and waited for; None if it starts none yet.

    Worker processes count as well, but none of them is waited for while an item is measured.
    """
    if sys.platform != "win32" and "_posixsubprocess" in sys.modules:
        from resource import RUSAGE_CHILDREN, getrusage

        told = getrusage(RUSAGE_CHILDREN)
        return told.ru_utime + told.ru_stime
    return None


class PlaceInLine:
    """A thread's way to a core, as the kernel counts it. To be closed.

    Args:
        thread: the thread, by the number that the system gives it.
    """

    _file: OwnDescriptor | None = None
    _dropped: WhenDropped

    def __init__(self, thread: int) -> None:
        if sys.platform == "linux":
            from corewise._transport.forks import OwnDescriptor  # most runs are too short to be looked at
            from corewise._types.dropped import WhenDropped
            from corewise._types.interrupts import InterruptsHeld

            try:
                with InterruptsHeld():  # else what is opened would belong to nobody for a moment
                    # Kept open, as to open it takes five times as long as to read it.
                    self._file = file = OwnDescriptor(os.open(f"/proc/self/task/{thread}/schedstat", os.O_RDONLY))
                    self._dropped = WhenDropped(self, file.close)  # where a Ctrl-C keeps whoever has it from closing it
            except OSError:
                pass

    @property
    def tells(self) -> bool:
        """Whether the system tells about it."""
        return self._file is not None

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
            self._dropped.forget()


class ThreadClocks:
    """The clocks of the calling thread. To be closed.

    Attributes:
        ident: the thread.
        cpu_s: gives its CPU seconds to whichever thread asks; None where the system has no such clock.
        begin_s: the seconds for which it had stood in line for a core when that was first looked at; None before.
    """

    begin_s: float | None = None
    _line: PlaceInLine | None = None

    def __init__(self) -> None:
        self.ident = get_ident()
        self._number = get_native_id()
        self._unseen = [True]  # taken off by whoever is first to look at the line
        self._open = [True]  # taken off by whoever closes it
        self._closed = False
        self.cpu_s: Callable[[], float] | None = None
        if sys.platform not in ("win32", "darwin"):
            try:
                clock = time.pthread_getcpuclockid(self.ident)
                self.cpu_s = lambda: time.clock_gettime(clock)
            except (AttributeError, OSError):
                pass

    def look_at_line(self) -> bool:
        """Begin to look at its way to a core. Return whether nobody did before.

        That opens and reads a file, and so lets go of the GIL: who waits for that is woken each time.
        """
        try:
            self._unseen.pop()
        except IndexError:
            return False
        line = PlaceInLine(self._number)
        self.begin_s, self._line = line.queued_s(), line
        if self._closed:  # meanwhile, by another thread
            self.close()
        return True

    @property
    def line_tells(self) -> bool:
        """Whether the system tells about its way to a core; True while nobody looked."""
        return self._line is None or self._line.tells

    def queued_s(self) -> float | None:
        """Return the seconds for which it has stood in line for a core; None while nobody looks, 0 where untold."""
        return None if self._line is None else self._line.queued_s()

    def sleeps(self) -> bool:
        """Return whether it waits for something just now, not in line for a core nor for the GIL; if untold, True.

        To open and read the file lets go of the GIL, so who waited for that runs, or is in line, when the kernel looks.
        """
        if sys.platform != "linux":
            return True
        try:
            with open(f"/proc/self/task/{self._number}/stat", "rb") as file:
                return file.read().rpartition(b")")[2].split()[0] != b"R"
        except (OSError, IndexError):
            return True

    def has_children(self) -> bool:
        """Return whether it has started processes that have not ended yet; if untold, False."""
        try:
            with open(f"/proc/self/task/{self._number}/children", "rb") as file:
                return bool(file.read(1))
        except OSError:
            return False

    def close(self) -> None:
        """Let go of what was opened; any thread may do so, and of what is just being opened whoever opens it does."""
        self._closed = True
        line = self._line
        if line is None:
            return
        try:
            self._open.pop()
        except IndexError:
            return
        line.close()
