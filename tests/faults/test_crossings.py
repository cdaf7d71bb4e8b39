"""The four crossings, argument and result, pickled and unpickled: whoever misbehaves there fails alone."""

from __future__ import annotations

import gc
import os
import pickle
import threading
import traceback
from concurrent.futures import Future
from typing import TYPE_CHECKING, Any

import faulty
import pytest
from expectations import assert_takes_work, in_thread
from signposts import PATIENCE_S

from corewise import errors

if TYPE_CHECKING:
    from collections.abc import Callable

    import corewise

    Open = Callable[..., corewise.ProcessExecutor]

QUIETLY_BAD = ["raises", "exits", "interrupts", "raises a BaseException", "recurses"]
DEADLY = ["SIGSEGV", "SIGKILL", "exit 0"]


def among_others(executor: corewise.ProcessExecutor, bad: Callable[[], Future[Any]]) -> BaseException | None:
    """Submit one task among twenty good ones, require that those succeed, and return the bad one's error.

    What is no `Exception`, raised while its argument is pickled, may also come out of the bad one's own `submit`.
    """
    before = [executor.submit(faulty.square, number) for number in range(10)]
    future: Future[Any] = Future()
    try:
        future = bad()
    except (SystemExit, KeyboardInterrupt, faulty.OwnBase) as error:
        future.set_exception(error)
    after = [executor.submit(faulty.square, number) for number in range(10)]
    assert [future.result(PATIENCE_S) for future in [*before, *after]] == [number * number for number in range(10)] * 2
    error = future.exception(PATIENCE_S)
    assert_takes_work(executor)
    return error


@pytest.mark.parametrize("what", QUIETLY_BAD)
def test_an_argument_that_cannot_be_pickled_fails_alone(open_executor: Open, start_method: str, what: str) -> None:
    """Whatever it raises, the future gets it, and whichever thread pickled it lives on."""
    with open_executor(2, start_method) as executor:
        executor.submit(faulty.square, 0).result(PATIENCE_S)
        # In a thread of its own no KeyboardInterrupt can be the user's.
        error = in_thread(
            lambda: among_others(executor, lambda: executor.submit(faulty.kind, faulty.troublesome("pickle", what)))
        )
        assert_is_the_trouble(error, what)


@pytest.mark.parametrize("what", QUIETLY_BAD)
def test_an_argument_that_cannot_be_unpickled_fails_alone(open_executor: Open, start_method: str, what: str) -> None:
    """The worker lives on."""
    with open_executor(1, start_method) as executor:
        pid = executor.submit(os.getpid).result(PATIENCE_S)
        error = among_others(executor, lambda: executor.submit(faulty.kind, faulty.troublesome("unpickle", what)))
        assert_is_the_trouble(error, what)
        assert executor.submit(os.getpid).result(PATIENCE_S) == pid


@pytest.mark.parametrize("what", QUIETLY_BAD)
def test_a_result_that_cannot_be_pickled_fails_alone(open_executor: Open, start_method: str, what: str) -> None:
    """The worker lives on."""
    with open_executor(1, start_method) as executor:
        pid = executor.submit(os.getpid).result(PATIENCE_S)
        error = among_others(executor, lambda: executor.submit(faulty.make_crossing, "pickle", what))
        assert_is_the_trouble(error, what)
        assert executor.submit(os.getpid).result(PATIENCE_S) == pid


@pytest.mark.parametrize("what", QUIETLY_BAD)
def test_a_result_that_cannot_be_unpickled_fails_alone(open_executor: Open, start_method: str, what: str) -> None:
    """The thread of this process that unpickled it lives on, and whoever waits for another result hears nothing."""
    with open_executor(2, start_method) as executor:
        executor.submit(faulty.square, 0).result(PATIENCE_S)
        error = in_thread(
            lambda: among_others(executor, lambda: executor.submit(faulty.make_crossing, "unpickle", what))
        )
        assert_is_the_trouble(error, what)


def assert_is_the_trouble(error: BaseException | None, what: str) -> None:
    """Require that the error is what was raised on the way, or ours with the reason."""
    assert error is not None
    assert not isinstance(error, errors.WorkerDied), repr(error)
    expected = {
        "raises": "on purpose",
        "exits": "SystemExit: 77",
        "interrupts": "KeyboardInterrupt",
        "raises a BaseException": "of my own",
        "recurses": "recursion",
    }[what]
    assert expected in "".join(traceback.format_exception(error))


@pytest.mark.parametrize("how", DEADLY)
def test_an_argument_that_kills_whoever_unpickles_it_costs_itself(
    open_executor: Open, start_method: str, how: str
) -> None:
    """It is not sent to one worker after another."""
    with open_executor(2, start_method) as executor:
        error = among_others(executor, lambda: executor.submit(faulty.kind, faulty.troublesome("unpickle", how)))
        assert isinstance(error, errors.WorkerDied), repr(error)
        assert faulty.DEATHS[how] in str(error)


@pytest.mark.parametrize("how", DEADLY)
def test_a_result_that_kills_whoever_pickles_it_costs_itself(open_executor: Open, start_method: str, how: str) -> None:
    """The task had ended; its result had not."""
    with open_executor(2, start_method) as executor:
        error = among_others(executor, lambda: executor.submit(faulty.make_crossing, "pickle", how))
        assert isinstance(error, errors.WorkerDied), repr(error)
        assert faulty.DEATHS[how] in str(error)


def test_what_cannot_be_pickled_is_named(open_executor: Open) -> None:
    """The message says which part of which argument, or that it was the result."""
    lock = threading.Lock()
    with open_executor(1) as executor:
        error = executor.submit(faulty.kind, {"in": [lock]}).exception(PATIENCE_S)
        assert isinstance(error, errors.CannotTravel), repr(error)
        assert "_thread.lock" in str(error)
        assert "'in'" in str(error)
        error = executor.submit(_make_lock).exception(PATIENCE_S)
        assert isinstance(error, errors.CannotTravel), repr(error)
        assert "result" in str(error)
        assert "_thread.lock" in str(error)


def _make_lock() -> object:
    return {"in": [threading.Lock()]}


def test_a_function_that_cannot_be_pickled_fails_alone(open_executor: Open, start_method: str) -> None:
    """Its neighbours have functions of their own."""
    lock = threading.Lock()
    with open_executor(2, start_method) as executor:
        error = among_others(executor, lambda: executor.submit(lambda: lock))
        assert isinstance(error, (errors.CannotTravel, TypeError)), repr(error)
        assert executor.submit(lambda: 5).result(PATIENCE_S) == 5


@pytest.mark.parametrize("name", list(faulty.ODD_EXCEPTIONS))
def test_odd_exceptions_arrive(open_executor: Open, start_method: str, name: str) -> None:
    """As what they are where they can travel, else by type and message; the worker lives on."""
    with open_executor(1, start_method) as executor:
        pid = executor.submit(os.getpid).result(PATIENCE_S)
        error = among_others(executor, lambda: executor.submit(faulty.raise_named, name))
        assert error is not None
        assert not isinstance(error, errors.WorkerDied)
        assert name in type(error).__name__ or name in str(error), repr(error)
        assert executor.submit(os.getpid).result(PATIENCE_S) == pid


def test_the_workers_traceback_is_shown(open_executor: Open) -> None:
    """As the cause of the error, down to the line in the function."""
    with open_executor(1) as executor:
        error = executor.submit(faulty.fail, "visibly").exception(PATIENCE_S)
    assert isinstance(error, ValueError)
    shown = "".join(traceback.format_exception(error))
    assert "faulty.py" in shown
    assert "raise ValueError(text)" in shown


def test_endless_recursion_is_the_tasks_own_outcome(open_executor: Open, start_method: str) -> None:
    """Its traceback is long, and arrives."""
    with open_executor(1, start_method) as executor:
        assert isinstance(executor.submit(faulty.recurse, 0).exception(PATIENCE_S), RecursionError)
        assert_takes_work(executor)


def test_what_is_nested_too_deep_fails_alone(open_executor: Open, start_method: str) -> None:
    """As a result and as an argument, 100,000 deep: pickle gives up, nobody else does."""
    with open_executor(1, start_method) as executor:
        error = among_others(executor, lambda: executor.submit(faulty.nest, 100_000))
        assert isinstance(error, (errors.CannotTravel, RecursionError, pickle.PicklingError)), repr(error)
        error = among_others(executor, lambda: executor.submit(faulty.kind, faulty.nest(100_000)))
        assert isinstance(error, (errors.CannotTravel, RecursionError, pickle.PicklingError)), repr(error)


class SubmitsWhenPickled:
    """Submits a task of its own while it is pickled, as a lazily filled object might."""

    def __init__(self, executor: corewise.ProcessExecutor, submitted: list[Future[int]]) -> None:
        self._act = (executor, submitted)

    def __reduce__(self) -> tuple[object, ...]:
        executor, submitted = self._act
        submitted.append(executor.submit(faulty.square, 5))
        return int, ()


def test_an_argument_may_submit_while_it_is_pickled(open_executor: Open) -> None:
    """No lock is held over what users' objects do."""
    submitted: list[Future[int]] = []
    with open_executor(2) as executor:
        futures = [executor.submit(faulty.kind, SubmitsWhenPickled(executor, submitted)) for _ in range(20)]
        assert [future.result(PATIENCE_S) for future in futures] == ["int"] * 20
        assert {future.result(PATIENCE_S) for future in submitted} == {25}


RESULTS_SUBMIT_TO: list[corewise.ProcessExecutor] = []


def submit_here() -> int:
    """Submit a task in the process that unpickles this, and do not wait for it."""
    for executor in RESULTS_SUBMIT_TO:
        executor.submit(faulty.square, 5)
    return 25


def make_submitting_result() -> object:
    """Return what submits a task while it is unpickled."""
    return faulty.OnCrossing("unpickle", submit_here)


def test_a_result_may_submit_while_it_is_unpickled(open_executor: Open) -> None:
    """In whatever thread of ours that is."""
    with open_executor(2, "fork") as executor:
        executor.submit(faulty.square, 0).result(PATIENCE_S)
        RESULTS_SUBMIT_TO.append(executor)
        try:
            futures = [executor.submit(make_submitting_result) for _ in range(20)]
            assert [future.result(PATIENCE_S) for future in futures] == [25] * 20
        finally:
            RESULTS_SUBMIT_TO.clear()


class SubmitsWhenCollected:
    """Submits a task when the garbage collector comes upon it, in whatever thread and wherever that is."""

    def __init__(self, executor: corewise.ProcessExecutor, submitted: list[Future[int]]) -> None:
        self.circle = self
        self._act = (executor, submitted)

    def __del__(self) -> None:
        executor, submitted = self._act
        submitted.append(executor.submit(faulty.square, 5))


def test_a_destructor_may_submit(open_executor: Open) -> None:
    """The collector runs at every few allocations, so also inside `submit` and inside our threads."""
    submitted: list[Future[int]] = []
    thresholds = gc.get_threshold()
    with open_executor(2) as executor:
        try:
            gc.set_threshold(1)
            for _ in range(100):
                SubmitsWhenCollected(executor, submitted)
                executor.submit(faulty.square, 3)
        finally:
            gc.set_threshold(*thresholds)
        gc.collect()
        assert len(submitted) == 100
        assert {future.result(PATIENCE_S) for future in submitted} == {25}
