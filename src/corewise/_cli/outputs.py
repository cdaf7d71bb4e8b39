"""Writes what a command was asked to write: to a file, or to standard output."""

from __future__ import annotations

from typing import TYPE_CHECKING, TextIO

import click

from corewise._cli import streams
from corewise._cli.failure import FAILED, Failure

if TYPE_CHECKING:
    from corewise._types.comparison import Document


def put_json(stored: Document, where: str, out: TextIO, *, quiet: bool = False) -> None:
    """Write a comparison as JSON; see `put`."""
    from corewise._report.document import dumps

    put(dumps(stored), where, out, quiet=quiet)


def put_html(stored: Document, where: str, out: TextIO, *, quiet: bool = False) -> None:
    """Write a comparison as a page; see `put`."""
    from corewise._report.page.html import to_html

    put(to_html(stored), where, out, quiet=quiet)


def put_svg(stored: Document, where: str, out: TextIO, *, quiet: bool = False) -> None:
    """Write the terminal's picture of a comparison; see `put`."""
    from corewise._report.page.svg import to_svg

    put(to_svg(stored), where, out, quiet=quiet)


def put(text: str, where: str, out: TextIO, *, quiet: bool = False) -> None:
    """Write a text.

    Args:
        text: what to write.
        where: a file's name, or ``-``.
        out: what ``-`` stands for.
        quiet: whether to keep silent about it; by default standard error says what was written.

    Raises:
        Failure: when it cannot be written.
        BrokenPipeError: when nobody reads `out`.
    """
    if where == "-":
        with streams.writing():
            out.write(text)
            out.flush()
        return
    from corewise._report.document import write_text

    try:
        write_text(text, where)
    except OSError as error:
        raise Failure(f"{where} cannot be written: {error.strerror}", code=FAILED) from error
    if not quiet:
        click.echo(f"corewise: wrote {where}", err=True)
