"""What changes an object, in words, and whether it is certain."""

from __future__ import annotations

from collections import deque
from types import ModuleType, WrapperDescriptorType

from corewise._measure.lookups import (
    MISSING,
    attribute,
    bases,
    class_name,
    in_class,
    is_class,
    is_library_module,
    loaded,
    module_name,
)
from corewise._measure.origins import Origin, is_outside

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

MUTATORS = {
    "add": "adds to",
    "append": "appends to",
    "appendleft": "appends to",
    "byteswap": "changes",
    "clear": "empties",
    "difference_update": "removes from",
    "discard": "removes from",
    "extend": "extends",
    "extendleft": "extends",
    "frombytes": "extends",
    "fromlist": "extends",
    "insert": "inserts into",
    "intersection_update": "removes from",
    "move_to_end": "reorders",
    "pop": "removes from",
    "popitem": "removes from",
    "popleft": "removes from",
    "remove": "removes from",
    "reverse": "reorders",
    "rotate": "reorders",
    "setdefault": "adds to",
    "sort": "sorts",
    "subtract": "updates",
    "symmetric_difference_update": "updates",
    "update": "updates",
}
"""Methods of the built-in containers that change them."""

PARTS = frozenset({"get", "items", "pop", "popitem", "popleft", "setdefault", "values"})
"""Methods that hand out what a container holds."""

_ARRAY_MUTATORS = {
    "fill": "fills",
    "partition": "reorders",
    "put": "sets items of",
    "resize": "changes",
    "sort": "sorts",
}

_FUNCTIONS = {
    "bisect": {"insort": "inserts into", "insort_left": "inserts into", "insort_right": "inserts into"},
    "builtins": {"delattr": "deletes attributes of", "next": "advances", "setattr": "sets attributes of"},
    "heapq": {
        "heapify": "reorders",
        "heappop": "removes from",
        "heappush": "adds to",
        "heappushpop": "changes",
        "heapreplace": "changes",
    },
    "operator": {"delitem": "deletes from", "setitem": "sets an item of"},
    "random": {"shuffle": "shuffles"},
}
"""Functions that change their first argument."""

IN_PLACE = {"+": "adds to", "-": "subtracts from", "*": "multiplies", "|": "updates", "&": "updates"}
"""What an in-place operator does; "changes" for the others."""

_CONTAINERS = (list, dict, set, bytearray, deque)

# Memory that processes share, objects of one thread or one context, and what cannot be sent anyway.
_OTHERWISE = frozenset(
    {"_asyncio", "_contextvars", "_ctypes", "_io", "_queue", "_thread", "asyncio", "ctypes", "io", "logging", "mmap"}
    | {"multiprocessing", "queue", "sqlite3", "threading"}
)


class Change:
    """Something done to an object that was there before.

    Attributes:
        kind: as in `corewise._types.measurement.Effect`.
        name: the variable meant.
        how: what is done, in words.
        certain: whether it happens whenever this place is reached.
        origin: the object; for a variable that is assigned, that variable.
        plain: whether something new is put there, regardless of what was there.
        is_variable: whether it is a variable or an attribute that gets another object.
    """

    __slots__ = ("certain", "how", "is_variable", "kind", "name", "origin", "plain")

    def __init__(self, origin: Origin, how: str, *, certain: bool, name: str = "", plain: bool = False) -> None:
        self.is_variable = bool(name)
        is_attribute = self.is_variable and name != origin.name
        self.kind = "attribute" if is_attribute and origin.kind != "argument" else origin.kind
        self.name = name or origin.name
        self.how = how
        self.certain = certain and not _is_setting(origin)
        self.origin = origin
        self.plain = plain

    def but(self, how: str) -> Change:
        """The same, in other words and not certain."""
        name = self.name if self.is_variable else ""
        return Change(self.origin, how, certain=False, name=name, plain=self.plain)


def is_container(cls: type) -> bool:
    """Say whether a class is a built-in mutable container, or is derived from one."""
    array: Any = loaded("array", "array")
    return issubclass(cls, _CONTAINERS) or (array is not MISSING and issubclass(cls, array))


def _is_otherwise(origin: Origin) -> bool:
    """Say whether a change of this is not lost, or could not be made elsewhere in the first place."""
    if origin.base is not None and _is_otherwise(origin.base):
        return True
    cls = type(origin.value)
    return cls is memoryview or any(
        module_name(base).partition(".")[0] in _OTHERWISE or class_name(base) == "memmap" for base in bases(cls)
    )


def _is_own_array(value: object) -> bool:
    """Say whether a value is a NumPy array whose memory nothing else, such as another process, can see."""
    ndarray = loaded("numpy", "ndarray")
    while ndarray is not MISSING and type(value) is ndarray:
        owner: Any = value
        value = owner.base
        if value is None:
            return True
    return False


def _is_setting(origin: Origin | None) -> bool:
    """Say whether this belongs to a library's module: `sys.path` and the like are set for the process one is in."""
    while origin is not None:
        if is_library_module(origin.value):
            return True
        origin = origin.base
    return False


def of_attribute(base: Origin | None, name: str, how: str, *, plain: bool = False) -> Change | None:
    """Return the change that setting or deleting an attribute is."""
    if base is None or not is_outside(base):
        return None
    if _is_otherwise(base):
        return None
    certain = base.sure
    if base.value is not MISSING:
        cls = type(base.value)
        setter, _ = in_class(cls, "__setattr__")
        certain &= type(setter) is WrapperDescriptorType and not _has_setter(cls, name)
    return Change(base, how, certain=certain, name=f"{base.name}.{name}", plain=plain)


def _has_setter(cls: type, name: str) -> bool:
    return type(in_class(cls, name)[0]) is property


def of_variable(kind: str, name: str, how: str, *, plain: bool = False) -> Change:
    """Return the change that assigning or deleting a global or captured variable is."""
    return Change(Origin(kind, name), how, certain=True, name=name, plain=plain)


def of_item(base: Origin | None, how: str, *, plain: bool = False) -> Change | None:
    """Return the change that setting or deleting an item is."""
    if base is None or not is_outside(base):
        return None
    if _is_otherwise(base):
        return None
    certain = base.sure
    if base.value is not MISSING:
        certain &= _is_own_array(base.value) or _is_built_in(type(base.value), "__setitem__")
    return Change(base, how, certain=certain, plain=plain)


def of_method(base: Origin | None, name: str) -> Change | None:
    """Return the change that calling a method by this name may be."""
    if base is None or not is_outside(base):
        return None
    if _is_otherwise(base):
        return None
    how = MUTATORS.get(name)
    once = name == "setdefault"
    if base.value is MISSING:
        return Change(base, how, certain=False, plain=once) if how else None
    if is_class(base.value) or type(base.value) is ModuleType:
        return None
    if _is_own_array(base.value):
        how = _ARRAY_MUTATORS.get(name)
        return Change(base, how, certain=base.sure) if how else None
    if how is None or attribute(base.value, name) is MISSING:
        return None
    return Change(base, how, certain=base.sure and _is_built_in(type(base.value), name), plain=once)


def of_operator(base: Origin | None, how: str, other: Origin | None) -> Change | None:
    """Return the change that an in-place operator is; `x += 1` makes a new number and changes none."""
    if base is None or not is_outside(base):
        return None
    if base.value is MISSING:
        # Nearly always a number, unless what is added was just put in brackets.
        return Change(base, how, certain=False) if other is not None and other.kind == "tuple" else None
    certain = is_container(type(base.value)) or _is_own_array(base.value)
    return Change(base, how, certain=base.sure) if certain else None


def of_function(function: object, arguments: list[Origin | None]) -> Change | None:
    """Return the change that calling one of a few library functions is."""
    base = arguments[0] if arguments else None
    if base is None or not is_outside(base):
        return None
    how = _how_of(function)
    if how is None:
        return None
    if how.endswith("attributes of"):
        return of_attribute(base, "...", how.removesuffix(" attributes of"))
    if base.value is MISSING:
        return Change(base, how, certain=False)
    if how == "advances":
        return Change(base, how, certain=base.sure) if module_name(type(base.value)) == "itertools" else None
    return Change(base, how, certain=base.sure) if is_container(type(base.value)) else None


def _how_of(function: object) -> str | None:
    for module, names in _FUNCTIONS.items():
        for name, how in names.items():
            if loaded(module, name) is function:
                return how
    return None


def _is_built_in(cls: type, name: str) -> bool:
    """Say whether a class takes a method from a built-in mutable container, `Counter` and the like among them."""
    _, owner = in_class(cls, name)
    return is_container(cls) and owner is not None and module_name(owner) in ("builtins", "collections", "array")
