"""Objects to bytes and back: pickle where it can, cloudpickle for lambdas, closures and notebook functions.

Plain values do without either, see `pickling`.
"""

from __future__ import annotations

import os
import sys

from corewise._transport import pickling
from corewise._transport.pickling import loads as _loads
from corewise._transport.pickling import plain_dumps
from corewise._transport.plain import PLAIN, is_plain

TYPE_CHECKING = False
if TYPE_CHECKING:
    from pickle import PickleBuffer
    from typing import Any, TypeAlias

# An object as bytes; or, where it is large, these bytes (or a buffer of them) and the buffers that travel beside them.
Packed: TypeAlias = "bytes | tuple[Any, list[Any]]"

_NAME_BYTES = 4096  # guess: no module path is longer
BESIDE_FROM_BYTES = 1 << 15  # guess: below this, one more entry in the table costs as much as the copy it saves


def loads(data: Packed) -> Any:
    """Return the object that `dumps` or `pack` was given."""
    return pickling.unpickled(*data) if isinstance(data, tuple) else _loads(data)


def dumps(value: object, what: str = "", *, main_by_value: bool = False) -> bytes:
    """Return `value` as bytes that `loads` reads in another process.

    Args:
        value: any object.
        what: what it is to the caller, such as ``"the result of item 3"``, for the error.
        main_by_value: whether functions and classes of ``__main__`` travel as they are rather than by name: needed
            where the other process has neither inherited that module nor can import it.

    Raises:
        CannotTravel: when neither pickle nor cloudpickle can; it names the part that cannot, its type, and a way out.
    """
    return _pickled(value, what, main_by_value, None)


def travels_by_name(value: object) -> bool:
    """Whether `value` is pickled as the name of its module and its own: a short text, the same each time."""
    try:
        return len(pickling.pickled(value)) < _NAME_BYTES
    except Exception:  # noqa: BLE001 - as for `_pickled`
        return False


def is_short(value: object) -> bool:
    """Whether a value is plain and no long text or bytes, which `pack` leaves beside."""
    return is_plain(value) and not (isinstance(value, str | bytes) and len(value) >= BESIDE_FROM_BYTES)


def pack(value: object, what: str = "", *, main_by_value: bool = False) -> Packed:
    """Return `value` as `dumps` would, but leave its large buffers (those of arrays) where they are, beside the bytes.

    They must not change before they are sent.

    Raises:
        CannotTravel: as for `dumps`.
    """
    try:
        plain = type(value) in PLAIN  # not by `is_plain`, as a call more is felt with short results
    except TypeError:
        plain = False
    if plain and not (isinstance(value, str | bytes) and len(value) >= BESIDE_FROM_BYTES):
        return plain_dumps(value)
    beside: list[Any] = []
    data = _pickled(value, what, main_by_value, beside)
    if len(data) >= BESIDE_FROM_BYTES:
        return pickling.make_buffer(data), beside
    return (data, beside) if beside else data


def _pickled(value: object, what: str, main_by_value: bool, beside: list[Any] | None) -> bytes:  # noqa: FBT001 - handed on
    """Pickle, with large buffers put into `beside` if there is such a list."""

    def keep_in(buffer: PickleBuffer) -> bool:
        large = bytes_of(buffer) >= BESIDE_FROM_BYTES
        if large and beside is not None:
            beside.append(buffer)
        return not large

    keep = None if beside is None else keep_in
    try:
        data = pickling.pickled(value, keep)
    except MemoryError:
        raise
    except Exception:  # noqa: BLE001 - objects raise what they like while being pickled
        data = b""
    if data and not (main_by_value and b"__main__" in data):
        return data
    if beside is not None:
        beside.clear()  # of what the first try had found
    import cloudpickle  # loaded only for what plain pickle cannot do

    try:
        return bytes(cloudpickle.dumps(value, protocol=5, buffer_callback=keep))
    except MemoryError:
        raise
    except Exception as error:
        from corewise._transport.diagnose import why_not
        from corewise.errors import CannotTravel

        raise CannotTravel(why_not(value, what, error)) from error


def packed_bytes(packed: Packed) -> int:
    """Return how many bytes travel for what `pack` has returned."""
    if not isinstance(packed, tuple):
        return len(packed)
    data, beside = packed
    return (len(data) if isinstance(data, bytes) else bytes_of(data)) + sum(map(bytes_of, beside))


def bytes_of(buffer: PickleBuffer) -> int:
    """Return how many bytes a buffer has; 0 for one that cannot travel beside the pickle."""
    try:
        return len(buffer.raw())
    except BufferError:  # not in one piece
        return 0


def main_can_be_imported() -> bool:
    """Whether a worker that was not forked finds the functions and classes of ``__main__`` by name.

    A program read from standard input, a notebook or a prompt has no file to import, so what it defines travels by
    value.
    """
    main = sys.modules.get("__main__")
    if getattr(main, "__spec__", None) is not None:
        return True
    return os.path.isfile(getattr(main, "__file__", None) or "")
