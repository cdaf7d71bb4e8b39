"""A loop in plain code: what comes of a Ctrl-C."""

from __future__ import annotations

import asyncio
import asyncio.runners
import signal
import sys
from types import SimpleNamespace

import pytest

from corewise._work.loops import PlainLoop


@pytest.mark.skipif(sys.platform == "win32", reason="raises a signal")
def test_an_interrupt_as_the_runner_begins_to_listen_is_one(monkeypatch: pytest.MonkeyPatch) -> None:
    """The runner of the standard library has its handler called then, and sets its count back to zero."""

    def install(number: int, handler: object) -> object:
        before = signal.signal(number, handler)  # type: ignore[arg-type]
        if handler is not signal.default_int_handler:
            signal.raise_signal(signal.SIGINT)
        return before

    begun = []

    async def call() -> None:
        begun.append(True)

    loop = PlainLoop()
    try:
        loop.run(asyncio.sleep, 0)
        listening = SimpleNamespace(**vars(signal) | {"signal": install})
        monkeypatch.setattr(asyncio.runners, "signal", listening)
        with pytest.raises(KeyboardInterrupt):
            loop.run(call)
        monkeypatch.undo()
        assert not begun
        assert loop.run(asyncio.sleep, 0, "goes on") == "goes on"
    finally:
        loop.close()


def test_a_call_that_cancels_itself_is_no_interrupt() -> None:
    """It is an outcome like any other."""

    async def call() -> None:
        raise asyncio.CancelledError

    loop = PlainLoop()
    try:
        with pytest.raises(asyncio.CancelledError):
            loop.run(call)
    finally:
        loop.close()
