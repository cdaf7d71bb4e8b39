"""What one worker has not begun goes to those that are idle; what it has finished does not wait for what it is at."""

from __future__ import annotations

import os
import random
import signal
import sys
from collections import Counter
from time import perf_counter
from typing import TYPE_CHECKING

import pytest
from witness import pipe, watched

from corewise._engine import outbox, patrol
from corewise._engine.pool import ProcessPool
from corewise._work.chunk import Chunk
from corewise.errors import WorkerDied

if TYPE_CHECKING:
    from pathlib import Path

    from witness import Witness

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="processes are stopped and forked")


def test_a_chunk_behind_a_giant_is_run_by_the_idle_worker(tmp_path: Path) -> None:
    """The giant ends only when all the others are there."""
    with pipe() as (reading, writing):

        def work(number: int) -> int:
            if number == 0:
                os.read(reading, 1)
            return number

        with watched(tmp_path, work, 2) as witness:
            witness.submit(0, range(10))
            witness.take_until(*range(1, 10))
            os.write(writing, b"!")
            witness.take_all()
            assert witness.came == {number: number for number in range(10)}
            assert witness.runs() == dict.fromkeys(range(10), 1)


@pytest.mark.parametrize("chunks", [[[1, 2]], [[1], [2]]], ids=["in its chunk", "in the next one"])
def test_what_waits_behind_a_long_item_gets_a_worker_that_is_missing(tmp_path: Path, chunks: list[list[int]]) -> None:
    """Of two workers one has died while there was nothing to do; the long item ends only when the other has run."""
    with pipe() as (reading, writing):

        def work(number: int) -> int:
            if number == 1:
                os.read(reading, 1)
            if number == 2:
                os.write(writing, b"!")
            return number

        with watched(tmp_path, work, 2) as witness:
            witness.submit(0, [0])  # short, so that what comes next may be sent ahead
            witness.take_all()
            os.kill(witness.workers[0].pid, signal.SIGKILL)
            while len(witness.workers) > 1:
                witness.pool.take_in(witness.pool.wait(None))
            for items in chunks:
                witness.submit(items[0], items)
            assert len(witness.workers) == 1
            witness.take_all()
            assert witness.runs() == dict.fromkeys(range(3), 1)


def test_finished_results_arrive_while_the_next_item_blocks(tmp_path: Path) -> None:
    """Their message is not sent before it ends; they are read from the ledger, failures among them."""
    with pipe() as (reading, writing):

        def work(number: int) -> int:
            if number == 1:
                raise ValueError(number)
            if number == 4:
                os.read(reading, 1)
            return number

        with watched(tmp_path, work, 1) as witness:
            witness.submit(0, range(6))
            witness.take_until(0, 1, 2, 3)
            assert witness.failed(ValueError) == [1]
            assert 4 not in witness.came
            os.write(writing, b"!")
            witness.take_all()
            assert sorted(witness.came) == list(range(6))
            assert witness.runs() == dict.fromkeys(range(6), 1)


def test_what_a_worker_has_just_sent_is_not_taken_from_it(tmp_path: Path) -> None:
    """The parent takes back before it has read that all is done."""
    with watched(tmp_path, lambda number: number, 2) as witness:
        witness.submit(0, range(6))
        busy = next(worker for worker in witness.workers if witness.pool._schedule.held_by(worker.number))
        while busy.ledger.read().base < 6:
            os.sched_yield()
        witness.pool.take_in([])
        for done in witness.pool.finished():
            witness.came |= dict(enumerate(done.values, done.start))
        witness.take_all()
        assert sorted(witness.came) == list(range(6))
        assert witness.runs() == dict.fromkeys(range(6), 1)


def test_items_of_all_lengths_are_each_run_once(tmp_path: Path) -> None:
    """Chunk after chunk of lengths around those at which one looks after workers, with more workers than chunks."""
    chance = random.Random(0)
    seconds = [chance.choice([0.0, 0.0005, 0.002, 0.004]) for _ in range(400)]

    def work(number: int) -> int:
        end = perf_counter() + seconds[number]
        while perf_counter() < end:
            pass
        return number

    with watched(tmp_path, work, 3) as witness:
        start = 0
        while start < 400:
            size = min(chance.randint(1, 7), 400 - start)
            witness.submit(start, range(start, start + size))
            start += size
            if chance.random() < 0.4:
                witness.take_all()
        witness.take_all()
        assert witness.came == {number: number for number in range(400)}
        assert witness.runs() == dict.fromkeys(range(400), 1)


def test_quick_chunks_that_a_starting_worker_waits_for_come_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """It runs them without looking up once it is ready, so none of their items may be given to the other."""
    monkeypatch.setattr(outbox, "QUICK_ITEM_S", 1.0)
    with pipe() as (reading, writing):
        os.write(writing, b"!")
        pool = ProcessPool(abs, 2, start_method="fork", initializer=os.read, initargs=(reading, 1))
        try:
            pool.start_all()  # the first is ready, the second waits for another byte
            out: Counter[int] = Counter()

            def take(timeout_s: float | None) -> None:
                for done in pool.collect(timeout_s):
                    out.update(range(done.start, done.stop))

            pool.submit(Chunk(0, list(range(100)), star=False))
            while not out:
                take(None)
            for start in range(100, 900, 100):
                pool.submit(Chunk(start, list(range(start, start + 100)), star=False))
            while len(out) < 700:  # it has two of the chunks before it, and the other has run the rest
                take(None)
            for _ in range(3):
                take(2 * patrol.TAIL_S)
            os.write(writing, b"!")
            while pool.unfinished:
                take(None)
            pool.close(kill=False)
            assert out == dict.fromkeys(range(900), 1)
        finally:
            pool.close(kill=True)


def test_of_a_chunk_that_is_given_up_only_what_its_worker_still_had_is_given_up() -> None:
    """Item 0 fails, and ends its chunk; what was taken from behind it comes from the other worker nevertheless."""
    with pipe() as (reading, writing), pipe() as (reading_too, writing_too):

        def work(number: int) -> int:
            if number == 0:
                os.read(reading, 1)
                raise ValueError(number)
            if number == 1:
                os.write(writing, b"!")
                os.read(reading_too, 1)
            return number

        pool = ProcessPool(work, 2, start_method="fork", keep_going=False)
        try:
            pool.start_all()
            pool.submit(Chunk(0, list(range(10)), star=False))
            (failed,) = pool.collect(None)
            assert (failed.start, failed.failed, failed.dropped) == (0, [0], 0)
            os.write(writing_too, b"!")
            came: list[int] = []
            while pool.unfinished:
                came += [value for done in pool.collect(None) for value in done.values]
            assert sorted(came) == list(range(1, 10))
        finally:
            pool.close(kill=True)


def test_a_frozen_worker_with_work_before_it_is_replaced(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing that it had not begun is lost, and nothing is blamed for its end."""
    monkeypatch.setattr(patrol, "FROZEN_S", 0.05)
    with watched(tmp_path, lambda number: number, 1) as witness:
        _warm(witness)
        (worker,) = witness.workers
        os.kill(worker.pid, signal.SIGSTOP)
        witness.submit(1, range(1, 7))
        witness.take_all()
        assert witness.failed(WorkerDied) == []
        assert sorted(witness.came) == list(range(7))
        assert witness.pool.accounts.deaths == 1


def test_a_frozen_worker_is_replaced_while_others_have_news_all_the_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """There is never a moment of silence, and yet it is looked after."""
    monkeypatch.setattr(patrol, "FROZEN_S", 0.05)
    with watched(tmp_path, lambda number: number, 3) as witness:
        _warm(witness)
        os.kill(witness.workers[0].pid, signal.SIGSTOP)
        begin, number = perf_counter(), 3
        while witness.pool.accounts.deaths == 0:
            assert perf_counter() - begin < 10, "nobody looks after the frozen worker"
            while witness.pool.room:
                witness.submit(number, [number])
                number += 1
            witness.take()
        witness.take_all()
        assert sorted(witness.came) == list(range(number))
        assert witness.failed(WorkerDied) == []


def test_a_worker_that_is_frozen_in_the_middle_of_an_item_goes_on_later(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Somebody may be debugging it, for as long as that takes."""
    monkeypatch.setattr(patrol, "FROZEN_S", 0.02)
    with pipe() as (reading, writing), pipe() as (begun, say):

        def work(_: int) -> bytes:
            os.write(say, b"!")
            return os.read(reading, 1)

        with watched(tmp_path, work, 1) as witness:
            witness.submit(0, [0])
            os.read(begun, 1)
            (worker,) = witness.workers
            os.kill(worker.pid, signal.SIGSTOP)
            for _ in range(5):
                witness.take(2 * patrol.FROZEN_S)
            assert witness.pool.accounts.deaths == 0
            os.write(writing, b"!")
            os.kill(worker.pid, signal.SIGCONT)
            witness.take_all()
            assert witness.came == {0: b"!"}


def _warm(witness: Witness) -> None:
    """Let every worker be ready and waiting."""
    for number in range(len(witness.workers)):
        witness.submit(number, [number])
    witness.take_all()
    while not all(worker.ready for worker in witness.workers):
        witness.pool.take_in(witness.pool.wait(None))
