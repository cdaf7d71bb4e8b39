"""Instructions that read and write variables: local, captured and global ones."""

from __future__ import annotations

from corewise._measure.changes import of_variable
from corewise._measure.lookups import MISSING, own_attributes
from corewise._measure.origins import NULL, Origin

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from corewise._measure.frame import Frame


def how_stored(value: Origin | None, otherwise: str) -> tuple[str, bool]:
    """Return what storing a value does, in words, and whether what was there does not matter for it."""
    if value is not None and value.kind == "in-place":
        return value.name, False
    return otherwise, True


def _load_fast(frame: Frame, arg: int) -> None:
    frame.push(frame.locals.get(frame.names[arg]))


def _load_fast_and_clear(frame: Frame, arg: int) -> None:
    frame.push(frame.locals.get(frame.names[arg]))
    frame.store(frame.names[arg], None)


def _load_two(frame: Frame, arg: int) -> None:
    _load_fast(frame, arg >> 4)
    _load_fast(frame, arg & 15)


def _store_fast(frame: Frame, arg: int) -> None:
    frame.store(frame.names[arg], frame.pop())


def _store_two(frame: Frame, arg: int) -> None:
    _store_fast(frame, arg >> 4)
    _store_fast(frame, arg & 15)


def _store_and_load(frame: Frame, arg: int) -> None:
    _store_fast(frame, arg >> 4)
    _load_fast(frame, arg & 15)


def _delete_fast(frame: Frame, arg: int) -> None:
    frame.store(frame.names[arg], None)


def _global(frame: Frame, name: str) -> Origin:
    value = dict.get(frame.globals, name, MISSING)
    if value is MISSING:
        own = dict.get(frame.globals, "__builtins__")
        builtins = own if type(own) is dict else own_attributes(own)
        value = builtins.get(name, MISSING)
    return Origin("global", name, value)


def _load_global(frame: Frame, arg: int) -> None:
    if arg & 1:
        frame.push(NULL)
    frame.push(_global(frame, frame.code.co_names[arg >> 1]))


def _load_name(frame: Frame, arg: int) -> None:
    name = frame.code.co_names[arg]
    frame.push(frame.locals[name] if name in frame.locals else _global(frame, name))


def _store_name(frame: Frame, arg: int) -> None:
    frame.store(frame.code.co_names[arg], frame.pop())


def _load_deref(frame: Frame, arg: int) -> None:
    name = frame.names[arg]
    frame.push(frame.cells[name][0] if name in frame.cells else frame.locals.get(name))


def _load_deref_of_class(frame: Frame, arg: int) -> None:
    frame.pop()
    _load_deref(frame, arg)


def _store_deref(frame: Frame, arg: int) -> None:
    name, value = frame.names[arg], frame.pop()
    if name in frame.cells:
        if frame.cells[name][1]:
            how, plain = how_stored(value, "assigns")
            frame.report(of_variable("closure", name, how, plain=plain))
    else:
        frame.store(name, value)


def _delete_deref(frame: Frame, arg: int) -> None:
    name = frame.names[arg]
    if name in frame.cells and frame.cells[name][1]:
        frame.report(of_variable("closure", name, "deletes"))
    else:
        frame.store(name, None)


def _store_global(frame: Frame, arg: int) -> None:
    how, plain = how_stored(frame.pop(), "assigns")
    frame.report(of_variable("global", frame.code.co_names[arg], how, plain=plain))


def _delete_global(frame: Frame, arg: int) -> None:
    frame.report(of_variable("global", frame.code.co_names[arg], "deletes"))


VARIABLES: dict[str, Callable[[Frame, int], None]] = {
    "DELETE_DEREF": _delete_deref,
    "DELETE_FAST": _delete_fast,
    "DELETE_GLOBAL": _delete_global,
    "LOAD_CLASSDEREF": _load_deref,
    "LOAD_DEREF": _load_deref,
    "LOAD_FAST": _load_fast,
    "LOAD_FAST_AND_CLEAR": _load_fast_and_clear,
    "LOAD_FAST_BORROW": _load_fast,
    "LOAD_FAST_BORROW_LOAD_FAST_BORROW": _load_two,
    "LOAD_FAST_CHECK": _load_fast,
    "LOAD_FAST_LOAD_FAST": _load_two,
    "LOAD_FROM_DICT_OR_DEREF": _load_deref_of_class,
    "LOAD_GLOBAL": _load_global,
    "LOAD_NAME": _load_name,
    "STORE_DEREF": _store_deref,
    "STORE_FAST": _store_fast,
    "STORE_FAST_LOAD_FAST": _store_and_load,
    "STORE_FAST_STORE_FAST": _store_two,
    "STORE_GLOBAL": _store_global,
    "STORE_NAME": _store_name,
}
"""What these do, by their names."""
