"""`tools/find_python`: the interpreter that `make` uses really runs, is new enough, or is refused in one sentence."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

FIND_PYTHON = Path(__file__).parents[2] / "tools/find_python"

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="a shell script")


def _program(path: Path, script: str) -> Path:
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)
    return path


def _find(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run the tool with no environment but the one given, and no home that could hold interpreters."""
    command = ["/bin/sh", str(FIND_PYTHON), *arguments]
    nowhere = {"HOME": "/nonexistent", "PATH": "/nonexistent"}
    return subprocess.run(command, env=nowhere | environment, capture_output=True, text=True, check=False)


def test_a_name_that_only_prints_an_error_is_passed_over(tmp_path: Path) -> None:
    """A version manager's empty name does not stop the search; the next interpreter that runs is taken."""
    _program(tmp_path / "python3", "echo 'not installed' >&2; exit 127")
    (tmp_path / "python").symlink_to(sys.executable)
    found = _find(PATH=str(tmp_path))
    assert (found.returncode, found.stderr) == (0, "")
    assert Path(found.stdout.strip()).resolve() == Path(sys.executable).resolve()


def test_the_interpreter_that_was_asked_for_is_taken() -> None:
    """PYTHON wins over every name on PATH."""
    assert _find(PYTHON=sys.executable).stdout.strip() == sys.executable


@pytest.mark.parametrize(
    ("facts", "reason"),
    [
        ("CPython 3 10 - ready /old/python", "is Python 3.10"),
        ("CPython 3 12 - bare /thin/python", "cannot make environments"),
        ("PyPy 3 11 - ready /other/python", "is PyPy"),
    ],
)
def test_an_unfit_interpreter_is_refused_in_one_sentence(tmp_path: Path, facts: str, reason: str) -> None:
    """Too old, without venv, not CPython: the sentence names the interpreter, the reason and the way out."""
    unfit = _program(tmp_path / "unfit", f"echo '{facts}'")
    refused = _find(PYTHON=str(unfit))
    assert refused.returncode == 1
    assert refused.stdout == ""
    assert refused.stderr.count("\n") == 1
    assert f"{unfit} {reason}" in refused.stderr
    assert "make PYTHON=" in refused.stderr


def test_each_version_is_listed_once(tmp_path: Path) -> None:
    """Two names of one version give one line, and the version stands before the path."""
    version = f"3.{sys.version_info[1]}"
    ours = tmp_path / f"python{version}"
    ours.symlink_to(sys.executable)
    listed = _find("--each", PATH=str(tmp_path)).stdout.splitlines()
    assert [line for line in listed if line.startswith(f"{version} ")] == [f"{version} {ours}"]
