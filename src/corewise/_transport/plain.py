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
    return set(map(type, items)) <= PLAIN
