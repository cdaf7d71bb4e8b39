"""What a patrol decides, with workers that stand at any line and a clock that can be turned on."""

from __future__ import annotations

from time import monotonic
from typing import TYPE_CHECKING, Any

import pool_model
import pytest

from corewise._engine.patrol import FROZEN_S, STUCK_S, TAIL_S
from corewise._engine.schedule import ONE_AHEAD_BELOW_S

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from pool_model import Pool, Worker

    Opened = Callable[..., tuple[Pool, Any]]


@pytest.fixture
def opened() -> Iterator[Callable[..., tuple[Pool, Any]]]:
    """Open a pool in which one worker holds chunks of some sizes, all at once; others hold nothing, or are missing."""
    pools: list[Pool] = []

    def open_pool(
        *sizes: int, idle: int = 1, missing: int = 0, timeout_s: float | None = None, whole: str = ""
    ) -> tuple[Pool, Any]:
        pool = pool_model.Pool(1 + idle + missing, pool_model.Nature(slow=frozenset([2])), timeout_s=timeout_s)
        pools.append(pool)
        pool.join()
        worker = pool.members[1]
        if len(sizes) > 1:  # only where a chunk was short are others sent ahead
            pool.submit(1)
            worker.run_until(lambda: bool(worker.outbox))
            pool.read(1)
        for size, kind in zip(sizes, whole or "." * len(sizes), strict=True):
            pool.quick = kind == "w"
            pool.submit(size)
        pool.quick = False
        worker.run_until(lambda: len(worker.inbox) == len(sizes) and worker.ledger.at() is None)
        for _ in range(idle):
            pool.join()
        return pool, worker

    yield open_pool
    for pool in pools:
        pool.close()


def later(pool: Pool, seconds: float) -> None:
    """Turn the clock on."""
    pool.now_s = lambda: monotonic() + seconds


def at(worker: Worker) -> int | None:
    """Return the position that a worker is at."""
    place = worker.ledger.at()
    return None if place is None else place[0]


def finish(pool: Pool) -> None:
    """Let all go on to the end; the pool sees to it that nothing is run or comes twice."""
    while pool.schedule.unfinished:
        for number, worker in sorted(pool.members.items()):
            if worker.can_go_on:
                worker.step()
            pool.read(number)
    assert sorted(pool.out) == list(range(pool.submitted))


# -- taking back -------------------------------------------------------------------------------------------------------


def test_a_worker_in_the_middle_of_a_chunk_keeps_the_item_it_is_at(opened: Opened) -> None:
    """What stands behind it goes to the idle one, also when the results before have not been sent."""
    pool, worker = opened(6)
    worker.run_until(lambda: at(worker) == 1)
    pool.take_back()
    assert [held.chunk.items for held in pool.schedule.held_by(1)] == [[0, 1]]
    assert [index for held in pool.schedule.held_by(2) for index in held.chunk.items] == [2, 3]
    finish(pool)


def test_a_worker_that_has_not_looked_at_its_chunk_keeps_the_first_item(opened: Opened) -> None:
    """Otherwise items could go round and round among workers that are still being started."""
    pool, _ = opened(6)
    pool.take_back()
    assert pool.schedule.held_by(1)[0].chunk.items == [0]
    finish(pool)


def test_nothing_is_taken_while_nobody_is_idle(opened: Opened) -> None:
    """It would only be given back."""
    pool, worker = opened(6, idle=0)
    worker.run_until(lambda: at(worker) == 1)
    pool.take_back()
    assert pool.schedule.held_by(1)[0].chunk.items == [0, 1, 2, 3, 4, 5]
    finish(pool)


@pytest.mark.parametrize("sizes", [(6,), (1, 5)], ids=["in its chunk", "in the next one"])
def test_for_what_waits_behind_a_long_item_a_missing_worker_is_worth_its_start(
    opened: Opened, sizes: tuple[int, ...]
) -> None:
    """A short item is sooner done than a worker started; and one that has begun none says nothing yet."""
    pool, worker = opened(*sizes, idle=0, missing=1)
    later(pool, 9.0)
    pool.take_back()
    assert pool.schedule.wanted == 0
    first = pool.schedule.held_by(1)[0].position
    worker.run_until(lambda: at(worker) == first)
    began_s = worker.ledger.at()[1]
    pool.now_s = lambda: began_s + 0.9 * ONE_AHEAD_BELOW_S
    pool.take_back()
    assert pool.schedule.wanted == 0
    assert pool.patrol.due_s(pool.members, limited=False) <= ONE_AHEAD_BELOW_S
    pool.now_s = lambda: began_s + 1.1 * ONE_AHEAD_BELOW_S
    pool.take_back()
    assert pool.schedule.wanted == 1
    pool.join()
    assert pool.schedule.held_by(2)
    finish(pool)


@pytest.mark.parametrize("steps", range(60))
def test_wherever_a_worker_stands_nothing_is_run_twice(opened: Opened, steps: int) -> None:
    """At each of its steps through two chunks, the parent not having read anything since it sent them."""
    pool, worker = opened(4, 4)
    for _ in range(steps):
        if worker.can_go_on:
            worker.step()
    pool.take_back()
    finish(pool)


@pytest.mark.parametrize("whole", ["w.", ".w", "ww"])
@pytest.mark.parametrize("steps", range(40))
def test_what_is_run_without_looking_up_is_not_taken_back(opened: Opened, steps: int, whole: str) -> None:
    """Once it is begun, that is, be it the first or the second chunk; before that, all of it or nothing."""
    pool, worker = opened(4, 4, whole=whole)
    for _ in range(steps):
        if worker.can_go_on:
            worker.step()
    pool.take_back()
    for held in pool.schedule.held_by(1):
        assert not held.whole or len(held.chunk.items) == 4
    finish(pool)


@pytest.mark.parametrize("steps", range(30))
def test_what_was_taken_back_first_stays_taken_when_more_is(opened: Opened, steps: int) -> None:
    """The worker has finished what it kept, which was fetched, and has not yet looked up since; then it gets more."""
    pool, worker = opened(6)
    worker.run_until(lambda: at(worker) == 1)
    pool.take_back()
    worker.run_until(lambda: worker.at is None)  # its result is written down
    pool.fetch()
    pool.submit(4)
    for number in (2, 1):  # so that there is an idle worker again
        if number == 2:
            pool.members[2].run_until(lambda: not pool.members[2].can_go_on)
            pool.read(2)
    for _ in range(steps):
        if worker.can_go_on:
            worker.step()
    pool.take_back()
    finish(pool)


# -- stuck results -----------------------------------------------------------------------------------------------------


def test_results_that_wait_for_a_later_item_are_found(opened: Opened) -> None:
    """Once it has lasted, as others come by themselves. And their own message, when it comes at last, tells nothing."""
    pool, worker = opened(5, idle=0)
    worker.run_until(lambda: at(worker) == 2)
    assert list(pool.patrol.stuck(pool.members)) == []
    later(pool, STUCK_S)
    ((found, held, reached),) = pool.patrol.stuck(pool.members)
    assert (found, held.position, len(reached.records)) == (worker, 0, 2)
    pool.fetch()
    assert pool.out == {0: "fetched", 1: "fetched"}
    assert list(pool.patrol.stuck(pool.members)) == []
    finish(pool)
    assert pool.out[2] == "done"


@pytest.mark.parametrize("steps", range(30))
def test_results_are_fetched_at_any_moment(opened: Opened, steps: int) -> None:
    """Between any two steps, some of them sent already and not yet read; the worker may die just afterwards."""
    pool, worker = opened(4, idle=1)
    for _ in range(steps):
        if worker.can_go_on:
            worker.step()
    pool.fetch()
    pool.take_back()
    if steps % 2:
        pool.die(1)
    finish(pool)


def test_a_single_item_has_nothing_stuck_before_it(opened: Opened) -> None:
    """There is nothing to be read from its ledger."""
    pool, worker = opened(1, idle=0)
    worker.run_until(lambda: at(worker) == 0)
    assert list(pool.patrol.stuck(pool.members)) == []
    assert pool.patrol.due_s(pool.members, limited=False) == FROZEN_S


# -- limits of time ----------------------------------------------------------------------------------------------------


def test_an_item_is_overdue_when_its_time_is_up_and_not_before(opened: Opened) -> None:
    """Counted from its own beginning, not from that of its chunk."""
    pool, worker = opened(3, idle=0, timeout_s=50.0)
    worker.run_until(lambda: at(worker) == 0)
    later(pool, 49.0)
    assert pool.patrol.overdue(pool.members) == []
    later(pool, 50.0)
    assert pool.patrol.overdue(pool.members) == [(worker, 50.0)]
    assert pool.patrol.is_overdue(worker)
    worker.run_until(lambda: at(worker) == 1)
    later(pool, 49.0)
    assert pool.patrol.overdue(pool.members) == []
    assert not pool.patrol.is_overdue(worker)


def test_an_item_that_has_just_ended_is_not_overdue(opened: Opened) -> None:
    """Its result stands in the ledger, or is being sent: then the parent may be as slow as it likes."""
    pool, worker = opened(3, idle=0, timeout_s=50.0)
    later(pool, 60.0)
    worker.run_until(lambda: at(worker) == 2)
    assert pool.patrol.is_overdue(worker)
    worker.run_until(lambda: worker.at is None)
    assert not pool.patrol.is_overdue(worker)
    worker.run_until(lambda: bool(worker.outbox))
    assert pool.patrol.overdue(pool.members) == []


def test_nothing_is_overdue_while_nothing_runs(opened: Opened) -> None:
    """A worker may take its time to start, and to wait."""
    pool, worker = opened(3, idle=1, timeout_s=50.0)
    later(pool, 1000.0)
    assert pool.patrol.overdue(pool.members) == []
    assert not pool.patrol.is_overdue(worker)
    assert not pool.patrol.is_overdue(pool.members[2])


def test_an_item_of_the_next_chunk_is_not_taken_for_one_of_the_first(opened: Opened) -> None:
    """The first is through, and nobody has read so yet."""
    pool, worker = opened(2, 2, idle=0, timeout_s=50.0)
    worker.run_until(lambda: at(worker) == 3)
    later(pool, 60.0)
    assert pool.patrol.overdue(pool.members) == []
    pool.read(1)
    assert pool.patrol.overdue(pool.members) == [(worker, 50.0)]


def test_a_worker_that_was_told_to_end_is_left_alone(opened: Opened) -> None:
    """The schedule has forgotten it."""
    pool, worker = opened(1, timeout_s=50.0)
    worker.run_until(lambda: at(worker) == 0)
    pool.schedule.left(1)
    assert not pool.patrol.is_overdue(worker)
    worker.retired = True
    later(pool, 60.0)
    assert pool.patrol.overdue(pool.members) == []


# -- how long to wait --------------------------------------------------------------------------------------------------


def test_one_looks_again_as_soon_as_something_may_be_due(opened: Opened) -> None:
    """Soon where somebody idles, or results may be stuck; when its time is up where an item has a limit."""
    assert TAIL_S < STUCK_S < FROZEN_S
    pool, _ = opened(3, idle=1)
    assert pool.patrol.due_s(pool.members, limited=False) == TAIL_S
    pool, _ = opened(3, idle=0)
    assert pool.patrol.due_s(pool.members, limited=False) == STUCK_S
    pool, worker = opened(1, idle=0, timeout_s=0.5)
    worker.run_until(lambda: at(worker) == 0)
    later(pool, 0.4)
    assert 0.0 <= pool.patrol.due_s(pool.members, limited=True) <= 0.1
    later(pool, 9.0)
    assert pool.patrol.due_s(pool.members, limited=True) == 0.0


# -- frozen processes --------------------------------------------------------------------------------------------------


def test_a_worker_that_is_stopped_before_its_work_is_frozen_after_a_while(opened: Opened) -> None:
    """One look could have hit a moment; and one that went on in between begins anew."""
    pool, worker = opened(3, idle=0)
    worker.is_stopped = True
    assert pool.patrol.frozen(pool.members) == []
    later(pool, FROZEN_S * 2)
    worker.is_stopped = False
    assert pool.patrol.frozen(pool.members) == []
    worker.is_stopped = True
    later(pool, FROZEN_S * 3)
    assert pool.patrol.frozen(pool.members) == []
    later(pool, FROZEN_S * 5)
    assert pool.patrol.frozen(pool.members) == [worker]


def test_the_system_is_not_asked_again_and_again_whether_a_worker_is_stopped(opened: Opened) -> None:
    """Only a few times in the while that it takes to call one frozen."""
    pool, worker = opened(3, idle=0)
    assert pool.patrol.frozen(pool.members) == []
    worker.is_stopped = True
    assert pool.patrol.frozen(pool.members) == []  # not seen
    later(pool, FROZEN_S * 1.5)
    assert pool.patrol.frozen(pool.members) == []  # for the first time
    later(pool, FROZEN_S * 3)
    assert pool.patrol.frozen(pool.members) == [worker]


def test_a_worker_that_is_stopped_in_the_middle_of_an_item_is_left_alone(opened: Opened) -> None:
    """Somebody may be debugging it. So is one that holds nothing: it hinders nobody."""
    pool, worker = opened(3, idle=1)
    worker.run_until(lambda: at(worker) == 1)
    worker.is_stopped = pool.members[2].is_stopped = True
    for seconds in (0.0, 10.0, 20.0):
        later(pool, seconds)
        assert pool.patrol.frozen(pool.members) == []
