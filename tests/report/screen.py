"""A real pseudo-terminal with a program in it, and what a person would see on its screen."""

from __future__ import annotations

import os
import re
import struct
import subprocess
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

LIMIT_S = 15.0  # for a program to end, on a machine that does other things too (a guess)
_CODES = re.compile(r"\x1b\[([0-9;?]*)([A-Za-z])")


def environment(**changes: str) -> dict[str, str]:
    """Return the environment without what would change the drawing, and with `changes`."""
    dropped = {"COLUMNS", "LINES", "NO_COLOR", "FORCE_COLOR", "TTY_COMPATIBLE", "PYTHONIOENCODING"}
    return {name: value for name, value in os.environ.items() if name not in dropped} | {"TERM": "xterm"} | changes


def in_terminal(program: str, columns: int = 80, env: Mapping[str, str] | None = None) -> str:
    """Run a Python program in a pseudo-terminal and return everything that was written to it."""
    import pty
    import termios
    from fcntl import ioctl

    ours, theirs = pty.openpty()
    ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))
    process = subprocess.Popen(
        [sys.executable, "-c", program],
        env=environment(**(env or {})),
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
    process.wait(LIMIT_S)
    return b"".join(pieces).decode()


def in_pipe(program: str, env: Mapping[str, str] | None = None) -> str:
    """Run a Python program with a pipe for its standard error and return what came out of it."""
    finished = subprocess.run(
        [sys.executable, "-c", program],
        env=environment(**(env or {})),
        capture_output=True,
        timeout=LIMIT_S,
        check=False,
    )
    assert finished.stdout == b"", finished.stdout
    return finished.stderr.decode()


def seen(written: str) -> list[str]:
    """Return the lines that stand on the screen at the end, as a terminal shows them."""
    lines, at = [""], 0
    position = 0
    while position < len(written):
        letter = written[position]
        code = _CODES.match(written, position)
        if code:
            position = code.end()
            if code[2] == "K":
                assert code[1] == "2", "only whole lines are erased"
                lines[-1] = ""
            else:
                assert code[2] == "m", f"the cursor is moved or hidden: {code[0]!r}"
            continue
        position += 1
        if letter == "\r":
            at = 0
        elif letter == "\n":
            lines.append("")
            at = 0
        else:
            lines[-1] = lines[-1][:at].ljust(at) + letter + lines[-1][at + 1 :]
            at += 1
    return [line.rstrip() for line in lines]
