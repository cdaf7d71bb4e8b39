"""A loop in plain code: what comes of a Ctrl-C."""

from __future__ import annotations

import asyncio
import signal
import sys
from typing import TYPE_CHECKING

import pytest

from corewise._work.loops import PlainLoop

if TYPE_CHECKING:
    from collections.abc import Coroutine, Iterator


@pytest.fixture
def loop() -> Iterator[PlainLoop]:
    """Give one that has turned before, and see to it that it can still be used in the end."""
    some = PlainLoop()
    try:
        assert some.run(asyncio.sleep, 0, "turns") == "turns"
        yield some
        assert some.run(asyncio.sleep, 0, "goes on") == "goes on"
        assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
    finally:
        some.close()


@pytest.mark.skipif(sys.platform == "win32", reason="raises a signal")
@pytest.mark.parametrize("moment", ["before", "meanwhile", "at the end"])
def test_an_interrupt_is_one_whenever_it_comes(loop: PlainLoop, moment: str) -> None:
    """Before there is a task it does not begin; later it is cancelled, unless there is nothing left of it."""
    steps: list[str] = []

    async def call() -> None:
        steps.append("begun")
        if moment == "at the end":
            signal.raise_signal(signal.SIGINT)
            return
        signal.raise_signal(signal.SIGINT)
        await asyncio.sleep(60)

    def made() -> Coroutine[None, None, None]:
        if moment == "before":
            signal.raise_signal(signal.SIGINT)
        return call()

    with pytest.raises(KeyboardInterrupt):
        loop.run(made)
    assert steps == ([] if moment == "before" else ["begun"])


@pytest.mark.skipif(sys.platform == "win32", reason="raises a signal")
def test_a_second_interrupt_does_not_wait_for_what_was_cancelled(loop: PlainLoop) -> None:
    """A coroutine may take its time over its end."""

    async def call() -> None:
        signal.raise_signal(signal.SIGINT)
        try:
            await asyncio.sleep(60)
        finally:
            signal.raise_signal(signal.SIGINT)
            await asyncio.sleep(60)

    with pytest.raises(KeyboardInterrupt):
        loop.run(call)


def test_a_call_that_cancels_itself_is_no_interrupt(loop: PlainLoop) -> None:
    """It is an outcome like any other."""

    async def call() -> None:
        raise asyncio.CancelledError

    with pytest.raises(asyncio.CancelledError):
        loop.run(call)
