"""The command `compare`: from what was typed to a comparison, and from there to its outputs."""

from __future__ import annotations

import contextlib
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import click

from corewise._cli import items, streams
from corewise._cli.failure import OK, Failure
from corewise._cli.given import asked_for, spelled
from corewise._cli.measuring import check_outcome, measured, recommendation
from corewise._cli.outputs import put_html, put_json
from corewise._cli.target import load_function
from corewise._types.numbers import count
from corewise._work.coroutines import is_coroutine_function

if TYPE_CHECKING:
    from collections.abc import Callable

    from corewise import Comparison

_DEFAULT_BUDGET_S = 30.0  # long enough for several rounds of most work, short enough to be waited for (a guess)


@dataclass(frozen=True, kw_only=True)
class Asked:
    """What was typed after ``corewise compare``; the help says what each means."""

    target: str | None
    items: str | None
    items_file: str | None
    items_from: str | None
    star: bool
    limit: int | None
    approaches: tuple[str, ...] | None
    workers: int | None
    repeat: int | None
    budget: float | None
    async_target: str | None
    case: str | None
    json: str | None
    html: str | None
    quiet: bool


def compare(asked: Asked) -> int:
    """Carry out the command.

    Args:
        asked: what was typed.

    Returns:
        The exit code, 0; everything else is raised.

    Raises:
        Failure: when what was typed does not fit together, or the function failed.
        CorewiseError: when an option is wrong, a worker was lost, or nothing returned in time.
    """
    if asked.json == "-" and asked.html == "-":
        raise Failure("--json and --html cannot both go to standard output", hint="give one of them a file's name")
    to_stdout = "-" in {asked.json, asked.html}
    with streams.kept_for_document() if to_stdout else contextlib.nullcontext(sys.stdout) as out:
        draws = not asked.quiet and not to_stdout
        comparison = _own_work(asked, draws=draws) if asked.target else _practical_cases(asked, draws=draws)
        if asked.quiet and not to_stdout:
            with streams.writing():
                for case in comparison.document["cases"]:
                    click.echo(recommendation(case))
        if asked.json is not None:
            put_json(comparison.document, asked.json, out, quiet=asked.quiet)
        if asked.html is not None:
            put_html(comparison.document, asked.html, out, quiet=asked.quiet)
    check_outcome(comparison.document)
    return OK


def _own_work(asked: Asked, *, draws: bool) -> Comparison:
    if asked.case is not None:
        raise Failure(
            "--case names a practical case, and those have a function of their own", hint="leave out TARGET, or --case"
        )
    target = load_function(str(asked.target))
    asynchronous = _async_twin(asked, target.function)
    found = asked_for(asked, target.module)
    if not asked.quiet:
        click.echo(f"corewise: {count(len(found.values), 'item')} from {found.origin}", err=True)
    comparison = measured(
        target.function,
        *(items.as_arguments(found.values) if asked.star else [found.values]),
        shown_name=str(asked.target),
        approaches=asked.approaches,
        workers=asked.workers,
        repeat=asked.repeat,
        budget=asked.budget or _DEFAULT_BUDGET_S,
        async_fn=asynchronous,
        progress=not asked.quiet,
    )
    if draws:
        with streams.writing():
            comparison.show()
    return comparison


def _async_twin(asked: Asked, function: Callable[..., Any]) -> Callable[..., Any] | None:
    """Return the function that asyncio is to run in the place of another."""
    if not asked.async_target:
        return None
    twin = load_function(asked.async_target, "--async-target").function
    if not is_coroutine_function(twin):
        raise Failure(
            f"--async-target {asked.async_target} is no async function",
            hint="asyncio can only gain by what awaits: write it with `async def`",
        )
    if is_coroutine_function(function):
        raise Failure(
            f"{asked.target} is an async function itself, so asyncio needs no other",
            hint="leave out --async-target, or give the plain function as TARGET",
        )
    return twin


def _practical_cases(asked: Asked, *, draws: bool) -> Comparison:
    own = ("items", "items_file", "items_from", "star", "limit", "approaches", "workers", "async_target")
    given = [spelled(name) for name in own if getattr(asked, name)]
    if given:
        raise Failure(
            f"{' and '.join(given)} without TARGET: the practical cases have items and approaches of their own",
            hint="name a function to go with it: corewise compare work.py:function …",
        )
    from corewise._cli.practical import tour

    return tour.run(case=asked.case, budget_s=asked.budget, repeat=asked.repeat, progress=not asked.quiet, draws=draws)
