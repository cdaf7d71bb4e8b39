"""A chunk of a plain loop that ends early: what was run counts, what was not is left, and nothing is run twice."""

from __future__ import annotations

import sys
import threading
from typing import TYPE_CHECKING, Any

import hypothesis.strategies as st
import pytest
from hypothesis import given

from corewise._work.chunk import Chunk, Done
from corewise._work.pieces import Pieces
from corewise._work.run import run_chunk

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

KINDS: list[Callable[[range], Sequence[int]]] = [list, tuple, lambda numbers: numbers]


def run(call: Callable[[int], Any], pieces: Pieces, *, keep_going: bool = False) -> Done:
    """Run a chunk as the automatic choice runs it in the caller."""
    items: Any = pieces  # as much of a sequence as is needed
    chunk = Chunk(0, items, star=False)
    return run_chunk(call, chunk, keep_going=keep_going, interruptible=True, pending=pieces.more(0), more=pieces.more)


@given(st.integers(1, 3000), st.integers(0, 3500), st.sampled_from(KINDS))
def test_all_behind_the_item_that_is_running_is_left(
    size: int, at: int, kind: Callable[[range], Sequence[int]]
) -> None:
    """Wherever it is cut, of whatever sequence: the item counts, those behind it are not begun."""
    pieces = Pieces(kind(range(size)), limit_s=-1.0 if at == 0 else 1e9)
    pieces._end_s = 1e9  # looked at by nobody but `cut`, which is told that it is over
    called: list[int] = []

    def call(number: int) -> int:
        called.append(number)
        if number == at:
            pieces._end_s = -1.0
            pieces.cut()
        return -number

    done = run(call, pieces)
    ran = min(at + 1, size)
    assert called == list(range(ran))
    assert done.values == [-number for number in range(ran)]
    assert (len(pieces), done.failed, done.dropped) == (ran, [], 0)


@pytest.mark.parametrize("watched", [False, True])
def test_who_takes_items_one_by_one_is_stopped_by_the_clock(*, watched: bool) -> None:
    """The iterator that they come from is none that another thread could end."""
    pieces = Pieces(range(1000), limit_s=1e9, watched=watched)
    taken = 0
    for taken, _ in enumerate(pieces, 1):
        if taken == 200:
            pieces._end_s = -1.0
    assert 200 <= taken == len(pieces) < 400


@pytest.mark.parametrize("watched", [False, True])
@pytest.mark.parametrize("kind", KINDS)
def test_before_the_time_is_over_nothing_is_cut(kind: Callable[[range], Sequence[int]], *, watched: bool) -> None:
    """However often that is asked for."""
    pieces = Pieces(kind(range(500)), limit_s=1e9, watched=watched)

    def call(number: int) -> int:
        pieces.cut()
        return number

    assert run(call, pieces).values == list(range(500))


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("keep_going", [False, True])
@pytest.mark.parametrize("watched", [False, True])
def test_stop_iteration_is_told_from_a_cut(
    kind: Callable[[range], Sequence[int]], *, keep_going: bool, watched: bool
) -> None:
    """A function that raises it at the very item at which the chunk is cut off has failed there."""
    pieces = Pieces(kind(range(300)), limit_s=-1.0, watched=watched)
    pieces._end_s = 1e9

    def call(number: int) -> int:
        if number == 150:
            pieces._end_s = -1.0
            pieces.cut()
            raise StopIteration
        return number

    done = run(call, pieces, keep_going=keep_going)
    assert done.values[:150] == list(range(150))
    assert (done.failed, type(done.values[150]), len(done.values)) == ([150], StopIteration, 151)
    assert done.dropped == (0 if keep_going else 149)


def test_who_comes_to_the_end_while_it_is_being_cut_sees_a_cut() -> None:
    """The thread that cuts may lose the GIL just when the iterator has been told to end."""
    pieces = Pieces(range(100), limit_s=1e9)
    assert list(pieces.more(0) or ()) == [0]
    piece: Any = pieces.more(1)
    assert next(piece) == 1
    pieces._end_s = -1.0
    left = []

    class Ending:
        """As the iterator, but the other thread goes on at once."""

        def __length_hint__(self) -> int:
            return int(piece.__length_hint__())

        def __setstate__(self, number: int) -> None:
            piece.__setstate__(number)
            assert list(piece) == []
            assert pieces.more(2) is None
            left.append(100 - len(pieces))

    pieces._piece = Ending()
    pieces.cut()
    assert left == [98]


@pytest.fixture
def restless() -> Iterator[None]:
    """Have threads take turns between any two instructions."""
    usual_s = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    yield
    sys.setswitchinterval(usual_s)


@pytest.mark.usefixtures("restless")
@pytest.mark.parametrize("watched", [False, True])
@pytest.mark.parametrize("kind", KINDS)
def test_another_thread_may_cut_at_any_moment(kind: Callable[[range], Sequence[int]], *, watched: bool) -> None:
    """Dozens of times: what was run is the beginning of the input, each item once, and none has failed."""
    for _ in range(60):
        pieces = Pieces(kind(range(20_000)), limit_s=0.0002, watched=watched)
        called: list[int] = []
        over = threading.Event()

        def cut(pieces: Pieces = pieces, over: threading.Event = over) -> None:
            while not over.is_set():
                pieces.cut()

        def call(number: int, called: list[int] = called) -> int:
            called.append(number)
            return number

        thread = threading.Thread(target=cut)
        thread.start()
        try:
            done = run(call, pieces)
        finally:
            over.set()
            thread.join()
        assert called == done.values == list(range(len(called)))
        assert len(pieces) == len(called)
        assert done.failed == []
