"""A worker process that runs several calls at once promises what one does that runs them one by one."""

from __future__ import annotations

import asyncio
import contextvars
import logging
import os
import signal
from collections import Counter
from typing import TYPE_CHECKING, Any

import programs
import pytest
import several_works as works

import corewise
from corewise import errors

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

EACH = works.SIDE_BY_SIDE
LATER: dict[Callable[..., Any], Callable[..., Any]] = {
    works.meet: works.meet_later,
    works.meet_and_die: works.meet_and_die_later,
    works.log_and_die_at: works.log_and_die_at_later,
    works.grow: works.grow_later,
    works.say: works.say_later,
    works.who: works.who_later,
}


@pytest.fixture(params=["threads", "tasks"])
def kind(request: pytest.FixtureRequest) -> str:
    """Name what runs several calls in a process."""
    return str(request.param)


@pytest.fixture(params=["fork", "forkserver", "spawn"])
def start_method(request: pytest.FixtureRequest) -> str:
    """Name a start method."""
    return str(request.param)


def run(kind: str, fn: Callable[..., Any], *iterables: Any, **options: Any) -> corewise.Results:
    """Run a function, or its twin."""
    fn = LATER[fn] if kind == "tasks" else fn
    return corewise.map(fn, *iterables, approach="processes", **{"workers": 2, "per_worker": EACH, **options})


def test_so_many_calls_are_under_way_in_each_process(kind: str, start_method: str) -> None:
    """They wait for each other: fewer would wait for ever, and more are never there."""
    results = run(kind, works.meet, range(4 * EACH), workers=1, start_method=start_method)
    assert [number for number, _, _ in results] == list(range(4 * EACH))
    assert {most for _, most, _ in results} == {EACH}
    assert len({pid for _, _, pid in results}) == 1
    assert (results.choice.workers, results.choice.per_worker, results.stats.workers) == (1, EACH, 1)
    assert "with 3 calls at once each" in str(results.choice)


def test_an_event_loop_lives_as_long_as_its_worker(start_method: str) -> None:
    """There is one in each process."""
    fn = works.loop_of_mine
    found = corewise.map(fn, range(40), approach="processes", workers=2, per_worker=4, start_method=start_method)
    assert len(set(found)) == len({pid for pid, _ in found}) == 2


def test_a_death_costs_the_calls_that_were_under_way_in_that_process(
    kind: str, start_method: str, tmp_path: Path
) -> None:
    """Each is named, with those beside it; the others are run by another process."""
    path = str(tmp_path / "died")
    options: dict[str, Any] = {"start_method": start_method, "workers": 1, "on_error": "return"}
    results = run(kind, works.meet_and_die, [path] * 20, range(20), [1] * 20, **options)
    assert [failed.index for failed in results.failures] == [0, 1, 2]
    for failed in results.failures:
        assert isinstance(failed.error, errors.WorkerDied)
        assert "killed by SIGKILL" in failed.error.reason
        others = ", ".join(str(other) for other in range(3) if other != failed.index)
        beside, named = failed.error.__notes__
        assert beside.endswith(f"any of which may have ended it: {others}")
        assert named.startswith(f"item {failed.index}: ")
    assert results[3:] == [number * number for number in range(3, 20)]
    assert results.stats.worker_deaths == 1


def test_what_a_death_has_cost_is_run_again_if_asked(kind: str, tmp_path: Path) -> None:
    """Each of the calls has failed once."""
    path = str(tmp_path / "died")
    results = run(kind, works.meet_and_die, [path] * 9, range(9), [2] * 9, workers=1, retries=1)
    assert results == [number * number for number in range(9)]
    assert (results.stats.retries, results.stats.worker_deaths) == (3, 1)


@pytest.mark.parametrize("chunksize", [None, 4])
def test_a_death_loses_nothing_that_was_finished_and_runs_nothing_twice(
    kind: str, chunksize: int | None, tmp_path: Path
) -> None:
    """Whatever was under way is among the failures, and all else is run once."""
    path = tmp_path / "log"
    numbers = range(90)
    options: dict[str, Any] = {"on_error": "return", "chunksize": chunksize}
    results = run(kind, works.log_and_die_at, [str(path)] * 90, numbers, [40] * 90, **options)
    lines = path.read_text(encoding="ascii").split()
    begun = Counter(int(line[1:]) for line in lines if line[0] == "+")
    ended = {int(line[1:]) for line in lines if line[0] == "-"}
    failed = {failure.index for failure in results.failures}
    assert max(begun.values()) == 1, "some item was run twice"
    # A thread may have written down that it begins an item, and not come to its first line.
    assert set(numbers) - set(begun) <= (failed if kind == "threads" else set())
    assert set(numbers) - ended <= failed
    assert 40 in failed
    assert len(failed) <= EACH
    assert {n: results[n] for n in numbers if n not in failed} == {n: n * n for n in numbers if n not in failed}


def test_large_arguments_and_results_come_whole(kind: str) -> None:
    """They need blocks, and answers to them, while other calls send theirs."""
    data = [bytes([number]) * (100_000 * (1 + number % 4)) for number in range(60)]
    assert run(kind, works.grow, data, range(60)) == [one + bytes([number]) for number, one in enumerate(data)]


def test_a_coroutine_that_takes_too_long_is_cancelled_and_nothing_else(start_method: str) -> None:
    """Its process lives on."""
    options: dict[str, Any] = {"start_method": start_method, "timeout": 0.2, "on_error": "return"}
    results = corewise.map(works.hang_at_5, range(12), approach="processes", workers=2, per_worker=3, **options)
    (failed,) = results.failures
    assert (failed.index, type(failed.error)) == (5, TimeoutError)
    assert "took longer than 0.2 s, so it was cancelled" in str(failed.error)
    assert [results[number] for number in range(12) if number != 5] == [n for n in range(12) if n != 5]
    assert results.stats.worker_deaths == 0


def test_a_call_that_cancels_itself_fails_alone() -> None:
    """Its task is its own."""
    results = corewise.map(
        works.cancel_itself_at_2, range(8), approach="processes", workers=1, per_worker=3, on_error="return"
    )
    assert [(one.index, type(one.error)) for one in results.failures] == [(2, asyncio.CancelledError)]


def test_a_task_of_the_functions_own_that_ends_the_loop_ends_the_worker() -> None:
    """Nothing hangs: the calls that it was at have failed, the others are run."""
    fn = works.leave_a_task_that_exits
    results = corewise.map(fn, range(12), approach="processes", workers=1, per_worker=3, on_error="return")
    failed = {one.index: one.error for one in results.failures}
    assert 1 in failed
    assert len(failed) <= 3
    assert all(isinstance(error, errors.WorkerDied) for error in failed.values())


def test_what_calls_log_bears_their_own_index(kind: str, caplog: pytest.LogCaptureFixture) -> None:
    """Also in tasks and threads that a coroutine starts."""
    with caplog.at_level(logging.WARNING, "corewise.tests"):
        run(kind, works.say, range(30))
    said = [(int(record.getMessage().split()[-1]), record.__dict__["corewise_item"]) for record in caplog.records]
    assert sorted(said) == sorted((number, number) for number in [*range(30)] * (1 if kind == "threads" else 2))


def test_calls_see_the_callers_context_variables(kind: str, start_method: str) -> None:
    """What a coroutine sets is seen by no other."""

    def called() -> list[str]:
        works.tenant.set("acme")
        return list(run(kind, works.who, range(12), start_method=start_method))

    assert contextvars.copy_context().run(called) == [f"acme {number}" for number in range(12)]


def test_a_stream_and_an_awaited_call_run_several_in_each_worker(kind: str) -> None:
    """They are the same calls, driven otherwise."""
    fn = LATER[works.meet] if kind == "tasks" else works.meet
    how: dict[str, Any] = {"approach": "processes", "workers": 1, "per_worker": EACH}
    with corewise.stream(fn, range(3 * EACH), **how) as streamed:
        assert {most for _, most, _ in streamed} == {EACH}

    async def awaited() -> list[Any]:
        return list(await corewise.amap(fn, range(3 * EACH), **how))

    assert {most for _, most, _ in asyncio.run(awaited())} == {EACH}


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"approach": "threads", "per_worker": 2}, r"per_worker=2 .* not with approach='threads'\."),
        ({"approach": "sync", "per_worker": 1}, r"per_worker=1 .* not with approach='sync'\."),
        ({"per_worker": 2}, r"not with approach='auto'; it chooses by itself"),
        ({"approach": "processes", "per_worker": 2, "seed": 1}, r"share one generator.*per_worker=1"),
        ({"approach": "processes", "per_worker": 2, "timeout": 1}, r"cannot keep to timeout=1.*coroutine function"),
        ({"approach": "processes", "per_worker": 0}, r"per_worker"),
    ],
)
def test_what_cannot_be_done_is_refused_before_anything_runs(options: dict[str, Any], said: str) -> None:
    """An option that does nothing would be a lie."""
    with pytest.raises(errors.OptionError, match=said):
        corewise.map(abs, [1], **options)


def test_one_call_at_a_time_is_what_there_is_without_it() -> None:
    """It may be said, with all that goes with it."""
    results = corewise.map(abs, range(9), approach="processes", workers=2, per_worker=1, seed=1, timeout=60)
    assert (list(results), results.choice.per_worker) == (list(range(9)), 1)


@pytest.fixture
def started() -> Iterator[list[Any]]:
    """Give a place for programs, which are killed in the end."""
    processes: list[Any] = []
    yield processes
    for process in processes:
        process.kill()
        process.communicate()


def test_ctrl_c_ends_it_with_one_traceback(kind: str, started: list[Any]) -> None:
    """All calls wait; SIGINT goes to the whole process group, as a terminal sends it."""
    text = f"""
import asyncio, os, time
import corewise

def wait(_):
    os.write(1, b"%d\\n" % os.getpid())  # a line as a whole, whoever else writes
    time.sleep(600)

async def wait_later(_):
    os.write(1, b"%d\\n" % os.getpid())  # a line as a whole, whoever else writes
    await asyncio.sleep(600)

fn = wait_later if {kind!r} == "tasks" else wait
corewise.map(fn, range(20), approach="processes", workers=2, per_worker=3)
"""
    process = programs.start(text)
    started.append(process)
    pids = {int(line) for line in programs.wait_for_lines(process, 6)}
    os.killpg(process.pid, signal.SIGINT)
    _, said = process.communicate(timeout=15)
    assert process.returncode in (130, -signal.SIGINT)
    assert said.count("Traceback") == 1, said
    assert said.rstrip().endswith("KeyboardInterrupt"), said
    assert len(pids) == 2
    assert programs.gone_within(sorted(pids), 5) == []
