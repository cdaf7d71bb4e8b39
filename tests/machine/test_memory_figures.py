"""Figures of memory against memory that is really taken, in a process of its own."""

from __future__ import annotations

import sys

import own_process
import pytest

from corewise._machine import memory

linux = pytest.mark.skipif(sys.platform != "linux", reason="read from /proc")
MEBIBYTE = 1 << 20


@linux
def test_resident_and_peak_follow_what_is_taken_and_given_back() -> None:
    """Sixty-four mebibytes, touched page by page; the peak stays until it is reset."""
    program = f"""
import mmap
from corewise._machine import memory
def figures():
    return memory.resident_bytes(), memory.peak_bytes()
memory.reset_peak()
told = [figures()]
block = mmap.mmap(-1, 64 * {MEBIBYTE})
for page in range(0, len(block), 4096):
    block[page] = 1
told.append(figures())
block.close()
told.append(figures())
print(told, memory.reset_peak(), memory.peak_bytes())
"""
    *told, was_reset, after = own_process.run(program).replace("(", "").replace(")", "").replace("[", "").replace("]", "").split(", ")[0:6] + ["", ""]
