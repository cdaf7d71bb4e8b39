"""Which threads this process has: what decides whether a fork is safe."""

from __future__ import annotations

import os
import sys
from _thread import _count as _started
from _thread import get_native_id
from time import monotonic, sleep

# Thread pools that do not survive a fork: a child that enters a parallel region waits for threads that are not there.
_BREAKS_UNDER_FORK = ("libgomp", "libiomp", "libomp", "libtbb", "libgrpc", "libcuda")
_ENDING_S = 0.01  # guess: a thread that has left Python is gone within microseconds on an idle machine
# Guess: and where it has to stand in line for a core, so much later. To start a fork server takes as long.
_IN_LINE_S = 0.5
_LOOK_S = 0.001
_staying: set[str] = set()  # native threads that were waited for in vain, and are not to be again
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

    A Python thread that was joined runs no Python code any more, but the kernel lists it for another moment: for a long
    one where other programs have the cores. One that sleeps is not about to end.
    """
    begin, own = monotonic(), str(get_native_id())
    while True:
        others = _tasks() - {own}
        _staying.intersection_update(others)
        unknown, waited_s = others - _staying, monotonic() - begin
        in_vain = waited_s > _ENDING_S and (waited_s > _IN_LINE_S or not any(map(_wants_a_core, unknown)))
        if in_vain or not unknown:
            _staying.update(unknown)
            return len(others) + 1
        if waited_s > _ENDING_S or not hasattr(os, "sched_yield"):
            sleep(_LOOK_S)
        else:
            os.sched_yield()


def _tasks() -> set[str]:
    try:
        return set(os.listdir(_TASKS))
    except OSError:
        return set()


def _wants_a_core(task: str) -> bool:
    """Return whether a thread runs, or would if there were a core for it; False for one that has ended."""
    try:
        with open(f"{_TASKS}/{task}/stat", "rb") as file:
            return file.read().rpartition(b")")[2].split()[0] in (b"R", b"D")
    except (OSError, IndexError):
        return False


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
