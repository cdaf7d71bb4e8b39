"""How a comparison spends its time budget. Pure: durations in, numbers of items and rounds out."""

from __future__ import annotations

# After the first few the median moves little, and the reader waits: more rounds only where they cost next to nothing.
_ROUNDS = 5
_ROUNDS_WHEN_SHORT = 11
_SHORT_ROUND_S = 0.5
# The first round is let finish well beyond the budget: half a comparison is of no use to anybody.
PATIENCE = 3.0
_SHORTEST_LIMIT_S = 0.1  # guess: workers have started by then
_MUCH_SLOWER = 2.0  # than the plain loop: whatever takes longer needs no exact figure


def share(items: int, item_s: float, approaches: int, budget_s: float) -> int:
    """Return how many of the items each approach is to run, so that one round of all of them fits the budget.

    Args:
        items: number of items.
        item_s: seconds one item takes plainly.
        approaches: number of approaches; each is reckoned to take as long as the plain loop, which the slowest of
            them may.
        budget_s: seconds that are left.

    Returns:
        A number from 2 (one item cannot be shared among workers) to `items`; `items` itself where there is only one.
    """
    if item_s <= 0:
        return items
    return min(items, max(2, int(budget_s / (item_s * approaches))))


def limit(budget_s: float, spent_s: float, trials_left: int, plain_s: float | None, *, ended_before: bool) -> float:
    """Return how many seconds a trial may take before it is stopped.

    An approach that never ends must not use up the time of those that come after it.

    Args:
        budget_s: seconds of the whole comparison.
        spent_s: seconds spent so far.
        trials_left: trials of this round that are still to come, this one included.
        plain_s: seconds the plain loop took; None when this is the plain loop, without which there is no comparison.
        ended_before: whether it ended by itself in an earlier round, so that it will again.
    """
    if ended_before:
        return PATIENCE * budget_s
    left_s = max(_SHORTEST_LIMIT_S, PATIENCE * budget_s - spent_s)
    if plain_s is None:
        return left_s
    return max(_SHORTEST_LIMIT_S, left_s / trials_left, _MUCH_SLOWER * plain_s)


def rounds(asked: int | None, done: int, round_s: float, budget_left_s: float) -> int:
    """Return how many rounds to run in all.

    Args:
        asked: rounds asked for; None leaves it to the budget.
        done: rounds run so far, at least one.
        round_s: seconds a round takes.
        budget_left_s: seconds left of the budget.
    """
    if asked is not None:
        return asked
    most = _ROUNDS_WHEN_SHORT if round_s < _SHORT_ROUND_S else _ROUNDS
    more = int(budget_left_s / round_s) if round_s > 0 else most
    return max(done, min(most, done + max(0, more)))


def order(approaches: int, turn: int) -> list[int]:
    """Return the order of the approaches in a round: rotated by one each time, so that each one leads once."""
    start = (turn - 1) % approaches
    return [*range(start, approaches), *range(start)]
