"""How many calls may begin in a second. Pure."""

from __future__ import annotations

from corewise._dispatch import naps  # noqa: F401 - a Ctrl-C that lands in an import may be lost, see `retries._chance`

# Clocks and timers wake late, by up to some milliseconds. A call that begins late by no more than this does not hold up
# those behind it, or a rate of 1,000 a second could not be kept. A guess.
LATE_S = 0.010


class Pace:
    """Spaces calls evenly, at most so many in a second.

    Not a bucket of tokens, which fills while nothing is called and then lets out a burst: a server that counts in short
    stretches of time refuses that.

    Args:
        rate: calls a second.

    Example:
        >>> pace = Pace(10)
        >>> pace.wait_s(now_s=5.0)
        0.0
        >>> pace.begun(now_s=5.0)
        >>> round(pace.wait_s(now_s=5.02), 3)
        0.08
    """

    def __init__(self, rate: float) -> None:
        self._gap_s = 1.0 / rate
        self._next_s = float("-inf")

    def wait_s(self, now_s: float) -> float:
        """Return in how many seconds the next call may begin."""
        return max(0.0, self._next_s - now_s)

    def begun(self, now_s: float) -> None:
        """A call begins."""
        is_late = self._next_s < now_s <= self._next_s + LATE_S
        self._next_s = (self._next_s if is_late else now_s) + self._gap_s
