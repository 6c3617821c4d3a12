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
ROOMS = {
    "pipeline": (
        "data",
        "files",
        "journal",
        "encodings",
        "engine",
        "operations",
        "recipes",
        "project",
        "batch",
        "cli",
    ),
    "gui": ("qt", "layers", "forms", "tools", "hooks"),
}
"""The folders of a part; each imports only from itself and from those named before it."""
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


def wrong_rooms(source: str, part: str, place: tuple[str, ...]) -> list[str]:
    """List the imports in `source` from folders that come after its own, or from another tool.

    `place` are the folders within the part that the module lies in.
    """
    found = []
    rooms = ROOMS[part]
    for line, name in imported_names(source):
        names = name.split(".")
        if names[:2] != ["napari_seedbed", part] or len(names) < 3:
            continue
        if names[2] not in rooms:
            found.append(f"line {line}: {name} is in no folder")
        elif rooms.index(names[2]) > rooms.index(place[0]):
            found.append(f"line {line}: {place[0]} imports {name}")
        elif names[2] == place[0] == "tools" and names[3] != place[1]:
            found.append(f"line {line}: the tool {place[1]} imports {name}")
    return found


@pytest.mark.parametrize("part", sorted(ROOMS))
def test_folder_imports_only_from_those_before_it(part):
    found = {}
    for path in modules_of(part):
        place = path.relative_to(PACKAGE / part).parent.parts
        if not place or place == ("tools",):
            assert path.name == "__init__.py", f"{path} is in no folder"
            continue
        lines = wrong_rooms(path.read_text(encoding="utf-8"), part, place)
        found |= {str(path): lines} if lines else {}
    assert found == {}


@pytest.mark.parametrize(
    ("part", "place", "source"),
    [
        ("pipeline", ("engine",), "from napari_seedbed.pipeline.operations import run"),
        ("pipeline", ("data",), "import napari_seedbed.pipeline.files.zarr_reading"),
        ("gui", ("forms",), "from napari_seedbed.gui.tools.crop.crop_panel import CropPanel"),
        ("gui", ("tools", "crop"), "from napari_seedbed.gui.tools.walker import seeded_form"),
        ("gui", ("hooks",), "from napari_seedbed.gui import somewhere_else"),
    ],
)
def test_a_wrong_way_between_folders_is_found(part, place, source):
    assert wrong_rooms(source, part, place)


@pytest.mark.parametrize(
    ("part", "source"),
    [
        ("core", "import napari_seedbed.pipeline.operations"),
        ("core", "from napari_seedbed import gui"),
        ("core", "def lazy():\n    import dask.array as da"),
        ("core", "from importlib import import_module\nimport_module('tifffile')"),
        ("pipeline", "from napari.layers import Labels"),
        ("pipeline", "from napari_seedbed.gui.layers.image_layers import image_of"),
        ("gui", "from .layers import image_of"),
    ],
)
def test_a_wrong_arrow_is_found(part, source):
    assert wrong_arrows(source, part)


def test_a_right_arrow_is_let_through():
    assert wrong_arrows("from napari_seedbed.pipeline.operations import run", "gui") == []
    assert wrong_arrows("import dask\nfrom napari_seedbed.core import gaussian", "pipeline") == []
    assert wrong_arrows("import numpy\nfrom napari_seedbed.errors import InputError", "core") == []


def test_modules_leave_the_warnings_of_other_threads_alone():
    # It sets and resets what belongs to the whole process.
    found = [p for p in PACKAGE.rglob("*.py") if "catch_warnings(" in p.read_text("utf-8")]
    assert found == []


def test_modules_stay_under_500_lines():
    lengths = {p: len(p.read_text("utf-8").splitlines()) for p in PACKAGE.rglob("*.py")}
    assert {path: length for path, length in lengths.items() if length > 500} == {}


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
