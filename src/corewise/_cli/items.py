"""The items of a comparison: from an expression, from a file, or from Python code."""

from __future__ import annotations

import builtins
import difflib
import itertools
import json
import sys
import traceback
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from corewise._cli.failure import Failure, kind_of, shortened
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
        raise Failure(f"--items {text!r} raised {_last_line(error)}", hint=hint) from error


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
        frame = traceback.extract_tb(error.__traceback__)[-1]
        place = f" ({frame.filename}, line {frame.lineno})"
        raise Failure(f"--items-from {text} raised {_last_line(error)}{place}") from error


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
        raise Failure(
            f"{option} gives more than {MOST_ITEMS:,} items, perhaps without an end", hint="take the first ones: --limit N"
        )
    return items


def _unparsable(text: str, error: SyntaxError | ValueError) -> str:
    """Tell why an expression does not parse, with a mark under the place."""
    if not isinstance(error, SyntaxError):
        return f"--items does not parse: {error}"
    lines = text.splitlines()
    number = min(max(error.lineno or 1, 1), max(len(lines), 1))
    line = lines[number - 1] if lines else ""
    mark = " " * (max(error.offset or 1, 1) - 1) + "^"
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


def _parsed(text: str, shown: str, suffix: str) -> tuple[list[Any], str]:
    """Return the items in a text, and the name of its form."""
    # Not splitlines(): JSON strings may hold the other characters that it takes for the end of a line.
    lines = [(number, line.rstrip("\r")) for number, line in enumerate(text.split("\n"), 1) if line.strip()]
    body = text.strip()
    if not lines:
        return [], "empty"
    broken = _first_broken(lines)
    looks_like_array = body.startswith("[") and body.endswith("]")
    if suffix == ".json" or (suffix not in {".jsonl", ".ndjson"} and looks_like_array):
        # Arrays below each other are JSON lines, though the whole begins and ends like one array.
        if not (suffix != ".json" and broken is None and len(lines) > 1):
            return _array(text, shown), "a JSON array"
    elif suffix not in {".jsonl", ".ndjson"} and broken is not None:
        number, message = broken
        if number == lines[0][0] or lines[0][1].lstrip()[0] not in '[{"':
            return [line for _, line in lines], "one string a line"
    if broken is not None:
        raise Failure(f"--items-file {shown}, line {broken[0]}: no JSON: {broken[1]}", hint=_LINES_HINT)
    return [json.loads(line) for _, line in lines], "JSON lines"


_LINES_HINT = "JSON lines hold one JSON value each"


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
        raise Failure(f"--items-file {shown}, line {error.lineno}, column {error.colno}: no JSON: {error.msg}") from error
    if not isinstance(value, list):
        kinds = {dict: "an object", str: "a string", bool: "true or false", type(None): "null"}
        raise Failure(
            f"--items-file {shown} holds {kinds.get(type(value), 'a number')}, not an array of items",
            hint="write [item, item, …]; one JSON value a line belongs in a file that ends in .jsonl",
        )
    return value


def _last_line(error: BaseException) -> str:
    return traceback.format_exception_only(error)[-1].strip()
