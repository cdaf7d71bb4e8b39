"""What a work of the suite is. It loads nothing: imports that a choice needs are part of what is timed."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from typing import Any

# Rounds of `spin` that take about a millisecond on the machine the suite was written on. Works are amounts of
# computing, not of time: one that computed until a clock had advanced would do less while others have the core.
SPIN_MS = 30_000


class Case:
    """A work made ready to be run once.

    Args:
        fn: the function; a coroutine function for works that are about those.
        items: its inputs: a list, or a generator that can be read once.
        count: how many there are.
        after: gives what the calls have left behind, to be compared like a result; None where they leave nothing.
        close: ends what the work needed, such as a server.
    """

    def __init__(
        self,
        fn: Callable[[Any], Any],
        items: Iterable[Any],
        count: int,
        *,
        after: Callable[[], object] | None = None,
        close: Callable[[], object] | None = None,
    ) -> None:
        self.fn = fn
        self.items = items
        self.count = count
        self.after = after
        self.close = close


class Work:
    """One line of the table.

    Args:
        title: what the items do.
        make: makes it ready, in the interpreter that runs it.
        tiny: whether all of it takes less than any choice could gain; such works are judged by their own rule.
    """

    def __init__(self, title: str, make: Callable[[], Case], *, tiny: bool = False) -> None:
        self.title = title
        self.make = make
        self.tiny = tiny


def longer(work: Work, times: int) -> Case:
    """Return the case of a work with its items so many times, one time after the other; a generator gives them anew."""
    case = work.make()
    case.count *= times
    if isinstance(case.items, list):
        case.items = case.items * times
    elif times > 1:
        begun = case.items
        case.items = (item for turn in range(times) for item in (work.make().items if turn else begun))
    return case


def over(fn: Callable[[Any], Any], items: list[Any] | range) -> Callable[[], Case]:
    """Return what makes the case of a function and a list of its inputs."""
    return lambda: Case(fn, list(items), len(items))


def spin(rounds: int) -> int:
    """Compute in Python, holding the GIL."""
    total = 0
    for number in range(rounds):
        total += number * number
    return total
