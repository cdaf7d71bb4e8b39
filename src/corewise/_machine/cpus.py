"""How many cores this process may use: affinity, the quota of the container, and what an outer map left over."""

from __future__ import annotations

import os
import sys

_handed_down: int | None = None


def cpu_count() -> int:
    """Return the number of cores that this process may use, at least 1.

    The smallest of: the cores the process may be scheduled on (affinity), the CPU quota of its control group rounded
    up, what ``PYTHON_CPU_COUNT`` says, and, inside a worker, the share that the outer call left for it.

    Returns:
        A number of cores.

    Example:
        >>> import corewise
        >>> corewise.cpu_count() >= 1
        True
    """
    limits = [_schedulable(), _quota(), _asked(), _handed_down]
    return max(1, min(limit for limit in limits if limit is not None))


def hand_down(cores: int) -> None:
    """Set the share of cores that calls made from inside this worker process may use."""
    global _handed_down  # noqa: PLW0603 - the one budget of this process
    _handed_down = max(1, cores)


def logical_cores() -> int:
    """Return the number of logical cores of the machine, usable or not."""
    return os.cpu_count() or 1


def _schedulable() -> int:
    if sys.platform == "linux":
        return len(os.sched_getaffinity(0))
    return logical_cores()


def _asked() -> int | None:
    given = os.environ.get("PYTHON_CPU_COUNT", "")
    return int(given) if given.isdecimal() and int(given) > 0 else None


def _quota() -> int | None:
    """Cores that the control group grants, rounded up; None without a quota."""
    if sys.platform != "linux":
        return None
    shares = [share for share in (_share_v2(path) for path in _groups()) if share is not None]
    version_1 = _share_v1()
    if version_1 is not None:
        shares.append(version_1)
    return max(1, -int(-min(shares) // 1)) if shares else None


def _groups() -> list[str]:
    """Folders of this process's version 2 control group and of its ancestors, each of which may set a limit."""
    root = "/sys/fs/cgroup"
    line = next((line for line in _read("/proc/self/cgroup").splitlines() if line.startswith("0::")), "0::/")
    parts = [part for part in line[3:].split("/") if part and part != ".."]
    return [os.path.join(root, *parts[:depth]) for depth in range(len(parts) + 1)]


def _share_v2(group: str) -> float | None:
    limit, _, period = _read(f"{group}/cpu.max").partition(" ")
    return int(limit) / int(period) if limit.isdecimal() and period.strip().isdecimal() else None


def _share_v1() -> float | None:
    limit = _read("/sys/fs/cgroup/cpu/cpu.cfs_quota_us").strip()
    period = _read("/sys/fs/cgroup/cpu/cpu.cfs_period_us").strip()
    return int(limit) / int(period) if limit.isdecimal() and period.isdecimal() and int(period) else None


def _read(path: str) -> str:
    try:
        with open(path, encoding="ascii", errors="replace") as file:
            return file.read()
    except OSError:
        return ""
