"""What this process holds of the system, as the kernel counts it: descendants, descriptors, named shared memory.

The figures come from `/proc`, not from the library under test, so it cannot be wrong about itself. Where there is no
`/proc` (macOS, Windows) nothing can be seen and `AVAILABLE` is false.
"""

from __future__ import annotations

import gc
import os
import select
import signal
import threading
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from time import monotonic
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

PROC = Path("/proc")
SHARED_MEMORY = Path("/dev/shm")

AVAILABLE = hasattr(os, "pidfd_open") and (PROC / f"self/task/{os.getpid()}/children").exists()

# A killed worker needs a moment to vanish; 1 s is generous even beside busy neighbours (a guess).
GRACE_S = 1.0

_ENDED = "(ended, but nobody asked for its exit code)"

# Started once by the standard library for the life of the process, and shared by every user of it.
_PROCESS_WIDE = ("multiprocessing.forkserver", "multiprocessing.resource_tracker")


@dataclass(frozen=True)
class Holdings:
    """What a process holds at one moment.

    Args:
        processes: Every descendant, by process id, with its command line.
        descriptors: Every open descriptor, with what it refers to.
        shared_memory: Names in the folder of named shared memory, of whatever process.
        threads: Threads of this process, which are no matter by themselves.
    """

    processes: dict[int, str]
    descriptors: dict[int, str]
    shared_memory: frozenset[str]
    threads: frozenset[int | None]


def holdings() -> Holdings:
    """What this process holds now."""
    names = frozenset(entry.name for entry in SHARED_MEMORY.iterdir()) if SHARED_MEMORY.is_dir() else frozenset[str]()
    threads = frozenset(thread.ident for thread in threading.enumerate())
    return Holdings(descendants(), _descriptors(), names, threads)


def left_since(before: Holdings) -> list[str]:
    """What came since `before` and is still there, one sentence each; empty if nothing was left.

    Garbage that only waits for its collector is collected first, and dying processes are given `GRACE_S`. So are
    threads that came: what nobody holds any more is ended by one, which asks for exit codes and closes descriptors.
    """
    if not _new(before, holdings()):
        return []
    gc.collect()
    wait_until_gone(descendants().keys() - before.processes.keys())
    deadline = monotonic() + GRACE_S
    for thread in threading.enumerate():
        if thread.ident not in before.threads and thread is not threading.current_thread():
            thread.join(max(0.0, deadline - monotonic()))
    return _new(before, holdings())


def named_since(before: Holdings) -> set[str]:
    """Names of shared memory that came since `before`, without those of other programs."""
    return _named(before, holdings())


def descendants(of: int | None = None) -> dict[int, str]:
    """Children of process `of` (default: this one), their children and so on: process id to command line.

    Without those of others that have ended: their parents, such as the fork server, ask for exit codes in their turn.
    """
    found: dict[int, str] = {}
    root = os.getpid() if of is None else of
    waiting = [root]
    while waiting:
        parent = waiting.pop()
        for child in _children(parent):
            command = _command(child)
            if command != _ENDED or parent == root:
                found[child] = command
                waiting.append(child)
    return found


def abort(processes: Iterable[int]) -> None:
    """End `processes` so that each prints the stacks of all its threads (`faulthandler` does, on SIGABRT)."""
    doomed = list(processes)
    for pid in doomed:
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGABRT)
    wait_until_gone(doomed)
    for pid in doomed:
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)


def workers() -> dict[int, str]:
    """Every descendant but the process-wide helpers of the standard library."""
    helpers = {
        pid for pid in _children(os.getpid()) if any(name in _command(pid) for name in _PROCESS_WIDE)
    }  # direct children only: a worker forked by the fork server carries the fork server's command line
    return {pid: command for pid, command in descendants().items() if pid not in helpers}


def wait_until_gone(processes: Iterable[int], limit_s: float = GRACE_S) -> None:
    """Wait until `processes` have ended, at most `limit_s`."""
    poll = select.poll()
    handles: set[int] = set()
    for pid in processes:
        with suppress(ProcessLookupError):
            handles.add(os.pidfd_open(pid))
    try:
        for handle in handles:
            poll.register(handle, select.POLLIN)
        running, deadline = set(handles), monotonic() + limit_s
        while running and (remaining_s := deadline - monotonic()) > 0:
            for handle, _ in poll.poll(remaining_s * 1000):
                poll.unregister(handle)
                running.discard(handle)
    finally:
        for handle in handles:
            os.close(handle)


def _new(before: Holdings, now: Holdings) -> list[str]:
    processes = {pid: now.processes[pid] for pid in now.processes.keys() - before.processes.keys()}
    descriptors = dict(now.descriptors.items() - before.descriptors.items())
    names = _named(before, now)
    return [
        *(f"process {pid} was left: {command}" for pid, command in sorted(processes.items())),
        *(f"descriptor {number} was left open: {target}" for number, target in sorted(descriptors.items())),
        *(f"shared memory was left behind: {SHARED_MEMORY / name}" for name in sorted(names)),
    ]


def _named(before: Holdings, now: Holdings) -> set[str]:
    return {name for name in now.shared_memory - before.shared_memory if not _held_by_strangers(name)}


def _children(pid: int) -> list[int]:
    found: list[int] = []
    with suppress(FileNotFoundError, ProcessLookupError):
        for thread in (PROC / f"{pid}/task").iterdir():
            with suppress(FileNotFoundError, ProcessLookupError):
                found.extend(map(int, (thread / "children").read_text().split()))
    return found


def _command(pid: int) -> str:
    try:
        command = (PROC / f"{pid}/cmdline").read_bytes()
    except (FileNotFoundError, ProcessLookupError):
        return "(gone)"
    return command.replace(b"\0", b" ").decode(errors="replace").strip() or _ENDED


def _descriptors() -> dict[int, str]:
    found: dict[int, str] = {}
    for entry in list((PROC / "self/fd").iterdir()):
        with suppress(FileNotFoundError):  # the descriptor that listed the folder
            found[int(entry.name)] = str(entry.readlink())
    return found


def _held_by_strangers(name: str) -> bool:
    """Whether a process that is not ours uses this shared memory: other programs come and go beside the tests.

    Semaphores of `multiprocessing` are taken for those of others: corewise makes none, and the tests of another Python
    that run beside these make many.
    """
    if name.startswith("sem.mp-"):
        return True
    own = {os.getpid(), *descendants()}
    path = str(SHARED_MEMORY / name)
    strangers = (entry for entry in PROC.iterdir() if entry.name.isdigit() and int(entry.name) not in own)
    return any(_uses(process, path) for process in strangers)


def _uses(process: Path, path: str) -> bool:
    with suppress(OSError):
        if path in (process / "maps").read_text():
            return True
        return any(str(link.readlink()) == path for link in (process / "fd").iterdir())
    return False
