"""Every program, printed output and command of the documentation is run, so that none of it can rot."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from markdown_blocks import blocks, program_of

if TYPE_CHECKING:
    from markdown_blocks import Block

ROOT = Path(__file__).parents[2]
PAGES = [*ROOT.glob("README.md"), *sorted((ROOT / "docs").rglob("*.md"))]
SEPARATOR = "== here the block begins =="
COMMAND = "$ corewise"


def _cases(language: str) -> list[object]:
    cases: list[object] = []
    for page in PAGES:
        for block in blocks(page.read_text("utf-8")):
            if block.language == language:
                skipped = [pytest.mark.skip(reason=block.remark)] if block.remark.startswith("not run") else []
                name = f"{page.relative_to(ROOT).as_posix()}:{block.line}"
                cases.append(pytest.param(page, block, id=name, marks=skipped))
    return cases


def _run(command: list[str], folder: Path) -> str:
    """Standard output of `command`, run in `folder` beside a copy of the examples; it must succeed."""
    if (ROOT / "examples").is_dir():
        shutil.copytree(ROOT / "examples", folder / "examples")
    scripts = Path(sys.executable).parent
    environment = {**os.environ, "PATH": f"{scripts}{os.pathsep}{os.environ['PATH']}", "PYTHONWARNINGS": "error"}
    finished = subprocess.run(
        command, cwd=folder, env=environment, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False
    )
    assert finished.returncode == 0, f"{finished.stdout}\n{finished.stderr}"
    return finished.stdout


@pytest.mark.parametrize(("page", "block"), _cases("python"))
def test_a_program_of_the_documentation_runs_and_prints_what_the_page_says(
    page: Path, block: Block, tmp_path: Path
) -> None:
    """The block runs in a fresh interpreter; where its output is shown, it prints exactly that."""
    program = tmp_path / f"{page.stem.lower()}.py"
    program.write_text(program_of(block, f"print({SEPARATOR!r})"), "utf-8")
    printed = _run([sys.executable, str(program)], tmp_path)
    if block.output is not None:
        assert printed.rpartition(SEPARATOR + "\n")[2] == block.output


@pytest.mark.parametrize(("page", "block"), _cases("console"))
def test_the_commands_of_the_documentation_succeed(page: Path, block: Block, tmp_path: Path) -> None:
    """Each line that begins with `$ corewise` ends with exit code 0, in the order of the page, in one folder."""
    lines = block.text.replace("\\\n", " ").splitlines()
    commands = [line.removeprefix("$ ") for line in lines if line.startswith(COMMAND)]
    script = "\n".join(["set -e", *commands])
    _run(["bash", "-c", script], tmp_path)


def test_the_first_page_shows_a_program_and_a_command() -> None:
    """The README holds at least one Python block that is run and one console block."""
    shown = blocks((ROOT / "README.md").read_text("utf-8"))
    assert any(block.language == "python" and not block.remark.startswith("not run") for block in shown)
    assert any(block.language == "console" for block in shown)


def test_the_reader_of_pages_knows_its_remarks() -> None:
    """Continued programs, expected output and reasons not to run are told apart, line numbers included."""
    page = (
        "```python\na = 1\n```\n"
        "<!-- continues -->\n```python\nprint(a)\n```\n"
        "<!-- output -->\n```text\n1\n```\n"
        "<!-- not run: too long -->\n```console\n$ corewise compare\n```\n"
    )
    first, second, output, console = blocks(page)
    assert second.earlier == [first]
    assert second.output == output.text == "1\n"
    assert program_of(second, "pass") == "\na = 1\n\n\npass\nprint(a)\n"
    assert console.remark == "not run: too long"


@pytest.mark.parametrize("page", ["```python\n", "<!-- output -->\n```text\n```\n"])
def test_a_page_that_cannot_be_run_is_refused(page: str) -> None:
    """A fence that is never closed, and a remark that refers to nothing, are errors of the page."""
    with pytest.raises(ValueError, match="line"):
        blocks(page)
