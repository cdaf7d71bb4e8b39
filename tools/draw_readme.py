"""Draws what the README shows of a comparison, from the stored figures of one: two pictures and the marked tables.

    make compare ARGS="--json benchmarks/results/compare.json"    measures, best on a machine that does nothing else
    .venv/bin/python tools/draw_readme.py                         draws

So no figure of the README is typed by hand; `tests/docs/test_readme.py` fails when one was, or is out of date.
"""  # noqa: INP001 - a program, not a package

from __future__ import annotations

import sys
from pathlib import Path

from corewise._report import document as documents
from corewise._report.facts import LESSON_HEADS, machine_facts
from corewise._report.page.svg import to_svg
from corewise._types import numbers

TYPE_CHECKING = False
if TYPE_CHECKING:
    from corewise._types.comparison import Case, Document, Row

ROOT = Path(__file__).parents[1]
FIGURES = ROOT / "benchmarks/results/compare.json"
README = ROOT / "README.md"
PICTURES = ROOT / "docs/pictures"

BEGIN, END = "<!-- figures: begin -->", "<!-- figures: end -->"
BAR = r"\|"  # a bare one would end the cell
OTHERS = ("threads", "asyncio", "processes")


def pictures(document: Document) -> dict[str, Document]:
    """Return what each picture shows, by the picture's file name: the first case alone, and everything."""
    return {
        "compare.svg": {**document, "cases": document["cases"][:1], "lesson": []},
        "compare-all.svg": document,
    }


def block(document: Document) -> str:
    """Return what stands between the marks: the speed-up of every approach in every case, and the lesson of them."""
    gains = [["what is run", "plain loop", *OTHERS]]
    gains += [[_explained(case), *_gains(case)] for case in document["cases"]]
    lesson = [["", *LESSON_HEADS]]
    lesson += [
        [f"`{row['approach']}`", row["what_for"], row["speeds_up_computing"], row["when"]] for row in document["lesson"]
    ]
    origin = f"Measured by corewise {document['corewise']} on: {', '.join(machine_facts(document['machine']))}."
    return "\n\n".join([_table(gains), _table(lesson), origin])


def redrawn(page: str, document: Document) -> str:
    """Return a page with the block between its marks written anew.

    Raises:
        ValueError: when the page does not hold each of the two marks once, in this order, on lines of their own.
    """
    before, begin, rest = page.partition(f"{BEGIN}\n")
    _, end, after = rest.partition(f"\n{END}\n")
    if not (begin and end) or page.count(BEGIN) != 1 or page.count(END) != 1:
        raise ValueError(f"the page must hold {BEGIN} and {END} once each, on lines of their own")
    return f"{before}{begin}\n{block(document)}\n{end}{after}"


def _explained(case: Case) -> str:
    return f"**{case['name']}**: {case['about']}" if case["about"] else f"**{case['name']}**"


def _gains(case: Case) -> list[str]:
    """Return the plain loop's time, and the speed-up of every other approach at its best, with its workers."""
    plain = next((row for row in case["rows"] if row["approach"] == "sync"), None)
    return [numbers.seconds(plain["wall_median_s"] if plain else None), *(_gain(case, name) for name in OTHERS)]


def _gain(case: Case, approach: str) -> str:
    rows = [row for row in case["rows"] if row["approach"] == approach and row["speedup"] is not None]
    if not rows:
        return numbers.NOTHING
    best: Row = max(rows, key=lambda row: row["speedup"] or 0.0)
    workers = "" if best["runs"] == "function wrapped in a coroutine" else f" with {best['workers']}"
    return f"{numbers.times(best['speedup'])}{workers}"


def _table(rows: list[list[str]]) -> str:
    head, *body = [f"| {' | '.join(cell.replace('|', BAR) for cell in row)} |" for row in rows]
    return "\n".join([head, f"|{' --- |' * len(rows[0])}", *body])


def main() -> int:
    """Write the README's block and the pictures anew.

    Returns:
        The exit code, 0.
    """
    document = documents.load(FIGURES)
    texts = {README: redrawn(README.read_text("utf-8"), document)}
    texts |= {PICTURES / name: to_svg(shown) for name, shown in pictures(document).items()}
    PICTURES.mkdir(exist_ok=True)
    for file, text in texts.items():
        documents.write_text(text, file)
        print(f"wrote {file.relative_to(ROOT).as_posix()}")  # noqa: T201 - a program says what it did
    return 0


if __name__ == "__main__":
    sys.exit(main())
