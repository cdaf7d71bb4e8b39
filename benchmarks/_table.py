"""The table in the terminal: each row's figures as they come, and at the end what was reached."""

from __future__ import annotations

from _libraries import OURS
from _rows import ROWS, Row, judge, target_text

from corewise._machine.facts import machine_facts

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

_HEAD = ("work", OURS, "best peer", "ratio", "target", "")


def show_row(row: Row, figures: dict[str, dict[str, Any]]) -> None:
    """Print what every library did at a row: median, lowest and highest round."""
    print(f"\n{row.title} ({row.unit}; median, lowest to highest)")
    for library, one in figures.items():
        name = f"({library})" if library == row.limit else library
        if "missing" in one:
            print(f"  {name:22}{'–':>9}   {one['missing']}")
            continue
        low, high = (_shown(row, one[key]) for key in ("low", "high"))
        spread = f"{low} to {high}" if len(one["rounds"]) > 1 else "one round"
        note = _note(one["rounds"])
        print(f"  {name:22}{_shown(row, one['median']):>9}   {spread}{note}", flush=True)


def show_summary(rows: dict[str, Any]) -> None:
    """Print one line for each row: our figure, the best peer's, how many times better, what was to be reached."""
    lines = [_HEAD, *(_line(ROWS[name], one) for name, one in rows.items())]
    widths = [max(len(line[column]) for line in lines) for column in range(len(_HEAD))]
    facts = machine_facts()
    memory = (facts["memory_bytes"] or 0) / 1e9
    print(
        f"\n{facts['cpu']}, {facts['cores']} of {facts['logical_cores']} cores, {memory:.0f} GB, "
        f"{facts['system']} {facts['release']}, {facts['implementation']} {facts['python']}, "
        f"load {facts['load_average']}"
    )
    for line in lines:
        print("  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip())


def _line(row: Row, one: dict[str, Any]) -> tuple[str, ...]:
    figures = {
        library: series["median"]
        for library, series in one["figures"].items()
        if "median" in series and library != row.limit
    }
    verdict = judge(row, figures)
    ours = f"{_shown(row, figures[OURS])} {row.unit}" if OURS in figures else "–"
    best = f"{_shown(row, figures[verdict.best])} {row.unit} ({verdict.best})" if verdict.best else "–"
    ratio = f"{verdict.times:.2f} ×" if verdict.times is not None else "–"
    met = {True: "met", False: "NOT MET", None: ""}[verdict.met]
    partly = [
        f"{value:.2f} ×" for value, target in zip(verdict.reached, row.targets, strict=True) if value and target.whom
    ]
    if partly:
        met += f" ({', '.join(partly)})"
    if row.limit and OURS in figures and "median" in one["figures"].get(row.limit, {}):
        met += f"  [{row.limit} {_shown(row, one['figures'][row.limit]['median'])} {row.unit}]"
    return (row.title, ours, best, ratio, target_text(row), met)


def _shown(row: Row, figure: float) -> str:
    """Return a figure with three digits that count."""
    value = figure * row.scale
    digits = 0 if value >= 100 else 1 if value >= 10 else 2 if value >= 1 else 3  # noqa: PLR2004 - powers of ten
    return f"{value:.{digits}f}"


def _note(rounds: list[dict[str, Any]]) -> str:
    """Return what else there is to say of the rounds."""
    notes = []
    if "result_s" in rounds[0]:
        seconds = sorted(one["result_s"] for one in rounds)[len(rounds) // 2]
        notes.append(f"results after {seconds * 1e3:.1f} ms")
    if "items" in rounds[0]:
        notes.append(f"{rounds[0]['items']:,} items")
    if "in_order" in rounds[0]:
        notes.append(f"bound {sorted(one['bound_s'] for one in rounds)[len(rounds) // 2]:.2f} s")
    return f"   ({', '.join(notes)})" if notes else ""
