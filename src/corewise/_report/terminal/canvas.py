"""What a terminal picture is drawn on: its width, its signs, its colours, and the pieces that every part of it uses.

rich draws; it is imported when something is drawn and not before.
"""

from __future__ import annotations

from corewise._report.glyphs import Glyphs, fit, glyphs_for
from corewise._types.record import Record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from rich.text import Text

PROSE_COLUMNS = 100  # longer lines are hard to read back from: prose is not set wider, however wide the terminal
LEAST_COLUMNS = 24  # below this nothing can be laid out; a smaller width is treated as this one

# A blank at which a line may break: any but the one between a number and its unit.
_BREAK = r"(?<!\d) | (?!(?:ns|µs|us|ms|s|min|h|%|B|kB|MB|GB|TB)(?!\w))"

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

    def paragraph(self, body: Text, first: Text | None = None, indent: int = 2) -> Text:
        """Return running text set to the width of prose, with every line but the first moved to the right.

        Args:
            body: the text; its styles stay.
            first: what stands before its first line, such as a label; blanks by default.
            indent: columns before the other lines, and the least before the first.

        Returns:
            Lines that need no further wrapping; a number is never parted from its unit.
        """
        whole = self.text("") if first is None else first
        whole.append(" " * (indent - whole.cell_len))
        for number, line in enumerate(wrapped(body, self.prose - indent)):
            if number:
                whole.append("\n" + " " * indent)
            whole.append_text(line)
        return whole

    def flow(self, parts: Sequence[str], indent: int = 2, style: str = QUIET) -> Text:
        """Return facts with points between them, on as few lines as they need; a line breaks between two facts."""
        from rich.cells import cell_len

        joint = f" {self.glyphs.point} "
        lines: list[str] = []
        for part in (fit(part, self.encoding) for part in parts if part):
            if lines and cell_len(lines[-1] + joint + part) <= self.prose - indent:
                lines[-1] += joint + part
            else:
                lines.append(part)
        whole = self.text("")
        for number, line in enumerate(lines):
            whole.append("\n" if number else "")
            whole.append_text(self.paragraph(self.text(line, style), indent=indent))
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


def wrapped(text: Text, columns: int) -> list[Text]:
    """Return a text as lines of at most so many columns, broken at blanks, but not between a number and its unit."""
    from rich.cells import cell_len

    plain = text.plain
    lines: list[Text] = []
    start = end = 0  # of the line that is being filled; both are positions in `plain`
    for word_start, word_end in _words(plain):
        if cell_len(plain[start:word_end]) <= columns:
            end = word_end
            continue
        if end > start:
            lines.append(text[start:end])
        start, end = word_start, word_end
        while cell_len(plain[start:end]) > columns:
            cut = _longest_that_fits(plain, start, columns)
            lines.append(text[start:cut])
            start = cut
    lines.append(text[start:end])
    return lines


def _words(plain: str) -> list[tuple[int, int]]:
    import re

    breaks = [found.start() for found in re.finditer(_BREAK, plain)]
    return list(zip([0, *(at + 1 for at in breaks)], [*breaks, len(plain)], strict=True))


def _longest_that_fits(plain: str, start: int, columns: int) -> int:
    from rich.cells import cell_len

    end = start + 1
    while end < len(plain) and cell_len(plain[start : end + 1]) <= columns:
        end += 1
    return end
