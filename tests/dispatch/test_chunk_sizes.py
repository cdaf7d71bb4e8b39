"""How many items a chunk gets: as many as last some milliseconds, found fast, never so many that workers end apart."""

from __future__ import annotations

import hypothesis.strategies as st
import pytest
from hypothesis import given

from corewise._dispatch.sizes import _FLOOR_S, _SLICE_S, TARGET_S, ChunkSizes

COSTS_S = [1e-8, 1e-7, 3e-6, 5e-5, 1e-3, 1.1e-3, 3.9e-3, 0.004, 0.0041, 0.05, 1.0, 10.0]
ITEM_S = st.floats(1e-8, 10.0)


def run_chunks(sizes: ChunkSizes, item_s: float, chunks: int, remaining: int | None = None) -> list[int]:
    """Let so many chunks be run of items that all cost the same, and return their sizes."""
    taken = []
    for _ in range(chunks):
        size = sizes.next(remaining)
        taken.append(size)
        sizes.observe(size, size * item_s)
    return taken


@pytest.mark.parametrize("item_s", COSTS_S)
@pytest.mark.parametrize("workers", [1, 2, 64])
def test_chunks_come_to_last_as_long_as_they_should(workers: int, item_s: float) -> None:
    """Items of 10 ns and of 10 s alike: within one item of the target, or one item alone."""
    *_, size = run_chunks(ChunkSizes(workers=workers, fixed=None), item_s, 30)
    assert size == 1 or size * item_s <= TARGET_S * 1.000001
    assert (size + 1) * item_s > TARGET_S * 0.999999


@pytest.mark.parametrize(("workers", "item_s", "growth"), [(1, 1e-8, 32), (2, 1e-8, 8), (8, 1e-8, 8), (2, 3e-4, 2)])
def test_sizes_grow_step_by_step(workers: int, item_s: float, growth: int) -> None:
    """From one item on, in larger steps while the target is far, so that no chunk is ever a wild guess."""
    taken = run_chunks(ChunkSizes(workers=workers, fixed=None), item_s, 4)
    assert taken == [growth**step for step in range(4)]


def test_a_hundred_thousand_short_items_need_few_chunks_to_find_their_size() -> None:
    """Ten doublings reach a thousand items; what comes before costs little."""
    taken = run_chunks(ChunkSizes(workers=4, fixed=None), 4e-6, 11)
    assert taken[-1] == pytest.approx(TARGET_S / 4e-6, rel=0.01)


@given(st.lists(st.tuples(st.floats(0.0, 10.0), st.floats(0.0, 1.0)), max_size=40), st.integers(1, 64))
def test_no_history_makes_a_size_jump_or_vanish(history: list[tuple[float, float]], workers: int) -> None:
    """Whatever chunks took, and whatever part of a size they held: at least one item, at most one step up."""
    sizes = ChunkSizes(workers=workers, fixed=None)
    for seconds, share in history:
        before = sizes.next(None)
        sizes.observe(max(1, int(before * share)), seconds)
        assert 1 <= sizes.next(None) <= before * (32 if workers == 1 else 8)


@given(ITEM_S, ITEM_S)
def test_items_that_become_slower_shrink_the_very_next_chunk(before_s: float, after_s: float) -> None:
    """One chunk tells enough, unless others may just have had its core for a time slice; then two do."""
    sizes = ChunkSizes(workers=2, fixed=None)
    run_chunks(sizes, min(before_s, after_s), 25)
    slower_s, faster_s = max(before_s, after_s), min(before_s, after_s)
    size = sizes.next(None)
    sizes.observe(size, size * slower_s)
    if size * (slower_s - faster_s) <= _SLICE_S:
        sizes.observe(size, size * slower_s)
    assert sizes.next(None) == 1 or sizes.next(None) * slower_s <= TARGET_S * 1.000001


@given(st.lists(st.booleans(), min_size=60, max_size=60), st.floats(2e-6, 5e-4))
def test_time_slices_of_others_do_not_shrink_chunks(met: list[bool], item_s: float) -> None:
    """However many chunks meet one, as long as no two in a row do."""
    sizes = ChunkSizes(workers=2, fixed=None)
    run_chunks(sizes, item_s, 20)
    fitting = sizes.next(None)
    before = False
    for meets in met:
        before = meets and not before
        size = sizes.next(None)
        sizes.observe(size, size * item_s + 0.008 * before)
        assert sizes.next(None) >= fitting - 1


def test_a_small_chunk_at_the_end_does_not_let_sizes_grow() -> None:
    """That one item was short says nothing of chunks larger than any seen."""
    sizes = ChunkSizes(workers=2, fixed=None)
    run_chunks(sizes, 1e-5, 6)
    size = sizes.next(None)
    sizes.observe(1, 1e-9)
    assert sizes.next(None) == size


@given(ITEM_S, st.integers(2, 64))
def test_others_go_on_with_what_is_known_of_the_items(item_s: float, workers: int) -> None:
    """Their first chunk is a part of what fits, as items may take longer there; later ones fit their own target."""
    before = ChunkSizes(workers=1, fixed=None)
    assert before.for_others(workers, None, 0.008).next(None) == 1
    run_chunks(before, item_s, 20)
    sizes = before.for_others(workers, None, 0.008)
    first = sizes.next(None)
    assert first == 1 or first * item_s <= 0.002 * 1.000001
    assert (first + 1) * item_s > 0.002 * 0.999999
    *_, size = run_chunks(sizes, item_s, 30)
    assert size == 1 or size * item_s <= 0.008 * 1.000001
    assert (size + 1) * item_s > 0.008 * 0.999999
    assert before.for_others(workers, 7, 0.008).next(None) == 7


def test_a_clock_that_saw_no_time_pass_lets_sizes_grow() -> None:
    """And divides by nothing."""
    sizes = ChunkSizes(workers=2, fixed=None)
    sizes.observe(1, 0.0)
    assert sizes.next(None) == 8
    sizes.observe(0, 0.0)
    assert sizes.next(None) == 8


@given(st.integers(0, 10_000), st.integers(2, 64))
def test_the_tail_is_shared(remaining: int, workers: int) -> None:
    """No chunk takes more than the share that leaves two for each worker."""
    sizes = ChunkSizes(workers=workers, fixed=None)
    run_chunks(sizes, 3e-5, 20)
    least = int(_FLOOR_S / 3e-5)
    assert sizes.next(remaining) == min(max(1, remaining), max(least, remaining // (2 * workers)), int(TARGET_S / 3e-5))


@given(ITEM_S, st.integers(1, 2000), st.integers(2, 16))
def test_no_worker_is_left_with_half_of_the_work(item_s: float, items: int, workers: int) -> None:
    """Chunk after chunk to the end of a known input: none exceeds its share of what was left."""
    sizes = ChunkSizes(workers=workers, fixed=None)
    left = items
    while left:
        size = sizes.next(left)
        assert size <= max(1, left // (2 * workers)) or size * item_s <= _FLOOR_S * 1.000001
        sizes.observe(size, size * item_s)
        left -= size
    assert left == 0


def test_a_plain_loop_has_no_tail_to_share() -> None:
    """One worker takes all that fits its time."""
    sizes = ChunkSizes(workers=1, fixed=None)
    run_chunks(sizes, 1e-8, 3)
    assert sizes.next(10) == 32**3


@given(st.integers(1, 1000), st.integers(0, 10) | st.none(), st.integers(1, 8), st.floats(0, 10))
def test_a_fixed_size_is_fixed(fixed: int, remaining: int | None, workers: int, seconds: float) -> None:
    """Whatever chunks take, however few items are left."""
    sizes = ChunkSizes(workers=workers, fixed=fixed)
    assert sizes.next(remaining) == fixed
    sizes.observe(fixed, seconds)
    assert sizes.next(remaining) == fixed
