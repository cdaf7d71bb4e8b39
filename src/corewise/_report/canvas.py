"""What a terminal picture is drawn on: its width, its signs, its colours, and the pieces that every part of it uses.

rich draws; it is imported when something is drawn and not before.
"""

from __future__ import annotations

from corewise._report.glyphs import Glyphs, fit, glyphs_for
from corewise._types.record import Record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from rich.console import RenderableType
    from rich.text import Text

PROSE_COLUMNS = 100  # longer lines are hard to read back from: prose is not set wider, however wide the terminal
LEAST_COLUMNS = 24  # below this nothing can be laid out; a smaller width is treated as this one

# Plain terminal colours, so that the reader's own theme decides how they look on a light or a dark ground.
HEADING = "bold"
QUIET = "dim"
BEST = "bold green"
GOOD = "green"
BAD = "red"
NOTE = "yellow"
ALARM = "bold red"
BAR = "blue"


class Canvas(Record):
    """A terminal, a file or a picture, as far as drawing needs to know it.

    Attributes:
        width: columns.
        encoding: what the stream can write; texts are respelled for it.
    """

    width: int
    encoding: str = "utf-8"

    @property
    def glyphs(self) -> Glyphs:
        """The drawing signs that the stream can carry."""
        return glyphs_for(self.encoding)

    @property
    def prose(self) -> int:
        """Columns for running text."""
        return max(LEAST_COLUMNS, min(self.width, PROSE_COLUMNS))

    def text(self, text: str, style: str = "") -> Text:
        """Return a text that fits the stream; signs that mean something to rich or to a terminal mean nothing in it."""
        from rich.text import Text

        return Text(fit(text, self.encoding), style=style, overflow="fold")

    def line(self, *parts: tuple[str, str] | str) -> Text:
        """Return one text made of parts, each a text or a text with its style."""
        whole = self.text("")
        for part in parts:
            whole.append_text(self.text(part) if isinstance(part, str) else self.text(*part))
        return whole

    def rule(self, title: str) -> Text:
        """Return a heading that a thin line carries on to the edge."""
        whole = self.line((title, HEADING))
        rest = self.prose - whole.cell_len - 1
        if rest > 0:
            whole.append_text(self.line((f" {self.glyphs.whisker * rest}", QUIET)))
        return whole

    def indented(self, body: RenderableType, columns: int = 2) -> RenderableType:
        """Return something moved to the right and held to the width of prose."""
        from rich.padding import Padding

        return Padding(body, (0, max(0, self.width - self.prose), 0, columns), expand=False)

    def beside(self, label: Text, body: RenderableType, columns: int) -> RenderableType:
        """Return a label with a text to the right of it, whose later lines stay clear of the label."""
        from rich.table import Table

        grid = Table.grid(padding=(0, 2, 0, 0))
        grid.add_column(width=columns, no_wrap=True)
        grid.add_column(max_width=max(1, self.prose - columns - 2), overflow="fold")
        grid.add_row(label, body)
        return grid

    def flow(self, parts: Sequence[str], columns: int, style: str = QUIET) -> Text:
        """Return facts on as few lines as they need, with points between them; a fact is split only if it is longer than a line."""
        joint = f" {self.glyphs.point} "
        lines: list[str] = []
        for part in (fit(part, self.encoding) for part in parts if part):
            if lines and len(lines[-1]) + len(joint) + len(part) <= columns:
                lines[-1] += joint + part
            else:
                lines.append(part)
        whole = self.text("")
        for number, line in enumerate(lines):
            whole.append("\n" if number else "")
            whole.append_text(self.text(line, style))
        return whole

    def bar(self, middle: float, high: float, longest: float, columns: int, style: str) -> Text:
        """Return a bar up to the median, with a line from there to the slowest round.

        Args:
            middle: the median.
            high: the slowest round.
            longest: what would fill all the columns.
            columns: width of the picture.
            style: colour of the bar.
        """
        signs = self.glyphs.eighths
        parts = len(signs)
        filled = max(1, round(middle / longest * columns * parts)) if longest > 0 else 1
        whole, rest = divmod(min(filled, columns * parts), parts)
        picture = signs[-1] * whole + (signs[rest - 1] if rest else "")
        reach = round(high / longest * columns) if longest > 0 else 0
        whisker = ""
        if reach > len(picture):
            whisker = self.glyphs.whisker * (reach - len(picture) - 1) + self.glyphs.whisker_end
        line = self.line((picture, style), (whisker, QUIET))
        line.append(" " * (columns - line.cell_len))
        return line
