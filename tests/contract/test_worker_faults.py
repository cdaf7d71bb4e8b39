"""What happens when a worker process dies, or what is sent cannot be: one item is lost, the others never."""

from __future__ import annotations

import signal
from collections import Counter
from concurrent.futures.process import BrokenProcessPool
from typing import TYPE_CHECKING, Any

import pytest
import works

import corewise
from corewise import errors

if TYPE_CHECKING:
    from pathlib import Path

START_METHODS = ["fork", "forkserver", "spawn"]
HOW = {
    "SIGKILL": "killed by SIGKILL",
    "SIGTERM": "killed by SIGTERM",
    "SIGSEGV": "killed by SIGSEGV",
    "SIGABRT": "killed by SIGABRT",
    "exit 0": "exited with code 0",
    "exit 3": "exited with code 3",
}


@pytest.fixture(params=START_METHODS)
def start_method(request: pytest.FixtureRequest) -> str:
    """Name a start method."""
    return str(request.param)


@pytest.mark.parametrize("how", list(HOW))
def test_a_death_costs_the_item_and_no_other(start_method: str, how: str, tmp_path: Path) -> None:
    """The killer is named with what ended it; all others are finished, each run once."""
    log = str(tmp_path / "log")
    numbers = range(60)
    results = corewise.map(
        works.log_and_die_at_17,
        [log] * 60,
        numbers,
        [how] * 60,
        approach="processes",
        workers=2,
        start_method=start_method,
        on_error="return",
    )
    assert [failure.index for failure in results.failures] == [17]
    error = results.failures[0].error
    assert isinstance(error, errors.WorkerDied)
    assert isinstance(error, BrokenProcessPool)
    assert HOW[how] in error.reason
    assert error.pid > 0
    assert error.__notes__[0].startswith("item 17: ")
    assert [value for index, value in enumerate(results) if index != 17] == [n * n for n in numbers if n != 17]
    assert results.stats.worker_deaths == 1
    runs = Counter(map(int, (tmp_path / "log").read_text(encoding="ascii").split()))
    assert runs == Counter(numbers), "some item was run twice, or not at all"


def test_a_death_is_raised_unless_failures_are_returned(start_method: str, tmp_path: Path) -> None:
    """By default the death ends the call, and says which item it was."""
    with pytest.raises(errors.WorkerDied, match="SIGKILL") as caught:
        corewise.map(
            works.log_and_die_at_17,
            [str(tmp_path / "log")] * 60,
            range(60),
            ["SIGKILL"] * 60,
            approach="processes",
            start_method=start_method,
        )
    assert caught.value.exitcode == -signal.SIGKILL
    assert "item 17" in caught.value.__notes__[0]


def test_among_very_short_items_the_killer_is_named_as_well() -> None:
    """Items of under a microsecond are not written down one by one, and still only one is lost."""
    results = corewise.map(works.die_at_17_quickly, range(100_000), approach="processes", workers=2, on_error="return")
    assert [failure.index for failure in results.failures] == [50_017]
    assert [value for index, value in enumerate(results) if index != 50_017] == [
        n for n in range(100_000) if n != 50_017
    ]


def test_a_worker_whose_descriptors_are_closed_is_replaced(start_method: str, tmp_path: Path, capfd: Any) -> None:
    """The function closes its worker's line. What it had finished is recovered, so nothing at all is lost."""
    numbers = range(60)
    results = corewise.map(
        works.log_and_die_at_17,
        [str(tmp_path / "log")] * 60,
        numbers,
        ["close all descriptors"] * 60,
        approach="processes",
        workers=2,
        start_method=start_method,
    )
    assert results == [number * number for number in numbers]
    assert results.stats.worker_deaths == 1
    runs = Counter(map(int, (tmp_path / "log").read_text(encoding="ascii").split()))
    assert runs == Counter(numbers)
    assert "Traceback" not in capfd.readouterr().err


def test_an_item_that_takes_long_behind_one_that_closed_the_line_is_not_lost(start_method: str) -> None:
    """As any may on a busy machine: it has closed nothing, so another worker runs it."""
    results = corewise.map(
        works.close_first_and_wait, range(3), approach="processes", workers=1, chunksize=3, start_method=start_method
    )
    assert results == [0, 1, 2]
    assert results.stats.worker_deaths == 1


def test_a_large_result_is_lost_with_the_line_and_says_why() -> None:
    """What is too large for the ledger cannot be recovered; then the item fails, and the reason is told."""
    with pytest.raises(errors.WorkerDied, match="closed the connection"):
        corewise.map(works.close_and_return_much, [1], approach="processes")


def test_every_item_may_kill_its_worker(start_method: str) -> None:
    """The pool goes on healing itself; nothing hangs."""
    results = corewise.map(
        works.die, ["SIGKILL"] * 6, approach="processes", workers=2, start_method=start_method, on_error="return"
    )
    assert len(results.failures) == 6
    assert all(isinstance(value, errors.WorkerDied) for value in results)


@pytest.mark.parametrize(("position", "item"), [(0, works.DiesAtUnpickle()), (5, works.DiesAtUnpickle())])
def test_an_item_that_kills_whoever_unpickles_it_costs_itself(start_method: str, position: int, item: object) -> None:
    """The worker says which item it is about to decode."""
    items: list[object] = list(range(10))
    items[position] = item
    results = corewise.map(
        works.kind, iter(items), approach="processes", workers=2, start_method=start_method, on_error="return"
    )
    assert [failure.index for failure in results.failures] == [position]
    assert isinstance(results[position], errors.WorkerDied)
    assert [value for index, value in enumerate(results) if index != position] == ["int"] * 9


@pytest.mark.parametrize(
    ("item", "expected"),
    [
        (works.RaisesAtUnpickle(), ValueError),
        (works.RaisesAtPickle(), errors.CannotTravel),
        (works.threading.Lock(), errors.CannotTravel),
    ],
)
def test_an_item_that_cannot_travel_costs_itself(start_method: str, item: object, expected: type[Exception]) -> None:
    """Neighbours in the same chunk are not spoilt."""
    items: list[object] = list(range(10))
    items[4] = item
    results = corewise.map(
        works.kind,
        iter(items),  # those of a list are inherited by a fork, and need not travel
        approach="processes",
        workers=2,
        start_method=start_method,
        on_error="return",
        chunksize=5,
    )
    assert [failure.index for failure in results.failures] == [4]
    assert isinstance(results[4], expected)
    assert [value for index, value in enumerate(results) if index != 4] == ["int"] * 9
    assert results.stats.worker_deaths == 0


def test_forked_workers_inherit_the_items_of_a_list() -> None:
    """Nothing of them travels, so it does not matter whether it could."""
    items = [works.RaisesAtPickle(), works.threading.Lock(), 3]
    assert corewise.map(works.kind, items, approach="processes", workers=2, start_method="fork") == [
        "RaisesAtPickle",
        "lock",
        "int",
    ]


def test_an_item_that_stands_in_the_list_twice_is_fresh_each_time() -> None:
    """What the function does to it in place is not seen by the second call, whichever worker runs that."""
    item: list[int] = []
    results = corewise.map(works.appended, [item] * 40, approach="processes", workers=2, start_method="fork")
    assert results == [[1]] * 40


def test_so_is_one_that_stands_among_thousands_of_plain_ones() -> None:
    """Those are looked at by the worker that runs them, and it leaves alone what has to be sent."""
    item: list[int] = []
    items: list[Any] = list(range(60_000))
    places = {20_000, 20_001, 45_000, 59_999}
    for place in places:
        items[place] = item
    results = corewise.map(works.appended_if_list, items, approach="processes", workers=2, start_method="fork")
    assert results == [[1] if place in places else place for place in range(60_000)]
    assert item == []


def test_one_that_fails_among_thousands_of_inherited_ones_is_named(start_method: str) -> None:
    """Though nobody has taken them out of their list."""
    items = [1] * 50_000
    items[30_000] = items[49_999] = 0
    results = corewise.map(
        works.divided, items, approach="processes", workers=2, start_method=start_method, on_error="return"
    )
    assert [(failure.index, failure.item) for failure in results.failures] == [(30_000, "0"), (49_999, "0")]
    assert results[:30_000] == [1] * 30_000
    with pytest.raises(ZeroDivisionError) as caught:
        corewise.map(works.divided, items, approach="processes", workers=2, start_method=start_method)
    assert caught.value.__notes__ == ["item 30000: 0"]


def test_a_result_that_cannot_travel_costs_itself(start_method: str) -> None:
    """Whether it fails while it is pickled there or unpickled here."""
    results = corewise.map(
        works.result_of, range(10), approach="processes", workers=2, start_method=start_method, on_error="return"
    )
    assert [failure.index for failure in results.failures] == [1, 2, 3]
    assert isinstance(results[1], errors.CannotTravel)
    assert isinstance(results[2], ValueError)
    assert isinstance(results[3], errors.CannotTravel)
    assert results[0] == 0
    assert results[4:] == [4, 5, 6, 7, 8, 9]


def test_a_result_that_kills_its_worker_costs_itself(start_method: str) -> None:
    """The worker dies while it pickles the result of item 2."""
    results = corewise.map(
        works.dies_when_sent, range(10), approach="processes", workers=2, start_method=start_method, on_error="return"
    )
    assert [failure.index for failure in results.failures] == [2]
    assert isinstance(results[2], errors.WorkerDied)


def test_a_result_nested_too_deep_costs_itself() -> None:
    """Pickle gives up on it; the pool does not."""
    results = corewise.map(works.deep, range(2), approach="processes", on_error="return")
    assert len(results.failures) == 2
    assert results.stats.worker_deaths == 0


def test_what_cannot_travel_is_named() -> None:
    """The message names the captured variable, its type, and a way out."""
    lock = works.threading.Lock()

    def guarded(number: int) -> int:
        with lock:
            return number

    with pytest.raises(errors.CannotTravel, match=r"captured variable 'lock'.*_thread.lock.*approach='threads'"):
        corewise.map(guarded, range(3), approach="processes", start_method="spawn")
    assert corewise.map(guarded, range(3), approach="processes", start_method="fork") == [0, 1, 2]


def test_an_attribute_that_cannot_travel_is_named() -> None:
    """The same for an item."""

    class Job:
        def __init__(self) -> None:
            self.settings = {"lines": (line for line in "text")}

    with pytest.raises(errors.CannotTravel, match=r"item 0 .*attribute 'settings', key 'lines'.*generator"):
        corewise.map(works.kind, iter([Job()]), approach="processes")


def test_large_arguments_and_results_travel(start_method: str) -> None:
    """Both ways at once, several at a time: neither side may wait for the other to read."""
    arguments = [bytes([number]) * (8 << 20) for number in range(6)]
    echoed = corewise.map(bytes.swapcase, arguments, approach="processes", workers=2, start_method=start_method)
    assert echoed == [argument.swapcase() for argument in arguments]


def test_calls_inside_a_worker_see_their_share_of_the_cores() -> None:
    """Two workers on two cores leave one core to each call made inside them."""
    seen = corewise.map(works.cores_left, range(4), approach="processes", workers=2, chunksize=1)
    assert set(seen) == {max(1, corewise.cpu_count() // 2)}


def test_a_function_that_cannot_be_loaded_is_said_so() -> None:
    """Its own import error arrives, and no worker is started again and again."""

    class Unloadable:
        def __call__(self, number: int) -> int:
            return number

        def __reduce__(self) -> tuple[Any, ...]:
            return works.fail_at, (1, 1)

    with pytest.raises(ValueError, match="no 1s here"):
        corewise.map(Unloadable(), range(3), approach="processes", start_method="spawn")
