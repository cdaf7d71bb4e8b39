"""The progress of a run, in a real terminal and in a pipe."""

from __future__ import annotations

import io
import re
import sys
from pathlib import Path

import pytest

from corewise._report.live import progress
from corewise._types.events import Progress
from report.screen import in_pipe, in_terminal, seen

IN_TERMINALS = pytest.mark.skipif(sys.platform == "win32", reason="there are no pseudo-terminals")

# What every program below begins with: an event after so many items, at 40 items a second.
EVENTS = """
import sys, threading
from corewise._report.live.progress import bar
from corewise._types.events import Progress

def at(kind, done, total=400, failed=0):
    left = None if total is None or not done else (total - done) / 40
    return Progress(kind=kind, approach="processes", workers=2, done=done, failed=failed, total=total,
                    elapsed_s=done / 40, rate_per_s=40.0 if done else None, remaining_s=left)
"""


def event(
    kind: str, done: int, *, total: int | None = 400, failed: int = 0, elapsed_s: float | None = None
) -> Progress:
    """Return an event after so many items, at 40 items a second."""
    return Progress(
        kind=kind,
        approach="threads",
        workers=8,
        done=done,
        failed=failed,
        total=total,
        elapsed_s=done / 40 if elapsed_s is None else elapsed_s,
        rate_per_s=40.0 if done else None,
        remaining_s=None if total is None or not done else (total - done) / 40,
    )


def plain(*events: Progress) -> list[str]:
    """Return the lines that events make in a stream that is no terminal."""
    out = io.StringIO()
    with progress.bar("corewise", out) as observer:
        for one in events:
            observer(one)
    return out.getvalue().splitlines()


def test_plain_lines_are_few() -> None:
    """One at the start, one at the end, and in between at most one every few seconds, however many events come."""
    steps = [event("advanced", done) for done in range(4, 400, 4)]
    lines = plain(event("started", 0), *steps, event("finished", 400))
    assert lines == [
        "corewise: 0/400 done, threads with 8 workers",
        "corewise: 200/400 done, 40.0/s, 5 s left",
        "corewise: 400/400 done, 40.0/s, 10.0 s in all",
    ]


def test_failures_are_counted() -> None:
    """As soon as there is one, and at the end."""
    lines = plain(event("started", 0), event("advanced", 240, failed=2), event("finished", 400, failed=1200))
    assert lines[1] == "corewise: 240/400 done, 40.0/s, 4 s left, 2 failed"
    assert lines[2].endswith(", 1,200 failed")


def test_an_unknown_total_is_not_guessed() -> None:
    """What is done is counted, and the time so far stands for the time left."""
    lines = plain(
        event("started", 0, total=None), event("advanced", 240, total=None), event("finished", 300, total=None)
    )
    assert lines == [
        "corewise: 0 done, threads with 8 workers",
        "corewise: 240 done, 40.0/s, 6 s so far",
        "corewise: 300 done, 40.0/s, 7.50 s in all",
    ]


def test_a_run_that_ends_early_tells_how_far_it_came() -> None:
    """The last event counts, also when not all is done."""
    assert plain(event("started", 0), event("finished", 3, failed=1))[-1].startswith("corewise: 3/400 done")


def test_nothing_is_written_after_the_end() -> None:
    """Neither after `close` nor after the event that ends the run."""
    out = io.StringIO()
    observer = progress.bar("corewise", out)
    observer(event("finished", 400))
    written = out.getvalue()
    observer(event("advanced", 400, elapsed_s=60.0))
    observer.close()
    observer.close()
    observer(event("finished", 400))
    assert out.getvalue() == written


class Gone(io.StringIO):
    """A stream whose reader went away."""

    def write(self, _: str) -> int:
        """Fail as a closed pipe does."""
        raise BrokenPipeError


def test_a_stream_that_cannot_be_written_ends_nothing() -> None:
    """The work goes on although nobody can see it: a closed pipe, and a file that is open for reading only."""
    with Path(__file__).open(encoding="utf-8") as unwritable:
        for file in (Gone(), unwritable):
            with progress.bar("corewise", file) as observer:
                observer(event("started", 0))
                observer(event("finished", 400))


def test_a_poor_stream_gets_what_it_can_carry() -> None:
    """A description with letters that the stream lacks does not break the run."""
    raw = io.BytesIO()
    out = io.TextIOWrapper(raw, encoding="ascii", write_through=True)
    progress.bar("naïve", out)(event("started", 0))
    assert raw.getvalue().startswith(b"na\\xefve: 0/400 done")


def test_a_program_without_standard_error_is_served_silently(monkeypatch: pytest.MonkeyPatch) -> None:
    """As on Windows without a console, where there is none."""
    monkeypatch.setattr(sys, "stderr", None)
    with progress.bar() as observer:
        observer(event("started", 0))
        observer(event("finished", 400))


def test_a_pipe_gets_plain_lines_without_loading_rich() -> None:
    """On standard error, without an escape sequence, and rich is not imported for it."""
    program = f"""{EVENTS}
with bar() as observer:
    observer(at("started", 0))
    observer(at("finished", 400))
assert "rich" not in sys.modules
"""
    assert in_pipe(program).splitlines() == [
        "corewise: 0/400 done, processes with 2 workers",
        "corewise: 400/400 done, 40.0/s, 10.0 s in all",
    ]


@IN_TERMINALS
@pytest.mark.parametrize("columns", [30, 40, 80, 160])
def test_a_terminal_gets_one_line_that_is_drawn_over(columns: int) -> None:
    """At the end one line stands, with the bar if there is room; the cursor was never hidden, no line wrapped."""
    program = f"""{EVENTS}
with bar() as observer:
    observer(at("started", 0))
    for done in range(40, 400, 40):
        observer(at("advanced", done))
    observer(at("finished", 400, failed=3))
print("after")
"""
    written = in_terminal(program, columns)
    lines = seen(written)
    assert lines[-2:] == ["after", ""]
    assert len(lines) == 3
    assert len(lines[0]) < columns
    assert lines[0].startswith("corewise")
    if columns >= 80:
        assert re.fullmatch(r"corewise ━+ 400/400 done  40.0/s  10.0 s in all  3 failed", lines[0])
    assert written.count("\r\x1b[2K") == 11


@IN_TERMINALS
def test_the_bar_grows_with_what_is_done() -> None:
    """A quarter, a half, the whole; the time left falls."""
    program = f"""{EVENTS}
observer = bar()
for done in (100, 200, 400):
    observer(at("advanced", done))
"""
    drawn = [seen(part)[0] for part in in_terminal(program, 100, {"NO_COLOR": "1"}).split("\r\x1b[2K")[1:]]
    full = drawn[2].count("━")
    assert [round(one.count("━") / full, 1) for one in drawn] == [0.2, 0.5, 1.0]
    assert ["8 s left" in drawn[0], "5 s left" in drawn[1], "0 s left" in drawn[2]] == [True] * 3


@IN_TERMINALS
def test_an_unknown_total_has_a_bar_too() -> None:
    """It moves without filling, and is full at the end."""
    program = f"""{EVENTS}
with bar() as observer:
    observer(at("started", 0, total=None))
    observer(at("advanced", 120, total=None))
    observer(at("finished", 300, total=None))
"""
    lines = seen(in_terminal(program))
    assert re.fullmatch(r"corewise ━+ 300 done  40.0/s  7.50 s in all", lines[0])


@IN_TERMINALS
def test_an_exception_leaves_a_sane_terminal() -> None:
    """The bar stays where it was, the traceback begins on a line of its own, the cursor was never hidden."""
    program = f"""{EVENTS}
with bar() as observer:
    observer(at("advanced", 120))
    raise KeyError("item 121")
"""
    lines = seen(in_terminal(program))
    assert "120/400 done" in lines[0]
    assert lines[1].startswith("Traceback")
    assert lines[-2] == "KeyError: 'item 121'"


@IN_TERMINALS
def test_no_thread_is_started() -> None:
    """A second thread would make starting workers by fork unsafe."""
    program = f"""{EVENTS}
with bar() as observer:
    observer(at("started", 0))
    observer(at("advanced", 120))
    print(f"\\n{{threading.active_count()}} thread")
    observer(at("finished", 400))
"""
    assert "1 thread" in seen(in_terminal(program))


@IN_TERMINALS
@pytest.mark.parametrize(
    "env", [{"TERM": "dumb"}, {"PYTHONIOENCODING": "ascii"}, {"NO_COLOR": "1"}], ids=["dumb", "ascii", "no colour"]
)
def test_poor_terminals_get_what_they_can_show(env: dict[str, str]) -> None:
    """A dumb one plain lines, one without Unicode a bar of dashes, one without colours no colours."""
    program = f"""{EVENTS}
with bar() as observer:
    observer(at("started", 0))
    observer(at("finished", 400))
"""
    written = in_terminal(program, 80, env)
    if "TERM" in env:
        assert "\x1b" not in written
        assert seen(written)[1] == "corewise: 400/400 done, 40.0/s, 10.0 s in all"
    elif "NO_COLOR" in env:
        assert not re.search(r"\x1b\[[0-9;]*3[0-9]", written)
    else:
        assert written.isascii()
        assert re.fullmatch(r"corewise -+ 400/400 done  40.0/s  10.0 s in all", seen(written)[0])


@IN_TERMINALS
def test_a_terminal_that_goes_away_ends_nothing() -> None:
    """Its window was closed in mid-run: the next drawing fails, is swallowed, and the work goes on."""
    program = f"""{EVENTS}
import os, pty
ours, theirs = pty.openpty()
terminal = open(theirs, "w", encoding="utf-8")
with bar(file=terminal) as observer:
    observer(at("started", 0))
    os.close(ours)
    observer(at("advanced", 120))
    observer(at("finished", 400))
sys.stderr.write("survived")
sys.stderr.flush()
os._exit(0)  # closing the terminal's file would tell of its end once more
"""
    assert in_pipe(program) == "survived"
