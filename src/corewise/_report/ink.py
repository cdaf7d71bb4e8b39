"""What rich would write, as text, without writing it.

rich answers a closed pipe by ending the program, and an error of the terminal by an error in the middle of whatever was
running. So everything is rendered here first, and written by us.
"""

from __future__ import annotations

import io

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import TextIO

    from rich.console import Console, RenderableType


class _Sheet(io.StringIO):
    """A text in memory that claims the encoding of the stream it is meant for, by which rich chooses its signs."""

    def __init__(self, encoding: str) -> None:
        super().__init__()
        self._claimed = encoding

    @property
    def encoding(self) -> str:  # type: ignore[override] # a property there too, but typed as an attribute
        """The encoding of the stream that the text is meant for."""
        return self._claimed


def console_for(file: TextIO, width: int | None = None) -> Console:
    """Return rich's view of a stream: its width, its encoding, whether it shows colours.

    Args:
        file: the stream.
        width: columns; the terminal's own (or ``COLUMNS``) by default.
    """
    from rich.console import Console

    return Console(file=file, width=width, markup=False, emoji=False, highlight=False, force_jupyter=False)


def rendered(pieces: Iterable[RenderableType], console: Console, *, width: int | None = None) -> str:
    """Return what a console would write.

    Args:
        pieces: what rich can print, one after another.
        console: the view of the stream that it is meant for.
        width: columns; the console's own by default.

    Returns:
        The text, with colours if the console shows them.
    """
    from rich.console import Console

    sheet = _Sheet(console.encoding)
    ink = Console(
        file=sheet,
        width=console.width if width is None else width,
        force_terminal=console.is_terminal,
        no_color=console.no_color,
        force_jupyter=False,
        legacy_windows=False,
        markup=False,
        emoji=False,
        highlight=False,
    )
    for piece in pieces:
        ink.print(piece)
    return sheet.getvalue()
