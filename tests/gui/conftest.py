"""Fixtures for tests of the window; most need no Qt at all."""

import pytest
from napari.components import ViewerModel


@pytest.fixture
def viewer_model() -> ViewerModel:
    """A viewer without a window: layers, events and dims work, Qt is not loaded."""
    return ViewerModel()
