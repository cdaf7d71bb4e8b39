"""Sleep, for a run of which all that remains waits for its time."""

from __future__ import annotations

from time import monotonic, sleep

_SLEEP_S = 0.1  # a Ctrl-C is to end a call within about this time


def nap(seconds: float) -> None:
    """Sleep for so long, unless a signal says otherwise."""
    end_s = monotonic() + seconds
    while (left_s := end_s - monotonic()) > 0:
        # In pieces: a Ctrl-C that comes just before the system call is only seen when that is over.
        sleep(min(left_s, _SLEEP_S))
