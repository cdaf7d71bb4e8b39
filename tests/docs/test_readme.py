"""The README's figures are those of the stored comparison: none is typed by hand, none is out of date."""

from __future__ import annotations

import html
import importlib.util
import io
import json
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from corewise._report import document as documents
from corewise._report.terminal import show as terminal

if TYPE_CHECKING:
    from types import ModuleType

ROOT = Path(__file__).parents[2]
PICTURE_COLUMNS = 112  # what `to_svg` draws


def _tool() -> ModuleType:
    found = importlib.util.spec_from_file_location("draw_readme", ROOT / "tools/draw_readme.py")
    assert found is not None
    assert found.loader is not None
    module = importlib.util.module_from_spec(found)
    found.loader.exec_module(module)
    return module


TOOL: Any = _tool()


def _letters(text: str) -> str:
    """Reduce a text to what can be read: without blanks, and without bars, which the picture draws as rectangles."""
    return re.sub(r"[\s▏▎▍▌▋▊▉█]+", "", text)


def test_the_figures_of_the_readme_are_those_of_the_stored_comparison() -> None:
    """If not, run tools/draw_readme.py."""
    page = TOOL.README.read_text("utf-8")
    assert TOOL.redrawn(page, documents.load(TOOL.FIGURES)) == page


@pytest.mark.parametrize("name", ["compare.svg", "compare-all.svg"])
def test_a_picture_says_what_the_terminal_says_of_the_stored_comparison(name: str) -> None:
    """Whatever the version of what draws it, every word and figure is there, in the same order."""
    shown = io.StringIO()
    terminal.show(TOOL.pictures(documents.load(TOOL.FIGURES))[name], file=shown, width=PICTURE_COLUMNS)
    picture = (TOOL.PICTURES / name).read_text("utf-8")
    matrix = picture.partition('<g class="corewise-matrix">')[2]
    texts = re.findall(r"<text[^>]*>([^<]*)</text>", matrix)
    assert _letters(html.unescape("".join(texts))) == _letters(shown.getvalue())


def test_every_picture_is_shown_on_the_first_page() -> None:
    """No picture lies about unused, and no page shows one that is missing."""
    page = TOOL.README.read_text("utf-8")
    drawn = sorted(TOOL.pictures(documents.load(TOOL.FIGURES)))
    assert sorted(file.name for file in TOOL.PICTURES.iterdir()) == drawn
    assert sorted(set(re.findall(r"docs/pictures/([\w.-]+)", page))) == drawn


def test_the_block_follows_the_figures() -> None:
    """A changed figure changes the block, and only the block."""
    document = documents.load(TOOL.FIGURES)
    page = f"above\n{TOOL.BEGIN}\nold\n{TOOL.END}\nbelow\n"
    redrawn = TOOL.redrawn(page, document)
    assert redrawn.startswith(f"above\n{TOOL.BEGIN}\n")
    assert redrawn.endswith(f"\n{TOOL.END}\nbelow\n")
    changed = json.loads(json.dumps(document))
    changed["cases"][0]["rows"][0]["wall_median_s"] = 123.0
    assert "2 min 3 s" in TOOL.redrawn(page, changed)
    assert "2 min 3 s" not in redrawn


@pytest.mark.parametrize("page", ["no marks\n", "{0}\n{0}\n\n{1}\n", "{1}\n{0}\n", "{0}\nnever ends\n"])
def test_a_page_without_a_place_for_the_figures_is_refused(page: str) -> None:
    """Rather than written anywhere else."""
    with pytest.raises(ValueError, match="once each"):
        TOOL.redrawn(page.format(TOOL.BEGIN, TOOL.END), documents.load(TOOL.FIGURES))
