"""Ctrl-C: one line, exit code 130, soon, and nothing is left running."""

from __future__ import annotations

import os
import select
import signal
import subprocess
import sys
from time import perf_counter
from typing import TYPE_CHECKING

import pytest

from cli.command import LIMIT_S, PROGRAM, TARGETS, environment

if TYPE_CHECKING:
    from pathlib import Path

# Seconds from the signal to the end of the command and of all it started; the machine does other things too.
SOON_S = 2.0


@pytest.mark.skipif(sys.platform == "win32", reason="process groups are POSIX")
@pytest.mark.parametrize("more", [[], ["--traceback"]], ids=["plain", "traceback"])
@pytest.mark.parametrize("function", ["never_returns", "computes_for_ever"])
def test_ctrl_c_ends_a_comparison_and_all_it_started(function: str, more: list[str]) -> None:
    """The signal reaches the whole group, as from a keyboard, while the first item is run."""
    code, told = _interrupted("compare", f"trouble.py:{function}", "--items", "[1, 2]", *more, spoken="stdout")
    assert code == 130
    assert told.rstrip().endswith("corewise: interrupted")
    assert ("Traceback" in told) == bool(more)


@pytest.mark.skipif(sys.platform == "win32", reason="process groups are POSIX")
@pytest.mark.parametrize("approach", ["threads:2", "asyncio", "processes:2"])
def test_ctrl_c_ends_every_approach(approach: str, tmp_path: Path) -> None:
    """The function returns at once in the plain loop, and never in the approach's own trial."""
    mark = tmp_path / "seen"
    items = f"[{str(mark)!r}] * 2"
    code, told = _interrupted(
        *("compare", "trouble.py:returns_three_times", "--items", items, "--approaches", approach), spoken="stdout"
    )
    assert code == 130
    assert "Traceback" not in told


@pytest.mark.skipif(sys.platform == "win32", reason="process groups are POSIX")
def test_ctrl_c_ends_the_local_server_as_well() -> None:
    """It stands in a group of its own, so it has to be ended by the command."""
    code, told = _interrupted("compare", "--case", "waiting", spoken="stderr")
    assert code == 130
    assert told.rstrip().endswith("corewise: interrupted")
    assert "Traceback" not in told


def _interrupted(*arguments: str, spoken: str) -> tuple[int, str]:
    """Interrupt the command once a stream has spoken; return its exit code and what it told on standard error.

    Both pipes have to be closed soon, so no process is left that holds them.
    """
    process = subprocess.Popen(
        [*PROGRAM, *arguments],
        cwd=TARGETS,
        env=environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        start_new_session=True,
    )
    assert select.select([getattr(process, spoken)], [], [], LIMIT_S)[0]
    begin = perf_counter()
    os.killpg(process.pid, signal.SIGINT)
    _, told = process.communicate(timeout=LIMIT_S)
    assert perf_counter() - begin < SOON_S
    return process.returncode, told.decode()
