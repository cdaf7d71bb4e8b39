"""A server that refuses calls is relieved at once, and asked for more slowly."""

from __future__ import annotations

import hypothesis.strategies as st
from hypothesis import given

from corewise._choose.at_once import AtOnce


class Refusing:
    """A server that serves so many calls at once, in rounds of all that are allowed, and refuses the others.

    Args:
        calls: decides how many there are.
        room: how many it serves.
    """

    def __init__(self, calls: AtOnce, room: int) -> None:
        self.calls = calls
        self.room = room
        self.limits: list[int] = []
        self.refused = 0

    def rounds(self, number: int) -> None:
        """Go through so many rounds."""
        for _ in range(number):
            at_once = self.calls.limit
            self.refused += max(0, at_once - self.room)
            for _ in range(min(at_once, self.room)):
                self.calls.observe(1, 0.02)
            if at_once > self.room:  # the others of them were under way as well when it was halved
                self.calls.refused()
            self.limits.append(self.calls.limit)


def test_half_of_them_are_left_once_for_each_round() -> None:
    """However many of a round are refused."""
    server = Refusing(AtOnce(64, alone_s=0.02, most=64), room=10)
    server.rounds(3)
    assert server.limits == [32, 16, 8]


def test_one_more_is_tried_for_each_round_that_succeeds() -> None:
    """And half of them again when that was too many: it stays about what the server has room for."""
    server = Refusing(AtOnce(64, alone_s=0.02, most=512), room=20)
    server.rounds(300)
    late = server.limits[50:]
    assert max(late) <= 21
    assert min(late) >= 8
    assert sum(late) / len(late) >= 0.7 * 20
    assert server.refused <= 512 + 64 + 300 / 8


def test_a_server_that_recovers_is_used_again() -> None:
    """One more a round, however long that takes; the most that is allowed stays the most."""
    server = Refusing(AtOnce(32, alone_s=0.02, most=32), room=4)
    server.rounds(10)
    server.room = 1000
    server.rounds(60)
    assert server.limits[-1] == 32


def test_without_refusals_only_the_time_of_calls_counts() -> None:
    """As if there were no such brake."""
    calls = AtOnce(4, alone_s=0.02, most=100)
    assert calls.observe(4, 4 * 0.02) == 32


def test_calls_that_get_slow_are_braked_below_what_refusals_leave() -> None:
    """Both brakes work at the same time."""
    calls = AtOnce(64, alone_s=0.02, most=512)
    calls.refused()
    for _ in range(4000):
        calls.observe(1, 0.02 * max(1.0, calls.limit / 8))
    assert calls.limit <= 24


@given(
    st.integers(1, 600),
    st.integers(1, 512),
    st.lists(st.tuples(st.booleans(), st.integers(0, 300), st.floats(0, 100)), max_size=200),
)
def test_the_number_stays_within_its_bounds(start: int, most: int, news: list[tuple[bool, int, float]]) -> None:
    """Whatever comes."""
    calls = AtOnce(start, alone_s=0.0, most=most)
    for refused, items, seconds in news:
        limit = calls.refused() if refused else calls.observe(items, seconds)
        assert 1 <= limit <= most
        assert limit == calls.limit
