"""The check that the contract tests stand on: it sees what is left, and only that."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
from pathlib import Path
from uuid import uuid4

import pytest

import observe

pytestmark = pytest.mark.skipif(not observe.AVAILABLE, reason="needs Linux's /proc")


def test_nothing_left_is_reported_as_nothing() -> None:
    """What is opened, started and given back leaves no trace."""
    before = observe.holdings()
    with Path(os.devnull).open("rb"):
        subprocess.run([sys.executable, "-c", ""], check=True)
    assert observe.left_since(before) == []


def test_a_descriptor_left_open_is_named() -> None:
    """Both ends of a forgotten pipe are reported."""
    before = observe.holdings()
    ends = os.pipe()
    left = observe.left_since(before)
    for end in ends:
        os.close(end)
    assert [line.split(":")[0] for line in left] == [f"descriptor {end} was left open" for end in sorted(ends)]


def test_a_descriptor_replaced_by_another_is_named() -> None:
    """The same number is no alibi: it may refer to something new."""
    read_end, write_end = os.pipe()
    before = observe.holdings()
    null = os.open(os.devnull, os.O_RDONLY)
    os.dup2(null, read_end)
    os.close(null)
    left = observe.left_since(before)
    os.close(read_end)
    os.close(write_end)
    assert left == [f"descriptor {read_end} was left open: {os.devnull}"]


def test_what_a_thread_is_about_to_give_back_is_waited_for() -> None:
    """It hears of the end of a process as soon as the check does, and may come to its turn later."""
    before = observe.holdings()
    child = subprocess.Popen([sys.executable, "-c", ""], stdout=subprocess.PIPE)

    def give_back() -> None:
        time.sleep(0.1)  # so that the check would come first, did it not wait
        child.communicate()

    threading.Thread(target=give_back).start()
    assert observe.left_since(before) == []


def test_a_process_left_running_is_named_with_its_descendants() -> None:
    """A child and the child it started are both reported."""
    program = "import subprocess, sys; subprocess.run([sys.executable, '-c', 'print(flush=True); input()'])"
    before = observe.holdings()
    with subprocess.Popen([sys.executable, "-c", program], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as child:
        assert child.stdout is not None
        child.stdout.readline()  # the grandchild runs now
        left = [line for line in observe.left_since(before) if line.startswith("process ")]
        child.communicate(b"\n")
    assert len(left) == 2
    assert f"process {child.pid} was left" in "".join(left)


def test_an_aborted_process_shows_its_stacks() -> None:
    """A stuck worker tells where it was when it is ended."""
    program = "import faulthandler\nfaulthandler.enable()\ndef stuck():\n    print(flush=True)\n    input()\nstuck()"
    pipe = subprocess.PIPE
    with subprocess.Popen([sys.executable, "-c", program], stdin=pipe, stdout=pipe, stderr=pipe) as child:
        assert child.stdout is not None
        child.stdout.readline()
        observe.abort([child.pid])
        _, stacks = child.communicate()
    assert b"in stuck" in stacks


def test_shared_memory_left_behind_is_named() -> None:
    """A named block that nobody removed is reported."""
    before = observe.holdings()
    block = observe.SHARED_MEMORY / f"corewise-test-{uuid4().hex}"
    block.write_bytes(b"left")
    left = observe.left_since(before)
    block.unlink()
    assert left == [f"shared memory was left behind: {block}"]


def test_shared_memory_of_another_program_is_not_ours() -> None:
    """A block that a process outside this one's family uses is not reported."""
    before = observe.holdings()
    block = observe.SHARED_MEMORY / f"corewise-test-{uuid4().hex}"
    # Its parent ends at once, so the holder belongs to no family of ours; it ends when its input closes.
    holder = f"block = open({str(block)!r}, 'wb'); print(flush=True); input()"
    starter = "import os, subprocess, sys; subprocess.Popen([sys.executable, '-c', sys.argv[1]])"
    pipe = subprocess.PIPE
    with subprocess.Popen(
        [sys.executable, "-c", starter, holder], stdin=pipe, stdout=pipe, stderr=subprocess.DEVNULL
    ) as child:
        assert child.stdin is not None
        assert child.stdout is not None
        child.stdout.readline()
        child.wait()
        left = observe.left_since(before)
    block.unlink()
    assert [line for line in left if line.startswith("shared memory")] == []
