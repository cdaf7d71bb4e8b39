"""What memory this process holds, and held at its peak; how often the kernel killed for want of it."""

from __future__ import annotations

import os
import sys
from io import FileIO


def resident_bytes() -> int | None:
    """Return the bytes of memory that this process holds now; None where the system cannot tell."""
    return _status(b"VmRSS:")


def peak_bytes() -> int | None:
    """Return the most bytes held since the start or the last `reset_peak`; None where the system cannot tell."""
    if sys.platform == "win32":
        return None
    peak = _status(b"VmHWM:")
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
    return _sum("/proc/self/smaps_rollup", (b"Private_Clean:", b"Private_Dirty:"))


def out_of_memory_kills() -> int:
    """Return how many processes the kernel has killed for want of memory.

    Counted in this control group if it says so, else on the whole machine.
    """
    counted = _count("/sys/fs/cgroup" + _own_group() + "/memory.events", b"oom_kill ")
    return counted if counted is not None else _count("/proc/vmstat", b"oom_kill ") or 0


def total_bytes() -> int | None:
    """Return the bytes of memory of the machine; None where the system cannot tell."""
    if sys.platform == "win32":
        return None
    try:
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (ValueError, OSError):
        return None


def _own_group() -> str:
    line = next((line for line in _lines("/proc/self/cgroup") if line.startswith(b"0::")), b"0::")
    return os.fsdecode(line[3:].strip().rstrip(b"/"))


def _status(key: bytes) -> int | None:
    return _sum("/proc/self/status", (key,))


def _sum(path: str, keys: tuple[bytes, ...]) -> int | None:
    """Add up the kB figures that a proc file gives for `keys`; None when it gives none."""
    found = [int(line.split()[1]) * 1024 for line in _lines(path) if line.startswith(keys)]
    return sum(found) if found else None


def _count(path: str, key: bytes) -> int | None:
    return next((int(line.split()[1]) for line in _lines(path) if line.startswith(key)), None)


def _lines(path: str) -> list[bytes]:
    # Not as text: the first that a process reads takes a millisecond, and each worker looks before it ends. Nor by a
    # bare number: a Ctrl-C between the opening and the next line would leave it open.
    try:
        with FileIO(path) as file:
            return file.readall().splitlines()
    except OSError:
        return []
