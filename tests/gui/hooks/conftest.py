"""Fixtures for tests of what napari calls by the manifest."""

import pytest
from npe2 import PluginManager


@pytest.fixture(scope="session")
def plugin_found() -> None:
    """Let npe2 find the installed plugin, as napari does when it starts."""
    manager = PluginManager.instance()
    manager.discover()
    if "napari-seedbed" not in manager:
        pytest.skip("napari-seedbed is not installed in this environment")
