"""Numbers as a reader meets them: every figure that is shown is formatted here and nowhere else.

All of it is pure text with Unicode signs (``µ``, ``×``, ``–``); `_report.glyphs` respells them for a stream that
cannot carry them.
"""

from __future__ import annotations

NOTHING = "–"  # stands where there is no figure

# Below each limit (seconds) the unit fits; the limits lie half a digit low, so that 999.6 ms becomes 1.00 s and not
# 1000 ms.
_SMALL_UNITS = ((999.5e-9, 1e9, "ns"), (999.5e-6, 1e6, "µs"), (0.9995, 1e3, "ms"))
_PER_SECOND = {"ns": 1e9, "µs": 1e6, "ms": 1e3, "s": 1.0}
_BYTE_UNITS = ((1e3, 1.0, "B"), (999.5e3, 1e3, "kB"), (999.5e6, 1e6, "MB"), (999.5e9, 1e9, "GB"))


def seconds(value_s: float | None) -> str:
    """Return a duration in the unit that fits it.

    Args:
        value_s: seconds; None gives a dash.

    Returns:
        Text such as ``"12 µs"``, ``"3.4 ms"``, ``"1.02 s"`` or ``"2 min 3 s"``.

    Example:
        >>> seconds(0.0034), seconds(1.02), seconds(123)
        ('3.4 ms', '1.02 s', '2 min 3 s')
    """
    if value_s is None:
        return NOTHING
    if value_s < 0:
        return f"-{seconds(-value_s)}"
    if value_s == 0:
        return "0 s"
    for limit, scale, unit in _SMALL_UNITS:
        if value_s < limit:
            return f"{_two_digits(value_s * scale)} {unit}"
    if value_s < 9.995:
        return f"{value_s:.2f} s"
    if value_s < 59.95:
        return f"{value_s:.1f} s"
    return _long(value_s)


def span(low_s: float | None, high_s: float | None) -> str:
    """Return two durations as one range, with the unit written once where both share it.

    Example:
        >>> span(1.01, 1.06), span(0.9, 1.1)
        ('1.01–1.06 s', '900 ms – 1.10 s')
    """
    if low_s is None or high_s is None:
        return NOTHING
    low, high = seconds(low_s), seconds(high_s)
    if low == high:
        return low
    (low_number, _, low_unit), (_, _, high_unit) = low.partition(" "), high.partition(" ")
    if low_unit == high_unit and " " not in low_unit:
        return f"{low_number}–{high}"
    return f"{low} – {high}"


def clock(value_s: float) -> str:
    """Return a duration for something that goes on: whole seconds, so that it does not flicker.

    Example:
        >>> clock(8.4), clock(75)
        ('8 s', '1 min 15 s')
    """
    whole = max(0, round(value_s))
    return f"{whole} s" if whole < 60 else _long(float(whole))


def limit(value_s: float) -> str:
    """Return a duration that somebody asked for, as it was asked for.

    Example:
        >>> limit(30.0), limit(0.5), limit(90.0)
        ('30 s', '0.5 s', '1 min 30 s')
    """
    return f"{value_s:g} s" if value_s < 60 else _long(value_s)


def around(middle_s: float | None, low_s: float | None, high_s: float | None) -> str:
    """Return between which times the rounds lie, in the unit of their median and without naming it again.

    Example:
        >>> around(1.02, 0.98, 1.05), around(0.019, 0.0188, 0.0231)
        ('0.98–1.05', '19–23')
    """
    if middle_s is None or low_s is None or high_s is None:
        return ""
    number, _, unit = seconds(middle_s).partition(" ")
    if unit not in _PER_SECOND:
        return f"{seconds(low_s)} – {seconds(high_s)}"
    decimals = len(number.partition(".")[2])
    low, high = (f"{one * _PER_SECOND[unit]:.{decimals}f}" for one in (low_s, high_s))
    return f"{low}–{high}"


def bytes_(value_bytes: float | None) -> str:
    """Return an amount of memory in decimal units.

    Example:
        >>> bytes_(31_400_000), bytes_(512)
        ('31 MB', '512 B')
    """
    if value_bytes is None:
        return NOTHING
    for limit, scale, unit in _BYTE_UNITS:
        if value_bytes < limit:
            return f"{_two_digits(value_bytes / scale) if scale > 1 else f'{value_bytes:.0f}'} {unit}"
    return f"{_two_digits(value_bytes / 1e12)} TB"


def factor(value: float) -> str:
    """Return a ratio as a bare number with three digits.

    Example:
        >>> factor(1.967), factor(14.93), factor(0.0123)
        ('1.97', '14.9', '0.012')
    """
    if value >= 99.95:
        return f"{value:,.0f}"
    if value >= 9.995:
        return f"{value:.1f}"
    if value >= 0.0995 or value <= 0:
        return f"{value:.2f}"
    return f"{value:.3f}" if value >= 0.0005 else "under 0.001"


def times(value: float | None) -> str:
    """Return a ratio with its sign.

    Example:
        >>> times(1.967)
        '1.97×'
    """
    return NOTHING if value is None else f"{factor(value)}×"


def share(value: float | None) -> str:
    """Return a part of the whole in per cent.

    Example:
        >>> share(0.984), share(0.004)
        ('98 %', '0.4 %')
    """
    if value is None:
        return NOTHING
    percent = 100 * value
    return f"{percent:.1f} %" if 0.05 <= percent < 0.95 else f"{percent:.0f} %"


def cores(value: float | None) -> str:
    """Return a number of busy cores.

    Example:
        >>> cores(1.04), cores(0.02)
        ('1.0', '0.02')
    """
    if value is None:
        return NOTHING
    return f"{value:.2f}" if 0 < value < 0.095 else f"{value:.1f}"


def rate(value_per_s: float) -> str:
    """Return items per second, or per minute where fewer than one a second would read as a fraction.

    Example:
        >>> rate(37.23), rate(0.05)
        ('37.2/s', '3.0/min')
    """
    if value_per_s >= 99.95:
        return f"{value_per_s:,.0f}/s"
    return f"{value_per_s:.1f}/s" if value_per_s >= 0.95 else f"{60 * value_per_s:.1f}/min"


def count(number: int, noun: str) -> str:
    """Return a number with its noun, in the plural where it needs one.

    Example:
        >>> count(1, "item"), count(12000, "item")
        ('1 item', '12,000 items')
    """
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"


def _two_digits(value: float) -> str:
    return f"{value:.1f}" if value < 9.95 else f"{value:.0f}"


def _long(value_s: float) -> str:
    minutes, rest = divmod(round(value_s), 60)
    if minutes < 60:
        return f"{minutes} min {rest} s"
    hours, minutes = divmod(round(value_s / 60), 60)
    return f"{hours:,} h {minutes} min"
