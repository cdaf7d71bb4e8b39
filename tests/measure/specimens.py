"""Keeps functions together with what must be found in them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

Found = tuple[str, str, str]
"""Kind, name and how of an effect."""

Specimen = tuple[Any, list[Found], list[Found]]
"""A function, what must be found and be certain, and what must be found but is not. Nothing else may be found."""


def recorder(works: list[Specimen]) -> Callable[..., Callable[[Any], Any]]:
    """Return a decorator that says what a function does and adds it to the list."""

    def does(certain: list[Found] | None = None, noted: list[Found] | None = None) -> Callable[[Any], Any]:
        def decorate(function: Any) -> Any:
            works.append((function, certain or [], noted or []))
            return function

        return decorate

    return does
