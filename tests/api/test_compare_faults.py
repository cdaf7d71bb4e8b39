"""Comparisons of functions that fail, exit, crash, hang or disagree: what is told, and what is left running."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import threading
from typing import TYPE_CHECKING, Any

import compared
import numpy as np
import pytest

import corewise
import observe
from corewise import errors
from corewise._report import document as documents

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pytestmark = pytest.mark.skipif(not observe.AVAILABLE, reason="processes are counted in /proc")

ALL = ["sync", "threads", "asyncio", "processes"]


@pytest.fixture(autouse=True)
def nothing_is_left() -> Iterator[None]:
    """See to it that no process and no descriptor outlives its comparison, however that ends."""
    before = observe.holdings()
    yield
    assert observe.left_since(before) == []


def test_what_the_function_raises_is_raised_with_its_item_named() -> None:
    """There is nothing to compare with; the frames of the function are shown."""
    with pytest.raises(ValueError, match="no threes here") as caught:
        corewise.compare(compared.fail_at_three, range(5), repeat=1)
    assert caught.value.__notes__ == ["item 3: 3"]
    assert "in fail_at_three" in str(caught.value.__cause__)


def test_leaving_the_program_is_told_as_what_it_is() -> None:
    """It must not end the program that compares."""
    with pytest.raises(errors.CorewiseError, match=r"sys\.exit\(4\).*item 3: 3"):
        corewise.compare(compared.exit_at_three, range(5), repeat=1)


def test_ending_the_process_is_told_with_its_signal() -> None:
    """The trial's process is lost, and the comparison says which signal it was and when."""
    with pytest.raises(errors.WorkerDied, match="SIGKILL") as caught:
        corewise.compare(compared.kill_at_three, range(5), repeat=1)
    assert "run plainly" in "".join(caught.value.__notes__)


@pytest.mark.parametrize("name", ["threads", "asyncio", "processes"])
def test_an_approach_that_crashes_fails_and_the_others_do_not(name: str) -> None:
    """Aborted where it runs; in processes only the worker is, elsewhere the process of the trial."""
    comparison = corewise.compare(compared.only_in(name, compared.abort), range(4), repeat=2)
    documents.check(comparison.document)
    assert compared.statuses(comparison) == {**dict.fromkeys(ALL, "ok"), name: "failed"}
    assert "SIGABRT" in str(compared.rows(comparison)[name]["problem"])
    assert comparison.best != name
    assert [len(row["wall_s"]) for row in compared.rows(comparison).values()] == [
        0 if label == name else 2 for label in ALL
    ]


def test_an_approach_that_raises_fails_with_its_item_and_the_others_do_not() -> None:
    """The row says what was raised."""
    comparison = corewise.compare(compared.only_in("threads", [].pop), range(3), repeat=1)
    documents.check(comparison.document)
    assert compared.statuses(comparison)["threads"] == "failed"
    assert compared.rows(comparison)["threads"]["problem"] == "IndexError: pop from empty list (item 0: 0)"


def test_an_approach_that_never_returns_is_stopped_and_the_others_have_their_time() -> None:
    """What it used up of the patience is not taken from those that come after it, which need half a second."""

    def fn(number: int) -> int:
        if compared.approach() == "threads":
            compared.hang()
        return int(number * compared.wait(0.25))

    comparison = corewise.compare(fn, range(2), repeat=1, budget=1)
    documents.check(comparison.document)
    assert compared.statuses(comparison) == {**dict.fromkeys(ALL, "ok"), "threads": "failed"}
    assert "did not return within" in str(compared.rows(comparison)["threads"]["problem"])
    assert compared.case(comparison)["difference"] is None


def test_a_first_item_that_never_returns_ends_with_the_budget(tmp_path: Path) -> None:
    """Its process is gone then."""
    path = tmp_path / "pid"
    with pytest.raises(errors.BudgetExceeded, match=r"the first item .*did not return within 0\.4 s.*larger budget"):
        corewise.compare(compared.say_and_hang, [str(path)], budget=0.4)
    with pytest.raises(ProcessLookupError):
        os.kill(int(path.read_text(encoding="ascii")), 0)


def test_a_plain_loop_that_never_ends_ends_with_the_patience() -> None:
    """The first item is quick, the second is not."""
    with pytest.raises(errors.BudgetExceeded, match="the plain loop over 2 items"):
        corewise.compare(compared.wait, [0.0, 3600.0], budget=0.2)


@pytest.mark.parametrize("name", ["threads", "asyncio", "processes"])
def test_different_results_are_told_with_the_first_item_that_differs(name: str) -> None:
    """With what was expected and what came; the approach is not recommended, however fast."""

    def fn(number: int) -> int:
        return -number if number >= 2 and compared.approach() == name else number

    comparison = corewise.compare(fn, range(5), repeat=1)
    documents.check(comparison.document)
    difference = compared.case(comparison)["difference"]
    assert difference == {
        "approach": name,
        "against": "sync",
        "item": 2,
        "item_repr": "2",
        "expected": "2",
        "got": "-2",
    }
    assert comparison.best != name
    assert "different-results" in [note["code"] for note in compared.case(comparison)["notes"]]


def test_results_are_still_compared_after_a_crash_took_the_first_ones_away() -> None:
    """Threads abort the process that knew what the plain loop gave; asyncio then gives something else."""

    def fn(number: int) -> int:
        if compared.approach() == "threads":
            compared.abort()
        return number + (compared.approach() == "asyncio")

    comparison = corewise.compare(fn, range(3), repeat=1)
    assert compared.statuses(comparison) == {**dict.fromkeys(ALL, "ok"), "threads": "failed"}
    difference = compared.case(comparison)["difference"]
    assert difference is not None
    assert (difference["approach"], difference["against"], difference["item"]) == ("asyncio", "sync", 0)
    assert comparison.best in ("sync", "processes")


@pytest.mark.parametrize(
    "result",
    [
        float("nan"),
        [1.0, float("nan")],
        np.arange(5),
        np.array([1.0, np.nan]),
        (np.arange(3), np.arange(4)),
        {"mean": np.arange(3), "text": "x"},
        [np.array([np.nan, 1.0]), None],
        np.float64("nan"),
        np.array(["a", None], dtype=object),
        {"a", "b", "c"},
        compared.Path("x"),
    ],
    ids=repr,
)
def test_equal_results_are_taken_for_equal(result: Any) -> None:
    """Whether they are arrays, hold arrays, or do not equal themselves."""
    comparison = corewise.compare(lambda _: result, [1, 2], repeat=1)
    assert compared.case(comparison)["difference"] is None
    assert compared.statuses(comparison) == dict.fromkeys(ALL, "ok")


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (1.0, 1.5),
        (float("nan"), 1.0),
        (np.arange(5), np.arange(1, 6)),
        (np.array([]), np.array([1.0])),
        (np.ones(3), np.ones((2, 3))),
        (np.ones(2), 1.0),
        ((np.arange(3), 1), (np.arange(3), 2)),
        ([np.zeros(2)], [np.ones(2)]),
        ("1", 1),
        (None, []),
    ],
    ids=repr,
)
def test_different_results_are_not_taken_for_equal(one: Any, other: Any) -> None:
    """Arrays that could be stretched to each other's shape are not equal either."""

    def fn(_: object) -> Any:
        return other if compared.approach() == "threads" else one

    comparison = corewise.compare(fn, [1], approaches=["threads"], repeat=1)
    difference = compared.case(comparison)["difference"]
    assert difference is not None
    assert difference["approach"] == "threads"


def test_a_function_that_cannot_travel_is_compared_here() -> None:
    """A second thread forbids a fork, the lock forbids the rest; a note says what that costs."""
    lock, end = threading.Lock(), threading.Event()

    def guarded(number: int) -> int:
        with lock:
            return number

    thread = threading.Thread(target=end.wait)
    thread.start()
    try:
        comparison = corewise.compare(guarded, range(4), repeat=1)
    finally:
        end.set()
        thread.join()
    documents.check(comparison.document)
    assert compared.statuses(comparison) == {**dict.fromkeys(ALL, "ok"), "processes": "failed"}
    assert "captured variable 'lock'" in str(compared.rows(comparison)["processes"]["problem"])
    assert "in-process" in [note["code"] for note in compared.case(comparison)["notes"]]


@pytest.mark.parametrize("when", ["warm-up", "threads", "processes"])
def test_ctrl_c_ends_a_comparison_with_one_traceback(when: str) -> None:
    """Whatever it is at; nothing is left of it."""
    text = f"""
import os, time
import corewise
tests = os.getpid()
def fn(number):
    import sys
    sys.path.insert(0, {str(compared.Path(compared.__file__).parent)!r})
    import compared
    compared.TESTS = tests
    if {when!r} == "warm-up" or compared.approach() == {when!r}:
        os.write(1, b"here\\n")
        time.sleep(3600)
    return number
corewise.compare(fn, range(2))
"""
    process = subprocess.Popen(
        [sys.executable, "-c", text],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
        env={**os.environ, "PYTHONFAULTHANDLER": ""},
    )
    try:
        assert process.stdout is not None
        assert process.stdout.readline() == "here\n"
        os.killpg(process.pid, signal.SIGINT)
        _, told = process.communicate(timeout=15)  # both pipes are closed, so nobody is left that holds them
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.communicate()
    assert process.returncode in (130, -signal.SIGINT)
    assert told.count("Traceback") == 1, told
    assert told.rstrip().endswith("KeyboardInterrupt")
