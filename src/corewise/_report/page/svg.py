"""The terminal's picture of a comparison as an SVG file, for a README: generated from the document, never typed."""

from __future__ import annotations

import io
import re

from corewise._report.glyphs import UNICODE
from corewise._report.terminal.show import drawn

TYPE_CHECKING = False
if TYPE_CHECKING:
    from corewise._types.comparison import Document

BAR_HEIGHT = 15  # of the picture's own units, in which a line of text is 24.4 high
BAR_RISE = 13  # from the line that letters stand on to the top of a bar

_BLOCKS = (
    r'<text class="(?P<name>[\w-]+)" x="(?P<x>[\d.]+)" y="(?P<y>[\d.]+)" textLength="(?P<width>[\d.]+)"[^>]*>'
    rf"(?P<blocks>[{UNICODE.eighths}]+)</text>"
)

# What rich fills in; unlike its own frame this one names no font file, so that showing the picture loads nothing.
_FRAME = """\
<svg viewBox="0 0 {width} {height}" xmlns="http://www.w3.org/2000/svg" role="img" aria-labelledby="{unique_id}-title">
<title id="{unique_id}-title">corewise compare, as the terminal shows it</title>
<style>
.{unique_id}-matrix {{
  font-family: "DejaVu Sans Mono", "Cascadia Mono", "SF Mono", Menlo, Consolas, "Liberation Mono", monospace;
  font-size: {char_height}px; line-height: {line_height}px; white-space: pre;
}}
.{unique_id}-title {{ font: bold 15px system-ui, sans-serif; }}
{styles}
</style>
<defs>
<clipPath id="{unique_id}-clip-terminal">
<rect x="0" y="0" width="{terminal_width}" height="{terminal_height}"/>
</clipPath>
{lines}
</defs>
{chrome}
<g transform="translate({terminal_x}, {terminal_y})" clip-path="url(#{unique_id}-clip-terminal)">
{backgrounds}
<g class="{unique_id}-matrix">
{matrix}
</g>
</g>
</svg>
"""


def to_svg(document: Document, width: int = 112) -> str:
    """Return the terminal's picture of a comparison as SVG.

    Args:
        document: the comparison; give it one case for a short picture.
        width: columns of the terminal in the picture; the default has room for the whole table.

    Returns:
        One SVG element that refers to nothing outside itself.
    """
    from rich.console import Console
    from rich.terminal_theme import TerminalTheme

    console = Console(
        record=True,
        width=width,
        file=io.StringIO(),
        force_terminal=True,
        force_jupyter=False,
        color_system="truecolor",
        legacy_windows=False,
        no_color=False,
        markup=False,
        emoji=False,
        highlight=False,
    )
    drawn(document, console)
    theme = TerminalTheme(
        (24, 27, 33),
        (220, 224, 230),
        [
            (24, 27, 33),
            (240, 113, 103),
            (102, 204, 143),
            (226, 179, 76),
            (110, 152, 214),
            (190, 140, 210),
            (95, 190, 200),
            (220, 224, 230),
        ],
    )
    svg = console.export_svg(title="corewise compare", theme=theme, code_format=_FRAME, unique_id="corewise")
    svg = re.sub(_BLOCKS, _as_rectangle, svg)
    return "\n".join(line.rstrip() for line in svg.splitlines()) + "\n"


def _as_rectangle(found: re.Match[str]) -> str:
    """Return a bar as one rectangle: made of letters it would show seams, and differ from font to font."""
    letters = found["blocks"]
    full = len(letters) * len(UNICODE.eighths)
    eighths = sum(UNICODE.eighths.index(letter) + 1 for letter in letters)
    width = float(found["width"]) * eighths / full
    top = float(found["y"]) - BAR_RISE
    return (
        f'<rect class="{found["name"]}" x="{found["x"]}" y="{top:g}" width="{width:g}" height="{BAR_HEIGHT}" rx="2"/>'
    )
