"""Whether to stay awake for an answer that may come at once. Pure; parent and worker each have one."""

from __future__ import annotations

# Longer than it takes until an answer comes from somebody who has to be woken for it. A round trip took 81 µs with both
# sides asleep, 58 with one of them awake, 35 with both (benchmarks/results/peers.json, "submit(f, x).result() round
# trip, warm"). With less than that, two who have fallen asleep would never find out that it would pay to stay awake:
# whoever tried alone would wait in vain, as the other one sleeps.
AWAKE_S = 100e-6
_MOST_ASLEEP = 64  # guess: then what is spent awake in vain is under 2 µs a wait


class Patience:
    """Whether to stay awake for a moment before going to sleep.

    To fall asleep and be woken takes about as long as a short call takes in another process. So as long as answers come
    within that time the wait is spent awake; each time that was in vain, the next waits are not, ever more of them.
    This is competitive spinning (A. Karlin, K. Li, M. Manasse, S. Owicki, "Empirical studies of competitive spinning
    for a shared-memory multiprocessor", 1991): it never costs more than twice what sleeping at once would.
    """

    def __init__(self) -> None:
        self._in_vain = 0  # how often in a row
        self._asleep = 0  # waits that are still to be slept through

    def stays_awake(self) -> bool:
        """Return whether to stay awake in this wait; if so `ended` is to be told what came of it."""
        if self._asleep:
            self._asleep -= 1
            return False
        return True

    def ended(self, *, in_time: bool) -> None:
        """Something came while it was looked for, or nothing did."""
        if in_time:
            self._in_vain = 0
        else:
            self._asleep = min(1 << self._in_vain, _MOST_ASLEEP)
            self._in_vain += 1
