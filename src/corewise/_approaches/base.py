"""What an approach is: four small acts. Ordering, chunk sizes and failures are not its business."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any, Protocol

    from corewise._work.chunk import Chunk, Done

    class Approach(Protocol):
        """Runs chunks. Made by `corewise._approaches.open_approach`, used by one thread.

        Attributes:
            workers_started: workers that were started.
            deaths: workers that ended before their time.
            startup_s: seconds until every worker was ready.
            workers_cpu_s: CPU seconds spent in other processes.
        queued_s: seconds for which workers stood in line for a core; None where the system does not tell.
            peak_memory_bytes: memory of the worker processes at their peaks; None where the system cannot tell.
        """

        workers_started: int
        deaths: int
        startup_s: float
        peak_memory_bytes: int | None

        @property
        def workers_cpu_s(self) -> float: ...

        @property
        def queued_s(self) -> float | None: ...

        @property
        def room(self) -> int:
            """How many more chunks it would like now."""

        def submit(self, chunk: Chunk) -> None:
            """Take a chunk to be run."""

        def collect(self, timeout_s: float | None) -> list[Done]:
            """Wait until something is done, at most `timeout_s` seconds (None: as long as it takes), and return it."""

        def close(self, *, kill: bool, wait: bool = True) -> None:
            """End all workers.

            Args:
                kill: whether to kill those that can be killed; what they are at is of no use any more.
                wait: whether to wait for those that cannot be killed, until they end by themselves.
            """


class Terms:
    """What every approach is given.

    Attributes:
        fn: the user's function.
        workers: most workers at a time.
        keep_going: whether to go on behind an item that fails.
        start_method: how worker processes are started.
        share_cores: whether calls made inside workers may use only their share of the cores.
    """

    __slots__ = ("fn", "keep_going", "share_cores", "start_method", "workers")

    def __init__(
        self,
        fn: Callable[..., Any],
        workers: int,
        *,
        keep_going: bool,
        start_method: str = "auto",
        share_cores: bool = True,
    ) -> None:
        self.fn = fn
        self.workers = workers
        self.keep_going = keep_going
        self.start_method = start_method
        self.share_cores = share_cores
