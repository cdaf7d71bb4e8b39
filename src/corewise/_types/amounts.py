"""Amounts of memory as people write them: ``"64 MB"``."""

from __future__ import annotations

from corewise.errors import OptionError

_UNITS = {"": 1, "b": 1}
for _power, _letter in enumerate("kmgt", 1):
    _UNITS[_letter] = _UNITS[f"{_letter}b"] = 1000**_power
    _UNITS[f"{_letter}ib"] = 1024**_power


def bytes_in(name: str, text: str) -> int:
    """Return the number of bytes that a text says.

    Args:
        name: what the amount is for, for the message.
        text: a number and a unit: ``B``, ``kB``, ``MB``, ``GB``, ``TB`` (powers of 1000), ``KiB``, ``MiB``, ``GiB`` or
            ``TiB`` (powers of 1024), in any case, with or without a space between.

    Raises:
        OptionError: when it is no such text, or says less than one byte.

    Example:
        >>> bytes_in("buffer", "64 MB"), bytes_in("buffer", "1.5GiB")
        (64000000, 1610612736)
    """
    figure = text.strip()
    letters = figure.lstrip("0123456789._")
    number = figure[: len(figure) - len(letters)]
    unit = _UNITS.get(letters.strip().lower()) if letters else None
    try:
        amount = int(float(number) * unit) if unit is not None else 0
    except ValueError:
        amount = 0
    if amount < 1:
        raise OptionError(f"{name} must be a whole number of items, or an amount such as '64 MB', not {text!r}")
    return amount
