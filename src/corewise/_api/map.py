"""`corewise.map`: one call, any approach."""

from __future__ import annotations

from time import perf_counter, process_time

from corewise._api import decide
from corewise._api.results import Results
from corewise._approaches import load_approach, open_approach, why_not_processes
from corewise._approaches.base import Terms
from corewise._dispatch.meter import Meter
from corewise._dispatch.run import Run
from corewise._dispatch.source import Source
from corewise._types.choice import Choice, Sample, Stats
from corewise._types.options import make_options, whole_number
from corewise.errors import OptionError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from typing import Any, Unpack

    from corewise._types.events import Progress
    from corewise._types.options import OptionArgs, Options
    from corewise._work.chunk import Done

SAMPLE_S = 0.02  # guess: long enough to tell waiting from computing, short beside any run that workers could shorten


def map(  # noqa: A001 - the name says what it does, and nobody imports it bare
    fn: Callable[..., Any],
    *iterables: Iterable[Any],
    approach: str = "auto",
    workers: int | None = None,
    progress: bool | Callable[[Progress], None] = False,
    **options: Unpack[OptionArgs],
) -> Results:
    """Run a function over many inputs and return all results, in the order of the inputs.

    Whatever the approach, the outcome is that of the plain loop ``[fn(item) for item in items]``: the same results
    in the same order, and where an item fails the exception that the loop would have raised, with a note that names
    the item.

    Args:
        fn: the function; a coroutine function runs by any approach too (elsewhere than in asyncio each call is run
            to its end).
        *iterables: the inputs; with several, `fn` gets one argument from each and the shortest ends the input, as
            with the built-in `map`. They are read lazily, a few chunks ahead of the workers.
        approach: ``"sync"`` (plainly), ``"threads"``, ``"asyncio"`` (coroutine functions only), ``"processes"``, or
            ``"auto"``, the default: the first items are run in the caller and tell what to do with the rest.
        workers: how many threads, processes, or coroutines at once; at least 1. By default one process per usable
            core, up to 32 threads, up to 100 coroutines, and never more than there are items.
        progress: True shows a bar (lines when the output is no terminal) on standard error; a callable gets each
            `Progress`.
        **options: see `corewise.Options`: `chunksize`, `on_error`, `ordered`, `start_method`.

    Returns:
        The results: a list with `choice`, `stats` and `failures`.

    Raises:
        OptionError: when an argument is out of range, or the approach does not fit the function.
        TypeError: when an option is unknown or `fn` is not callable.
        CannotTravel: when the function, an item or a result cannot be sent to another process.
        WorkerDied: when a worker process ended under an item; the note names the item.
        Exception: whatever `fn` raised for the first item that failed, with the worker's traceback as its cause.

    Example:
        >>> import corewise
        >>> corewise.map(pow, [2, 3], [3, 2], approach="threads")
        [8, 9]
    """
    settings = make_options(options)
    if not callable(fn):
        raise TypeError(f"the first argument must be a function, not {type(fn).__name__}")
    if not iterables:
        raise TypeError("map() needs at least one iterable of inputs")
    if workers is not None:
        workers = whole_number("workers", workers)
    source = Source(iterables)
    choice = decide.asked_for(fn, approach, workers, source.total)
    observer, close = _observer(progress)
    try:
        return _Call(fn, source, settings, Meter(observer, perf_counter)).run(choice, workers)
    finally:
        close()


class _Call:
    """One call of `map`, from its first item to its results."""

    def __init__(self, fn: Callable[..., Any], source: Source, options: Options, meter: Meter) -> None:
        self._fn = fn
        self._source = source
        self._options = options
        self._meter = meter
        self._run = Run(source, options, meter)
        self._wall, self._cpu = perf_counter(), process_time()
        self._stats: dict[str, Any] = {"workers": 0}
        self._workers_cpu_s = 0.0
        self._queued_s: float | None = 0.0

    def run(self, choice: Choice | None, workers: int | None) -> Results:
        try:
            if choice is None:
                sample = self._sample()
                choice = decide.from_sample(
                    sample, workers, lambda: why_not_processes(self._fn, self._options.start_method)
                )
            if not self._source.exhausted:
                self._go(choice)
        finally:
            self._meter.finish()
        return Results(self._run.results(), choice, self._figures(), self._run.failures)

    def _sample(self) -> Sample:
        """Run the first items here, as real work whose results are kept, and measure them."""
        load_approach("sync")  # its import is no part of the items
        begin, cpu = perf_counter(), process_time()
        self._go(
            Choice(approach="sync", workers=1, asked="auto", code="asked", why=""),
            enough=lambda _: perf_counter() - begin >= SAMPLE_S,
        )
        return Sample(
            items=self._meter.done,
            wall_s=perf_counter() - begin,
            cpu_s=process_time() - cpu,
            remaining=self._source.remaining,
            queued_s=self._queued_s or 0.0,
        )

    def _go(self, choice: Choice, enough: Callable[[Done], bool] | None = None) -> None:
        self._meter.start(choice.approach, choice.workers, self._source.total)
        terms = Terms(
            self._fn,
            choice.workers,
            keep_going=self._options.on_error == "return",
            start_method=self._options.start_method,
        )
        approach = open_approach(choice.approach, terms)
        ended = interrupted = False
        try:
            self._run.go(approach, choice.workers, enough=enough)
            ended = True
        except KeyboardInterrupt:
            interrupted = True
            raise
        finally:
            approach.close(kill=not ended, wait=not interrupted)
            self._workers_cpu_s += approach.workers_cpu_s
            self._add_queued(approach.queued_s)
            self._stats = {
                "workers": approach.workers_started,
                "worker_deaths": approach.deaths,
                "startup_s": approach.startup_s,
                "peak_memory_bytes": approach.peak_memory_bytes,
            }

    def _add_queued(self, seconds: float | None) -> None:
        self._queued_s = None if seconds is None or self._queued_s is None else self._queued_s + seconds

    def _figures(self) -> Stats:
        wall = perf_counter() - self._wall
        cpu = process_time() - self._cpu + self._workers_cpu_s
        return Stats(
            wall_s=wall,
            cpu_s=cpu,
            cores_busy=cpu / wall if wall > 0 else 0.0,
            items=self._meter.done,
            failures=self._meter.failed,
            workers_cpu_s=self._workers_cpu_s,
            queued_s=self._queued_s,
            **self._stats,
        )


def _observer(progress: object) -> tuple[Callable[[Progress], None] | None, Callable[[], None]]:
    """Return who is told of progress, and how to end it."""
    if progress is False or progress is None:
        return None, lambda: None
    if progress is True:
        from corewise._report.live.progress import bar

        shown = bar()
        return shown, shown.close
    if callable(progress):
        return progress, lambda: None
    raise OptionError(f"progress must be True, False or a callable, not {progress!r}")
