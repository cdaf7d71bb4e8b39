"""The real command, started as a user starts it: in a process of its own."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

TARGETS = Path(__file__).parent / "targets"
PROGRAM = [sys.executable, "-m", "corewise"]

# Beyond the budget of any comparison started here, on a machine that does other things too (a guess).
LIMIT_S = 15.0


def environment(**changes: str) -> dict[str, str]:
    """Return the environment without what would change the drawing, and with `changes`."""
    dropped = {"COLUMNS", "LINES", "NO_COLOR", "FORCE_COLOR", "PYTHONUNBUFFERED"}
    return {name: value for name, value in os.environ.items() if name not in dropped} | changes


def corewise(
    *arguments: str,
    stdin: str | bytes = "",
    cwd: Path = TARGETS,
    env: Mapping[str, str] | None = None,
) -> subprocess.CompletedProcess[str]:
    """Run the command to its end, with pipes for all three streams, and return what it printed and its exit code."""
    finished = subprocess.run(
        [*PROGRAM, *arguments],
        input=stdin.encode() if isinstance(stdin, str) else stdin,
        capture_output=True,
        cwd=cwd,
        env=environment(**(env or {})),
        timeout=LIMIT_S,
        check=False,
    )
    return subprocess.CompletedProcess(
        finished.args, finished.returncode, finished.stdout.decode(), finished.stderr.decode()
    )


def error_of(finished: subprocess.CompletedProcess[str]) -> str:
    """Return the message of a command that failed, from ``corewise: error:`` on; there must be exactly one."""
    assert finished.returncode != 0, finished.stdout + finished.stderr
    before, mark, message = finished.stderr.partition("corewise: error: ")
    assert mark, finished.stderr
    assert mark not in message, finished.stderr
    assert "Traceback" not in message, finished.stderr
    del before
    return message.strip()
