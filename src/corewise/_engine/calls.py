"""Calls of different functions in one pool, as executors make them: each function is sent to each worker once."""

from __future__ import annotations

import sys
from itertools import chain

from corewise._engine.parcels import ItemRefused
from corewise._transport import codec
from corewise._transport.plain import all_plain
from corewise._work.chunk import Chunk

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from corewise._transport.blocks import Once
    from corewise._transport.codec import Packed

KEPT = 256  # guess: functions that parent and workers remember; one that was forgotten travels anew
_DIGEST_FROM_BYTES = 4096  # guess: functions longer than this carry data along, which need not lie here twice
_NAMED = (type(len), type(codec.dumps), type)  # functions and classes: those that can travel by their name
_MODULE = type(codec)


class Function:
    """A function that was called, as bytes.

    Attributes:
        key: its number, which workers know it by.
        data: what travels, once to each worker.
    """

    __slots__ = ("data", "key")

    def __init__(self, key: int, data: bytes) -> None:
        self.key = key
        self.data = data


class Calls(Chunk):
    """Consecutive calls, handed to a worker together.

    Attributes:
        items: for each call: its `Function`, its positional arguments, its keyword arguments.
        timeout_s: seconds that each call may take; None without a limit.
        once: buffers that are sent once for all calls of this scope; None where each call sends its own.
        context: the context variables of whoever submitted them, as bytes; None where there are none.
    """

    __slots__ = ("context", "once", "timeout_s")

    def __init__(
        self,
        start: int,
        items: list[tuple[Function, tuple[Any, ...], dict[str, Any]]],
        timeout_s: float | None,
        once: Once | None,
        context: bytes | None = None,
    ) -> None:
        super().__init__(start, items, star=False)
        self.context = context
        self.timeout_s = timeout_s
        self.once = once

    @property
    def functions(self) -> list[Function]:
        """The functions that a worker needs for them."""
        return [function for function, *_ in self.items]

    def part(self, start: int, stop: int) -> Calls:
        """Return the calls from index `start` to before `stop` as a chunk of their own."""
        items: Any = self.items[start - self.start : stop - self.start]
        return Calls(start, items, self.timeout_s, self.once, self.context)


class Functions:
    """The functions that were called. Equal bytes are one function. Made when the workers have been started.

    A function whose captured values change between two calls has new bytes, so each call gets what it was given.

    Args:
        main_by_value: as for `codec.dumps`.
    """

    def __init__(self, *, main_by_value: bool) -> None:
        self._main_by_value = main_by_value
        self._main = sys.modules.get("__main__")
        self._defined = {name: one for name, one in vars(self._main).items() if type(one) in _NAMED}
        self._by_content: dict[bytes, Function] = {}
        self._by_name: dict[Any, Function] = {}
        self._next = 0

    def known(self, fn: Callable[..., Any]) -> Function:
        """Return what stands for a function.

        Raises:
            CannotTravel: when it cannot be sent.
        """
        # A method of a built-in object is of the same type as a function, but the object goes along.
        named = type(fn) in _NAMED and isinstance(getattr(fn, "__self__", codec), _MODULE)
        if named and (function := self._by_name.get(fn)) is not None:
            return function
        # What travels by its name is the same each time, so it need not be pickled again.
        by_value = self._main_by_value or self._is_newer(fn)
        by_name = named and not by_value and codec.travels_by_name(fn)
        function = self._of(codec.dumps(fn, "the function", main_by_value=by_value))
        if by_name:
            _forget_oldest(self._by_name)
            self._by_name[fn] = function
        return function

    def _is_newer(self, fn: Callable[..., Any]) -> bool:
        """Return whether the program has defined a function since the workers were started: forked ones lack it."""
        if getattr(fn, "__module__", None) != "__main__":
            return False
        name = getattr(fn, "__qualname__", "").partition(".")[0]
        return name in vars(self._main) and vars(self._main)[name] is not self._defined.get(name)

    def _of(self, data: bytes) -> Function:
        content = _digest(data) if len(data) >= _DIGEST_FROM_BYTES else data
        function = self._by_content.get(content)
        if function is None:
            self._next += 1
            function = Function(self._next, data)
            _forget_oldest(self._by_content)
            self._by_content[content] = function
        return function


def _forget_oldest(known: dict[Any, Any]) -> None:
    """Make room for one more entry."""
    if len(known) >= KEPT:
        del known[next(iter(known))]


def pack_calls(calls: Calls, *, main_by_value: bool) -> tuple[bool, list[Any]]:
    """Return whether the calls may travel as they are, since nothing can go wrong with any; and what travels.

    That is for each its function's number and its arguments: positional and keyword ones as they are, or else packed.

    Raises:
        ItemRefused: at the first call whose arguments cannot travel.
    """
    items = calls.items
    if all_plain(chain.from_iterable([args for _, args, _ in items])) and not any(item[2] for item in items):
        return True, [(function.key, args, kwargs) for function, args, kwargs in items]
    packed: list[tuple[int, Packed]] = []
    for index, (function, args, kwargs) in enumerate(items, calls.start):
        try:
            data = codec.pack((args, kwargs), "the arguments", main_by_value=main_by_value)
        except BaseException as error:  # noqa: BLE001 - an argument's own pickling may raise anything
            raise ItemRefused(index, error) from None
        packed.append((function.key, data))
    return False, packed


def _digest(data: bytes) -> bytes:
    from hashlib import blake2b

    return blake2b(data).digest()
