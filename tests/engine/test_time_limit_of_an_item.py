"""A limit of time ends the item that is over it: not the ones before it, not the ones behind it, and none twice."""

from __future__ import annotations

import os
import random
import signal
import sys
from time import monotonic, perf_counter
from typing import TYPE_CHECKING, Any

import pytest
from witness import pipe, watched

from corewise._engine.calls import Calls, Functions
from corewise._engine.pool_of_calls import PoolOfCalls
from corewise.errors import WorkerDied

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="processes can be stopped to look at them")

LIMIT_S = 0.05


def spin(seconds: float) -> None:
    """Keep a core busy."""
    end = perf_counter() + seconds
    while perf_counter() < end:
        pass


def test_what_a_chunk_had_finished_is_kept_and_the_rest_is_run(tmp_path: Path) -> None:
    """Item 3 sleeps for ever and ignores what can be ignored; the others are run once."""

    def work(number: int) -> int:
        if number == 3:
            signal.signal(signal.SIGTERM, signal.SIG_IGN)
            signal.pause()
        return -number

    with watched(tmp_path, work, 1, timeout_s=LIMIT_S) as witness:
        witness.submit(0, range(8))
        witness.take_all()
        assert witness.failed(TimeoutError) == [3]
        assert "longer than 0.05 s" in str(witness.came[3])
        assert all(witness.came[number] == -number for number in range(8) if number != 3)
        assert witness.runs() == dict.fromkeys(range(8), 1)


def test_items_around_the_limit_come_out_once_and_short_ones_always(tmp_path: Path) -> None:
    """Each item that ends at the very moment of its kill is followed by a short one, which is never the one to die."""
    chance = random.Random(0)
    limit_s = 4 * LIMIT_S  # a short one may have to wait for its core
    long = {number: limit_s + chance.uniform(-0.0004, 0.0004) for number in range(0, 36, 3)}

    def work(number: int) -> int:
        spin(long.get(number, 0.0))
        return number

    with watched(tmp_path, work, 2, timeout_s=limit_s) as witness:
        for start in range(0, 36, 9):
            witness.submit(start, range(start, start + 9))
        witness.take_all()
        assert set(witness.failed(TimeoutError)) <= set(long)
        assert witness.failed(WorkerDied) == []
        assert sorted(witness.came) == list(range(36))
        assert witness.runs() == dict.fromkeys(range(36), 1)


def test_an_item_that_ends_while_it_is_being_stopped_is_done(tmp_path: Path) -> None:
    """And its worker goes on, also where that was the last item it may run."""
    with pipe() as (reading, writing):
        for quota in (None, 1):
            with watched(
                tmp_path, lambda _: os.read(reading, 1), 1, timeout_s=LIMIT_S, max_tasks_per_worker=quota
            ) as witness:
                (worker,) = witness.workers
                stop, line = worker.stop, worker.line.fileno()

                def late(stop: Any = stop, line: int = line) -> None:
                    os.write(writing, b"!")
                    _until_readable(line)
                    stop()

                worker.stop = late  # type: ignore[method-assign]  # the moment is all that is made up
                witness.submit(0, [0])
                witness.take_until(0)
                assert witness.came == {0: b"!"}
                assert witness.pool.accounts.deaths == 0
                os.write(writing, b"?")
                witness.submit(1, [1])
                witness.take_all()
                assert witness.came[1] == b"?"


def _until_readable(descriptor: int) -> None:
    import select

    poll = select.poll()
    poll.register(descriptor, select.POLLIN)
    poll.poll()


def test_waiting_for_work_and_starting_is_not_limited(tmp_path: Path) -> None:
    """The time of an item begins when it does: an initializer may take longer, and so may the queue."""
    with watched(
        tmp_path, lambda number: number, 1, timeout_s=LIMIT_S, initializer=spin, initargs=(3 * LIMIT_S,)
    ) as witness:
        for number in range(4):
            witness.submit(number, [number])
        witness.take_all()
        assert witness.came == {0: 0, 1: 1, 2: 2, 3: 3}


def test_the_time_it_takes_to_send_a_result_is_not_the_item_s(tmp_path: Path) -> None:
    """The parent does not read for as long as it likes; the result is larger than any socket."""
    with watched(tmp_path, lambda _: bytes(8 << 20), 1, timeout_s=LIMIT_S) as witness:
        witness.submit(0, [0])
        (worker,) = witness.workers
        while (at := worker.ledger.at()) is None or at[1] < monotonic():  # until it says that it sends
            os.sched_yield()
        witness.pool._patrol._clock = lambda: monotonic() + 100 * LIMIT_S
        witness.take_all()
        assert len(witness.came[0]) == 8 << 20


def test_calls_have_limits_of_their_own() -> None:
    """One without a limit waits as long as it takes, beside one that is killed."""
    with pipe() as (reading, writing):
        functions = Functions(main_by_value=False)
        read, pause = functions.known(os.read), functions.known(signal.pause)
        pool = PoolOfCalls(None, 2, start_method="fork")
        try:
            pool.submit(Calls(0, [(read, (reading, 1), {})], None, None))
            pool.submit(Calls(1, [(pause, (), {})], LIMIT_S, None))
            (done,) = pool.collect(None)
            assert (done.start, done.failed) == (1, [1])
            assert type(done.values[0]) is TimeoutError
            os.write(writing, b"!")
            (done,) = pool.collect(None)
            assert (done.start, done.values) == (0, [b"!"])
        finally:
            pool.close(kill=True)
