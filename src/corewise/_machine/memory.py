"""What memory this process holds, and held at its peak; how often the kernel killed for want of it."""

from __future__ import annotations

import os
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable


def resident_bytes() -> int | None:
    """Return the bytes of memory that this process holds now; None where the system cannot tell."""
    return _status("VmRSS")


def peak_bytes() -> int | None:
    """Return the most bytes held since the start or the last `reset_peak`; None where the system cannot tell."""
    if sys.platform == "win32":
        return None
    peak = _status("VmHWM")
    if peak is not None:
        return peak
    import resource

    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit


def reset_peak() -> bool:
    """Forget the peak so far. Return whether the system can do that (Linux can)."""
    try:
        with open("/proc/self/clear_refs", "w", encoding="utf-8") as file:
            file.write("5")
    except OSError:
        return False
    return True


def private_bytes() -> int | None:
    """Return the bytes that this process shares with no other; None where the system cannot tell.

    A freshly forked process shares all its pages with its parent, so its resident size says nothing about what it
    costs.
    """
    return _sum("/proc/self/smaps_rollup", ("Private_Clean", "Private_Dirty"))


def out_of_memory_kills() -> int:
    """Return how many processes the kernel has killed for want of memory.

    Counted in this control group if it says so, else on the whole machine.
    """
    counted = _count("/sys/fs/cgroup" + _own_group() + "/memory.events", "oom_kill")
    return counted if counted is not None else _count("/proc/vmstat", "oom_kill") or 0


def total_bytes() -> int | None:
    """Return the bytes of memory of the machine; None where the system cannot tell."""
    if sys.platform == "win32":
        return None
    try:
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (ValueError, OSError):
        return None


def _own_group() -> str:
    line = next((line for line in _lines("/proc/self/cgroup") if line.startswith("0::")), "0::")
    return line[3:].strip().rstrip("/")


def _status(key: str) -> int | None:
    return _sum("/proc/self/status", (key,))


def _sum(path: str, keys: Iterable[str]) -> int | None:
    """Add up the kB figures that a proc file gives for `keys`; None when it gives none."""
    wanted = tuple(f"{key}:" for key in keys)
    found = [int(line.split()[1]) * 1024 for line in _lines(path) if line.startswith(wanted)]
    return sum(found) if found else None


def _count(path: str, key: str) -> int | None:
    return next((int(line.split()[1]) for line in _lines(path) if line.startswith(f"{key} ")), None)


def _lines(path: str) -> list[str]:
    try:
        with open(path, encoding="utf-8", errors="replace") as file:
            return file.read().splitlines()
    except OSError:
        return []
