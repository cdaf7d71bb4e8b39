"""The comparison in a terminal, drawn from the document alone.

`show` draws a whole document; `show_opening`, `show_case` and `show_lesson` draw its parts, for a comparison whose cases come one after
another. What comes out is the same.
"""

from __future__ import annotations

import sys

from corewise._report import numbers
from corewise._report.canvas import HEADING, LEAST_COLUMNS, QUIET, Canvas
from corewise._report.layout import case_block

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from typing import TextIO

    from rich.console import Console, RenderableType

    from corewise._types.comparison import Case, Document, LessonRow, Machine

LESSON_TABLE_FROM = 90  # columns, from which four texts beside one another can be read


def show(document: Document, *, file: TextIO | None = None, width: int | None = None) -> None:
    """Draw a whole comparison.

    Args:
        document: the comparison; see `corewise._report.document`.
        file: where to; standard output by default. Colours are used if it is a terminal and ``NO_COLOR`` is not set.
        width: columns; the terminal's own (or ``COLUMNS``) by default.
    """
    _draw(lambda canvas: _whole(document, canvas), file, width)


def show_opening(machine: Machine, version: str, *, file: TextIO | None = None, width: int | None = None) -> None:
    """Draw what stands above the cases: the version and the machine."""
    _draw(lambda canvas: opening(machine, version, "", canvas), file, width)


def show_case(case: Case, *, file: TextIO | None = None, width: int | None = None) -> None:
    """Draw one case; it needs its words (`corewise._report.words.annotate`)."""
    _draw(lambda canvas: _spaced(case_block(case, canvas), canvas), file, width)


def show_lesson(rows: Sequence[LessonRow], *, file: TextIO | None = None, width: int | None = None) -> None:
    """Draw the closing table over several cases."""
    _draw(lambda canvas: _spaced(lesson_block(rows, canvas), canvas), file, width)


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
    yield canvas.flow(machine_facts(machine), canvas.prose)


def machine_facts(machine: Machine) -> list[str]:
    """Return what a reader wants to know of the machine, one fact each."""
    few = machine["cores"] != machine["logical_cores"]
    cores = f"{machine['cores']} of {numbers.count(machine['logical_cores'], 'core')}" if few else ""
    memory = machine["memory_bytes"]
    return [
        f"{machine['implementation']} {machine['python']}{'' if machine['gil'] else ' without a GIL'}",
        f"{machine['system']} {machine['release']}".strip(),
        cores or numbers.count(machine["cores"], "core"),
        f"{numbers.bytes_(memory)} of memory" if memory is not None else "",
        machine["cpu"],
    ]


def lesson_block(rows: Sequence[LessonRow], canvas: Canvas) -> Iterator[RenderableType]:
    """Give the closing table, as cards where there is no room for four columns."""
    yield canvas.rule("What to use when")
    yield canvas.text("")
    if canvas.width >= LESSON_TABLE_FROM:
        yield _lesson_table(rows, canvas)
        return
    for number, row in enumerate(rows):
        if number:
            yield canvas.text("")
        yield canvas.text(f"  {row['approach']}", HEADING)
        for head, words in _lesson_cells(row):
            yield canvas.indented(canvas.line((f"{head}: ", QUIET), words))


def _lesson_cells(row: LessonRow) -> list[tuple[str, str]]:
    return [
        ("what for", row["what_for"]),
        ("speeds up computing", row["speeds_up_computing"]),
        ("use it when", row["when"]),
    ]


def _lesson_table(rows: Sequence[LessonRow], canvas: Canvas) -> RenderableType:
    from rich import box
    from rich.table import Table

    table = Table(
        box=box.SIMPLE_HEAD if canvas.glyphs.whisker == "─" else box.ASCII2,
        show_edge=False,
        show_lines=False,
        padding=(0, 1, 1, 1),
        header_style=QUIET,
        border_style=QUIET,
        width=min(canvas.width, canvas.prose + 20),
    )
    table.add_column("approach", no_wrap=True, style=HEADING)
    for head in ("what it is for", "does it speed up computing", "use it when"):
        table.add_column(head, ratio=1, overflow="fold")
    for row in rows:
        table.add_row(canvas.text(row["approach"]), *(canvas.text(words) for _, words in _lesson_cells(row)))
    return table


def _draw(pieces: _Pieces, file: TextIO | None, width: int | None) -> None:
    from rich.console import Console

    target = sys.stdout if file is None else file
    console = Console(
        file=target,
        width=width,
        markup=False,
        emoji=False,
        highlight=False,
        force_jupyter=None if file is None else False,
    )
    canvas = Canvas(width=max(LEAST_COLUMNS, console.width), encoding=console.encoding)
    if console.is_jupyter:
        for piece in pieces(canvas):
            console.print(piece)
        return
    # Written by us and not by rich, which answers a closed pipe by ending the program.
    with console.capture() as captured:
        for piece in pieces(canvas):
            console.print(piece)
    target.write(captured.get())
    target.flush()


if TYPE_CHECKING:
    from collections.abc import Callable

    _Pieces = Callable[[Canvas], Iterable[RenderableType]]
