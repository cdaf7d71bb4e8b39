"""Says when one event loop is kept so busy by what coroutines compute that others would help. Pure: no clock."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from corewise._types.measurement import Measurement

_BUSY = 0.7  # guess: a loop that computes for this part of the time has calls waiting for it
# Calls that compute less stay where they are (guess). In a process each has a task and a message of its own, some 0.1
# ms; and in a first window as many may have computed and not ended as have ended.
_LEAST_S = 0.001
_WINDOW_S = 0.02  # guess: several calls of a few milliseconds have ended by then, and a slow start weighs little
_FEWEST = 4  # guess: calls that a window has to see the end of


class BusyLoop:
    """Watches one event loop over windows of time.

    What a call takes there tells little of its own waiting once the loop is busy, as it waits for its turns as well. So
    the shortest one stands for all.

    Args:
        now_s: the time, in seconds.
        cpu_s: CPU seconds of the loop's thread by then.
    """

    def __init__(self, now_s: float, cpu_s: float) -> None:
        self._since = now_s, cpu_s
        self._items = 0
        self._shortest_s = float("inf")

    def observe(
        self, now_s: float, cpu_s: float, items: int, call_s: float, remaining: int | None
    ) -> Measurement | None:
        """Learn from calls that have ended.

        Args:
            now_s: the time, in seconds.
            cpu_s: CPU seconds of the loop's thread by then.
            items: their number.
            call_s: seconds that one of them took.
            remaining: items left; None while unknown.

        Returns:
            What the calls are like, whenever a window has shown the loop to be busy.
        """
        self._items += items
        self._shortest_s = min(self._shortest_s, call_s)
        took_s, busy_s = now_s - self._since[0], cpu_s - self._since[1]
        if took_s < _WINDOW_S or self._items < _FEWEST:
            return None
        number, self._items = self._items, 0
        self._since = now_s, cpu_s
        if busy_s < _BUSY * took_s:
            return None
        own_s = busy_s / number
        if own_s < _LEAST_S:
            return None
        call_s = max(own_s, self._shortest_s)
        from corewise._types.measurement import Measurement  # most loops are never that busy

        return Measurement(
            items=number,
            wall_s=number * call_s,
            first_s=call_s,
            deviation_s=0.0,
            longest_s=call_s,
            cpu_s=busy_s,
            native_cpu_s=0.0,
            held_s=busy_s,
            queued_s=0.0,
            remaining=remaining,
        )
