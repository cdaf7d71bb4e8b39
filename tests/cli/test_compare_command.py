"""The command's good days: where items come from, what is written, and that a stored document draws the same."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from cli.command import TARGETS, corewise
from corewise import __version__

if TYPE_CHECKING:
    from pathlib import Path

QUICK = ("--repeat", "1", "--budget", "5", "--approaches", "sync,threads:2")


def _document(*arguments: str, **more: Any) -> dict[str, Any]:
    finished = corewise("compare", *arguments, *QUICK, "--json", "-", **more)
    assert finished.returncode == 0, finished.stderr
    document: dict[str, Any] = json.loads(finished.stdout)
    return document


def _case(*arguments: str, **more: Any) -> dict[str, Any]:
    case: dict[str, Any] = _document(*arguments, **more)["cases"][0]
    return case


def test_a_function_of_the_users_is_compared_and_drawn() -> None:
    """Every approach asked for, the figures, the verdicts and the recommendation are on standard output."""
    finished = corewise("compare", "plain.py:square", "--items", "range(50)", "--repeat", "1")
    assert finished.returncode == 0, finished.stderr
    for word in ("plain.square", "sync", "threads", "asyncio", "processes"):
        assert word in finished.stdout
    assert finished.stderr.startswith("corewise: 50 items from --items\n")


def test_the_approaches_asked_for_are_compared() -> None:
    """With their numbers of workers, and sync, which all others are held against."""
    case = _case("plain.py:square", "--items", "NUMBERS")
    assert [(row["label"], row["workers"]) for row in case["rows"]] == [("sync", 1), ("threads:2", 2)]
    assert (case["items"], case["rounds"], case["function"]) == (3, 1, "plain.square")


def test_workers_and_rounds_are_handed_on() -> None:
    """Where an approach names no number, the option holds."""
    finished = corewise(
        *("compare", "plain.py:square", "--items", "range(9)", "--workers", "3", "--approaches", "threads,threads:2"),
        *("--repeat", "2", "--budget", "4", "--json", "-"),
    )
    case = json.loads(finished.stdout)["cases"][0]
    assert [row["workers"] for row in case["rows"]] == [1, 3, 2]
    assert (case["rounds"], case["budget_s"]) == (2, 4.0)


@pytest.mark.parametrize(
    ("name", "text", "first"),
    [("a.json", "[4, 5]", "4"), ("a.jsonl", '{"x": 1}\n', "{'x': 1}"), ("a.txt", "one\ntwo\n", "'one'")],
)
def test_items_come_from_a_file(name: str, text: str, first: str, tmp_path: Path) -> None:
    """A JSON array, JSON lines, or one string a line."""
    (tmp_path / name).write_text(text, "utf-8")
    case = _case("plain.py:length", "--items-file", str(tmp_path / name))
    assert case["first_item"] == first


def test_items_come_from_standard_input() -> None:
    """The name of standard input is a dash."""
    assert _case("plain.py:length", "--items-file", "-", stdin="one\ntwo\nthree\n")["items"] == 3


def test_items_come_from_code_and_are_cut_by_the_limit() -> None:
    """Endless ones as well."""
    assert _case("plain.py:square", "--items-from", "plain.py:ENDLESS", "--limit", "4")["items"] == 4


def test_items_may_be_tuples_of_arguments() -> None:
    """The function gets one argument for each element."""
    assert _case("plain.py:area", "--star", "--items", "[(1, 2), (3, 4)]")["items"] == 2


def test_asyncio_runs_the_async_function() -> None:
    """The document says what was run."""
    finished = corewise(
        *("compare", "plain.py:square", "--async-target", "plain.py:square_async", "--items", "range(5)"),
        *("--approaches", "asyncio", "--repeat", "1", "--json", "-"),
    )
    rows = {row["approach"]: row for row in json.loads(finished.stdout)["cases"][0]["rows"]}
    assert rows["asyncio"]["runs"] == "async function"


def test_an_async_function_that_gives_something_else_is_named() -> None:
    """The command fails, as it does for any approach whose results differ."""
    finished = corewise(
        *("compare", "plain.py:length", "--async-target", "plain.py:square_async", "--items", "[5]"),
        *("--approaches", "asyncio", "--repeat", "1", "--quiet"),
    )
    assert finished.returncode == 1
    assert "asyncio (plain.square_async) returned 25" in finished.stderr


def test_a_file_whose_name_is_taken_is_compared_by_processes(tmp_path: Path) -> None:
    """A file called json.py, in the folder where the command is called, is in the way of nothing."""
    (tmp_path / "json.py").write_text("def twice(item): return 2 * item\n", "utf-8")
    finished = corewise(
        *("compare", "json.py:twice", "--items", "[1, 2]", "--approaches", "processes:2", "--repeat", "1"), cwd=tmp_path
    )
    assert finished.returncode == 0, finished.stderr
    assert "processes" in finished.stdout


def test_nothing_but_the_document_is_on_standard_output() -> None:
    """What the function prints goes to standard error, from the workers too."""
    document = _document("trouble.py:prints", "--items", "[1]")
    assert document["corewise"] == __version__


def test_what_the_function_prints_is_not_swallowed() -> None:
    """It stands on standard error while standard output holds the document."""
    finished = corewise("compare", "trouble.py:prints", "--items", "[1]", *QUICK, "--json", "-")
    assert "seen 1" in finished.stderr
    assert "seen 1" not in finished.stdout


def test_quiet_leaves_one_line() -> None:
    """The recommendation, and nothing on standard error."""
    finished = corewise("compare", "plain.py:square", "--items", "[1]", *QUICK, "--quiet")
    assert (finished.returncode, finished.stderr) == (0, "")
    assert finished.stdout.startswith("plain.square: ")
    assert finished.stdout.count("\n") == 1


def test_a_stored_document_draws_the_same(tmp_path: Path) -> None:
    """`report` needs the document alone, and its JSON is the document again."""
    path = tmp_path / "stored.json"
    compared = corewise("compare", "plain.py:square", "--items", "[1]", *QUICK, "--json", str(path))
    reported = corewise("report", str(path))
    assert reported.returncode == 0, reported.stderr
    assert reported.stdout == compared.stdout
    assert corewise("report", "-", stdin=path.read_text("utf-8")).stdout == compared.stdout
    assert json.loads(corewise("report", str(path), "--json").stdout) == json.loads(path.read_text("utf-8"))


def test_pages_and_pictures_are_written(tmp_path: Path) -> None:
    """A page by both commands, a picture by `report`; each is told on standard error."""
    stored, page, again, picture = (tmp_path / name for name in ("a.json", "a.html", "b.html", "a.svg"))
    compared = corewise(
        *("compare", "plain.py:square", "--items", "[1]", *QUICK, "--json", str(stored), "--html", str(page))
    )
    reported = corewise("report", str(stored), "--html", str(again), "--svg", str(picture))
    assert (compared.returncode, reported.returncode, reported.stdout) == (0, 0, "")
    assert page.read_text("utf-8") == again.read_text("utf-8")
    assert "<svg" in picture.read_text("utf-8")
    assert f"corewise: wrote {picture}" in reported.stderr


def test_the_version_is_told() -> None:
    """It is that of the package."""
    assert corewise("--version").stdout == f"corewise {__version__}\n"


def test_the_command_is_found_wherever_it_is_called(tmp_path: Path) -> None:
    """A path to the file does, in any folder."""
    finished = corewise("compare", f"{TARGETS}/plain.py:square", "--items", "[1]", *QUICK, "--quiet", cwd=tmp_path)
    assert finished.returncode == 0, finished.stderr
