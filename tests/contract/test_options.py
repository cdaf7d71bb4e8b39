"""Options mean the same whatever runs the items; what an approach cannot do, it refuses before anything runs."""

from __future__ import annotations

import asyncio
import random
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import option_works
import pytest
import works
from ways import OF_COROUTINES, WAYS, as_coroutine_function, call

import corewise
from corewise import errors

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

BY_PROCESSES = [name for name in WAYS if name.startswith("processes")]
TRIED = [*WAYS, "asyncio, amap", "processes-fork, astream", "auto, amap"]
# Calls that are run at once in a process share a generator of random numbers; and of threads none can be stopped.
ONE_AT_A_TIME = [name for name in BY_PROCESSES if "per_worker" not in WAYS[name]]
LIMITED = ["asyncio", "processes-of-tasks", *ONE_AT_A_TIME, "auto", "asyncio, amap", "processes-fork, astream"]
LATER: dict[Callable[..., Any], Callable[..., Any]] = {
    works.square: works.square_later,
    works.fail_for_3_and_7: works.fail_for_3_and_7_later,
    option_works.flaky: option_works.flaky_later,
    option_works.sleep_at_3: option_works.sleep_at_3_later,
}


@pytest.fixture(params=TRIED)
def way(request: pytest.FixtureRequest) -> str:
    """Name a way to run."""
    return str(request.param)


def run(way: str, fn: Callable[..., Any], *iterables: Any, **options: Any) -> corewise.Results:
    """Run a plain function by a way; asyncio gets its twin, or wraps it."""
    if way in OF_COROUTINES:
        fn = LATER.get(fn) or as_coroutine_function(fn)
    return call(way, fn, *iterables, **options)


# -- timeout -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("way", LIMITED)
def test_an_item_that_takes_too_long_fails_alone(way: str) -> None:
    """It is stopped, named, and all others are run."""
    results = run(way, option_works.sleep_at_3, range(8), timeout=0.3, on_error="return")
    assert [value for value in results if not isinstance(value, BaseException)] == [0, 1, 2, 4, 5, 6, 7]
    (failed,) = results.failures
    assert type(failed.error) is TimeoutError
    assert failed.index == 3
    assert failed.error.__notes__ == ["item 3: 3"]
    assert "longer than" in str(failed.error)


@pytest.mark.parametrize("way", LIMITED)
def test_an_item_that_takes_too_long_is_raised(way: str) -> None:
    """As any other failure."""
    with pytest.raises(TimeoutError, match="longer than") as caught:
        run(way, option_works.sleep_at_3, range(8), timeout=0.3)
    assert caught.value.__notes__ == ["item 3: 3"]


@pytest.mark.parametrize("way", LIMITED)
def test_items_below_the_limit_know_nothing_of_it(way: str) -> None:
    """However many they are: it is the limit of each, not of all."""
    assert run(way, works.square, range(300), timeout=5) == [number * number for number in range(300)]


@pytest.mark.parametrize("way", LIMITED)
def test_a_timeout_of_the_functions_own_is_its_own(way: str) -> None:
    """It arrives as it was raised."""

    def fn(_: int) -> None:
        raise TimeoutError("the server is slow")

    with pytest.raises(TimeoutError, match="the server is slow"):
        run(way, fn, [0], timeout=5)


def test_a_coroutine_that_takes_too_long_may_clean_up() -> None:
    """It is cancelled where it waits, and the cause of the error shows where that was."""
    cleaned: list[int] = []

    async def fn(number: int) -> None:
        try:
            await asyncio.sleep(600)
        finally:
            cleaned.append(number)

    results = corewise.map(fn, range(3), approach="asyncio", timeout=0.05, on_error="return")
    assert sorted(cleaned) == [0, 1, 2]
    assert [type(value) for value in results] == [TimeoutError] * 3
    assert all(isinstance(value.__cause__, asyncio.CancelledError) for value in results)


@pytest.mark.parametrize("approach", ["sync", "threads"])
def test_what_cannot_be_stopped_refuses_a_limit(approach: str) -> None:
    """Early, and with what would work."""
    with pytest.raises(errors.OptionError, match=r"cannot be stopped.*'processes'.*'asyncio'"):
        corewise.map(works.square, [1], approach=approach, timeout=1)


def test_auto_chooses_what_can_keep_the_limit_and_tries_nothing_in_the_caller() -> None:
    """Processes for plain functions, asyncio for coroutine functions."""
    import os

    plain = corewise.map(works.process_id, range(4), timeout=10)
    assert plain.choice.approach == "processes"
    assert plain.choice.code == "time-limit"
    assert os.getpid() not in plain
    assert corewise.map(works.square_later, range(4), timeout=10).choice.approach == "asyncio"


@pytest.mark.parametrize("approach", ["sync", "threads"])
def test_the_environment_may_force_what_keeps_no_limit(approach: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is for debugging: a breakpoint must not be cut off."""
    monkeypatch.setenv("COREWISE_APPROACH", approach)
    results = corewise.map(works.wait, [0.02], timeout=0.001)
    assert results == [0.02]
    assert results.choice.approach == approach


# -- retries -----------------------------------------------------------------------------------------------------------


def test_items_that_fail_are_run_again(way: str, tmp_path: Path) -> None:
    """Two failures are forgiven, the order stays, and nothing else is run twice."""
    count = 40
    times = [2 if number in (0, 3, 17, 39) else 0 for number in range(count)]
    results = run(way, option_works.flaky, [str(tmp_path)] * count, range(count), times, ["raises"] * count, retries=2)
    assert results == list(range(count))
    assert results.stats.retries == 8
    assert (results.stats.items, results.stats.failures) == (count, 0)
    runs = [len((tmp_path / str(number)).read_text("ascii").split()) for number in range(count)]
    assert runs == [1 + each for each in times]


@pytest.mark.parametrize("on_error", ["raise", "return"])
def test_an_item_that_never_succeeds_fails_with_its_last_error(way: str, tmp_path: Path, on_error: str) -> None:
    """The notes say which item, and how often it was tried."""
    times = [9 if number == 5 else 0 for number in range(10)]
    inputs = [str(tmp_path)] * 10, range(10), times, ["raises"] * 10
    if on_error == "raise":
        with pytest.raises(ValueError, match="attempt 3 of item 5") as caught:
            run(way, option_works.flaky, *inputs, retries=2)
        error: BaseException = caught.value
    else:
        results = run(way, option_works.flaky, *inputs, retries=2, on_error="return")
        assert [failed.index for failed in results.failures] == [5]
        assert results.stats.retries == 2
        error = results[5]
        assert "attempt 3 of item 5" in str(error)
    assert error.__notes__[-1] == "attempt 3 of 3"
    assert error.__notes__[-2].startswith("item 5: ")


@pytest.mark.parametrize("way", BY_PROCESSES)
def test_items_that_end_their_process_are_run_again(way: str, tmp_path: Path) -> None:
    """A crash that does not repeat itself costs a worker and nothing more."""
    times = [1 if number in (2, 7) else 0 for number in range(10)]
    inputs = [str(tmp_path)] * 10, range(10), times, ["dies"] * 10
    alone = way in ONE_AT_A_TIME  # else any of the items that ran there may have ended it: each is lost twice at most
    results = run(way, option_works.flaky, *inputs, retries=1 if alone else 2, on_error="return")
    assert results == list(range(10))
    assert results.stats.worker_deaths in ((2,) if alone else (1, 2))


@pytest.mark.parametrize("way", LIMITED)
def test_items_that_take_too_long_are_run_again(way: str, tmp_path: Path) -> None:
    """A connection that hung may be better the next time."""
    times = [1 if number == 4 else 0 for number in range(10)]
    inputs = [str(tmp_path)] * 10, range(10), times, ["hangs"] * 10
    results = run(way, option_works.flaky, *inputs, retries=1, timeout=0.5)
    assert results == list(range(10))
    assert results.stats.retries == 1


# -- max_failures ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("allowed", [1, 0.1])
def test_a_call_stops_when_too_many_items_fail(way: str, allowed: float) -> None:
    """The error counts them, holds them, and the first one is its cause."""
    with pytest.raises(errors.TooManyFailures, match=r"2 of .* items failed") as caught:
        run(way, works.fail_for_3_and_7, range(10), on_error="return", max_failures=allowed)
    error = caught.value
    assert [failed.index for failed in error.failures] == [3, 7]
    assert error.__cause__ is error.failures[0].error
    assert error.max_failures == allowed


@pytest.mark.parametrize("allowed", [2, 0.2])
def test_as_many_items_may_fail_as_are_allowed(way: str, allowed: float) -> None:
    """Not one less."""
    results = run(way, works.fail_for_3_and_7, range(10), on_error="return", max_failures=allowed)
    assert [failed.index for failed in results.failures] == [3, 7]


# -- initializer -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("initializer", [option_works.prepare, option_works.prepare_later])
def test_an_initializer_is_called_once_in_each_worker(
    way: str, initializer: Callable[..., object], tmp_path: Path
) -> None:
    """Before its first item, and never twice in one place."""
    path = tmp_path / "log"
    results = run(way, option_works.prepared, range(50), initializer=initializer, initargs=(str(path), f"hello {way}"))
    assert results == [f"hello {way}"] * 50
    lines = path.read_text("ascii").split()
    assert len(lines) == len(set(lines))
    if way.startswith(("sync", "asyncio", "auto")):
        assert len(lines) == 1
    else:
        assert len(lines) == results.stats.workers


def test_an_initializer_that_fails_ends_the_call(way: str) -> None:
    """Its own error comes, and says that no item is to blame; it is no failure that could be returned or forgiven."""
    with pytest.raises(LookupError, match="no licence") as caught:
        run(way, works.square, range(5), initializer=option_works.refuse, on_error="return", retries=3)
    assert any("initializer" in note for note in caught.value.__notes__)
    assert not any("item" in note.split() for note in caught.value.__notes__)


def test_where_nothing_is_run_nothing_is_initialized(way: str, tmp_path: Path) -> None:
    """An empty input starts no worker."""
    path = tmp_path / "log"
    assert run(way, works.square, [], initializer=option_works.prepare, initargs=(str(path), "x")) == []
    assert not path.exists()


def test_what_an_initializer_opens_is_of_use_to_the_coroutines(way: str) -> None:
    """Both run in one event loop, so a lock or a connection made there works here."""
    if way in ONE_AT_A_TIME:
        pytest.skip("the engine's own test")
    made: list[asyncio.AbstractEventLoop] = []

    async def initializer() -> None:
        made.append(asyncio.get_running_loop())

    async def fn(_: int) -> bool:
        return asyncio.get_running_loop() in made

    assert call(way, fn, range(4), initializer=initializer) == [True] * 4


# -- seed --------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("way", ["sync", "auto", *ONE_AT_A_TIME])
@pytest.mark.parametrize("chunksize", [None, 7])
def test_with_a_seed_each_item_draws_the_same_numbers(way: str, chunksize: int | None) -> None:
    """Whatever runs it, in chunks of any size; the caller's own generator is left as it was."""
    expected = corewise.map(option_works.draw, range(30), approach="sync", seed=42)
    before = random.getstate()
    assert run(way, option_works.draw, range(30), seed=42, chunksize=chunksize) == expected
    assert random.getstate() == before
    assert len(set(expected)) == 30
    assert run(way, option_works.draw, range(30), seed=43, chunksize=chunksize) != expected


@pytest.mark.parametrize("workers", [1, 2, 3])
def test_with_a_seed_the_number_of_workers_is_of_no_matter(workers: int) -> None:
    """That is what it is for."""
    expected = corewise.map(option_works.draw, range(30), approach="sync", seed=42)
    assert corewise.map(option_works.draw, range(30), approach="processes", workers=workers, seed=42) == expected


def test_an_item_that_is_run_again_draws_the_same_numbers(tmp_path: Path) -> None:
    """So a retry changes nothing."""

    def fn(number: int) -> float:
        drawn = random.random()
        if option_works.log(f"{tmp_path}/{number}", "x") == 1:
            raise ValueError(number)
        return drawn

    expected = [one for one, _ in corewise.map(option_works.draw, range(5), approach="sync", seed=1)]
    assert corewise.map(fn, range(5), approach="sync", seed=1, retries=1) == expected


@pytest.mark.parametrize("approach", ["threads", "asyncio"])
def test_items_that_share_a_generator_refuse_a_seed(approach: str) -> None:
    """Unless there is one worker, which has it for itself."""
    fn = option_works.draw if approach == "threads" else option_works.draw_later
    for workers in (None, 2):
        with pytest.raises(errors.OptionError, match=r"share one generator.*workers=1"):
            corewise.map(fn, [1], approach=approach, workers=workers, seed=1)
    expected = corewise.map(option_works.draw, range(10), approach="sync", seed=1)
    before = random.getstate()
    assert corewise.map(fn, range(10), approach=approach, workers=1, seed=1) == expected
    assert random.getstate() == before


def test_auto_with_a_seed_uses_no_threads() -> None:
    """Waits overlap in processes then, and coroutines are run there too."""
    # In a program of its own: what the tests before have left running in this process computes, or so it seems.
    program = (
        "import corewise, time; choice = corewise.map(time.sleep, [0.03] * 30, seed=1, workers=2).choice; "
        "print(choice.approach, [one.veto for one in choice.estimates if one.approach == 'threads'])"
    )
    said = subprocess.run([sys.executable, "-c", program], check=True, capture_output=True, text=True).stdout
    assert said.split() == ["processes", "['seed']"]
    assert corewise.map(works.square_later, range(4), seed=1).choice.approach in {"sync", "processes"}


# -- the others --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("way", BY_PROCESSES)
def test_workers_are_replaced_after_so_many_items(way: str) -> None:
    """No process runs more than it may, and no item is lost or run twice."""
    results = run(way, works.process_id, range(20), max_tasks_per_worker=3)
    assert max(results.count(pid) for pid in results) <= 3
    assert len(results) == 20
    assert results.stats.worker_deaths == 0


@pytest.mark.parametrize("approach", ["sync", "threads", "asyncio"])
@pytest.mark.parametrize("option", [{"max_tasks_per_worker": 3}, {"start_method": "spawn"}])
def test_what_is_about_processes_is_refused_where_there_are_none(approach: str, option: dict[str, Any]) -> None:
    """An option that does nothing would be a lie."""
    with pytest.raises(errors.OptionError, match=r"is about worker processes.*'processes' or 'auto'"):
        corewise.map(works.square_later, [1], approach=approach, **option)


@pytest.mark.parametrize("way", ["threads", *BY_PROCESSES])
def test_workers_bear_the_name_that_was_given(way: str) -> None:
    """As process lists and log records show it."""
    names = set(run(way, option_works.worker_name, range(20), name="resize"))
    assert all(name.startswith("resize") for name in names), names


def test_workers_are_called_corewise_otherwise() -> None:
    """So one knows whose they are."""
    names = set(corewise.map(option_works.worker_name, range(20), approach="threads", workers=2))
    assert all(name.startswith("corewise") for name in names), names


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"timeout": 0}, "timeout must be a number of seconds above 0"),
        ({"timeout": -1.5}, "timeout"),
        ({"timeout": "1"}, "timeout"),
        ({"timeout": True}, "timeout"),
        ({"timeout": float("nan")}, "timeout"),
        ({"timeout": float("inf")}, "None for no limit"),
        ({"retries": -1}, "retries must be a whole number of at least 0"),
        ({"retries": None}, "retries"),
        ({"retries": 1.0}, "retries"),
        ({"max_failures": 3}, "max_failures needs on_error='return'"),
        ({"max_failures": -1, "on_error": "return"}, "max_failures"),
        ({"max_failures": 1.5, "on_error": "return"}, "share from 0.0 to 1.0"),
        ({"max_failures": True, "on_error": "return"}, "max_failures"),
        ({"max_failures": "10%", "on_error": "return"}, "max_failures"),
        ({"initializer": "prepare"}, "initializer must be a function"),
        ({"initargs": (1,)}, "none is given"),
        ({"initargs": "ab", "initializer": print}, "initargs must be a tuple"),
        ({"max_tasks_per_worker": 0}, "max_tasks_per_worker"),
        ({"seed": 1.5}, "seed must be a whole number, not 1.5"),
        ({"seed": "abc"}, "seed"),
        ({"name": ""}, "name"),
        ({"name": 3}, "name"),
        ({"name": "two\nlines"}, "name"),
        ({"chunksize": 0}, "chunksize"),
        ({"ordered": 1}, "ordered"),
        ({"buffer": 10}, "buffer bounds how far a stream"),
    ],
)
def test_wrong_options_are_refused_in_words(wrong: dict[str, Any], message: str) -> None:
    """Before anything is run."""

    def never(_: int) -> None:
        pytest.fail("it was run")

    with pytest.raises(errors.OptionError, match=message):
        corewise.map(never, [1], **wrong)
