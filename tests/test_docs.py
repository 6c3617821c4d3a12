"""The documentation: generated pages are fresh, links and pictures are there."""

import re
import runpy
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parents[1]
PAGES = [
    REPOSITORY / "README.md",
    REPOSITORY / "CONTRIBUTING.md",
    *sorted((REPOSITORY / "docs").rglob("*.md")),
]


def test_reference_of_operations_is_as_the_declarations_say():
    page = runpy.run_path(str(REPOSITORY / "docs" / "make_reference.py"))["page"]()
    written = (REPOSITORY / "docs" / "operations.md").read_text(encoding="utf-8")
    assert written == page, "docs/operations.md is stale: run `make docs`"


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.stem)
def test_links_inside_the_repository_lead_somewhere(path):
    text = path.read_text(encoding="utf-8")
    targets = re.findall(r"\]\(([^)#\s]+)(?:#[^)]*)?\)", text)
    missing = [
        target for target in targets if "://" not in target and not (path.parent / target).exists()
    ]
    assert missing == []


def test_every_page_is_reached_from_the_index():
    index = (REPOSITORY / "docs" / "index.md").read_text(encoding="utf-8")
    pages = {path.name for path in PAGES if path.parent.name == "docs"} - {"index.md"}
    assert {name for name in pages if f"({name})" not in index} == set()
