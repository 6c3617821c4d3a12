"""How Sphinx makes the site: the pages of this folder, and a reference of `core` beside them.

The pages stay plain Markdown that reads well in the repository. What only the site needs is added
while it is built: the order of the pages, which follows the table in index.md, and full addresses
for links that leave this folder.
"""

import re
from importlib import import_module
from pathlib import Path
from typing import Any

from napari_seedbed import __version__, core

DOCS = Path(__file__).parent
REPOSITORY = "https://github.com/napari-seedbed/napari-seedbed"
REFERENCE = "core"

project = "napari-seedbed"
author = "napari-seedbed developers"
version = release = __version__
html_title = f"{project} {version}"
html_theme = "furo"
html_copy_source = False
extensions = ["myst_parser", "numpydoc", "sphinx.ext.autodoc"]

myst_heading_anchors = 4
autodoc_member_order = "bysource"
autodoc_typehints = "none"  # the sections of the docstrings say more
numpydoc_show_class_members = False


def written_reference() -> list[str]:
    """Write a page for each folder of `core`, and give their names in the order of `core`."""
    folder = DOCS / REFERENCE
    folder.mkdir(exist_ok=True)
    public = {name: getattr(core, name) for name in core.__all__}
    subjects: dict[str, list[str]] = {}
    for name, member in public.items():
        if callable(member):
            home = member.__module__.removeprefix(f"{core.__name__}.")
            subjects.setdefault(home.partition(".")[0], []).append(name)
    for subject, names in subjects.items():
        about = (import_module(f"{core.__name__}.{subject}").__doc__ or "").strip()
        parts = [f"# {subject.capitalize()}\n\n{about}\n\n```{{eval-rst}}"]
        for name in names:
            is_class = isinstance(public[name], type)
            parts.append(f".. auto{'class' if is_class else 'function'}:: {core.__name__}.{name}")
            parts.append("   :members:\n" if is_class else "")
        (folder / f"{subject}.md").write_text("\n".join([*parts, "```\n"]), encoding="utf-8")
    return [f"{REFERENCE}/{subject}" for subject in sorted(subjects)]


REFERENCE_PAGES = written_reference()


def table_of_contents(caption: str, pages: list[str]) -> str:
    """A table of contents that only the site's sidebar shows."""
    entries = "\n".join(pages)
    return f"\n```{{toctree}}\n:hidden:\n:caption: {caption}\n\n{entries}\n```\n"


def for_the_site(text: str, name: str) -> str:
    """A page as the site needs it."""
    page = DOCS / f"{name}.md"

    def link(found: re.Match[str]) -> str:
        target = (page.parent / found[1]).resolve()
        if target.is_relative_to(DOCS) or not target.exists():
            return found[0]
        return f"]({REPOSITORY}/blob/main/{target.relative_to(DOCS.parent).as_posix()})"

    text = re.sub(r"\]\((\.\./[^)#\s]+)\)", link, text)
    named = [
        target.removesuffix(".md")
        for target in re.findall(r"^\|.*?\]\(([^)#\s:]+\.md)\)", text, flags=re.MULTILINE)
    ]
    if name == "index":
        text += table_of_contents("Guide", named)
        text += table_of_contents("Python reference", REFERENCE_PAGES)
    if name == "examples":
        inside = [target for target in named if target.startswith("examples/")]
        text += table_of_contents("Examples", inside)
    return text


def setup(app: Any) -> None:
    """Called by Sphinx."""

    def read(app: Any, name: str, source: list[str]) -> None:
        source[0] = for_the_site(source[0], name)

    app.connect("source-read", read)
