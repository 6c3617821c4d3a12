"""Which part of the package may import what: gui -> pipeline -> core, and never back."""

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

PACKAGE = Path(__file__).resolve().parents[1] / "src" / "napari_seedbed"
WINDOW = {
    "app_model",
    "magicgui",
    "napari",
    "pyqtgraph",
    "qtpy",
    "superqt",
    "vispy",
    "PyQt5",
    "PyQt6",
    "PySide2",
    "PySide6",
}
FILES_AND_BLOCKS = {"dask", "distributed", "imagecodecs", "tifffile", "yaml", "zarr"}
FORBIDDEN = {
    "core": WINDOW | FILES_AND_BLOCKS | {"napari_seedbed.gui", "napari_seedbed.pipeline"},
    "pipeline": WINDOW | {"napari_seedbed.gui"},
    "gui": set(),
}
IMPORT_SECONDS = 0.05


def imported_names(source: str) -> Iterator[tuple[int, str]]:
    """Yield the line and the dotted name of everything that a module imports, at any depth."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield node.lineno, alias.name
        elif isinstance(node, ast.ImportFrom):
            if node.level:
                yield node.lineno, "." * node.level + (node.module or "")
            else:
                for alias in node.names:
                    yield node.lineno, f"{node.module}.{alias.name}"
        elif isinstance(node, ast.Call) and node.args and is_import_call(node.func):
            first = node.args[0]
            if isinstance(first, ast.Constant) and isinstance(first.value, str):
                yield node.lineno, first.value


def is_import_call(function: ast.expr) -> bool:
    """Tell whether an expression is import_module, importlib.import_module or __import__."""
    name = function.attr if isinstance(function, ast.Attribute) else getattr(function, "id", "")
    return name in {"import_module", "__import__"}


def wrong_arrows(source: str, part: str) -> list[str]:
    """List the imports in `source` that the part of the package it belongs to may not have."""
    found = []
    for line, name in imported_names(source):
        if name.startswith("."):
            found.append(f"line {line}: relative import {name}")
        if any(f"{name}.".startswith(f"{forbidden}.") for forbidden in FORBIDDEN[part]):
            found.append(f"line {line}: {part} imports {name}")
    return found


def modules_of(part: str) -> list[Path]:
    return sorted((PACKAGE / part).rglob("*.py"))


@pytest.mark.parametrize("part", sorted(FORBIDDEN))
def test_part_imports_only_what_lies_below_it(part):
    found = {
        str(path.relative_to(PACKAGE)): wrong_arrows(path.read_text(encoding="utf-8"), part)
        for path in modules_of(part)
    }
    assert found, f"no modules found in {PACKAGE / part}"
    assert {path: lines for path, lines in found.items() if lines} == {}


@pytest.mark.parametrize(
    ("part", "source"),
    [
        ("core", "import napari_seedbed.pipeline.operations"),
        ("core", "from napari_seedbed import gui"),
        ("core", "def lazy():\n    import dask.array as da"),
        ("core", "from importlib import import_module\nimport_module('tifffile')"),
        ("pipeline", "from napari.layers import Labels"),
        ("pipeline", "from napari_seedbed.gui.layers import image_of"),
        ("gui", "from .layers import image_of"),
    ],
)
def test_a_wrong_arrow_is_found(part, source):
    assert wrong_arrows(source, part)


def test_a_right_arrow_is_let_through():
    assert wrong_arrows("from napari_seedbed.pipeline.operations import run", "gui") == []
    assert wrong_arrows("import dask\nfrom napari_seedbed.core import gaussian", "pipeline") == []
    assert wrong_arrows("import numpy\nfrom napari_seedbed.errors import InputError", "core") == []


@pytest.mark.parametrize("path", sorted(PACKAGE.rglob("*.py")), ids=lambda path: path.stem)
def test_module_leaves_the_warnings_of_other_threads_alone(path):
    # It sets and resets what belongs to the whole process.
    assert "catch_warnings(" not in path.read_text(encoding="utf-8")


@pytest.mark.parametrize("path", sorted(PACKAGE.rglob("*.py")), ids=lambda path: path.stem)
def test_module_stays_under_500_lines(path):
    assert len(path.read_text(encoding="utf-8").splitlines()) <= 500


def loaded_after(statements: str) -> set[str]:
    """Return the top-level modules that a fresh process has loaded after `statements`."""
    listing = "print(*{name.partition('.')[0] for name in sys.modules})"
    code = f"{statements}\nimport sys\n{listing}"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return set(done.stdout.split())


@pytest.mark.parametrize(("part", "unwanted"), [("core", WINDOW | {"dask"}), ("pipeline", WINDOW)])
def test_every_module_of_a_part_loads_no_window(part, unwanted):
    names = [
        ".".join(path.relative_to(PACKAGE.parent).with_suffix("").parts)
        for path in modules_of(part)
    ]
    assert names
    statements = "\n".join(f"import {name.removesuffix('.__init__')}" for name in names)
    assert loaded_after(statements) & unwanted == set()


def test_importing_the_package_loads_nothing_heavy():
    heavy = WINDOW | FILES_AND_BLOCKS | {"numba", "numpy", "pydantic", "scipy", "skimage"}
    assert loaded_after("import napari_seedbed") & heavy == set()


def test_importing_the_package_is_fast():
    code = (
        "import time; started = time.process_time(); import napari_seedbed; "
        "print(time.process_time() - started)"
    )
    seconds = min(
        float(subprocess.run([sys.executable, "-c", code], capture_output=True, check=True).stdout)
        for _ in range(5)
    )
    print(f"import napari_seedbed: {1000 * seconds:.1f} ms")
    assert seconds < IMPORT_SECONDS


def test_public_names_are_all_found():
    import napari_seedbed

    for name in napari_seedbed.__all__:
        assert getattr(napari_seedbed, name) is not None
    with pytest.raises(AttributeError, match="no_such_name"):
        _ = napari_seedbed.no_such_name
