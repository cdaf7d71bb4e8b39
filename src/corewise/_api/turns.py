"""Watches the threads of an automatic run: whether they take turns, as what they run holds the GIL after all."""

from __future__ import annotations

from time import perf_counter, process_time

from corewise._choose.adapt import TakingTurns
from corewise._measure.clocks import times_all_blocked

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from corewise._types.choice import Choice

_ITEMS_COMPUTE_S = 0.0005  # guess: a thread takes 0.1 to 0.2 ms of a core for each item that waits, and this is more


class Turns:
    """The clocks of the process, since threads run the items.

    Args:
        threads: the approach, whose limit can be set.
        choice: why it is this one.
        waits: whether they are to overlap waits, and their number is not fixed.

    Attributes:
        at_once: threads to begin with.
        waits: as given.
        likely: whether the items have shown that they compute enough to take turns at.
    """

    def __init__(self, threads: Any, choice: Choice, *, waits: bool) -> None:
        self.at_once = choice.workers
        self.waits = waits
        self._threads = threads
        self._limit = 0
        measured = choice.measurement
        alone_s = measured.item_cpu_s if waits and measured is not None else 0.0
        self.likely = alone_s > _ITEMS_COMPUTE_S
        self._taking = TakingTurns(
            perf_counter(),
            process_time(),
            times_all_blocked(),
            least_s=_ITEMS_COMPUTE_S if waits else 0.0,
            item_cpu_s=alone_s,
            at_once=choice.workers,
        )

    @property
    def look_s(self) -> float | None:
        """In how many seconds to `observe` at the latest, outcomes or not; None for as long as there are none."""
        return self._taking.look_s if self.waits else None

    def observe(self, items: int) -> bool:
        """Learn that so many items have ended; return whether the threads take turns."""
        return self._taking.observe(perf_counter(), process_time(), times_all_blocked(), items)

    def hold(self) -> None:
        """Let no thread begin anything: whoever has something else to do hardly comes by the GIL among them."""
        self._limit, self._threads.limit = self._threads.limit, 1

    def go_on(self) -> None:
        """Let them go on."""
        self._threads.limit = self._limit
