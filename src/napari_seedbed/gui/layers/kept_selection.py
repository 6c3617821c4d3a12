"""Layers that come without being selected."""

from collections.abc import Iterator
from contextlib import contextmanager

from napari.components import ViewerModel


@contextmanager
def selection_kept(viewer: ViewerModel) -> Iterator[None]:
    """Leave selected what is: somebody may be painting on another layer than those that come."""
    layers = viewer.layers
    selected, active = set(layers.selection), layers.selection.active
    yield
    layers.selection = selected
    layers.selection.active = active
