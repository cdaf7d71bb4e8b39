"""The commands, their options, and their help."""

from __future__ import annotations

import math
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from corewise import __version__
from corewise._cli.practical.cases import CASES
from corewise._types.options import whole_number
from corewise.errors import OptionError

if TYPE_CHECKING:
    from collections.abc import Callable

_EXIT_CODES = """\b
Exit codes:
  0    all went well
  1    the function failed, did not return in time, or its results differ
       between approaches
  2    what was typed is wrong: option, target, items or document
  130  interrupted by Ctrl-C
  141  the reader of the output went away (as head does)
"""


def whole(text: str) -> int:
    """Return a whole number of at least 1; the sentence that refuses others is the library's."""
    try:
        number: object = int(text)
    except ValueError:
        number = text
    try:
        return whole_number("it", number)
    except OptionError as error:
        raise click.BadParameter(str(error)) from error


def seconds(text: str) -> float:
    """Return a time above 0."""
    try:
        number = float(text)
    except ValueError:
        number = math.nan
    if not 0 < number < math.inf:
        raise click.BadParameter(f"it must be a number of seconds above 0, not {text!r}")
    return number


def output(text: str) -> str:
    """Return the name of a file that can be written, or ``-``. Asked before the run: a minute later it is too late."""
    path = Path(text)
    if text == "-":
        return text
    if path.is_dir():
        raise click.BadParameter(f"{text} is a folder; write a file's name")
    if not path.parent.is_dir():
        raise click.BadParameter(f"there is no folder {path.parent}")
    if not os.access(path if path.exists() else path.parent, os.W_OK):
        raise click.BadParameter(f"{text} cannot be written: permission denied")
    return text


def names(text: str) -> tuple[str, ...]:
    """Return names with commas between them one by one; whether they are known is for the comparison to say."""
    return tuple(part.strip() for part in text.split(","))


_traceback = click.option(
    "--traceback", is_flag=True, expose_value=False, help="Show the whole traceback of what went wrong."
)


_F = TypeVar("_F", bound="Callable[..., Any]")


def _takes_items(command: _F) -> _F:
    """Give a command the options that say what TARGET is to work on."""
    for option in reversed(_ITEMS):
        command = option(command)
    return command


_ITEMS = (
    click.option(
        "--items",
        metavar="EXPR",
        help='The items, a Python expression: "[10**7] * 4". Knows the names of TARGET\'s module.',
    ),
    click.option(
        "--items-file",
        metavar="FILE",
        help="The items, a file: a JSON array, JSON lines, or one string a line; - is standard input.",
    ),
    click.option(
        "--items-from",
        metavar="FILE.py:NAME",
        help="The items, from Python: an iterable, or a function that returns one.",
    ),
    click.option("--star", is_flag=True, help="Each item is a tuple of arguments: call FUNCTION(*item)."),
    click.option("--limit", type=whole, metavar="N", help="Take the first N items only."),
)


@click.group(
    "corewise",
    epilog=_EXIT_CODES,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)
@click.version_option(__version__, prog_name="corewise", message="%(prog)s %(version)s")
def command() -> None:
    """Run a function over many inputs by threads, asyncio or processes, and see which of them pays."""


@command.command(epilog=_EXIT_CODES, short_help="See which approach pays for a function.")
@click.argument("target", required=False)
@_takes_items
@click.option(
    "--approaches",
    type=names,
    metavar="LIST",
    help="What to compare: sync,threads,asyncio,processes:4. A number says how many workers.",
)
@click.option(
    "--workers",
    type=whole,
    metavar="N",
    help="Workers for approaches that name no number. Default: what the cores suggest.",
)
@click.option("--repeat", type=whole, metavar="N", help="Rounds. Default: as many as the budget allows.")
@click.option(
    "--budget",
    type=seconds,
    metavar="SECONDS",
    help="Time for the whole comparison. Default: 30, and 60 for all practical cases.",
)
@click.option("--async-target", metavar="TARGET", help="An async function that does the same, for asyncio.")
@click.option("--case", type=click.Choice([case.name for case in CASES]), help="Run one of the practical cases only.")
@click.option(
    "--json",
    type=output,
    metavar="FILE",
    help="Write the figures as a JSON document; - is standard output, and then nothing else is.",
)
@click.option("--html", type=output, metavar="FILE", help="Write a page to look at and to hand on.")
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
    """  # noqa: D301 - click looks for this very character
    # Each command loads what it needs: the help, and a slip of the finger, should be answered at once.
    from corewise._cli import comparing

    return comparing.compare(comparing.Asked(**given))


@command.command(epilog=_EXIT_CODES, short_help="Run a few items, and say how to run them all.")
@click.argument("target")
@_takes_items
@click.option(
    "--approaches",
    type=names,
    metavar="LIST",
    help="What may be chosen: sync,threads,asyncio,processes. Default: all.",
)
@click.option("--workers", type=whole, metavar="N", help="Workers to reckon with. Default: as many as suit the work.")
@click.option(
    "--json",
    type=output,
    metavar="FILE",
    help="Write the advice as a JSON document; - is standard output, and then nothing else is.",
)
@click.option("--quiet", "-q", is_flag=True, help="One line: what to use, and why.")
@_traceback
def advise(**given: Any) -> int:
    """Run a few items of TARGET, and predict what all of them take by every approach, and with more cores.

    TARGET is file.py:FUNCTION or package.module:FUNCTION. It needs its items: --items, --items-file or --items-from.
    Items are run plainly until 50 ms are over, at least the first one; `corewise compare` runs them all.

    \b
    Examples:
      corewise advise work.py:render --items "range(20)"
      corewise advise work.py:load --items-file urls.txt --quiet
      corewise advise work.py:area --star --items "[(2, 3), (4, 5)]" --json -
    """  # noqa: D301 - click looks for this very character
    from corewise._cli import advising

    return advising.advise(advising.Asked(**given))


@command.command(epilog=_EXIT_CODES, short_help="Draw a stored comparison.")
@click.argument("file")
@click.option("--html", type=output, metavar="FILE", help="Write a page instead of drawing on the terminal.")
@click.option(
    "--svg", type=output, metavar="FILE", help="Write the terminal's picture as SVG instead of drawing on the terminal."
)
@click.option("--json", is_flag=True, help="Print the document, checked, instead of drawing on the terminal.")
@_traceback
def report(**given: Any) -> int:
    """Draw a comparison that `corewise compare --json FILE` has stored; - reads it from standard input."""
    from corewise._cli import reporting

    return reporting.report(**given)
