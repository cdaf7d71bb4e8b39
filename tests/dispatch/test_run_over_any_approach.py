"""The one loop that all approaches share, over an approach that returns outcomes in any order and in any parts."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import hypothesis.strategies as st
import pytest
from hypothesis import given
from shuffled import Shuffled, new_run

from corewise._dispatch.failures import short
from corewise._work.chunk import Chunk, Done

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable


SIZES = st.integers(1, 7) | st.none()


@given(st.integers(0, 200), st.integers(0, 1 << 30), SIZES)
def test_results_come_in_the_order_of_the_input(length: int, seed: int, chunksize: int | None) -> None:
    """Whatever came when; and each item is run once."""
    run, approach = new_run(range(length), chunksize=chunksize), Shuffled(seed)
    run.go(approach, 2)
    assert run.results() == [-item for item in range(length)]
    assert sorted(approach.ran) == list(range(length))


@given(st.integers(0, 200), st.integers(0, 1 << 30))
def test_unordered_results_come_as_they_were_finished(length: int, seed: int) -> None:
    """All of them."""
    run, approach = new_run(iter(range(length)), ordered=False), Shuffled(seed)
    run.go(approach, 2)
    assert run.results() == [-item for item in approach.ran]
    assert sorted(approach.ran) == list(range(length))


@given(st.sets(st.integers(0, 99), min_size=1), st.integers(0, 1 << 30), SIZES)
def test_of_all_failures_the_first_in_the_order_of_the_input_is_raised(
    bad: set[int], seed: int, chunksize: int | None
) -> None:
    """Whichever came first; everything before it has been run."""
    run, approach = new_run(range(100), chunksize=chunksize), Shuffled(seed, bad)
    with pytest.raises(ValueError, match=rf"^{min(bad)}\b") as caught:
        run.go(approach, 2)
    assert caught.value.__notes__ == [f"item {min(bad)}: {min(bad)}"]
    assert set(range(min(bad))) <= set(approach.ran)


@given(st.sets(st.integers(0, 99)), st.integers(0, 1 << 30), SIZES)
def test_failures_that_are_returned_stand_in_their_places(bad: set[int], seed: int, chunksize: int | None) -> None:
    """And are listed in the order of the input."""
    run = new_run(range(100), chunksize=chunksize, on_error="return")
    run.go(Shuffled(seed, bad, keep_going=True), 2)
    results = run.results()
    assert {index for index, value in enumerate(results) if isinstance(value, ValueError)} == bad
    assert [failure.index for failure in run.failures.listed()] == sorted(bad)
    assert all(results[failure.index] is failure.error for failure in run.failures.listed())
    assert [results[index] for index in range(100) if index not in bad] == [
        -index for index in range(100) if index not in bad
    ]


@given(st.integers(0, 60), st.integers(1, 20), st.integers(0, 1 << 30))
def test_a_second_approach_goes_on_where_the_first_stopped(length: int, enough: int, seed: int) -> None:
    """A sample is real work: nothing is run twice, nothing left out."""
    run, first, second = new_run(iter(range(length))), Shuffled(seed), Shuffled(seed + 1)
    seen = 0

    def is_enough(done: Done | None) -> bool:
        nonlocal seen
        seen += 0 if done is None else len(done.values)
        return seen >= enough

    run.go(first, 1, enough=is_enough)
    assert len(first.ran) >= min(enough, length)
    run.go(second, 4)
    assert run.results() == [-item for item in range(length)]
    assert sorted(first.ran + second.ran) == list(range(length))


class Late(Shuffled):
    """Has nothing when it is asked for the first time, and gives back what it has not begun."""

    def __init__(self) -> None:
        super().__init__(1)
        self.asked = 0

    def collect(self, timeout_s: float | None) -> list[Done]:
        """Have nothing, then something."""
        self.asked += 1
        return super().collect(timeout_s) if self.asked > 1 else []

    def hand_back(self) -> list[Chunk]:
        """Return all but one chunk."""
        back, self._chunks = self._chunks[1:], self._chunks[:1]
        return back


def test_an_outcome_that_is_late_may_be_enough() -> None:
    """What nobody has begun is taken back then; the rest is waited for, and another approach goes on."""
    run, first, second = new_run(range(20), chunksize=2), Late(), Shuffled(2)
    told: list[Done | None] = []

    def is_enough(done: Done | None) -> bool:
        told.append(done)
        return done is None

    run.go(first, 1, enough=is_enough)
    assert told[0] is None
    assert sorted(first.ran) == [0, 1]
    run.go(second, 2)
    assert run.results() == [-item for item in range(20)]


def test_an_endless_input_is_read_no_further_than_there_is_room() -> None:
    """A failure ends it, and what was read is what was handed out."""
    read: list[int] = []

    def numbers() -> Iterable[int]:
        while True:
            read.append(len(read))
            yield len(read) - 1

    run, approach = new_run(numbers(), chunksize=3), Shuffled(1, bad=[40])
    with pytest.raises(ValueError, match="40"):
        run.go(approach, 2)
    assert len(read) <= 40 + 3 * 4 * 4


@dataclass(frozen=True)
class Frozen(Exception):
    """An exception that refuses every change of itself, as frozen dataclasses do."""

    code: int


class OddNotes(Exception):
    """An exception whose notes are no list."""

    __notes__ = None  # type: ignore[assignment]  # the oddity that is tested


@pytest.mark.parametrize("make", [lambda: Frozen(5), OddNotes, lambda: _raise_and_catch(Frozen(6))])
def test_exceptions_that_refuse_a_note_get_one(make: Callable[[], Exception]) -> None:
    """The item is named, and the exception is the one that was raised."""
    error = make()

    class OneFailure(Shuffled):
        def _run_part(self) -> Done:
            self._chunks.pop()
            return Done(0, [error], [0], 0.0)

    run = new_run([7])
    with pytest.raises(type(error)) as caught:
        run.go(OneFailure(0), 1)
    assert caught.value is error
    assert caught.value.__notes__ == ["item 0: 7"]


def _raise_and_catch(error: Exception) -> Exception:
    with pytest.raises(type(error)):
        raise error
    return error


def test_the_same_exception_for_two_items_names_both() -> None:
    """A function may raise one object again and again."""
    error = ValueError("shared")

    class Always(Shuffled):
        def _run_part(self) -> Done:
            chunk = self._chunks.pop()
            return Done(chunk.start, [error], [chunk.start], 0.0)

    run = new_run([7, 8], chunksize=1, on_error="return")
    run.go(Always(0), 1)
    assert sorted(error.__notes__) == ["item 0: 7", "item 1: 8"]


class Unspeakable:
    """An item whose repr raises."""

    def __repr__(self) -> str:
        raise OSError("no words")


@pytest.mark.parametrize("item", [Unspeakable(), [Unspeakable()], type("deque", (Unspeakable,), {})()])
def test_an_item_is_shown_whatever_its_repr_does(item: object) -> None:
    """The failure must not be hidden behind another one."""
    assert "Unspeakable" in short(item) or "deque" in short(item)


@pytest.mark.parametrize("item", ["x" * 10_000_000, list(range(1_000_000)), {"key": b"x" * 1_000_000}, 10**4000])
def test_a_huge_item_is_shown_in_short(item: object) -> None:
    """A note is for reading."""
    assert len(short(item)) <= 200


def test_behind_the_first_failure_nothing_is_waited_for() -> None:
    """Items 3 and 7 have failed; item 5 never returns, and need not."""

    class NeverReturnsFive(Shuffled):
        def collect(self, timeout_s: float | None) -> list[Done]:
            assert timeout_s is None
            due = [chunk for chunk in self._chunks if chunk.start != 5]
            assert due, "item 5 was waited for"
            self._chunks = [chunk for chunk in self._chunks if chunk.start == 5]
            return [self._done(chunk.start) for chunk in due]

        def _done(self, index: int) -> Done:
            failed = index in (3, 7)
            return Done(index, [ValueError(index) if failed else index], [index] * failed, 0.0)

    run = new_run(range(8), chunksize=1)
    with pytest.raises(ValueError, match=r"^3\b"):
        run.go(NeverReturnsFive(0, most=8), 8)


def test_results_do_not_wait_for_an_input_that_is_slow() -> None:
    """Between two items that kept us waiting it is looked for results; with room for many, few are read ahead."""
    read: list[int] = []

    def numbers() -> Iterable[int]:
        for number in range(50):
            read.append(number)
            yield number

    class AtOnce(Shuffled):
        def collect(self, timeout_s: float | None) -> list[Done]:
            assert timeout_s == 0.0 or not self.room or len(read) == 50
            return [self._run_part() for _ in range(len(self._chunks))]

    run, approach = new_run(numbers()), AtOnce(1, most=20)
    run.use(approach, 8, ahead_s=-1.0)
    while run.feed():
        for part in run.take():
            run.values += part.values
        assert len(read) - len(run.values) <= 1
    assert run.values == [-number for number in range(50)]


def test_an_input_that_raises_ends_the_run_after_what_it_gave() -> None:
    """And after a failure among that, as in the plain loop."""

    def numbers() -> Iterable[int]:
        yield from range(20)
        raise KeyError("no more")

    run = new_run(numbers())
    with pytest.raises(KeyError, match="no more"):
        run.go(Shuffled(1), 2)
    assert run.values == [-number for number in range(20)]
    with pytest.raises(ValueError, match="7"):
        new_run(numbers()).go(Shuffled(1, bad=[7]), 2)


def test_an_outcome_that_nobody_asked_for_is_an_error() -> None:
    """An approach that runs an item twice must not spoil the results in silence."""

    class Twice(Shuffled):
        def collect(self, timeout_s: float | None) -> list[Done]:  # noqa: ARG002 - it is never waited for
            done = self._run_part()
            return [done, done]

    with pytest.raises(RuntimeError, match="not under way"):
        new_run(range(20), chunksize=1).go(Twice(1), 2)


@pytest.mark.parametrize("fails", [False, True])
def test_what_nobody_has_begun_is_had_back_for_something_else(fails: bool) -> None:  # noqa: FBT001 - as listed
    """All of it is run by what comes then, in order; but nothing behind an item that failed."""

    class Leaves(Shuffled):
        def hand_back(self) -> list[Chunk]:
            chunks, self._chunks = self._chunks, []
            return chunks

    run, first = new_run(range(40), chunksize=4), Leaves(1, {0} if fails else (), most=6)
    run.use(first, 6, enough=lambda _: True)
    while run.feed():
        for part in run.take():
            run.values += part.values
    assert len(first.ran) < 40
    second = Shuffled(2)
    if fails:
        with pytest.raises(ValueError, match=r"^0\b"):
            run.finish()
        return
    run.go(second, 2)
    assert sorted([*first.ran, *second.ran]) == list(range(40))
    assert run.values == [-number for number in range(40)]
