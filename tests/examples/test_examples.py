"""Every program in examples/ is run and does what its docstring promises.

The module docstring of an example ends in what it prints, after a line `Prints:`. There `...` stands for anything.
"""

from __future__ import annotations

import ast
import importlib.util
import os
import re
import subprocess
import sys
from inspect import cleandoc
from pathlib import Path

import pytest

FOLDER = Path(__file__).parents[2] / "examples"
EXAMPLES = sorted(FOLDER.rglob("*.py"))
OTHERS = sorted(file for file in FOLDER.rglob("*") if file.is_file() and file.suffix not in {".py", ".pyc", ".md"})
LINES_AT_MOST = 40


def _name(file: Path) -> str:
    return file.relative_to(FOLDER).as_posix()


def _docstring(example: Path) -> str:
    return ast.get_docstring(ast.parse(example.read_text("utf-8"))) or ""


def _promise(docstring: str) -> re.Pattern[str] | None:
    _, found, promise = docstring.partition("Prints:\n")
    text = cleandoc("\n" + promise).strip()
    return re.compile(".*?".join(map(re.escape, text.split("..."))), re.DOTALL) if found and text else None


def _missing(example: Path) -> list[str]:
    """Packages that an example imports and that are not installed."""
    tree = ast.parse(example.read_text("utf-8"))
    names = [name.name for one in ast.walk(tree) if isinstance(one, ast.Import) for name in one.names]
    return [name for name in names if importlib.util.find_spec(name.partition(".")[0]) is None]


def _lines_of_code(source: str) -> int:
    docstring = ast.parse(source).body[0]
    lines = source.splitlines()
    return sum(bool(line.strip()) for line in lines[: docstring.lineno - 1] + lines[docstring.end_lineno :])


def test_there_are_examples() -> None:
    """The folder holds programs, and nothing that no test knows how to run."""
    assert EXAMPLES
    assert [_name(file) for file in OTHERS] == []


@pytest.mark.parametrize("example", EXAMPLES, ids=_name)
def test_an_example_does_what_it_promises(example: Path, tmp_path: Path) -> None:
    """It runs in a fresh interpreter, says nothing on standard error and prints what its docstring promises."""
    promise = _promise(_docstring(example))
    assert promise is not None, "its docstring does not end in 'Prints:' and what it prints"
    if missing := _missing(example):
        pytest.skip(f"{' and '.join(missing)} not installed")
    # A collection of httpx's garbage, or a neighbour on this machine, may take the loop 0.1 s.
    warnings = ["-W", "error", "-W", "ignore:get held up the event loop:RuntimeWarning"]
    command = [sys.executable, *warnings, str(example)]
    finished = subprocess.run(
        command, cwd=tmp_path, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False
    )
    assert finished.returncode == 0, finished.stderr
    assert finished.stderr == ""
    assert promise.fullmatch(finished.stdout.strip()), finished.stdout


def test_an_example_that_lacks_a_package_says_what_to_install(tmp_path: Path) -> None:
    """In one line, which is enough to go on."""
    (tmp_path / "httpx.py").write_text("raise ImportError('there is no httpx')", "utf-8")
    path = os.pathsep.join([str(tmp_path), *filter(None, [os.environ.get("PYTHONPATH")])])
    finished = subprocess.run(
        [sys.executable, str(FOLDER / "thousand_requests.py")],
        env={**os.environ, "PYTHONPATH": path},
        capture_output=True,
        text=True,
        check=False,
    )
    assert finished.returncode == 1
    assert finished.stderr == "this example needs httpx: pip install 'corewise[examples]'\n"


@pytest.mark.parametrize("example", EXAMPLES, ids=_name)
def test_an_example_is_short_enough_to_be_copied(example: Path) -> None:
    """Without its docstring and empty lines it is at most as long as a screen."""
    assert _lines_of_code(example.read_text("utf-8")) <= LINES_AT_MOST


def test_a_promise_is_literal_but_for_its_dots() -> None:
    """`...` matches anything, across lines too; everything else stands for itself."""
    promise = _promise("About.\n\nPrints:\n    took ... s (really)\n    done\n")
    assert promise is not None
    assert promise.fullmatch("took 1.5 s (really)\ndone")
    assert not promise.fullmatch("took 1.5 s really\ndone")
    assert not promise.fullmatch("took 1.5 s (really)")


def test_a_docstring_without_a_promise_promises_nothing() -> None:
    """An example that says nothing of its output is not passed by accident."""
    assert _promise("About.") is None
    assert _promise("About.\n\nPrints:\n") is None
