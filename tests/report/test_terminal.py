"""The picture in a terminal: every figure at every width, no line too long, nothing that the stream cannot carry."""

from __future__ import annotations

import io
import re
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rich.cells import cell_len

from corewise._report import document as documents
from corewise._report.page.html import to_html
from corewise._report.terminal import show as terminal
from corewise._report.words import figures
from corewise._types import numbers
from report import made_up, samples

if TYPE_CHECKING:
    from corewise._types.comparison import Case, Document, Row

WIDTHS = (40, 60, 80, 100, 160)


def drawn(document: Document, width: int, encoding: str = "utf-8") -> str:
    """Return what is drawn into a stream of an encoding."""
    raw = io.BytesIO()
    stream = io.TextIOWrapper(raw, encoding=encoding, write_through=True, newline="")
    terminal.show(document, file=stream, width=width)
    return raw.getvalue().decode(encoding)


def flat(text: str) -> str:
    """Return a text without its line breaks and other layout."""
    return " ".join(text.split())


@pytest.mark.parametrize("width", WIDTHS)
def test_no_line_is_longer_than_the_width(width: int) -> None:
    """At any width, and none ends in blanks."""
    lines = drawn(samples.sample(), width).splitlines()
    assert max(cell_len(line) for line in lines) <= width
    assert [line for line in lines if line != line.rstrip()] == []


@pytest.mark.parametrize("width", WIDTHS)
def test_every_figure_is_there(width: int) -> None:
    """Time, workers, gain, efficiency, cores, start-up and memory of every approach, at any width."""
    stored = samples.sample([samples.holding_the_gil()])
    text = flat(drawn(stored, width))
    base = figures.baseline(stored["cases"][0])
    for row in stored["cases"][0]["rows"]:
        place = text.index(f"{row['label']} ")
        shown = text[place:]
        for figure in (
            numbers.seconds(row["wall_median_s"]),
            numbers.around(row["wall_median_s"], row["wall_low_s"], row["wall_high_s"]),
            numbers.times(row["speedup"]),
            numbers.share(figures.efficiency(row, base)),
            numbers.cores(row["cores_busy"]),
            numbers.bytes_(row["peak_memory_bytes"]),
            str(row["workers"]),
        ):
            assert figure in shown, (row["label"], figure)
        if row["startup_s"] is not None:
            assert numbers.seconds(row["startup_s"]) in shown
    assert "function wrapped in a coroutine" in text


@pytest.mark.parametrize("width", WIDTHS)
def test_every_word_is_there(width: int) -> None:
    """Verdicts, uses, notes, the difference, the recommendation and the lesson, at any width."""
    stored = samples.sample()
    lines = [line.strip("┃ ") for line in drawn(stored, width).splitlines()]
    text = flat(" ".join(lines))
    for case in stored["cases"]:
        for row in case["rows"]:
            assert flat(row["verdict"]) in text
            assert flat(f"Used for {row['use_for']}.") in text
        for note in case["notes"]:
            assert flat(note["text"]) in text
        assert case["recommendation"] is not None
        assert flat(f"Use {case['recommendation']['approach']}. {case['recommendation']['reason']}") in text
    assert "RESULTS DIFFER" in text
    for wanted in ("item 7 is '<script>alert(1)</script>'", "sync gave 7", "threads gave 8"):
        assert wanted in text
    if width < terminal.LESSON_TABLE_FROM:
        for taught in stored["lesson"]:
            assert flat(taught["when"]) in text


def test_the_lesson_is_a_table_where_there_is_room() -> None:
    """Its four columns stand beside one another, each wrapped to its own width."""
    stored = samples.sample()
    lines = drawn(stored, 120).partition("What to use when")[2].splitlines()
    head = next(line for line in lines if "approach" in line)
    starts = [head.index(word) for word in ("approach", "what it is for", "does it speed up", "use it when")]
    for taught in stored["lesson"]:
        at = next(number for number, line in enumerate(lines) if line.startswith(f"  {taught['approach']} "))
        block = [line for line in lines[at:] if line]
        block = block[: next((n for n, line in enumerate(block[1:], 1) if not line.startswith("     ")), len(block))]
        cells = [
            " ".join(line[start:end].strip() for line in block)
            for start, end in zip(starts, [*starts[1:], None], strict=True)
        ]
        words = [taught["approach"], taught["what_for"], taught["speeds_up_computing"], taught["when"]]
        assert [flat(cell) for cell in cells] == words


def test_the_form_follows_the_room() -> None:
    """A table in wide terminals, two lines for each approach in middling ones, cards in narrow ones."""
    stored = samples.sample([samples.holding_the_gil()])
    assert re.search(r"approach +workers +wall time +speed-up +efficiency", drawn(stored, 120))
    assert re.search(r"threads +2.04 s 2.02–2.06 +█+[^ █]? +0.99×\n +4 workers · efficiency 49 %", drawn(stored, 80))
    assert re.search(r"threads +2.04 s 2.02–2.06 +0.99×\n +█+.?\n +4 workers", drawn(stored, 40))


def test_a_number_is_not_parted_from_its_unit() -> None:
    """No line of prose begins with a unit."""
    for width in range(40, 120, 7):
        lines = [line.strip() for line in drawn(samples.sample(), width).splitlines()]
        assert [line for line in lines if re.match(r"(ms|s|µs|%|MB)( |$)", line)] == []


def test_the_recommended_row_is_marked_without_colour() -> None:
    """The mark stands before one row of the table, before its verdict and before the recommendation."""
    text = drawn(samples.sample([samples.holding_the_gil()]), 120)
    marked = [line for line in text.splitlines() if line.startswith("►")]
    assert [line[2:13] for line in marked] == ["processes:2", "processes:2", "Use process"]
    assert "\x1b" not in text


@pytest.mark.parametrize("encoding", ["ascii", "latin-1", "cp437", "cp1252"])
@pytest.mark.parametrize("width", [40, 80, 120])
def test_a_poor_stream_gets_what_it_can_carry(encoding: str, width: int) -> None:
    """Nothing raises and no line grows too long, although some signs need more letters there."""
    text = drawn(samples.sample(), width, encoding)
    assert max(map(len, text.splitlines())) <= width
    assert "processes:2" in text
    assert "1.97" in text


def test_ascii_spells_our_own_signs() -> None:
    """Micro, times and dashes are respelled, bars are drawn with number signs, other letters become escapes."""
    stored = samples.sample([{**samples.holding_the_gil(), "name": "naïve 名"}])
    text = drawn(stored, 120, "ascii")
    assert "400 us" in text
    assert "0.99x" in text
    assert re.search(r"2.01 s 1.99-2.03  #+", text)
    assert text.splitlines()[3].startswith("na\\xefve \\u540d ---")
    assert any(line.startswith("> processes:2") for line in text.splitlines())


def test_a_document_cannot_steer_the_terminal() -> None:
    """Escape sequences, markup and line breaks in somebody's texts come out as plain letters."""
    evil = {**samples.holding_the_gil(), "name": "\x1b[2Jgone\x07\n[red]", "first_item": "[bold]'x'[/bold]\u202e"}
    text = drawn(samples.sample([evil]), 120)  # type: ignore[list-item]
    assert "\x1b" not in text
    assert "\\x1b[2Jgone\\x07 [red]" in text
    assert "[bold]'x'[/bold]\\u202e" in text


def test_wide_letters_are_counted_as_they_are_shown() -> None:
    """A name of letters that take two columns each does not push a line over the edge."""
    wide = {**samples.holding_the_gil(), "name": "計算" * 12, "about": "二乗の和を計算する。" * 10}
    for width in (40, 80, 120):
        lines = drawn(samples.sample([wide]), width).splitlines()  # type: ignore[list-item]
        assert max(cell_len(line) for line in lines) <= width


def test_colours_are_for_terminals_only(monkeypatch: pytest.MonkeyPatch) -> None:
    """A pipe gets none; FORCE_COLOR gives them, and NO_COLOR takes the colours away again."""
    for name in ("NO_COLOR", "FORCE_COLOR", "TERM", "COLORTERM"):
        monkeypatch.delenv(name, raising=False)
    assert "\x1b" not in drawn(samples.sample(), 80)
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("TERM", "xterm-256color")
    assert "\x1b[1;32m" in drawn(samples.sample(), 80)
    monkeypatch.setenv("NO_COLOR", "1")
    assert not re.search(r"\x1b\[[0-9;]*3[0-9]", drawn(samples.sample(), 80))


def test_the_width_comes_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """COLUMNS counts where there is no terminal to ask."""
    monkeypatch.setenv("COLUMNS", "47")
    stream = io.StringIO()
    terminal.show(samples.sample(), file=stream)
    assert max(map(len, stream.getvalue().splitlines())) == 47


def test_a_closed_pipe_is_an_error_of_its_own_kind() -> None:
    """The caller learns of it by BrokenPipeError; the program is not ended by the drawing."""

    class Closed(io.StringIO):
        def write(self, _: str) -> int:
            raise BrokenPipeError

    with pytest.raises(BrokenPipeError):
        terminal.show(samples.sample(), file=Closed(), width=80)


def test_the_parts_make_up_the_whole() -> None:
    """Opening, cases and lesson drawn one by one are what the whole draws, but for the time in the first line."""
    stored = samples.sample()
    parts = io.StringIO()
    terminal.show_opening(stored["machine"], stored["corewise"], file=parts, width=80)
    for case in stored["cases"]:
        terminal.show_case(case, file=parts, width=80)
    terminal.show_lesson(stored["lesson"], file=parts, width=80)
    assert parts.getvalue().splitlines()[1:] == drawn(stored, 80).splitlines()[1:]


def test_missing_figures_leave_no_empty_column() -> None:
    """Where the system tells no memory and nothing was started, there is no column for them."""
    rows = [samples.row("sync", 2.0, memory_mb=None), samples.row("threads", 1.0, 1.9, memory_mb=None)]
    text = drawn(samples.sample([samples.case("bare", rows)]), 120)
    heads = next(line for line in text.splitlines() if "speed-up" in line)
    assert "cores busy" in heads
    assert "memory" not in heads
    assert "start-up" not in heads


def test_bars_are_as_long_as_their_times() -> None:
    """Half the time is half the bar, and the slowest round is at the end of the longest."""
    rows = [samples.row("sync", [2.0, 2.0, 4.0]), samples.row("threads", [1.0, 1.0, 1.0], 1.9)]
    lines = drawn(samples.sample([samples.case("bars", rows)]), 160).splitlines()
    longest, half = (next(line for line in lines if name in line and "█" in line) for name in ("sync", "threads"))
    assert longest.count("█") == 22
    assert re.search("█─+┤", longest)
    assert len(re.search("[█─┤]+", longest)[0]) == 44  # type: ignore[index]
    assert half.count("█") == 11
    assert "┤" not in half


@settings(max_examples=60)
@given(made=st.lists(made_up.cases(), max_size=2), width=st.integers(1, 200), here=made_up.MACHINES)
def test_anything_can_be_drawn_anywhere(made: list[Case], width: int, here: object) -> None:
    """Whatever the figures, the texts and the width: it is drawn, and within the width (but for the narrowest)."""
    text = drawn(samples.sample(made, here=here), width)  # type: ignore[arg-type]
    assert max(cell_len(line) for line in text.splitlines()) <= max(width, 24)


@pytest.mark.parametrize("width", WIDTHS)
def test_what_was_predicted_stands_beside_what_was_measured(width: int) -> None:
    """In each row, and as a sentence below; on the page as well."""
    stored = samples.sample([foretold(samples.holding_the_gil())])
    documents.check(stored)
    text = flat(drawn(stored, width))
    assert "Predicted from 3 items: processes with 2. Computing that holds the GIL. Starting is dear." in text
    assert "987 ms" in text
    page = to_html(stored)
    assert 'data-head="predicted"><span>987 ms <small>' in page
    assert "Predicted from 3 items: processes with 2." in page


def foretold(made: Case) -> Case:
    """Return a case with predictions."""
    band = {"predicted_s": 0.987, "predicted_low_s": 0.5, "predicted_high_s": 1.5}
    rows: list[Row] = [{**row, **band} for row in made["rows"]]  # type: ignore[typeddict-item]
    return {
        **made,
        "rows": rows,
        "advice": {
            "approach": "processes",
            "workers": 2,
            "code": "computes",
            "why": "computing that holds the GIL",
            "items": 3,
            "costs": ["Starting is dear."],
        },
    }
