"""Finds what a function does to objects outside itself, which in another process would be lost.

The function is not run, and neither is anything else of the user's: its bytecode is read, with the objects at hand
that it names. What cannot be told so is not found.
"""

from __future__ import annotations

import functools
import sys
from types import CodeType, FunctionType, MethodType

from corewise._measure.calls import REST
from corewise._measure.changes import is_container
from corewise._measure.frame import Frame
from corewise._measure.lookups import MISSING, in_class, is_class, is_library_file, own_attributes
from corewise._measure.operations import OPERATIONS
from corewise._measure.origins import Origin, item_of
from corewise._types.measurement import Effect

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from typing import Any

    from corewise._measure.frame import Answer, Cell, Finding

_DEPTH = 4  # guess: of calls; what is further away is seldom the function's own business
_STEPS = 4000  # guess: instructions looked at before no further call is followed; some 5 ms
_EFFECTS = 20  # guess: nobody reads more
_WRAPPERS = 10  # guess: of decorators and partials around each other

_VARIABLE, _NAMED = 0x04, 0x08  # flags of a code object, as in `inspect`: *arguments, **named
_LATER = 0x20 | 0x80 | 0x200  # generators and coroutines: calling one returns something else than it says


def effects_of(fn: Callable[..., object]) -> tuple[Effect, ...]:
    """Find what a function changes outside itself, so that other processes would lose it.

    Calls of the user's own functions are followed, those of the standard library and of installed packages are not.

    Args:
        fn: a function, method, class, `functools.partial` or other callable.

    Returns:
        The effects, certain ones first; none for functions that are written in C or that belong to a library, and on
        implementations of Python whose bytecode is not CPython's.
    """
    if sys.implementation.name != "cpython":
        return ()
    try:
        return _Analysis().effects(fn)
    except Exception:  # noqa: BLE001 - objects may be as odd as they like; not knowing is no reason to end a run
        return ()


def _is_library(code: CodeType) -> bool:
    return is_library_file(code.co_filename)


class _Analysis:
    """Follows calls from one function on, and remembers what it has seen."""

    def __init__(self, skips: Callable[[CodeType], bool] = _is_library) -> None:
        self.broken: list[tuple[CodeType, Exception]] = []
        self._skips = skips
        self._seen: dict[object, Answer] = {}
        self._kept: list[object] = []  # so that no other object gets the number of one that was seen
        self._steps = 0
        self._active: list[object] = []

    def effects(self, fn: object) -> tuple[Effect, ...]:
        """Return the effects of a function."""
        target = self._target(Origin("attribute", "self", fn), [], {})
        if target is None:
            return ()
        function, given, named = target
        values = _bound(function, given, named, rest=None, outermost=True)
        frame = self._run(function.__code__, function.__globals__, _cells(function), values)
        if frame is None:
            return ()
        return tuple(_effects(function, frame))

    def follow(
        self, frame: Frame, callee: Origin, given: list[Origin | None], named: dict[str, Origin | None]
    ) -> Answer | None:
        """Look into what is called; None where it cannot be looked into."""
        if callee.kind == "function":
            return self._made_there(frame, callee.value, given, named)
        if callee.value is MISSING:
            return None
        target = self._target(callee, given, named)
        if target is None:
            return None
        function, given, named = target
        rest = named.pop(REST, None)
        values = _bound(function, given, named, rest=rest, outermost=False)
        return self._answer(function.__code__, function.__globals__, _cells(function), values)

    def _made_there(
        self, frame: Frame, code: CodeType, given: list[Origin | None], named: dict[str, Origin | None]
    ) -> Answer | None:
        names = code.co_varnames[: code.co_argcount]
        values = {**dict(zip(names, given, strict=False)), **{name: named[name] for name in names if name in named}}
        return self._answer(code, frame.globals, frame.made.get(code, {}), values)

    def _target(
        self, callee: Origin, given: list[Origin | None], named: dict[str, Origin | None]
    ) -> tuple[FunctionType, list[Origin | None], dict[str, Origin | None]] | None:
        """Return the function of the user's that is run in the end, and what it is given; None if there is none."""
        value = callee.value
        given, named = list(given), dict(named)
        for _ in range(_WRAPPERS):
            if type(value) is FunctionType and not self._skips(value.__code__):
                return value, given, named
            if type(value) is functools.partial:
                given[:0] = [Origin("argument", value=one) for one in value.args]
                named = {**{name: Origin("argument", name, one) for name, one in value.keywords.items()}, **named}
                value = value.func
                continue
            value, owner = _inside(value, callee)
            if value is MISSING:
                return None
            given[:0] = owner
        return None

    def _answer(
        self,
        code: CodeType,
        variables: dict[str, object],
        cells: dict[str, Cell],
        values: dict[str, Origin | None],
    ) -> Answer | None:
        which = _which(code, variables, cells)
        key = (*which, tuple((name, origin and origin.key) for name, origin in values.items()))
        if key in self._seen:
            return self._seen[key]
        if which in self._active:  # it calls itself, and does no more than it does anyway
            return None, []
        if len(self._active) > _DEPTH or self._steps > _STEPS:
            return None
        self._kept.append((cells, values))
        frame = self._run(code, variables, cells, values)
        self._seen[key] = (None, []) if frame is None else frame.answer()
        if code.co_flags & _LATER:
            self._seen[key] = (None, self._seen[key][1])
        return self._seen[key]

    def _run(
        self,
        code: CodeType,
        variables: dict[str, object],
        cells: dict[str, Cell],
        values: dict[str, Origin | None],
    ) -> Frame | None:
        self._active.append(_which(code, variables, cells))
        try:
            frame = Frame(code, variables, cells, values, self.follow)
            self._steps += len(frame.steps)
            frame.run(OPERATIONS)
        except Exception as error:  # noqa: BLE001 - what cannot be read has no findings; it never ends a run
            self.broken.append((code, error.with_traceback(None)))  # which holds objects of the user's
            return None
        finally:
            self._active.pop()
        return frame


def _which(code: CodeType, variables: dict[str, object], cells: dict[str, Cell]) -> tuple[object, ...]:
    """Tell functions apart: a decorator's wrappers have their code in common, and call different functions."""
    captured = tuple((name, origin and origin.key, outside) for name, (origin, outside) in cells.items())
    return code, id(variables), captured


def _inside(value: Any, callee: Origin) -> tuple[object, list[Origin | None]]:
    """Return what a callable calls, and the object that this belongs to; MISSING where it calls nothing we can see."""
    kind = type(value)
    if kind is MethodType:
        return value.__func__, [_owner(callee, value.__self__)]
    if is_class(value):
        return in_class(value, "__init__")[0], [None]  # a new object, on which all may be done
    wrapped = own_attributes(value).get("__wrapped__", MISSING)
    if wrapped is not MISSING or kind is FunctionType:
        return wrapped, []
    method = in_class(kind, "__call__")[0]
    return method if type(method) is FunctionType else MISSING, [_owner(callee, value)]


def _owner(callee: Origin, owner: object) -> Origin:
    """Return the origin of the object that a method belongs to, where possible as the source names it."""
    if callee.base is not None and callee.base.value is owner:
        return callee.base
    return callee if callee.value is owner else Origin("attribute", "", owner, sure=callee.sure)


def _cells(function: FunctionType) -> dict[str, Cell]:
    cells: dict[str, Cell] = {}
    for name, cell in zip(function.__code__.co_freevars, function.__closure__ or (), strict=True):
        try:
            value = cell.cell_contents
        except ValueError:  # not assigned yet
            value = MISSING
        cells[name] = (Origin("closure", name, value), True)
    return cells


def _bound(
    function: FunctionType,
    given: list[Origin | None],
    named: dict[str, Origin | None],
    *,
    rest: Origin | None,
    outermost: bool,
) -> dict[str, Origin | None]:
    """Return the parameters of a function and where what they get comes from.

    Args:
        function: the function.
        given: what is given by position.
        named: what is given by name.
        rest: what else is given by position, however many.
        outermost: whether it is the function that a map calls: what is not given is an item.
    """
    code = function.__code__
    names = code.co_varnames[: code.co_argcount]
    defaults = dict(zip(reversed(names), reversed(function.__defaults__ or ()), strict=False))
    defaults.update(function.__kwdefaults__ or {})
    values: dict[str, Origin | None] = {}
    for name, origin in zip(names, given, strict=False):
        values[name] = Origin(origin.kind, name, origin.value) if origin is not None and not origin.name else origin
    for name in code.co_varnames[: code.co_argcount + code.co_kwonlyargcount]:
        if name in named:
            values[name] = named[name]
        elif name in values:
            continue
        elif name in defaults:
            values[name] = _default(name, defaults[name])
        elif name in names:
            values[name] = Origin("argument", name) if outermost or _is_given(rest) else item_of(rest)
    if code.co_flags & _VARIABLE:
        star = code.co_varnames[code.co_argcount + code.co_kwonlyargcount]
        more = given[len(names) :]
        open_end = Origin("parts", base=Origin("argument", star)) if outermost else rest
        values[star] = Origin("tuple", value=tuple(more)) if more else open_end
    return values


def _is_given(rest: Origin | None) -> bool:
    """Say whether ``*arguments`` hands on what the map gives."""
    return rest is not None and rest.base is not None and rest.base.kind == "argument" and rest.base.base is None


def _default(name: str, value: object) -> Origin | None:
    """Return the origin of a parameter that is not given: its default lives as long as the function does."""
    return Origin("argument", name, value, sure=False) if is_container(type(value)) else None


def _effects(function: FunctionType, frame: Frame) -> Iterable[Effect]:
    """Return what was found, in words, certain ones first, none twice."""
    findings = frame.answer()[1]
    carried = {origin.name for origin in frame.returned if origin and origin.kind == "argument"}
    found: dict[tuple[object, ...], Effect] = {}
    for finding in findings:
        effect = _effect(finding, carried)
        found.setdefault((effect.kind, effect.name, effect.how, effect.file, effect.line), effect)
    changed = {change.origin.root.name for change, _, _ in findings}
    code = function.__code__
    for origin in frame.results:
        if origin is not None and _is_whole_argument(origin) and origin.name not in changed:
            found[origin.name,] = Effect(
                kind="returns-argument",
                name=origin.name,
                how="returns",
                file=code.co_filename,
                line=code.co_firstlineno,
                certain=False,
            )
    return sorted(found.values(), key=lambda effect: not effect.certain)[:_EFFECTS]


def _is_whole_argument(origin: Origin) -> bool:
    """Say whether this is what the function was given, or the object that it is a method of; no part of it."""
    return origin.base is None and (origin.kind == "argument" or (origin.kind == "attribute" and origin.name == "self"))


def _effect(finding: Finding, returned: set[str]) -> Effect:
    change, file, line = finding
    carried, part = False, change.origin if change.origin.kind == "argument" else None
    while part is not None and not carried:
        carried, part = part.name in returned, part.base
    return Effect(
        kind=change.kind,
        name=change.name,
        how=f"{change.how} (and returns)" if carried else change.how,
        file=file,
        line=line,
        certain=change.certain and not carried,
    )
