"""What was asked for becomes a choice, where that needs no measurement; for the others there is `decision`."""

from __future__ import annotations

import os

from corewise._choose import undecided
from corewise._types.choice import APPROACHES, Choice
from corewise._types.options import USUAL, known_approach
from corewise._work.coroutines import is_coroutine_function
from corewise.errors import OptionError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from corewise._types.options import Options

_VARIABLE = "COREWISE_APPROACH"


def asked_for(
    fn: Callable[..., Any], approach: str, workers: int | None, items: int | None, options: Options
) -> Choice | None:
    """Return the choice that needs no measurement; None when the first items have to tell.

    Args:
        fn: the user's function.
        approach: an approach, or ``"auto"``.
        workers: workers asked for, checked already; None for the default.
        items: number of items; None when unknown.
        options: what else was asked for.

    Raises:
        OptionError: when the approach is unknown, or does not fit the function or the options.
    """
    asked = known_approach(approach, extra=("auto",))
    forced = os.environ.get(_VARIABLE, "") if asked == "auto" else ""
    if forced:
        asked = known_approach(forced)
    if options is not USUAL and options != USUAL:
        from corewise._api import fits

        if not forced:
            fits.refuse_misfits(asked, workers, options)
            if options.per_worker is not None:
                fits.refuse_several_each(asked, options, coroutine=is_coroutine_function(fn))
            asked = fits.only_one_allowed(asked, options)
        elif options.seed is not None and asked in fits.SHARE_A_GENERATOR:
            workers = 1
    if asked == "asyncio" and not is_coroutine_function(fn):
        raise OptionError(_plain_function(fn))
    if asked != "auto":
        name, code = asked, "environment" if forced else "asked"
    elif is_coroutine_function(fn) and options.seed is None and "asyncio" in (options.approaches or APPROACHES):
        name, code = "asyncio", "coroutine"
    elif options.timeout is not None:
        from corewise._api import fits

        fits.require_processes(options)
        name, code = "processes", "time-limit"
    else:
        return None
    why = undecided.REASONS[code]
    number = number_of_workers(name, workers, items, options.limit)
    each = calls_in_each(options, number) if name == "processes" else 1
    return Choice(approach=name, workers=number, asked=approach, code=code, why=why, per_worker=each)


def calls_in_each(options: Options, workers: int) -> int:
    """Return how many calls a worker process runs at once: what was asked for, no more in all than the limit."""
    each = options.per_worker or 1
    return each if options.limit is None else max(1, min(each, options.limit // workers))


def number_of_workers(approach: str, workers: int | None, items: int | None, limit: int | None = None) -> int:
    """Return how many workers an approach gets: what was asked for, or its default; no more than the limit."""
    if approach == "sync":
        return 1
    if workers is not None:
        number = workers
    elif approach == "processes":
        from corewise._machine.cpus import cpu_count

        number = undecided.processes_by_default(cpu_count(), items)
    elif approach == "threads":
        number = undecided.threads_by_default(items)
    else:
        number = undecided.coroutines_by_default(items)
    return number if limit is None else min(number, limit)


def _plain_function(fn: Callable[..., Any]) -> str:
    name = getattr(fn, "__name__", "fn")
    return (
        f"approach='asyncio' runs coroutine functions, and {name} is a plain one: inside an event loop it would block "
        f"all others. Write `async def {name}(...)` with an async client inside, or use approach='threads', which "
        f"overlaps the waits of plain functions. If {name} returns a coroutine, wrap it: "
        f"`async def call(item): return await {name}(item)`."
    )
