"""The documentation: pages are fresh, links and pictures are there, docstrings whole."""

import re
import runpy
import tomllib
from dataclasses import is_dataclass
from pathlib import Path

import pytest
from numpydoc.validate import validate

from napari_seedbed import core

REPOSITORY = Path(__file__).resolve().parents[1]
PAGES = [
    REPOSITORY / "README.md",
    REPOSITORY / "CONTRIBUTING.md",
    *sorted((REPOSITORY / "docs").rglob("*.md")),
]


@pytest.mark.parametrize(
    ("name", "maker"),
    [("operations.md", "page"), ("files.md", "files_page"), ("recipe.schema.json", "schema")],
)
def test_page_is_as_the_declarations_say(name, maker):
    page = runpy.run_path(str(REPOSITORY / "docs" / "make_reference.py"))[maker]()
    written = (REPOSITORY / "docs" / name).read_text(encoding="utf-8")
    assert written == page, f"docs/{name} is stale: run `make docs`"


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


def test_entries_of_the_changelog_are_whole_and_differ():
    text = (REPOSITORY / "CHANGELOG.md").read_text(encoding="utf-8")
    lines = text.partition("\n## ")[2].splitlines()
    entries = [e for e in re.split(r"\n(?=- |#|$)", "\n".join(lines)) if e.startswith("- ")]
    assert [entry for entry in entries if not entry.rstrip().endswith(".")] == []
    begins = [entry[:40] for entry in entries]
    assert sorted(set(begins)) == sorted(begins)


def test_docstrings_of_public_names_are_whole():
    pyproject = (REPOSITORY / "pyproject.toml").read_text(encoding="utf-8")
    wanted = set(tomllib.loads(pyproject)["tool"]["numpydoc_validation"]["checks"])
    found = []
    for name in core.__all__:
        member = getattr(core, name)
        # The attributes of a data class are its parameters.
        checks = wanted - {"PR01"} if is_dataclass(member) else wanted
        if callable(member):
            errors = validate(f"{core.__name__}.{name}")["errors"]
            found += [f"{name}: {text}" for code, text in errors if code in checks]
    assert found == []
