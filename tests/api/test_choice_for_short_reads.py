"""The choice for items that let go of the GIL for microseconds and want it back at once."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from pathlib import Path

PROGRAM = """
import sys
import corewise

def read(path):
    with open(path, "rb") as file:
        return len(file.read())

tried = []
corewise.map(read, [sys.argv[1]] * 8000, progress=lambda now: tried.append(now.approach))
print("threads" in tried)
"""
TIMES, NOT_MORE = 9, 4  # a machine may be busy with other things at some of them


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere nobody tells how often a thread was blocked")
@pytest.mark.skipif(not getattr(sys, "_is_gil_enabled", lambda: True)(), reason="there is no GIL")
@pytest.mark.skipif((os.cpu_count() or 1) < 2, reason="on one core whoever looks is in the way")
def test_reads_of_small_files_are_not_handed_to_threads(tmp_path: Path) -> None:
    """Whoever looks finds the GIL free, from the first few milliseconds of a program on; two threads take longer."""
    path = tmp_path / "small"
    path.write_bytes(bytes(20_000))
    command = [sys.executable, "-c", PROGRAM, str(path)]
    answers = [subprocess.run(command, check=True, capture_output=True, timeout=60).stdout for _ in range(TIMES)]
    assert sum(answer.strip() == b"True" for answer in answers) <= NOT_MORE
