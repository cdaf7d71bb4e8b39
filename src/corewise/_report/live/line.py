"""One line that is written over and over, or lines one after another where nothing can be written over.

No thread redraws it: a thread in the caller would make starting workers by fork unsafe, so a line changes when news
arrives and at no other time. The cursor is never hidden, so whatever ends the program leaves a sane terminal behind.
"""

from __future__ import annotations

import sys

from corewise._report.glyphs import fit
from corewise._report.ink import console_for, rendered

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import TextIO

    from rich.console import Console, RenderableType
    from rich.live import Live

    Picture = Callable[[int], RenderableType]  # columns in, something for rich to draw on one line out

_BACK_AND_ERASE = "\r\x1b[2K"  # to the start of the line, and the line away


class PlainLine:
    """Lines for a stream that is no terminal: a file, a pipe, a log."""

    live = False

    def __init__(self, file: TextIO | None) -> None:
        self._file = file

    @property
    def encoding(self) -> str:
        """What can be written."""
        return getattr(self._file, "encoding", None) or "utf-8"

    def say(self, text: str) -> None:
        """Write one line."""
        self._write(fit(text, self.encoding) + "\n")

    def show(self, picture: Picture) -> None:
        """Draw nothing: there is no line that could be written over."""

    def keep(self) -> None:
        """Go on below what was written last; a plain line always ends there."""

    def clear(self) -> None:
        """Take the line away; a plain line stays."""

    def _write(self, text: str) -> None:
        """Write, or fall silent for good: a reader that went away must not end the work that it no longer follows."""
        if self._file is None:
            return
        try:
            self._file.write(text)
            self._file.flush()
        except (OSError, ValueError):
            self._file = None


class TerminalLine(PlainLine):
    """A line of a terminal that is drawn over.

    Args:
        console: rich's view of the terminal.
    """

    live = True

    def __init__(self, console: Console) -> None:
        super().__init__(console.file)  # type: ignore[arg-type] # rich types it as any stream of text
        self._console = console
        self._drawn = False

    def say(self, text: str) -> None:
        """Write one line above the live one."""
        self.clear()
        super().say(text)

    def show(self, picture: Picture) -> None:
        """Draw the line anew, one column short of the edge, where a terminal would wrap it."""
        columns = max(1, self._console.width - 1)
        text = rendered([picture(columns)], self._console, width=columns)
        self._drawn = True
        self._write(_BACK_AND_ERASE + text.partition("\n")[0])

    def keep(self) -> None:
        """Let the line stand and go on below it."""
        if self._drawn:
            self._write("\n")
        self._drawn = False

    def clear(self) -> None:
        """Take the line away."""
        if self._drawn:
            self._write(_BACK_AND_ERASE)
        self._drawn = False


class NotebookLine(PlainLine):
    """A line below a notebook's cell, which rich draws over by itself.

    Args:
        console: rich's view of the notebook.
    """

    live = True

    def __init__(self, console: Console) -> None:
        super().__init__(sys.stderr)
        self._console = console
        self._live: Live | None = None

    def show(self, picture: Picture) -> None:
        """Draw the line anew."""
        from rich.live import Live

        if self._live is None:
            self._live = Live(
                console=self._console, auto_refresh=False, transient=False, redirect_stdout=False, redirect_stderr=False
            )
            self._live.start()
        self._live.update(picture(self._console.width), refresh=True)

    def keep(self) -> None:
        """Let the line stand."""
        if self._live is not None:
            self._live.stop()
        self._live = None

    def clear(self) -> None:
        """Take the line away."""
        if self._live is not None:
            self._live.update("", refresh=True)
        self.keep()


def line_for(file: TextIO | None = None) -> PlainLine:
    """Return the line that suits a stream.

    Args:
        file: the stream; standard error by default, so that what a program prints stays clean.

    Returns:
        A live line on a terminal that can move its cursor and in a notebook that can draw over its output, plain
        lines otherwise.
    """
    target = sys.stderr if file is None else file
    if file is None and _in_notebook():
        from rich.console import Console

        notebook = Console(stderr=True, markup=False, emoji=False, highlight=False)
        if notebook.is_jupyter:
            return NotebookLine(notebook)
    if target is None or not _is_terminal(target):
        return PlainLine(target)
    console = console_for(target)
    return PlainLine(target) if console.legacy_windows or console.is_dumb_terminal else TerminalLine(console)


def _is_terminal(file: TextIO) -> bool:
    try:
        return file.isatty()
    except (AttributeError, ValueError):  # something that only has write(), or a closed file
        return False


def _in_notebook() -> bool:
    """Return whether this may be a notebook whose cells can be drawn over; cheap, since almost always it is none."""
    if "IPython" not in sys.modules:
        return False
    from importlib.util import find_spec

    return find_spec("ipywidgets") is not None
