"""The progress of a comparison, in a real terminal and in a pipe."""

from __future__ import annotations

import io
import re
import sys

import pytest

from corewise._report.live import trials
from corewise._types.events import Trial
from report.screen import in_pipe, in_terminal, seen

IN_TERMINALS = pytest.mark.skipif(sys.platform == "win32", reason="there are no pseudo-terminals")

EVENTS = """
import sys
from corewise._report.live.trials import live
from corewise._types.events import Trial

def at(kind, **more):
    return Trial(kind=kind, case="sum of squares", budget_s=30.0, **more)
"""


def plain(*events: Trial) -> list[str]:
    """Return the lines that events make in a stream that is no terminal."""
    out = io.StringIO()
    with trials.live(out) as observer:
        for one in events:
            observer(one)
    return out.getvalue().splitlines()


def test_each_finished_trial_has_a_plain_line() -> None:
    """With case, approach, round and time; waiting and starting have none."""
    about = {"case": "squares", "approach": "processes:2"}
    lines = plain(
        Trial(kind="case", case="squares"),
        Trial(kind="warm-up", case="squares"),
        Trial(kind="started", round=2, rounds=5, **about),  # type: ignore[arg-type]
        Trial(kind="waiting", round=2, rounds=5, elapsed_s=1.0, **about),  # type: ignore[arg-type]
        Trial(kind="finished", round=2, rounds=5, wall_s=1.02, **about),  # type: ignore[arg-type]
        Trial(kind="finished", round=3, wall_s=None, **about),  # type: ignore[arg-type]
        Trial(kind="finished", round=4, rounds=3, wall_s=1.0, **about),  # type: ignore[arg-type]
        Trial(kind="end", case="squares", elapsed_s=21.3),
    )
    assert lines == [
        "corewise: squares: begins",
        "corewise: squares: processes:2, round 2 of 5: 1.02 s",
        "corewise: squares: processes:2, round 3: failed",
        "corewise: squares: processes:2, round 4 of 4: 1.00 s",
        "corewise: squares: done, 21.3 s in all",
    ]


def test_nothing_is_written_after_close() -> None:
    """Events that come late are not shown."""
    out = io.StringIO()
    observer = trials.live(out)
    observer.close()
    observer.close()
    observer(Trial(kind="case", case="squares"))
    assert out.getvalue() == ""


def test_a_pipe_gets_plain_lines_without_loading_rich() -> None:
    """On standard error, without an escape sequence, and rich is not imported for it."""
    program = f"""{EVENTS}
with live() as observer:
    observer(at("case"))
    observer(at("finished", approach="threads", round=1, rounds=1, wall_s=0.0021))
assert "rich" not in sys.modules
"""
    lines = in_pipe(program, {"PYTHONIOENCODING": "ascii"}).splitlines()
    assert lines == ["corewise: sum of squares: begins", "corewise: sum of squares: threads, round 1 of 1: 2.1 ms"]


ONE_CASE = f"""{EVENTS}
with live() as observer:
    observer(at("case"))
    observer(at("warm-up"))
    observer(at("started", approach="threads", round=2, rounds=5, elapsed_s=7.0))
    observer(at("waiting", approach="threads", round=2, rounds=5, elapsed_s=8.2))
    observer(at("finished", approach="threads", round=2, rounds=5, elapsed_s=9.0, wall_s=2.01))
    observer(at("end", elapsed_s=9.0))
    print("the table")
"""


@IN_TERMINALS
@pytest.mark.parametrize("columns", [24, 40, 80, 160])
def test_a_terminal_gets_one_line_that_goes_away(columns: int) -> None:
    """It tells case, approach, round and clock while it runs; what is printed afterwards begins on a clean line."""
    written = in_terminal(ONE_CASE, columns)
    assert seen(written) == ["the table", ""]
    drawn = [seen(part)[0] for part in written.split("\r\x1b[2K")[1:-1]]
    assert all(len(one) < columns for one in drawn)
    if columns >= 80:
        assert drawn[0] == "sum of squares"
        assert drawn[1].startswith("sum of squares  first call, not timed")
        assert re.fullmatch(r"sum of squares  threads  round 2 of 5  ━[━╸╺]+  8 s of 30 s", drawn[3])
        assert "2.01 s" in drawn[4]
    if columns >= 40:
        assert drawn[3].endswith("8 s of 30 s")


@IN_TERMINALS
def test_the_clock_ticks_with_each_event() -> None:
    """A trial that goes on for long shows that it does."""
    written = in_terminal(ONE_CASE, 80)
    assert re.findall(r"\d+ s of 30 s", written) == [f"{n} s of 30 s" for n in (0, 7, 8, 9)]


@IN_TERMINALS
def test_an_exception_takes_the_line_away() -> None:
    """A traceback begins where the line stood."""
    program = f"""{EVENTS}
with live() as observer:
    observer(at("started", approach="threads", round=1, rounds=5))
    raise KeyError("x")
"""
    lines = seen(in_terminal(program))
    assert lines[0].startswith("Traceback")
    assert lines[-2] == "KeyError: 'x'"
