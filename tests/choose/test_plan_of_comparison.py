"""How a comparison spends its budget: shares, rounds and turns."""

from __future__ import annotations

from collections import Counter

import hypothesis.strategies as st
import pytest
from hypothesis import given

from corewise._choose import plan

SECONDS = st.just(0.0) | st.floats(1e-9, 1e4)  # what a clock can tell


@given(st.integers(1, 10**6), SECONDS, st.integers(1, 12), SECONDS)
def test_a_share_is_at_least_two_items_and_at_most_all(
    items: int, item_s: float, approaches: int, budget_s: float
) -> None:
    """One item cannot be shared among workers; where there is only one, it is run."""
    share = plan.share(items, item_s, approaches, budget_s)
    assert min(2, items) <= share <= items


@given(st.integers(1, 10**6), st.floats(1e-6, 1e3), st.integers(1, 12), SECONDS)
def test_a_round_of_the_share_fits_the_budget(items: int, item_s: float, approaches: int, budget_s: float) -> None:
    """Unless not even two items do; and no item is left out that would have fitted."""
    share = plan.share(items, item_s, approaches, budget_s)
    assert share <= 2 or share * item_s * approaches <= budget_s * 1.000001
    assert share == items or (share + 1) * item_s * approaches > budget_s * 0.999999


@pytest.mark.parametrize(
    ("items", "item_s", "approaches", "budget_s", "expected"),
    [
        (100, 1.0, 4, 30.0, 7),
        (4, 0.5, 4, 30.0, 4),
        (100, 60.0, 4, 30.0, 2),
        (1, 60.0, 4, 30.0, 1),
        (100, 0.0, 4, 30.0, 100),
        (100, 1.0, 4, 0.0, 2),
    ],
)
def test_shares_by_example(items: int, item_s: float, approaches: int, budget_s: float, expected: int) -> None:
    """As one would reckon it by hand."""
    assert plan.share(items, item_s, approaches, budget_s) == expected


@given(st.integers(1, 50), st.integers(1, 50), SECONDS, st.floats(-10, 1e4))
def test_rounds_asked_for_are_run(asked: int, done: int, round_s: float, left_s: float) -> None:
    """Whatever the budget says."""
    assert plan.rounds(asked, done, round_s, left_s) == asked


@given(st.integers(1, 50), SECONDS, st.floats(-10, 1e4))
def test_rounds_end_with_the_budget_or_when_they_tell_no_more(done: int, round_s: float, left_s: float) -> None:
    """Never fewer than were run, never more than fit, five where a round is long and eleven where it is short."""
    rounds = plan.rounds(None, done, round_s, left_s)
    most = 11 if round_s < 0.5 else 5
    assert done <= rounds <= max(done, most)
    assert (rounds - done) * round_s <= max(0.0, left_s) * 1.000001
    if rounds < most:
        assert (rounds + 1 - done) * round_s > left_s * 0.999999


def test_the_loop_over_rounds_always_ends() -> None:
    """Told again after each round, with what that round took, as the comparison does."""
    left_s, turn, planned = 30.0, 1, None
    while turn == 1 or turn <= (planned or 1):
        left_s -= 2.5
        planned = plan.rounds(None, turn, 2.5, left_s)
        turn += 1
        assert turn < 20
    assert turn - 1 == planned == 5


@given(st.integers(1, 12))
def test_each_approach_leads_once(approaches: int) -> None:
    """And every round runs all of them; over a full turn each one stands at each place once."""
    turns = [plan.order(approaches, turn) for turn in range(1, approaches + 1)]
    assert all(sorted(turn) == list(range(approaches)) for turn in turns)
    for place in range(approaches):
        assert Counter(turn[place] for turn in turns) == dict.fromkeys(range(approaches), 1)
    assert turns[0] == list(range(approaches))
    assert plan.order(approaches, approaches + 1) == turns[0]


@given(st.floats(0.01, 1e3), st.floats(0, 4e3), st.integers(1, 12), st.floats(1e-6, 1e3))
def test_a_trial_that_hangs_leaves_their_share_to_those_behind_it(
    budget_s: float, spent_s: float, trials_left: int, plain_s: float
) -> None:
    """And may take twice as long as the plain loop in any case."""
    limit_s = plan.limit(budget_s, spent_s, trials_left, plain_s, ended_before=False)
    left_s = plan.PATIENCE * budget_s - spent_s
    assert limit_s >= 2 * plain_s
    assert limit_s >= left_s / trials_left
    assert limit_s == pytest.approx(max(0.1, left_s / trials_left, 2 * plain_s))
    after_s = plan.limit(budget_s, spent_s + limit_s, max(1, trials_left - 1), plain_s, ended_before=False)
    if limit_s == left_s / trials_left and trials_left > 1:
        assert after_s == pytest.approx(limit_s), "the next one gets as much"


@pytest.mark.parametrize(
    ("spent_s", "trials_left", "plain_s", "ended_before", "expected"),
    [
        (2.0, 4, None, False, 28.0),  # the plain loop: all that is left of three times the budget
        (50.0, 4, None, False, 0.1),
        (3.0, 3, 1.0, False, 9.0),  # a third of it
        (3.0, 3, 5.0, False, 10.0),  # twice the plain loop
        (40.0, 2, 0.001, False, 0.1),  # time is up, and yet it gets a chance
        (40.0, 2, 0.001, True, 30.0),  # it has ended before, so it will again
    ],
)
def test_limits_by_example(
    spent_s: float, trials_left: int, plain_s: float | None, *, ended_before: bool, expected: float
) -> None:
    """Of a budget of ten seconds."""
    assert plan.limit(10.0, spent_s, trials_left, plain_s, ended_before=ended_before) == pytest.approx(expected)
