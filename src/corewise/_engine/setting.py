"""What surrounds the loop of a worker: signals, its share of the cores, the function, the initializer, the end."""

from __future__ import annotations

import gc
import sys
from _contextvars import Context
from time import perf_counter

from corewise._machine import cpus, memory, native_limits
from corewise._transport import codec
from corewise._transport.channel import WorkerEnd
from corewise._types.record import Record
from corewise._work.coroutines import initialized, is_coroutine_function, plain_calls

TYPE_CHECKING = False
if TYPE_CHECKING:
    import signal
    from collections.abc import Callable, Sequence
    from typing import Any

    from corewise._engine.lifeline import Lifeline
    from corewise._engine.outlet import Surroundings
    from corewise._engine.shared_end import SharedEnd
    from corewise._transport.ledger import Ledger, Page
    from corewise._types.light import Scope

else:
    # The public module turns numbers into enums, which costs 2 ms to import.
    import _signal as signal

_SHORT_S = 0.1  # guess: what a worker of this age holds is hardly worth the look


class Preparation(Record):
    """What is to be done in a worker before its first item.

    Attributes:
        fn: the function that chunks are run by; None where every call brings its own.
        initializer: called once, with `initargs`.
        initargs: its arguments.
    """

    fn: Callable[..., Any] | None
    initializer: Callable[..., object] | None = None
    initargs: tuple[Any, ...] = ()


class Setup(Record):
    """What a worker is given when it is started.

    Attributes:
        line: its end of the socket.
        ledger: its block of shared memory.
        lifeline: what tells it that its parent is gone.
        preparation: what to do first, inherited by fork, or as bytes.
        initargs: the initializer's arguments, where they could not be packed.
        inherited: the inputs, where workers inherit them; empty where items are sent.
        keep_going: whether to go on behind an item that fails.
        cores: its share of the cores, for calls made inside it.
        seed: from which, with its index, each item's random numbers come; None leaves them alone.
        surroundings: the parent's logging and warnings; None where nothing of the kind is to be sent.
        context: the caller's context variables; None where they are inherited, or there are none.
        lanes: items that it runs at once.
        await_s: seconds that an item may take in its event loop; None without a limit.
        name: what the names of its threads begin with.
    """

    line: Any
    ledger: Ledger
    lifeline: Lifeline
    preparation: Preparation | bytes
    initargs: tuple[Any, ...] | None
    inherited: tuple[Sequence[Any], ...]
    keep_going: bool
    cores: int
    seed: int | None
    surroundings: Surroundings | None
    context: bytes | None
    lanes: int = 1
    await_s: float | None = None
    name: str = "corewise"


class Place:
    """Where items are run, one at a time.

    Attributes:
        ledger: where it is written down which.
        shift: what to add to an item's position for its index.
    """

    __slots__ = ("ledger", "shift")

    def __init__(self, ledger: Page) -> None:
        self.ledger = ledger
        self.shift = 0


class Setting:
    """What a worker works in.

    Attributes:
        end: its end of the line.
        shared_end: the same for several threads, where there are several lanes.
        send: sends a message over it; the one way to do so.
        place: where items are run, unless there are several lanes.
        place_of_caller: tells where the item is run that this is asked in; None where it is none.
        call: the function that chunks are run by. It never returns a coroutine, unless `run_coroutine` runs several.
        run_coroutine: calls a coroutine function and runs the coroutine to its end in the worker's event loop; None
            where the function needs none.
        before_item: called with the index of each item about to be run; None where there is nothing to do.
        broken: why the worker cannot work; None when it can.
    """

    def __init__(self, setup: Setup, scope: Scope) -> None:
        self.begun = perf_counter()
        self.resident_at_start = memory.resident_bytes() or 0
        self.end = WorkerEnd(setup.line)
        self.send: Callable[[object], None] = self.end.send
        self.place = Place(setup.ledger)
        self.place_of_caller: Callable[[], Place | None] = lambda: self.place
        self.run_coroutine: Callable[..., Any] | None = None
        self.shared_end: SharedEnd | None = None
        if setup.lanes > 1:
            from corewise._engine.shared_end import SharedEnd

            self.shared_end = SharedEnd(self.end)
            self.send = self.shared_end.send
        if setup.surroundings is not None:
            from corewise._engine import forwarding, outlet

            if self.shared_end is None:
                self.send = outlet.Sender(self.end.send)  # log records may come from any thread of the function's
            forwarding.install(self.send, self._index, setup.surroundings)
        self.call: Callable[..., Any] = _nothing_to_call
        self.before_item: Callable[[int], None] | None = None
        self.broken: BaseException | None = None
        self._scope = scope
        try:
            self._prepare(setup)
        except BaseException as error:  # noqa: BLE001 - importing the user's module, or an initializer, may raise anything
            self.broken = error
            if self.call is _nothing_to_call:
                _log_like_standard_executors(error)

    def _index(self) -> int | None:
        """Return the index of the running item."""
        place = self.place_of_caller()
        at = None if place is None else place.ledger.at()
        return None if place is None or at is None else at[0] + place.shift

    def _prepare(self, setup: Setup) -> None:
        if setup.context is not None:
            from corewise._engine import contexts

            contexts.adopt(setup.context)
        preparation = setup.preparation
        if isinstance(preparation, bytes):
            preparation = codec.loads(preparation)
        initargs = preparation.initargs if setup.initargs is None else setup.initargs
        fn = preparation.fn or _nothing_to_call
        if setup.lanes > 1 and is_coroutine_function(fn):
            self.run_coroutine = initialized(fn, self._scope, preparation.initializer, initargs)
            self.call = fn
        else:
            self.call = plain_calls(fn, self._scope, preparation.initializer, initargs)
        if setup.seed is not None:
            from corewise._work.seeds import seed_item

            seed = setup.seed
            self.before_item = lambda index: seed_item(seed, index)

    def _plain(self, fn: Callable[..., Any]) -> Callable[..., Any]:
        return plain_calls(fn, self._scope)

    def callable_from(self, data: bytes) -> Callable[..., Any]:
        """Return a function that came as bytes, or one that raises what went wrong with these."""
        try:
            return self._plain(codec.loads(data))
        except BaseException as error:  # noqa: BLE001 - the calls of this function fail, and no others
            raised = error

            def fail(*_: object, **__: object) -> None:
                raise raised

            return fail

    def run(self, loop: Callable[[], None]) -> None:
        """Run the worker's loop; calls that bring their own context variables see none that were inherited."""
        if self.call is _nothing_to_call:
            Context().run(loop)
        else:
            loop()

    def flush(self) -> None:
        """Bring printed lines out before the result, so that nothing is lost and the order is natural."""
        for stream in (sys.stdout, sys.stderr):
            try:
                stream.flush()
            except (AttributeError, OSError, ValueError):  # no stream, a closed one, or one that nobody reads any more
                continue


def enter(setup: Setup, scope: Scope) -> Setting:
    """Make a worker process ready for its loop; what it needs is closed with `scope`."""
    setup.lifeline.arm()
    _settle_signals()
    _forget_fork_server()
    # What was inherited is not garbage here, and to look through it would copy the pages shared with the parent.
    gc.freeze()
    cpus.hand_down(setup.cores)
    native_limits.limit(setup.cores)
    return Setting(setup, scope)


def peak_bytes(setting: Setting) -> int | None:
    """Bytes this worker held at its peak beyond what it shares with its parent.

    To look up what is shared takes a millisecond or more; a worker that was gone in less than `_SHORT_S` says how much
    it has grown instead.
    """
    peak = memory.peak_bytes()
    if peak is None:
        return None
    if perf_counter() - setting.begun < _SHORT_S:
        return max(0, peak - setting.resident_at_start)
    private, resident = memory.private_bytes(), memory.resident_bytes()
    return peak if private is None or resident is None else max(0, peak - (resident - private))


def _log_like_standard_executors(error: BaseException) -> None:
    from logging import getLogger

    getLogger("concurrent.futures").critical("Exception in initializer:", exc_info=error)


def _nothing_to_call(*_: object) -> None:
    raise TypeError("this worker runs calls that bring their own function")


def _forget_fork_server() -> None:
    """Have calls made in this worker start a fork server of their own, if they need one.

    One that was inherited is a child of the parent; the standard library would wait for it as for one of its own, and
    fail (CPython 3.15 still does).
    """
    server: Any = getattr(sys.modules.get("multiprocessing.forkserver"), "_forkserver", None)
    if getattr(server, "_forkserver_pid", None) is not None:
        server._forkserver_pid = server._forkserver_address = server._forkserver_alive_fd = None  # noqa: SLF001 - no other way


def _settle_signals() -> None:
    """Ignore Ctrl-C (the parent decides), and drop handlers inherited from the parent's program.

    A handler that does nothing rather than SIG_IGN: programs that the function starts would inherit an ignored signal.
    """
    signal.signal(signal.SIGINT, lambda *_: None)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    signal.set_wakeup_fd(-1)
    if sys.platform != "win32":
        signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGINT})
