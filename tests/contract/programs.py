"""Runs small programs with the interpreter of the tests and watches the processes they start."""

from __future__ import annotations

import contextlib
import os
import select
import signal
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

HERE = Path(__file__).parent


def start_in(folder: Path, text: str) -> subprocess.Popen[str]:
    """Start a program from a file, which workers can import as their main module."""
    path = folder / "program.py"
    path.write_text(text, encoding="utf-8")
    return _start([str(path)])


def start(text: str, *, stdin: bool = False) -> subprocess.Popen[str]:
    """Start a program that has no file."""
    if not stdin:
        return _start(["-c", text])
    process = _start([], stdin=subprocess.PIPE)
    assert process.stdin is not None
    process.stdin.write(text)
    process.stdin.close()
    process.stdin = None
    return process


def _start(arguments: list[str], stdin: int = subprocess.DEVNULL) -> subprocess.Popen[str]:
    """Start a program in a process group of its own, its output in pipes."""
    return subprocess.Popen(
        [sys.executable, *arguments],
        stdin=stdin,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
        cwd=HERE,
        env={**os.environ, "PYTHONFAULTHANDLER": ""},
    )


def wait_for_lines(process: subprocess.Popen[str], count: int) -> list[str]:
    """Read so many lines of the program's output: how it says where it has come to."""
    assert process.stdout is not None
    return [process.stdout.readline().strip() for _ in range(count)]


def gone_within(pids: Iterator[int] | list[int], seconds: float) -> list[int]:
    """Wait for processes that are no children of ours to end. Return those that have not."""
    left = []
    for pid in pids:
        try:
            fd = os.pidfd_open(pid)
        except ProcessLookupError:
            continue
        try:
            if not select.select([fd], [], [], seconds)[0]:
                left.append(pid)
        finally:
            os.close(fd)
    return left


def kill_group(process: subprocess.Popen[str]) -> None:
    """Leave nothing of a program behind."""
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.communicate()
