"""The commands, their options, and their help."""

from __future__ import annotations

import math
import os
from importlib import metadata
from pathlib import Path
from typing import Any

import click

from corewise._cli import comparing, reporting
from corewise._cli.practical.cases import CASES
from corewise._types.options import whole_number

_EXIT_CODES = """\b
Exit codes:
  0    all went well
  1    the function failed, did not return in time, or its results differ
       between approaches
  2    what was typed is wrong: option, target, items or document
  130  interrupted by Ctrl-C
  141  the reader of the output went away (as head does)
"""


class Whole(click.ParamType):
    """A whole number of at least 1; the sentence that refuses others is the library's."""

    name = "n"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:
        """Return the number; raises OptionError for anything else."""
        try:
            number: object = int(value)
        except ValueError:
            number = value
        return whole_number(_option(param), number)


class Seconds(click.ParamType):
    """A time above 0."""

    name = "seconds"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        """Return the seconds; raises click's BadParameter for anything else."""
        try:
            seconds = float(value)
        except ValueError:
            seconds = math.nan
        if not 0 < seconds < math.inf:
            self.fail(f"must be a number of seconds above 0, not {value!r}", param, ctx)
        return seconds


class Output(click.ParamType):
    """A file to write, ``-`` for standard output. Checked before the run: a minute later it is too late."""

    name = "file"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """Return the file's name; raises click's BadParameter when it cannot be written."""
        path = Path(value)
        if value != "-" and path.is_dir():
            self.fail(f"{value} is a folder; write a file's name", param, ctx)
        if value != "-" and not path.parent.is_dir():
            self.fail(f"there is no folder {path.parent}", param, ctx)
        if value != "-" and not os.access(path if path.exists() else path.parent, os.W_OK):
            self.fail(f"{value} cannot be written: permission denied", param, ctx)
        return str(value)


class Approaches(click.ParamType):
    """Approaches, with commas between them."""

    name = "list"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> tuple[str, ...]:
        """Return them one by one; whether they are known is for the comparison to say."""
        return tuple(part.strip() for part in value.split(",")) if isinstance(value, str) else value


def _option(param: click.Parameter | None) -> str:
    return param.opts[-1] if param is not None else "the value"


_traceback = click.option(
    "--traceback", is_flag=True, expose_value=False, help="Show the whole traceback of what went wrong."
)


@click.group(
    epilog=_EXIT_CODES,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)
@click.version_option(metadata.version("corewise"), prog_name="corewise", message="%(prog)s %(version)s")
def corewise() -> None:
    """Run a function over many inputs by threads, asyncio or processes, and see which of them pays."""


@corewise.command(epilog=_EXIT_CODES)
@click.argument("target", required=False)
@click.option("--items", metavar="EXPR", help='The items, a Python expression: "[10**7] * 4". Knows the names of TARGET\'s module.')
@click.option(
    "--items-file", metavar="FILE", help="The items, a file: a JSON array, JSON lines, or one string a line; - is standard input."
)
@click.option("--items-from", metavar="FILE.py:NAME", help="The items, from Python: an iterable, or a function that returns one.")
@click.option("--star", is_flag=True, help="Each item is a tuple of arguments: call FUNCTION(*item).")
@click.option("--limit", type=Whole(), help="Take the first N items only.")
@click.option(
    "--approaches", type=Approaches(), help="What to compare: sync,threads,asyncio,processes:4. A number says how many workers."
)
@click.option("--workers", type=Whole(), help="Workers for approaches that name no number. Default: what the cores suggest.")
@click.option("--repeat", type=Whole(), help="Rounds. Default: as many as the budget allows.")
@click.option(
    "--budget", type=Seconds(), help="Time for the whole comparison. Default: 30, and 60 for all practical cases."
)
@click.option("--async-target", metavar="TARGET", help="An async function that does the same, for asyncio.")
@click.option("--case", type=click.Choice([case.name for case in CASES]), help="Run one of the practical cases only.")
@click.option("--json", type=Output(), help="Write the figures as a JSON document; - is standard output, and then nothing else is.")
@click.option("--html", type=Output(), help="Write a page to look at and to hand on.")
@click.option("--quiet", "-q", is_flag=True, help="No progress and no tables: one line with the recommendation.")
@_traceback
def compare(**given: Any) -> int:
    """Run TARGET over the same items by every approach, and say which of them pays.

    TARGET is file.py:FUNCTION or package.module:FUNCTION. It needs its items: --items, --items-file or --items-from.

    Without TARGET, four practical cases are run in about a minute: computing in Python, computing in C, waiting, and
    work too small to be worth it.

    \b
    Examples:
      corewise compare
      corewise compare work.py:render --items "range(20)"
      corewise compare work.py:load --items-file urls.txt --approaches sync,threads:16
      corewise compare work.py:area --star --items "[(2, 3), (4, 5)]" --json area.json
    """
    return comparing.compare(comparing.Asked(**given))


@corewise.command(epilog=_EXIT_CODES)
@click.argument("file")
@click.option("--html", type=Output(), help="Write a page instead of drawing on the terminal.")
@click.option("--svg", type=Output(), help="Write the terminal's picture as SVG instead of drawing on the terminal.")
@click.option("--json", is_flag=True, help="Print the document, checked, instead of drawing on the terminal.")
@_traceback
def report(**given: Any) -> int:
    """Draw a comparison that `corewise compare --json FILE` has stored; - reads it from standard input."""
    return reporting.report(**given)
