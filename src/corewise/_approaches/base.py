"""What an approach is: four small acts. Ordering, chunk sizes and failures are not its business."""

from __future__ import annotations

from corewise._types.record import Record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import Any, Protocol

    from corewise._work.chunk import Chunk, Done

    class Runner(Protocol):
        """Takes chunks, and gives what came of them."""

        @property
        def room(self) -> int:
            """How many more chunks it would like now."""

        @property
        def limit(self) -> int:
            """How many chunks it runs at once at most."""

        @property
        def chunk_s(self) -> float | None:
            """Seconds that a chunk is to last; None for as long as the caller likes."""

        @property
        def shares_chunks(self) -> bool:
            """Whether several workers work at each chunk."""

        @property
        def inherits(self) -> bool:
            """Whether those who run the items have them already, so that what is submitted is but looked up in them."""

        def submit(self, chunk: Chunk) -> None:
            """Take a chunk to be run."""

        def collect(self, timeout_s: float | None) -> list[Done]:
            """Wait until something is done, and return it.

            Args:
                timeout_s: seconds to wait at most; None: as long as it takes; 0: take what is there.
            """

        def no_more(self) -> None:
            """Know that no chunk will follow those that were submitted."""

        def hand_back(self) -> list[Chunk]:
            """Return the chunks that nobody has begun; they are no matter of this runner any more."""

    class Approach(Runner, Protocol):
        """Runs chunks. Made by `corewise._approaches.open_approach`, used by one thread.

        Attributes:
            workers_started: workers that were started.
            deaths: workers that ended before their time.
            startup_s: seconds until every worker was ready.
            workers_cpu_s: CPU seconds spent in other processes.
            queued_s: seconds for which workers stood in line for a core; None where the system does not tell.
            goes_on: whether its workers work on while the caller is not in `collect`.
            peak_memory_bytes: memory of the worker processes at their peaks; None where the system cannot tell.
            limit: as of any runner; of threads and coroutines it may be set at any time.
        """

        workers_started: int
        deaths: int
        startup_s: float
        goes_on: bool
        peak_memory_bytes: int | None

        @property
        def workers_cpu_s(self) -> float: ...

        @property
        def queued_s(self) -> float | None: ...

        def close(self, *, kill: bool, wait: bool = True) -> None:
            """End all workers.

            Args:
                kill: whether to kill those that can be killed; what they are at is of no use any more.
                wait: whether to wait for those that cannot be killed, until they end by themselves.
            """


class PlainRunner:
    """What a runner does with its chunks unless it knows better: it asks nothing of them, and keeps them.

    Attributes:
        chunk_s, shares_chunks, inherits: as of any `Runner`.
    """

    chunk_s: float | None = None
    shares_chunks: bool = False
    inherits: bool = False

    def no_more(self) -> None:
        """Know that no chunk will follow; there is nothing to be done about it."""

    def hand_back(self) -> list[Chunk]:
        """Return none of its chunks."""
        return []


# Seconds that a chunk of coroutines is to last which one worker runs. Of short waits a chunk costs as much as a call:
# with 4 ms they took a fifth longer (benchmarks/choice.py, "coroutines_1ms"), with 16 as long.
COROUTINES_CHUNK_S = 0.008


class Terms(Record):
    """What every approach is given.

    Attributes:
        fn: the user's function.
        workers: most workers at a time; of threads and coroutines, those at first, see `Approach.limit`.
        keep_going: whether to go on behind an item that fails.
        start_method: how worker processes are started.
        share_cores: whether calls made inside workers may use only their share of the cores.
        timeout_s: seconds that an item may take; None without a limit.
        initializer: called in each worker before its first item; None where there is nothing to prepare.
        initargs: its arguments.
        max_tasks_per_worker: items after which a worker process is replaced; None for never.
        per_worker: items that a worker process runs at once.
        seed: from which, with its index, each item's random numbers come; None leaves them alone.
        name: what the names of workers begin with.
        inherit: the inputs, if forked workers may inherit them, so that only indexes travel: all of them sequences
            whose items stay the same while the call lasts. None where items must be sent.
        main_by_value: whether worker processes are to do without the main module; what is defined there is sent.
        background: whether work has to go on while the caller is not in `collect`, where the approach can do that.
        by_itself: whether items have been seen to compute, without threads of native libraries beside them.
    """

    fn: Callable[..., Any]
    workers: int
    keep_going: bool
    start_method: str = "auto"
    share_cores: bool = True
    timeout_s: float | None = None
    initializer: Callable[..., object] | None = None
    initargs: tuple[Any, ...] = ()
    max_tasks_per_worker: int | None = None
    per_worker: int = 1
    seed: int | None = None
    name: str = "corewise"
    inherit: tuple[Sequence[Any], ...] | None = None
    background: bool = False
    by_itself: bool = False
    main_by_value: bool = False
