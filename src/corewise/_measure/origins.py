"""Where a value comes from, as far as bytecode tells."""

from __future__ import annotations

from collections import OrderedDict, defaultdict, deque

from corewise._measure.lookups import MISSING, attribute

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

OUTSIDE = frozenset({"global", "closure", "argument", "attribute"})
_DEEPEST = 6  # guess: of parts of parts; a loop that walks along a chain would go on for ever
_HOLDS_ITS_ITEMS = frozenset({list, dict, tuple, deque, defaultdict, OrderedDict})


class Origin:
    """Where a value comes from. What is made by the function itself, or is not known, has none: that is None.

    Attributes:
        kind: one of `OUTSIDE`, as in `corewise._types.measurement.Effect`; or ``"const"``, ``"function"`` (made by the
            function itself), ``"tuple"`` (of known parts), ``"parts"`` (a new container of outside objects),
            ``"in-place"`` (the result of `+=` and the like), ``"slice"``, ``"null"``.
        name: as it would be written in the source: ``"CONFIG.paths[...]"``.
        value: the object, where it is at hand.
        sure: whether it is that object on every way to this place.
        base: what it is a part of.
        attr: as which attribute of it; empty for an item.
        depth: how many times it is a part of a part.
        key: equal for origins that are alike.
    """

    __slots__ = ("attr", "base", "depth", "key", "kind", "name", "sure", "value")

    def __init__(
        self,
        kind: str,
        name: str = "",
        value: Any = MISSING,
        *,
        sure: bool = True,
        base: Origin | None = None,
        attr: str = "",
    ) -> None:
        self.kind = kind
        self.name = name
        self.value = value
        self.sure = sure
        self.base = base
        self.attr = attr
        self.depth: int = base.depth + 1 if base else 0
        self.key: tuple[object, ...] = (kind, name, id(value), sure, attr, base.key if base else None)

    @property
    def root(self) -> Origin:
        """What this is, at last, a part of."""
        origin = self
        while origin.base is not None:
            origin = origin.base
        return origin

    def unsure(self) -> Origin:
        """The same, but on some ways only."""
        return Origin(self.kind, self.name, self.value, sure=False, base=self.base, attr=self.attr)


NULL = Origin("null")
SLICE = Origin("slice")


def is_outside(origin: Origin | None) -> bool:
    """Say whether a value is, or may be, an object that was there before the function was called."""
    return origin is not None and origin.kind in OUTSIDE


def merged(one: Origin | None, other: Origin | None) -> Origin | None:
    """Return what is known of a value that comes from here on one way and from there on another."""
    if one is other or (one is not None and other is not None and one.key == other.key):
        return one
    if one is None or other is None:
        known = one or other
        # `rows = rows or []`: an option that was left out is more likely than one that is changed for the caller.
        return None if known is None or known.kind not in OUTSIDE or known.kind == "argument" else known.unsure()
    if one.kind not in OUTSIDE or other.kind not in OUTSIDE:
        return None
    value = one.value if type(one.value) is type(other.value) else MISSING
    return Origin(one.kind, one.name, value, sure=one.sure and other.sure, base=one.base)


def item_of(origin: Origin | None) -> Origin | None:
    """Return the origin of what a subscript, a loop or an unpacking takes out of a value."""
    if origin is None:
        return None
    if origin.kind == "parts":
        return item_of(origin.base)
    if origin.kind not in OUTSIDE or origin.depth == _DEEPEST:
        return None
    sure = origin.sure and type(origin.value) in _HOLDS_ITS_ITEMS
    name = origin.name if origin.name.endswith("[...]") else f"{origin.name}[...]"
    return Origin(origin.kind, name, sure=sure, base=origin)


def attribute_of(origin: Origin | None, name: str) -> Origin | None:
    """Return the origin of an attribute of a value."""
    if origin is None or origin.kind not in OUTSIDE or origin.depth == _DEEPEST:
        return None
    kind = "argument" if origin.kind == "argument" else "attribute"
    value = MISSING if origin.value is MISSING else attribute(origin.value, name)
    sure = origin.sure and value is not MISSING
    return Origin(kind, f"{origin.name}.{name}", value, sure=sure, base=origin, attr=name)
