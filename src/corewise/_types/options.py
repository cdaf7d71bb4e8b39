"""The options that every verb takes, in one place: named, typed and validated once."""

from __future__ import annotations

from corewise._types.checks import (
    failures_to_retry,
    listed,
    number_above_0,
    number_or_share,
    one_of,
    seconds,
    seconds_or_none_at_all,
)
from corewise._types.checks import whole_number as whole_number  # noqa: PLC0414 - others get it from here
from corewise._types.choice import APPROACHES
from corewise._types.record import Record
from corewise.errors import OptionError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping
    from typing import Any, Literal, TypedDict

    class OptionArgs(TypedDict, total=False):
        """Keyword arguments that `map` hands on; `Options` says what each means."""

        approaches: Collection[str] | None
        backoff: float | None
        chunksize: int | None
        initargs: tuple[Any, ...]
        initializer: Callable[..., object] | None
        limit: int | None
        max_failures: float | None
        max_tasks_per_worker: int | None
        name: str
        on_error: Literal["raise", "return"]
        ordered: bool
        per_worker: int | None
        rate: float | None
        retries: int
        retry_on: type[Exception] | tuple[type[Exception], ...] | Callable[[Exception], float | None] | None
        seed: int | None
        start_method: Literal["auto", "fork", "forkserver", "spawn"]
        timeout: float | None

    class StreamOptionArgs(OptionArgs, total=False):
        """Keyword arguments that `stream` hands on."""

        buffer: int | str | None


class Options(Record):
    """How to run, beyond which approach and how many workers.

    An option that an approach cannot honour is refused when that approach is asked for by name; ``"auto"`` chooses
    among those that can.

    Attributes:
        approaches: those that ``"auto"`` may choose from, such as ``("sync", "processes")`` for a function that is not
            safe in threads; ``"sync"`` among them, as the first items are run in the caller. None, the default, for
            all.
        backoff: seconds that an item waits at most before it is run again for the first time; the bound doubles with
            each attempt, up to 60 s, and the wait is drawn evenly from 0 to the bound ("full jitter"), so that calls
            that failed together do not come back together. Others are run meanwhile, unless there is one worker only.
            No part of `timeout`. None, the default: 0.5 with `retry_on`, else 0: at once.
        buffer: for `stream` only: how far it may be ahead of its consumer. A whole number bounds the items that have
            been read and whose results have not been taken; a text such as ``"64 MB"`` bounds the bytes of their
            results as well (where results travel between processes). None, the default, bounds both: enough to keep
            all workers busy with short items.
        chunksize: items handed to a worker at a time. None, the default, adapts it so that a chunk lasts a few
            milliseconds: long items travel alone, short ones in company.
        initargs: arguments of `initializer`.
        initializer: called once in each worker before its first item: each process, each thread; once in the caller
            for ``"sync"`` and for the first items that ``"auto"`` runs there; once in the event loop for
            ``"asyncio"``, and awaited if it is a coroutine function. What it raises ends the call.
        limit: most calls at once, whatever runs them. Unlike `workers` it fixes no number: fewer are used where fewer
            are as fast. None, the default: as many as suit the work and the approach.
        max_failures: with ``on_error="return"``: how many items may fail before the call stops with
            `TooManyFailures`. A whole number counts them; a float from 0.0 to 1.0 is a share of the items, judged
            once 100 have finished, and at the end. None, the default: any number.
        max_tasks_per_worker: items after which a worker process is replaced by a fresh one, for functions that leak.
            None, the default: never. Only for ``"processes"``.
        name: what the names of worker processes and threads begin with, as process lists and logs show them;
            ``"corewise"`` by default.
        on_error: ``"raise"`` (default: what a plain loop would do) or ``"return"``: the exception stands in the
            results at the place of the item that failed, all other items are run, and `Results.failures` lists what
            failed.
        ordered: True (default): results in input order. False: in the order in which they were finished.
        per_worker: calls that each worker process runs at once: of a plain function by so many threads in it, of a
            coroutine function by one event loop in it. For calls that wait and compute, so that one core is not enough
            and one call at a time leaves cores idle. None, the default: one. Only for ``"processes"``. If such a
            worker dies, all calls that it had begun and not finished fail with `WorkerDied`, as nobody knows which of
            them was at fault; an initializer is called once in each process. With a number above one, `seed` is
            refused, since calls in one process share a generator of random numbers; and so is `timeout` for plain
            functions, since the worker could not be killed without the calls beside it. A coroutine is cancelled.
        rate: most calls a second that are begun, retries included, all workers together; they are spaced evenly, and
            one that begins up to 10 ms late does not hold up those behind it. Each item is handed out alone, when it
            may begin and a worker is free. None, the default: any number.
        retries: how often an item that failed is run again before it counts as failed; 0 by default, 5 with `retry_on`.
            Any `Exception`, a time limit and a lost worker are failures; what asks to stop (`SystemExit` and its like)
            is not run again, nor is what cannot be sent to another process.
        retry_on: which failures are tried again, and no others: a class of exceptions, several of them in a tuple, or a
            function that is given the exception and returns whether to try again, or after how many seconds at the
            earliest (as servers say by ``Retry-After``); it is called in the caller. Such failures also mean that
            there were too many calls at once: where the number is not fixed by `workers`, threads and coroutines are
            made half as many, and then slowly more again. None, the default: all, see `retries`.
        seed: a whole number. Before each item the generators of `random` and, if loaded, of ``numpy.random`` are
            seeded from it and the item's index, so that each item draws the same numbers however many workers there
            are. None, the default, leaves them alone. For ``"sync"`` and ``"processes"``; elsewhere items under way
            share one generator, so only one worker is allowed.
        start_method: how worker processes are started: ``"auto"`` (default; ``"fork"`` where it is safe, because it
            is ten times faster and everything is inherited, else ``"forkserver"`` or ``"spawn"``), or one of these
            by name. Only for ``"processes"``.
        timeout: seconds that an item may take; None, the default, for any. Then it fails with `TimeoutError`: a
            process is killed and replaced, a coroutine is cancelled. A thread and a plain loop cannot be stopped.
    """

    approaches: tuple[str, ...] | None = None
    backoff: float | None = None
    buffer: int | str | None = None
    chunksize: int | None = None
    initargs: tuple[Any, ...] = ()
    initializer: Callable[..., object] | None = None
    limit: int | None = None
    max_failures: float | None = None
    max_tasks_per_worker: int | None = None
    name: str = "corewise"
    on_error: str = "raise"
    ordered: bool = True
    per_worker: int | None = None
    rate: float | None = None
    retries: int = 0
    retry_on: tuple[type[Exception], ...] | Callable[[Exception], float | None] | None = None
    seed: int | None = None
    start_method: str = "auto"
    timeout: float | None = None


USUAL = Options()
RETRIES = 5  # of an item where `retry_on` says which failures are worth it: 8 s on average with the usual backoff


def make_options(given: Mapping[str, object]) -> Options:
    """Validate keyword arguments and return them as `Options`.

    Raises:
        TypeError: when an option is unknown.
        OptionError: when a value is out of range, or two do not go together.
    """
    if not given:
        return USUAL
    for name in given:
        if name not in Options._fields:
            known = ("approach", "workers", "progress", *Options._fields)
            raise TypeError(f"unknown option {name!r}; the options are {listed(known)}")
    options = Options(**{name: _CHECKS[name](name, value) for name, value in given.items()})
    if options.retry_on is not None and "retries" not in given:
        options = options.replace(retries=RETRIES)
    _refuse_contradictions(options)
    return options


def _refuse_contradictions(options: Options) -> None:
    if options.initargs and options.initializer is None:
        raise OptionError("initargs are the arguments of an initializer, and none is given")
    if options.max_failures is not None and options.on_error != "return":
        raise OptionError(
            "max_failures needs on_error='return': with on_error='raise', the default, the first failure ends the call"
        )
    if isinstance(options.buffer, int) and options.buffer < (options.chunksize or 1):
        raise OptionError(f"a chunk of {options.chunksize} items does not fit into a buffer of {options.buffer}")
    if options.backoff is not None and not options.retries:
        raise OptionError("backoff is the wait before an item is run again: it needs retries, or retry_on")
    if options.rate is not None and (options.chunksize or 1) > 1:
        raise OptionError(f"with a rate each item is handed out alone, so chunksize={options.chunksize} is impossible")


def known_approach(value: object, *, extra: Collection[str] = ()) -> str:
    """Return `value` if it names an approach (or one of `extra`).

    Raises:
        OptionError: otherwise; the message names the known ones.
    """
    return str(one_of("approach", value, (*extra, *APPROACHES)))


def _optional(check: Callable[[str, object], Any]) -> Callable[[str, object], Any]:
    return lambda name, value: None if value is None else check(name, value)


def _among(*allowed: object) -> Callable[[str, object], object]:
    return lambda name, value: one_of(name, value, allowed)


def _buffer(name: str, value: object) -> int | str:
    if isinstance(value, str):
        from corewise._types.amounts import bytes_in  # for streams only

        bytes_in(name, value)
        return value
    return whole_number(name, value)


def _arguments(name: str, value: object) -> tuple[Any, ...]:
    if not isinstance(value, tuple | list):
        raise OptionError(f"{name} must be a tuple of arguments, not {value!r}")
    return tuple(value)


def _function(name: str, value: object) -> object:
    if not callable(value):
        raise OptionError(f"{name} must be a function, not {value!r}")
    return value


def _label(name: str, value: object) -> str:
    if not isinstance(value, str) or not value.strip() or not value.isprintable():
        raise OptionError(f"{name} must be a text of printable characters, not {value!r}")
    return value


def _approaches(name: str, value: object) -> tuple[str, ...]:
    if isinstance(value, str) or not isinstance(value, list | tuple | set | frozenset) or not value:
        raise OptionError(f"{name} must be a list of approaches such as ('sync', 'processes'), not {value!r}")
    return tuple(str(one_of(name, one, APPROACHES)) for one in value)


_CHECKS: dict[str, Callable[[str, object], Any]] = {
    "approaches": _optional(_approaches),
    "backoff": _optional(seconds_or_none_at_all),
    "buffer": _optional(_buffer),
    "chunksize": _optional(whole_number),
    "initargs": _arguments,
    "initializer": _optional(_function),
    "limit": _optional(whole_number),
    "max_failures": _optional(number_or_share),
    "max_tasks_per_worker": _optional(whole_number),
    "name": _label,
    "on_error": _among("raise", "return"),
    "ordered": _among(True, False),  # noqa: FBT003 - the allowed values
    "per_worker": _optional(whole_number),
    "rate": _optional(lambda name, value: number_above_0(name, value, "calls a second")),
    "retries": lambda name, value: whole_number(name, value, at_least=0),
    "retry_on": _optional(failures_to_retry),
    "seed": _optional(lambda name, value: whole_number(name, value, at_least=None)),
    "start_method": _among("auto", "fork", "forkserver", "spawn"),
    "timeout": _optional(seconds),
}
