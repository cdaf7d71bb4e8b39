"""The comparison as one HTML page: no script, nothing loaded from anywhere, the same words as in the terminal."""

from __future__ import annotations

from html import escape

from corewise._report.facts import (
    LESSON_HEADS,
    advised,
    case_facts,
    difference_note,
    machine_facts,
    other_notes,
    wall_and_spread,
    what_was_run,
)
from corewise._report.glyphs import fit
from corewise._report.page.style import STYLE
from corewise._report.words import figures
from corewise._types import numbers

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from corewise._types.comparison import Case, Document, LessonRow, Row

BAR_UNITS = 100.0  # width of a bar's own coordinates: a hundredth of the picture

PICTURE = "picture"
HEADS = (
    "approach",
    "workers",
    "wall time",
    "predicted",
    PICTURE,
    "speed-up",
    "efficiency",
    "cores busy",
    "start-up",
    "memory",
)

# Nothing may be loaded or run, whatever a document smuggles in: a second lock behind the escaping.
_POLICY = "default-src 'none'; style-src 'unsafe-inline'"


def to_html(document: Document) -> str:
    """Return a comparison as a page that stands on its own.

    Args:
        document: the comparison; see `corewise._report.document`.

    Returns:
        A whole HTML document. Every text in it is escaped, whoever wrote it.
    """
    names = ", ".join(case["name"] for case in document["cases"])
    sections = [_case(case, number) for number, case in enumerate(document["cases"], 1)]
    lesson = _lesson(document["lesson"]) if document["lesson"] else ""
    day = document["created"][:16].replace("T", " ")
    return f"""<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="{_POLICY}">
<meta name="color-scheme" content="light dark">
<title>{_text(f"corewise: {names}" if names else "corewise")}</title>
<style>{STYLE}</style>
</head>
<body>
<main>
<header>
<h1>Which approach fits the work</h1>
{_facts(machine_facts(document["machine"]))}
</header>
{"".join(sections)}{lesson}<footer>
<p>Measured with corewise {_text(document["corewise"])} on {_text(day)} UTC. Times are medians of wall time, start-up
of workers included; the line across a bar reaches from the fastest round to the slowest.</p>
</footer>
</main>
</body>
</html>
"""


def _text(text: str) -> str:
    return escape(fit(text, "utf-8"), quote=True)


def _facts(facts: Iterable[str]) -> str:
    items = "".join(f"<li>{_text(fact)}</li>" for fact in facts if fact)
    return f'<ul class="facts">{items}</ul>'


def _case(case: Case, number: int) -> str:
    about = f"<p>{_text(case['about'])}</p>\n" if case["about"] else ""
    choice = case["recommendation"]
    use = ""
    if choice is not None:
        use = f'<p class="choice"><strong>Use {_text(choice["approach"])}.</strong> {_text(choice["reason"])}</p>\n'
    if (foretold := advised(case)) is not None:
        use += f"<p><strong>{_text(foretold[0])}</strong> {_text(foretold[1])}</p>\n"
    return (
        f'<section aria-labelledby="case-{number}">\n'
        f'<h2 id="case-{number}">{_text(case["name"])}</h2>\n'
        f"{about}{_facts(case_facts(case))}\n"
        f"{use}{_alarm(case)}{_table(case, number)}{_verdicts(case['rows'])}{_notes(case)}"
        "</section>\n"
    )


def _alarm(case: Case) -> str:
    gap = case["difference"]
    if gap is None:
        return ""
    pairs = (
        (f"item {gap['item']}", gap["item_repr"]),
        (f"{gap['against']} gave", gap["expected"]),
        (f"{gap['approach']} gave", gap["got"]),
    )
    listed = "".join(f"<dt>{_text(head)}</dt><dd><code>{_text(value)}</code></dd>" for head, value in pairs)
    note = _text(difference_note(case))
    return f'<div class="alarm" role="note"><h3>Results differ</h3><p>{note}</p><dl>{listed}</dl></div>\n'


def _table(case: Case, number: int) -> str:
    base = figures.baseline(case)
    longest_s = figures.slowest_s(case["rows"])
    head_cells = "".join(_head(head, "picture" if head == PICTURE else "") for head in HEADS)
    body = []
    for index, row in enumerate(case["rows"]):
        choice = case["recommendation"]
        best = choice is not None and choice["approach"] == row["label"]
        body.append(_row(row, base, _bar(row, longest_s, f"bar-{number}-{index}"), best=best))
    caption = f"{case['name']}: time and figures of each approach"
    # The roles repeat what the elements say, because a phone's layout takes that meaning from them.
    return (
        f'<table class="figures" role="table"><caption>{_text(caption)}</caption>\n'
        f'<thead role="rowgroup"><tr role="row">{head_cells}</tr></thead>\n'
        f'<tbody role="rowgroup">\n{"".join(body)}</tbody></table>\n'
    )


def _row(row: Row, base: Row | None, bar: str, *, best: bool) -> str:
    outcome = figures.outcome(row, base)
    mark = '<small class="mark">recommended</small>' if best else ""
    runs = f"<small>{_text(what_was_run(row))}</small>" if what_was_run(row) else ""
    wall, spread = wall_and_spread(row)
    cells = (
        ("workers", str(row["workers"]), ""),
        ("wall time", f"<span>{wall} <small>{spread}</small></span>", ""),
        ("predicted", _foretold(row), ""),
        (PICTURE, bar, "picture"),
        ("speed-up", numbers.times(figures.speedup(row, base)), outcome if outcome in ("gain", "loss") else ""),
        ("efficiency", numbers.share(figures.efficiency(row, base)), ""),
        ("cores busy", numbers.cores(figures.busy_cores(row)), ""),
        ("start-up", numbers.seconds(row["startup_s"]), ""),
        ("memory", numbers.bytes_(row["peak_memory_bytes"]), ""),
    )
    tds = "".join(_cell(*cell) for cell in cells)
    opening = '<tr class="best" role="row">' if best else '<tr role="row">'
    return f'{opening}<th scope="row" role="rowheader">{_text(row["label"])}{mark}{runs}</th>{tds}</tr>\n'


def _foretold(row: Row) -> str:
    one = row.get("predicted_s")
    if one is None:
        return numbers.NOTHING
    band = numbers.around(one, row.get("predicted_low_s"), row.get("predicted_high_s"))
    return f"<span>{numbers.seconds(one)} <small>{band}</small></span>"


def _head(head: str, name: str = "") -> str:
    of_class = f' class="{name}"' if name else ""
    return f'<th scope="col" role="columnheader"{of_class}>{head}</th>'


def _cell(head: str, content: str, name: str = "") -> str:
    """Return a cell that carries its heading with it, for the layout in which the heading's row is not seen."""
    of_class = f' class="{name}"' if name else ""
    return f'<td role="cell"{of_class} data-head="{head}">{content}</td>'


def _bar(row: Row, longest_s: float, name: str) -> str:
    if not figures.ran(row) or longest_s <= 0:
        return f'<span class="{_text(row["status"])}">{_text(row["status"])}</span>'

    def at(value_s: float) -> str:
        return f"{max(0.0, min(1.0, value_s / longest_s)) * BAR_UNITS:.2f}"

    median_s, low_s, high_s = row["wall_median_s"] or 0.0, figures.low(row), figures.high(row)
    spread = ""
    if len(row["wall_s"]) > 1:
        path = f"M{at(low_s)} 6H{at(high_s)}M{at(low_s)} 3V9M{at(high_s)} 3V9"
        spread = f'<path class="spread" vector-effect="non-scaling-stroke" d="{path}"/>'
    told = f"{numbers.seconds(median_s)}; rounds from {numbers.seconds(low_s)} to {numbers.seconds(high_s)}"
    return (
        '<svg class="bar" viewBox="0 0 100 12" preserveAspectRatio="none" role="img" '
        f'aria-labelledby="{name}-t {name}-d">'
        f'<title id="{name}-t">{_text(row["label"])}</title>'
        f'<desc id="{name}-d">{_text(told)}; a full bar is {_text(numbers.seconds(longest_s))}</desc>'
        '<rect class="track" x="0" y="1" width="100" height="10"/>'
        f'<rect class="median" x="0" y="1" width="{at(median_s)}" height="10"/>{spread}</svg>'
    )


def _verdicts(rows: Sequence[Row]) -> str:
    pairs = []
    told: set[str] = set()
    for row in rows:
        new = row["use_for"] and row["approach"] not in told
        use = f' <span class="use">Used for {_text(row["use_for"])}.</span>' if new else ""
        told.add(row["approach"])
        pairs.append(f"<dt>{_text(row['label'])}</dt><dd>{_text(row['verdict'])}{use}</dd>\n")
    return f'<dl class="verdicts">\n{"".join(pairs)}</dl>\n'


def _notes(case: Case) -> str:
    items = "".join(f"<li>{_text(note['text'])}</li>" for note in other_notes(case))
    return f'<ul class="notes">{items}</ul>\n' if items else ""


def _lesson(rows: Sequence[LessonRow]) -> str:
    body = []
    for row in rows:
        texts = (row["what_for"], row["speeds_up_computing"], row["when"])
        cells = "".join(_cell(head, _text(text)) for head, text in zip(LESSON_HEADS, texts, strict=True))
        body.append(f'<tr role="row"><th scope="row" role="rowheader">{_text(row["approach"])}</th>{cells}</tr>\n')
    head_cells = "".join(_head(head) for head in ("approach", *LESSON_HEADS))
    return (
        '<section aria-labelledby="lesson">\n<h2 id="lesson">What to use when</h2>\n'
        '<table class="lesson" role="table"><caption>What each approach is for, by the figures above</caption>\n'
        f'<thead role="rowgroup"><tr role="row">{head_cells}</tr></thead>\n'
        f'<tbody role="rowgroup">\n{"".join(body)}</tbody></table>\n'
        "</section>\n"
    )
