"""Picks how to start worker processes.

Apart from what starts them, as an automatic choice asks for it long before there is a need to load that.
"""

from __future__ import annotations

import os
import sys

from corewise._machine.native_threads import why_not_fork
from corewise._transport import forks, portable
from corewise.errors import WorkerStartError

_GUARD = (
    "this program starts worker processes while a worker process is importing it. Put what starts the work under\n"
    '    if __name__ == "__main__":\n'
    "so that workers can import the rest without running it again."
)


def pick_start_method(asked: str) -> str:
    """Return the start method for `asked`: itself, or for ``"auto"`` fork where it is safe, else the next best.

    Raises:
        WorkerStartError: when this process is itself a worker that is still importing the program.
    """
    process = sys.modules.get("multiprocessing.process")
    if process is not None and getattr(process.current_process(), "_inheriting", False):
        raise WorkerStartError(_GUARD)
    if asked != "auto":
        return asked
    return "spawn" if portable.in_use() else fork_or_server()


def fork_or_server() -> str:
    """Return ``"fork"`` where it is safe, else ``"forkserver"``."""
    forks.settle()  # what is ended before any fork is not in its way
    return "fork" if why_not_fork() is None else "forkserver"


def native_threads_only() -> bool:
    """Return whether a fork is safe though this process has other threads, as they are such as survive it."""
    return os.path.isdir("/proc/self/task") and fork_or_server() == "fork"
