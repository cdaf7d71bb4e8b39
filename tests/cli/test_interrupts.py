"""Ctrl-C: one line, exit code 130, soon, and nothing is left running."""

from __future__ import annotations

import os
import select
import signal
import subprocess
import sys
from time import perf_counter

import pytest

from cli.command import LIMIT_S, PROGRAM, TARGETS, environment

# Seconds from the signal to the end of the command and of all it started; the machine does other things too.
SOON_S = 2.0


@pytest.mark.skipif(sys.platform == "win32", reason="process groups are POSIX")
@pytest.mark.parametrize("function", ["never_returns", "computes_for_ever"])
@pytest.mark.parametrize("more", [[], ["--traceback"]], ids=["plain", "traceback"])
def test_ctrl_c_ends_a_comparison_and_all_it_started(function: str, more: list[str]) -> None:
    """The signal reaches the whole group, as from a keyboard; the pipes close, so no process is left holding them."""
    command = [*PROGRAM, "compare", f"trouble.py:{function}", "--items", "[1, 2]", *more]
    process = subprocess.Popen(
        command,
        cwd=TARGETS,
        env=environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        start_new_session=True,
    )
    assert process.stdout is not None
    assert select.select([process.stdout], [], [], LIMIT_S)[0]  # the function says that it runs
    begin = perf_counter()
    os.killpg(process.pid, signal.SIGINT)
    _, told = process.communicate(timeout=LIMIT_S)
    assert perf_counter() - begin < SOON_S
    assert process.returncode == 130
    assert told.decode().rstrip().endswith("corewise: interrupted")
    assert (b"Traceback" in told) == bool(more)
