"""What a user sends through a pipe, as bytes: what `multiprocessing` can send, and what cloudpickle can."""

from __future__ import annotations

import copyreg
import sys
from _io import BytesIO  # what `io` hands on

from corewise._transport import pickling
from corewise._transport.codec import main_can_be_imported
from corewise._transport.plain import all_plain, is_plain

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from pickle import PickleBuffer
    from typing import Any

# Buffers from this size on are left out of the pickle, which would be one more copy.
# guess: below it the copy costs less than what is said about it
APART_FROM_BYTES = 1 << 13
_MOST_APART = 256  # guess: where they lie has to be told in one packet

_WAY_OUT = "Make that part in the process that needs it."

# The pickler that knows the reducers of `multiprocessing`, and how many reducers there were when it was made.
_pickler: Any = None
_known = (-1, -1)


def packed(value: object, *, travelled: bool) -> tuple[bytes, list[memoryview]]:
    """Return an object as a pickle and the large buffers that belong to it, in one piece each.

    Args:
        value: any object.
        travelled: whether an end of the pipe went to a process that was not forked, so that what ``__main__`` defines
            has to be sent by value if that process cannot import it.

    Raises:
        CannotTravel: when neither pickle nor cloudpickle can send it.
    """
    if _is_simple(value):
        return pickling.pickled(value), []
    beside: list[memoryview] = []

    def keep(buffer: PickleBuffer) -> bool:
        view = buffer.raw()
        if len(view) < APART_FROM_BYTES or len(beside) >= _MOST_APART:
            return True
        beside.append(view)
        return False

    return pickled_somehow(value, keep, beside.clear, by_value=lambda: travelled and not main_can_be_imported()), beside


def _is_simple(value: Any) -> bool:
    """Whether it is a plain value or a flat container of such, which needs neither reducers nor a second look."""
    kind = type(value)
    if kind is tuple or kind is list:
        return all_plain(value)
    if kind is dict:
        return all_plain(value) and all_plain(value.values())
    return is_plain(value)


def pickled_somehow(
    value: object,
    keep: Callable[[PickleBuffer], bool] | None,
    again: Callable[[], object],
    *,
    by_value: Callable[[], bool],
    what: str = "",
) -> bytes:
    """Return the pickle of an object, by cloudpickle if it has to be.

    Args:
        value: any object.
        keep: called with each buffer that may be left out; as for `pickle.dumps`.
        again: called before a second try.
        by_value: whether what ``__main__`` defines has to be sent by value; asked only where there is such.
        what: what it is to the caller, for the error.

    Raises:
        CannotTravel: when neither pickle nor cloudpickle can.
    """
    try:
        data = _dumps(value, keep)
    except (MemoryError, RecursionError):
        raise
    except Exception as error:  # noqa: BLE001 - objects raise what they like while being pickled
        first: BaseException = error
    else:
        if b"__main__" not in data or not by_value():
            return data
        first = TypeError("it refers to what the main program defines, which cannot be imported")
    again()
    import cloudpickle

    try:
        return bytes(_cloud(cloudpickle, value, keep))
    except (MemoryError, RecursionError):
        raise
    except Exception:  # noqa: BLE001 - as above
        from corewise._transport.diagnose import why_not
        from corewise.errors import CannotTravel

        raise CannotTravel(why_not(value, what, first, _WAY_OUT)) from first


def _dumps(value: object, keep: Callable[[PickleBuffer], bool] | None) -> bytes:
    extra = _reducers()
    if not extra:
        return pickling.pickled(value, keep)
    if _known != (len(copyreg.dispatch_table), len(extra)):
        _make_pickler(extra)
    file = BytesIO()
    _pickler(file, 5, buffer_callback=keep).dump(value)
    return file.getvalue()


def _reducers() -> dict[type, Any]:
    """Return how `multiprocessing` sends connections, sockets and the like; nothing where it is not loaded."""
    reduction = sys.modules.get("multiprocessing.reduction")
    return {} if reduction is None else reduction.ForkingPickler._extra_reducers  # noqa: SLF001 - where `register` keeps them


def _make_pickler(extra: dict[type, Any]) -> None:
    global _pickler, _known  # noqa: PLW0603 - made anew when somebody registers a reducer
    from pickle import Pickler

    known = len(copyreg.dispatch_table), len(extra)
    _pickler = type("Pickler", (Pickler,), {"dispatch_table": {**copyreg.dispatch_table, **extra}})
    _known = known


def _cloud(cloudpickle: Any, value: object, keep: Callable[[PickleBuffer], bool] | None) -> bytes:
    table = {**cloudpickle.Pickler.dispatch_table, **_reducers()}
    pickler = type("Pickler", (cloudpickle.Pickler,), {"dispatch_table": table})
    file = BytesIO()
    pickler(file, 5, buffer_callback=keep).dump(value)
    return file.getvalue()
