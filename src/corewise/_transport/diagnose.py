"""Finds the very part of an object that cannot be sent to another process."""

from __future__ import annotations

import reprlib
import sys
from collections import deque
from functools import partial
from itertools import chain
from time import thread_time
from types import BuiltinMethodType, CodeType, FunctionType, GetSetDescriptorType, MethodType, ModuleType

import cloudpickle

from corewise._transport.plain import is_plain

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

_DEPTH = 8  # guess: deeper nesting is rare, and the part found so far is named anyway
_WAY_OUT = "approach='threads' shares memory and sends nothing; or make that part inside the function."
# Guess: one waits for an error message, and what is found by then is named. Of computing, so that the same is found
# beside busy neighbours.
_SECONDS = 1.0


def why_not(value: object, what: str, error: BaseException, way_out: str = _WAY_OUT) -> str:
    """Say which part of `value` cannot be pickled, and what to do.

    Args:
        value: what could not be pickled.
        what: what it is to the caller; its repr is used when empty.
        error: what pickling raised.
        way_out: what to do. Default: what helps where a function is run over items.

    Returns:
        One or two sentences.
    """
    path, culprit = _Search().find(value) or ("", value)
    whole = what or _short(value)
    part = f": {path} is" if path else ", being"
    kind = type(culprit)
    return (
        f"{whole} cannot be sent to another process{part} a {kind.__module__}.{kind.__qualname__} "
        f"({_size(culprit)}{_short(culprit)}), which cannot be pickled ({type(error).__name__}: {_text(error)}). "
        f"{way_out}"
    )


class _Search:
    """Follows the parts that fail down to one that fails by itself."""

    def __init__(self) -> None:
        self._deadline = thread_time() + _SECONDS
        self._seen: dict[int, object] = {}  # kept alive, so that no other object gets the number

    def find(self, value: object, depth: int = 0) -> tuple[str, object] | None:
        """Return the way to the part and the part; None when it fails only for what was seen before, as in a ring."""
        self._seen[id(value)] = value
        in_a_ring = False
        for name, part in _all_of(_parts(value)) if depth < _DEPTH else ():
            if thread_time() > self._deadline:
                break
            if is_plain(part) or _travels(part):
                continue
            found = None if id(part) in self._seen else self.find(part, depth + 1)
            if found is not None:
                inner, culprit = found
                return (f"{name}, {inner}" if inner else name), culprit
            in_a_ring = True
        return None if in_a_ring else ("", value)


def _all_of(parts: Iterator[tuple[str, object]]) -> Iterator[tuple[str, object]]:
    """Give parts up to one that cannot even be looked at: objects do what they like when asked."""
    while True:
        try:
            yield next(parts)
        except StopIteration:
            return
        except Exception:  # noqa: BLE001 - as said above
            return


def _parts(value: Any) -> Iterator[tuple[str, object]]:
    """Give the named parts that pickling `value` would visit."""
    if isinstance(value, dict):
        yield from (("a key", key) for key in value)
        yield from ((f"key {_short(key)}", part) for key, part in value.items())
    elif isinstance(value, (list, tuple, set, frozenset, deque)):
        # Of a million elements hardly any is worth a name.
        yield from ((f"element {number}", part) for number, part in enumerate(value) if not is_plain(part))
    if isinstance(value, FunctionType):
        yield from _parts_of_function(value)
    elif isinstance(value, (MethodType, BuiltinMethodType)):
        if not isinstance(value.__self__, ModuleType):
            yield "its object", value.__self__
    elif isinstance(value, partial):
        yield from (
            ("the partial's function", value.func),
            ("its arguments", value.args),
            ("its keywords", value.keywords),
        )
    elif isinstance(value, type):
        own = ((name, part) for name, part in vars(value).items() if not isinstance(part, GetSetDescriptorType))
        yield from ((f"attribute {name!r}", part) for name, part in own)
    else:
        yield from _parts_of_object(value)


def _parts_of_function(function: FunctionType) -> Iterator[tuple[str, object]]:
    for name, cell in zip(function.__code__.co_freevars, function.__closure__ or (), strict=False):
        try:
            yield f"captured variable {name!r}", cell.cell_contents
        except ValueError:  # the cell is still empty
            continue
    names = function.__globals__
    used = dict.fromkeys(name for name in _names(function.__code__) if name in names)
    yield from ((f"global variable {name!r}", names[name]) for name in used)
    yield from ((f"default argument {number}", part) for number, part in enumerate(function.__defaults__ or ()))
    yield from ((f"default argument {name!r}", part) for name, part in (function.__kwdefaults__ or {}).items())


def _names(code: CodeType) -> Iterator[str]:
    """Give the names that a function uses, those in its inner functions and comprehensions among them."""
    inner = (constant for constant in code.co_consts if isinstance(constant, CodeType))
    return chain(code.co_names, *map(_names, inner))


def _parts_of_object(value: object) -> Iterator[tuple[str, object]]:
    state = object.__getstate__(value)
    for attributes in state if isinstance(state, tuple) else (state,):
        yield from ((f"attribute {name!r}", part) for name, part in (attributes or {}).items())
    yield "its class", type(value)


def _travels(value: object) -> bool:
    try:
        cloudpickle.dump(value, _Nowhere(), protocol=5, buffer_callback=lambda _: None)
    except Exception:  # noqa: BLE001 - objects raise what they like while being pickled
        return False
    return True


class _Nowhere:
    """A file that keeps nothing: large parts are looked at without a copy of them."""

    def write(self, data: Any) -> int:
        return len(data)


def _short(value: object) -> str:
    try:
        return reprlib.repr(value)
    except Exception:  # noqa: BLE001 - a broken repr must not hide the message
        return f"<{type(value).__qualname__}>"


def _size(value: object) -> str:
    try:
        return f"{sys.getsizeof(value)} bytes, "
    except Exception:  # noqa: BLE001 - as above
        return ""


def _text(error: BaseException) -> str:
    try:
        return str(error)
    except Exception as broken:  # noqa: BLE001 - as above
        return f"<its __str__ raised {type(broken).__name__}>"
