"""The command `report`: draws a stored comparison."""

from __future__ import annotations

import sys

from corewise._cli import streams
from corewise._cli.failure import OK, Failure
from corewise._cli.outputs import put_html, put_json, put_svg
from corewise._report import document
from corewise._report.terminal import show as terminal


def report(*, file: str, html: str | None, svg: str | None, json: bool) -> int:
    """Carry out the command.

    Args:
        file: the stored document; ``-`` for standard input.
        html: file to write a page to.
        svg: file to write the terminal's picture to.
        json: whether to print the document.

    Returns:
        The exit code, 0; everything else is raised.

    Raises:
        DocumentError: when the file cannot be read, or holds no comparison.
        Failure: when an output cannot be written.
    """
    stored = document.loads(sys.stdin.read()) if file == "-" else document.load(file)
    if (html, svg, "-" if json else None).count("-") > 1:
        raise Failure("only one output can go to standard output", hint="give the others a file's name")
    if html is not None:
        put_html(stored, html, sys.stdout)
    if svg is not None:
        put_svg(stored, svg, sys.stdout)
    if json:
        put_json(stored, "-", sys.stdout)
    if not (html or svg or json):
        with streams.writing():
            terminal.show(stored)
    return OK
