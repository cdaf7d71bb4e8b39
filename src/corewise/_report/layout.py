"""How a case is laid out in columns of letters: a table where there is room, two lines for an approach where there is less, a card
where there is little. All three show the same figures.
"""

from __future__ import annotations

from corewise._report import figures, numbers
from corewise._report.canvas import ALARM, BAD, BAR, BEST, GOOD, HEADING, NOTE, QUIET, Canvas
from corewise._types.record import Record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from rich.console import RenderableType
    from rich.text import Text

    from corewise._types.comparison import Case, Difference, Recommendation, Row

GAP = 2  # blank columns between two figures
SHORTEST_BAR = 10  # columns; a shorter one shows no difference worth seeing
LONGEST_BAR = 44
CARDS_BELOW = 60  # columns, below which the figures of an approach do not fit on one line with its bar

# (heading, what to show of a row) for everything but the approach, the time and the bar.
_FIGURES = (
    ("speed-up", lambda row: numbers.times(row["speedup"])),
    ("efficiency", lambda row: numbers.share(row["efficiency"])),
    ("cores busy", lambda row: numbers.cores(figures.busy_cores(row))),
    ("start-up", lambda row: numbers.seconds(row["startup_s"])),
    ("memory", lambda row: numbers.bytes_(row["peak_memory_bytes"])),
)


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
        return max((len(row["label"]) for row in self.case["rows"]), default=0)

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
        outcome = figures.outcome(row, figures.baseline(self.case))
        return {"gain": GOOD, "loss": BAD, "failed": BAD, "skipped": NOTE}.get(outcome, "")

    def bar(self, row: Row, columns: int) -> Text:
        """Return a row's bar, or what happened instead of one."""
        if not figures.ran(row):
            return self.canvas.text(row["status"] if row["status"] != "ok" else "no time", self.tone(row))
        style = GOOD if self.is_best(row) else BAR
        return self.canvas.bar(row["wall_median_s"] or 0.0, figures.high(row), self.longest_s, columns, style)

    def wall(self, row: Row) -> tuple[str, str]:
        """Return a row's median and its spread."""
        if not figures.ran(row):
            return numbers.NOTHING, ""
        spread = numbers.give_or_take(row["wall_median_s"], row["wall_low_s"], row["wall_high_s"])
        return numbers.seconds(row["wall_median_s"]), spread if len(row["wall_s"]) > 1 else ""


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
        yield canvas.indented(canvas.text(case["about"]))
    yield canvas.indented(canvas.flow(_facts(case), canvas.prose - 2))
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
        yield _difference_panel(case["difference"], canvas)
    for note in case["notes"]:
        if note["code"] != "different-results" or case["difference"] is None:
            yield canvas.beside(canvas.text(f"  {canvas.glyphs.alarm}", NOTE), canvas.text(note["text"]), 3)
    if case["recommendation"] is not None:
        yield _recommendation(case["recommendation"], canvas)


def _facts(case: Case) -> list[str]:
    share = "" if case["items_run"] == case["items"] else f"{case['items_run']:,} of "
    return [
        case["function"],
        f"async: {case['async_function']}" if case["async_function"] else "",
        f"{share}{numbers.count(case['items'], 'item')}",
        f"first item {case['first_item']}",
        numbers.count(case["rounds"], "round"),
        f"{numbers.seconds(case['spent_s'])} of {numbers.limit(case['budget_s'])} spent",
    ]


def what_was_run(row: Row) -> str:
    """Return what an approach ran, where that was not simply the function."""
    return "" if row["runs"] == "function" else row["runs"]


# ---- the three forms


def _table(sheet: Sheet) -> list[Text] | None:
    """Return the rows as one table, None where the canvas is too narrow for it."""
    canvas = sheet.canvas
    heads = ["  approach", "workers", "wall time", *(head for head, _ in _FIGURES)]
    rows = [[sheet.label(row), canvas.text(str(row["workers"])), *_figure_cells(sheet, row)] for row in sheet.case["rows"]]
    widths = [max([len(head), *(cells[at].cell_len for cells in rows)]) for at, head in enumerate(heads)]
    spare = canvas.width - sum(widths) - GAP * len(heads)
    if spare < SHORTEST_BAR:
        return None
    columns = min(spare, LONGEST_BAR)
    bars = [sheet.bar(row, columns) for row in sheet.case["rows"]]
    lines = [_joined(canvas, [canvas.text(head, QUIET) for head in heads], canvas.text(""), widths, columns)]
    for row, cells, bar in zip(sheet.case["rows"], rows, bars, strict=True):
        lines.append(_joined(canvas, cells, bar, widths, columns))
        if what_was_run(row):
            lines.append(canvas.text(f"    {what_was_run(row)}", QUIET))
    return lines


def _figure_cells(sheet: Sheet, row: Row) -> list[Text]:
    canvas = sheet.canvas
    median, spread = sheet.wall(row)
    walls = [sheet.wall(other) for other in sheet.case["rows"]]
    # The medians end in one column and the spreads begin in one, so that both can be read down.
    left, right = max(len(one) for one, _ in walls), max(len(two) for _, two in walls)
    wall = canvas.line((f"{median:>{left}}", HEADING), (f" {spread:<{right}}" if right else "", QUIET))
    best = BEST if sheet.is_best(row) else sheet.tone(row)
    cells = [canvas.text(show(row), best if head == "speed-up" else "") for head, show in _FIGURES]
    return [wall, *cells]


def _joined(canvas: Canvas, cells: Sequence[Text], bar: Text, widths: Sequence[int], bar_columns: int) -> Text:
    """Return the cells of one line: the first to the left, the others to the right, the bar after the time."""
    whole = canvas.text("")
    for at, (cell, width) in enumerate(zip(cells, widths, strict=True)):
        pad = " " * (width - cell.cell_len)
        if at:
            whole.append(" " * GAP + pad)
        whole.append_text(cell)
        whole.append("" if at else pad)
        if at == 2:
            whole.append(" " * GAP)
            whole.append_text(bar)
            whole.append(" " * (bar_columns - bar.cell_len))
    whole.rstrip()
    return whole


def _pairs(sheet: Sheet) -> Iterator[Text]:
    """Give two lines for each row: what is compared on the first, the rest on the second."""
    canvas = sheet.canvas
    rows = sheet.case["rows"]
    firsts = [_figure_cells(sheet, row)[:2] for row in rows]
    walls, gains = (max(cells[at].cell_len for cells in firsts) for at in (0, 1)) if rows else (0, 0)
    labels = sheet.label_columns + 2
    columns = min(LONGEST_BAR, canvas.width - labels - walls - gains - 3 * GAP)
    for row, (wall, gain) in zip(rows, firsts, strict=True):
        line = sheet.label(row)
        line.append(" " * (labels - line.cell_len + GAP + walls - wall.cell_len))
        line.append_text(wall)
        line.append(" " * GAP)
        if columns >= SHORTEST_BAR:
            bar = sheet.bar(row, columns)
            line.append_text(bar)
            line.append(" " * (columns - bar.cell_len + GAP))
        line.append(" " * (gains - gain.cell_len))
        line.append_text(gain)
        yield line
        facts = canvas.flow(_minor_facts(row), canvas.width - 4)
        for part in facts.split():
            yield canvas.line("    ").append_text(part)


def _cards(sheet: Sheet) -> Iterator[RenderableType]:
    """Give a card for each row, with its verdict."""
    canvas = sheet.canvas
    for number, row in enumerate(sheet.case["rows"]):
        if number:
            yield canvas.text("")
        wall, gain = _figure_cells(sheet, row)[:2]
        line = sheet.label(row)
        line.append(" " * max(1, sheet.label_columns + 2 + GAP - line.cell_len))
        line.append_text(wall)
        line.append(" " * GAP)
        line.append_text(gain)
        yield line
        yield canvas.indented(sheet.bar(row, max(SHORTEST_BAR, canvas.width - 2)))
        yield canvas.indented(canvas.flow(_minor_facts(row), canvas.width - 2))
        yield canvas.indented(canvas.text(row["verdict"]))
        if row["use_for"]:
            yield canvas.indented(canvas.text(f"used for {row['use_for']}", QUIET))


def _minor_facts(row: Row) -> list[str]:
    facts = [what_was_run(row), numbers.count(row["workers"], "worker")]
    if row["efficiency"] is not None:
        facts.append(f"efficiency {numbers.share(row['efficiency'])}")
    if figures.busy_cores(row) is not None:
        facts.append(f"cores busy {numbers.cores(figures.busy_cores(row))}")
    if row["startup_s"] is not None:
        facts.append(f"start-up {numbers.seconds(row['startup_s'])}")
    if row["peak_memory_bytes"] is not None:
        facts.append(f"memory {numbers.bytes_(row['peak_memory_bytes'])}")
    return facts


# ---- the words below the figures


def _verdicts(sheet: Sheet) -> Iterator[RenderableType]:
    canvas = sheet.canvas
    for row in sheet.case["rows"]:
        body = canvas.text(row["verdict"])
        if row["use_for"]:
            body.append("\n")
            body.append_text(canvas.text(f"used for {row['use_for']}", QUIET))
        yield canvas.beside(sheet.label(row), body, sheet.label_columns + 2)


def _difference_panel(gap: Difference, canvas: Canvas) -> RenderableType:
    from rich import box
    from rich.panel import Panel

    body = canvas.line(
        (f"{gap['approach']} and {gap['against']} returned different results. ", HEADING),
        f"The first that differs is item {gap['item']}, {gap['item_repr']}:\n",
        f"{gap['against']} returned {gap['expected']}\n",
        f"{gap['approach']} returned {gap['got']}",
    )
    shape = box.HEAVY if canvas.glyphs.whisker == "─" else box.ASCII
    return Panel(body, title=canvas.text("RESULTS DIFFER", ALARM), border_style=ALARM, box=shape, width=canvas.prose, padding=(0, 1))


def _recommendation(choice: Recommendation, canvas: Canvas) -> RenderableType:
    body = canvas.line((f"Use {choice['approach']}", BEST), f": {choice['reason']}")
    return canvas.beside(canvas.text(canvas.glyphs.mark, BEST), body, 1)
