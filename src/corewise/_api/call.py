"""One call of a verb, step by step: samples where it has to, opens what is chosen, keeps the figures, closes.

`map` and `stream` drive the same steps: the one until all is done, the other as its consumer asks.
"""

from __future__ import annotations

from time import perf_counter, process_time

from corewise._api.results import Results, in_words
from corewise._approaches import open_approach
from corewise._dispatch.meter import Meter
from corewise._dispatch.run import Run
from corewise._dispatch.source import READ_ALONE_S, READ_S
from corewise._types.choice import Choice, Stats

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from types import TracebackType
    from typing import Any, Self

    from corewise._api.auto import Auto
    from corewise._api.decision import Decision
    from corewise._api.quick import Quick
    from corewise._api.request import Request
    from corewise._approaches.base import Approach, Terms
    from corewise._dispatch.adapting import Adapting
    from corewise._dispatch.window import Window
    from corewise._types.choice import Failed
    from corewise._types.events import Progress
    from corewise._work.chunk import Done


class Call:
    """One call of a verb, from its first item to its end.

    Args:
        request: what was asked for.
        window: bounds how far it goes ahead of a consumer; None where all results are wanted.
        tick_s: seconds after which `step` returns without anything new, where nobody watches progress; None for never.
    """

    def __init__(self, request: Request, window: Window | None = None, tick_s: float | None = None) -> None:
        self._choice = request.choice
        self._auto: Auto | None = None
        self._request = request
        observer, self._close_bar = _observer(request.progress)
        self._meter = Meter(observer, perf_counter, tick_s)
        self._run = Run(request.source, request.options, self._meter, window)
        self._streams = window is not None
        self._approach: Approach | None = None
        self._over = False
        self._begin, self._cpu = perf_counter(), process_time()
        self._workers_cpu_s = 0.0
        self._queued_s: float | None = 0.0
        self._last: dict[str, Any] = {"workers": 0}
        self._figures: Stats | None = None

    @property
    def choice(self) -> Choice | None:
        """Which approach runs the items; None until that is known."""
        choice = self._choice if self._auto is None else self._auto.choice
        return None if choice is None else in_words(choice)

    @property
    def failures(self) -> list[Failed]:
        """What failed so far, in input order."""
        return self._run.failures.listed()

    @property
    def goes_on(self) -> bool:
        """Whether anything goes on while the caller is not in `step`."""
        return self._approach is not None and self._approach.goes_on

    def step(self, *, wait: bool = True, limit_s: float | None = None) -> list[Done] | None:
        """Go on until there is something new.

        Args:
            wait: False hands out and takes in what there is, without waiting for anything.
            limit_s: seconds to wait at most, as far as waiting can be broken off; None waits as long as it takes.

        Returns:
            Finished parts, in the order in which the caller is to have them; None when all is done and closed.

        Raises:
            BaseException: what ends the call. To be closed by the caller.
        """
        while not self._over:
            if self._approach is None:
                self._open()
            if self._run.feed(wait=wait, limit_s=limit_s):
                parts = self._run.take(wait=wait, limit_s=self._patience_s(limit_s))
                if self._auto is not None and (others := self._auto.taken_over()) is not None:
                    self._go_over(*others)
                return parts
            if not wait or (limit_s is not None and self._run.hungry):
                return []
            self._run.finish()
            self._go_on()
        return None

    def _patience_s(self, limit_s: float | None) -> float | None:
        """Return how long to wait for outcomes: no longer than until an automatic run looks at the clocks."""
        look_s = None if self._auto is None else self._auto.look_s
        return limit_s if look_s is None else min(look_s, look_s if limit_s is None else limit_s)

    def gather(self, first: Quick | None = None) -> Results:
        """Go on until all is done, and return all results.

        Args:
            first: what there is of them already.
        """
        results = Results.__new__(Results)  # not of a list that is gathered first: to copy it takes 1 to 2 ns an item
        if first is not None:
            results = first.results
            self._go_on_behind(first)
        try:
            while _add(results, self.step()):
                pass
            choice = self._choice if self._auto is None else self._auto.choice
            if choice is None:
                raise RuntimeError("a call that is over has made its choice")
            results.choice, results.stats, results.failures = choice, self.stats(), self._run.failures.release()
            return results
        finally:
            # Frames of calls that failed may link back to this one, and must not meet their exceptions.
            del results, first

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
            if self._auto is not None:
                self._auto.alone(wait=wait)
            self._leave(kill=True, wait=wait)
        finally:
            self._end(wait=wait)

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
            **(now if self._auto is None else now | self._auto.outcome()),
        )

    # -- approaches ----------------------------------------------------------------------------------------------------

    def _open(self) -> None:
        """Open what was chosen; what measures where that has yet to tell."""
        choice, chunksize = self._choice, self._request.options.chunksize
        if choice is None or (self._auto is not None and choice.approach == "sync"):
            self._plainly()
            return
        approach = open_approach(choice.approach, self._terms(choice))
        if self._auto is not None:
            self._go_over(choice, approach)
            return
        self._meter.start(choice.approach, choice.workers, self._request.source.total)
        if choice.code == "coroutine" and not self._streams:
            approach = self._spread(approach)
        self._approach = approach
        if self._streams and choice.approach == "sync":
            chunksize = chunksize or 1  # each item is run when it is asked for
        self._use(approach, choice.workers * choice.per_worker, chunksize, self._adapting(choice))

    def _adapting(self, choice: Choice) -> Adapting | None:
        """Return what adapts how many calls there are at once; None where that is fixed, or no matter."""
        request = self._request
        if request.workers is not None or choice.approach not in ("threads", "asyncio"):
            return None
        from corewise._api.at_once import adapted  # only where it may be

        return adapted(choice, request.workers, request.options, request.source.total)

    def _spread(self, loop: Any) -> Any:
        """Have processes help an event loop, should it become too busy; it turns in this thread."""
        from corewise._api.spread import spread

        def tell(choice: Choice) -> None:
            self._choice = choice
            self._meter.start(choice.approach, choice.workers, self._request.source.total)

        return spread(loop, self._request, self._run, tell)

    def _plainly(self) -> None:
        """Run items in the caller, measured, as long as nothing else is better."""
        if self._auto is None:
            self._auto = self._automatic()
        self._meter.start("sync", 1, self._request.source.total)
        plain = Choice(approach="sync", workers=1, asked="auto", code="", why="")
        self._approach = self._auto.plainly(self._terms(plain))
        self._use(self._approach, 1, self._request.options.chunksize)

    def _go_over(self, choice: Choice, approach: Approach) -> None:
        """Have an approach run what remains, which was chosen by what was measured."""
        if self._approach is not None:
            self._leave(kill=False)
        self._approach = approach
        if self._auto is None:
            raise RuntimeError("only an automatic run goes over to something else")
        self._auto.elsewhere(choice, approach)
        self._meter.start(choice.approach, choice.workers, self._request.source.total)
        lanes = choice.workers * choice.per_worker
        self._use(approach, lanes, self._request.options.chunksize, self._auto.adapting)

    def _use(self, approach: Approach, workers: int, chunksize: int | None, adapting: Adapting | None = None) -> None:
        enough = None if self._auto is None else self._auto.enough
        ahead_s = READ_S if approach.goes_on else READ_ALONE_S
        if adapting is not None:
            adapting.ignore(self._run.outstanding)
        self._run.use(approach, workers, enough=enough, chunksize=chunksize, ahead_s=ahead_s, adapting=adapting)

    def _automatic(self) -> Auto:
        from corewise._api.auto import Auto

        request, streams = self._request, self._streams
        options = request.options

        def decision(*, beside: bool) -> Decision:
            from corewise._api.decision import Decision  # only where a choice may be worth making

            processes = Choice(approach="processes", workers=1, asked="auto", code="", why="")
            return Decision(
                request.fn,
                request.workers,
                options,
                lambda: request.terms(processes, streams=streams, beside=beside),
            )

        return Auto(
            self._run,
            request.workers,
            options.limit,
            decision,
            lambda choice: open_approach(choice.approach, request.terms(choice, streams=streams, beside=True)),
        )

    def _go_on_behind(self, first: Quick) -> None:
        """Take in what was run before anything was opened."""
        self._begin, self._cpu = first.begin_s, first.begin_cpu_s
        done = first.done
        done.dropped = done.left = 0  # nobody has taken that from the input
        chunk = self._request.source.cut(len(done.values))
        self._open()
        if chunk is not None:
            self._run.outstanding.add(chunk)
            self._run.settle(done)
        if done.failed:
            done.values.pop()  # it is raised, and must not be held by those whose frames it holds

    def _go_on(self) -> None:
        """Nothing is under way any more: close, and go on with what the items have told, or end."""
        choice = None if self._auto is None else self._auto.move()
        self._leave(kill=False)
        if choice is not None and self._run.unfinished:
            self._choice = choice
        else:
            self._over = True
            self._end()

    def _terms(self, choice: Choice) -> Terms:
        auto = self._auto
        # In the caller the initializer is called once, however often items are run there.
        called = choice.approach == "sync" and auto is not None and auto.initialized
        terms = self._request.terms(choice, streams=self._streams, initialized=called)
        return terms if auto is None else terms.replace(workers=auto.most_threads(choice), by_itself=auto.by_itself)

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

    def _note_for_the_next(self, auto: Auto) -> None:
        """Note what an item takes, if the plain loop was right for all of them."""
        choice = auto.choice
        if choice is not None:
            from corewise._measure import recalled

            recalled.note(self._request.fn, auto.plain_item_s if choice.approach == "sync" else None)

    def _end(self, *, wait: bool = True) -> None:
        try:
            self._meter.finish()
        finally:
            self._close_bar()
            if self._auto is not None:
                self._auto.close()
                self._note_for_the_next(self._auto)
                self._auto.learn(self._last["workers"], self._last.get("startup_s", 0.0))
            self._figures = self.stats()
            self._request.source.drop(wait=wait)


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
