"""Kills a process with all its descendants.

Processes that are killed one after the other leave time for others to be started, and whoever's parent is gone cannot
be found any more. So each is stopped first, the parents before their children, until nothing runs that could fork; and
then all are killed.
"""

from __future__ import annotations

import os
import sys
from time import monotonic

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Protocol

    class System(Protocol):
        """What is asked of the system."""

        def children(self, pid: int) -> list[int]:
            """Return the processes that a process has started and not waited for."""
            ...

        def runs(self, pid: int) -> bool:
            """Whether a process could still start another: it is neither stopped nor gone."""
            ...

        def stop(self, pid: int) -> None:
            """Stop a process where it stands."""

        def kill(self, pid: int) -> None:
            """Kill a process."""

        def pause(self) -> None:
            """Let others run for a moment."""

        def now(self) -> float:
            """Return the time in seconds."""
            ...


_STOPPING_S = 1.0  # guess: a process that has not stopped by then is deep in the kernel, and starts no other there


def kill_tree(root: int, system: System) -> list[int]:
    """Kill a process and its descendants; return all of them, the root first.

    Args:
        root: a child of this process that it has not waited for, so that its number is still its own.
        system: what is asked of the system.
    """
    stopped = [root]
    system.stop(root)
    deadline = system.now() + _STOPPING_S
    settled = 0  # so many of them run no more, and all their children are known
    while settled < len(stopped):
        pid = stopped[settled]
        if system.runs(pid) and system.now() < deadline:
            system.pause()
            continue
        for child in system.children(pid):
            if child not in stopped:
                system.stop(child)
                stopped.append(child)
        settled += 1
    for pid in stopped:
        system.kill(pid)
    return stopped


class Proc:
    """Linux, by `/proc`."""

    def children(self, pid: int) -> list[int]:
        """Return the processes that a process has started and not waited for."""
        found: list[int] = []
        try:
            for thread in os.listdir(f"/proc/{pid}/task"):
                try:
                    with open(f"/proc/{pid}/task/{thread}/children", "rb") as file:
                        found += map(int, file.read().split())
                except OSError:
                    continue
        except OSError:
            pass
        return found

    def runs(self, pid: int) -> bool:
        """Whether a process is neither stopped nor gone."""
        try:
            with open(f"/proc/{pid}/stat", "rb") as file:
                return file.read().rpartition(b")")[2].split()[0] not in (b"T", b"t", b"Z", b"X")
        except OSError:
            return False

    def stop(self, pid: int) -> None:
        """Stop a process where it stands."""
        self._signal(pid, "SIGSTOP")

    def kill(self, pid: int) -> None:
        """Kill a process."""
        self._signal(pid, "SIGKILL")

    def _signal(self, pid: int, name: str) -> None:
        import signal

        try:
            os.kill(pid, getattr(signal, name))
        except OSError:  # gone, or no more ours to kill
            pass

    def pause(self) -> None:
        """Let others run for a moment."""
        if sys.platform != "win32":
            os.sched_yield()

    def now(self) -> float:
        """Return the time in seconds."""
        return monotonic()


class Psutil:
    """Any other system, by `psutil`.

    Raises:
        ImportError: when that is not installed.
    """

    def __init__(self) -> None:
        self._psutil: Any = __import__("psutil")

    def children(self, pid: int) -> list[int]:
        """Return the processes that a process has started and not waited for."""
        try:
            return [child.pid for child in self._psutil.Process(pid).children()]
        except self._psutil.Error:
            return []

    def runs(self, pid: int) -> bool:
        """Whether a process is neither stopped nor gone."""
        try:
            return self._psutil.Process(pid).status() not in (self._psutil.STATUS_STOPPED, self._psutil.STATUS_ZOMBIE)
        except self._psutil.Error:
            return False

    def stop(self, pid: int) -> None:
        """Stop a process where it stands."""
        try:
            self._psutil.Process(pid).suspend()
        except self._psutil.Error:
            pass

    def kill(self, pid: int) -> None:
        """Kill a process."""
        try:
            self._psutil.Process(pid).kill()
        except self._psutil.Error:
            pass

    def pause(self) -> None:
        """Let others run for a moment."""
        import time

        time.sleep(0)

    def now(self) -> float:
        """Return the time in seconds."""
        return monotonic()


def system() -> System:
    """Return what can be asked of this system.

    Raises:
        NotImplementedError: when there is neither `/proc` nor psutil.
    """
    if os.path.exists(f"/proc/self/task/{os.getpid()}/children"):
        return Proc()
    try:
        return Psutil()
    except ImportError:
        raise NotImplementedError(
            "this system does not tell who started whom; kill_tree needs psutil here: pip install psutil"
        ) from None
