"""What goes wrong ends with one clear message, an exit code, and no traceback unless asked for."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

from cli.command import TARGETS, corewise, error_of

if TYPE_CHECKING:
    from pathlib import Path

ITEMS = ("--items", "[1, 2, 3]")
QUICK = ("--repeat", "1", "--budget", "5", "--approaches", "sync,threads:2")

# What was typed, and what the message must say.
TYPED_WRONGLY = {
    "no such file": (("compare", "missing.py:square", *ITEMS), "there is no file missing.py in"),
    "no such module": (("compare", "missing_module:square", *ITEMS), "there is no module named 'missing_module'"),
    "no such function": (("compare", "plain.py:sqare", *ITEMS), "did you mean 'square'?"),
    "no function named": (("compare", "plain.py", *ITEMS), "names no function: write plain.py:square"),
    "not callable": (("compare", "plain.py:NUMBERS", *ITEMS), "is a list, which cannot be called"),
    "a folder": (("compare", f"{TARGETS}:square", *ITEMS), "is a folder"),
    "no such async function": (("compare", "plain.py:square", *ITEMS, "--async-target", "plain.py:nothing"), "nothing"),
    "a plain function as async": (
        ("compare", "plain.py:square", *ITEMS, "--async-target", "plain.py:square"),
        "--async-target plain.py:square is no async function",
    ),
    "an async function with an async function": (
        ("compare", "plain.py:square_async", *ITEMS, "--async-target", "plain.py:square_async"),
        "leave out --async-target",
    ),
    "items that do not parse": (("compare", "plain.py:square", "--items", "[1, 2"), "'[' was never closed"),
    "no items": (("compare", "plain.py:square", "--items", "[]"), "there are no items"),
    "no items given": (("compare", "plain.py:square"), "needs items to work on"),
    "two kinds of items": (("compare", "plain.py:square", *ITEMS, "--items-file", "-"), "cannot be used together"),
    "items that are no tuples": (("compare", "plain.py:area", *ITEMS, "--star"), "not a tuple of arguments"),
    "no worker": (("compare", "plain.py:square", *ITEMS, "--workers", "0"), "whole number of at least 1, not 0"),
    "workers in words": (("compare", "plain.py:square", *ITEMS, "--workers", "two"), "at least 1, not 'two'"),
    "no round": (("compare", "plain.py:square", *ITEMS, "--repeat", "0"), "whole number of at least 1, not 0"),
    "no time": (("compare", "plain.py:square", *ITEMS, "--budget", "-1"), "a number of seconds above 0, not '-1'"),
    "time without an end": (("compare", "plain.py:square", *ITEMS, "--budget", "inf"), "seconds above 0, not 'inf'"),
    "an unknown approach": (
        ("compare", "plain.py:square", *ITEMS, "--approaches", "sync,treads"),
        "must be one of 'sync', 'threads', 'asyncio' or 'processes', not 'treads'",
    ),
    "no worker behind the colon": (("compare", "plain.py:square", *ITEMS, "--approaches", "threads:0"), "at least 1"),
    "an unknown option": (("compare", "plain.py:square", *ITEMS, "--aproaches", "sync"), "--approaches"),
    "an unknown command": (("compair",), "No such command 'compair'"),
    "an unknown case": (("compare", "--case", "sleeping"), "'computing', 'hashing', 'waiting', 'small'"),
    "items without a target": (("compare", *ITEMS), "--items without TARGET"),
    "a case and a target": (("compare", "plain.py:square", *ITEMS, "--case", "small"), "leave out TARGET, or --case"),
    "a folder to write to": (("compare", "plain.py:square", *ITEMS, "--json", "."), "is a folder"),
    "no folder to write in": (("compare", "plain.py:square", *ITEMS, "--html", "no/such.html"), "there is no folder"),
    "one output for two": (
        ("compare", "plain.py:square", *ITEMS, "--json", "-", "--html", "-"),
        "cannot both go to standard output",
    ),
    "no such document": (("report", "missing.json"), "missing.json"),
    "no document": (("report", "plain.py"), "plain.py"),
}


@pytest.mark.parametrize("name", TYPED_WRONGLY)
def test_what_is_typed_wrongly_is_refused_in_words(name: str) -> None:
    """Exit code 2, one message, nothing on standard output; with --traceback, the traceback above it."""
    arguments, said = TYPED_WRONGLY[name]
    finished = corewise(*arguments)
    assert finished.returncode == 2
    assert said in error_of(finished)
    assert finished.stderr.startswith("corewise: ")
    assert "Traceback" not in finished.stderr
    assert finished.stdout == ""


@pytest.mark.parametrize("name", ["no such function", "items that do not parse", "an unknown approach", "no document"])
def test_the_traceback_is_shown_when_asked_for(name: str) -> None:
    """It stands above the same message, and the exit code is the same."""
    arguments, said = TYPED_WRONGLY[name]
    finished = corewise(*arguments, "--traceback")
    assert finished.returncode == 2
    assert "Traceback (most recent call last):" in finished.stderr
    assert said in error_of(finished)


@pytest.mark.parametrize(
    ("file", "first", "said"),
    [
        ("fails_on_import.py", "line 8, in <module>", "failed: ZeroDivisionError: division by zero"),
        ("exits_on_import.py", "line 11, in <module>", "called sys.exit(4)"),
        ("needs_what_is_missing.py", "line 3, in <module>", "No module named 'a_module_that_nobody_has'"),
    ],
)
def test_a_module_whose_import_fails_shows_its_own_traceback(file: str, first: str, said: str) -> None:
    """It begins in the user's file, and the message follows."""
    finished = corewise("compare", f"{file}:square", *ITEMS)
    lines = finished.stderr.splitlines()
    assert finished.returncode == 2
    assert lines[0] == "Traceback (most recent call last):"
    assert lines[1] == f'  File "{TARGETS}/{file}", {first}'
    assert said in error_of(finished)


def test_a_function_that_raises_on_one_item_is_told_with_the_item_and_the_place() -> None:
    """Exit code 1; the item's index and repr, the error, and the line of the user's file."""
    finished = corewise("compare", "trouble.py:fails_on_three", "--items", "[1, 2, 9, 3]", *QUICK)
    message = error_of(finished)
    assert finished.returncode == 1
    assert message.startswith("trouble.py:fails_on_three raised ValueError: three is too many")
    assert "item 3: 3" in message
    assert re.search(r"raised at .*trouble\.py, line \d+, in fails_on_three", message)
    assert "Traceback" not in finished.stderr


def test_the_traceback_of_the_function_is_shown_when_asked_for() -> None:
    """The line of the user's file is in it."""
    finished = corewise("compare", "trouble.py:fails_on_three", "--items", "[3]", *QUICK, "--traceback")
    assert finished.returncode == 1
    assert "Traceback (most recent call last):" in finished.stderr
    assert 'raise ValueError("three is too many")' in finished.stderr
    assert "trouble.py:fails_on_three raised ValueError" in error_of(finished)


def test_a_function_that_calls_sys_exit_ends_its_trial_only() -> None:
    """Exit code 1 and not the function's; the exit is named, with the item."""
    finished = corewise("compare", "trouble.py:exits", "--items", "[7]", *QUICK)
    message = error_of(finished)
    assert finished.returncode == 1
    assert "sys.exit(7)" in message
    assert "item 0: 7" in message


@pytest.mark.parametrize("function", ["never_returns", "computes_for_ever"])
def test_a_function_that_never_returns_ends_with_the_budget(function: str) -> None:
    """Exit code 1; the message names the budget, and no process is left (the pipes would stay open)."""
    finished = corewise("compare", f"trouble.py:{function}", "--items", "[1]", "--budget", "0.3")
    assert finished.returncode == 1
    assert "give a larger budget or smaller items" in error_of(finished)


def test_results_that_differ_are_said_loudly() -> None:
    """Exit code 1; the first differing item and both results, in the message and in the table."""
    finished = corewise(
        "compare", "trouble.py:process_id", "--items", "[1, 2]", "--repeat", "1", "--approaches", "sync,processes:2"
    )
    message = error_of(finished)
    assert finished.returncode == 1
    assert message.startswith("the approaches return different results, first for item 0 (1): sync returned ")
    assert "processes:2 returned " in message
    assert "different results" in finished.stdout.lower()


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("{", "this is not JSON"),
        ("[1]", "expected a JSON object, found list"),
        ('{"format": "corewise-comparison", "version": 99}', "version 99"),
    ],
)
def test_a_document_that_is_none_is_refused(content: str, said: str, tmp_path: Path) -> None:
    """The message names the file and what is wrong with it."""
    path = tmp_path / "stored.json"
    path.write_text(content, "utf-8")
    finished = corewise("report", str(path))
    assert finished.returncode == 2
    assert str(path) in error_of(finished)
    assert said in error_of(finished)


def test_a_broken_items_file_is_refused_with_the_line(tmp_path: Path) -> None:
    """The file and the line are named."""
    path = tmp_path / "broken.jsonl"
    path.write_text("1\n{\n", "utf-8")
    finished = corewise("compare", "plain.py:square", "--items-file", str(path))
    assert finished.returncode == 2
    assert f"--items-file {path}, line 2: no JSON" in error_of(finished)


def test_the_exit_codes_stand_in_the_help() -> None:
    """Scripts rely on them, so the help says what they mean."""
    for arguments in (("--help",), ("compare", "--help"), ("report", "--help")):
        finished = corewise(*arguments)
        assert finished.returncode == 0
        assert re.findall(r"^  +(\d+)  +\w", finished.stdout, re.MULTILINE) == ["0", "1", "2", "130", "141"]
