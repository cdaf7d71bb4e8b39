"""A time limit kills: whatever the task does, it ends near its limit, and nobody else is hurt."""

from __future__ import annotations

import os
from collections import Counter
from concurrent.futures import TimeoutError as FutureTimeoutError
from pathlib import Path
from typing import TYPE_CHECKING

import faulty
import pytest
from expectations import assert_takes_work
from signposts import PATIENCE_S

import corewise
import observe
from corewise import errors

if TYPE_CHECKING:
    from collections.abc import Callable

    from signposts import Signpost

    Open = Callable[..., corewise.ProcessExecutor]

LIMIT_S = 0.3


@pytest.mark.parametrize("how", list(faulty.ENDLESS))
def test_a_task_over_its_limit_is_killed_and_no_other(
    open_executor: Open, start_method: str, how: str, tmp_path: Path
) -> None:
    """Those that wait behind it, and those beside it, are run once each."""
    path = str(tmp_path / "log")
    with open_executor(2, start_method) as executor:
        executor.submit(faulty.square, 0).result(PATIENCE_S)
        endless = executor.options(timeout=LIMIT_S).submit(faulty.ENDLESS[how])
        others = [executor.submit(faulty.log_and_square, path, number) for number in range(40)]
        error = endless.exception(PATIENCE_S)
        assert isinstance(error, TimeoutError), repr(error)
        assert not isinstance(error, errors.WorkerDied)
        assert [future.result(PATIENCE_S) for future in others] == [number * number for number in range(40)]
        assert_takes_work(executor)
    assert Counter(Path(path).read_text().split()) == Counter(map(str, range(40)))


def test_the_worker_of_a_task_over_its_limit_is_really_gone(open_executor: Open, says: Signpost) -> None:
    """Not merely given up."""
    with open_executor(1) as executor:
        endless = executor.options(timeout=LIMIT_S).submit(faulty.say_and_sleep, says.path)
        (pid,) = map(int, says.hear(1))
        assert isinstance(endless.exception(PATIENCE_S), TimeoutError)
        observe.wait_until_gone([pid], PATIENCE_S)
        assert pid not in observe.workers()


def test_all_workers_may_be_over_their_limit_at_once(open_executor: Open) -> None:
    """As many time-outs as workers, twice."""
    with open_executor(2) as executor:
        limited = executor.options(timeout=LIMIT_S)
        for future in [limited.submit(faulty.sleep_for_ever) for _ in range(4)]:
            assert isinstance(future.exception(PATIENCE_S), TimeoutError)
        assert_takes_work(executor)


def test_a_task_within_its_limit_is_left_alone(open_executor: Open) -> None:
    """Time spent waiting for a worker does not count."""
    with open_executor(1) as executor:
        limited = executor.options(timeout=PATIENCE_S)
        pid = executor.submit(os.getpid).result(PATIENCE_S)
        futures = [limited.submit(faulty.square, number) for number in range(50)]
        assert [future.result(PATIENCE_S) for future in futures] == [number * number for number in range(50)]
        assert executor.submit(os.getpid).result(PATIENCE_S) == pid


def test_waiting_for_a_worker_is_not_counted(open_executor: Open) -> None:
    """Ten tasks of half the limit each, one worker."""
    with open_executor(1) as executor:
        executor.submit(faulty.square, 0).result(PATIENCE_S)
        limited = executor.options(timeout=2.0)
        futures = [limited.submit(faulty.rest, 0.3) for _ in range(10)]
        assert [future.result(PATIENCE_S) for future in futures] == [0.3] * 10


def test_a_frozen_worker_is_caught_by_the_limit(open_executor: Open, says: Signpost) -> None:
    """A process that is stopped can still be killed."""
    with open_executor(1) as executor:
        frozen = executor.options(timeout=LIMIT_S).submit(faulty.freeze)
        assert isinstance(frozen.exception(PATIENCE_S), TimeoutError)
        assert_takes_work(executor)


def test_waiting_for_a_result_is_no_limit_of_the_task(open_executor: Open, says: Signpost, gate: Signpost) -> None:
    """`result(timeout)` gives up waiting, as the standard library's does, and the task goes on."""
    with open_executor(1) as executor:
        future = executor.submit(faulty.meet, says.path, gate.path)
        (pid,) = map(int, says.hear(1))
        with pytest.raises(FutureTimeoutError):
            future.result(0.01)
        gate.let_through(1)
        assert future.result(PATIENCE_S) == pid


@pytest.mark.parametrize("how", list(faulty.ENDLESS))
def test_a_map_loses_the_item_over_its_limit_and_no_chunk_mate(start_method: str, how: str, tmp_path: Path) -> None:
    """What was finished of its chunk is kept, what came behind it is run elsewhere: each item once."""
    path = str(tmp_path / "log")
    results = corewise.map(
        faulty.log_and_endless_at,
        [path] * 40,
        [how] * 40,
        [17] * 40,
        range(40),
        approach="processes",
        workers=2,
        chunksize=10,
        timeout=LIMIT_S,
        start_method=start_method,
        on_error="return",
    )
    assert [failure.index for failure in results.failures] == [17]
    assert isinstance(results[17], TimeoutError), repr(results[17])
    assert [value for number, value in enumerate(results) if number != 17] == [
        number * number for number in range(40) if number != 17
    ]
    assert Counter(Path(path).read_text().split()) == Counter(map(str, range(40)))


def test_a_map_raises_the_first_time_out() -> None:
    """With the item's number."""
    with pytest.raises(TimeoutError) as caught:
        corewise.map(
            faulty.endless_at, ["asleep"] * 10, [3] * 10, range(10), approach="processes", workers=2, timeout=LIMIT_S
        )
    assert any("item 3" in note for note in caught.value.__notes__)
