"""Whether to stay awake for an answer that may come at once. Pure; parent and worker each have one."""

from __future__ import annotations

# About as long as it takes to fall asleep and be woken, the time in the kernels' hands on both sides included
# (benchmarks/results/peers.json, "submit(f, x).result() round trip, warm": 81 µs
# without, 58 with the parent awake, 35 with both).
AWAKE_S = 40e-6
_MOST_ASLEEP = 64  # guess: then what is spent awake in vain is under 1 µs a wait


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
