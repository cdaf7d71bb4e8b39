"""How a case is laid out in columns of letters.

A table where there is room, two lines for an approach where there is less, a card where there is little. All three show
the same figures.
"""

from __future__ import annotations

from corewise._report.facts import advised, case_facts, difference_note, other_notes, wall_and_spread, what_was_run
from corewise._report.glyphs import ASCII
from corewise._report.terminal.canvas import ALARM, BAD, BAR, BEST, GOOD, HEADING, NOTE, QUIET, Canvas, wrapped
from corewise._report.words import figures
from corewise._types import numbers
from corewise._types.record import Record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from rich.console import RenderableType
    from rich.text import Text

    from corewise._types.comparison import Case, Difference, Recommendation, Row

GAP = 2  # blank columns between two figures
SHORTEST_BAR = 8  # columns; a shorter one shows no difference worth seeing
LONGEST_BAR = 44
BAR_AFTER = 2  # the cell (approach, workers, time) that the bar stands after
CARDS_BELOW = 60  # columns, below which the figures of an approach do not fit on one line with its bar


class Sheet(Record):
    """A case on its way to the page.

    Attributes:
        canvas: what it is drawn on.
        case: the case.
    """

    canvas: Canvas
    case: Case

    @property
    def label_columns(self) -> int:
        """Columns that the longest label needs."""
        return max((self.canvas.text(row["label"]).cell_len for row in self.case["rows"]), default=0)

    @property
    def base(self) -> Row | None:
        """The plain run, if there is one."""
        return figures.baseline(self.case)

    @property
    def longest_s(self) -> float:
        """Seconds that the longest bar stands for."""
        return figures.slowest_s(self.case["rows"])

    def is_best(self, row: Row) -> bool:
        """Return whether a row is the recommended one."""
        choice = self.case["recommendation"]
        return choice is not None and choice["approach"] == row["label"]

    def label(self, row: Row) -> Text:
        """Return a row's label, marked where it is the recommended one."""
        mark = self.canvas.glyphs.mark if self.is_best(row) else " "
        style = BEST if self.is_best(row) else HEADING
        return self.canvas.line((f"{mark} {row['label']}", style))

    def tone(self, row: Row) -> str:
        """Return the colour of what became of a row's time."""
        outcome = figures.outcome(row, self.base)
        return {"gain": GOOD, "loss": BAD, "failed": BAD, "skipped": NOTE}.get(outcome, "")

    def gain_style(self, row: Row) -> str:
        """Return how a row's speed-up is set."""
        return BEST if self.is_best(row) else self.tone(row)

    def bar(self, row: Row, columns: int) -> Text:
        """Return a row's bar, or what happened instead of one."""
        if not figures.ran(row):
            return self.canvas.text(row["status"] if row["status"] != "ok" else "no time", self.tone(row))
        style = GOOD if self.is_best(row) else BAR
        return self.canvas.bar(row["wall_median_s"] or 0.0, figures.high(row), self.longest_s, columns, style)

    def figures(self, row: Row) -> dict[str, str]:
        """Return a row's figures beside its time, by their headings."""
        return {
            "predicted": numbers.seconds(row.get("predicted_s")),
            "speed-up": numbers.times(figures.speedup(row, self.base)),
            "efficiency": numbers.share(figures.efficiency(row, self.base)),
            "cores busy": numbers.cores(figures.busy_cores(row)),
            "start-up": numbers.seconds(row["startup_s"]),
            "memory": numbers.bytes_(row["peak_memory_bytes"]),
        }

    def headings(self) -> list[str]:
        """Return the headings under which any row has a figure; a column of dashes tells nothing."""
        rows = [self.figures(row) for row in self.case["rows"]]
        return [head for head in (rows[0] if rows else ()) if any(row[head] != numbers.NOTHING for row in rows)]


def case_block(case: Case, canvas: Canvas) -> Iterator[RenderableType]:
    """Give a case, from its heading to its recommendation, piece by piece.

    Args:
        case: an annotated case.
        canvas: what it is drawn on.

    Yields:
        What rich can print, one piece after another.
    """
    sheet = Sheet(canvas=canvas, case=case)
    yield canvas.rule(case["name"])
    if case["about"]:
        yield canvas.paragraph(canvas.text(case["about"]))
    yield canvas.flow(case_facts(case))
    yield canvas.text("")
    if canvas.width < CARDS_BELOW:
        yield from _cards(sheet)
    else:
        table = _table(sheet)
        yield from table if table is not None else _pairs(sheet)
        yield canvas.text("")
        yield from _verdicts(sheet)
    yield canvas.text("")
    if case["difference"] is not None:
        yield _difference_panel(case["difference"], difference_note(case), canvas)
    for note in other_notes(case):
        yield canvas.paragraph(canvas.text(note["text"]), canvas.line((f"{canvas.glyphs.alarm} ", NOTE)))
    if case["recommendation"] is not None:
        if case["difference"] is not None or case["notes"]:
            yield canvas.text("")
        yield _recommendation(case["recommendation"], canvas)
    if (foretold := advised(case)) is not None:
        yield canvas.paragraph(canvas.line((foretold[0], HEADING), f" {foretold[1]}"))


# ---- the three forms


def _table(sheet: Sheet) -> list[Text] | None:
    """Return the rows as one table, None where the canvas is too narrow for it."""
    canvas = sheet.canvas
    heads = ["  approach", "workers", "wall time", *sheet.headings()]
    rows = [
        [sheet.label(row), canvas.text(str(row["workers"])), _wall(sheet, row), *_figures(sheet, row)]
        for row in sheet.case["rows"]
    ]
    widths = [max([len(head), *(cells[at].cell_len for cells in rows)]) for at, head in enumerate(heads)]
    spare = canvas.width - sum(widths) - GAP * len(heads)
    if spare < SHORTEST_BAR:
        return None
    columns = min(spare, LONGEST_BAR)
    lines = [_joined(canvas, [canvas.text(head, QUIET) for head in heads], canvas.text(""), widths, columns)]
    for row, cells in zip(sheet.case["rows"], rows, strict=True):
        lines.append(_joined(canvas, cells, sheet.bar(row, columns), widths, columns))
        if what_was_run(row):
            lines.append(canvas.text(f"    {what_was_run(row)}", QUIET))
    return lines


def _wall(sheet: Sheet, row: Row) -> Text:
    walls = [wall_and_spread(other) for other in sheet.case["rows"]]
    median, spread = wall_and_spread(row)
    # The medians end in one column and the spreads begin in one, so that both can be read down.
    left, right = max(len(one) for one, _ in walls), max(len(two) for _, two in walls)
    return sheet.canvas.line((f"{median:>{left}}", HEADING), (f" {spread:<{right}}" if right else "", QUIET))


def _figures(sheet: Sheet, row: Row) -> list[Text]:
    shown = sheet.figures(row)
    return [
        sheet.canvas.text(shown[head], sheet.gain_style(row) if head == "speed-up" else "") for head in sheet.headings()
    ]


def _joined(canvas: Canvas, cells: Sequence[Text], bar: Text, widths: Sequence[int], bar_columns: int) -> Text:
    """Return the cells of one line: the first to the left, the others to the right, the bar after the time."""
    whole = canvas.text("")
    for at, (cell, width) in enumerate(zip(cells, widths, strict=True)):
        pad = " " * (width - cell.cell_len)
        if at:
            whole.append(" " * GAP + pad)
        whole.append_text(cell)
        whole.append("" if at else pad)
        if at == BAR_AFTER:
            whole.append(" " * GAP)
            whole.append_text(bar)
            whole.append(" " * (bar_columns - bar.cell_len))
    whole.rstrip()
    return whole


def _pairs(sheet: Sheet) -> Iterator[Text]:
    """Give two lines for each row: what is compared on the first, the rest on the second."""
    canvas = sheet.canvas
    rows = sheet.case["rows"]
    labels = sheet.label_columns + 2
    firsts = [(_wall(sheet, row), _gain(sheet, row)) for row in rows]
    walls = max((wall.cell_len for wall, _ in firsts), default=0)
    gains = max((gain.cell_len for _, gain in firsts), default=0)
    columns = min(LONGEST_BAR, canvas.width - labels - walls - gains - 3 * GAP)
    for row, (wall, gain) in zip(rows, firsts, strict=True):
        line = sheet.label(row)
        line.append(" " * (labels - line.cell_len + GAP + walls - wall.cell_len))
        line.append_text(wall)
        line.append(" " * GAP)
        if columns >= SHORTEST_BAR:
            line.append_text(sheet.bar(row, columns))
            line.append(" " * max(0, labels + walls + columns + 3 * GAP - line.cell_len))
        line.append(" " * (gains - gain.cell_len))
        line.append_text(gain)
        yield line
        yield canvas.flow(_minor_facts(sheet, row))


def _gain(sheet: Sheet, row: Row) -> Text:
    return sheet.canvas.text(sheet.figures(row)["speed-up"], sheet.gain_style(row))


def _cards(sheet: Sheet) -> Iterator[RenderableType]:
    """Give a card for each row, with its verdict."""
    canvas = sheet.canvas
    told: set[str] = set()
    for row in sheet.case["rows"]:
        line = sheet.label(row)
        line.append(" " * max(1, sheet.label_columns + 2 + GAP - line.cell_len))
        line.append_text(_wall(sheet, row))
        line.append(" " * GAP)
        line.append_text(_gain(sheet, row))
        if told:
            yield canvas.text("")
        yield line
        bar = canvas.line("  ").append_text(sheet.bar(row, canvas.width - 2))
        bar.rstrip()
        yield bar
        yield canvas.flow(_minor_facts(sheet, row))
        yield canvas.paragraph(_words(sheet, row, told))


def _minor_facts(sheet: Sheet, row: Row) -> list[str]:
    shown = {
        head: figure for head, figure in sheet.figures(row).items() if head != "speed-up" and figure != numbers.NOTHING
    }
    return [
        what_was_run(row),
        numbers.count(row["workers"], "worker"),
        *(f"{head} {figure}" for head, figure in shown.items()),
    ]


# ---- the words below the figures


def _verdicts(sheet: Sheet) -> Iterator[RenderableType]:
    told: set[str] = set()
    for row in sheet.case["rows"]:
        yield sheet.canvas.paragraph(_words(sheet, row, told), sheet.label(row), sheet.label_columns + 2 + GAP)


def _words(sheet: Sheet, row: Row, told: set[str]) -> Text:
    """Return a row's verdict, and what its approach is used for unless an earlier row of the same approach told it."""
    words = sheet.canvas.text(row["verdict"])
    if row["use_for"] and row["approach"] not in told:
        words.append_text(sheet.canvas.line((f" Used for {row['use_for']}.", QUIET)))
    told.add(row["approach"])
    return words


def _difference_panel(gap: Difference, note: str, canvas: Canvas) -> RenderableType:
    from rich import box
    from rich.panel import Panel

    lines = [
        canvas.text(note, HEADING),
        canvas.line((f"item {gap['item']} is ", QUIET), gap["item_repr"]),
        canvas.line((f"{gap['against']} gave ", QUIET), gap["expected"]),
        canvas.line((f"{gap['approach']} gave ", QUIET), gap["got"]),
    ]
    body = canvas.text("")
    for number, line in enumerate(part for whole in lines for part in wrapped(whole, canvas.prose - 4)):
        body.append("\n" if number else "")
        body.append_text(line)
    shape = box.HEAVY if canvas.glyphs is not ASCII else box.ASCII
    return Panel(
        body,
        title=canvas.text(" RESULTS DIFFER ", ALARM),
        border_style=ALARM,
        box=shape,
        width=canvas.prose,
        padding=(0, 1),
    )


def _recommendation(choice: Recommendation, canvas: Canvas) -> RenderableType:
    body = canvas.line((f"Use {choice['approach']}.", BEST), f" {choice['reason']}")
    return canvas.paragraph(body, canvas.line((f"{canvas.glyphs.mark} ", BEST)))
