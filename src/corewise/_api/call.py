"""One call of a verb, step by step: samples where it has to, opens what is chosen, keeps the figures, closes.

`map` and `stream` drive the same steps: the one until all is done, the other as its consumer asks.
"""

from __future__ import annotations

from time import perf_counter, process_time

from corewise._api import decide
from corewise._api.results import Results
from corewise._approaches import open_approach, why_not_processes
from corewise._approaches.base import Terms
from corewise._dispatch.meter import Meter
from corewise._dispatch.run import Run
from corewise._dispatch.source import Source
from corewise._types.choice import Choice, Stats
from corewise._types.options import make_options, whole_number
from corewise._types.record import Record
from corewise.errors import OptionError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from types import TracebackType
    from typing import Any, Self

    from corewise._api.probe import Probe
    from corewise._approaches.base import Approach
    from corewise._dispatch.window import Window
    from corewise._types.choice import Failed
    from corewise._types.events import Progress
    from corewise._types.options import Options
    from corewise._work.chunk import Done

SAMPLE_S = 0.02  # guess: long enough to tell waiting from computing, short beside any run that workers could shorten


class Request(Record):
    """What a verb was asked for, checked.

    Attributes:
        fn: the function.
        source: the input.
        options: how to run.
        workers: workers asked for; None for the default.
        choice: what runs it, where that is known without a sample.
        progress: who is told of progress, or whether a bar is to be shown.
    """

    fn: Callable[..., Any]
    source: Source
    options: Options
    workers: int | None
    choice: Choice | None
    progress: bool | Callable[[Progress], None]


def make_request(
    verb: str,
    fn: Callable[..., Any],
    iterables: tuple[Iterable[Any], ...],
    named: Mapping[str, Any],
    given: Mapping[str, object],
) -> Request:
    """Check the arguments of a verb.

    Args:
        verb: its name, for messages.
        fn: the function.
        iterables: the inputs.
        named: its arguments `approach`, `workers` and `progress`.
        given: all other keyword arguments.

    Raises:
        OptionError: when a value is out of range or does not fit.
        TypeError: when an option is unknown, `fn` is not callable, or there is no input.
    """
    options = make_options(given)
    if not callable(fn):
        raise TypeError(f"the first argument must be a function, not {type(fn).__name__}")
    if not iterables:
        raise TypeError(f"{verb}() needs at least one iterable of inputs")
    workers, progress = named["workers"], named["progress"]
    if workers is not None:
        workers = whole_number("workers", workers)
    if not (progress is None or isinstance(progress, bool) or callable(progress)):
        raise OptionError(f"progress must be True, False or a callable, not {progress!r}")
    source = Source(iterables)
    choice = decide.asked_for(fn, named["approach"], workers, source.total, options)
    return Request(fn=fn, source=source, options=options, workers=workers, choice=choice, progress=progress or False)


class Call:
    """One call of a verb, from its first item to its end.

    Args:
        request: what was asked for.
        window: bounds how far it goes ahead of a consumer; None where all results are wanted.

    Attributes:
        choice: which approach runs the items; None until that is known.
    """

    def __init__(self, request: Request, window: Window | None = None) -> None:
        self.choice = request.choice
        self._request = request
        observer, self._close_bar = _observer(request.progress)
        self._meter = Meter(observer, perf_counter)
        self._run = Run(request.source, request.options, self._meter, window)
        self._streams = window is not None
        self._approach: Approach | None = None
        self._probe: Probe | None = None
        self._initialized = False
        self._over = False
        self._begin, self._cpu = perf_counter(), process_time()
        self._workers_cpu_s = 0.0
        self._queued_s: float | None = 0.0
        self._last: dict[str, Any] = {"workers": 0}
        self._figures: Stats | None = None

    @property
    def failures(self) -> list[Failed]:
        """What failed so far, in input order."""
        return self._run.failures.listed()

    @property
    def goes_on(self) -> bool:
        """Whether anything goes on while the caller is not in `step`."""
        return self._approach is not None and self._approach.goes_on

    def step(self, *, wait: bool = True) -> list[Done] | None:
        """Go on until there is something new.

        Args:
            wait: False hands out and takes in what there is, without waiting for anything.

        Returns:
            Finished parts, in the order in which the caller is to have them; None when all is done and closed.

        Raises:
            BaseException: what ends the call. To be closed by the caller.
        """
        while not self._over:
            if self._approach is None:
                self._open()
            if self._run.feed(wait=wait):
                return self._run.take(wait=wait)
            if not wait:
                return []
            self._run.finish()
            self._go_on()
        return None

    def gather(self) -> Results:
        """Go on until all is done, and return all results."""
        values: list[Any] = []
        try:
            while _add(values, self.step()):
                pass
            choice = self.choice
            if choice is None:
                raise RuntimeError("a call that is over has made its choice")
            return Results(values, choice, self.stats(), self._run.failures.release())
        finally:
            del values  # frames of calls that failed may link back to this one, and must not meet their exceptions

    def taken(self, items: int, size_bytes: int) -> None:
        """The caller has taken so many results of those that `step` gave."""
        self._run.taken(items, size_bytes)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close(wait=kind is not KeyboardInterrupt)

    def close(self, *, wait: bool = True) -> None:
        """End what is under way, if anything is, and let go of the input.

        Args:
            wait: whether to wait for what cannot be stopped.
        """
        if self._over:
            return
        self._over = True
        try:
            self._leave(kill=True, wait=wait)
        finally:
            self._end()

    def stats(self) -> Stats:
        """Return what it has cost so far, or in all."""
        if self._figures is not None:
            return self._figures
        wall = perf_counter() - self._begin
        now = self._last if self._approach is None else _figures_of(self._approach)
        workers_cpu_s = self._workers_cpu_s + (0.0 if self._approach is None else self._approach.workers_cpu_s)
        cpu = process_time() - self._cpu + workers_cpu_s
        return Stats(
            wall_s=wall,
            cpu_s=cpu,
            cores_busy=cpu / wall if wall > 0 else 0.0,
            items=self._meter.done,
            failures=self._meter.failed,
            retries=self._run.retried,
            workers_cpu_s=workers_cpu_s,
            queued_s=self._queued_s,
            **now,
        )

    # -- approaches ----------------------------------------------------------------------------------------------------

    def _open(self) -> None:
        """Open what was chosen; the sample where that has yet to tell."""
        choice = self.choice
        if choice is None:
            choice = Choice(approach="sync", workers=1, asked="auto", code="asked", why="")
        self._meter.start(choice.approach, choice.workers, self._request.source.total)
        terms = self._terms(choice)
        chunksize = self._request.options.chunksize
        if self.choice is None:
            from corewise._api.probe import Probe

            self._approach = self._probe = probe = Probe(terms)
            self._run.use(probe, 1, enough=lambda _: probe.wall_s >= SAMPLE_S, chunksize=chunksize)
            return
        self._approach = open_approach(choice.approach, terms)
        if self._streams and choice.approach == "sync" and choice.measurement is None:
            chunksize = chunksize or 1  # each item is run when it is asked for
        self._run.use(self._approach, choice.workers, chunksize=chunksize)

    def _go_on(self) -> None:
        """Nothing is under way any more: close, and go on with what the sample says, or end."""
        probe, self._probe = self._probe, None
        if probe is not None:
            self._initialized = probe.initialized
            measured = probe.measurement(self._request.source.remaining)
            request = self._request
            self.choice = decide.from_measurement(request.fn, measured, request.workers, request.options, self._why_not)
        self._leave(kill=False)
        if probe is None or not self._run.unfinished:
            self._over = True
            self._end()

    def _why_not(self) -> str | None:
        """Say why processes cannot be used; None when they can."""
        return why_not_processes(self._terms(Choice(approach="processes", workers=1, asked="auto", code="", why="")))

    def _terms(self, choice: Choice) -> Terms:
        options, source = self._request.options, self._request.source
        # In the caller the initializer has been called once the sample has run.
        initializer = None if choice.approach == "sync" and self._initialized else options.initializer
        return Terms(
            fn=self._request.fn,
            workers=choice.workers,
            keep_going=options.on_error == "return",
            start_method=options.start_method,
            timeout_s=options.timeout,
            initializer=initializer,
            initargs=options.initargs,
            max_tasks_per_worker=options.max_tasks_per_worker,
            seed=options.seed,
            name=options.name,
            inherit=self._inherited(source),
            background=self._streams,
        )

    def _inherited(self, source: Source) -> tuple[Any, ...] | None:
        """Return the inputs if workers may inherit them: those that stay as they are until they are run.

        Between two results of a stream its consumer may change a list, and a worker that is forked late would see
        that.
        """
        sequences = source.sequences
        if sequences is None or (self._streams and any(type(one) is not range for one in sequences)):
            return None
        return sequences

    def _leave(self, *, kill: bool, wait: bool = True) -> None:
        approach, self._approach = self._approach, None
        if approach is None:
            return
        try:
            approach.close(kill=kill, wait=wait)
        finally:
            self._workers_cpu_s += approach.workers_cpu_s
            queued_s = approach.queued_s
            self._queued_s = None if queued_s is None or self._queued_s is None else self._queued_s + queued_s
            self._last = _figures_of(approach)

    def _end(self) -> None:
        try:
            self._meter.finish()
        finally:
            self._close_bar()
            self._figures = self.stats()
            self._request.source.drop()


def _figures_of(approach: Approach) -> dict[str, Any]:
    return {
        "workers": approach.workers_started,
        "worker_deaths": approach.deaths,
        "startup_s": approach.startup_s,
        "peak_memory_bytes": approach.peak_memory_bytes,
    }


def _add(values: list[Any], parts: list[Done] | None) -> bool:
    """Add the results of parts to all results. Return whether there may be more."""
    for part in parts or ():
        values += part.values
    return parts is not None


def _observer(
    progress: bool | Callable[[Progress], None],  # noqa: FBT001 - the user's word
) -> tuple[Callable[[Progress], None] | None, Callable[[], None]]:
    """Return who is told of progress, and how to end it."""
    if progress is True:
        from corewise._report.live.progress import bar

        shown = bar()
        return shown, shown.close
    return progress or None, lambda: None
