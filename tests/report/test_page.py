"""The page stands on its own, is well formed whatever is in it, and says what the terminal says."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from corewise._report.page.html import to_html
from corewise._types import numbers
from report import made_up, samples

if TYPE_CHECKING:
    from corewise._types.comparison import Case

VOID = {"meta", "rect", "path", "br"}
EVIL = (
    "<lambda>",
    "'<script>alert(1)</script>'",
    '" onmouseover="alert(1)',
    "</style></title>&amp;<!--",
    "\x00\x1b[31m",
)


class Reader(HTMLParser):
    """Reads a page as a browser would: its text, its elements, and whether every one of them is closed."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.pieces: list[str] = []
        self.feed(page)
        self.close()

    @property
    def text(self) -> str:
        """What there is to read, the style sheet left out."""
        return " ".join("".join(self.pieces).split())

    def named(self, tag: str) -> list[dict[str, str | None]]:
        """Return the attributes of each element of a kind."""
        return [attributes for name, attributes in self.elements if name == tag]

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note an element."""
        self.elements.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note an element without content."""
        self.elements.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        """Close an element, which must be the one opened last."""
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        """Note what there is to read."""
        if "style" not in self.open:
            self.pieces.append(
                data if self.open and self.open[-1] in ("code", "small", "strong", "span") else f" {data} "
            )


def test_the_page_says_what_the_terminal_says() -> None:
    """Every verdict, use, note, reason and cell of the lesson, and every figure."""
    stored = samples.sample()
    text = Reader(to_html(stored)).text
    for case in stored["cases"]:
        for row in case["rows"]:
            assert row["verdict"] in text
            assert f"Used for {row['use_for']}." in text
            if row["wall_median_s"] is not None:
                assert numbers.seconds(row["wall_median_s"]) in text
                assert numbers.bytes_(row["peak_memory_bytes"]) in text
        assert all(note["text"] in text for note in case["notes"])
        assert case["recommendation"] is not None
        assert f"Use {case['recommendation']['approach']}. {case['recommendation']['reason']}" in text
    for taught in stored["lesson"]:
        assert all(words in text for words in taught.values())  # type: ignore[operator]


def test_nothing_is_loaded_and_nothing_runs() -> None:
    """No script, no link, no image, no frame, no address of any kind; and a policy that forbids them."""
    page = to_html(samples.sample())
    read = Reader(page)
    tags = {tag for tag, _ in read.elements}
    assert tags.isdisjoint({"script", "link", "img", "iframe", "object", "embed", "base", "form", "a", "use", "image"})
    assert not re.search(r"url\(|@import|src=|href=|https?://", page.replace("http://127.0.0.1/0", ""))
    policies = [one["content"] for one in read.named("meta") if one.get("http-equiv") == "Content-Security-Policy"]
    assert policies == ["default-src 'none'; style-src 'unsafe-inline'"]


@pytest.mark.parametrize("evil", EVIL)
def test_texts_from_outside_stay_texts(evil: str) -> None:
    """Names of functions, items, results and errors are escaped wherever they stand."""
    row = {**samples.row("sync", 1.0), "label": evil, "runs": evil, "approach": evil}
    case = samples.case(
        evil,
        [row, samples.failed_row("threads", evil)],  # type: ignore[list-item]
        about=evil,
        function=evil,
        async_function=evil,
        first_item=evil,
        difference={
            "approach": evil,
            "against": evil,
            "item": 0,
            "item_repr": evil,
            "expected": evil,
            "got": evil,
        },
    )
    ordinary = Reader(to_html(samples.sample([case])))
    tame = re.sub(r"\x00|\x1b", lambda found: f"\\x{ord(found[0]):02x}", evil)
    assert tame in ordinary.text
    assert not any(name.startswith("on") for _, attributes in ordinary.elements for name in attributes)
    assert {tag for tag, _ in ordinary.elements}.isdisjoint({"script", "lambda"})
    assert ordinary.open == []


def test_every_picture_and_table_can_be_read_aloud() -> None:
    """Pictures have a title and a description that are theirs alone, tables a caption and headings with a scope."""
    read = Reader(to_html(samples.sample()))
    pictures = read.named("svg")
    assert len(pictures) == sum(len([r for r in c["rows"] if r["status"] == "ok"]) for c in samples.sample()["cases"])
    names = [name for one in pictures for name in (one["aria-labelledby"] or "").split()]
    known = [one["id"] for tag in ("title", "desc") for one in read.named(tag) if "id" in one]
    assert sorted(names) == sorted(known)  # type: ignore[type-var]
    assert len(set(names)) == len(names) == 2 * len(pictures)
    assert len(read.named("table")) == len(read.named("caption")) == 6
    assert all(one.get("scope") in ("col", "row") for one in read.named("th"))
    assert read.named("html") == [{"lang": "en"}]


def test_bars_and_whiskers_are_in_proportion() -> None:
    """The median of half the longest round fills half the picture, and its whisker spans its rounds."""
    rows = [samples.row("sync", [2.0, 2.0, 4.0]), samples.row("threads", [1.0, 2.0, 3.0])]
    read = Reader(to_html(samples.sample([samples.case("bars", rows)])))
    widths = [one["width"] for one in read.named("rect") if one["class"] == "median"]
    whiskers = [one["d"] for one in read.named("path")]
    assert widths == ["50.00", "50.00"]
    assert whiskers == ["M50.00 6H100.00M50.00 3V9M100.00 3V9", "M25.00 6H75.00M25.00 3V9M75.00 3V9"]


def test_one_round_has_no_whisker() -> None:
    """Where there is no spread, none is drawn."""
    assert "<path" not in to_html(samples.sample([samples.case("once", [samples.row("sync", 2.0)])]))


def test_both_light_and_dark_are_served() -> None:
    """The style follows the reader's setting, and a narrow screen gets a layout of its own."""
    page = to_html(samples.sample())
    assert "@media (prefers-color-scheme: dark)" in page
    assert "@media (max-width:" in page
    assert 'name="viewport"' in page


@settings(max_examples=40)
@given(made=st.lists(made_up.cases(), max_size=2))
def test_any_comparison_makes_a_whole_page(made: list[Case]) -> None:
    """Whatever the figures and texts: every element is closed, and no attribute appears out of a text."""
    read = Reader(to_html(samples.sample(made)))
    assert read.open == []
    allowed = {"class", "id", "role", "scope", "lang", "charset", "name", "content", "http-equiv", "data-head"}
    allowed |= {"aria-labelledby", "viewbox", "preserveaspectratio", "vector-effect", "d", "x", "y", "width", "height"}
    assert {name for _, attributes in read.elements for name in attributes} <= allowed
