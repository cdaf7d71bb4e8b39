"""Which threads this process has: what decides whether a fork is safe."""

from __future__ import annotations

import os
import sys
from _thread import _count as _started
from time import monotonic

# Thread pools that do not survive a fork: a child that enters a parallel region waits for threads that are not there.
_BREAKS_UNDER_FORK = ("libgomp", "libiomp", "libomp", "libtbb", "libgrpc", "libcuda")
_ENDING_S = 0.01  # guess: a thread that has left Python is gone within microseconds on an idle machine
# Re-arms itself in the child (pthread_atfork), so its threads are no hindrance.
_SURVIVES_FORK = "openblas"
_TASKS = "/proc/self/task"
_LINKS_WITH_ONE_THREAD = 3


def why_not_fork() -> str | None:
    """Say why a fork of this process would be unsafe now.

    A fork copies only the thread that forks; whatever lock another thread holds stays locked in the child for ever.

    Returns:
        None when it is safe; otherwise the reason, as the end of a sentence.
    """
    if not hasattr(os, "fork"):
        return "this system has no fork"
    if sys.platform == "darwin":
        return "macOS libraries do not survive a fork"
    threading = sys.modules.get("threading")
    others = threading.active_count() - 1 if threading is not None else _started()
    if others:
        return f"{others} other Python thread{'s are' if others > 1 else ' is'} running"
    native = _native_threads()
    if native <= 1:
        return None
    loaded = _loaded_libraries()
    breaking = next((name for name in _BREAKS_UNDER_FORK if name in loaded), None)
    if breaking:
        return f"{breaking} is loaded and it runs beside {_native(native - 1)}, which would not survive a fork"
    if _SURVIVES_FORK in loaded and native - 1 < 2 * (os.cpu_count() or 1):
        return None
    native = _native_threads_that_stay()
    return f"it runs beside {_native(native - 1)} that a fork would not copy" if native > 1 else None


def _native(number: int) -> str:
    return f"{number} native thread{'s' * (number != 1)}"


def _native_threads_that_stay() -> int:
    """Count the native threads, not counting those that are just ending.

    A Python thread that was joined runs no Python code any more, but the kernel lists it for another moment.
    """
    end = monotonic() + _ENDING_S
    while (native := _native_threads()) > 1 and monotonic() < end:
        os.sched_yield() if hasattr(os, "sched_yield") else None
    return native


def _native_threads() -> int:
    try:
        # A directory has one link from above, one from itself and one from each directory in it. It is listed only if
        # that makes more than one thread, or none, as on a system that does not count so.
        if os.stat(_TASKS).st_nlink == _LINKS_WITH_ONE_THREAD:
            return 1
        return len(os.listdir(_TASKS))
    except OSError:
        return 1


def _loaded_libraries() -> str:
    try:
        with open("/proc/self/maps", encoding="utf-8", errors="replace") as file:
            return file.read()
    except OSError:
        return ""
