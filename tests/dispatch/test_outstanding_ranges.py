"""What is under way: chunks come back in any order and in any parts, and no item is ever lost sight of."""

from __future__ import annotations

from itertools import pairwise

import hypothesis.strategies as st
import pytest
from hypothesis import Phase, given, settings
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from corewise._dispatch.ranges import Outstanding
from corewise._work.chunk import Chunk


def chunk(start: int, stop: int) -> Chunk:
    """Return a chunk whose items name their index."""
    return Chunk(start, [f"item {index}" for index in range(start, stop)], star=False)


@given(st.lists(st.integers(1, 12), min_size=1, max_size=8), st.data())
def test_parts_come_back_in_any_order(sizes: list[int], data: st.DataObject) -> None:
    """Chunks are cut anywhere, and the parts shuffled among all chunks."""
    outstanding = Outstanding()
    parts: list[tuple[int, int]] = []
    start = 0
    for size in sizes:
        outstanding.add(chunk(start, start + size))
        cuts = sorted({start, start + size, *data.draw(st.sets(st.integers(start, start + size), max_size=4))})
        parts += [(one, other) for one, other in pairwise(cuts) if other > one]
        start += size
    under_way = set(range(start))
    for one, other in data.draw(st.permutations(parts)):
        for index in range(one, other):
            assert outstanding.item(index) == f"item {index}"
        outstanding.remove(one, other - one, dropped=0)
        under_way -= set(range(one, other))
        assert bool(outstanding) == bool(under_way)
        for index in (0, start // 2, start):
            assert outstanding.any_before(index) == any(left < index for left in under_way)


class UnderWay(RuleBasedStateMachine):
    """Against a set of indexes: what a pool hands out and gets back, with rests that never come."""

    def __init__(self) -> None:
        super().__init__()
        self.outstanding = Outstanding()
        self.chunks: list[set[int]] = []
        self.next = 0

    @rule(size=st.integers(1, 8))
    def hand_out(self, size: int) -> None:
        """The next items leave."""
        self.outstanding.add(chunk(self.next, self.next + size))
        self.chunks.append(set(range(self.next, self.next + size)))
        self.next += size

    @precondition(lambda self: self.chunks)
    @rule(data=st.data(), dropped=st.booleans())
    def take_back(self, data: st.DataObject, *, dropped: bool) -> None:
        """Any stretch of a chunk returns; with `dropped`, what stands behind it in its stretch never will."""
        mine = data.draw(st.sampled_from(self.chunks))
        start = data.draw(st.sampled_from(sorted(mine)))
        stop = start
        while stop in mine:
            stop += 1
        count = data.draw(st.integers(1, stop - start))
        self.outstanding.remove(start, count, dropped=stop - start - count if dropped else 0)
        mine -= set(range(start, stop if dropped else start + count))
        if not mine:
            self.chunks = [one for one in self.chunks if one]

    @invariant()
    def they_agree(self) -> None:
        """On every index."""
        under_way = {index for one in self.chunks for index in one}
        assert bool(self.outstanding) == bool(under_way)
        assert self.outstanding.items == len(under_way)
        for index in under_way:
            assert self.outstanding.item(index) == f"item {index}"
        for index in range(0, self.next + 2, 3):
            assert self.outstanding.any_before(index) == any(left < index for left in under_way)


class TestUnderWay(UnderWay.TestCase):  # type: ignore[name-defined,misc]  # made by hypothesis
    """Up to thirty moves."""

    # A failure is shown as it was found: making it smaller would take minutes, against the limit of a test.
    settings = settings(max_examples=60, stateful_step_count=30, deadline=None, phases=[Phase.reuse, Phase.generate])


def test_what_is_not_under_way_is_not_found() -> None:
    """Asking for it is a mistake, and is not answered with something else."""
    outstanding = Outstanding()
    outstanding.add(chunk(3, 6))
    outstanding.remove(4, 1, dropped=0)
    for index in (2, 4, 6):
        with pytest.raises(RuntimeError, match="not under way"):
            outstanding.item(index)
