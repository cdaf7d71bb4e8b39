"""Every link of the pages that stays inside the project leads somewhere."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGES = [*sorted(ROOT.glob("*.md")), *sorted((ROOT / "docs").rglob("*.md"))]


def _without_code(markdown: str) -> str:
    return re.sub(r"^```.*?^```$", "", markdown, flags=re.MULTILINE | re.DOTALL)


def _anchors(page: Path) -> set[str]:
    """Return what can stand behind the # of a link to this page."""
    headings = re.findall(r"^#+ (.+)$", _without_code(page.read_text("utf-8")), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading).strip().lower().replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_the_links_of_a_page_lead_to_files_and_headings_that_exist(page: Path) -> None:
    """Links to other sites are not tried."""
    broken = []
    for link in re.findall(r"\]\(([^)\s]+)\)", _without_code(page.read_text("utf-8"))):
        if "://" in link:
            continue
        name, _, anchor = link.partition("#")
        target = (page.parent / name).resolve() if name else page
        if not target.exists() or (anchor and anchor not in _anchors(target)):
            broken.append(link)
    assert broken == []


def test_every_page_can_be_reached_from_the_index() -> None:
    """Nobody finds a page that nothing leads to; the fragments of changes have a README of their own."""
    index = ROOT / "docs/index.md"
    linked = {(index.parent / link).resolve() for link in re.findall(r"\]\(([^)#\s]+)", index.read_text("utf-8"))}
    pages = [page for page in (ROOT / "docs").rglob("*.md") if page.parent.name != "changelog.d" and page != index]
    assert [page.name for page in pages if page not in linked] == []
