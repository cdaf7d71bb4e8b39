"""How many items there were and how long they took, where some were timed one by one and others in groups."""

from __future__ import annotations

from time import perf_counter

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from typing import Any


class Count:
    """Adds up items.

    Attributes:
        items: how many.
        first_s: seconds of the first.
        longest_s: seconds of the longest behind it; of a group, the mean. That of the first while it is the only one.
    """

    items = 0
    first_s = 0.0
    _longest_s = 0.0
    _groups = 0  # behind the first item
    _seconds = 0.0  # of them
    _squares = 0.0  # of each group's mean, times its number of items

    def add(self, items: int, begin: float, end: float, stamps: Sequence[float]) -> None:
        """Add items that ran one after the other.

        Args:
            items: how many.
            begin: when the first began.
            end: when the last ended.
            stamps: when each of the first few began; where none followed the last of them, when it ended. Empty where
                only all together were timed.
        """
        alone = max(0, min(len(stamps), items) - 1)
        for item in range(alone):
            self._add(1, stamps[item + 1] - stamps[item])
        if items > alone:
            self._add(items - alone, end - (stamps[alone] if stamps else begin))

    def _add(self, items: int, seconds: float) -> None:
        mean = seconds / items
        if not self.items:
            self.first_s = mean
            self.items = 1
            items, seconds = items - 1, seconds - mean
        if items:
            self.items += items
            self._groups += 1
            self._seconds += seconds
            self._squares += mean * seconds
            self._longest_s = max(self._longest_s, mean)

    @property
    def longest_s(self) -> float:
        return self._longest_s if self.items > 1 else self.first_s

    @property
    def deviation_s(self) -> float:
        """Standard deviation of the seconds of an item behind the first; 0 for fewer than two groups of them.

        What items of one group differ among themselves is not known. If they are independent of each other, the means
        of groups tell it nevertheless: they differ the less, the larger the groups.
        """
        if self._groups < 2:  # noqa: PLR2004 - one alone differs from nothing
            return 0.0
        spread = self._squares - self._seconds**2 / (self.items - 1)
        return float((max(0.0, spread) / (self._groups - 1)) ** 0.5)  # not by `math`, which has to be loaded

    def copy(self) -> Count:
        """Return one that goes on from here."""
        other = Count()
        other.__dict__.update(self.__dict__)
        return other


def stamped(items: Iterable[Any], stamps: list[float]) -> Iterator[Any]:
    """Give the items, and put down when each is taken, and when the next one is asked for behind the last."""
    for item in items:
        stamps.append(perf_counter())
        yield item
    stamps.append(perf_counter())
