"""The command `advise`: from what was typed to advice, and from there to its outputs."""

from __future__ import annotations

import contextlib
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING

import click

import corewise
from corewise._cli import items, streams
from corewise._cli.failure import OK
from corewise._cli.given import asked_for
from corewise._cli.measuring import calling
from corewise._cli.outputs import put
from corewise._cli.target import load_function
from corewise._types.numbers import count

if TYPE_CHECKING:
    from corewise import Advice


@dataclass(frozen=True, kw_only=True)
class Asked:
    """What was typed after ``corewise advise``; the help says what each means."""

    target: str
    items: str | None
    items_file: str | None
    items_from: str | None
    star: bool
    limit: int | None
    approaches: tuple[str, ...] | None
    workers: int | None
    json: str | None
    quiet: bool


def advise(asked: Asked) -> int:
    """Carry out the command.

    Args:
        asked: what was typed.

    Returns:
        The exit code, 0; everything else is raised.

    Raises:
        Failure: when what was typed does not fit together, or the function failed.
        CorewiseError: when an option is wrong, or the function called `sys.exit`.
    """
    to_stdout = asked.json == "-"
    with streams.kept_for_document() if to_stdout else contextlib.nullcontext(sys.stdout) as out:
        advice = _advice(asked)
        if not to_stdout:
            with streams.writing():
                if asked.quiet:
                    click.echo(f"{asked.target}: {advice.choice}")
                else:
                    advice.show()
        if asked.json is not None:
            put(advice.to_json(), asked.json, out, quiet=asked.quiet)
    return OK


def _advice(asked: Asked) -> Advice:
    target = load_function(asked.target)
    found = asked_for(asked, target.module)
    if not asked.quiet:
        click.echo(f"corewise: {count(len(found.values), 'item')} from {found.origin}", err=True)
    with calling(asked.target):
        return corewise.advise(
            target.function,
            *(items.as_arguments(found.values) if asked.star else [found.values]),
            workers=asked.workers,
            approaches=asked.approaches,
        )
