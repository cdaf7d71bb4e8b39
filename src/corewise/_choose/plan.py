"""How a comparison spends its time budget. Pure: durations in, numbers of items and rounds out."""

from __future__ import annotations

# After the first few the median moves little, and the reader waits: more rounds only where they cost next to nothing.
_ROUNDS = 5
_ROUNDS_WHEN_SHORT = 11
_SHORT_ROUND_S = 0.5
# The first round is let finish well beyond the budget: half a comparison is of no use to anybody.
PATIENCE = 3.0


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
