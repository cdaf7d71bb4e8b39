"""The scheduler against a model: workers join, finish, refuse and die at any moment; no item gets lost or doubled."""

from __future__ import annotations

from typing import Any

import hypothesis.strategies as st
import pool_model
from hypothesis import Phase, settings
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

SECONDS = st.sampled_from([0.0, 0.001, 0.02])  # on either side of what makes chunks worth sending ahead


class AnyLife(RuleBasedStateMachine):
    """A pool of up to four workers, and whatever can happen to it."""

    def __init__(self) -> None:
        super().__init__()
        self.pool = pool_model.Pool(1, lambda _: True)

    @initialize(workers=st.integers(1, 4), bad=st.frozensets(st.integers(0, 60), max_size=12))
    def open(self, workers: int, bad: frozenset[int]) -> None:
        """Open a pool; `bad` are the items that cannot travel."""
        self.pool = pool_model.Pool(workers, lambda index: index not in bad)

    @rule(size=st.integers(1, 6))
    def submit(self, size: int) -> None:
        """A chunk comes, whether there is room for it or not."""
        self.pool.submit(size)

    @precondition(lambda self: len(self.pool.workers) < self.pool.schedule.limit)
    @rule()
    def join(self) -> None:
        """A worker comes, wanted or not."""
        self.pool.join()

    @rule(data=st.data())
    def lower_the_limit(self, data: st.DataObject) -> None:
        """The system grants fewer workers than were asked for."""
        self.pool.schedule.limit = data.draw(st.integers(1, self.pool.schedule.limit))

    @precondition(lambda self: self._busy())
    @rule(data=st.data(), seconds=SECONDS)
    def finish(self, data: st.DataObject, seconds: float) -> None:
        """A chunk is finished, wholly."""
        number = data.draw(st.sampled_from(self._busy()))
        self.pool.finish(number, len(self.pool.workers[number].wire[0].items), seconds, dropped=False)

    @precondition(lambda self: self._busy())
    @rule(data=st.data(), seconds=SECONDS, dropped=st.booleans())
    def finish_part(self, data: st.DataObject, seconds: float, *, dropped: bool) -> None:
        """The first outcomes of a chunk come; the others will follow, or never will."""
        number = data.draw(st.sampled_from(self._busy()))
        size = len(self.pool.workers[number].wire[0].items)
        count = data.draw(st.integers(1, size if dropped or size == 1 else size - 1))
        self.pool.finish(number, count, seconds, dropped=dropped)

    @precondition(lambda self: self.pool.workers)
    @rule(data=st.data())
    def die(self, data: st.DataObject) -> None:
        """A worker dies, idle or busy, with its ledger in any state that it can be in."""
        number = data.draw(st.sampled_from(sorted(self.pool.workers)))
        states = self.pool.states(number)
        reached, loss = states[data.draw(st.integers(0, len(states) - 1))]
        self.pool.die(number, reached, loss)

    @invariant()
    def each_worker_has_on_its_wire_what_the_schedule_thinks(self) -> None:
        """In the same order, and never more than two chunks."""
        held = {number: _spans(chunks) for number, chunks in self.pool.schedule._held.items()}
        assert held == {number: _spans(worker.wire) for number, worker in self.pool.workers.items()}
        assert all(len(chunks) <= 2 for chunks in held.values())

    @invariant()
    def what_waits_is_in_the_order_of_the_input(self) -> None:
        """Also after something came back."""
        waiting = [chunk.start for chunk in self.pool.schedule._queue]
        assert waiting == sorted(waiting)

    @invariant()
    def every_item_is_somewhere(self) -> None:
        """Waiting, held or through: each submitted index in one place exactly."""
        schedule = self.pool.schedule
        chunks = [*schedule._queue, *(chunk for held in schedule._held.values() for chunk in held)]
        under_way = [index for chunk in chunks for index in chunk.items]
        assert sorted([*under_way, *self.pool.out]) == list(range(self.pool.submitted))
        assert schedule.unfinished == bool(under_way)

    @invariant()
    def nothing_is_stuck(self) -> None:
        """Nobody is idle while something waits; and where nobody could take it, a worker is wanted."""
        schedule = self.pool.schedule
        if schedule._queue:
            assert all(schedule._held.values())
            assert schedule.wanted > 0 or len(schedule._held) >= schedule.limit

    @invariant()
    def figures_are_possible(self) -> None:
        """Neither room nor wanted workers are ever negative, nor more than there may be."""
        schedule = self.pool.schedule
        assert 0 <= schedule.room <= 2 * schedule.limit
        assert 0 <= schedule.wanted <= schedule.limit

    def teardown(self) -> None:
        """Let the rest be finished: every item comes out, exactly once."""
        while self.pool.schedule.unfinished:
            if not self.pool.workers:
                assert self.pool.schedule.wanted > 0
                self.pool.join()
            for number in self._busy():
                self.pool.finish(number, len(self.pool.workers[number].wire[0].items), 0.001, dropped=False)
        assert self.pool.out == dict.fromkeys(range(self.pool.submitted), 1)

    def _busy(self) -> list[int]:
        return [number for number, worker in sorted(self.pool.workers.items()) if worker.wire]


def _spans(chunks: Any) -> list[tuple[int, int]]:
    return [(chunk.start, chunk.stop) for chunk in chunks]


class TestAnyLife(AnyLife.TestCase):  # type: ignore[name-defined,misc]  # made by hypothesis
    """Lives of up to fifty events."""

    # A failure is shown as it was found: making it smaller would take minutes, against the limit of a test.
    settings = settings(max_examples=150, stateful_step_count=50, deadline=None, phases=[Phase.reuse, Phase.generate])
