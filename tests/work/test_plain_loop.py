"""A loop for plain code, in the calling thread or in another: what comes of a Ctrl-C."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
import threading
from typing import TYPE_CHECKING

import pytest

from corewise._work.loops import PlainLoop, TurningLoop

if TYPE_CHECKING:
    from collections.abc import Coroutine, Iterator


@pytest.fixture(params=["here", "elsewhere"])
def loop(request: pytest.FixtureRequest) -> Iterator[PlainLoop | TurningLoop]:
    """Give one that has turned before, and see to it that it can still be used in the end."""
    some = PlainLoop() if request.param == "here" else TurningLoop("test")
    try:
        assert some.run(asyncio.sleep, 0, "turns") == "turns"
        yield some
        assert some.run(asyncio.sleep, 0, "goes on") == "goes on"
        assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
    finally:
        some.close()


def press_ctrl_c() -> None:
    """Send the process a signal, which its main thread takes, whoever presses."""
    os.kill(os.getpid(), signal.SIGINT)


@pytest.mark.skipif(sys.platform == "win32", reason="raises a signal")
@pytest.mark.parametrize("moment", ["before", "meanwhile", "at the end"])
def test_an_interrupt_is_one_whenever_it_comes(loop: PlainLoop | TurningLoop, moment: str) -> None:
    """Before there is a task it does not begin; later it is cancelled, unless there is nothing left of it."""
    steps: list[str] = []

    async def call() -> None:
        steps.append("begun")
        if moment == "at the end":
            press_ctrl_c()
            return
        press_ctrl_c()
        await asyncio.sleep(60)

    def made() -> Coroutine[None, None, None]:
        if moment == "before":
            press_ctrl_c()
        return call()

    with pytest.raises(KeyboardInterrupt):
        loop.run(made)
    assert steps == ([] if moment == "before" else ["begun"])


@pytest.mark.skipif(sys.platform == "win32", reason="raises a signal")
def test_a_second_interrupt_does_not_wait_for_what_was_cancelled(loop: PlainLoop | TurningLoop) -> None:
    """A coroutine may take its time over its end."""

    async def call() -> None:
        press_ctrl_c()
        try:
            await asyncio.sleep(60)
        finally:
            press_ctrl_c()
            await asyncio.sleep(60)

    with pytest.raises(KeyboardInterrupt):
        loop.run(call)


def test_a_call_that_cancels_itself_is_no_interrupt(loop: PlainLoop | TurningLoop) -> None:
    """It is an outcome like any other."""

    async def call() -> None:
        raise asyncio.CancelledError

    with pytest.raises(asyncio.CancelledError):
        loop.run(call)


def test_what_would_end_a_program_leaves_the_loop_turning(loop: PlainLoop | TurningLoop) -> None:
    """It is raised in the caller."""

    async def call() -> None:
        raise SystemExit(3)

    with pytest.raises(SystemExit):
        loop.run(call)


def test_a_loop_in_another_thread_ends_with_whoever_has_it() -> None:
    """As where a Ctrl-C has kept its owner from closing it."""
    some = TurningLoop("dropped")
    assert some.run(asyncio.sleep, 0, "turns") == "turns"
    (thread,) = (one for one in threading.enumerate() if one.name == "dropped-loop")
    del some
    thread.join()
