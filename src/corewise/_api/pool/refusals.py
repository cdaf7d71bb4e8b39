"""Errors of a pool that are those of `multiprocessing` too, so that code which expects these catches them.

Loaded when the first of them is needed, as the module of their bases is dear to import.
"""

from __future__ import annotations

import multiprocessing
from multiprocessing.pool import MaybeEncodingError  # type: ignore[attr-defined]  # typeshed leaves it out

from corewise.errors import CannotTravel, RemoteTraceback


class ResultTimeout(multiprocessing.TimeoutError, TimeoutError):
    """A result was not there in time."""

    def __init__(self, timeout_s: float | None) -> None:
        super().__init__(f"the result was not there within {timeout_s:g} s")


class ResultCannotTravel(CannotTravel, MaybeEncodingError):  # type: ignore[misc]  # as above
    """A result cannot be sent to another process; the message names the part that cannot, and a way out.

    Attributes:
        exc: what it failed with, as text.
        value: what the result is to the caller, as text.
    """

    def __init__(self, error: BaseException) -> None:
        text = str(error)
        MaybeEncodingError.__init__(self, repr(error), text)
        self._text = text

    def __str__(self) -> str:
        return self._text

    def __repr__(self) -> str:
        return f"ResultCannotTravel({self._text!r})"


def translated(error: BaseException) -> BaseException:
    """Return the error of a result that could not be sent as `MaybeEncodingError` says it; others as they are.

    Arguments that cannot be sent fail here, so their error has no worker's traceback for its cause.
    """
    if type(error) is not CannotTravel or not isinstance(error.__cause__, RemoteTraceback):
        return error
    twin = ResultCannotTravel(error)
    twin.__cause__ = error.__cause__
    if hasattr(error, "__notes__"):
        twin.__notes__ = error.__notes__
    return twin
