"""A line that shows which values an image holds and which range they were made for."""

from collections.abc import Sequence
from functools import partial
from typing import Any
from weakref import WeakKeyDictionary

from napari.layers import Layer
from qtpy.QtGui import QHideEvent, QShowEvent
from qtpy.QtWidgets import QLabel, QSizePolicy

from napari_seedbed.errors import InputError
from napari_seedbed.gui.forms.operation_inputs import OperationInputs
from napari_seedbed.gui.layers.image_layers import image_from_layers, image_of
from napari_seedbed.gui.layers.layer_records import METADATA_KEY
from napari_seedbed.gui.layers.seeds_watch import move_connections
from napari_seedbed.gui.qt import errors
from napari_seedbed.gui.qt.delays import Delay
from napari_seedbed.gui.qt.jobs import Jobs
from napari_seedbed.pipeline.data.image import Image
from napari_seedbed.pipeline.data.image_statistics import range_of_image

MOST_LAZY_BYTES = 1 << 31
"""Reading more than this from a file, only to show its range, would keep the disk busy."""

WAIT_SECONDS = 0.15

_known: "WeakKeyDictionary[Layer, dict[tuple[int, ...], tuple[Any, Any, str]]]" = (
    WeakKeyDictionary()
)
"""Of each layer and choice of channels: data and record that were looked at, and the words."""


class ValueRangeLine(QLabel):
    """Stands below the image of a form; the voxels are looked at beside the window, once.

    Parameters
    ----------
    inputs : OperationInputs
        Its rows get the line.
    """

    def __init__(self, inputs: OperationInputs) -> None:
        super().__init__()
        self.setWordWrap(True)
        self.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Minimum)
        self.setToolTip("The values that the image holds, of the range that they were made for.")
        self._inputs = inputs
        self._layers: list[Layer] = []
        self._jobs = Jobs(self)
        self._delay = Delay(self, WAIT_SECONDS, self._look)
        inputs.rows.insertRow(1, self)
        for signal in (inputs.image_chosen, inputs.channels.chosen, inputs.times.activated):
            signal.connect(self._look_soon)

    @property
    def is_busy(self) -> bool:
        """Whether voxels are looked at, or soon will be."""
        return len(self._jobs) > 0 or self._delay.is_waiting

    def showEvent(self, event: QShowEvent | None) -> None:
        """Somebody reads it."""
        super().showEvent(event)
        self._look_soon()

    def hideEvent(self, event: QHideEvent | None) -> None:
        """Nobody reads it."""
        super().hideEvent(event)
        self._stop()
        self._watch([])

    def _look_soon(self, *_: Any) -> None:
        if self.isVisible():
            self._delay.start()

    def _look(self) -> None:
        """Show what is known; look at one layer of which nothing is known yet."""
        self._stop()
        choices, told, begun = self._chosen(), [], False
        self._watch([layer for layer, _ in choices])
        for layer, channels in choices:
            words = _words_for(layer, channels)
            if words is None:
                words = "looking at its values…"
                if not begun:
                    begun = True
                    self._start(layer, channels)
            told.append(f"{layer.name}: {words}" if len(choices) > 1 else words)
        self.setText("\n".join(told))

    def _chosen(self) -> list[tuple[Layer, tuple[int, ...]]]:
        """The layers that are worked on, with their channels; none for all of them."""
        if not self._inputs.is_ready:
            return []
        channels: dict[Layer, tuple[int, ...]] = {}
        for choice in self._inputs.channels.choices():
            index = () if choice.index is None else (choice.index,)
            channels[choice.layer] = channels.get(choice.layer, ()) + index
        return list(channels.items()) or [(self._inputs.layer, ())]

    def _start(self, layer: Layer, channels: tuple[int, ...]) -> None:
        try:
            image = self._image(layer, channels)
        except InputError as error:
            _keep(layer, channels, str(error))
            self._look_soon()
            return
        if image.is_lazy and _bytes(image) > MOST_LAZY_BYTES:
            _keep(layer, channels, f"{image.dtype}; a run shows the range of its values")
            self._look_soon()
            return
        self._jobs.start(
            "range",
            partial(_range_in_words, image),
            partial(self._on_done, layer, channels),
            partial(self._on_error, layer, channels),
        )

    def _image(self, layer: Layer, channels: tuple[int, ...]) -> Image:
        time_axis = self._inputs.time_axis
        if not channels:
            return image_of(layer, time_axis=time_axis)
        own = [one for one in self._inputs.channels.choices() if one.layer is layer]
        return image_from_layers(layer, own, time_axis=time_axis)

    def _on_done(self, layer: Layer, channels: tuple[int, ...], words: str) -> None:
        _keep(layer, channels, words)
        self._look()

    def _on_error(self, layer: Layer, channels: tuple[int, ...], error: BaseException) -> None:
        self._on_done(layer, channels, errors.message_of(error))

    def _stop(self) -> None:
        self._delay.stop()
        self._jobs.cancel()

    def _watch(self, layers: Sequence[Layer]) -> None:
        """Notice when the voxels of a layer are others."""
        for layer in self._layers:
            move_connections(layer, None, ("data", "set_data"), self._look_soon)
        self._layers = list(layers)
        for layer in self._layers:
            move_connections(None, layer, ("data", "set_data"), self._look_soon)


def _words_for(layer: Layer, channels: tuple[int, ...]) -> str | None:
    data, record, words = _known.get(layer, {}).get(channels, (None, None, ""))
    # a further run writes a result into the same array, with a record of its own
    same = data is layer.data and record is layer.metadata.get(METADATA_KEY)
    return words if same and words else None


def _keep(layer: Layer, channels: tuple[int, ...], words: str) -> None:
    record = layer.metadata.get(METADATA_KEY)
    _known.setdefault(layer, {})[channels] = (layer.data, record, words)


def _bytes(image: Image) -> int:
    count = image.dtype.itemsize
    for length in image.shape:
        count *= length
    return count


def _range_in_words(image: Image) -> str:
    return range_of_image(image).text
