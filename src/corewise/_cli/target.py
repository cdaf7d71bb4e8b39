"""From ``work.py:function`` or ``package.module:Class.method`` to the object it names."""

from __future__ import annotations

import ast
import difflib
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from corewise._cli.failure import Failure, kind_of, listed
from corewise._cli.loading import load_module

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import ModuleType


class Target(NamedTuple):
    """A function and the module it was named by."""

    function: Callable[..., Any]
    module: ModuleType


def load_function(text: str, option: str = "TARGET") -> Target:
    """Import what a target names and return its function.

    Args:
        text: ``file.py:function`` or ``package.module:function``; the function's part may have dots.
        option: what the text was given for; begins the messages. The command's argument by default.

    Returns:
        The function, and the module it was looked up in.

    Raises:
        Failure: when the text does not name something that can be called.
    """
    value, module = load_object(text, option, noun="function")
    if not callable(value):
        functions = functions_of(module)
        raise Failure(
            f"{option} {text} is {kind_of(value)}, which cannot be called",
            hint=f"functions there: {listed(functions)}" if functions else "",
        )
    return Target(value, module)


def load_object(text: str, option: str, *, noun: str = "name") -> tuple[Any, ModuleType]:
    """Import what a target names, callable or not, and return it with its module.

    Args:
        text: ``file.py:NAME`` or ``package.module:NAME``; the name may have dots.
        option: what the text was given for; begins the messages.
        noun: what the name is meant to be the name of, for the messages; the default says nothing about it.

    Returns:
        The object, and the module it was looked up in.

    Raises:
        Failure: when the text has no colon, or names nothing.
    """
    where, colon, name = text.rpartition(":")
    if not (colon and where and name and all(part.isidentifier() for part in name.split("."))):
        raise Failure(*_unnamed(text, option))
    module = load_module(where)
    value: Any = module
    for part in name.split("."):
        try:
            value = getattr(value, part)
        except AttributeError as error:
            raise Failure(f"{where} has no {noun} {name!r}", hint=_instead(part, value, module)) from error
    return value, module


def functions_of(module: ModuleType) -> list[str]:
    """Return the names of the functions and classes that a module defines itself, private ones left out."""
    return sorted(
        name
        for name, value in vars(module).items()
        if callable(value) and not name.startswith("_") and getattr(value, "__module__", None) == module.__name__
    )


def _instead(part: str, value: object, module: ModuleType) -> str:
    """Say what could have been meant by a name that is not there."""
    known = [name for name in dir(value) if not name.startswith("_")] if value is not module else list(vars(module))
    close = difflib.get_close_matches(part, known, n=1)
    functions = functions_of(module)
    there = f"functions there: {listed(functions)}" if functions else "there are no functions in it"
    return f"did you mean {close[0]!r}? {there[0].upper()}{there[1:]}" if close else there


def _unnamed(text: str, option: str) -> tuple[str]:
    """Say what is missing in a target that names no function, with the functions of its file if it is one."""
    path = Path(text.rstrip(":"))
    if not path.is_file():
        return (f"{option} must be file.py:NAME or package.module:NAME, not {text!r}",)
    try:
        tree = ast.parse(path.read_bytes())
    except (SyntaxError, ValueError, OSError):
        names: list[str] = []
    else:
        names = [one.name for one in tree.body if isinstance(one, ast.FunctionDef | ast.AsyncFunctionDef)]
    there = f"; functions there: {listed(names)}" if names else ""
    return (f"{option} {text!r} names no function: write {path}:{names[0] if names else 'FUNCTION'}{there}",)
