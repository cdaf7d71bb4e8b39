"""The picture for a README: the terminal's own drawing as SVG that needs nothing from outside."""

from __future__ import annotations

import re
from xml.etree import ElementTree as ET

import pytest

from corewise._report.page.svg import to_svg
from report import samples

NAMESPACE = "{http://www.w3.org/2000/svg}"


def test_the_picture_needs_nothing_from_outside() -> None:
    """The one address in it is the name of the SVG format; no font, image or style is fetched."""
    svg = to_svg(samples.sample())
    assert re.findall(r"https?://[^\"'\s)]+", svg.replace("http://127.0.0.1/0", "")) == ["http://www.w3.org/2000/svg"]
    assert "@font-face" not in svg
    assert "@import" not in svg
    assert re.findall(r"url\((?!#)", svg) == []


def test_the_picture_holds_the_figures() -> None:
    """It is well-formed, has a title, and the texts of the terminal are in it, the recommended row in colour."""
    root = ET.fromstring(to_svg(samples.sample([samples.holding_the_gil()])))
    text = "".join(root.itertext()).replace("\u00a0", " ")
    assert root.find(f"{NAMESPACE}title") is not None
    for part in ("sum of squares", "processes:2", "1.02 s", "1.97×", "Use processes:2.", "98 %"):
        assert part in text


def test_bars_are_rectangles_in_proportion() -> None:
    """No bar is left to a font: processes take half of what threads take, and so does their rectangle."""
    root = ET.fromstring(to_svg(samples.sample([samples.holding_the_gil()])))
    bars = [float(one.attrib["width"]) for one in root.iter(f"{NAMESPACE}rect") if one.get("rx") == "2"]
    assert len(bars) == 5
    assert bars[3] / bars[1] == pytest.approx(1.02 / 2.04, abs=0.02)
    assert not re.search("[▏▎▍▌▋▊▉█]", "".join(root.itertext()))


def test_the_picture_is_the_same_every_time() -> None:
    """So that generating it again changes nothing in a repository."""
    assert to_svg(samples.sample()) == to_svg(samples.sample())


def test_texts_from_outside_stay_texts() -> None:
    """A function called <lambda> is written as such and breaks nothing."""
    case = {**samples.holding_the_gil(), "function": "<lambda>", "first_item": "'<script>'"}
    root = ET.fromstring(to_svg(samples.sample([case])))  # type: ignore[list-item]
    assert "<lambda>" in "".join(root.itertext())
    assert list(root.iter(f"{NAMESPACE}script")) == []
