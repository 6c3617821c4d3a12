"""The recipes of the architecture page, followed to the letter in a copy of the repository."""

import os
import re
import shutil
import subprocess
import textwrap
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parents[1]
PAGE = REPOSITORY / "docs" / "architecture.md"
STEP = re.compile(
    r"(?P<verb>Write|In) `(?P<path>[^`]+)`(?:, add below `(?P<anchor>[^`]+)`)?:\n\n"
    r"(?P<block> *```\w+\n.*?\n *```)",
    re.DOTALL,
)
COMMANDS = re.compile(r"^ *```sh\n(.*?)\n *```", re.DOTALL | re.MULTILINE)


def recipes() -> dict[str, str]:
    """The text of each recipe by its title."""
    parts = re.split(r"^### (Add .*)\n", PAGE.read_text(encoding="utf-8"), flags=re.MULTILINE)
    texts = (text.partition("\n## ")[0] for text in parts[2::2])
    return dict(zip(parts[1::2], texts, strict=True))


def copy_of_repository(folder: Path) -> Path:
    """The files that git knows or would know, and the environment that they run in."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    for name in filter(None, listed.split("\0")):
        source, target = REPOSITORY / name, folder / name
        if source.is_file() or source.is_symlink():
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(source, target, follow_symlinks=False)
    (folder / ".venv").symlink_to(REPOSITORY / ".venv")
    return folder


def follow(recipe: str, folder: Path) -> None:
    """Write and add what the recipe says."""
    steps = list(STEP.finditer(recipe))
    assert steps
    for step in steps:
        code = textwrap.dedent(step["block"]).partition("\n")[2].removesuffix("```")
        path = folder / step["path"]
        if step["verb"] == "Write":
            assert not path.exists()
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(code, encoding="utf-8")
            continue
        lines = path.read_text(encoding="utf-8").splitlines(keepends=True)
        (found,) = (nth for nth, line in enumerate(lines) if line.startswith(step["anchor"]))
        path.write_text("".join([*lines[: found + 1], code, *lines[found + 1 :]]), encoding="utf-8")


@pytest.mark.slow
def test_recipes_lead_to_what_passes_the_checks_that_they_name(tmp_path):
    if not (REPOSITORY / ".venv").exists() or shutil.which("make") is None:
        pytest.skip("it needs the environment that `make ready` makes")
    folder = copy_of_repository(tmp_path / "copy")
    found = recipes()
    assert list(found) == ["Add a filter", "Add a reader", "Add a panel"]
    commands = ["make docs"]
    for recipe in found.values():
        follow(recipe, folder)
        assert "`make docs`" in recipe
        (block,) = COMMANDS.findall(recipe)
        commands += [line.strip() for line in block.splitlines()]
    surroundings = dict(os.environ, PYTHONPATH=str(folder / "src"))
    for command in dict.fromkeys(commands):
        done = subprocess.run(
            # The environment is that of this checkout, and must not be made anew for the copy.
            re.sub(r"^make ", "make -o .venv/stamp ", command),
            shell=True,
            cwd=folder,
            env=surroundings,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, f"{command}\n{done.stdout}\n{done.stderr}"
        assert "no tests ran" not in done.stdout
