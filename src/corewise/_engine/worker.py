"""The worker process: decodes items, runs them, writes down and sends what came of them."""

from __future__ import annotations

import os
from time import perf_counter, process_time

from corewise._engine.setting import enter, peak_bytes
from corewise._machine.queueing import queued_s
from corewise._transport import codec, failures
from corewise._transport.pickling import plain_dumps
from corewise._transport.plain import all_plain, is_plain
from corewise._types.light import Scope
from corewise._work.chunk import Chunk
from corewise._work.run import run_noted

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence
    from typing import Any, Protocol

    from corewise._engine.setting import Place, Setting, Setup
    from corewise._transport.channel import WorkerEnd
    from corewise._transport.codec import Packed

    class Loop(Protocol):
        """Takes in messages, and does what they say."""

        def run_until_stopped(self) -> None: ...

        def spent(self) -> tuple[float, float | None]: ...


LINE_LOST = 113  # exit code of a worker whose line was closed under it
NO_MEMORY = 115  # of one that had no memory for what it was sent
_TELL_S = 0.1  # guess: looking up what was spent takes 20 µs, and 90 where that evicts what a worker computes with
# Results that have been gathered for so long are sent before the next item begins. A guess: longer than most chunks
# last (`schedule.CHUNK_S`), as each of those would else take two messages.
_FLUSH_S = 0.04


def serve(setup: Setup, kind: Callable[[Setup, Setting], Loop] | None = None) -> None:
    """Serve one parent until it says stop or is gone. The body of every worker process.

    Args:
        setup: what it is given.
        kind: makes what takes in messages; None for what runs one item at a time.
    """
    with Scope() as scope:
        setting = enter(setup, scope)
        send = setting.send
        if setting.broken is not None:
            send(("broken", failures.pack(setting.broken)))
            return
        try:
            send(("ready",))
            loop = ChunkLoop(setup, setting, setting.place) if kind is None else kind(setup, setting)
            setting.run(loop.run_until_stopped)
            send(("bye", loop.spent(), peak_bytes(setting)))
        except (EOFError, OSError):
            # The line is gone, and usually the parent with it: nobody is left to tell. What the function raises never
            # comes here.
            os._exit(LINE_LOST)


def spent() -> tuple[float, float | None]:
    """Return the CPU seconds of this process, and those for which the calling thread stood in line for a core."""
    return process_time(), queued_s()


class ChunkLoop:
    """The loop over chunks.

    Args:
        setup: what the worker was given.
        setting: what it works in.
        place: where it says which item it is at.
    """

    def __init__(self, setup: Setup, setting: Setting, place: Place) -> None:
        self._setting = setting
        self._place = place
        self._end: WorkerEnd = setting.end
        self._send_message = setting.send
        self._ledger = place.ledger
        self._inherited = setup.inherited
        self._keep_going = setup.keep_going
        self._functions: dict[int, Callable[..., Any] | bytes] = {}
        self._told = 0.0  # when it last looked up what it has spent
        self._spent: tuple[float, float | None] | None = None

    def run_until_stopped(self) -> None:
        while True:
            try:
                kind, *details = self._end.receive()
            except MemoryError:
                os._exit(NO_MEMORY)
            if kind == "stop":
                return
            if kind == "chunk":
                self.chunk(*details)
            elif kind == "unseen":
                self._unseen(*details)
            elif kind == "batch":
                self._batch(*details)
            else:
                self._calls(*details)
            del details

    def spent(self) -> tuple[float, float | None]:
        """Return the CPU seconds that this process has spent, and those for which it stood in line for a core."""
        return spent()

    def chunk(self, position: int, start: int, count: int, star: bool, quick: bool, data: Any) -> None:  # noqa: FBT001 - from a message
        """Run items of the one function."""
        items, invoke = self._opened(position, start, count, star, data)
        if quick:
            self._run_quickly(position, Chunk(start, items, star=star), lambda: self._setting.call)
        else:
            self._run_carefully(position, start, count, items, invoke)

    def _unseen(self, position: int, start: int, count: int) -> None:
        """Run very short items that were inherited, and that nobody has looked at: only plain ones may be used so."""
        items = self._inherited_items(start, count, star=False)
        if all_plain(items):
            self._ledger.begin(position)
            self._place.shift = start - position
            self._run_quickly(position, Chunk(start, items, star=False), lambda: self._setting.call)
        else:
            self._send_message(("unlike", position, position + count))
            self._ledger.begin(position + count)

    def _opened(self, position: int, start: int, count: int, star: bool, data: Any) -> tuple[Any, Callable[[Any], Any]]:  # noqa: FBT001 - from a message
        """Return the items of a chunk, in whatever can be gone through, and what runs one."""
        self._ledger.begin(position)
        self._place.shift = start - position
        call = self._setting.call
        invoke = (lambda item: call(*item)) if star else call
        if data is None:
            return self._inherited_items(start, count, star=star), invoke
        if isinstance(data, bytes):
            return codec.loads(data), invoke
        invoke = (lambda item: call(*codec.loads(item))) if star else (lambda item: call(codec.loads(item)))
        return _taken_out(data), invoke

    def _batch(
        self,
        position: int,
        first: int,
        count: int,
        functions: tuple[Any, list[int]] | None,
        of: tuple[int, bytes | None, bool, bool],
        data: Any,
    ) -> None:
        """Run items of a job, whose function is known here by its key."""
        self._ledger.begin(position)
        self._place.shift = first - position
        if functions is not None:
            self._learn(*functions)
        key, context, star, quick = of

        def call() -> Callable[..., Any]:  # not before an item is noted: to unpickle it is that item's doing
            return self._function(key)

        if quick:
            self._run_quickly(position, Chunk(first, codec.loads(data), star=star), call)
            return
        items = codec.loads(data) if isinstance(data, bytes) else _taken_out(data)
        invoke = _in_context(context, _invocation(call, star=star, packed=not isinstance(data, bytes)))
        self._run_carefully(position, first, count, items, invoke)

    def _inherited_items(self, start: int, count: int, *, star: bool) -> Sequence[Any]:
        parts = [sequence[start : start + count] for sequence in self._inherited]
        return list(zip(*parts, strict=False)) if star else parts[0]

    def _calls(
        self,
        position: int,
        start: int,
        functions: tuple[Any, list[int]] | None,
        context: bytes | None,
        plain: bool,  # noqa: FBT001 - from a message
        calls: list[Any],
    ) -> None:
        """Run calls of functions that are known here by their keys."""
        self._ledger.begin(position)
        self._place.shift = start - position
        if functions is not None:
            self._learn(*functions)
        invoke = _in_context(context, self._invoke if plain else self._decode_and_invoke)
        if len(calls) == 1:
            self._run_alone(position, start, calls.pop(), invoke)
        else:
            self._run_carefully(position, start, len(calls), _taken_out(calls), invoke)

    def _learn(self, fresh: list[tuple[int, bytes]], gone: list[int]) -> None:
        for key in gone:
            self._functions.pop(key, None)
        for key, packed in fresh:
            self._functions[key] = packed

    def _invoke(self, item: tuple[int, tuple[Any, ...], dict[str, Any]]) -> Any:
        key, args, kwargs = item
        return self._function(key)(*args, **kwargs)

    def _decode_and_invoke(self, item: tuple[int, Packed]) -> Any:
        args, kwargs = codec.loads(item[1])
        return self._function(item[0])(*args, **kwargs)

    def _function(self, key: int) -> Callable[..., Any]:
        fn = self._functions[key]
        if isinstance(fn, bytes):  # only now: what it does to the process while being unpickled is this item's doing
            fn = self._functions[key] = self._setting.callable_from(fn)
        return fn

    def _run_alone(self, position: int, index: int, item: Any, invoke: Callable[[Any], Any]) -> None:
        """Run one item and send its outcome: as there is no other, none has to be written down."""
        ledger = self._ledger
        begin = perf_counter()
        if not ledger.running(position):
            self._send_message(("skipped", position, position + 1))
        else:
            if self._setting.before_item is not None:
                self._setting.before_item(index)
            try:
                value = invoke(item)
            except BaseException as error:  # noqa: BLE001 - whatever the item or the function raises is the item's outcome
                self._send_outcomes("done", position, [(True, failures.pack(error))], begin)
            else:
                del item  # so that a large result can go back in the memory of a large argument
                if codec.is_short(value):
                    self._send_outcomes("plain", position, plain_dumps([value]), begin)
                else:
                    self._send_outcomes("done", position, [_encoded(value, index)], begin)
        ledger.begin(position + 1)

    def _run_carefully(
        self, position: int, start: int, count: int, items: Iterable[Any], invoke: Callable[[Any], Any]
    ) -> None:
        """Run item by item and write each outcome down, so that none is lost should a later item end the process."""
        ledger, before_item = self._ledger, self._setting.before_item
        make_sure_of_line = self._end.make_sure_it_is_open
        batch = Batch(position)
        end, shift = position + count, start - position
        for item in items:
            # Before the item is decoded: what it does to the process while being unpickled is its own doing too.
            if not ledger.running(position):
                self._send(batch)
                self._send_message(("skipped", position, end))
                ledger.begin(end)
                return
            if before_item is not None:
                before_item(position + shift)
            outcome, plain = outcome_of(invoke, item, position + shift)
            del item
            position += 1
            if outcome[0] and not self._keep_going:
                batch.add(outcome, plain)
                self._send(batch, dropped=True)
                ledger.begin(end)
                return
            kept = ledger.record(*outcome)
            is_old = batch.add(outcome if kept is None else (outcome[0], kept), plain)
            # An item that begins without it would be killed in the midst by a parent that has waited for this process
            # to end, and named as what had closed it.
            make_sure_of_line()
            if kept is None or (is_old and position < end):
                self._send(batch)
                ledger.begin(position)
                batch = Batch(position)
        self._send(batch)
        ledger.begin(position)

    def _run_quickly(self, position: int, chunk: Chunk, call: Callable[[], Callable[..., Any]]) -> None:
        """Run many short items in one loop; only which item is running is written down."""
        end = position + len(chunk.items)
        if not self._ledger.running(position):
            self._send_message(("skipped", position, end))
        else:
            note = self._ledger.follow()
            done = run_noted(call(), chunk, note, position + 1, keep_going=self._keep_going)
            batch = Batch(position, perf_counter() - done.wall_s)
            if not done.failed and all_plain(done.values):
                batch.values = done.values
            else:
                failed = set(done.failed)
                for index, value in enumerate(done.values, chunk.start):
                    batch.add((True, failures.pack(value)) if index in failed else _encoded(value, index), None)
            self._send(batch, dropped=bool(done.dropped))
        self._ledger.begin(end)

    def _send(self, batch: Batch, *, dropped: bool = False) -> None:
        if not batch.records and not batch.values:
            return
        if batch.values is not None:
            self._send_outcomes("plain", batch.position, plain_dumps(batch.values), batch.begin)
        else:
            self._send_outcomes("done", batch.position, batch.records, batch.begin, dropped=dropped)

    def _send_outcomes(
        self, kind: str, position: int, outcomes: bytes | list[Any], begin: float, *, dropped: bool = False
    ) -> None:
        self._ledger.finished()
        self._setting.flush()
        now = perf_counter()
        spent, self._spent = self._spent, None
        self._send_message((kind, position, outcomes, dropped, now - begin, spent))
        if now - self._told > _TELL_S:
            # After the results are on their way; it goes with the next ones.
            self._told = now
            self._spent = self.spent()


class Batch:
    """Outcomes of consecutive items that are to be sent together.

    Attributes:
        position: of the first one.
        begin: when its items began.
        records: for each item whether it failed, and its result or exception as bytes.
        values: the results themselves, as long as all of them are of types that can travel in one.
    """

    __slots__ = ("begin", "position", "records", "values")

    def __init__(self, position: int, begin: float | None = None) -> None:
        self.position = position
        self.begin = perf_counter() if begin is None else begin
        self.records: list[tuple[bool, Packed]] = []
        self.values: list[Any] | None = []

    def add(self, outcome: tuple[bool, Packed], plain: list[Any] | None) -> bool:
        """Add one; return whether they have been gathered for so long that they are to be sent."""
        self.records.append(outcome)
        if plain is None:
            self.values = None
        elif self.values is not None:
            self.values += plain
        return perf_counter() - self.begin > _FLUSH_S


def _in_context(context: bytes | None, invoke: Callable[[Any], Any]) -> Callable[[Any], Any]:
    """Return what runs one item with these context variables, and leaves them as they are for the next."""
    if context is None:
        return invoke
    from corewise._engine import contexts

    return lambda item: contexts.run_in(context, invoke, item)


def _invocation(call: Callable[[], Callable[..., Any]], *, star: bool, packed: bool) -> Callable[[Any], Any]:
    """Return what runs one item of a batch."""
    if star:
        return (lambda item: call()(*codec.loads(item))) if packed else (lambda item: call()(*item))
    if packed:
        return lambda item: call()(codec.loads(item))
    return lambda item: call()(item)  # noqa: PLW0108 - `call` must not be called before the item is noted


def _taken_out(items: list[Any]) -> Iterator[Any]:
    """Give the items of a list and let go of each: its memory may be needed while the next ones run."""
    items.reverse()
    while items:
        yield items.pop()


def outcome_of(invoke: Callable[[Any], Any], item: Any, index: int) -> tuple[tuple[bool, Packed], list[Any] | None]:
    """Run an item; return what came of it, encoded, and the result itself in a list if it is plain."""
    try:
        value = invoke(item)
    except BaseException as error:  # noqa: BLE001 - whatever the item or the function raises is the item's outcome
        return (True, failures.pack(error)), None
    kind = type(value)
    if kind is int or kind is float or kind is bool or value is None:
        # Most results are such; and items of milliseconds evict the code that comes between them, so less is quicker.
        return (False, plain_dumps(value)), [value]
    encoded = _encoded(value, index)
    # What is large, or could not be encoded after all, does not go with the others.
    alone = encoded[0] or not isinstance(encoded[1], bytes)
    return encoded, None if alone or not is_plain(value) else [value]


def _encoded(value: Any, index: int) -> tuple[bool, Packed]:
    try:
        return False, codec.pack(value, f"the result of item {index}")
    except BaseException as error:  # noqa: BLE001 - a result may raise anything while it is pickled
        return True, failures.pack(error)
