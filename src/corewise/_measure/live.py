"""Finds an object that a function uses beside its arguments and that may be bound to this process or its event loop.

A client with open connections, a semaphore that bounds calls, a lock: a worker process would have a copy of it, of
which the others know nothing, or the very same connection. Nothing of the user's is run; its code is read.
"""

from __future__ import annotations

import functools
import re
from _contextvars import ContextVar
from types import BuiltinFunctionType, CodeType, FunctionType, ModuleType

from corewise._measure.lookups import is_library_file, is_library_module

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from typing import Any

_PLAIN = (type(None), bool, int, float, complex, str, bytes, type(...), re.Pattern, ContextVar)
_HARMLESS = (*_PLAIN, BuiltinFunctionType)
_FUNCTIONS = 200  # guess: functions that are followed; beyond that one does not know, and takes it for live
_PARTS = 1000  # guess: of a constant table


def live_object(fn: Callable[..., object]) -> str | None:
    """Return the name of the first such object; None where all that is used are modules, functions and plain values.

    Functions and classes of libraries are not looked into.

    Args:
        fn: a function. Of a method or another callable the object itself is taken to be live.
    """
    if isinstance(fn, functools.partial):
        bound = (*fn.args, *fn.keywords.values())
        return next((type(part).__name__ for part in bound if not _is_plain(part)), None) or live_object(fn.func)
    if not isinstance(fn, FunctionType):
        return type(fn).__name__
    seen: set[int] = set()
    following: list[FunctionType] = [fn]
    while following:
        function = following.pop()
        if len(seen) > _FUNCTIONS:
            return function.__qualname__
        if id(function.__code__) not in seen:
            seen.add(id(function.__code__))
            used = list(_used(function))
            following += [value for _, value in used if _is_followed(value)]
            for name, value in used:
                if not isinstance(value, FunctionType) and not _is_harmless(value):
                    return name
    return None


def _is_followed(value: object) -> bool:
    return isinstance(value, FunctionType) and not is_library_file(value.__code__.co_filename)


def _used(function: FunctionType) -> Iterator[tuple[str, Any]]:
    """Give what a function finds under the names in its code: globals, what it has captured, defaults."""
    names = set(_names(function.__code__))
    for name, cell in zip(function.__code__.co_freevars, function.__closure__ or (), strict=False):
        try:
            yield name, cell.cell_contents
        except ValueError:  # not filled yet
            continue
    for default in (*(function.__defaults__ or ()), *(function.__kwdefaults__ or {}).values()):
        yield type(default).__name__, default
    found = [(name, function.__globals__[name]) for name in names if name in function.__globals__]
    for name, value in found:
        if isinstance(value, ModuleType | type):
            if isinstance(value, ModuleType) and not is_library_module(value):
                yield from _attributes(vars(value), names)
            elif isinstance(value, type) and value.__module__ == function.__module__:
                yield from _attributes(dict(vars(value)), {*vars(value)})
        else:
            yield name, value


def _attributes(of: dict[str, Any], names: Iterable[str]) -> Iterator[tuple[str, Any]]:
    for name in names:
        if name in of and not name.startswith("__"):
            value = of[name]
            if isinstance(value, staticmethod | classmethod):
                value = value.__func__
            if not isinstance(value, ModuleType | type | property):
                yield name, value


def _names(code: CodeType) -> Iterator[str]:
    yield from code.co_names
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield from _names(constant)


def _is_harmless(value: object) -> bool:
    return isinstance(value, ModuleType | type) or type(value) in _HARMLESS or _is_plain(value)


def _is_plain(value: object) -> bool:
    """Whether a value is a constant, or a table of constants."""
    kind = type(value)
    if kind in _PLAIN:
        return True
    if isinstance(value, dict) and kind is dict:
        return len(value) <= _PARTS and all(type(part) in _PLAIN for pair in value.items() for part in pair)
    if isinstance(value, list | tuple | set | frozenset) and kind in (list, tuple, set, frozenset):
        return len(value) <= _PARTS and all(type(part) in _PLAIN for part in value)
    return False
