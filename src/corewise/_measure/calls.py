"""What a call does to objects outside, as far as the callee is known."""

from __future__ import annotations

import builtins
from types import MethodDescriptorType

from corewise._measure.bytecode import effect_of
from corewise._measure.changes import PARTS, is_container, of_function, of_method
from corewise._measure.lookups import MISSING, is_class
from corewise._measure.origins import NULL, OUTSIDE, Origin, is_outside, item_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from corewise._measure.bytecode import Step
    from corewise._measure.frame import Frame

_NEW_CONTAINERS = frozenset((enumerate, filter, iter, list, map, reversed, sorted, tuple, zip))
"""What these return is new, but holds the objects it was given."""

REST = "*"
"""Name under which a call with ``*arguments`` hands them on."""


def call(frame: Frame, count: int, names: tuple[str, ...]) -> None:
    """Carry out a call of so many arguments, the last ones by name."""
    given = frame.take(count)
    lower, upper = frame.take(2)
    # The callee and the empty place beside it, or the object that a method belongs to; their order is that of
    # CPython's version.
    callee = upper if lower is NULL else lower
    if lower is not NULL and upper is not NULL:
        given.insert(0, upper)
    split = len(given) - len(names)
    named = dict(zip(names, given[split:], strict=False))
    frame.push(_result(frame, callee, given[:split], named))


def call_unpacked(frame: Frame, step: Step) -> None:
    """Carry out a call of the form ``function(*arguments, **named)``."""
    lower, upper, arguments, *_ = frame.take(1 - effect_of(step, jump=False))
    callee = upper if lower is NULL else lower
    given: list[Origin | None] = []
    named: dict[str, Origin | None] = {}
    if arguments is not None and arguments.kind == "tuple":
        given = list(arguments.value)
    elif arguments is not None and arguments.kind == "parts":
        named = {REST: arguments}
    frame.push(_result(frame, callee, given, named))


def _result(
    frame: Frame, callee: Origin | None, given: list[Origin | None], named: dict[str, Origin | None]
) -> Origin | None:
    """Look into a call, and return the origin of what it returns."""
    if callee is None or callee.kind not in OUTSIDE | {"function"}:
        frame.weigh(*given, *named.values())
        return None
    followed, result = frame.call(callee, given, named)
    if followed:
        return result
    frame.weigh(*given, *named.values())
    if callee.attr and is_outside(callee.base):
        return _of_method(frame, callee, given)
    if callee.value is MISSING:
        return None
    return _of_library(frame, callee.value, given)


def _of_method(frame: Frame, callee: Origin, given: list[Origin | None]) -> Origin | None:
    base = callee.base
    if base is not None and is_class(base.value) and is_container(base.value) and given:
        frame.report(of_method(given[0], callee.attr))  # list.append(x, y)
        return None
    change = of_method(base, callee.attr)
    frame.report(change)
    if change is None and callee.value is not MISSING and type(callee.value) is not MethodDescriptorType:
        frame.report(of_function(callee.value, given))
    if callee.attr in PARTS and base is not None:
        frame.fetched.add(base.name)
        return Origin("parts", base=base) if callee.attr in ("items", "values") else item_of(base)
    return None


def _of_library(frame: Frame, function: object, given: list[Origin | None]) -> Origin | None:
    if function is builtins.globals:
        return Origin("global", "globals()", frame.globals)
    frame.report(of_function(function, given))
    if function is builtins.hasattr or function is builtins.getattr:
        _asked_for(frame, given)
    first = next((origin for origin in given if is_outside(origin)), None)
    if first is not None and any(function is known for known in _NEW_CONTAINERS):
        return Origin("parts", base=first)
    return None


def _asked_for(frame: Frame, given: list[Origin | None]) -> None:
    """Write down that an attribute was asked for being there."""
    base, name, *_ = (*given, None, None)
    if is_outside(base) and base is not None and name is not None and type(name.value) is str:
        frame.tested.add(f"{base.name}.{name.value}")
