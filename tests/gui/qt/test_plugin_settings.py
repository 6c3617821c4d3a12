"""Settings in napari's preferences: what is chosen there counts; no window is opened."""

import pytest
from napari.settings._plugin_config_generator import plugin_configuration_generator
from qtpy.QtWidgets import QWidget

from napari_seedbed.gui.forms.save_dialogs import SaveDialog, ask_for_recipe_path
from napari_seedbed.gui.qt import plugin_settings
from napari_seedbed.gui.qt.plugin_settings import PLUGIN, SECTIONS, key_of, seconds_of, setting


@pytest.fixture
def chosen(monkeypatch):
    """The settings as napari makes them from the manifest, kept in no file."""
    settings = plugin_configuration_generator()[PLUGIN](config_path=None)
    monkeypatch.setattr(plugin_settings, "get_plugin_settings", {PLUGIN: settings}.__getitem__)
    return settings


def test_napari_has_every_setting_with_its_default(chosen):
    for section, (_, settings) in SECTIONS.items():
        for one in settings:
            assert getattr(getattr(chosen, section), one.name) == one.default
            assert setting(section, one.name) == one.default


def test_what_is_chosen_counts_and_what_is_no_key_does_not(chosen):
    chosen.differences.next_key = "Alt-J"
    chosen.differences.blink_key = "no key at all"
    chosen.panels.live_seconds = 2.5
    assert key_of("next_key") == "Alt+J"
    assert key_of("blink_key") == "B"
    assert (seconds_of("panels"), seconds_of("differences")) == (2.5, 30)


def test_defaults_count_where_the_plugin_is_not_registered(monkeypatch):
    monkeypatch.setattr(plugin_settings, "get_plugin_settings", {}.__getitem__)
    assert key_of("background_key") == "G"
    assert seconds_of("panels") == 15


def test_dialog_for_recipes_begins_in_the_folder_that_was_chosen(
    qtbot, chosen, monkeypatch, tmp_path
):
    window = QWidget()
    qtbot.addWidget(window)
    begun = []
    monkeypatch.setattr(
        SaveDialog, "exec", lambda dialog: begun.append(dialog.directory().absolutePath())
    )
    folder = tmp_path / "recipes"
    folder.mkdir()
    for where in (str(folder), str(tmp_path / "missing")):
        chosen.panels.recipe_folder = where
        assert ask_for_recipe_path(window, "cells") is None
    assert begun[0] == str(folder)
    assert begun[1] != str(tmp_path / "missing")
