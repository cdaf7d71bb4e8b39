"""The items that a command was given, by whichever option."""

from __future__ import annotations

from typing import TYPE_CHECKING

from corewise._cli import items
from corewise._cli.failure import Failure

if TYPE_CHECKING:
    from types import ModuleType
    from typing import Protocol

    class ItemsAsked(Protocol):
        """What was typed, as far as it is about items."""

        @property
        def target(self) -> str | None: ...

        @property
        def items(self) -> str | None: ...

        @property
        def items_file(self) -> str | None: ...

        @property
        def items_from(self) -> str | None: ...

        @property
        def limit(self) -> int | None: ...


def asked_for(asked: ItemsAsked, module: ModuleType) -> items.Items:
    """Return the items that were asked for.

    Args:
        asked: what was typed.
        module: the target's, whose names an expression may use.

    Raises:
        Failure: when it is none of the options, or more than one, or what it names gives no items.
    """
    given = [name for name in ("items", "items_file", "items_from") if getattr(asked, name) is not None]
    if len(given) != 1:
        options = " and ".join(spelled(name) for name in given)
        raise Failure(
            f"{options} cannot be used together" if given else f"{asked.target} needs items to work on",
            hint='give one of --items "[1, 2, 3]", --items-file FILE or --items-from FILE.py:NAME',
        )
    if asked.items is not None:
        found = items.from_expression(asked.items, module, asked.limit)
    elif asked.items_file is not None:
        found = items.from_file(asked.items_file, asked.limit)
    else:
        found = items.from_code(str(asked.items_from), asked.limit)
    if not found.values:
        raise Failure(
            f"there are no items: {found.origin}", hint="give at least one; of nothing there is nothing to tell"
        )
    return found


def spelled(name: str) -> str:
    """Return an option as it is typed."""
    return "--" + name.replace("_", "-")
