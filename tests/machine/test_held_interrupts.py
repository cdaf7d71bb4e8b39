"""Ctrl-C held back: real signals, inside the block, at its borders and at random moments."""

from __future__ import annotations

import os
import random
import signal
import sys
import threading
from typing import TYPE_CHECKING, Any

import own_process
import pytest

from corewise._types.interrupts import InterruptsHeld

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import FrameType

pytestmark = pytest.mark.skipif(os.name == "nt", reason="os.kill ends the process on Windows")


def press_ctrl_c() -> None:
    """Send the signal; Python handles it before the next line runs."""
    signal.raise_signal(signal.SIGINT)


@pytest.fixture
def handler() -> Iterator[list[Any]]:
    """Have Ctrl-C noted instead of raised, and give the notes."""
    notes: list[Any] = []

    def note(number: int, frame: FrameType | None) -> None:
        notes.append((number, frame))

    before = signal.signal(signal.SIGINT, note)
    yield notes
    signal.signal(signal.SIGINT, before)


def test_ctrl_c_inside_takes_effect_at_the_end() -> None:
    """The block runs whole."""
    steps: list[str] = []

    def interrupted() -> None:
        with InterruptsHeld():
            press_ctrl_c()
            steps.append("whole")
        steps.append("behind")

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    assert steps == ["whole"]


def test_without_ctrl_c_nothing_happens_and_the_handler_is_back() -> None:
    """It is the very one of before."""
    before = signal.getsignal(signal.SIGINT)
    with InterruptsHeld():
        assert signal.getsignal(signal.SIGINT) is not before
    assert signal.getsignal(signal.SIGINT) is before


@pytest.mark.parametrize("place", ["outer", "inner", "behind the inner"])
def test_nested_blocks_let_it_through_once_at_the_end_of_the_outer_one(place: str) -> None:
    """Whichever of them it came in."""
    steps: list[str] = []

    def interrupted() -> None:
        with InterruptsHeld():
            if place == "outer":
                press_ctrl_c()
            with InterruptsHeld():
                if place == "inner":
                    press_ctrl_c()
                steps.append("inner")
            if place == "behind the inner":
                press_ctrl_c()
            steps.append("outer")

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    assert steps == ["inner", "outer"]
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_a_handler_of_the_programs_own_is_called_once_with_the_frame_of_the_block(handler: list[Any]) -> None:
    """However often the key was pressed; nothing is raised that the program did not ask for."""
    with InterruptsHeld():
        press_ctrl_c()
        press_ctrl_c()
        assert handler == []
    ((number, frame),) = handler
    assert number == signal.SIGINT
    assert frame is sys._getframe()


def test_what_was_hit_is_let_go_of_before_the_block_ends() -> None:
    """What it held can be closed by whoever hears of the Ctrl-C, though that keeps all frames it has passed."""

    def hold_and_press() -> None:
        view = memoryview(memory)
        press_ctrl_c()
        assert len(view) == len(memory)

    memory = bytearray(8)
    with pytest.raises(KeyboardInterrupt), InterruptsHeld():
        hold_and_press()
    memory.clear()  # refused as long as there is a view of it


def test_a_handler_hears_again_of_the_next_block(handler: list[Any]) -> None:
    """Nothing of an earlier block is kept."""
    for _ in range(3):
        with InterruptsHeld():
            press_ctrl_c()
    with InterruptsHeld():
        pass
    assert len(handler) == 3


@pytest.mark.parametrize("ignored", [signal.SIG_IGN, signal.SIG_DFL])
def test_what_the_program_does_not_handle_is_left_alone(ignored: signal.Handlers) -> None:
    """An ignored Ctrl-C stays ignored, one that ends the process at once still does."""
    before = signal.signal(signal.SIGINT, ignored)
    try:
        with InterruptsHeld():
            assert signal.getsignal(signal.SIGINT) is ignored
            if ignored is signal.SIG_IGN:
                press_ctrl_c()
        assert signal.getsignal(signal.SIGINT) is ignored
    finally:
        signal.signal(signal.SIGINT, before)


def test_an_exception_of_the_block_passes() -> None:
    """It is the block's own, and the handler is back."""
    before = signal.getsignal(signal.SIGINT)
    with pytest.raises(LookupError, match="of the block"), InterruptsHeld():
        raise LookupError("of the block")
    assert signal.getsignal(signal.SIGINT) is before


def press_and_fail() -> None:
    """Have both at once."""
    with InterruptsHeld():
        press_ctrl_c()
        raise LookupError("of the block")


def test_an_exception_of_the_block_is_kept_beside_ctrl_c() -> None:
    """Ctrl-C wins, as it does in any cleaning up; the other one is its context."""
    with pytest.raises(KeyboardInterrupt) as caught:
        press_and_fail()
    assert isinstance(caught.value.__context__, LookupError)


def test_an_exception_of_the_block_passes_beside_a_handler_that_only_notes(handler: list[Any]) -> None:
    """Neither is lost."""
    with pytest.raises(LookupError, match="of the block"):
        press_and_fail()
    assert len(handler) == 1


def test_in_another_thread_there_is_nothing_to_hold_back(handler: list[Any]) -> None:
    """The main thread hears of Ctrl-C at once, and its handler is not touched."""
    seen: list[object] = []

    def hold() -> None:
        before = signal.getsignal(signal.SIGINT)
        with InterruptsHeld():
            seen.append(signal.getsignal(signal.SIGINT) is before)

    thread = threading.Thread(target=hold)
    thread.start()
    thread.join()
    press_ctrl_c()
    assert seen == [True]
    assert len(handler) == 1


# A thread sends a signal, waits until it has been handled, sends the next after a pause of random length (which is the
# subject of these tests, not a way to synchronise). A lost one would be waited for in vain, a doubled one is counted.
SENDER = """
import os, random, signal, sys, threading
from time import perf_counter
from corewise._types.interrupts import InterruptsHeld
sys.setswitchinterval(1e-4)
chance = random.Random({seed})
heard = threading.Semaphore(0)
outcome = "sent"
def send():
    global outcome
    heard.acquire()
    for _ in range({times}):
        until = perf_counter() + chance.random() * 0.0005
        while perf_counter() < until:
            pass
        os.kill(os.getpid(), signal.SIGINT)
        if not heard.acquire(timeout=8):
            outcome = "lost one of"
            break
    os.kill(os.getpid(), signal.SIGTERM)
def finish(*_):
    print(outcome, count, flush=True)
    os._exit(0)
signal.signal(signal.SIGTERM, finish)
threading.Thread(target=send, daemon=True).start()
count = outer = inner = 0
"""

COUNTED = """
def note(*_):
    global count
    count += 1
    heard.release()
signal.signal(signal.SIGINT, note)
heard.release()
while True:
    with InterruptsHeld():
        outer += 1
        with InterruptsHeld():
            inner += 1
"""

# What was raised is told in a block that nothing can break off, since the next signal may come at once then.
RAISED = """
count, raised = -1, True
while True:
    try:
        while True:
            with InterruptsHeld():
                if raised:
                    count, raised = count + 1, False
                    heard.release()
                begun = outer = outer + 1
                with InterruptsHeld():
                    inner += 1
                done = begun
    except KeyboardInterrupt:
        if raised or not begun == done == outer == inner:
            print("broken off", raised, begun, done, outer, inner, flush=True)
            os._exit(1)
        raised = True
"""


@pytest.mark.parametrize("program", [COUNTED, RAISED], ids=["own handler", "KeyboardInterrupt"])
def test_no_signal_at_any_moment_is_lost_doubled_or_breaks_a_block(program: str) -> None:
    """Fifteen hundred of them, one after the other."""
    seed = random.randrange(1 << 30)
    assert own_process.run(SENDER.format(times=1500, seed=seed) + program) == "sent 1500", seed
