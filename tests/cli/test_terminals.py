"""Narrow terminals, pipes that close, full disks: what the command owes its surroundings."""

from __future__ import annotations

import os
import pty
import re
import struct
import subprocess
import sys
import termios
from fcntl import ioctl
from pathlib import Path

import pytest

from cli.command import LIMIT_S, PROGRAM, TARGETS, corewise, environment

COMPARE = ("compare", "plain.py:square", "--items", "range(20)", "--repeat", "1", "--budget", "5")
ADVISE = ("advise", "plain.py:square", "--items", "range(20)")
ESCAPES = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]|\x1b\][^\x07]*\x07")


def _in_terminal(*arguments: str, columns: int) -> tuple[int, str]:
    """Run the command in a pseudo-terminal and return its exit code and what appeared there."""
    ours, theirs = pty.openpty()
    ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))
    process = subprocess.Popen(
        [*PROGRAM, *arguments],
        cwd=TARGETS,
        env=environment(TERM="xterm-256color"),
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        start_new_session=True,
    )
    os.close(theirs)
    pieces = []
    try:
        while piece := os.read(ours, 65536):
            pieces.append(piece)
    except OSError:  # how Linux says that the other end is closed
        pass
    os.close(ours)
    return process.wait(LIMIT_S), b"".join(pieces).decode()


def _lines(shown: str) -> list[str]:
    return [line.rstrip() for line in re.split(r"[\r\n]+", ESCAPES.sub("", shown))]


def test_the_comparison_is_readable_in_a_terminal_of_40_columns() -> None:
    """No line is longer, colours are used, every approach is there, and the cursor is shown at the end."""
    code, shown = _in_terminal(*COMPARE, columns=40)
    lines = _lines(shown)
    assert code == 0, shown
    assert max(map(len, lines)) <= 40
    assert ESCAPES.search(shown)
    assert all(any(approach in line for line in lines) for approach in ("sync", "threads", "asyncio", "processes"))
    assert shown.rfind("\x1b[?25h") >= shown.rfind("\x1b[?25l")


def test_the_comparison_is_readable_when_columns_says_40() -> None:
    """The variable holds where there is no terminal; then there are no colours either."""
    finished = corewise(*COMPARE, env={"COLUMNS": "40"})
    assert finished.returncode == 0, finished.stderr
    assert max(map(len, finished.stdout.splitlines())) <= 40
    assert not ESCAPES.search(finished.stdout + finished.stderr)


def test_an_error_in_a_terminal_is_the_same_message() -> None:
    """One message, and nothing else."""
    code, shown = _in_terminal("compare", "plain.py:sqare", "--items", "[1]", columns=80)
    assert code == 2
    assert _lines(shown)[0] == "corewise: error: plain.py has no function 'sqare'"


def test_without_a_terminal_progress_is_plain_lines() -> None:
    """On standard error, so that standard output can be piped on."""
    finished = corewise(*COMPARE)
    assert finished.returncode == 0
    assert not ESCAPES.search(finished.stdout + finished.stderr)
    assert "\r" not in finished.stderr
    assert any("processes" in line for line in finished.stderr.splitlines())


@pytest.mark.parametrize(
    "arguments", [COMPARE, ADVISE, ("--help",), (*COMPARE, "--json", "-")], ids=["table", "advice", "help", "json"]
)
def test_a_reader_that_goes_away_ends_the_command_quietly(arguments: tuple[str, ...]) -> None:
    """Gone before the first line; no word of it on standard error, neither then nor at the interpreter's exit."""
    reader, writer = os.pipe()
    os.close(reader)
    finished = subprocess.run(
        [*PROGRAM, *arguments],
        cwd=TARGETS,
        env=environment(),
        stdin=subprocess.DEVNULL,
        stdout=writer,
        stderr=subprocess.PIPE,
        timeout=LIMIT_S,
        check=False,
    )
    os.close(writer)
    assert finished.returncode == 141
    for word in (b"Traceback", b"BrokenPipe", b"Exception", b"error"):
        assert word not in finished.stderr


def test_a_function_that_prints_to_a_reader_that_went_away_is_not_blamed() -> None:
    """The pipe is ours, not the function's."""
    reader, writer = os.pipe()
    os.close(reader)
    command = [*PROGRAM, "compare", "trouble.py:prints", "--items", "[1]", "--repeat", "1", "--quiet"]
    finished = subprocess.run(command, cwd=TARGETS, stdout=writer, stderr=subprocess.PIPE, timeout=LIMIT_S, check=False)
    os.close(writer)
    assert finished.returncode == 141
    assert b"prints raised" not in finished.stderr


@pytest.mark.parametrize("streams", ["", "2>&1"], ids=["tables", "progress too"])
def test_piping_into_head_is_quiet(streams: str) -> None:
    """As a shell does it; the reader is gone after one line, while the comparison goes on."""
    line = " ".join(f"'{word}'" for word in [*PROGRAM, *COMPARE]) + f" {streams} | head -n 1"
    finished = subprocess.run(
        ["/bin/sh", "-c", line], cwd=TARGETS, env=environment(), capture_output=True, timeout=LIMIT_S, check=False
    )
    assert finished.returncode == 0
    assert finished.stdout.count(b"\n") == 1
    for word in (b"Traceback", b"BrokenPipe", b"Exception"):
        assert word not in finished.stderr


def test_standard_output_that_is_closed_is_no_error() -> None:
    """The command runs and writes what it was asked to write."""
    line = " ".join(f"'{word}'" for word in [*PROGRAM, *COMPARE]) + " >&-"
    finished = subprocess.run(
        ["/bin/sh", "-c", line], cwd=TARGETS, env=environment(), stderr=subprocess.PIPE, timeout=LIMIT_S, check=False
    )
    assert finished.returncode == 0, finished.stderr


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs a device that is always full")
def test_a_full_disk_is_told() -> None:
    """The system's reason, and exit code 1."""
    with Path("/dev/full").open("wb") as full:
        finished = subprocess.run(
            [*PROGRAM, *COMPARE], cwd=TARGETS, stdout=full, stderr=subprocess.PIPE, timeout=LIMIT_S, check=False
        )
    assert finished.returncode == 1
    assert b"corewise: error: the output cannot be written: No space left on device" in finished.stderr
    assert b"Traceback" not in finished.stderr


def test_an_encoding_without_blocks_is_served() -> None:
    """Nothing is lost but the beauty."""
    finished = corewise(*COMPARE, env={"PYTHONIOENCODING": "ascii"})
    assert finished.returncode == 0, finished.stderr
    assert "processes" in finished.stdout


def test_the_command_loads_nothing_before_it_is_called() -> None:
    """A worker that is started afresh imports the program it belongs to, and neither click nor rich with it."""
    code = "import sys, corewise._cli.main; print({'click', 'rich', 'asyncio'} & set(sys.modules))"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "set()\n"
