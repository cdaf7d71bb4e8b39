"""How many threads for work that waits: hill climbing, simulated against servers of several kinds."""

from __future__ import annotations

from typing import TYPE_CHECKING

import hypothesis.strategies as st
import pytest
import servers
from hypothesis import given

from corewise._choose.climb import MOST_THREADS, ThreadClimb
from corewise._choose.model import FIRST_THREADS

if TYPE_CHECKING:
    from collections.abc import Callable


def climbed(
    server: Callable[[int], float], items: int, *, start: int = FIRST_THREADS, noise: float = 0.0, seed: int = 0
) -> tuple[float, list[int]]:
    """Return the seconds of a run whose number of threads climbs, and the numbers it had."""
    climb = ThreadClimb(min(items, start), alone_s=servers.CLEAN_S)
    limits = [climb.limit]

    def observe(ended: int, seconds: float) -> int:
        limit = climb.observe(ended, seconds)
        if limit != limits[-1]:
            limits.append(limit)
        return limit

    return servers.run(server, items, climb.limit, observe=observe, noise=noise, seed=seed), limits


KINDS = {
    "any number at once": (servers.constant, FIRST_THREADS),
    "8 at once": (servers.saturating(8), FIRST_THREADS),
    "50 at once": (servers.saturating(50), FIRST_THREADS),
    "200 at once, begun with few": (servers.saturating(200), 16),
    "best at 32": (servers.degrading(32), FIRST_THREADS),
    "best at 100": (servers.degrading(100), FIRST_THREADS),
    "best at 100, begun with few": (servers.degrading(100), 8),
    "the GIL": (servers.gil, 4),
}


@pytest.mark.parametrize("noise", [0.0, 0.3], ids=["even calls", "uneven calls"])
@pytest.mark.parametrize("kind", KINDS)
def test_it_comes_near_the_best_fixed_number(kind: str, noise: float) -> None:
    """Within a quarter over 3,000 calls, the way to it included."""
    server, start = KINDS[kind]
    best_s, _ = servers.best_fixed(server, 3000, noise=noise, seed=7)
    assert climbed(server, 3000, start=start, noise=noise, seed=7)[0] <= 1.25 * best_s


def test_many_short_waits_are_over_nearly_as_soon_as_with_the_best_number() -> None:
    """600 calls of 20 ms: within 1.3 of the best, where 32 threads take six times as long."""
    best_s, _ = servers.best_fixed(servers.constant, 600)
    assert climbed(servers.constant, 600)[0] <= 1.3 * best_s
    assert servers.run(servers.constant, 600, 32) > 5 * best_s


def test_a_server_that_does_less_the_more_it_is_asked_is_relieved() -> None:
    """Where it is best at eight: the flood of the beginning costs, and is over after it."""
    best_s, _ = servers.best_fixed(servers.degrading(8), 10_000)
    seconds, limits = climbed(servers.degrading(8), 10_000)
    assert seconds <= 1.3 * best_s
    assert limits[1] <= FIRST_THREADS // 4, "the brake comes first"
    assert seconds < 0.2 * servers.run(servers.degrading(8), 10_000, FIRST_THREADS)


def test_of_two_numbers_that_achieve_the_same_it_prefers_the_smaller() -> None:
    """A server for eight at once is not left with hundreds of open calls."""
    assert climbed(servers.saturating(8), 3000)[1][-1] <= 16


@pytest.mark.parametrize(("alone_s", "most"), [(10 * servers.CLEAN_S, 1.25), (servers.CLEAN_S / 4, 2.5)])
def test_an_odd_first_call_misleads_it_for_a_while_only(alone_s: float, most: float) -> None:
    """What a call takes alone is learnt again; after one that was too quick the brake has to be let go first."""
    climb = ThreadClimb(64, alone_s=alone_s)
    seconds = servers.run(servers.constant, 5000, 64, observe=climb.observe)
    assert climb.limit >= 256
    assert seconds <= most * servers.best_fixed(servers.constant, 5000)[0]


def test_the_first_of_many_to_end_are_no_proof_where_the_call_alone_was_an_odd_one() -> None:
    """It took 40 ms, as it had to connect. Of a hundred behind it the first ended as soon, and they were in a jam."""
    climb = ThreadClimb(100, alone_s=0.04)
    limits = [climb.observe(1, 0.02 * (1 + (ended / 24) ** 2)) for ended in range(100)]
    assert max(limits) == 100
    assert limits[-1] < 70
    sound = ThreadClimb(100, alone_s=0.04)
    assert max(sound.observe(1, 0.04) for _ in range(40)) > 200


def test_where_more_achieve_less_fewer_are_tried_next() -> None:
    """However quick those seemed that there were before: the first of a flood were served while few had come."""
    climb = ThreadClimb(100, alone_s=0.0)
    for arrived in range(1, 101):
        climb.observe(1, max(0.045, 0.0025 * arrived))
    assert 24 < climb.limit < 50
    servers.run(servers.degrading(24), 1000, climb.limit, observe=climb.observe)
    assert climb.limit <= 30


def test_a_server_that_turns_slow_is_noticed() -> None:
    """Settled at its best of 100; then it is best at 25."""
    climb = ThreadClimb(64, alone_s=servers.CLEAN_S)
    servers.run(servers.degrading(100), 20_000, climb.limit, observe=climb.observe)
    assert 50 <= climb.limit <= 150
    servers.run(servers.degrading(25), 30_000, climb.limit, observe=climb.observe)
    assert climb.limit <= 50


@given(
    st.integers(1, 2 * MOST_THREADS),
    st.floats(0, 10),
    st.lists(st.tuples(st.integers(0, 500), st.floats(0, 100)), max_size=200),
)
def test_the_number_stays_within_its_bounds(start: int, alone_s: float, reports: list[tuple[int, float]]) -> None:
    """Whatever the calls took."""
    climb = ThreadClimb(start, alone_s=alone_s)
    for items, seconds in reports:
        assert 1 <= climb.observe(items, seconds) <= MOST_THREADS
        assert climb.limit == climb.observe(0, 0.0)


def test_a_cap_of_the_user_is_kept() -> None:
    """However much more would gain."""
    climb = ThreadClimb(64, alone_s=0.02, most=40)
    assert max(climb.observe(40, 40 * 0.02) for _ in range(50)) == 40
