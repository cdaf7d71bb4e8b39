"""The table of the suite in the terminal: a line for each work as it comes, and at the end what was reached."""

from __future__ import annotations

import _choice_regret as regret

from corewise._types import numbers

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

_WIDTHS = (18, 9, 27, 9, 9, 18, 7, 0)
HEAD = ("work", "items", "best fixed choice", "its time", "auto", "auto chose", "regret", "predicted, happened")


def line(cells: tuple[str, ...]) -> str:
    """Return one line of the table."""
    return "  ".join(cell.ljust(width) for cell, width in zip(cells, _WIDTHS, strict=True)).rstrip()


def work_line(name: str, row: dict[str, Any]) -> str:
    """Return the line of one work.

    Args:
        name: of the work.
        row: its part of the document.
    """
    verdict, auto = row["verdict"], row["auto"]
    times = f"{verdict['regret']:.2f}" if verdict["regret"] is not None else numbers.NOTHING
    if "missing" in auto:
        times, chose, foreseen = numbers.NOTHING, "failed", auto["missing"]
    else:
        chose = " / ".join(dict.fromkeys(auto["chose"]))
        foreseen = _foreseen(auto, verdict["off"])
        if not auto["right"]:
            times, foreseen = "WRONG", "its outcome is not the plain loop's"
    return line(
        (
            name,
            f"{row['items']:,}" if row["items"] else numbers.NOTHING,
            verdict["best"] or numbers.NOTHING,
            numbers.seconds(verdict["best_s"]),
            numbers.seconds(verdict["auto_s"]),
            chose,
            times,
            foreseen,
        )
    )


def _foreseen(auto: dict[str, Any], off: float | None) -> str:
    if off is None:
        return "no prediction"
    said, took = (numbers.seconds(auto[key]) for key in ("predicted_s", "happened_s"))
    return f"{said}, {took} ({off:+.0%})"


def tiny_line(name: str, row: dict[str, Any]) -> str:
    """Return the line of one tiny work."""
    plain_s, auto_s = row["plain_s"], row["auto_s"]
    allowed_s = regret.TINY_TIMES * plain_s + regret.TINY_FIXED_S
    verdict = "met" if row["met"] else "NOT MET"
    return (
        f"{name:18}  plain loop {numbers.seconds(plain_s):>8}, auto {numbers.seconds(auto_s):>8}, allowed "
        f"{numbers.seconds(allowed_s):>8}: {verdict} (first call {numbers.seconds(row['first_s'])}, import "
        f"{numbers.seconds(row['import_s'])})"
    )


def summary_lines(document: dict[str, Any]) -> list[str]:
    """Return what the whole says."""
    summary, lines = document["summary"], []
    if document["left_out"]:
        lines.append(f"left out, as the budget was spent: {', '.join(document['left_out'])}")
    if document["wrong"]:
        lines.append(f"WRONG outcomes by auto: {', '.join(document['wrong'])}")
    if document["failed"]:
        lines.append(f"auto failed at: {', '.join(document['failed'])}")
    if summary["mean"] is None:
        return lines
    lines.append(
        f"regret of {numbers.count(summary['works'], 'work')}: geometric mean {summary['mean']:.3f} "
        f"({summary['floored_mean']:.3f} with nothing below 1), to be at most {regret.MEAN_AT_MOST:.2f}; worst "
        f"{summary['worst']}, {document['works'][summary['worst']]['verdict']['regret']:.2f}, to be at most "
        f"{regret.WORST_AT_MOST}"
    )
    if summary["above"]:
        lines.append(f"above {regret.WORST_AT_MOST}: {', '.join(summary['above'])}")
    lines.append(
        f"predictions within {regret.PREDICTED_WITHIN:.0%}: {summary['near']} of {summary['predictions']}, to be "
        f"{regret.PREDICTED_SHARE:.0%}"
        if summary["predictions"]
        else "predictions: none"
    )
    lines.append("met" if summary["met"] else "NOT MET")
    return lines
