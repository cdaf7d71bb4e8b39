"""The input: never read further than asked for, counted right whether its length is known or not."""

from __future__ import annotations

import sys
from itertools import count
from time import perf_counter
from typing import TYPE_CHECKING, Any

import hypothesis.strategies as st
import pytest
from hypothesis import given

from corewise._dispatch.source import READ_ALONE_S, Source

if TYPE_CHECKING:
    from collections.abc import Iterator


class Watched:
    """An iterator without a length that notes how far it was read."""

    def __init__(self, length: int) -> None:
        self.read = 0
        self.asked_beyond = 0
        self._length = length

    def __iter__(self) -> Iterator[int]:
        return self

    def __next__(self) -> int:
        if self.read == self._length:
            self.asked_beyond += 1
            raise StopIteration
        self.read += 1
        return self.read - 1


def cut_all(source: Source, size: int) -> list[Any]:
    """Take everything in chunks, checking the indexes."""
    taken: list[Any] = []
    while (chunk := source.cut(size)) is not None:
        assert chunk.start == len(taken)
        assert 1 <= len(chunk.items) <= size
        taken += chunk.items
        assert source.taken == len(taken)
    return taken


def cut_rest(source: Source) -> list[Any]:
    """Take what is left, one by one."""
    return [item for chunk in iter(lambda: source.cut(1), None) if chunk is not None for item in chunk.items]


@given(st.integers(0, 50), st.integers(1, 60))
def test_a_list_is_cut_into_all_its_items(length: int, size: int) -> None:
    """Its length is known from the start, and the end is known without asking for more."""
    source = Source((list(range(length)),))
    assert source.total == length
    assert source.remaining == length
    assert cut_all(source, size) == list(range(length))
    assert source.exhausted
    assert source.remaining == 0


@given(st.integers(-50, 50), st.integers(-50, 50), st.sampled_from([-3, -1, 1, 7]), st.integers(1, 60))
def test_a_range_is_cut_into_ranges(begin: int, end: int, step: int, size: int) -> None:
    """Its numbers are made by whoever runs them; they are those that a loop would give."""
    numbers = range(begin, end, step)
    source = Source((numbers,))
    taken: list[int] = []
    while (chunk := source.cut(size)) is not None:
        assert type(chunk.items) is range
        taken += chunk.items
    assert taken == list(numbers)
    assert source.exhausted


def test_a_list_that_shrinks_meanwhile_ends_the_input() -> None:
    """As it would end a loop over it; and what grows behind its first length is not read."""
    numbers = list(range(10))
    source = Source((numbers,))
    assert cut_all(Source((numbers,)), 4) == numbers
    source.cut(4)
    del numbers[6:]
    chunk = source.cut(4)
    assert chunk is not None
    assert chunk.items == [4, 5]
    assert source.exhausted
    growing = [1, 2]
    source = Source((growing,))
    source.cut(1)
    growing.append(3)
    assert cut_rest(source) == [2]


@given(st.integers(0, 50), st.lists(st.integers(1, 20), min_size=1, max_size=30))
def test_no_item_more_than_asked_for_is_read(length: int, sizes: list[int]) -> None:
    """Of a generator, an item that was read is an item that was wanted."""
    watched = Watched(length)
    source = Source((watched,))
    assert source.total is None
    for number, size in enumerate(sizes):
        assert source.remaining == (0 if source.exhausted else None)
        source.cut(size)
        assert watched.read == source.taken == min(length, sum(sizes[: number + 1]))
    assert watched.asked_beyond <= 1, "an iterator that has ended is not asked again"


def test_an_input_that_ends_with_a_chunk_is_found_out_by_the_next() -> None:
    """Four items, two chunks of two: nobody can know before asking, and then it is known for good."""
    source = Source((iter(range(4)),))
    assert [chunk.items for chunk in (source.cut(2), source.cut(2)) if chunk] == [[0, 1], [2, 3]]
    assert not source.exhausted
    assert source.cut(2) is None
    assert source.exhausted
    assert source.cut(2) is None


def test_a_known_length_spares_the_question_at_the_end() -> None:
    """The item behind the last one is not asked for: it might block, as a socket does."""

    class Known(Watched):
        def __len__(self) -> int:
            return 4

    watched = Known(4)
    source = Source((watched,))
    source.cut(4)
    assert source.exhausted
    assert source.cut(1) is None
    assert watched.asked_beyond == 0


@given(st.lists(st.integers(0, 9), min_size=2, max_size=4), st.integers(1, 12))
def test_several_inputs_go_in_step_and_the_shortest_ends(lengths: list[int], size: int) -> None:
    """As with the built-in map."""
    inputs = [list(range(10 * number, 10 * number + length)) for number, length in enumerate(lengths)]
    source = Source(tuple(inputs))
    assert source.total == min(lengths)
    assert cut_all(source, size) == list(zip(*inputs, strict=False))


def test_one_input_of_unknown_length_makes_the_total_unknown() -> None:
    """The known one might be the longer."""
    source = Source(([1, 2, 3], iter([4, 5])))
    assert source.total is None
    assert cut_all(source, 5) == [(1, 4), (2, 5)]


def test_an_endless_input_beside_a_short_one_ends() -> None:
    """It is read as far as zip has to."""
    assert cut_all(Source((count(), "ab")), 10) == [(0, "a"), (1, "b")]


def test_an_item_that_is_none_is_an_item() -> None:
    """Nothing is taken for the end but the end."""
    assert cut_all(Source(([None, 0, ""],)), 1) == [None, 0, ""]


def test_an_input_longer_than_any_length_has_an_unknown_one() -> None:
    """Its len() raises OverflowError, and yet one can iterate over it."""
    source = Source((range(sys.maxsize + 2),))
    assert source.total is None
    chunk = source.cut(3)
    assert chunk is not None
    assert list(chunk.items) == [0, 1, 2]


def test_an_input_that_cannot_tell_its_length_has_an_unknown_one() -> None:
    """Loaders of data streams have a __len__ that raises TypeError, as list() knows."""

    class Stream:
        def __iter__(self) -> Iterator[int]:
            return iter(range(5))

        def __len__(self) -> int:
            raise TypeError("a stream has no length")

    source = Source((Stream(),))
    assert source.total is None
    assert cut_all(source, 2) == list(range(5))


def test_what_the_input_raises_ends_it_and_is_kept() -> None:
    """What was read before comes first, as in the plain loop; and what is no input is refused at once."""

    def numbers() -> Iterator[int]:
        yield 0
        yield 1
        raise KeyError("broken")

    source = Source((numbers(),))
    chunk = source.cut(3)
    assert chunk is not None
    assert chunk.items == [0, 1]
    assert source.exhausted
    assert source.cut(3) is None
    assert isinstance(source.error, KeyError)
    with pytest.raises(TypeError, match="not iterable"):
        Source((5,))  # type: ignore[arg-type]  # the mistake that is tested


def test_what_is_slow_to_come_is_handed_on() -> None:
    """Nobody waits for a chunk to fill: each item that took its time ends one. What is at hand is taken whole."""
    source = Source((iter(range(3)),))
    for number in range(3):
        chunk = source.cut(100, ahead_s=-1.0)
        assert chunk is not None
        assert chunk.items == [number]
        assert source.slow
    assert source.cut(100) is None
    assert not source.slow
    at_hand = Source((range(1000),))
    chunk = at_hand.cut(500)
    assert chunk is not None
    assert len(chunk.items) == 500


def test_what_can_be_read_at_any_index_is_known() -> None:
    """Workers that are forked may inherit it; whatever only looks like it may do anything."""

    class Odd(list[int]):
        pass

    assert Source(([1], (2,), range(3))).sequences == ([1], (2,), range(3))
    assert Source(([1], iter([2]))).sequences is None
    assert Source((Odd([1]),)).sequences is None


def test_a_source_that_is_dropped_closes_its_generator() -> None:
    """It was the last to hold it."""
    closed: list[bool] = []

    def numbers() -> Iterator[int]:
        try:
            yield from count()
        finally:
            closed.append(True)

    source = Source((numbers(),))
    source.cut(3)
    source.drop()
    assert closed == [True]
    assert source.cut(3) is None


def test_reading_is_timed_and_ends_a_chunk_early() -> None:
    """So a slow input fills no chunk; a sequence costs nothing to read."""

    def busy() -> Iterator[int]:
        for number in count():
            end = perf_counter() + 0.003
            while perf_counter() < end:
                pass
            yield number

    source = Source((busy(),))
    for _ in range(4):
        chunk = source.cut(100, ahead_s=READ_ALONE_S)
        assert chunk is not None
        assert len(chunk.items) == 1
        assert source.slow
    assert 0.003 <= source.read_item_s <= source.read_s / 4
    listed = Source(([1, 2, 3],))
    listed.cut(2)
    assert listed.read_item_s == 0.0


def test_what_others_have_already_is_looked_up_where_it_is_needed() -> None:
    """To take items out of their list would write to each of them."""
    source = Source((list(range(10)),))
    source.inherited = True
    source.cut(3)
    chunk = source.cut(4)
    assert chunk is not None
    assert not isinstance(chunk.items, list)
    assert list(chunk.items) == [3, 4, 5, 6]
    assert (len(chunk.items), chunk.items[0], chunk.items[-1], chunk.items[1:3]) == (4, 3, 6, [4, 5])
    assert list(chunk.part(4, 6).items) == [4, 5]
    with pytest.raises(IndexError):
        chunk.items[4]
    rest = source.cut(100)
    assert rest is not None
    assert list(rest.items) == [7, 8, 9]
    assert source.exhausted


def test_a_list_that_is_shortened_under_a_run_is_said_to_be() -> None:
    """Rather than fewer items sent than were promised, for which somebody would wait."""
    items = list(range(10))
    source = Source((items,))
    source.inherited = True
    chunk = source.cut(8)
    assert chunk is not None
    del items[5:]
    assert len(chunk.items) == 8
    for look in (lambda: list(chunk.items), lambda: chunk.items[0], lambda: chunk.part(0, 2)):
        with pytest.raises(RuntimeError, match="was shortened"):
            look()
