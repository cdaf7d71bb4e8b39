"""How long a thread was ready to run while others had the cores: on a busy machine that is not waiting."""

from __future__ import annotations

from io import FileIO

_MOST_BYTES = 100


def queued_s() -> float | None:
    """Return the seconds for which the calling thread has stood in line for a core since it began.

    Returns:
        Seconds; None where the system does not tell (only Linux does).
    """
    try:
        # Not by `open`, which takes three times as long: this is done twice in every run.
        with FileIO("/proc/thread-self/schedstat") as file:
            return int(file.read(_MOST_BYTES).split()[1]) / 1e9
    except (OSError, IndexError, ValueError):
        return None


class QueueWatch:
    """Counts the seconds that the calling thread stands in line from now on.

    Args:
        at_once: False to count from `begin` on, as to look up the first figure takes longer than many a run.
    """

    def __init__(self, *, at_once: bool = True) -> None:
        self.has_begun = at_once
        self._begin = queued_s() if at_once else None

    def begin(self) -> None:
        """Count from now on, unless that has been said before."""
        if not self.has_begun:
            self.has_begun = True
            self._begin = queued_s()

    def seconds(self) -> float | None:
        """Return the seconds so far; None where the system does not tell. To be asked by the same thread."""
        now = queued_s()
        return None if now is None or self._begin is None else now - self._begin
