"""Workers that have run as many items as they may are replaced, and no item is lost, doubled or delayed by it."""

from __future__ import annotations

import os
import subprocess
import sys
from collections import Counter
from typing import TYPE_CHECKING

import pytest
from witness import pipe, watched

from corewise.errors import WorkerDied

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="workers are forked, and descriptors are counted")


def who(_: object) -> int:
    """Tell which process runs an item."""
    return os.getpid()


@pytest.mark.parametrize("quota", [1, 3, 10])
def test_one_worker_after_the_other_runs_as_many_items_as_it_may(quota: int, tmp_path: Path) -> None:
    """However they come in chunks; the last of them runs what is left."""
    with watched(tmp_path, who, 1, max_tasks_per_worker=quota) as witness:
        start = 0
        for size in (1, 4, 2, 7, 1, 1, 6):
            witness.submit(start, range(start, start + size))
            start += size
        witness.take_all()
        per_process = [len([*group]) for group in _groups([witness.came[index] for index in range(start)])]
        assert per_process == [quota] * (start // quota) + [start % quota] * bool(start % quota)
        assert witness.pool.accounts.deaths == 0
        assert witness.runs() == dict.fromkeys(range(start), 1)


def _groups(values: list[int]) -> list[list[int]]:
    groups: list[list[int]] = []
    for value in values:
        if groups and groups[-1][0] == value:
            groups[-1].append(value)
        else:
            groups.append([value])
    return groups


def test_no_worker_runs_more_than_it_may_while_work_goes_to_and_fro(tmp_path: Path) -> None:
    """Chunks are taken back in the middle, from workers that have been told of more items than they run."""
    with pipe() as (reading, writing):

        def work(number: int) -> int:
            if number % 10 == 0:
                os.read(reading, 1)
            return os.getpid()

        with watched(tmp_path, work, 3, max_tasks_per_worker=4) as witness:
            witness.submit(0, range(4))
            witness.take_until(1, 2, 3)  # from behind the giant
            for start in range(4, 60, 8):
                witness.submit(start, range(start, start + 8))
            os.write(writing, b"!" * 6)
            witness.take_all()
            assert sorted(witness.came) == list(range(60))
            assert max(Counter(witness.came.values()).values()) <= 4
            assert witness.runs() == dict.fromkeys(range(60), 1)
            assert witness.pool.accounts.deaths == 0


def test_a_worker_that_dies_is_no_more_than_one_death(tmp_path: Path) -> None:
    """Its quota dies with it."""

    def work(number: int) -> int:
        if number == 4:
            os._exit(3)
        return os.getpid()

    with watched(tmp_path, work, 1, max_tasks_per_worker=3) as witness:
        witness.submit(0, range(10))
        witness.take_all()
        assert witness.failed(WorkerDied) == [4]
        del witness.came[4]
        groups = _groups([witness.came[index] for index in sorted(witness.came)])
        assert [len(group) for group in groups] == [3, 1, 3, 2]
        assert witness.pool.accounts.deaths == 1


class SlowToFlush:
    """A standard output that keeps whoever flushes it until a byte comes."""

    def __init__(self, reading: int, say: int) -> None:
        self._reading, self._say = reading, say

    def write(self, text: str) -> int:
        """Drop it."""
        return len(text)

    def flush(self) -> None:
        """Wait."""
        os.write(self._say, b"!")
        os.read(self._reading, 1)


def test_results_may_be_fetched_from_a_worker_that_has_done_all_it_may(tmp_path: Path) -> None:
    """Its own message comes when it has been told to end, and is no news then."""
    with pipe() as (reading, writing), pipe() as (begun, say):

        def prepare() -> None:
            sys.stdout = SlowToFlush(reading, say)

        with watched(tmp_path, who, 1, max_tasks_per_worker=3, initializer=prepare) as witness:
            (worker,) = witness.workers
            witness.submit(0, range(3))
            os.read(begun, 1)  # all three are written down, and it is about to send them
            witness.take_until(0, 1, 2)
            assert worker.retired
            os.write(writing, b"!" * 10)  # its end flushes once more
            while worker.number in witness.pool._crew.members:
                witness.pool.take_in(witness.pool.wait(None))
            assert len(witness.came) == 3
            assert witness.pool.accounts.deaths == 0


PROGRAM = """
import os, resource
from corewise._engine.pool import ProcessPool
from corewise._work.chunk import Chunk

for limited in (False, True):  # what is loaded once is loaded
    pool = ProcessPool(abs, 1, start_method="fork", max_tasks_per_worker=1)
    pool.start_all()
    if limited:
        highest = max(map(int, os.listdir("/proc/self/fd")))
        resource.setrlimit(resource.RLIMIT_NOFILE, (highest + 3, highest + 3))  # two more; a start needs five
    for number in range(4):
        pool.submit(Chunk(number, [-number], star=False))
    came = []
    while pool.unfinished:
        came += [value for done in pool.collect(None) for value in done.values]
    pool.close(kill=False)
print(came, pool.workers_started)
"""


def test_a_replacement_waits_for_room_where_there_is_none_beside_the_old_one() -> None:
    """Descriptors are left for one worker, and the one that has been told to end still has them."""
    done = subprocess.run([sys.executable, "-c", PROGRAM], capture_output=True, text=True, check=False)
    assert (done.stdout, done.stderr) == ("[0, 1, 2, 3] 4\n", "")
