"""How a command ends: the one place where errors become a message on standard error and an exit code."""

from __future__ import annotations

import contextlib
import sys
import traceback
from typing import TYPE_CHECKING

import click

from corewise import errors
from corewise._cli import streams
from corewise._cli.commands import command
from corewise._cli.failure import FAILED, INTERRUPTED, NOBODY_READS, OK, USAGE, Failure, last_line

if TYPE_CHECKING:
    from collections.abc import Sequence


def run(arguments: Sequence[str]) -> int:
    """Run the command line.

    Args:
        arguments: what was typed after the command's name.

    Returns:
        The exit code.
    """
    streams.make_usable()
    try:
        code = _carried_out(list(arguments))
        with streams.writing():
            pass  # what the user's own code has printed
    except KeyboardInterrupt as error:
        code = _told(error, "corewise: interrupted", INTERRUPTED, arguments)
    except Exception as error:  # noqa: BLE001 - whatever it is, the user gets one message and an exit code
        if isinstance(error, BrokenPipeError) and streams.nobody_reads():
            code = NOBODY_READS
        else:
            code = _told(error, *_message(error), arguments)
    if code == NOBODY_READS:
        streams.silence()
    return code


def _carried_out(arguments: list[str]) -> int:
    # Not click's own main(): it has its own mind about broken pipes, Ctrl-C and exit codes.
    try:
        with command.make_context("corewise", arguments) as context:
            code = command.invoke(context)
    except click.exceptions.Exit as ended:  # after --help and --version
        code = ended.exit_code
    return code if isinstance(code, int) else OK


def _message(error: Exception) -> tuple[str, int]:
    """Return what to say about an error, and the exit code."""
    if isinstance(error, Failure):
        return _sentence(error.message, error.hint), error.code
    if isinstance(error, click.exceptions.NoArgsIsHelpError):
        return error.format_message(), USAGE
    if isinstance(error, click.ClickException):
        name = error.ctx.command_path if isinstance(error, click.UsageError) and error.ctx else "corewise"
        return _sentence(error.format_message().rstrip("."), f"{name} --help lists what there is"), USAGE
    if isinstance(error, errors.OptionError | errors.DocumentError):
        return _sentence(str(error)), USAGE
    if isinstance(error, errors.CorewiseError):
        return _sentence(str(error), "\n  ".join(getattr(error, "__notes__", ()))), FAILED
    hint = "this is a fault of corewise; --traceback shows where"
    return _sentence(f"unexpectedly, {last_line(error)}", hint), FAILED


def _sentence(message: str, hint: str = "") -> str:
    return f"corewise: error: {message}" + (f"\n  {hint}" if hint else "")


def _told(error: BaseException, message: str, code: int, arguments: Sequence[str]) -> int:
    """Print a message, with what belongs above it, and return the exit code."""
    above = error.shown if isinstance(error, Failure) else ""
    if "--traceback" in arguments:
        above = "".join(traceback.format_exception(error.__cause__ or error if isinstance(error, Failure) else error))
    try:
        sys.stdout.flush()  # what was printed before the error stands above it
    except (OSError, ValueError):
        streams.silence()
    with contextlib.suppress(OSError, ValueError):
        sys.stderr.write(f"{above}{message}\n")
        sys.stderr.flush()
    return code
