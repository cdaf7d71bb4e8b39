"""The options that every verb takes, in one place: named, typed and validated once."""

from __future__ import annotations

from corewise._types.choice import APPROACHES
from corewise._types.record import Record
from corewise.errors import OptionError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Collection, Mapping
    from typing import Literal, TypedDict

    class OptionArgs(TypedDict, total=False):
        """Keyword arguments that `map` hands on; `Options` says what each means."""

        chunksize: int | None
        on_error: Literal["raise", "return"]
        ordered: bool
        start_method: Literal["auto", "fork", "forkserver", "spawn"]


class Options(Record):
    """How to run, beyond which approach and how many workers.

    Attributes:
        chunksize: items handed to a worker at a time. None, the default, adapts it so that a chunk lasts a few
            milliseconds: long items travel alone, short ones in company.
        on_error: ``"raise"`` (default: what a plain loop would do) or ``"return"``: the exception stands in the
            results at the place of the item that failed, all other items are run, and `Results.failures` lists what
            failed.
        ordered: True (default): results in input order. False: in the order in which they were finished.
        start_method: how worker processes are started: ``"auto"`` (default; ``"fork"`` where it is safe, because it
            is ten times faster and everything is inherited, else ``"forkserver"`` or ``"spawn"``), or one of these
            by name. Only for ``"processes"``.
    """

    chunksize: int | None = None
    on_error: str = "raise"
    ordered: bool = True
    start_method: str = "auto"


def make_options(given: Mapping[str, object]) -> Options:
    """Validate keyword arguments and return them as `Options`.

    Raises:
        TypeError: when an option is unknown.
        OptionError: when a value is out of range.
    """
    for name in given:
        if name not in Options._fields:
            known = ("approach", "workers", "progress", *Options._fields)
            raise TypeError(f"unknown option {name!r}; the options are {_listed(known)}")
    options = Options(**given)  # type: ignore[arg-type]  # checked next
    if options.chunksize is not None:
        whole_number("chunksize", options.chunksize)
    one_of("on_error", options.on_error, ("raise", "return"))
    one_of("ordered", options.ordered, (True, False))
    one_of("start_method", options.start_method, ("auto", "fork", "forkserver", "spawn"))
    return options


def whole_number(name: str, value: object) -> int:
    """Return `value` if it is a whole number of at least 1.

    Raises:
        OptionError: otherwise.
    """
    try:
        number = value.__index__() if not isinstance(value, bool) else 0  # type: ignore[attr-defined]  # anything like an int has it
    except AttributeError:
        number = 0
    if number < 1:
        raise OptionError(f"{name} must be a whole number of at least 1, not {value!r}")
    return int(number)


def known_approach(value: object, *, extra: Collection[str] = ()) -> str:
    """Return `value` if it names an approach (or one of `extra`).

    Raises:
        OptionError: otherwise; the message names the known ones.
    """
    return str(one_of("approach", value, (*extra, *APPROACHES)))


def one_of(name: str, value: object, allowed: tuple[object, ...]) -> object:
    """Return `value` if it is among `allowed`.

    Raises:
        OptionError: otherwise.
    """
    if not any(value is one or (isinstance(value, str) and value == one) for one in allowed):
        raise OptionError(f"{name} must be one of {_listed(allowed)}, not {value!r}")
    return value


def _listed(values: Collection[object]) -> str:
    *front, last = (repr(value) for value in values)
    return f"{', '.join(front)} or {last}" if front else last
