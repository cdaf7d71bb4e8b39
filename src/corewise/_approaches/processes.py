"""Processes: every core, at the price of sending the data."""

from __future__ import annotations

from corewise._approaches.base import PlainRunner
from corewise._engine.pool import ProcessPool
from corewise._engine.reports import hand_on
from corewise._engine.schedule import CHUNK_S

TYPE_CHECKING = False
if TYPE_CHECKING:
    from corewise._approaches.base import Terms

_CHUNK_OF_LANE_S = 0.004  # guess: items that wait beside each other are to come in smaller ones


class Processes(PlainRunner, ProcessPool):
    """The process engine as an approach."""

    goes_on = True

    def __init__(self, terms: Terms) -> None:
        self._each = terms.per_worker
        self.chunk_s = CHUNK_S if self._each == 1 else _CHUNK_OF_LANE_S
        super().__init__(
            terms.fn,
            terms.workers,
            start_method=terms.start_method,
            keep_going=terms.keep_going,
            share_cores=terms.share_cores,
            timeout_s=terms.timeout_s,
            initializer=terms.initializer,
            initargs=terms.initargs,
            max_tasks_per_worker=terms.max_tasks_per_worker,
            per_worker=terms.per_worker,
            seed=terms.seed,
            name=terms.name,
            inherit=terms.inherit,
            ahead=terms.background,
            main_by_value=terms.main_by_value,
        )

    @property
    def limit(self) -> int:
        """How many calls run at once at most; one worker beyond those that are ready, as that starts the next one."""
        ready = sum(worker.ready for worker in self._crew.members.values())
        return min(self._schedule.limit, (ready + 1) * self._each)

    def close(self, *, kill: bool, wait: bool = True) -> None:
        """End all workers; what they still had to report is handed on."""
        super().close(kill=kill, wait=wait)
        hand_on(self.reports())

    @property
    def workers_cpu_s(self) -> float:
        """CPU seconds of the workers so far."""
        return self.accounts.cpu_s

    @property
    def queued_s(self) -> float | None:
        """Seconds for which the workers stood in line for a core, all together."""
        return self.accounts.queued_s

    @property
    def deaths(self) -> int:
        """Workers that ended before their time."""
        return self.accounts.deaths

    @property
    def startup_s(self) -> float:
        """Seconds until every worker that was started at the beginning was ready."""
        return self.accounts.startup_s

    @property
    def peak_memory_bytes(self) -> int | None:
        """Memory that the workers held at their peaks; None where the system cannot tell."""
        return self.accounts.peak_memory_bytes
