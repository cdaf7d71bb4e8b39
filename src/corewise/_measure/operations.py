"""What each instruction does to the stack and to objects outside: CPython 3.11 to 3.14.

An instruction that is not here makes all that is on the stack unknown, so nothing is found rather than something wrong.
"""

from __future__ import annotations

import sys

from corewise._measure.calls import call, call_unpacked
from corewise._measure.changes import IN_PLACE, of_attribute, of_item, of_operator
from corewise._measure.lookups import MISSING
from corewise._measure.origins import NULL, SLICE, Origin, attribute_of, is_outside, item_of, merged
from corewise._measure.plain import ASKING_JUMPS, PLAIN
from corewise._measure.variables import VARIABLES, how_stored

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from corewise._measure.frame import Frame

_SINCE_3_12 = sys.version_info >= (3, 12)
_SINCE_3_13 = sys.version_info >= (3, 13)
_CLOSURE_FLAGS = 4  # bits of MAKE_FUNCTION before 3.13: defaults, keyword defaults, annotations, closure

# Arguments of BINARY_OP, as in CPython's opcode.h: thirteen operators, the same in place, and since 3.14 `x[y]`.
_FIRST_IN_PLACE, _SUBSCRIPT = 13, 26
_SIGNS = {13: "+", 14: "&", 18: "*", 20: "|", 23: "-"}


def _load_const(frame: Frame, arg: int) -> None:
    frame.push(Origin("const", value=frame.code.co_consts[arg]))


def _store_attr(frame: Frame, arg: int) -> None:
    value, base = frame.take(2)
    how, plain = how_stored(value, "assigns")
    frame.report(of_attribute(base, frame.code.co_names[arg], how, plain=plain))


def _delete_attr(frame: Frame, arg: int) -> None:
    frame.report(of_attribute(frame.pop(), frame.code.co_names[arg], "deletes"))


def _store_item(frame: Frame, operands: int) -> None:
    value, base, *_ = frame.take(operands)
    plain = how_stored(value, "")[1]
    frame.report(of_item(base, "sets an item of" if plain else "changes an item of", plain=plain))


def _store_subscr(frame: Frame, _: int) -> None:
    _store_item(frame, 3)


def _store_slice(frame: Frame, _: int) -> None:
    _store_item(frame, 4)


def _delete_subscr(frame: Frame, _: int) -> None:
    base, _key = frame.take(2)
    frame.report(of_item(base, "deletes from"))


def _load_attr(frame: Frame, arg: int) -> None:
    found = attribute_of(frame.pop(), frame.code.co_names[arg >> 1 if _SINCE_3_12 else arg])
    frame.push(found)
    if _SINCE_3_12 and arg & 1:
        frame.push(NULL)


def _load_method(frame: Frame, arg: int) -> None:
    frame.push(attribute_of(frame.pop(), frame.code.co_names[arg]), NULL)


def _load_super_attr(frame: Frame, arg: int) -> None:
    frame.take(3)
    frame.push(None)
    if arg & 1:
        frame.push(NULL)


def _subscript(frame: Frame) -> None:
    base, key = frame.take(2)
    constant = key.value if key is not None and key.kind == "const" else MISSING
    if key is SLICE or type(constant) is slice:
        frame.push(None)  # a copy, of a list
        return
    item = item_of(base)
    if base is not None:
        frame.fetched.add(base.name)
    if item is not None and base is not None and type(base.value) is dict and type(constant) is str:
        item = Origin(item.kind, item.name, base.value.get(constant, MISSING), sure=item.sure, base=base)
    frame.push(item)


def _binary_subscr(frame: Frame, _: int) -> None:
    _subscript(frame)


def _binary_op(frame: Frame, arg: int) -> None:
    if arg == _SUBSCRIPT:
        _subscript(frame)
        return
    left, right = frame.take(2)
    frame.weigh(left, right)
    if arg < _FIRST_IN_PLACE:
        frame.push(None)
        return
    how = IN_PLACE.get(_SIGNS.get(arg, ""), "changes")
    change = of_operator(left, how, right)
    frame.report(change)
    frame.push(Origin("in-place", how, base=left if change else None))


def _compare(frame: Frame, _: int) -> None:
    frame.weigh(*frame.take(2), compared=True)
    frame.push(None)


def _contains(frame: Frame, _: int) -> None:
    item, container = frame.take(2)
    frame.weigh(item)
    frame.test(container)
    frame.push(None)


def _is(frame: Frame, _: int) -> None:
    frame.test(*frame.take(2))
    frame.push(None)


def _to_bool(frame: Frame, _: int) -> None:
    frame.test(frame.pop())
    frame.push(None)


def _pop_and_jump(frame: Frame, _: int) -> None:
    frame.test(frame.pop())


def _for_iter(frame: Frame, _: int) -> None:
    frame.push(item_of(frame.stack[-1]))


def _get_iter(frame: Frame, _: int) -> None:
    value = frame.pop()
    frame.push(Origin("parts", base=value) if is_outside(value) else value)


def _unpack(frame: Frame, arg: int) -> None:
    value = frame.pop()
    if value is not None and value.kind == "tuple" and len(value.value) == arg:
        frame.push(*reversed(value.value))
    else:
        frame.push(*[item_of(value)] * arg)


def _unpack_more(frame: Frame, arg: int) -> None:
    item = item_of(frame.pop())
    frame.push(*[item] * (arg >> 8), None, *[item] * (arg & 0xFF))


def _build_tuple(frame: Frame, arg: int) -> None:
    parts = tuple(frame.take(arg))
    frame.push(Origin("tuple", value=parts) if parts else None)


def _build_slice(frame: Frame, arg: int) -> None:
    frame.take(arg)
    frame.push(SLICE)


def _copy(frame: Frame, arg: int) -> None:
    frame.push(frame.stack[-arg])


def _swap(frame: Frame, arg: int) -> None:
    stack = frame.stack
    stack[-arg], stack[-1] = stack[-1], stack[-arg]


def _push_null(frame: Frame, _: int) -> None:
    frame.push(NULL)


def _import_name(frame: Frame, arg: int) -> None:
    level, names = frame.take(2)
    name = frame.code.co_names[arg]
    if level is not None and level.kind == "const" and level.value:
        frame.push(None)
        return
    whole = names is not None and names.kind == "const" and names.value
    name = name if whole else name.partition(".")[0]
    frame.push(Origin("global", name, sys.modules.get(name, MISSING)))


def _import_from(frame: Frame, arg: int) -> None:
    frame.push(attribute_of(frame.stack[-1], frame.code.co_names[arg]))


def _make_function(frame: Frame, arg: int) -> None:
    made = frame.pop()
    if not _SINCE_3_13:
        frame.take(sum(arg >> bit & 1 for bit in range(_CLOSURE_FLAGS)))
    if made is None or made.kind != "const":
        frame.push(None)
        return
    code = made.value
    captured = {}
    for name in code.co_freevars:
        if name in frame.cells:
            captured[name] = frame.cells[name]
        else:  # what it holds when the function is made; it may hold something else when that is called
            held = frame.locals.get(name)
            captured[name] = (held if name in frame.constant else merged(held, None), False)
    frame.made[code] = captured
    function = Origin("function", value=code)
    frame.call(function, [], {})  # whoever calls it later
    frame.push(function)


def _set_function_attribute(frame: Frame, _: int) -> None:
    _value, function = frame.take(2)
    frame.push(function)


def _return_value(frame: Frame, _: int) -> None:
    frame.give(frame.pop())


def _return_const(frame: Frame, _: int) -> None:
    frame.give(None)


def _yield_value(frame: Frame, _: int) -> None:
    frame.give(frame.pop())
    frame.push(None)


def _keyword_names(frame: Frame, arg: int) -> None:
    frame.keywords = frame.code.co_consts[arg]


def _call(frame: Frame, arg: int) -> None:
    names, frame.keywords = frame.keywords, ()
    call(frame, arg, names)


def _call_with_names(frame: Frame, arg: int) -> None:
    names = frame.pop()
    call(frame, arg, names.value if names is not None and names.kind == "const" else ())


def _call_unpacked(frame: Frame, _: int) -> None:
    call_unpacked(frame, frame.step)


OPERATIONS: dict[str, Callable[[Frame, int], None]] = {
    **PLAIN,
    **VARIABLES,
    "BINARY_OP": _binary_op,
    "BINARY_SUBSCR": _binary_subscr,
    "BUILD_LIST": _build_tuple,
    "BUILD_SLICE": _build_slice,
    "BUILD_TUPLE": _build_tuple,
    "CALL": _call,
    "CALL_FUNCTION_EX": _call_unpacked,
    "CALL_KW": _call_with_names,
    "COMPARE_OP": _compare,
    "CONTAINS_OP": _contains,
    "COPY": _copy,
    "DELETE_ATTR": _delete_attr,
    "DELETE_SUBSCR": _delete_subscr,
    "FOR_ITER": _for_iter,
    "GET_ITER": _get_iter,
    "IMPORT_FROM": _import_from,
    "IMPORT_NAME": _import_name,
    "IS_OP": _is,
    "KW_NAMES": _keyword_names,
    "LOAD_ATTR": _load_attr,
    "LOAD_CONST": _load_const,
    "LOAD_METHOD": _load_method,
    "LOAD_SUPER_ATTR": _load_super_attr,
    "MAKE_FUNCTION": _make_function,
    "PUSH_NULL": _push_null,
    "RETURN_CONST": _return_const,
    "RETURN_VALUE": _return_value,
    "SET_FUNCTION_ATTRIBUTE": _set_function_attribute,
    "STORE_ATTR": _store_attr,
    "STORE_SLICE": _store_slice,
    "STORE_SUBSCR": _store_subscr,
    "SWAP": _swap,
    "TO_BOOL": _to_bool,
    "UNARY_NOT": _to_bool,
    "UNPACK_EX": _unpack_more,
    "UNPACK_SEQUENCE": _unpack,
    "YIELD_VALUE": _yield_value,
    **dict.fromkeys(ASKING_JUMPS, _pop_and_jump),
}
"""What each instruction does, by its name."""
