"""Opens executors and maps with fewer and fewer processes left, also in the midst of work."""

from __future__ import annotations

import multiprocessing
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
GROUP = Path(sys.argv[1]) if sys.argv[1] != "-" else None


@contextmanager
def processes_left(count: int) -> Iterator[None]:
    """Let this process and its children start so many more processes or threads."""
    if GROUP is not None:
        now = int((GROUP / "pids.current").read_text())
        (GROUP / "pids.max").write_text(str(now + count))
        try:
            yield
        finally:
            (GROUP / "pids.max").write_text("max")
        return
    soft, hard = resource.getrlimit(resource.RLIMIT_NPROC)
    now = sum(map(_threads_of_mine, Path("/proc").iterdir()))
    resource.setrlimit(resource.RLIMIT_NPROC, (now + count, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_NPROC, (soft, hard))


def _threads_of_mine(process: Path) -> int:
    try:
        mine = process.name.isdigit() and process.stat().st_uid == os.getuid()
        return len(list((process / "task").iterdir())) if mine else 0
    except FileNotFoundError:
        return 0


def use_executor(start_method: str) -> str:
    """Open an executor and use it; tell how that went."""
    try:
        with corewise.ProcessExecutor(3, mp_context=multiprocessing.get_context(start_method)) as executor:
            futures = [executor.submit(faulty.square, number) for number in range(30)]
            values = [future.result(PATIENCE_S) for future in futures]
    except (OSError, RuntimeError) as error:
        return f"refused: {error}"
    return "right" if values == SQUARES else f"wrong: {values}"


def use_map(start_method: str) -> str:
    """Run a map; tell how that went."""
    try:
        values = corewise.map(faulty.square, range(30), approach="processes", workers=3, start_method=start_method)
    except corewise.errors.WorkerStartError as error:
        return f"refused: {error}"
    return "right" if values == SQUARES else f"wrong: {values}"


def at_the_start() -> None:
    """From none left to enough; afterwards all is well again."""
    for use in (use_executor, use_map):
        for start_method in ("fork", "forkserver", "spawn"):
            assert use(start_method) == "right"
            for count in (0, 1, 2, 3):
                with processes_left(count):
                    told = use(start_method)
                print(use.__name__, start_method, count, told)
                assert use(start_method) == "right"


def in_the_middle() -> None:
    """None are left when workers are to be replaced."""
    for count in (0, 1):
        with corewise.ProcessExecutor(2) as executor:
            pids = {executor.submit(faulty.rest_and_tell, 0.02).result(PATIENCE_S) for _ in range(4)}
            with processes_left(count - len(pids)):
                for pid in pids:
                    os.kill(pid, signal.SIGKILL)
                futures = [executor.submit(faulty.square, number) for number in range(30)]
                refused = [future for future in futures if future.exception(PATIENCE_S) is not None]
                assert all(isinstance(future.exception(), (OSError, RuntimeError)) for future in refused)
            told = use_executor("fork")
            assert told == "right", told
        print("in the middle", count, "refused" if refused else "right")


if __name__ == "__main__":
    if GROUP is not None:
        (GROUP / "cgroup.procs").write_text(str(os.getpid()))
    {"start": at_the_start, "middle": in_the_middle}[sys.argv[2]]()
    print("end")
