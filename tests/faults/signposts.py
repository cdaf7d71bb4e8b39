"""Named pipes by which a test and the processes it watches wait for each other: no pause is ever guessed.

A worker writes to one with `say` and waits at one with `hold`; the test reads with `hear` and lets through with
`let_through`. They go by path, so they reach a worker however it was started.
"""

from __future__ import annotations

import os
import select
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

# What has not happened by then never will: a fault must show itself within this time, even beside busy neighbours.
PATIENCE_S = 15.0


def say(path: str, text: object) -> None:
    """Write a line into a signpost, in one piece."""
    descriptor = os.open(path, os.O_WRONLY | os.O_CLOEXEC)
    try:
        os.write(descriptor, f"{text}\n".encode())
    finally:
        os.close(descriptor)


def hold(path: str) -> None:
    """Wait at a signpost until somebody lets one through."""
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.read(descriptor, 1)
    finally:
        os.close(descriptor)


class Signpost:
    """A named pipe, held open by the test so that nobody meets its end."""

    def __init__(self, path: Path) -> None:
        os.mkfifo(path)
        self.path = str(path)
        self._descriptor = os.open(path, os.O_RDWR | os.O_CLOEXEC)
        self._heard = b""

    def hear(self, count: int) -> list[str]:
        """Wait for so many lines and return them.

        Raises:
            TimeoutError: when they do not come.
        """
        while self._heard.count(b"\n") < count:
            if not select.select([self._descriptor], [], [], PATIENCE_S)[0]:
                raise TimeoutError(f"{count} lines were to come, but only these did: {self._heard.decode()!r}")
            self._heard += os.read(self._descriptor, 1 << 16)
        *lines, self._heard = self._heard.split(b"\n", count)
        return [line.decode() for line in lines]

    def let_through(self, count: int) -> None:
        """Let so many that wait here, or will, go on."""
        os.write(self._descriptor, b"." * count)

    def close(self) -> None:
        """Let go of the pipe."""
        os.close(self._descriptor)
