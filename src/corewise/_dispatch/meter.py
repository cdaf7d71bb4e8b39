"""How far a run has come, told at most ten times a second."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from corewise._types.events import Progress

TICK_S = 0.1  # an eye sees no more, and a callable that writes somewhere should not be overrun


class Meter:
    """Counts outcomes and tells an observer.

    Args:
        observer: called with each `Progress`; None to count silently.
        clock: gives seconds; its zero is of no matter.
        tick_s: how long to wait for outcomes at most where nobody watches; None: as long as it takes.
    """

    def __init__(
        self, observer: Callable[[Progress], None] | None, clock: Callable[[], float], tick_s: float | None = None
    ) -> None:
        self._observer = observer
        self._tick_s = tick_s
        self._clock = clock
        self._begin = clock()
        self._told = self._begin
        self._approach = ""
        self._workers = 0
        self.total: int | None = None
        self.done = 0
        self.failed = 0

    @property
    def tick_s(self) -> float | None:
        """How long to wait for outcomes at most; None: as long as it takes."""
        return self._tick_s if self._observer is None else TICK_S

    @property
    def elapsed_s(self) -> float:
        """Seconds since the run began."""
        return self._clock() - self._begin

    def start(self, approach: str, workers: int, total: int | None) -> None:
        """The items are run by `approach` from now on."""
        first = not self._approach
        self._approach, self._workers, self.total = approach, workers, total
        self._tell("started" if first else "advanced")

    def add(self, done: int, failed: int) -> None:
        """Outcomes have come, or time has gone by."""
        self.done += done
        self.failed += failed
        if self._observer is not None and self._clock() - self._told >= TICK_S:
            self._tell("advanced")

    def finish(self) -> None:
        """The run is over."""
        self._tell("finished")

    def _tell(self, kind: str) -> None:
        if self._observer is None:
            return
        from corewise._types.events import Progress  # not needed as long as nobody watches

        self._told = self._clock()
        elapsed = self.elapsed_s
        rate = self.done / elapsed if self.done and elapsed > 0 else None
        left = None if self.total is None or rate is None else max(0, self.total - self.done) / rate
        self._observer(
            Progress(
                kind=kind,
                approach=self._approach,
                workers=self._workers,
                done=self.done,
                failed=self.failed,
                total=self.total,
                elapsed_s=elapsed,
                rate_per_s=rate,
                remaining_s=left,
            )
        )
