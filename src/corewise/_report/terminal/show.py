"""The comparison in a terminal, drawn from the document alone.

`show` draws a whole document; `show_opening`, `show_case` and `show_lesson` draw its parts, for a comparison whose
cases come one after another. What comes out is the same.
"""

from __future__ import annotations

import sys

from corewise._report.facts import LESSON_HEADS, machine_facts
from corewise._report.ink import console_for, rendered
from corewise._report.terminal.canvas import HEADING, LEAST_COLUMNS, QUIET, Canvas, wrapped
from corewise._report.terminal.layout import case_block

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from typing import TextIO

    from rich.console import Console, RenderableType
    from rich.text import Text

    from corewise._types.comparison import Case, Document, LessonRow, Machine

LESSON_TABLE_FROM = 90  # columns, from which four texts beside one another can be read
LESSON_TABLE_TO = 130  # and beyond which they would only be drawn apart
LESSON_GAP = 3  # blank columns between them


def show(document: Document, *, file: TextIO | None = None, width: int | None = None) -> None:
    """Draw a whole comparison.

    Args:
        document: the comparison; see `corewise._report.document`.
        file: where to; standard output by default. Colours are used if it is a terminal and ``NO_COLOR`` is not set.
        width: columns; the terminal's own (or ``COLUMNS``) by default.
    """
    draw(lambda canvas: _whole(document, canvas), file, width)


def show_opening(machine: Machine, version: str, *, file: TextIO | None = None, width: int | None = None) -> None:
    """Draw what stands above the cases: the version and the machine."""
    draw(lambda canvas: opening(machine, version, "", canvas), file, width)


def show_case(case: Case, *, file: TextIO | None = None, width: int | None = None) -> None:
    """Draw one case; it needs its words (`corewise._report.words.annotate`)."""
    draw(lambda canvas: _spaced(case_block(case, canvas), canvas), file, width)


def show_lesson(rows: Sequence[LessonRow], *, file: TextIO | None = None, width: int | None = None) -> None:
    """Draw the closing table over several cases."""
    draw(lambda canvas: _spaced(lesson_block(rows, canvas), canvas), file, width)


def drawn(document: Document, console: Console) -> None:
    """Draw a whole comparison on a console of rich's."""
    for piece in _whole(document, Canvas(width=max(LEAST_COLUMNS, console.width), encoding=console.encoding)):
        console.print(piece)


def _whole(document: Document, canvas: Canvas) -> Iterator[RenderableType]:
    yield from opening(document["machine"], document["corewise"], document["created"], canvas)
    for case in document["cases"]:
        yield from _spaced(case_block(case, canvas), canvas)
    if document["lesson"]:
        yield from _spaced(lesson_block(document["lesson"], canvas), canvas)


def _spaced(pieces: Iterable[RenderableType], canvas: Canvas) -> Iterator[RenderableType]:
    yield canvas.text("")
    yield from pieces


def opening(machine: Machine, version: str, created: str, canvas: Canvas) -> Iterator[RenderableType]:
    """Give the lines above the cases."""
    day = f"  {created[:16].replace('T', ' ')} UTC" if created else ""
    yield canvas.line((f"corewise {version}", HEADING), (day, QUIET))
    yield canvas.flow(machine_facts(machine), 0)


def lesson_block(rows: Sequence[LessonRow], canvas: Canvas) -> Iterator[RenderableType]:
    """Give the closing table, as cards where there is no room for four columns."""
    yield canvas.rule("What to use when")
    yield canvas.text("")
    if canvas.width >= LESSON_TABLE_FROM:
        yield from _lesson_table(rows, canvas)
        return
    for number, row in enumerate(rows):
        if number:
            yield canvas.text("")
        yield canvas.text(f"  {row['approach']}", HEADING)
        for head, words in zip(LESSON_HEADS, _lesson_texts(row), strict=True):
            yield canvas.paragraph(canvas.line((f"{head}: ", QUIET), words), indent=4)


def _lesson_texts(row: LessonRow) -> tuple[str, str, str]:
    return row["what_for"], row["speeds_up_computing"], row["when"]


def _lesson_table(rows: Sequence[LessonRow], canvas: Canvas) -> Iterator[RenderableType]:
    first = max([len("approach"), *(len(row["approach"]) for row in rows)])
    each = (min(canvas.width, LESSON_TABLE_TO) - 2 - first - 3 * LESSON_GAP) // 3
    yield _side_by_side(
        canvas, [canvas.text("approach", QUIET), *(canvas.text(head, QUIET) for head in LESSON_HEADS)], first, each
    )
    for row in rows:
        yield canvas.text("")
        texts = [canvas.text(row["approach"], HEADING), *(canvas.text(words) for words in _lesson_texts(row))]
        yield _side_by_side(canvas, texts, first, each)


def _side_by_side(canvas: Canvas, texts: Sequence[Text], first: int, each: int) -> Text:
    """Return texts beside one another, each wrapped to its own column: the first one's width, and the others'."""
    columns = [first, *[each] * (len(texts) - 1)]
    cells = [wrapped(text, width) for text, width in zip(texts, columns, strict=True)]
    whole = canvas.text("")
    for number in range(max(len(lines) for lines in cells)):
        line = canvas.text("  ")
        start = 2
        for lines, width in zip(cells, columns, strict=True):
            line.append(" " * (start - line.cell_len))
            line.append_text(lines[number] if number < len(lines) else canvas.text(""))
            start += width + LESSON_GAP
        line.rstrip()
        whole.append("\n" if number else "")
        whole.append_text(line)
    return whole


def draw(pieces: _Pieces, file: TextIO | None, width: int | None) -> None:
    """Draw pieces: what a canvas gives. See `show` for the rest."""
    if file is None and "IPython" in sys.modules and _drawn_in_notebook(pieces, width):
        return
    target = sys.stdout if file is None else file
    console = console_for(target, width)
    columns = max(LEAST_COLUMNS, console.width)
    target.write(rendered(pieces(Canvas(width=columns, encoding=console.encoding)), console, width=columns))
    target.flush()


def _drawn_in_notebook(pieces: _Pieces, width: int | None) -> bool:
    """Draw below a notebook's cell, if this is one."""
    from rich.console import Console, Group

    console = Console(width=width, markup=False, emoji=False, highlight=False)
    if console.is_jupyter:
        # In one piece: a notebook would show each by itself, with a gap between them.
        console.print(Group(*pieces(Canvas(width=max(LEAST_COLUMNS, console.width)))))
    return console.is_jupyter


if TYPE_CHECKING:
    from collections.abc import Callable

    _Pieces = Callable[[Canvas], Iterable[RenderableType]]
