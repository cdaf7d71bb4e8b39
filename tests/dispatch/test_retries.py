"""Items that failed are run again, so often and no more, and nothing else changes by it."""

from __future__ import annotations

import random
from collections import Counter
from typing import Any

import hypothesis.strategies as st
import pytest
from hypothesis import given
from shuffled import Shuffled, new_run

from corewise._approaches.base import PlainRunner
from corewise._work.chunk import Chunk, Done
from corewise.errors import CannotTravel

SIZES = st.integers(1, 7) | st.none()
FLAKY = st.dictionaries(st.integers(0, 59), st.integers(1, 4))


@given(FLAKY, st.integers(0, 1 << 30), SIZES, st.sampled_from(["raise", "return"]))
def test_items_that_fail_less_often_than_allowed_succeed(
    flaky: dict[int, int], seed: int, chunksize: int | None, on_error: str
) -> None:
    """The results are those of items that never fail, in order; each was run once more for each failure."""
    run = new_run(range(60), chunksize=chunksize, retries=4, on_error=on_error)
    approach = Shuffled(seed, flaky, keep_going=on_error == "return")
    run.go(approach, 2)
    assert run.results() == [-item for item in range(60)]
    assert run.failures.listed() == []
    assert run.retried == sum(flaky.values())
    assert Counter(approach.ran) == {item: 1 + flaky.get(item, 0) for item in range(60)}


@given(FLAKY, st.integers(0, 1 << 30), SIZES, st.integers(0, 3))
def test_items_that_fail_too_often_are_returned_with_the_number_of_attempts(
    flaky: dict[int, int], seed: int, chunksize: int | None, retries: int
) -> None:
    """In their places, and all others beside them."""
    run = new_run(range(60), chunksize=chunksize, retries=retries, on_error="return")
    run.go(Shuffled(seed, flaky, keep_going=True), 2)
    bad = {item for item, times in flaky.items() if times > retries}
    assert [failed.index for failed in run.failures.listed()] == sorted(bad)
    assert [isinstance(value, ValueError) for value in run.results()] == [item in bad for item in range(60)]
    for failed in run.failures.listed():
        attempts = [f"attempt {retries + 1} of {retries + 1}"] if retries else []
        assert failed.error.__notes__ == [f"item {failed.index}: {failed.index}", *attempts]


@given(FLAKY.filter(bool), st.integers(0, 1 << 30), SIZES, st.integers(0, 3))
def test_the_first_item_that_fails_too_often_is_raised(
    flaky: dict[int, int], seed: int, chunksize: int | None, retries: int
) -> None:
    """First in the order of the input; those before it have been run as often as they needed."""
    run = new_run(range(60), chunksize=chunksize, retries=retries)
    approach = Shuffled(seed, flaky)
    bad = [item for item, times in flaky.items() if times > retries]
    if not bad:
        run.go(approach, 2)
        return
    first = min(bad)
    with pytest.raises(ValueError, match=rf"^{first}\b"):
        run.go(approach, 2)
    ran = Counter(approach.ran)
    assert {item: ran[item] for item in range(first)} == {item: 1 + flaky.get(item, 0) for item in range(first)}
    assert ran[first] == retries + 1
    assert max(ran.values()) <= retries + 1


class InTurn(PlainRunner):
    """A worker that keeps to the order, whose items take very different times as far as it says."""

    limit = 1

    def __init__(self, flaky: dict[int, int], seed: int) -> None:
        self.ran: list[int] = []
        self._flaky = dict(flaky)
        self._chance = random.Random(seed)
        self._chunk: Chunk | None = None

    @property
    def room(self) -> int:
        """One chunk at a time."""
        return int(self._chunk is None)

    def submit(self, chunk: Chunk) -> None:
        """Take it."""
        self._chunk = chunk

    def collect(self, timeout_s: float | None) -> list[Done]:  # noqa: ARG002 - nothing to wait for
        """Run it up to the first item that fails."""
        chunk, self._chunk = self._chunk, None
        assert chunk is not None
        values: list[Any] = []
        failed: list[int] = []
        for index, item in enumerate(chunk.items, chunk.start):
            self.ran.append(item)
            if self._flaky.get(item, 0) > 0:
                self._flaky[item] -= 1
                values.append(ValueError(item))
                failed.append(index)
                break
            values.append(item)
        wall_s = len(values) * self._chance.choice([1e-5, 1e-3, 1e-1])
        return [Done(chunk.start, values, failed, wall_s, dropped=len(chunk.items) - len(values))]


@given(FLAKY, st.integers(0, 1 << 30))
def test_one_worker_keeps_to_the_order_however_large_chunks_are_by_then(flaky: dict[int, int], seed: int) -> None:
    """An item that fails again comes before all behind it, also where these were cut off from its chunk meanwhile."""
    run = new_run(range(60), retries=4)
    worker = InTurn(flaky, seed)
    run.go(worker, 1)
    assert run.results() == list(range(60))
    assert worker.ran == [item for item in range(60) for _ in range(1 + flaky.get(item, 0))]


@given(st.integers(0, 60), st.integers(1, 20), FLAKY, st.integers(0, 1 << 30))
def test_what_failed_in_the_sample_is_tried_again_by_the_next_approach(
    length: int, enough: int, flaky: dict[int, int], seed: int
) -> None:
    """Nothing is forgotten between the two, even if the input ended with the first."""
    run = new_run(range(length), retries=4)
    first, second = Shuffled(seed, flaky), Shuffled(seed + 1)
    seen = 0

    def is_enough(done: Done) -> bool:
        nonlocal seen
        seen += len(done.values)
        return seen >= enough

    run.go(first, 1, enough=is_enough)
    if run.unfinished:
        run.go(second, 3)
    assert run.results() == [-item for item in range(length)]


@pytest.mark.parametrize("error", [SystemExit(3), GeneratorExit(), CannotTravel("a lock")])
def test_what_would_not_do_better_is_not_tried_again(error: BaseException) -> None:
    """What asks to stop, and what cannot be sent."""

    class Once(Shuffled):
        def _run_part(self) -> Done:
            self.ran.append(0)
            self._chunks.pop()
            return Done(0, [error], [0], 0.0)

    run, approach = new_run([7], retries=5, on_error="return"), Once(0)
    run.go(approach, 1)
    assert approach.ran == [0]
    assert run.results() == [error]


def test_an_item_that_is_tried_again_does_not_wait_for_new_ones() -> None:
    """An endless input must not starve it."""

    class OneByOne(Shuffled):
        def _run_part(self) -> Done:
            chunk = self._chunks.pop(0)
            item = chunk.items[0]
            self.ran.append(item)
            fails = item == 3 and self.ran.count(3) <= 2
            error: list[Any] = [ValueError(item)] if fails else [item]
            return Done(chunk.start, error, [item] if fails else [], 0.0)

    run = new_run(range(20), chunksize=1, retries=2)
    approach = OneByOne(0, most=2)
    run.go(approach, 2)
    assert run.results() == list(range(20))
    assert approach.ran.index(5) > len(approach.ran[: approach.ran.index(3)])
    assert [at for at, item in enumerate(approach.ran) if item == 3][-1] <= 9


def test_attempts_are_forgotten_once_an_item_has_succeeded() -> None:
    """A stream may go on for ever."""
    run = new_run(range(50), retries=2)
    run.go(Shuffled(1, dict.fromkeys(range(50), 1)), 2)
    assert run._retries is not None
    assert run._retries.attempts == {}
