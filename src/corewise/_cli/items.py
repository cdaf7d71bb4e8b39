"""The items of a comparison: from an expression, from a file, or from Python code."""

from __future__ import annotations

import builtins
import difflib
import itertools
import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from corewise._cli.failure import Failure, kind_of, last_line, raised_at, shortened
from corewise._cli.target import load_object

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from types import ModuleType

# Items are held in memory, all of them. Beyond this number it is more likely that they have no end (a guess).
MOST_ITEMS = 1_000_000


class Items(NamedTuple):
    """The items, and where they came from: one sentence's end, for the user to check."""

    values: list[Any]
    origin: str


def from_expression(text: str, module: ModuleType, limit: int | None) -> Items:
    """Evaluate a Python expression with the names of the target's module.

    Args:
        text: the expression; it gives a list or any other iterable.
        module: whose names the expression may use, imported modules among them.
        limit: take that many items at most; None: all of them.

    Raises:
        Failure: when it does not parse, raises, or gives nothing that can be iterated over.
    """
    try:
        code = compile(text.strip(), "--items", "eval")
    except (SyntaxError, ValueError) as error:
        raise Failure(_unparsable(text.strip(), error), hint='write a list, such as --items "[1, 2, 3]"') from error
    try:
        # The user's own expression, run with the user's own rights, beside the user's own function.
        value = eval(code, {**vars(module)})  # noqa: S307
        return Items(_collected(value, "--items", limit), "--items")
    except Failure:
        raise
    except (Exception, SystemExit) as error:
        hint = ""
        if isinstance(error, NameError) and error.name:
            close = difflib.get_close_matches(error.name, [*vars(module), *vars(builtins)], n=1)
            hint = f"did you mean {close[0]}?" if close else f"known are the names of {module.__name__}"
        raise Failure(f"--items {text!r} raised {last_line(error)}", hint=hint) from error


def from_code(text: str, limit: int | None) -> Items:
    """Take the items from Python code.

    Args:
        text: ``file.py:NAME`` or ``package.module:NAME``: a list, another iterable, or a function that returns one.
        limit: take that many items at most; None: all of them.

    Raises:
        Failure: when there is no such name, its function raises, or it gives nothing that can be iterated over.
    """
    value, _ = load_object(text, "--items-from")
    try:
        if callable(value) and not hasattr(type(value), "__iter__"):
            value = value()
        return Items(_collected(value, f"--items-from {text}", limit), text)
    except Failure:
        raise
    except (Exception, SystemExit) as error:
        raise Failure(f"--items-from {text} raised {last_line(error)}", hint=raised_at(error)) from error


def from_file(name: str, limit: int | None) -> Items:
    """Read the items from a file: a JSON array, JSON lines, or one string a line.

    A name that ends in ``.json``, ``.jsonl`` or ``.ndjson`` settles what it is; otherwise the content does.

    Args:
        name: the file, UTF-8; ``-`` for standard input.
        limit: take that many items at most; None: all of them.

    Raises:
        Failure: when it cannot be read, or is broken; the message names the line.
    """
    shown = "standard input" if name == "-" else name
    text = _read(name, shown)
    values, form = _parsed(text, shown, Path(name).suffix.lower())
    return Items(values[:limit], f"{shown}, {form}")


def as_arguments(items: list[Any]) -> list[tuple[Any, ...]]:
    """Turn items that are tuples of arguments into one list per argument: what `compare` takes.

    Raises:
        Failure: when an item is no tuple or list, or not as long as the first one.
    """
    for index, item in enumerate(items):
        if not isinstance(item, tuple | list) or not item:
            raise Failure(
                f"--star: item {index} is {shortened(item)}, not a tuple of arguments",
                hint='write one tuple or list for each call: --items "[(1, 2), (3, 4)]"',
            )
        if len(item) != len(items[0]):
            raise Failure(
                f"--star: item {index} has {len(item)} arguments and item 0 has {len(items[0])}: {shortened(item)}",
                hint="give every item the same number of arguments",
            )
    return list(zip(*items, strict=True))


def _collected(value: object, option: str, limit: int | None) -> list[Any]:
    if isinstance(value, str | bytes):
        raise Failure(f"{option} gives a single text, {shortened(value)}", hint=f"write a list: [{shortened(value)}]")
    if not hasattr(type(value), "__iter__") and not hasattr(type(value), "__getitem__"):
        hint = f"write a list: [{shortened(value)}]" if value is not None else "return the items"
        raise Failure(f"{option} gives {kind_of(value)}, not a list or another iterable", hint=hint)
    iterable: Iterable[Any] = value  # type: ignore[assignment]  # it has __iter__ or __getitem__, as just seen
    if limit is not None:
        return list(itertools.islice(iterable, limit))
    items = list(itertools.islice(iterable, MOST_ITEMS + 1))
    if len(items) > MOST_ITEMS:
        hint = "take the first ones: --limit N"
        raise Failure(f"{option} gives more than {MOST_ITEMS:,} items, perhaps without an end", hint=hint)
    return items


def _unparsable(text: str, error: SyntaxError | ValueError) -> str:
    """Tell why an expression does not parse, with a mark under the place."""
    if not isinstance(error, SyntaxError):
        return f"--items does not parse: {error}"
    lines = text.splitlines()
    number = min(max(error.lineno or 1, 1), max(len(lines), 1))
    line = lines[number - 1] if lines else ""
    mark = " " * ((error.offset or len(line) + 1) - 1) + "^"  # offset 0 stands for the end
    return f"--items does not parse: {error.msg}\n    {line}\n    {mark}"


def _read(name: str, shown: str) -> str:
    try:
        raw = sys.stdin.buffer.read() if name == "-" else Path(name).read_bytes()
    except IsADirectoryError as error:
        raise Failure(f"--items-file {shown} is a folder, not a file") from error
    except OSError as error:
        raise Failure(f"--items-file {shown} cannot be read: {error.strerror}") from error
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = raw[: error.start].count(b"\n") + 1
        raise Failure(f"--items-file {shown}, line {line}: not UTF-8 text (byte 0x{raw[error.start]:02x})") from error


_ARRAY, _LINES, _STRINGS = "a JSON array", "JSON lines", "one string a line"


def _parsed(text: str, shown: str, suffix: str) -> tuple[list[Any], str]:
    """Return the items in a text, and the name of its form."""
    # Not splitlines(): JSON strings may hold the other characters that it takes for the end of a line.
    lines = [(number, line.rstrip("\r")) for number, line in enumerate(text.split("\n"), 1) if line.strip()]
    if not lines:
        return [], "empty"
    broken = _first_broken(lines)
    form = _form(lines, broken, suffix)
    if form == _ARRAY:
        return _array(text, shown), form
    if form == _STRINGS:
        return [line for _, line in lines], form
    if broken is not None:
        number, reason = broken
        hint = "JSON lines hold one JSON value each"
        raise Failure(f"--items-file {shown}, line {number}: no JSON: {reason}", hint=hint)
    return [json.loads(line) for _, line in lines], form


def _form(lines: Sequence[tuple[int, str]], broken: tuple[int, str] | None, suffix: str) -> str:
    """Decide what a text is meant to be, even where it is broken, so that the error can name the place."""
    if suffix in {".json", ".jsonl", ".ndjson"}:
        return _ARRAY if suffix == ".json" else _LINES
    begin, end = lines[0][1].lstrip(), lines[-1][1].rstrip()
    if broken is None:
        return _ARRAY if len(lines) == 1 and begin.startswith("[") else _LINES
    if begin.startswith("[") and end.endswith("]"):
        return _ARRAY
    # A first line that is JSON and could hardly be anything else: the broken line further down is a mistake.
    return _LINES if broken[0] != lines[0][0] and begin[0] in '[{"' else _STRINGS


def _first_broken(lines: Sequence[tuple[int, str]]) -> tuple[int, str] | None:
    """Return the number of the first line that is no JSON value, and why; None if all are."""
    for number, line in lines:
        try:
            json.loads(line)
        except ValueError as error:
            return number, getattr(error, "msg", str(error))
    return None


def _array(text: str, shown: str) -> list[Any]:
    try:
        value = json.loads(text)
    except json.JSONDecodeError as error:
        place = f"line {error.lineno}, column {error.colno}"
        raise Failure(f"--items-file {shown}, {place}: no JSON: {error.msg}") from error
    if not isinstance(value, list):
        kinds = {dict: "an object", str: "a string", bool: "true or false", type(None): "null"}
        raise Failure(
            f"--items-file {shown} holds {kinds.get(type(value), 'a number')}, not an array of items",
            hint="write [item, item, …]; one JSON value a line belongs in a file that ends in .jsonl",
        )
    return value
