"""What a command owes its output: quiet when nobody reads it, and standard output free for a document."""

from __future__ import annotations

import contextlib
import os
import select
import sys
from pathlib import Path
from typing import TYPE_CHECKING, TextIO

from corewise._cli.failure import FAILED, Failure

if TYPE_CHECKING:
    from collections.abc import Iterator


def make_usable() -> None:
    """Put something in the place of standard streams that the caller has closed (``>&-``): Python leaves None there."""
    if sys.stdout is None:
        sys.stdout = _nowhere()
    if sys.stderr is None:
        sys.stderr = _nowhere()


def nobody_reads() -> bool:
    """Tell whether the reader of standard output or standard error has gone away, as `head` does."""
    if sys.platform == "win32":
        return True  # it cannot be asked there: the error that brought us here has to do
    else:  # noqa: RET505 - without it, mypy takes what follows for unreachable on Windows
        poll = select.poll()
        for stream in (sys.stdout, sys.stderr):
            with contextlib.suppress(OSError, ValueError):
                poll.register(stream.fileno(), 0)
        return any(event & (select.POLLERR | select.POLLHUP) for _, event in poll.poll(0))


@contextlib.contextmanager
def writing() -> Iterator[None]:
    """Write to standard output inside the block; at its end nothing is held back.

    Raises:
        BrokenPipeError: when nobody reads it.
        Failure: when it cannot be written for another reason, such as a full disk.
    """
    try:
        yield
        sys.stdout.flush()
    except BrokenPipeError:
        raise
    except OSError as error:
        silence()
        raise Failure(f"the output cannot be written: {error.strerror or error}", code=FAILED) from error


def silence() -> None:
    """Let nothing more be written to standard output.

    The interpreter flushes it once more when it ends, and would complain there.
    """
    with contextlib.suppress(OSError, ValueError):
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, sys.stdout.fileno())
        os.close(nowhere)


@contextlib.contextmanager
def kept_for_document() -> Iterator[TextIO]:
    """Keep standard output for one document; whatever else is printed meanwhile goes to standard error.

    The redirection is the process's, not Python's, so it holds for the workers too.

    Yields:
        Where the document is to be written to.
    """
    sys.stdout.flush()
    try:
        number = sys.stdout.fileno()
        kept = os.dup(number)
    except (OSError, ValueError):
        yield sys.stdout  # not a file of the system's, such as the one of a test
        return
    os.dup2(sys.stderr.fileno(), number)
    try:
        with os.fdopen(os.dup(kept), "w", encoding="utf-8") as document:
            yield document
    finally:
        with contextlib.suppress(OSError):
            sys.stdout.flush()
        os.dup2(kept, number)
        os.close(kept)


def _nowhere() -> TextIO:
    return Path(os.devnull).open("w", encoding="utf-8")  # stays open until the program ends
