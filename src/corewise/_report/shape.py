"""Whether an object out of a JSON file has the shape that a TypedDict describes, with errors that name the key."""

from __future__ import annotations

import json
import math

from corewise.errors import DocumentError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

LONGEST_SHOWN = 40  # letters of a wrong value that an error quotes

# How types are called in an error: in JSON's words, since that is what the reader has before them.
_NAMES = {
    str: "a text",
    int: "a whole number",
    float: "a number",
    bool: "true or false",
    type(None): "null",
    list: "a list",
    dict: "an object",
}


def check_shape(value: object, expected: Any, where: str = "") -> None:
    """Make sure that a value has a type, down to its last key.

    Args:
        value: what a JSON file held.
        expected: a TypedDict, list, Literal, union or plain type.
        where: the key under which the value was found, such as ``"cases[0].rows"``.

    Raises:
        DocumentError: at the first key that is missing or holds something else.
    """
    import typing

    if typing.is_typeddict(expected):
        _check_object(value, expected, where)
    elif typing.get_origin(expected) is list:
        if not isinstance(value, list):
            raise _mismatch(value, expected, where)
        (inner,) = typing.get_args(expected)
        for index, one in enumerate(value):
            check_shape(one, inner, f"{where}[{index}]")
    elif not _fits(value, expected):
        objects = [option for option in typing.get_args(expected) if typing.is_typeddict(option)]
        if not objects or not isinstance(value, dict):
            raise _mismatch(value, expected, where)
        _check_object(value, objects[0], where)


def _check_object(value: object, expected: Any, where: str) -> None:
    import typing

    if not isinstance(value, dict):
        raise _mismatch(value, expected, where)
    for key, inner in typing.get_type_hints(expected, include_extras=True).items():
        path = f"{where}.{key}" if where else key
        optional = typing.get_origin(inner) is typing.NotRequired
        if key in value:
            check_shape(value[key], typing.get_args(inner)[0] if optional else inner, path)
        elif not optional:
            raise DocumentError(f"{path}: this key is missing")


def _fits(value: object, expected: Any) -> bool:
    """Return whether a value is one of the plain types or Literals that are expected."""
    import typing

    if typing.get_origin(expected) is typing.Literal:
        return any(type(value) is type(option) and value == option for option in typing.get_args(expected))
    options = typing.get_args(expected) or (expected,)
    if float in options and type(value) is int:
        return True
    if type(value) is float and not math.isfinite(value):
        return False
    return type(value) in options


def _mismatch(value: object, expected: Any, where: str) -> DocumentError:
    return DocumentError(f"{where or 'the document'}: expected {_words(expected)}, found {_found(value)}")


def _words(expected: Any) -> str:
    import typing

    if typing.is_typeddict(expected):
        return "an object"
    if typing.get_origin(expected) is list:
        return "a list"
    options = typing.get_args(expected)
    if typing.get_origin(expected) is typing.Literal:
        return " or ".join(f'"{option}"' for option in options)
    return " or ".join(_words(option) for option in options) if options else _NAMES.get(expected, str(expected))


def _found(value: object) -> str:
    text = json.dumps(value, ensure_ascii=False, default=repr)
    shown = text if len(text) <= LONGEST_SHOWN else f"{text[: LONGEST_SHOWN - 3]}..."
    return f"{_NAMES[type(value)]} {shown}" if isinstance(value, list | dict) else shown
