"""What a verb was asked for, checked, and what follows from that for whoever runs it."""

from __future__ import annotations

from corewise._api import decide
from corewise._approaches.base import Terms
from corewise._dispatch.source import Source
from corewise._types.options import make_options, whole_number
from corewise._types.record import Record
from corewise.errors import OptionError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from typing import Any

    from corewise._types.choice import Choice
    from corewise._types.events import Progress
    from corewise._types.options import Options


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

    def terms(self, choice: Choice, *, streams: bool, initialized: bool = False, beside: bool = False) -> Terms:
        """Return what an approach is given.

        Args:
            choice: the approach, and its number of workers.
            streams: whether results are taken one by one, while others are made.
            initialized: whether the initializer has been called already where it would be called.
            beside: whether an item runs in the caller while workers are started: then nothing of this process can be
                inherited, and its main module is not looked at, which may not be through with its first lines.
        """
        options = self.options
        return Terms(
            fn=self.fn,
            workers=choice.workers,
            keep_going=options.on_error == "return",
            start_method=method_beside() if beside and options.start_method == "auto" else options.start_method,
            timeout_s=options.timeout,
            initializer=None if initialized else options.initializer,
            initargs=options.initargs,
            max_tasks_per_worker=options.max_tasks_per_worker,
            per_worker=choice.per_worker,
            seed=options.seed,
            name=options.name,
            inherit=self._inherited(streams=streams),
            background=streams,
            main_by_value=beside,
        )

    def _inherited(self, *, streams: bool) -> tuple[Any, ...] | None:
        """Return the inputs if workers may inherit them: those that stay as they are until they are run.

        Between two results of a stream its consumer may change a list, and a worker that is forked late would see
        that.
        """
        sequences = self.source.sequences
        if sequences is None or (streams and any(type(one) is not range for one in sequences)):
            return None
        return sequences


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
    refuse_async(verb, iterables)
    source = Source(iterables)
    choice = decide.asked_for(fn, named["approach"], workers, source.total, options)
    return Request(fn=fn, source=source, options=options, workers=workers, choice=choice, progress=progress or False)


def refuse_async(verb: str, iterables: tuple[object, ...]) -> None:
    """Say what reads an async iterable, where that is none of the plain verbs.

    Raises:
        TypeError: when one of the inputs cannot be read by a plain loop, but by an async one.
    """
    for one in iterables:
        if hasattr(one, "__aiter__") and not hasattr(one, "__iter__"):
            raise TypeError(
                f"{verb} reads plain iterables, and {type(one).__name__} is an async one: where an event loop runs, "
                "`await corewise.amap(...)` and `async for ... in corewise.astream(...)` read it"
            )


def function_name(fn: Callable[..., Any]) -> str:
    """Return the name of a function with its module, unless that is the program itself."""
    module = getattr(fn, "__module__", None)
    name = getattr(fn, "__qualname__", None) or type(fn).__qualname__
    return f"{module}.{name}" if module and module not in ("__main__", "builtins") else name


def method_beside() -> str:
    """Return how to start processes while another thread is at work: a fork could copy a lock that it holds."""
    from corewise._engine.method import pick_start_method

    method = pick_start_method("auto")
    return "forkserver" if method == "fork" else method
