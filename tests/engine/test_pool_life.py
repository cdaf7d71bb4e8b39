"""A pool from its first worker to its last: what becomes of work under way at its end, and of a system that is full."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from corewise._engine.pool import ProcessPool
from corewise._work.chunk import Chunk

if TYPE_CHECKING:
    from collections.abc import Callable

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="limits and process ids as Linux has them")


def fork_pool(fn: Callable[..., Any], workers: int) -> ProcessPool:
    """Open a pool whose workers inherit everything."""
    return ProcessPool(fn, workers, start_method="fork", keep_going=True)


def test_a_pool_that_ends_in_peace_lets_its_workers_finish(tmp_path: Path) -> None:
    """Also when a chunk is too large for the socket to have taken it already."""
    mark = tmp_path / "finished"
    pool = fork_pool(lambda data: mark.write_text(str(len(data))), 1)
    pool.submit(Chunk(0, [bytes(16 << 20)], star=False))
    pool.close(kill=False)
    assert mark.read_text() == str(16 << 20)


def test_a_pool_that_is_killed_waits_for_nothing() -> None:
    """Its worker would sleep for ten minutes; the leak check sees whether it is gone."""
    pool = fork_pool(_sleep_after_saying, 1)
    reading, writing = os.pipe()
    pool.submit(Chunk(0, [writing], star=False))
    assert os.read(reading, 1) == b"!"
    pool.close(kill=True)
    os.close(reading)
    os.close(writing)


def _sleep_after_saying(descriptor: int) -> None:
    os.write(descriptor, b"!")
    signal.pause()


def test_nothing_under_way_gives_nothing_at_once() -> None:
    """An empty pool has no news, however long one is ready to wait."""
    pool = fork_pool(abs, 2)
    assert pool.collect(None) == []
    assert pool.workers_started == 0
    pool.close(kill=False)


def test_a_wait_with_a_limit_gives_up() -> None:
    """The worker is held back until after the wait."""
    pool = fork_pool(_read_one, 1)
    reading, writing = os.pipe()
    pool.submit(Chunk(0, [reading], star=False))
    assert pool.collect(0.0) == []
    assert pool.collect(0.01) == []
    os.write(writing, b"!")
    assert [done.values for done in pool.collect(None)] == [[b"!"]]
    pool.close(kill=False)
    os.close(reading)
    os.close(writing)


def _read_one(descriptor: int) -> bytes:
    return os.read(descriptor, 1)


def test_workers_are_started_for_chunks_only() -> None:
    """A pool of eight that is given one chunk at a time starts one worker."""
    pool = fork_pool(abs, 8)
    for number in range(3):
        pool.submit(Chunk(number, [number], star=False))
        assert [done.values for done in pool.collect(None)] == [[number]]
    assert pool.workers_started == 1
    pool.close(kill=False)


def test_a_crowd_of_deaths_is_survived_and_counted() -> None:
    """Every third item kills its worker; the others come out, whatever chunk they were in."""
    pool = fork_pool(_die_at_thirds, 3)
    for start in range(0, 45, 5):
        pool.submit(Chunk(start, list(range(start, start + 5)), star=False))
    came: dict[int, object] = {}
    while done := pool.collect(None):
        for one in done:
            came |= dict(enumerate(one.values, one.start))
    deaths = pool.accounts.deaths
    pool.close(kill=False)
    assert sorted(came) == list(range(45))
    lost = [number for number, value in came.items() if type(value).__name__ == "WorkerDied"]
    assert sorted(lost) == [number for number in range(45) if number % 3 == 2]
    assert deaths == len(lost)


def _die_at_thirds(number: int) -> int:
    if number % 3 == 2:
        os.kill(os.getpid(), signal.SIGKILL)
    return number


FULL = """
import resource, os, sys
import corewise
from corewise import errors
corewise.map(abs, range(10), approach="processes", workers=2)  # what is loaded once is loaded
highest = max(map(int, os.listdir("/proc/self/fd")))
resource.setrlimit(resource.RLIMIT_NOFILE, (highest + {more}, highest + {more}))
try:
    results = corewise.map(abs, range(100), approach="processes", workers=8, chunksize=1)
except errors.WorkerStartError as error:
    print("refused:", error)
else:
    print(results == list(range(100)), results.stats.workers)
"""


def test_a_system_that_grants_fewer_workers_gets_the_work_done_by_those() -> None:
    """Descriptors are left for a few workers, not for eight."""
    output = run(FULL.format(more=16))
    right, workers = output.split()
    assert right == "True"
    assert 1 <= int(workers) < 8


def test_a_system_that_grants_no_worker_is_said_so() -> None:
    """There is no descriptor left for the first one."""
    output = run(FULL.format(more=3))
    assert output.startswith("refused: no worker process could be"), output
    assert "Too many open files" in output


def run(text: str) -> str:
    """Run a program and return what it printed."""
    done = subprocess.run(
        [sys.executable, "-c", text], capture_output=True, text=True, check=False, cwd=Path(__file__).parent
    )
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    return done.stdout
