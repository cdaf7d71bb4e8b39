"""Schedule, patrol and ledgers against a model: whatever happens, and in whatever order, no item is lost or doubled."""

from __future__ import annotations

import hypothesis.strategies as st
import pool_model
from hypothesis import Phase, settings
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from corewise._engine.schedule import AHEAD

SECONDS = st.sampled_from([0.0, 0.001, 0.02])  # on either side of what makes chunks worth sending ahead
NO_ITEMS = st.just(frozenset[int]())
SOME_ITEMS = st.frozensets(st.integers(0, 60), max_size=12)


class AnyLife(RuleBasedStateMachine):
    """A pool of up to four workers, and whatever can happen to it."""

    def __init__(self) -> None:
        super().__init__()
        self.pool = pool_model.Pool(1, pool_model.Nature())
        self.deaths = 0

    @initialize(
        workers=st.integers(2, 4),
        quota=st.none() | st.integers(1, 9),
        bad=NO_ITEMS | SOME_ITEMS,
        failing=NO_ITEMS | SOME_ITEMS,
        large=SOME_ITEMS,
        slow=SOME_ITEMS,
    )
    def open(self, workers: int, quota: int | None, **nature: frozenset[int]) -> None:
        """Open a pool."""
        self.pool = pool_model.Pool(workers, pool_model.Nature(**nature), quota)

    @precondition(lambda self: len(self.pool.schedule._queue) < 2)
    @rule(size=st.integers(1, 6), quick=st.booleans())
    def submit(self, size: int, *, quick: bool) -> None:
        """A chunk comes, whether there is room for it or not; its items may be said to be quick."""
        self.pool.quick = quick
        self.pool.submit(size)

    @precondition(lambda self: len(self.pool.members) < self.pool.schedule.limit)
    @rule()
    def join(self) -> None:
        """A worker comes, wanted or not."""
        self.pool.join()

    @precondition(lambda self: self.pool.schedule.limit > 1 and self.pool.submitted > 30)
    @rule()
    def lower_the_limit(self) -> None:
        """The system grants fewer workers than were asked for."""
        self.pool.schedule.limit -= 1

    @precondition(lambda self: self._able())
    @rule(data=st.data(), steps=st.sampled_from([1, 1, 1, 2, 3, 5, 20]))
    def work(self, data: st.DataObject, steps: int) -> None:
        """A worker goes on for a while."""
        worker = self.pool.members[data.draw(st.sampled_from(self._able()))]
        for _ in range(steps):
            if worker.can_go_on:
                worker.step()

    @precondition(lambda self: self.pool.members)
    @rule(data=st.data(), seconds=SECONDS)
    def read(self, data: st.DataObject, seconds: float) -> None:
        """The parent takes in what a worker has sent."""
        self.pool.seconds = seconds
        self.pool.read(data.draw(st.sampled_from(sorted(self.pool.members))))

    @precondition(lambda self: self.pool.schedule.idle)
    @rule()
    def take_back(self) -> None:
        """The parent takes from busy workers for the sake of idle ones."""
        self.pool.take_back()

    @precondition(lambda self: self.pool.schedule.idle and self._able())
    @rule(data=st.data())
    def take_back_a_moment_later(self, data: st.DataObject) -> None:
        """A worker has gone one step further since the parent last read what it had sent."""
        self.pool.members[data.draw(st.sampled_from(self._able()))].step()
        self.pool.take_back()

    @precondition(lambda self: self.pool.members)
    @rule()
    def fetch(self) -> None:
        """The parent fetches results that are finished and not sent."""
        self.pool.fetch()

    @precondition(lambda self: self.pool.members and self.pool.submitted > 8 * self.deaths)
    @rule(data=st.data())
    def die(self, data: st.DataObject) -> None:
        """A worker dies where it stands, idle, busy or told to end."""
        self.deaths += 1
        self.pool.die(data.draw(st.sampled_from(sorted(self.pool.members))))

    @invariant()
    def what_is_held_is_in_order(self) -> None:
        """Positions go up, and nobody has more chunks than may be sent ahead."""
        for desk in self.pool.schedule._desks.values():
            assert len(desk.held) <= AHEAD
            edges = [edge for held in desk.held for edge in (held.position, held.stop)]
            assert edges == sorted(edges)
            assert not edges or edges[-1] <= desk.sent

    @invariant()
    def what_waits_is_in_the_order_of_the_input(self) -> None:
        """Also after something came back."""
        waiting = [chunk.start for chunk in self.pool.schedule._queue]
        assert waiting == sorted(waiting)

    @invariant()
    def every_item_is_somewhere(self) -> None:
        """Waiting, held or through: each submitted index in one place exactly."""
        schedule = self.pool.schedule
        held = [one.chunk for desk in schedule._desks.values() for one in desk.held]
        under_way = [index for chunk in [*schedule._queue, *held] for index in chunk.items]
        assert sorted([*under_way, *self.pool.out]) == list(range(self.pool.submitted))
        assert schedule.unfinished == bool(under_way)

    @invariant()
    def nothing_is_stuck(self) -> None:
        """Nobody is idle while something waits; and where nobody could take it, a worker is wanted."""
        schedule = self.pool.schedule
        if schedule._queue:
            assert all(desk.held for desk in schedule._desks.values())
            assert schedule.wanted > 0 or len(schedule._desks) >= schedule.limit

    @invariant()
    def figures_are_possible(self) -> None:
        """Neither room nor wanted workers are ever negative, nor more than there may be; quotas are kept."""
        schedule = self.pool.schedule
        assert 0 <= schedule.room <= AHEAD * schedule.limit
        assert 0 <= schedule.wanted <= schedule.limit
        assert all(desk.quota is None or desk.quota >= 0 for desk in schedule._desks.values())

    def teardown(self) -> None:
        """Let the rest be finished: every item comes out exactly once, and those that came back were run once."""
        pool = self.pool
        pool.quick = False
        while pool.schedule.unfinished:
            if pool.schedule.wanted and not any(not worker.retired for worker in pool.members.values()):
                pool.join()
            for number in self._able():
                pool.members[number].step()
            for number in sorted(pool.members):
                pool.read(number)
        assert sorted(pool.out) == list(range(pool.submitted))
        came_back = [index for index, how in pool.out.items() if how in ("done", "fetched", "recovered")]
        assert all(pool.ran[index] == 1 or index in pool.may_run_again for index in came_back)
        assert all(pool.ran[index] == 0 for index, how in pool.out.items() if how in ("refused", "dropped"))
        pool.close()

    def _able(self) -> list[int]:
        return [number for number, worker in sorted(self.pool.members.items()) if worker.can_go_on]


class TestAnyLife(AnyLife.TestCase):  # type: ignore[name-defined,misc]  # made by hypothesis
    """Lives of up to fifty events."""

    # A failure is shown as it was found: making it smaller would take minutes, against the limit of a test.
    settings = settings(max_examples=100, stateful_step_count=50, deadline=None, phases=[Phase.reuse, Phase.generate])
