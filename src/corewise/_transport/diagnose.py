"""Finds the very part of an object that cannot be sent to another process."""

from __future__ import annotations

import reprlib
import sys

import cloudpickle

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

_DEPTH = 6  # guess: deeper nesting is rare, and the part found so far is named anyway
_LOOKS = 500  # guess: bounds the time spent on an object with very many parts


def why_not(value: object, what: str, error: BaseException) -> str:
    """Say which part of `value` cannot be pickled, and what to do.

    Args:
        value: what could not be pickled.
        what: what it is to the caller; its repr is used when empty.
        error: what pickling raised.

    Returns:
        One or two sentences.
    """
    path, culprit = _find(value, [_LOOKS])
    whole = what or _short(value)
    part = f": {path} is" if path else ", being"
    size = sys.getsizeof(culprit)
    return (
        f"{whole} cannot be sent to another process{part} a {type(culprit).__module__}.{type(culprit).__qualname__} "
        f"({size} bytes, {_short(culprit)}), which cannot be pickled ({type(error).__name__}: {error}). "
        "approach='threads' shares memory and sends nothing; or make that part inside the function."
    )


def _find(value: object, looks: list[int], depth: int = 0) -> tuple[str, object]:
    """Follow the parts that fail down to one that fails by itself."""
    if depth < _DEPTH:
        for name, part in _parts(value):
            looks[0] -= 1
            if looks[0] < 0:
                break
            if not _travels(part):
                inner, culprit = _find(part, looks, depth + 1)
                return (f"{name}, {inner}" if inner else name), culprit
    return "", value


def _parts(value: object) -> Iterator[tuple[str, object]]:
    """Give the named parts that pickling `value` would visit."""
    if isinstance(value, dict):
        yield from ((f"key {_short(key)}", part) for key, part in value.items())
    elif isinstance(value, (list, tuple, set, frozenset)):
        yield from ((f"element {number}", part) for number, part in enumerate(value))
    code = getattr(value, "__code__", None)
    if code is not None:
        for name, cell in zip(code.co_freevars, getattr(value, "__closure__", None) or (), strict=False):
            try:
                yield f"captured variable {name!r}", cell.cell_contents
            except ValueError:  # the cell is still empty
                continue
        names = getattr(value, "__globals__", {})
        yield from ((f"global variable {name!r}", names[name]) for name in code.co_names if name in names)
        yield from (
            (f"default argument {number}", part)
            for number, part in enumerate(getattr(value, "__defaults__", None) or ())
        )
    owner = getattr(value, "__self__", None)
    if owner is not None and not isinstance(owner, type(sys)):
        yield "its object", owner
    if hasattr(value, "func") and hasattr(value, "keywords"):  # functools.partial
        yield from (
            ("the partial's function", value.func),
            ("its arguments", getattr(value, "args", ())),
            ("its keywords", value.keywords),
        )
    attributes = getattr(value, "__dict__", None)
    if isinstance(attributes, dict) and code is None and not isinstance(value, type):
        yield from ((f"attribute {name!r}", part) for name, part in attributes.items())


def _travels(value: object) -> bool:
    try:
        cloudpickle.dumps(value)
    except Exception:  # noqa: BLE001 - objects raise what they like while being pickled
        return False
    return True


def _short(value: object) -> str:
    try:
        return reprlib.repr(value)
    except Exception:  # noqa: BLE001 - a broken repr must not hide the message
        return f"<{type(value).__qualname__}>"
