"""How many calls at once, by what they took and by what was refused. Pure: no clock, no thread."""

from __future__ import annotations

from corewise._choose.climb import ThreadClimb


class AtOnce:
    """Adapts how many calls may be under way at once.

    As long as nothing is refused, how long calls take decides (`ThreadClimb`). A refusal means that a server had too
    many: the number is halved, and may grow by one for each round of calls that succeed. Additive increase and
    multiplicative decrease make clients that do not know of each other share a server fairly: D.-M. Chiu and R. Jain,
    "Analysis of the Increase and Decrease Algorithms for Congestion Avoidance in Computer Networks", Computer Networks
    and ISDN Systems 17 (1989).

    Args:
        start: calls at once to begin with.
        alone_s: seconds that a call takes while no other is under way; 0 if unknown.
        most: more than these are never allowed.

    Example:
        >>> calls = AtOnce(64, alone_s=0.02, most=500)
        >>> calls.refused()
        32
        >>> calls.observe(items=31, seconds=31 * 0.02), calls.observe(items=1, seconds=0.02)
        (32, 33)
    """

    def __init__(self, start: int, *, alone_s: float, most: int) -> None:
        self._climb = ThreadClimb(start, alone_s=alone_s, most=most)
        self._most = most
        self._ceiling = most  # what refusals leave
        self._round = 0

    @property
    def limit(self) -> int:
        """How many calls may be under way now."""
        return self._climb.limit

    def observe(self, items: int, seconds: float) -> int:
        """Learn from calls that have succeeded, and that began since the limit was last changed.

        Args:
            items: their number.
            seconds: what they took, all together.

        Returns:
            The limit from now on.
        """
        self._climb.observe(items, seconds)
        if self._ceiling < self._most:
            self._round += items
            if self._round >= self._ceiling:
                self._round = 0
                self._ceiling += 1
                self._climb.bound(self._ceiling)
        return self._climb.limit

    def refused(self) -> int:
        """Learn that a call was refused that began since the limit was last changed; return the limit from now on."""
        self._round = 0
        self._ceiling = max(1, self._climb.limit // 2)
        return self._climb.bound(self._ceiling)
