"""The manifest agrees with the registry, with napari and with itself; no window is opened."""

import inspect
import runpy
from importlib import import_module
from pathlib import Path

import pytest
import yaml
from npe2 import PluginManifest
from npe2.manifest import contributions
from npe2.manifest.contributions import CommandContribution, MenuCommand
from pydantic import BaseModel, ValidationError

import napari_seedbed
from napari_seedbed.pipeline import operations

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
}


@pytest.fixture(scope="module")
def raw():
    return yaml.safe_load(MANIFEST.read_text())


@pytest.fixture(scope="module")
def contributed(raw):
    return raw["contributions"]


@pytest.fixture(scope="module")
def commands(contributed):
    return {command["id"]: command for command in contributed["commands"]}


def unknown_keys(raw):
    """Names in the manifest that npe2 does not know, and would ignore."""
    wrong = [key for key in raw if key not in PluginManifest.model_fields]
    for kind, items in raw["contributions"].items():
        if kind == "menus":
            model, rows = MenuCommand, [item for menu in items.values() for item in menu]
        elif kind in MODELS:
            model, rows = MODELS[kind], items
        else:
            wrong.append(kind)
            continue
        wrong += [f"{kind}.{key}" for row in rows for key in row if key not in model.model_fields]
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


def test_commands_have_one_id_each(contributed, commands):
    assert len(commands) == len(contributed["commands"])
    assert all(name.startswith(f"{NAME}.") for name in commands)


def test_every_command_can_be_imported(commands):
    for command in commands.values():
        module, name = command["python_name"].split(":")
        assert callable(getattr(import_module(module), name)), command["id"]


def test_every_command_named_anywhere_exists(contributed, commands):
    named = [item["command"] for menu in contributed["menus"].values() for item in menu]
    for kind in ("widgets", "readers", "writers", "sample_data"):
        named += [item["command"] for item in contributed[kind]]
    assert set(named) - set(commands) == set()


def test_every_command_is_used(contributed, commands):
    used = {item["command"] for menu in contributed["menus"].values() for item in menu}
    for kind in ("widgets", "readers", "writers", "sample_data"):
        used |= {item["command"] for item in contributed[kind]}
    assert set(commands) - used == set()


def test_every_menu_is_one_that_napari_shows(contributed):
    assert set(contributed["menus"]) - MENUS == set()


def test_napari_shows_these_menus_in_the_version_that_is_installed():
    from napari._app_model.constants._menus import is_menu_contributable

    assert [menu for menu in MENUS if not is_menu_contributable(menu)] == []


def test_every_operation_has_a_command_and_a_widget_of_its_title(contributed, commands):
    every = operations.operations.values()
    titles = {f"{NAME}.{operation.command}": operation.command_title for operation in every}
    shown = {item["command"]: item["display_name"] for item in contributed["widgets"]}
    assert shown == titles
    assert {name: commands[name]["title"] for name in titles} == titles


def test_every_operation_is_in_its_menu_and_no_other(contributed):
    for operation in operations.operations.values():
        found = [
            menu
            for menu, items in contributed["menus"].items()
            if f"{NAME}.{operation.command}" in [item["command"] for item in items]
        ]
        assert found == [operation.menu]


def test_each_form_shows_its_own_operation(commands):
    for operation in operations.operations.values():
        module, attribute = commands[f"{NAME}.{operation.command}"]["python_name"].split(":")
        widget = getattr(import_module(module), attribute)
        assert widget.__module__ == module
        assert "napari_viewer" in inspect.signature(widget.__init__).parameters
        assert getattr(widget, "operation", operation) is operation


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
