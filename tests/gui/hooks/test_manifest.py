"""The manifest agrees with the registry, with napari and with itself; no window is opened."""

import inspect
import runpy
from dataclasses import replace
from importlib import import_module
from pathlib import Path

import pytest
import yaml
from npe2 import PluginManifest
from npe2.manifest import contributions
from npe2.manifest.contributions import (
    CommandContribution,
    ConfigurationContribution,
    ConfigurationProperty,
    MenuCommand,
    Submenu,
    SubmenuContribution,
)
from pydantic import BaseModel, ValidationError

import napari_seedbed
from napari_seedbed.gui.forms.operation_form import OperationForm
from napari_seedbed.gui.hooks.operation_widgets import has_panel, methods, widget_class
from napari_seedbed.pipeline import operations
from napari_seedbed.pipeline.files import read_image, readers, write_labels, writers

PACKAGE = Path(napari_seedbed.__file__).parent
MANIFEST = PACKAGE / "napari.yaml"
NAME = "napari-seedbed"

# Others are dropped by napari without a word.
MENUS = {
    *(f"napari/file/{name}" for name in ("new_layer", "io_utilities", "acquire")),
    *(
        f"napari/layers/{name}"
        for name in (
            "visualize",
            "annotate",
            "data",
            "metadata",
            "layer_type",
            "transform",
            "measure",
            "filter",
            "register",
            "project",
            "segment",
            "track",
            "classify",
        )
    ),
}

MODELS: dict[str, type[BaseModel]] = {
    "commands": CommandContribution,
    "readers": contributions.ReaderContribution,
    "writers": contributions.WriterContribution,
    "widgets": contributions.WidgetContribution,
    "sample_data": contributions.SampleDataGenerator,
    "submenus": SubmenuContribution,
}

ALL = f"{NAME}.operations"
"""The panel that lists all operations."""

WITHOUT_OPERATION = (
    "image_collection",
    "batch",
    "history",
    "earlier_work",
    "orthogonal_views",
    "surfaces",
)
"""Panels that have no operation."""


@pytest.fixture(scope="module")
def raw():
    return yaml.safe_load(MANIFEST.read_text())


@pytest.fixture(scope="module")
def contributed(raw):
    return raw["contributions"]


@pytest.fixture(scope="module")
def commands(contributed):
    return {command["id"]: command for command in contributed["commands"]}


def commands_of(items):
    """The commands among the items of a menu; the others lead to submenus."""
    return [item["command"] for item in items if "command" in item]


def unknown_keys(raw):
    """Names in the manifest that npe2 does not know, and would ignore."""
    wrong = [key for key in raw if key not in PluginManifest.model_fields]
    for kind, items in raw["contributions"].items():
        if kind == "menus":
            rows = [
                (Submenu if "submenu" in item else MenuCommand, item)
                for menu in items.values()
                for item in menu
            ]
        elif kind == "configurations":
            rows = [(ConfigurationContribution, item) for item in items.values()]
            rows += [
                (ConfigurationProperty, item)
                for one in items.values()
                for item in one["properties"].values()
            ]
        elif kind in MODELS:
            rows = [(MODELS[kind], item) for item in items]
        else:
            wrong.append(kind)
            continue
        wrong += [
            f"{kind}.{key}" for model, row in rows for key in row if key not in model.model_fields
        ]
    return wrong


def test_npe2_accepts_the_manifest():
    manifest = PluginManifest.from_file(MANIFEST)
    assert manifest.name == NAME


def test_every_key_is_known(raw):
    assert unknown_keys(raw) == []


@pytest.mark.parametrize(
    ("change", "found"),
    [
        (lambda raw: raw.update(catgories=["Segmentation"]), "catgories"),
        (lambda raw: raw["contributions"].update(menu={}), "menu"),
        (
            lambda raw: raw["contributions"]["widgets"][0].update(displayname="x"),
            "widgets.displayname",
        ),
        (
            lambda raw: raw["contributions"]["menus"]["napari/layers/filter"][0].update(wen="true"),
            "menus.wen",
        ),
    ],
)
def test_misspelt_keys_are_found(change, found):
    raw = yaml.safe_load(MANIFEST.read_text())
    change(raw)
    assert unknown_keys(raw) == [found]


def test_parts_that_are_made_from_the_operations_are_fresh():
    script = PACKAGE.parents[1] / "scripts" / "make_manifest.py"
    if not script.is_file():
        pytest.skip("the package is installed without its repository")
    made = runpy.run_path(str(script))["manifest"]()
    assert MANIFEST.read_text() == made, "napari.yaml is stale: run `make docs`"


def test_one_row_makes_a_kind_of_file_known_to_napari(monkeypatch):
    script = PACKAGE.parents[1] / "scripts" / "make_manifest.py"
    if not script.is_file():
        pytest.skip("the package is installed without its repository")
    reads = readers.Reader("Grid", (".grid",), read_image, (), "numbers")
    others_read = replace(reads, suffixes=(".left",), in_napari=False)
    writes = writers.Writer("Grid", (".grid",), ("labels", "points"), write_labels, "numbers")
    monkeypatch.setattr(readers, "READERS", (*readers.READERS, reads, others_read))
    monkeypatch.setattr(writers, "WRITERS", (*writers.WRITERS, writes))
    made = yaml.safe_load(runpy.run_path(str(script))["manifest"]())["contributions"]
    patterns = made["readers"][0]["filename_patterns"]
    assert {"*.tif", "*.zarr", "*.grid"} <= set(patterns)
    assert not {"*.png", "*.left"} & set(patterns)
    assert [row for row in made["writers"] if ".grid" in row["filename_extensions"]] == [
        {
            "command": f"{NAME}.write_{kind}",
            "layer_types": [kind],
            "filename_extensions": [".grid"],
            "display_name": "Grid",
        }
        for kind in ("labels", "points")
    ]


def test_commands_have_one_id_each(contributed, commands):
    assert len(commands) == len(contributed["commands"])
    assert all(name.startswith(f"{NAME}.") for name in commands)


def test_every_command_can_be_imported(commands):
    for command in commands.values():
        module, name = command["python_name"].split(":")
        assert callable(getattr(import_module(module), name)), command["id"]


def test_every_command_named_anywhere_exists(contributed, commands):
    named = [name for menu in contributed["menus"].values() for name in commands_of(menu)]
    for kind in ("widgets", "readers", "writers", "sample_data"):
        named += [item["command"] for item in contributed[kind]]
    assert set(named) - set(commands) == set()


def test_every_command_is_used_or_is_a_method_for_the_palette(contributed, commands):
    used = {name for menu in contributed["menus"].values() for name in commands_of(menu)}
    for kind in ("widgets", "readers", "writers", "sample_data"):
        used |= {item["command"] for item in contributed[kind]}
    assert set(commands) - used == {
        f"{NAME}.{method.command}" for method in methods() if not method.is_known
    }


@pytest.mark.parametrize(
    ("typed", "panel", "chosen"),
    [
        ("random walker", "seeded_segmentation", {"engine": "random_walker"}),
        ("seeded watershed", "seeded_segmentation", {"engine": "watershed"}),
        ("pixel classification", "pixel_classifier", {}),
        ("random forest", "pixel_classifier", {}),
        ("active contour snake", "snakes", {}),
        ("chan-vese", "snakes", {}),
        ("multi-otsu", "threshold", {}),
        ("region adjacency graph", "region_graph", {}),
        ("back-projection", "chromaticity", {}),
    ],
)
def test_methods_are_found_by_the_names_that_people_know(commands, typed, panel, chosen):
    """Without regard to fuzzy search, the palette shows titles that hold all words typed."""
    (found,) = [
        method
        for method in methods()
        if all(
            word in commands[f"{NAME}.{method.command}"]["title"].lower() for word in typed.split()
        )
    ]
    assert (found.operation.command, dict(found.parameters)) == (panel, chosen)
    assert commands[f"{NAME}.{found.command}"]["python_name"].endswith(f":open_{found.command}")


def test_every_menu_is_one_that_napari_shows(contributed):
    own = {submenu["id"] for submenu in contributed["submenus"]}
    assert set(contributed["menus"]) - MENUS == own


def test_every_submenu_hangs_in_one_menu_that_napari_shows(contributed):
    hung = [
        item["submenu"]
        for menu, items in contributed["menus"].items()
        for item in items
        if "submenu" in item and menu in MENUS
    ]
    assert sorted(hung) == sorted(submenu["id"] for submenu in contributed["submenus"])


def test_napari_shows_these_menus_in_the_version_that_is_installed():
    from napari._app_model.constants._menus import is_menu_contributable

    assert [menu for menu in MENUS if not is_menu_contributable(menu)] == []


def test_every_operation_has_a_command_of_its_title(commands):
    every = operations.operations.values()
    titles = {f"{NAME}.{operation.command}": operation.command_title for operation in every}
    assert {name: commands[name]["title"] for name in titles} == titles


def test_panels_and_no_others_are_widgets(contributed):
    """napari lists widgets in one flat menu, which would be too long for all operations."""
    panels = {f"{NAME}.{one.command}" for one in operations.operations.values() if has_panel(one)}
    panels |= {ALL, *(f"{NAME}.{name}" for name in WITHOUT_OPERATION)}
    assert {item["command"] for item in contributed["widgets"]} == panels


def test_every_operation_is_in_its_menu_and_no_other(contributed):
    parents = {
        item["submenu"]: menu
        for menu, items in contributed["menus"].items()
        for item in items
        if "submenu" in item
    }
    for operation in operations.operations.values():
        found = [
            parents.get(menu, menu)
            for menu, items in contributed["menus"].items()
            if f"{NAME}.{operation.command}" in commands_of(items)
        ]
        assert found == [operation.menu]


def test_each_command_leads_to_its_own_operation(commands):
    for operation in operations.operations.values():
        module, attribute = commands[f"{NAME}.{operation.command}"]["python_name"].split(":")
        found = getattr(import_module(module), attribute)
        if has_panel(operation):
            assert found.__module__ == module
            assert "napari_viewer" in inspect.signature(found.__init__).parameters
        else:
            assert attribute == f"open_{operation.command}"
            form = widget_class(operation)
            assert issubclass(form, OperationForm)
            assert form.operation.command == operation.command


def test_samples_and_commands_share_no_id(contributed, commands):
    # napari makes an action 'plugin.key' of each sample
    assert not {f"{NAME}.{item['key']}" for item in contributed["sample_data"]} & set(commands)


def test_link_at_the_top_is_the_same_manifest():
    link = PACKAGE.parents[1] / "napari.yaml"
    if not (PACKAGE.parents[1] / "pyproject.toml").is_file():
        pytest.skip("the package is installed without its repository")
    text = link.read_text()
    if text.strip() == "src/napari_seedbed/napari.yaml":
        return  # a clone without support for links holds the target's path
    assert text == MANIFEST.read_text()


def test_misspelt_values_are_refused_by_npe2(raw):
    with pytest.raises(ValidationError):
        PluginManifest(**{**raw, "contributions": {"widgets": [{"command": "x"}]}})
