"""Frozen records at no import cost.

`dataclasses` would do, but importing it loads `inspect` and `ast` and costs more than half of a bare interpreter's
start; every worker process would pay that again before its first item (``benchmarks/import_cost.py`` has the
figures). Type checkers read a `Record` as a frozen, keyword-only dataclass.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any, Self, dataclass_transform
else:

    def dataclass_transform(**_: object) -> Callable[[type], type]:
        """Stand in for `typing.dataclass_transform`, which only type checkers read."""
        return lambda cls: cls


@dataclass_transform(frozen_default=True, kw_only_default=True)
class Record:
    """A frozen record: annotated fields, keyword arguments only, equality by value.

    A field with a class-level value is optional and defaults to it.

    Raises:
        TypeError: at construction, when a field is missing or unknown.
        AttributeError: when a field is set or deleted afterwards.

    Example:
        >>> class Point(Record):
        ...     x: int
        ...     y: int = 0
        >>> Point(x=1)
        Point(x=1, y=0)
    """

    _fields: tuple[str, ...] = ()
    _required: frozenset[str] = frozenset()
    _known: frozenset[str] = frozenset()

    def __init_subclass__(cls) -> None:
        own = tuple(name for name in cls.__annotations__ if not name.startswith("_"))
        cls._fields = cls._fields + tuple(name for name in own if name not in cls._fields)
        cls._required = frozenset(name for name in cls._fields if not hasattr(cls, name))
        cls._known = frozenset(cls._fields)

    def __init__(self, **values: Any) -> None:
        if not (self._required <= values.keys() <= self._known):
            missing, unknown = sorted(self._required - values.keys()), sorted(values.keys() - set(self._fields))
            raise TypeError(f"{type(self).__name__}: missing fields {missing}, unknown fields {unknown}")
        self.__dict__.update(values)

    def __setattr__(self, name: str, value: object) -> None:
        raise AttributeError(f"{type(self).__name__} is frozen: cannot set {name!r}")

    def __delattr__(self, name: str) -> None:
        raise AttributeError(f"{type(self).__name__} is frozen: cannot delete {name!r}")

    def __eq__(self, other: object) -> bool:
        if type(other) is not type(self):
            return NotImplemented
        return self.as_dict() == other.as_dict()

    def __hash__(self) -> int:
        return hash((type(self), tuple(self.as_dict().values())))

    def __repr__(self) -> str:
        inside = ", ".join(f"{name}={value!r}" for name, value in self.as_dict().items())
        return f"{type(self).__name__}({inside})"

    def as_dict(self) -> dict[str, Any]:
        """Return the fields and their values, in the order of their declaration."""
        return {name: getattr(self, name) for name in self._fields}

    def replace(self, **changes: Any) -> Self:
        """Return a copy with some fields changed.

        Raises:
            TypeError: when a field is unknown.
        """
        return type(self)(**{**self.__dict__, **changes})
