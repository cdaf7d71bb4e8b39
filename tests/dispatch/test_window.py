"""A run that is bounded goes no further ahead than it may, and never stands still."""

from __future__ import annotations

from collections import deque
from itertools import count

import hypothesis.strategies as st
import pytest
from hypothesis import given
from shuffled import Driven, Shuffled

from corewise._dispatch.window import Window
from corewise._work.chunk import Done


class Consumed(Driven):
    """A run whose results are taken part by part, as the consumer of a stream does."""

    def consume(self, approach: Shuffled, workers: int, window: Window, patience: list[int]) -> int:
        """Take all results; between two parts the run goes on so many steps. Return the most that was ever ahead."""
        self.use(approach, workers, chunksize=self._options.chunksize)
        parts: deque[Done] = deque()
        most = 0
        while True:
            for _ in range(patience.pop() if patience and parts else not parts):
                if not self.feed():
                    break
                most = max(most, window.held)
                parts.extend(self.take())
            most = max(most, window.held)
            if parts:
                part = parts.popleft()
                self.values += part.values
                self.taken(len(part.values), part.size_bytes)
            elif not self.feed():
                self.finish()
                return most


@given(
    st.integers(0, 300),
    st.integers(1, 50),
    st.integers(1, 5),
    st.integers(0, 1 << 30),
    st.lists(st.integers(0, 5), max_size=50),
    st.booleans(),
)
def test_never_more_items_are_ahead_than_allowed_and_all_come(
    length: int,
    items: int,
    workers: int,
    seed: int,
    patience: list[int],
    ordered: bool,  # noqa: FBT001 - chance decides
) -> None:
    """However the consumer dawdles, and in whatever order outcomes come."""
    window = Window(items=items)
    run = Consumed(iter(range(length)), window, ordered=ordered)
    most = run.consume(Shuffled(seed, most=2 * workers), workers, window, patience)
    assert most <= items
    assert sorted(run.values) == sorted(-item for item in range(length))
    if ordered:
        assert run.values == [-item for item in range(length)]
    assert window.held == 0


@given(st.integers(1, 200), st.integers(1, 5000), st.integers(1, 400), st.integers(0, 1 << 30))
def test_bytes_are_bounded_once_the_size_of_results_is_known(
    length: int, size_bytes: int, each: int, seed: int
) -> None:
    """All results are of one size here, so the estimate is right; one result is allowed, however large."""
    window = Window(items=1000, size_bytes=size_bytes)
    window.read(1)
    window.finished(Done(0, ["the first result"], [], 0.0, size_bytes=each))
    window.taken(1, each)
    run = Consumed(range(length), window)
    approach = Shuffled(seed, bytes_each=each)
    run.use(approach, 2)
    while run.feed():
        assert window.held * each <= max(size_bytes, each)
        for part in run.take():
            run.values += part.values
            run.taken(len(part.values), part.size_bytes)
    assert run.values == [-item for item in range(length)]


def test_large_results_leave_each_worker_its_items_if_it_was_promised_them() -> None:
    """By default a bound in bytes must not make workers idle."""
    window = Window(items=1000, size_bytes=10, each=2)
    window.share_among(3)
    window.read(1)
    window.finished(Done(0, ["large"], [], 0.0, size_bytes=100))
    window.taken(1, 100)
    assert window.capacity == 6
    assert window.room == 6
    assert window.allows(100, fixed=False) == 1


def test_a_chunk_size_that_was_asked_for_is_kept() -> None:
    """All or nothing: until there is room for it, nothing is read."""
    window = Window(items=10)
    assert window.allows(7, fixed=True) == 7
    window.read(7)
    assert window.allows(7, fixed=True) == 0
    window.finished(Done(0, list(range(7)), [], 0.0))
    assert window.allows(7, fixed=True) == 0
    window.taken(7, 0)
    assert window.allows(7, fixed=True) == 7


def test_chunks_do_not_become_smaller_and_smaller() -> None:
    """What becomes free in small pieces is saved up for a chunk of a worker's share."""
    window = Window(items=80)
    window.share_among(2)
    while size := window.allows(1000, fixed=False):
        window.read(size)
    assert window.held == 80
    window.finished(Done(0, [0], [], 0.0))
    window.taken(1, 0)
    assert window.allows(1000, fixed=False) == 0


@pytest.mark.parametrize(("wall_s", "weighed"), [(1.0, True), (1e-9, False)])
def test_results_that_did_not_travel_are_weighed_unless_that_would_take_longer_than_making_them(
    wall_s: float,
    weighed: bool,  # noqa: FBT001 - what is expected
) -> None:
    """Threads give large results too."""
    window = Window(items=1000, size_bytes=1_000_000)
    part = Done(0, [bytes(500_000)], [], wall_s)
    window.read(1)
    window.finished(part)
    assert (part.size_bytes > 500_000) == weighed


def test_an_endless_input_is_read_as_far_as_the_window_goes() -> None:
    """And not at all before something is fed."""
    read: list[int] = []
    window = Window(items=30)
    run = Driven((read.append(number) or number for number in count()), window)  # type: ignore[func-returns-value]  # None, and then the number
    assert read == []
    approach = Shuffled(3, most=1000)
    run.use(approach, 2)
    for _ in range(100):
        run.feed()
        run.take() if approach._chunks else None
    assert len(read) == 30
