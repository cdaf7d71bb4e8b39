"""Looks at objects without running a line of theirs: no property, no `__getattr__`, no metaclass is asked."""

from __future__ import annotations

import os
import sys
from types import (
    FunctionType,
    GetSetDescriptorType,
    MemberDescriptorType,
    MethodDescriptorType,
    MethodType,
    ModuleType,
    WrapperDescriptorType,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

MISSING: Any = type("Missing", (), {"__slots__": ()})()
"""Stands for a value that is not known."""

_mro = type.__dict__["__mro__"].__get__
_namespace = type.__dict__["__dict__"].__get__
_module = type.__dict__["__module__"].__get__
_name = type.__dict__["__name__"].__get__
_HERE = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
_STANDARD = os.path.dirname(os.path.abspath(getattr(os, "__file__", os.devnull)))  # a frozen program has none
_LIBRARIES = tuple(folder.rstrip(os.sep) + os.sep for folder in {_STANDARD, os.path.realpath(_STANDARD), _HERE})

_PLAIN = frozenset({FunctionType, MethodDescriptorType, classmethod, staticmethod})


def bases(cls: type) -> tuple[type, ...]:
    """Return a class and its bases, in the order of look-up."""
    found: tuple[type, ...] = _mro(cls)
    return found


def module_name(cls: type) -> str:
    """Return the name of the module that defines a class."""
    name = _module(cls)
    return name if type(name) is str else ""


def class_name(cls: type) -> str:
    """Return the name of a class."""
    name: str = _name(cls)
    return name


def is_class(value: object) -> bool:
    """Say whether a value is a class."""
    return issubclass(type(value), type)


def in_class(cls: type, name: str) -> tuple[object, type | None]:
    """Return what a class has under a name, as it stands there, and which of its bases has it."""
    for base in bases(cls):
        namespace = _namespace(base)
        if name in namespace:
            return namespace[name], base
    return MISSING, None


def own_attributes(value: object) -> dict[str, object]:
    """Return the dictionary of an object's own attributes; an empty one where it has none."""
    if issubclass(type(value), ModuleType):
        found = object.__getattribute__(value, "__dict__")
    else:
        descriptor: Any = in_class(type(value), "__dict__")[0]
        if type(descriptor) not in (GetSetDescriptorType, MemberDescriptorType):
            return {}
        found = descriptor.__get__(value, type(value))
    return found if type(found) is dict else {}


def attribute(value: object, name: str) -> object:
    """Return what `value.name` would give; MISSING where only running code could tell, or nothing is there."""
    cls = type(value)
    if type(in_class(cls, "__getattribute__")[0]) is not WrapperDescriptorType:  # written in Python
        return MISSING
    if is_class(value):
        return _of_class(value, name)
    kind, _ = in_class(cls, name)
    if type(kind) is MemberDescriptorType:
        try:
            return kind.__get__(value, cls)
        except (AttributeError, TypeError):
            return MISSING
    if kind is MISSING or not _has(kind, "__set__"):
        own = own_attributes(value)
        if name in own:
            return own[name]
    return MISSING if kind is MISSING else _bound(kind, value, cls)


def _of_class(cls: Any, name: str) -> object:
    found, _ = in_class(cls, name)
    if found is MISSING or (_has(found, "__get__") and type(found) not in _PLAIN):
        return MISSING
    if type(found) is classmethod:
        return _method(found.__func__, cls)
    return found.__func__ if type(found) is staticmethod else found


def _bound(found: Any, value: object, cls: type) -> object:
    kind = type(found)
    if kind is FunctionType:
        return MethodType(found, value)
    if kind is classmethod:
        return _method(found.__func__, cls)
    if kind is staticmethod:
        return found.__func__
    return MISSING if _has(found, "__get__") and kind not in _PLAIN else found


def _method(function: object, cls: object) -> object:
    return MethodType(function, cls) if type(function) is FunctionType else MISSING


def _has(value: object, name: str) -> bool:
    return in_class(type(value), name)[0] is not MISSING


def loaded(module: str, name: str) -> object:
    """Return what a module has under a name, if it is loaded; MISSING otherwise. Nothing is imported."""
    found = sys.modules.get(module)
    return MISSING if found is None else own_attributes(found).get(name, MISSING)


def is_library_file(file: str) -> bool:
    """Say whether a file belongs to the standard library, to an installed package or to this one."""
    return (
        file.startswith(("<frozen", *_LIBRARIES))
        or f"{os.sep}site-packages{os.sep}" in file
        or f"{os.sep}dist-packages{os.sep}" in file
    )


def is_library_module(value: object) -> bool:
    """Say whether a value is a module of the standard library or of an installed package."""
    if not issubclass(type(value), ModuleType):
        return False
    own = own_attributes(value)
    name, file = own.get("__name__"), own.get("__file__")
    if type(name) is str and name.partition(".")[0] in sys.stdlib_module_names:
        return True
    return type(file) is str and is_library_file(file)
