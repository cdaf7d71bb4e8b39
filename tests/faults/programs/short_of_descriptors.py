"""Opens executors and maps with fewer and fewer descriptors left, also in the midst of work."""

from __future__ import annotations

import os
import resource
import signal
import sys
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import faulty
from signposts import PATIENCE_S

import corewise

if TYPE_CHECKING:
    from collections.abc import Iterator

SQUARES = [number * number for number in range(30)]


def open_descriptors() -> set[int]:
    """Return the numbers of all open descriptors."""
    entries = list(Path("/proc/self/fd").iterdir())
    return {
        int(entry.name) for entry in entries if entry.exists() or entry.is_symlink()
    }  # not the one that listed them


@contextmanager
def descriptors_left(count: int) -> Iterator[None]:
    """Let this process open so many more descriptors."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    fillers = []
    highest = max(open_descriptors())
    while (filler := os.open(os.devnull, os.O_RDONLY | os.O_CLOEXEC)) < highest:  # no gaps below the limit
        fillers.append(filler)
    os.close(filler)
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(highest + 1, filler) + count, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
        for filler in fillers:
            os.close(filler)


def use_executor() -> str:
    """Open an executor and use it; tell how that went."""
    try:
        with corewise.ProcessExecutor(3) as executor:
            futures = [executor.submit(faulty.square, number) for number in range(30)]
            values = [future.result(PATIENCE_S) for future in futures]
    except OSError as error:
        return f"refused: {error}"
    except corewise.errors.WorkerStartError as error:
        return f"refused: {error}"
    return "right" if values == SQUARES else f"wrong: {values}"


def use_map() -> str:
    """Run a map; tell how that went."""
    try:
        values = corewise.map(faulty.square, range(30), approach="processes", workers=3)
    except corewise.errors.WorkerStartError as error:
        return f"refused: {error}"
    return "right" if values == SQUARES else f"wrong: {values}"


def at_the_start() -> None:
    """From none left to enough; afterwards all is well again and nothing is left open."""
    for use in (use_executor, use_map):
        use()
        before = open_descriptors()
        for count in range(40):
            with descriptors_left(count):
                told = use()
            print(use.__name__, count, told)
            assert use() == "right", count
            left = open_descriptors() - before
            assert not left, (count, [Path(f"/proc/self/fd/{number}").readlink() for number in left])


def in_the_middle() -> None:
    """None are left when large data are to travel and when a worker is to be replaced."""
    data = bytes(8 << 20)
    for count in (0, 1, 2, 5, 12):
        with corewise.ProcessExecutor(2) as executor:
            pids = {executor.submit(faulty.rest_and_tell, 0.02).result(PATIENCE_S) for _ in range(4)}
            with descriptors_left(count):
                assert executor.submit(faulty.same, data).result(PATIENCE_S) == data
                for pid in pids:
                    os.kill(pid, signal.SIGKILL)
                futures = [executor.submit(faulty.square, number) for number in range(30)]
                refused = [future for future in futures if future.exception(PATIENCE_S) is not None]
                assert all(isinstance(future.exception(), (OSError, RuntimeError)) for future in refused)
                values = [future.result() for future in futures if future not in refused]
                assert set(values) <= set(SQUARES)
            told = use_executor()
            assert told == "right", (count, told)
        print("in the middle", count, "refused" if refused else "right")


if __name__ == "__main__":
    {"start": at_the_start, "middle": in_the_middle}[sys.argv[1]]()
    print("end")
