"""Why a worker process ended, in words."""

from __future__ import annotations

import signal

from corewise._engine.outlet import HALF_SENT
from corewise._engine.worker import LINE_LOST, NO_MEMORY
from corewise._types.died import WorkerDied

_SIGKILL = 9  # the signal module of Windows does not name it
_MEANINGS = {
    "SIGSEGV": "segmentation fault, usually in a C extension",
    "SIGBUS": "bus error, usually a mapped file or memory that is gone",
    "SIGABRT": "abort, usually a failed check in C code",
    "SIGFPE": "arithmetic error in C code",
    "SIGILL": "illegal instruction",
    "SIGXCPU": "over its limit of CPU time",
}


def death(pid: int, exitcode: int | None, *, out_of_memory: bool, line_closed: bool) -> WorkerDied:
    """Return the error for a worker that ended.

    Args:
        pid: its process id.
        exitcode: as `multiprocessing` gives it: negative for a signal; None when unknown.
        out_of_memory: whether the kernel counted an out-of-memory kill since the pool was opened.
        line_closed: whether the worker lived on with its line closed and had to be killed.
    """
    killed_for_memory = out_of_memory and exitcode == -_SIGKILL
    if exitcode == HALF_SENT:
        reason = "a signal handler of the function's raised while the worker was sending a log record or a result"
    elif exitcode == NO_MEMORY:
        reason = "it had no memory for what it was sent"
    elif line_closed or exitcode == LINE_LOST:
        reason = "it closed the connection to its parent (did the function close all descriptors?)"
    else:
        reason = in_words(exitcode, out_of_memory=killed_for_memory)
    return WorkerDied(reason, pid, exitcode, out_of_memory=killed_for_memory)


def in_words(exitcode: int | None, *, out_of_memory: bool) -> str:
    """Say how a process ended.

    Args:
        exitcode: as `multiprocessing` gives it: negative for a signal; None when unknown.
        out_of_memory: whether it was killed for want of memory.
    """
    if exitcode is None:
        return "how it ended is unknown"
    if exitcode >= 0:
        return f"it exited with code {exitcode}"
    reason = f"killed by {_signal_name(-exitcode)}"
    return f"{reason}; the kernel counted an out-of-memory kill" if out_of_memory else reason


def _signal_name(number: int) -> str:
    try:
        name = signal.Signals(number).name
    except ValueError:
        return f"signal {number}"
    return f"{name} ({_MEANINGS[name]})" if name in _MEANINGS else name
