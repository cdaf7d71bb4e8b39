"""Objects to bytes and back: plain ones by `marshal`, all others by pickle.

`marshal` is part of the interpreter, and quicker with plain values. The C module of pickle loads `functools` and with
it `collections`, which takes a fifth of the time from the start of a program to the results of its first small map
(the public module loads `re` as well, another 3 ms): so it is loaded when there is something that is not plain.
"""

from __future__ import annotations

import marshal

from corewise._transport.plain import PLAIN, all_plain

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import Any

_PICKLE = 0x80  # what every pickle begins with, and nothing that `marshal` writes

_module: Any = None


def _load() -> Any:
    global _module  # noqa: PLW0603 - looked up for each object, so not by an import statement
    try:
        import _pickle as module
    except ImportError:  # an interpreter without the C module
        import pickle as module  # type: ignore[no-redef]
    _module = module
    return module


def pickled(value: object, beside: Callable[[Any], Any] | None = None) -> bytes:
    """Return the pickle of an object.

    Args:
        value: the object.
        beside: called with each buffer that may be left out; as for `pickle.dumps`.
    """
    data: bytes = (_module or _load()).dumps(value, 5, buffer_callback=beside)
    return data


def unpickled(data: Any, buffers: Sequence[Any] | None = None) -> Any:
    """Return the object that `pickled` was given.

    Args:
        data: its pickle, as bytes or in a buffer of them.
        buffers: what was left out.
    """
    return (_module or _load()).loads(data, buffers=buffers)


def plain_dumps(value: Any) -> bytes:
    """Return an object of plain values only, in lists and tuples or alone, as bytes that `loads` reads.

    Nobody else may ask for it: `marshal` takes whatever lends its memory for bytes.
    """
    try:
        return marshal.dumps(value)
    except ValueError:  # a text of more than 2 GiB
        return pickled(value)


def dumps_message(message: object, beside: Callable[[Any], Any]) -> bytes:
    """Return a message as bytes that `loads` reads.

    Args:
        message: the message.
        beside: as for `pickled`.
    """
    if type(message) is tuple:
        for part in message:
            kind = type(part)
            if kind not in PLAIN and not (kind is tuple and all_plain(part)):
                break
        else:
            return plain_dumps(message)
    return pickled(message, beside)


def loads(data: Any) -> Any:
    """Return the object or message that these bytes, or a buffer of them, stand for."""
    if data[0] != _PICKLE:
        return marshal.loads(data)  # noqa: S302 - both ends are the same user's
    return (_module or _load()).loads(data)  # not by `unpickled`, as a call more is felt with short results


def make_buffer(data: Any) -> Any:
    """Return a `PickleBuffer` of bytes, which travels beside the message that it is in."""
    return (_module or _load()).PickleBuffer(data)


def make_pickler(file: Any, beside: Callable[[Any], Any]) -> Any:
    """Return a pickler as `pickled` uses, which writes to a file."""
    return (_module or _load()).Pickler(file, 5, buffer_callback=beside)


def make_unpickler(file: Any, find_class: Callable[[str, str], Any]) -> Any:
    """Return an unpickler of a file that asks `find_class` for whatever a pickle names, by its module and its name."""
    unpickler = (_module or _load()).Unpickler
    kind = type("_Unpickler", (unpickler,), {"find_class": lambda _, module, name: find_class(module, name)})
    return kind(file)
