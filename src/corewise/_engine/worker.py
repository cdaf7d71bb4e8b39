"""The worker process: decodes items, runs them, writes down and sends what came of them."""

from __future__ import annotations

import os
import signal
import sys
from time import perf_counter, process_time

from corewise._machine import cpus, memory
from corewise._machine.queueing import queued_s
from corewise._transport import codec, failures
from corewise._transport.channel import WorkerEnd
from corewise._transport.plain import all_plain
from corewise._types.record import Record
from corewise._work.chunk import Chunk
from corewise._work.coroutines import plain_calls
from corewise._work.run import run_chunk

TYPE_CHECKING = False
if TYPE_CHECKING:
    import socket
    from collections.abc import Callable
    from typing import Any

    from corewise._engine.lifeline import Lifeline
    from corewise._transport.codec import Packed
    from corewise._transport.ledger import Ledger


LINE_LOST = 113  # exit code of a worker whose line was closed under it


class Setup(Record):
    """What a worker is given when it is started.

    Attributes:
        line: its end of the socket.
        ledger: its block of shared memory.
        lifeline: what tells it that its parent is gone.
        fn: the function, inherited by fork; None when it travels as bytes.
        fn_bytes: the function as bytes; empty when it was inherited.
        keep_going: whether to go on behind an item that fails.
        cores: its share of the cores, for calls made inside it.
    """

    line: socket.socket
    ledger: Ledger
    lifeline: Lifeline
    fn: Callable[..., Any] | None
    fn_bytes: bytes
    keep_going: bool
    cores: int


def serve(setup: Setup) -> None:
    """Serve one parent until it says stop or is gone. The body of every worker process."""
    setup.lifeline.arm()
    _settle_signals()
    cpus.hand_down(setup.cores)
    memory_at_start = (memory.resident_bytes() or 0, memory.private_bytes())
    end = WorkerEnd(setup.line)
    try:
        fn = codec.loads(setup.fn_bytes) if setup.fn is None else setup.fn
    except BaseException as error:  # noqa: BLE001 - importing the user's module may raise anything
        end.send(("broken", failures.pack(error)))
        return
    try:
        with plain_calls(fn) as call:
            worker = _Worker(end, setup.ledger, call, keep_going=setup.keep_going)
            end.send(("ready",))
            worker.run_until_stopped()
        end.send(("bye", (process_time(), queued_s()), _peak(*memory_at_start)))
    except (EOFError, OSError):
        # The line is gone, and usually the parent with it: nobody is left to tell. What the function raises never
        # comes here.
        os._exit(LINE_LOST)


class _Worker:
    """The loop over chunks."""

    def __init__(self, end: WorkerEnd, ledger: Ledger, call: Callable[..., Any], *, keep_going: bool) -> None:
        self._end = end
        self._ledger = ledger
        self._call = call
        self._keep_going = keep_going

    def run_until_stopped(self) -> None:
        while True:
            kind, *details = self._end.receive()
            if kind == "stop":
                return
            start, star, quick, data = details
            self._ledger.begin(start)
            if quick:
                self._run_quickly(start, star, data)
            else:
                self._run_carefully(start, star, data)
            self._ledger.begin(start)

    def _run_carefully(self, start: int, star: bool, items: bytes | list[Packed]) -> None:  # noqa: FBT001 - from a message
        """Run item by item and write each outcome down, so that none is lost should a later item end the process."""
        ledger, keep_going = self._ledger, self._keep_going
        records: list[tuple[bool, Packed]] = []
        decode = _same if isinstance(items, bytes) else codec.loads
        base, begin = start, perf_counter()
        for index, item in enumerate(codec.loads(items) if isinstance(items, bytes) else items, start):
            # Before the item is decoded: what it does to the process while being unpickled is its own doing too.
            ledger.running(index)
            outcome = _outcome(self._call, decode, item, star, index)
            records.append(outcome)
            if outcome[0] and not keep_going:
                self._send("done", base, records, begin, dropped=True)
                return
            if not ledger.record(*outcome):
                self._send("done", base, records, begin)
                ledger.begin(index + 1)
                base, records, begin = index + 1, [], perf_counter()
        if records:
            self._send("done", base, records, begin)

    def _run_quickly(self, start: int, star: bool, data: bytes) -> None:  # noqa: FBT001 - from a message
        """Run many short items at the speed of C; only which item is running is written down."""
        chunk = Chunk(start, codec.loads(data), star=star)
        pending = self._ledger.tracked(chunk.items, start)
        done = run_chunk(self._call, chunk, keep_going=self._keep_going, interruptible=False, pending=pending)
        begin = perf_counter() - done.wall_s
        if not done.failed and all_plain(done.values):
            self._send("bulk", start, codec.dumps(done.values), begin)
            return
        failed = set(done.failed)
        records = [
            (True, failures.pack(value)) if index in failed else _encode(value, index)
            for index, value in enumerate(done.values, start)
        ]
        self._send("done", start, records, begin, dropped=done.dropped)

    def _send(self, kind: str, start: int, outcome: object, begin: float, *, dropped: bool = False) -> None:
        _flush_prints()
        self._end.send((kind, start, outcome, dropped, perf_counter() - begin, (process_time(), queued_s())))


def _same(item: Any) -> Any:
    return item


def _outcome(
    call: Callable[..., Any],
    decode: Callable[[Any], Any],
    item: Any,
    star: bool,  # noqa: FBT001 - the inner loop calls it by position
    index: int,
) -> tuple[bool, Packed]:
    """Decode an item, run it, encode what came of it."""
    try:
        item = decode(item)
        value = call(*item) if star else call(item)
    except BaseException as error:  # noqa: BLE001 - whatever the item or the function raises is the item's outcome
        return True, failures.pack(error)
    return _encode(value, index)


def _encode(value: Any, index: int) -> tuple[bool, Packed]:
    try:
        return False, codec.pack(value, f"the result of item {index}")
    except BaseException as error:  # noqa: BLE001 - a result may raise anything while it is pickled
        return True, failures.pack(error)


def _settle_signals() -> None:
    """Ignore Ctrl-C (the parent decides), and drop handlers inherited from the parent's program.

    A handler that does nothing rather than SIG_IGN: programs that the function starts would inherit an ignored signal.
    """
    signal.signal(signal.SIGINT, lambda *_: None)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    signal.set_wakeup_fd(-1)
    if sys.platform != "win32":
        signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGINT})


def _flush_prints() -> None:
    """Bring printed lines out before the result, so that nothing is lost and the order is natural."""
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except (AttributeError, OSError, ValueError):  # no stream, a closed one, or one that nobody reads any more
            continue


def _peak(resident: int, private: int | None) -> int | None:
    """Bytes this worker held at its peak beyond what it shares with its parent."""
    peak = memory.peak_bytes()
    if peak is None:
        return None
    return peak - resident + (resident if private is None else private)
