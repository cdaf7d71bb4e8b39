"""The first items, run in the caller as real work, and measured."""

from __future__ import annotations

from time import perf_counter, process_time, thread_time

from corewise._approaches.sync import Sync
from corewise._machine.queueing import QueueWatch
from corewise._types.measurement import Measurement

TYPE_CHECKING = False
if TYPE_CHECKING:
    from corewise._work.chunk import Done


class Probe(Sync):
    """Runs chunks plainly and measures the items alone: not what reading them takes, nor what is done with results.

    Attributes:
        items: items run.
        wall_s: seconds they took.
    """

    items = 0
    wall_s = 0.0
    _first_s = 0.0
    _longest_s = 0.0
    _cpu_s = 0.0
    _program_cpu_s = 0.0
    _waited_s = 0.0

    def collect(self, timeout_s: float | None) -> list[Done]:
        """Run the chunk and measure it."""
        self.prepare()
        watch, begin, cpu, program_cpu = QueueWatch(), perf_counter(), thread_time(), process_time()
        outcomes = super().collect(timeout_s)
        try:
            wall_s = perf_counter() - begin
            self._cpu_s += thread_time() - cpu
            self._program_cpu_s += process_time() - program_cpu
            self._waited_s += watch.seconds() or 0.0
            self._count(sum(len(done.values) for done in outcomes), wall_s)
            return outcomes
        finally:
            del outcomes  # frames of a call that failed may link back to this one, and must not meet their exception

    def _count(self, items: int, wall_s: float) -> None:
        if items and not self.items:
            self._first_s = self._longest_s = wall_s / items
        elif items:
            known = self._longest_s if self.items > 1 else 0.0
            self._longest_s = max(known, wall_s / items)
        self.items += items
        self.wall_s += wall_s

    def measurement(self, remaining: int | None) -> Measurement:
        """Return what was measured.

        Args:
            remaining: items left; None while unknown.
        """
        return Measurement(
            items=self.items,
            wall_s=self.wall_s,
            first_s=self._first_s,
            deviation_s=0.0,
            longest_s=self._longest_s,
            cpu_s=self._cpu_s,
            native_cpu_s=max(0.0, self._program_cpu_s - self._cpu_s),
            held_s=None,
            queued_s=self._waited_s,
            remaining=remaining,
        )
