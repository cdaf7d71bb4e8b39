"""What `map` returns: a list that also knows how it came about."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Any

    from corewise._types.choice import Choice, Failed, Stats


class Results(list):  # type: ignore[type-arg]  # a list of whatever the function returns
    """The results of a `map`, as a plain list with three attributes more.

    Attributes:
        choice: which approach ran the items, with how many workers, and why.
        stats: what the run cost.
        failures: the items that failed, in input order; empty unless ``on_error="return"`` was given.

    Example:
        >>> import corewise
        >>> results = corewise.map(abs, [-1, 2], approach="sync")
        >>> results
        [1, 2]
        >>> results.choice.approach, results.stats.items
        ('sync', 2)
    """

    def __init__(self, values: Iterable[Any], choice: Choice, stats: Stats, failures: list[Failed]) -> None:
        super().__init__(values)
        self._choice = choice
        self.stats = stats
        self.failures = failures

    @property
    def choice(self) -> Choice:
        """Which approach ran the items, with how many workers, and why."""
        self._choice = in_words(self._choice)  # not before anybody asks, as most do not
        return self._choice

    @choice.setter
    def choice(self, choice: Choice) -> None:
        self._choice = choice

    def __reduce__(self) -> tuple[Any, ...]:
        """Pickle as the list and its attributes."""
        return Results, (list(self), self.choice, self.stats, self.failures)


def in_words(choice: Choice) -> Choice:
    """Return a choice with its reason as a sentence."""
    if choice.why:
        return choice
    from corewise._choose.explain import explain

    return choice.replace(why=explain(choice))
