"""Exceptions that do their worst on the way home, importable wherever they are rebuilt."""

from __future__ import annotations

import threading
from dataclasses import dataclass
from typing import Any


class Plain(Exception):
    """Nothing odd."""


class NoWords(Exception):
    """Its `__str__` raises."""

    def __str__(self) -> str:
        raise OSError("no words")


class NoRepr(Exception):
    """Its `__repr__` and `__str__` recurse without end."""

    def __repr__(self) -> str:
        return f"<{self!r}>"

    def __str__(self) -> str:
        return repr(self)


class ExitsInStr(Exception):
    """Its `__str__` leaves the program."""

    def __str__(self) -> str:
        raise SystemExit(4)


class Text(str):
    """A text that holds what cannot be pickled."""

    __slots__ = ("lock",)


class OddText(Exception):
    """Its `__str__` returns a text of a kind of its own."""

    def __str__(self) -> str:
        text = Text("an odd text")
        text.lock = threading.Lock()
        return text


class NotPickled(Exception):
    """Its `__reduce__` raises."""

    def __reduce__(self) -> tuple[Any, ...]:
        raise RuntimeError("not me")


class ExitsWhenPickled(Exception):
    """Its `__reduce__` leaves the program."""

    def __reduce__(self) -> tuple[Any, ...]:
        raise SystemExit(5)


class NotRebuilt(Exception):
    """Its `__init__` wants more than it hands on."""

    def __init__(self, one: str, two: str) -> None:
        super().__init__(f"{one} and {two}")


class ByKeyword(Exception):
    """Its `__init__` takes keywords only."""

    def __init__(self, *, code: int) -> None:
        super().__init__()
        self.code = code

    def __str__(self) -> str:
        return f"code {self.code}"


class Impostor(Exception):
    """It comes back as something else."""

    def __reduce__(self) -> tuple[Any, ...]:
        return Plain, ("not the same",)


class NoException(Exception):
    """It comes back as no exception at all."""

    def __reduce__(self) -> tuple[Any, ...]:
        return int, (3,)


class HoldsLock(Exception):
    """It carries what cannot be pickled."""

    def __init__(self, text: str) -> None:
        super().__init__(text)
        self.lock = threading.Lock()


@dataclass(frozen=True)
class Frozen(Exception):
    """It refuses every change of itself, as frozen dataclasses do; and so it cannot be rebuilt."""

    code: int


class RefusesCause(Exception):
    """It can be rebuilt, but nothing can be set on it."""

    def __setattr__(self, name: str, value: object) -> None:
        raise AttributeError(f"cannot set {name}")


class Anonymous(Exception):
    """It has no module."""


Anonymous.__module__ = None  # type: ignore[assignment]  # the oddity that is tested


def raised(error: BaseException) -> BaseException:
    """Raise an exception and catch it, so that it has frames."""
    try:
        deep_inside(error)
    except BaseException as caught:  # noqa: BLE001 - whatever it is
        return caught
    raise AssertionError("it was not raised")


def deep_inside(error: BaseException) -> None:
    """Raise it here."""
    raise error
