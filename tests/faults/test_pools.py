"""`Pool` under fire: a death costs one item, whatever method it came by; nothing hangs, and nothing is left."""

from __future__ import annotations

import gc
import itertools
import os
import signal
import threading
import time
from collections import Counter
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import faulty
import pytest
import running
from signposts import PATIENCE_S

import corewise
import observe
from corewise import errors

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from signposts import Signpost

CRASHES = [("SIGKILL", None), ("SIGKILL", 1), ("SIGKILL", 4), ("SIGSEGV", None), ("exit 0", 4), ("exit 3", None)]


def die_at_three(how: str, number: int) -> int:
    """End the process at one number."""
    if number == 3:
        faulty.die(how)
    return number * number


@pytest.mark.parametrize(("how", "chunksize"), CRASHES)
def test_a_death_costs_one_item(how: str, chunksize: int | None) -> None:
    """Of a map, a starmap, an iterator and a single call; the error names it, and the others come."""
    with corewise.Pool(2) as pool:
        fn = partial(die_at_three, how)
        with pytest.raises(errors.WorkerDied, match=faulty.DEATHS[how]) as caught:
            pool.map(fn, [1, 3, 2, 0], chunksize)
        assert caught.value.__notes__ == ["item 1: 3"]
        with pytest.raises(errors.WorkerDied) as caught:
            pool.starmap(fn, [(1,), (2,), (3,)], chunksize)
        assert caught.value.__notes__ == ["item 2: (3,)"]
        iterator = pool.imap(fn, iter(range(6)), chunksize)
        assert [next(iterator) for _ in range(3)] == [0, 1, 4]
        with pytest.raises(errors.WorkerDied) as caught:
            next(iterator)
        assert caught.value.__notes__ == ["item 3: 3"]
        assert list(iterator) == [16, 25]
        told: list[BaseException] = []
        calls = [pool.apply_async(fn, (number,), error_callback=told.append) for number in range(6)]
        assert [call.get(PATIENCE_S) for call in (*calls[:3], *calls[4:])] == [0, 1, 4, 16, 25]
        with pytest.raises(errors.WorkerDied):
            calls[3].get(PATIENCE_S)
        assert isinstance(told[0], errors.WorkerDied)
        assert pool.statistics().worker_deaths == 4


def test_a_map_that_loses_a_worker_runs_every_other_item_once(tmp_path: Path) -> None:
    """Also those that the lost worker had been sent."""
    path = str(tmp_path / "log")
    with corewise.Pool(2) as pool:
        with pytest.raises(errors.WorkerDied):
            pool.map(partial(faulty.log_and_die_at, path, 50), range(100))
        assert Counter(Path(path).read_text().split()) == Counter(map(str, range(100)))


class Customer(threading.Thread):
    """Has a pool do much in one of three ways, and counts what was lost.

    Args:
        pool: the pool.
        way: 0 for maps, 1 for iterators, 2 for single calls.

    Attributes:
        lost: what failed with `WorkerDied`; a map counts once.
        error: what else was raised.
    """

    def __init__(self, pool: corewise.Pool, way: int) -> None:
        super().__init__()
        self.lost = 0
        self.error: BaseException | None = None
        self._pool = pool
        self._buy = [self._maps, self._iterators, self._single_calls][way]

    def run(self) -> None:
        """Do it four times over."""
        try:
            for _ in range(4):
                self._buy(range(600))
        except BaseException as error:  # noqa: BLE001 - to be seen in the test
            self.error = error

    def _maps(self, numbers: range) -> None:
        squares = [number * number for number in numbers]
        self._take([partial(self._pool.map, faulty.square, numbers, 7)], [squares])

    def _iterators(self, numbers: range) -> None:
        iterator = self._pool.imap(faulty.square, iter(numbers), 3)
        self._take([iterator.next] * len(numbers), [number * number for number in numbers])
        assert list(iterator) == []

    def _single_calls(self, numbers: range) -> None:
        calls = [self._pool.apply_async(faulty.square, (number,)) for number in numbers]
        self._take([partial(call.get, PATIENCE_S) for call in calls], [number * number for number in numbers])

    def _take(self, results: Sequence[Callable[[], object]], expected: Sequence[object]) -> None:
        for result, value in zip(results, expected, strict=True):
            try:
                assert result() == value
            except errors.WorkerDied:
                self.lost += 1


@pytest.mark.parametrize("start_method", ["fork", "forkserver", "spawn"])
def test_twenty_deaths_cost_no_more_than_twenty_items(start_method: str) -> None:
    """While maps, iterators and calls of three threads are under way: all end, and nothing is wrong."""
    with corewise.Pool(3, start_method=start_method) as pool:  # type: ignore[arg-type]  # one of them
        customers = [Customer(pool, way) for way in range(3)]
        for one in customers:
            one.start()
        for _ in range(20):
            with suppress(errors.WorkerDied, ProcessLookupError):  # another may have been killed while it said this
                os.kill(pool.apply(os.getpid), signal.SIGKILL)
        for one in customers:
            one.join(PATIENCE_S)
            assert not one.is_alive()
        assert [one.error for one in customers] == [None, None, None]
        assert pool.map(faulty.square, [5]) == [25]
    assert sum(one.lost for one in customers) <= 20


def test_terminate_ends_what_never_would(says: Signpost) -> None:
    """Results that are waited for elsewhere, iterators, inputs that block: all say that the pool is gone."""
    blocked = threading.Event()

    def numbers() -> Iterator[int]:
        yield from range(3)
        blocked.wait()

    told: list[object] = []
    pool = corewise.Pool(2)
    asleep = pool.apply_async(faulty.say_and_sleep, (says.path,), error_callback=told.append)
    says.hear(1)
    iterator = pool.imap(faulty.square, numbers())
    assert [next(iterator) for _ in range(3)] == [0, 1, 4]
    waiting = pool.map_async(faulty.say_and_sleep, [says.path] * 5)
    says.hear(1)
    raised: list[BaseException] = []

    def wait(call: object) -> None:
        try:
            call()  # type: ignore[operator]
        except errors.PoolTerminated as error:
            raised.append(error)

    threads = [threading.Thread(target=wait, args=(call,)) for call in (asleep.get, waiting.get, iterator.next)]
    for thread in threads:
        thread.start()
    begin = time.monotonic()
    pool.terminate()
    pool.join()
    for thread in threads:
        thread.join(PATIENCE_S)
    assert time.monotonic() - begin < 4
    assert len(raised) == 3
    assert isinstance(told[0], errors.PoolTerminated)
    with pytest.raises(errors.PoolTerminated):
        asleep.get(1)
    with pytest.raises(ValueError, match="terminated"):
        pool.apply(faulty.square, (1,))
    blocked.set()


def test_a_worker_that_does_not_heed_a_request_to_end_is_killed() -> None:
    """Nobody waits for it longer than some seconds."""
    pool = corewise.Pool(1, signal.signal, (signal.SIGTERM, signal.SIG_IGN))
    result = pool.apply_async(time.sleep, (60,))
    while not pool.statistics().running:
        time.sleep(0.001)
    begin = time.monotonic()
    pool.terminate()
    assert time.monotonic() - begin < 12
    with pytest.raises(errors.PoolTerminated):
        result.get()


def test_close_and_join_bring_all_work_to_its_end() -> None:
    """Also that of an iterator that nobody reads, of more items than its window holds."""
    pool = corewise.Pool(2)
    results = pool.map_async(faulty.square, range(1000))
    single = [pool.apply_async(faulty.square, (number,)) for number in range(50)]
    fed = pool.imap(faulty.square, iter(range(40_000)))
    sliced = pool.imap(faulty.square, range(40_000))
    with pytest.raises(ValueError, match="still running"):
        pool.join()
    pool.close()
    for call in (pool.map, pool.imap, pool.apply_async, pool.starmap):
        with pytest.raises(ValueError, match="closed"):
            call(faulty.square, [1])
    pool.join()
    assert observe.workers() == {}
    assert (results.ready(), all(one.ready() for one in single)) == (True, True)
    assert sum(results.get()) == sum(number * number for number in range(1000))
    squares = [number * number for number in range(40_000)]
    assert list(fed) == squares
    assert list(sliced) == squares


def test_a_callback_may_close_or_terminate_its_pool() -> None:
    """From whatever thread it is called in."""
    for end in ("close", "terminate"):
        pool = corewise.Pool(1)
        assert (
            pool.apply_async(faulty.square, (3,), callback=lambda _, end=end, pool=pool: getattr(pool, end)()).get()
            == 9
        )
        pool.join()


def test_a_pool_that_nobody_holds_ends_after_its_last_call(says: Signpost, gate: Signpost) -> None:
    """What was asked for comes; then nothing is left, not even for an endless iterator that is dropped."""
    pool = corewise.Pool(1)
    result = pool.map_async(partial(faulty.meet, says.path), [gate.path])
    iterator = pool.imap(faulty.square, itertools.count())
    del pool
    gc.collect()
    pids = says.hear(1)
    gate.let_through(1)
    assert list(map(str, result.get(PATIENCE_S))) == pids
    assert next(iterator) == 0
    assert observe.workers()
    del iterator, result
    gc.collect()
    observe.wait_until_gone(list(observe.workers()))  # that they are is seen to by what surrounds the test


def test_a_forked_child_is_told_to_make_its_own_pool() -> None:
    """The workers stayed in the parent."""
    with corewise.Pool(1) as pool:
        iterator = pool.imap(faulty.square, itertools.count())
        assert next(iterator) == 0
        child = os.fork()
        if child == 0:
            code = 1
            try:
                pool.map(faulty.square, [1])
            except RuntimeError as error:
                code = 0 if "make a pool in the child" in str(error) else 2
            finally:
                os._exit(code)
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
        assert next(iterator) == 1
        iterator.close()


@pytest.mark.parametrize("how", ["interrupted", "interrupted in imap"])
def test_an_interrupt_ends_a_call_at_once(how: str) -> None:
    """With one traceback at most, the caller's; workers say nothing."""
    with running.running("pool_ends", how) as process:
        running.lines_of(process, 2 if how == "interrupted" else 1)
        begin = time.monotonic()
        os.killpg(process.pid, signal.SIGINT)
        output, said = process.communicate(timeout=PATIENCE_S)
        assert time.monotonic() - begin < 3
        assert output.startswith("interrupted")
        assert said == ""
        assert process.returncode == 0
        running.assert_all_gone(process.pid)


@pytest.mark.parametrize("how", ["forgotten", "dropped", "killed"])
def test_no_worker_outlives_a_program_that_has_a_pool(how: str) -> None:
    """Whether it forgets the pool with work under way, drops it, or is killed."""
    with running.running("pool_ends", how) as process:
        if how == "killed":
            running.lines_of(process, 3)
            process.kill()
        _, said = process.communicate(timeout=PATIENCE_S)
        assert said == ""
        assert process.returncode == (-signal.SIGKILL if how == "killed" else 0)
        running.assert_all_gone(process.pid)


def test_a_thread_may_use_its_pool_when_the_main_program_is_over() -> None:
    """As with multiprocessing: what is waited for is not killed."""
    assert running.run("pool_ends", "thread") == f"{sum(number * number for number in range(1000))}\n"
