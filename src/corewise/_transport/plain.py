"""Which objects always travel."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Any

# Types that always pickle and unpickle, so many of them may share one pickle without one bad item spoiling the others.
PLAIN = frozenset({int, float, complex, str, bytes, bool, type(None)})


def all_plain(items: Iterable[Any]) -> bool:
    """Return whether every item is of a type that always travels."""
    if type(items) is range:
        return True
    try:
        return set(map(type, items)) <= PLAIN
    except TypeError:  # a class whose own class compares as it likes, and cannot be looked up
        return False


def is_plain(item: object) -> bool:
    """Return whether an item is of a type that always travels."""
    try:
        return type(item) in PLAIN
    except TypeError:  # as above
        return False
