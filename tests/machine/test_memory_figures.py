"""Figures of memory against memory that is really taken, in a process of its own."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

import own_process
import pytest

from corewise._machine import memory

linux = pytest.mark.skipif(sys.platform != "linux", reason="read from /proc")
MEBIBYTE = 1 << 20
TAKEN = 64 * MEBIBYTE
SLACK = 8 * MEBIBYTE  # what an interpreter does meanwhile

TAKE = f"""
import json, mmap, os
from corewise._machine import memory
def take():
    block = mmap.mmap(-1, {TAKEN})
    for page in range(0, len(block), mmap.PAGESIZE):
        block[page] = 1
    return block
"""


@linux
def test_resident_and_peak_follow_what_is_taken_and_given_back() -> None:
    """The peak stays when the memory is given back, until it is reset."""
    program = f"""{TAKE}
def figures():
    return memory.resident_bytes(), memory.peak_bytes()
memory.reset_peak()
told = [figures()]
block = take()
told.append(figures())
block.close()
told.append(figures())
print(json.dumps([told, memory.reset_peak(), memory.peak_bytes()]))
"""
    (before, taken, given_back), was_reset, peak = json.loads(own_process.run(program))
    assert TAKEN <= taken[0] - before[0] < TAKEN + SLACK
    assert TAKEN <= taken[1] - before[1] < TAKEN + SLACK
    assert given_back[0] < before[0] + SLACK
    assert given_back[1] > taken[1] - MEBIBYTE  # the kernel counts in portions
    assert was_reset
    assert peak < before[0] + SLACK


@linux
def test_memory_shared_with_the_parent_is_not_the_childs_own() -> None:
    """A forked child resides in all its parent's pages, and owns those that it wrote."""
    program = f"""{TAKE}
block = bytearray({TAKEN})
reading, writing = os.pipe()
if os.fork() == 0:
    block = take()
    before = memory.private_bytes()
    own = bytearray(b"x") * {TAKEN // 2}
    os.write(writing, json.dumps([memory.resident_bytes(), before, memory.private_bytes()]).encode())
    os._exit(0)
os.wait()
print(os.read(reading, 1000).decode())
"""
    resident, before, private = json.loads(own_process.run(program))
    assert resident > TAKEN + TAKEN // 2
    assert TAKEN // 2 <= private - before < TAKEN // 2 + SLACK
    assert private < resident + SLACK


@linux
def test_the_machines_memory_is_what_the_kernel_says() -> None:
    """Against another of its files."""
    lines = Path("/proc/meminfo").read_text(encoding="ascii").splitlines()
    line = next(line for line in lines if line.startswith("MemTotal:"))
    assert memory.total_bytes() == pytest.approx(int(line.split()[1]) * 1024, rel=0.01)


@pytest.mark.skipif(os.name != "posix", reason="there is no such figure on Windows")
def test_figures_are_possible_on_every_system() -> None:
    """A process holds less than the machine has."""
    total, peak = memory.total_bytes(), memory.peak_bytes()
    assert total is not None
    assert peak is not None
    assert MEBIBYTE < peak < total


def test_kills_for_want_of_memory_are_counted_from_zero() -> None:
    """The count never falls."""
    first = memory.out_of_memory_kills()
    assert 0 <= first <= memory.out_of_memory_kills()
