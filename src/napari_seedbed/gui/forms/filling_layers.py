"""Layers of a run in blocks that fill in while it goes on."""

import threading
from collections.abc import Callable, Sequence
from pathlib import Path

from napari.layers import Image as ImageLayer
from napari.layers import Layer
from qtpy.QtCore import QObject, Signal

from napari_seedbed.gui.layers.grids import level_of
from napari_seedbed.gui.layers.stored_layers import limits_of
from napari_seedbed.gui.qt.delays import Delay
from napari_seedbed.pipeline.data.image import Image
from napari_seedbed.pipeline.files.filling_store import FillingStore

REFRESH_SECONDS = 0.5

Show = Callable[[str, Sequence[Image]], list[Layer]]


class FillingLayers(QObject):
    """Shows what blocks there are, soon after each is on disk.

    Parameters
    ----------
    folder : Path
        That the run writes into.
    show : callable
        ``show(output, levels)`` adds layers over the resolutions of an output.
    parent : QObject

    Attributes
    ----------
    folder : Path
    layers : dict of str to list of Layer
        By output.
    """

    _written = Signal(str)

    def __init__(self, folder: Path, show: Show, parent: QObject) -> None:
        super().__init__(parent)
        self.folder, self._show = folder, show
        self._is_closed = False
        self._lock = threading.Lock()
        self._stores: dict[str, FillingStore] = {}
        self._limits: dict[Layer, tuple[float, float]] = {}
        self.layers: dict[str, list[Layer]] = {}
        self._written.connect(self._on_written)
        self._refresh = Delay(self, REFRESH_SECONDS, self._show_again)

    def take(self, output: str, region: Sequence[slice]) -> None:
        """A block is on disk; called in the thread of the run."""
        with self._lock:
            if self._is_closed:
                return
            store = self._stores.get(output)
            if store is None:
                store = self._stores[output] = FillingStore(self.folder / f"{output}.zarr")
                store.take_written()
            else:
                store.take(region)
        self._written.emit(output)

    def close(self) -> None:
        """Show nothing any more; the layers stay."""
        self._refresh.stop()
        # The window does not wait for a block that is being read; what layers show, they hold.
        self._is_closed, self._stores = True, {}

    def _on_written(self, output: str) -> None:
        if self._is_closed:
            return
        if output not in self.layers:
            self.layers[output] = self._show(output, self._stores[output].levels)
        self._refresh.start_once()

    def _show_again(self) -> None:
        for layers in self.layers.values():
            for layer in layers:
                layer.refresh(extent=False)
                if isinstance(layer, ImageLayer) and not layer.rgb:
                    self._fit_contrast(layer)

    def _fit_contrast(self, layer: ImageLayer) -> None:
        """Limits that fit what there is so far, unless a person has set them."""
        last = self._limits.get(layer)
        if last is not None and tuple(layer.contrast_limits) != last:
            return
        found = limits_of(level_of(layer, -1))
        if found is not None:
            layer.contrast_limits_range = found
            layer.contrast_limits = found
        self._limits[layer] = tuple(layer.contrast_limits)
