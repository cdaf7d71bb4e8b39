"""How many cores this process may use: affinity, the quota of the container, and what an outer map left over."""

from __future__ import annotations

import os
import sys
from _contextvars import ContextVar  # what `contextvars` hands on, without one more file for every worker to load

_handed_down: int | None = None
# How many threads share what this process may use, seen from one of them. A context variable, because the threads that
# a call starts run in copies of its context, and what they start inherits it in turn.
_sharers: ContextVar[int] = ContextVar("corewise_sharers", default=1)


def cpu_count() -> int:
    """Return the number of cores that this process may use, at least 1.

    The smallest of: the cores the process may be scheduled on (affinity), the CPU quota of its control group rounded
    up, what ``PYTHON_CPU_COUNT`` says, and, inside a worker, the share that the outer call left for it. Threads of an
    outer call share them equally.

    Returns:
        A number of cores.

    Example:
        >>> import corewise
        >>> corewise.cpu_count() >= 1
        True
    """
    limits = [_schedulable(), _quota(), _asked(), _handed_down]
    return max(1, min(limit for limit in limits if limit is not None) // _sharers.get())


def hand_down(cores: int) -> None:
    """Set the share of cores that calls made from inside this worker process may use."""
    global _handed_down  # noqa: PLW0603 - the one budget of this process
    _handed_down = max(1, cores)
    # A fork inherits the context of the thread that forked; that thread's share is counted in `cores` already.
    _sharers.set(1)


def share_among(threads: int) -> None:
    """Say in a thread of an outer call that so many like it, itself included, share the cores.

    It holds for the current context and what is started from it, and multiplies with what an outer call has said. A
    thread that user code starts by itself begins with an empty context and sees the whole share of the process.
    """
    _sharers.set(_sharers.get() * max(1, threads))


def inside_worker() -> bool:
    """Whether this process is a worker, which was handed its share of the cores."""
    return _handed_down is not None


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
    texts = [_read(f"{group}/cpu.max") for group in groups_of(_read("/proc/self/cgroup"))]
    version_1 = "/sys/fs/cgroup/cpu/cpu.cfs_"
    texts.append(f"{_read(f'{version_1}quota_us').strip()} {_read(f'{version_1}period_us').strip()}")
    shares = [share for share in map(share_of, texts) if share is not None]
    return max(1, -int(-min(shares) // 1)) if shares else None


def groups_of(membership: str) -> list[str]:
    """Return the folders of a version 2 control group and of its ancestors, each of which may set a limit.

    Args:
        membership: what ``/proc/self/cgroup`` says.
    """
    root = "/sys/fs/cgroup"
    line = next((line for line in membership.splitlines() if line.startswith("0::")), "0::/")
    parts = [part for part in line[3:].split("/") if part and part != ".."]
    return [os.path.join(root, *parts[:depth]) for depth in range(len(parts) + 1)]


def share_of(quota: str) -> float | None:
    """Return how many cores' worth of time a quota grants; None where there is none.

    Args:
        quota: microseconds granted in each period, and the length of a period: ``"150000 100000"``. Version 2 of the
            control groups says ``max`` and version 1 says ``-1`` where nothing limits.
    """
    limit, _, period = quota.strip().partition(" ")
    return int(limit) / int(period) if limit.isdecimal() and period.isdecimal() and int(period) else None


def _read(path: str) -> str:
    try:
        with open(path, encoding="utf-8", errors="replace") as file:
            return file.read()
    except OSError:
        return ""
