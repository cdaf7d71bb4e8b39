"""Where the two wings meet: what was asked for, or what the first items tell, becomes a choice."""

from __future__ import annotations

import os
import sys

from corewise._choose import rule
from corewise._choose.explain import explain
from corewise._choose.vetoes import Wishes, cannot_travel
from corewise._machine.cpus import cpu_count
from corewise._types.choice import Choice
from corewise._types.measurement import Costs, Measurement
from corewise._types.options import Options, known_approach
from corewise._work.coroutines import is_coroutine_function
from corewise.errors import OptionError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

_VARIABLE = "COREWISE_APPROACH"
_USUAL = Options()


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
    if options != _USUAL:
        from corewise._api import fits  # most calls do without

        if not forced:
            fits.refuse_misfits(asked, workers, options)
        elif options.seed is not None and asked in fits.SHARE_A_GENERATOR:
            workers = 1
    if asked == "asyncio" and not is_coroutine_function(fn):
        raise OptionError(_plain_function(fn))
    if asked != "auto":
        name, code = asked, "environment" if forced else "asked"
    elif is_coroutine_function(fn) and options.seed is None:
        name, code = "asyncio", "coroutine"
    elif options.timeout is not None:
        name, code = "processes", "time-limit"
    else:
        return None
    choice = Choice(approach=name, workers=number_of_workers(name, workers, items), asked=approach, code=code, why="")
    return choice.replace(why=explain(choice))


def from_measurement(
    fn: Callable[..., Any],
    measurement: Measurement,
    workers: int | None,
    options: Options,
    why_not_processes: Callable[[], str | None],
) -> Choice:
    """Return the choice for what remains behind the first items.

    Args:
        fn: the user's function.
        measurement: what the first items told.
        workers: workers asked for; None for as many as suit the work.
        options: what else was asked for.
        why_not_processes: says why processes cannot be used, or None; asked only if they would be the choice.
    """
    wishes = Wishes(workers=workers, seed=options.seed is not None)
    costs = _costs()
    choice = rule.choose(measurement, costs, wishes)
    if choice.approach == "processes":
        from corewise._measure.effects import effects_of  # only where processes are about to be chosen

        wishes, why = wishes.replace(effects=effects_of(fn)), why_not_processes()
        choice = rule.choose(measurement, costs, wishes, travel=None if why is None else cannot_travel(why))
    return choice.replace(why=explain(choice))


def _costs() -> Costs:
    """Return what workers are taken to cost, by the figures of the machine that the benchmarks ran on."""
    gil_enabled = getattr(sys, "_is_gil_enabled", None)  # Python 3.13 and later
    return Costs(
        cores=cpu_count(),
        has_gil=gil_enabled is None or bool(gil_enabled()),
        worker_start_s=0.005,
        worker_more_s=0.002,
        chunk_s=50e-6,
        process_item_s=0.2e-6,
        byte_s=1e-9,
        thread_start_s=65e-6,
        thread_item_s=0.1e-6,
        coroutine_s=30e-6,
    )


def number_of_workers(approach: str, workers: int | None, items: int | None) -> int:
    """Return how many workers an approach gets: what was asked for, or its default."""
    if approach == "sync":
        return 1
    if workers is not None:
        return workers
    if approach == "processes":
        return rule.processes_by_default(cpu_count(), items)
    return rule.threads_by_default(items) if approach == "threads" else rule.coroutines_by_default(items)


def _plain_function(fn: Callable[..., Any]) -> str:
    name = getattr(fn, "__name__", "fn")
    return (
        f"approach='asyncio' runs coroutine functions, and {name} is a plain one: inside an event loop it would block "
        f"all others. Write `async def {name}(...)` with an async client inside, or use approach='threads', which "
        f"overlaps the waits of plain functions. If {name} returns a coroutine, wrap it: "
        f"`async def call(item): return await {name}(item)`."
    )
