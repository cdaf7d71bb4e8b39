"""The first items, run in the caller as real work, and measured."""

from __future__ import annotations

from time import perf_counter, thread_time

from corewise._approaches.sync import Sync
from corewise._machine.queueing import QueueWatch
from corewise._types.choice import Sample

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
    _cpu_s = 0.0
    _waited_s = 0.0

    def collect(self, timeout_s: float | None) -> list[Done]:
        """Run the chunk and measure it."""
        self.prepare()
        watch, begin, cpu = QueueWatch(), perf_counter(), thread_time()
        outcomes = super().collect(timeout_s)
        try:
            self.wall_s += perf_counter() - begin
            self._cpu_s += thread_time() - cpu
            self._waited_s += watch.seconds() or 0.0
            self.items += sum(len(done.values) for done in outcomes)
            return outcomes
        finally:
            del outcomes  # frames of a call that failed may link back to this one, and must not meet their exception

    def sample(self, remaining: int | None) -> Sample:
        """Return what was measured.

        Args:
            remaining: items left; None while unknown.
        """
        return Sample(
            items=self.items, wall_s=self.wall_s, cpu_s=self._cpu_s, remaining=remaining, queued_s=self._waited_s
        )
