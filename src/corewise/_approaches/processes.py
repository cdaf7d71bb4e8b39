"""Processes: every core, at the price of sending the data."""

from __future__ import annotations

from corewise._engine.pool import ProcessPool

TYPE_CHECKING = False
if TYPE_CHECKING:
    from corewise._approaches.base import Terms


class Processes(ProcessPool):
    """The process engine as an approach."""

    def __init__(self, terms: Terms) -> None:
        super().__init__(
            terms.fn,
            terms.workers,
            start_method=terms.start_method,
            keep_going=terms.keep_going,
            share_cores=terms.share_cores,
        )

    @property
    def workers_cpu_s(self) -> float:
        """CPU seconds of the workers so far."""
        return self.cpu_s
