"""How much of a thread's computing held the GIL, from what another thread met that asked for it. Pure."""

from __future__ import annotations

_TO_THE_END = 0.8  # of the switch interval: who waited that long got it because the holder was made to give way


class HeldTime:
    """Adds up what a ticker met: a thread that sleeps for a moment, then asks for the GIL, and so on.

    While it waits for the GIL, it is held. When it gets it at once, nobody held it just then. In between, while it
    sleeps, it is taken to have been as at the beginning for one half and as at the end for the other. What is added up
    is not the time but the CPU seconds that the watched thread used in it: standing in line for a core counts for
    nothing, and neither does sleeping.

    Attributes:
        seen_s: CPU seconds of the watched thread that were looked at.
        held_s: those of them for which the GIL was held.
    """

    seen_s = 0.0
    held_s = 0.0
    _before = False

    def slept(self, span_s: float, cpu_s: float, waited_s: float | None, switch_s: float) -> None:
        """Take in what happened since the last time.

        Args:
            span_s: seconds since then.
            cpu_s: CPU seconds that the watched thread used in them.
            waited_s: for how many of them, at their end, the ticker waited for the GIL; None when it got it at once.
            switch_s: the interpreter's switch interval, after which a holder is made to give way.
        """
        if span_s <= 0:
            return  # nothing ran meanwhile
        if cpu_s > 0:
            waited = 0.0 if waited_s is None else min(waited_s, span_s)
            asleep_held = (self._before + (waited_s is not None)) / 2
            self.held_s += cpu_s * (waited + (span_s - waited) * asleep_held) / span_s
            self.seen_s += cpu_s
        # One who was made to give way is after it again; one who gave it up by itself has left for something else.
        self._before = waited_s is not None and waited_s >= _TO_THE_END * switch_s

    def share(self, enough_s: float) -> float | None:
        """Return which share of the computing held the GIL; None when less than `enough_s` of it was looked at."""
        return self.held_s / self.seen_s if self.seen_s > 0 and self.seen_s >= enough_s else None
