"""Sizes and manners that no linter knows: how long a file and a function may be, and what a test says of itself."""

from __future__ import annotations

import ast
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).parents[2]
FOLDERS = ("src", "tests", "benchmarks", "examples", "tools")
FILES = sorted(file for folder in FOLDERS for file in (ROOT / folder).rglob("*.py"))
TEST_FILES = [file for file in FILES if file.name.startswith("test_")]

LINES_PER_FILE = 400
LINES_PER_FUNCTION = 60


def _name(file: Path) -> str:
    return file.relative_to(ROOT).as_posix()


def _functions(file: Path) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    for node in ast.walk(ast.parse(file.read_text("utf-8"))):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node


@pytest.mark.parametrize("file", FILES, ids=_name)
def test_a_file_stays_short_enough_to_be_read_in_one_go(file: Path) -> None:
    """A file has fewer lines than the limit."""
    assert len(file.read_text("utf-8").splitlines()) < LINES_PER_FILE


@pytest.mark.parametrize("file", FILES, ids=_name)
def test_a_function_stays_short_enough_to_be_seen_at_once(file: Path) -> None:
    """A function has fewer lines than the limit, its docstring included."""
    lengths = {function.name: (function.end_lineno or 0) - function.lineno + 1 for function in _functions(file)}
    assert {name: lines for name, lines in lengths.items() if lines >= LINES_PER_FUNCTION} == {}


@pytest.mark.parametrize("file", TEST_FILES, ids=_name)
def test_a_test_says_in_one_line_what_holds(file: Path) -> None:
    """Every test has a docstring of one line."""
    tests = [function for function in _functions(file) if function.name.startswith("test_")]
    docstrings = {test.name: ast.get_docstring(test) or "" for test in tests}
    assert [name for name, text in docstrings.items() if len(text.splitlines()) != 1] == []
