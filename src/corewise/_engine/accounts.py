"""What the workers of a pool have spent and held, and how often they died."""

from __future__ import annotations

from time import perf_counter

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

    from corewise._engine.handle import Worker


class Accounts:
    """Adds up figures of workers that are there and of those that have ended.

    Args:
        members: the workers that are there, by number; it changes as they come and go.

    Attributes:
        deaths: workers that ended before their time.
        startup_s: seconds until every worker that was started at the beginning was ready.
        peak_memory_bytes: memory that workers which ended by themselves held at their peaks; None where the system
            cannot tell.
    """

    def __init__(self, members: Mapping[int, Worker]) -> None:
        self._members = members
        self._opened = perf_counter()
        self._ended_cpu_s = 0.0
        self._ended_queued_s: list[float | None] = []
        self.deaths = 0
        self.startup_s = 0.0
        self.peak_memory_bytes: int | None = 0

    @property
    def cpu_s(self) -> float:
        """CPU seconds of the workers so far, as far as they have told."""
        return self._ended_cpu_s + sum(worker.cpu_s for worker in self._members.values())

    @property
    def queued_s(self) -> float | None:
        """Seconds for which the workers stood in line for a core, all together, as far as they have told."""
        known = [*self._ended_queued_s, *(worker.queued_s for worker in self._members.values())]
        told = [seconds for seconds in known if seconds is not None]
        return sum(told) if len(told) == len(known) else None

    def ready(self, worker: Worker) -> None:
        """A worker is ready for its first chunk."""
        if worker.early:
            self.startup_s = perf_counter() - self._opened

    def said_goodbye(self, worker: Worker, spent: tuple[float, float | None], peak_bytes: int | None) -> None:
        """A worker is done, and says what it has spent and held."""
        worker.retired = True
        worker.spent(*spent)
        if peak_bytes is None or self.peak_memory_bytes is None:
            self.peak_memory_bytes = None
        else:
            self.peak_memory_bytes += peak_bytes

    def ended(self, worker: Worker) -> None:
        """A worker's process is gone by itself; it is about to be forgotten."""
        self.deaths += not worker.retired
        self._take_over(worker)

    def _take_over(self, worker: Worker) -> None:
        self._ended_cpu_s += worker.cpu_s
        self._ended_queued_s.append(worker.queued_s)

    def close(self) -> None:
        """All workers that are left are about to be killed and forgotten."""
        for worker in self._members.values():
            self._take_over(worker)
