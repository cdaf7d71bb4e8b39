"""What a stream can carry: signs for drawing, and texts respelled for an encoding that lacks their letters."""

from __future__ import annotations

from corewise._types.record import Record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import TypeVar

    Shape = TypeVar("Shape")

# How our own signs are spelled without Unicode. Other people's letters are written as escapes, which loses nothing.
_SPELLED = {
    "µ": "u",
    "×": "x",
    "–": "-",
    "—": "-",
    "·": "-",
    "…": "...",
    "≥": ">=",
    "’": "'",
    "“": '"',
    "”": '"',
    "±": "+/-",
    "\u00a0": " ",
}


class Glyphs(Record):
    """The signs that pictures are drawn with.

    Attributes:
        mark: stands before the recommended row.
        alarm: stands before a note.
        eighths: the parts of a bar's last cell, from the smallest to the whole cell.
        whisker: the line from the median to the slowest round.
        whisker_end: where that line ends.
        point: stands between facts on one line.
    """

    mark: str
    alarm: str
    eighths: str
    whisker: str
    whisker_end: str
    point: str


UNICODE = Glyphs(mark="►", alarm="▪", eighths="▏▎▍▌▋▊▉█", whisker="─", whisker_end="┤", point="·")
ASCII = Glyphs(mark=">", alarm="!", eighths="#", whisker="-", whisker_end="|", point="-")


def glyphs_for(encoding: str) -> Glyphs:
    """Return the drawing signs that an encoding has.

    Args:
        encoding: name of the stream's encoding; an unknown one counts as ASCII.

    Returns:
        The Unicode signs if the encoding has every one of them, else the ASCII ones: half of each would look broken.
    """
    return UNICODE if all(_fits(text, encoding) for text in UNICODE.as_dict().values()) else ASCII


def fit(text: str, encoding: str) -> str:
    r"""Respell a text so that it can be written in an encoding, and cannot steer the terminal.

    Args:
        text: any text, also one from a document that somebody else stored.
        encoding: name of the stream's encoding.

    Returns:
        The text on one line, without control characters; what the encoding lacks is respelled or written as an escape.

    Example:
        >>> print(fit("1.01–1.06 µs of naïve", "ascii"))
        1.01-1.06 us of na\xefve
    """
    return "".join(_letter(letter, encoding) for letter in text)


def fit_all(shape: Shape, encoding: str) -> Shape:
    """Return a copy of a document, or a part of one, with every text in it made to fit."""
    if isinstance(shape, str):
        return fit(shape, encoding)  # type: ignore[return-value] # a str comes back for a str
    if isinstance(shape, dict):
        return {key: fit_all(value, encoding) for key, value in shape.items()}  # type: ignore[return-value] # same keys
    if isinstance(shape, list):
        return [fit_all(value, encoding) for value in shape]  # type: ignore[return-value] # same length
    return shape


def _letter(letter: str, encoding: str) -> str:
    if letter in "\n\t":
        return " "
    if not letter.isprintable() and letter != "\u00a0":
        return f"\\x{ord(letter):02x}" if letter.isascii() else letter.encode("ascii", "backslashreplace").decode()
    if letter.isascii() or _fits(letter, encoding):
        return letter
    return _SPELLED.get(letter) or letter.encode("ascii", "backslashreplace").decode()


def _fits(text: str, encoding: str) -> bool:
    try:
        text.encode(encoding)
    except (LookupError, UnicodeError):
        return False
    return True
