"""Checks of single arguments. Each returns the value as it is used from then on, or says in words what is wrong."""

from __future__ import annotations

from corewise.errors import OptionError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Collection


def whole_number(name: str, value: object, *, at_least: int | None = 1) -> int:
    """Return `value` if it is a whole number of at least `at_least` (None: any).

    Raises:
        OptionError: otherwise.
    """
    try:
        number = None if isinstance(value, bool) else int(value.__index__())  # type: ignore[attr-defined]  # anything like an int has it
    except AttributeError:
        number = None
    if number is None or (at_least is not None and number < at_least):
        bound = "" if at_least is None else f" of at least {at_least}"
        raise OptionError(f"{name} must be a whole number{bound}, not {value!r}")
    return number


def seconds(name: str, value: object) -> float:
    """Return `value` as seconds, if it is a number above 0.

    Raises:
        OptionError: otherwise.
    """
    return number_above_0(name, value, "seconds")


def number_above_0(name: str, value: object, what: str) -> float:
    """Return `value` if it is a finite number above 0.

    Args:
        name: of the argument.
        value: what was given.
        what: what it is a number of, for the message.

    Raises:
        OptionError: otherwise.
    """
    number = _real(value)
    if number is None or not 0 < number < float("inf"):
        raise OptionError(f"{name} must be a number of {what} above 0, or None for no limit, not {value!r}")
    return number


def number_or_share(name: str, value: object) -> int | float:
    """Return `value` if it is a whole number of at least 0, or a share: a float from 0.0 to 1.0.

    Raises:
        OptionError: otherwise.
    """
    if hasattr(value, "__index__"):
        return whole_number(name, value, at_least=0)
    share = _real(value)
    if share is None or not 0 <= share <= 1:
        raise OptionError(f"{name} must be a whole number, or a share from 0.0 to 1.0, not {value!r}")
    return share


def seconds_or_none_at_all(name: str, value: object) -> float:
    """Return `value` as seconds, if it is a number of at least 0.

    Raises:
        OptionError: otherwise.
    """
    number = _real(value)
    if number is None or not 0 <= number < float("inf"):
        raise OptionError(f"{name} must be a number of seconds of at least 0, not {value!r}")
    return number


def failures_to_retry(name: str, value: object) -> object:
    """Return `value` if it is a function; and classes of exceptions, one or several, as a tuple.

    Raises:
        OptionError: otherwise.
    """
    classes = tuple(value) if isinstance(value, tuple | list) else (value,) if isinstance(value, type) else ()
    if classes and all(isinstance(one, type) and issubclass(one, Exception) for one in classes):
        return classes
    if classes or not callable(value):
        raise OptionError(
            f"{name} must be a class of exceptions, several of them in a tuple, or a function that is given an "
            f"exception and returns whether to try again, or after how many seconds; not {value!r}"
        )
    return value


def one_of(name: str, value: object, allowed: tuple[object, ...]) -> object:
    """Return `value` if it is among `allowed`.

    Raises:
        OptionError: otherwise.
    """
    if not any(value is one or (isinstance(value, str) and value == one) for one in allowed):
        raise OptionError(f"{name} must be one of {listed(allowed)}, not {value!r}")
    return value


def listed(values: Collection[object]) -> str:
    """Return values in words: ``'a', 'b' or 'c'``."""
    *front, last = (repr(value) for value in values)
    return f"{', '.join(front)} or {last}" if front else last


def _real(value: object) -> float | None:
    if isinstance(value, bool | str | bytes):
        return None
    try:
        return float(value)  # type: ignore[arg-type]  # that is the question
    except (TypeError, ValueError, OverflowError):
        return None
