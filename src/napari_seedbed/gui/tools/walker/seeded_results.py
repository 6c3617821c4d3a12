"""The result layers of seeded segmentation, filled or as outlines."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from napari.components import ViewerModel
from napari.layers import Image as ImageLayer
from napari.layers import Labels, Layer
from qtpy.QtCore import QObject
from qtpy.QtWidgets import QCheckBox

from napari_seedbed.core.progress import Preview
from napari_seedbed.gui.forms.image_choice import ImageChoice
from napari_seedbed.gui.forms.strokes_results import StrokesResults, index_in
from napari_seedbed.gui.layers.image_layers import write_preview as write_slice
from napari_seedbed.gui.layers.layer_records import METADATA_KEY, SLOT_KEYS, find_result
from napari_seedbed.pipeline.data.image import Image
from napari_seedbed.pipeline.operations import Result

FILLED: dict[str, Any] = {"contour": 0, "opacity": 0.4}
"""Light enough that strokes of the same colour are seen on it."""

OUTLINES: dict[str, Any] = {"contour": 1, "opacity": 1.0}


class ResultLayers(StrokesResults):
    """The segmentation, its uncertainty and probabilities.

    Attributes
    ----------
    is_filled : bool
        Whether a result that comes is filled; one that is there changes with `fill`.
    """

    def __init__(self, viewer: ViewerModel) -> None:
        super().__init__(viewer, "seeded segmentation", "seeded_segmentation")
        self.is_filled = False
        # by slot, the accepted layer that its next result will lie over
        self._accepted: dict[str, str] = {}

    def fill(self, image: ImageLayer, on: bool) -> None:
        """Show the labels of an image filled, or as outlines."""
        layer = self.labels(image)
        if layer is not None:
            _look(layer, FILLED if on else OUTLINES)

    def show_preview(self, preview: Preview, image: ImageLayer, like: Image, t: int | None) -> None:
        """Show a first answer for one slice."""
        layer = self._labels_to_fill(image, like)
        if layer is not None:
            write_slice(layer, preview, like=image, t=t)

    def show(
        self, result: Result, image: ImageLayer, t: int | None, wanted: tuple[str, ...]
    ) -> None:
        """Show a result.

        Parameters
        ----------
        result : Result
        image : Image layer
        t : int or None
            Only this time point of a series was solved: the others in the layers stay.
        wanted : tuple of str
            Outputs to show beside the labels; layers of others are taken away.
        """
        shown = {self._slot(image, "labels")}
        self._show("labels", result.image("labels"), image, result.record, t)
        if "uncertainty" in wanted:
            self._show("uncertainty", result.image("uncertainty"), image, result.record, t)
            shown.add(self._slot(image, "uncertainty"))
        if "probabilities" in wanted:
            for label, output in _by_label(result.image("probabilities")):
                self._show("probabilities", output, image, result.record, t, label)
                shown.add(self._slot(image, "probabilities", label))
        self._keep_only(image, shown)

    def accept(self, image: ImageLayer) -> Labels | None:
        """Make the layers ordinary ones, which later strokes do not touch.

        They look as before, until a later result comes to lie over the labels.
        """
        labels = super().accept(image)
        if labels is not None:
            self._accepted[self._slot(image, "labels")] = str(labels.unique_id)
        return labels

    def _show_labels(self, output: Image, image: ImageLayer, record: Mapping[str, Any]) -> None:
        self._show("labels", output, image, record)

    def _show(
        self,
        kind: Any,
        output: Image,
        image: ImageLayer,
        record: Mapping[str, Any],
        t: int | None = None,
        label: str = "",
    ) -> None:
        slot = self._slot(image, kind, label)
        layer = find_result(self._viewer, slot)
        if t is not None and layer is not None and layer.data.size == output.array.size:
            self._write_time(layer, output, image, record, t)
            return
        title = {
            "labels": "segmentation",
            "uncertainty": "uncertainty",
            "probabilities": f"probability of {label}",
        }[kind]
        if kind == "labels" and layer is None:
            self._set_off_accepted(slot)
        is_new = layer is None
        visible = kind != "probabilities"
        layer = self._put(kind, output, image, record, title, label, visible=visible)
        if is_new and isinstance(layer, Labels):
            _look(layer, FILLED if self.is_filled else OUTLINES)

    def _set_off_accepted(self, slot: str) -> None:
        """Show the accepted labels the other way than the new ones, to keep the two distinct."""
        accepted = self._accepted.pop(slot, None)
        new, other = (FILLED, OUTLINES) if self.is_filled else (OUTLINES, FILLED)
        for layer in self._viewer.layers:
            if str(layer.unique_id) != accepted or not isinstance(layer, Labels):
                continue
            # unless somebody has chosen how they look
            if {name: getattr(layer, name) for name in new} == new:
                _look(layer, other)

    def _write_time(
        self, layer: Layer, output: Image, image: ImageLayer, record: Mapping[str, Any], t: int
    ) -> None:
        where = index_in(image, layer, t)
        target = layer.data[where]
        target[...] = np.asarray(output.select_time(t).array, layer.data.dtype).reshape(
            target.shape
        )
        kept = layer.metadata[METADATA_KEY]
        slot = {key: kept[key] for key in SLOT_KEYS if key in kept}
        layer.metadata = {**layer.metadata, METADATA_KEY: {**record, **slot}}
        layer.refresh()


class Filling(QObject):
    """Filled or outlines: what the box says, and always outlines while a stroke is drawn.

    Parameters
    ----------
    box : QCheckBox
    results : ResultLayers
    images : ImageChoice
        Whose results are shown.
    """

    def __init__(self, box: QCheckBox, results: ResultLayers, images: ImageChoice) -> None:
        super().__init__(box)
        self._box, self._results, self._images = box, results, images
        box.toggled.connect(self._on_toggled)

    def on_drawing(self, on: bool) -> None:
        """A stroke begins or ends: it would be hard to see on a filled result."""
        if self._box.isChecked() and self._images.watched is not None:
            self._results.fill(self._images.watched, not on)

    def _on_toggled(self, on: bool) -> None:
        self._results.is_filled = on
        if self._images.watched is not None:
            self._results.fill(self._images.watched, on)


def _look(layer: Labels, looks: Mapping[str, Any]) -> None:
    for name, value in looks.items():
        setattr(layer, name, value)


def _by_label(probabilities: Image) -> list[tuple[str, Image]]:
    """One image a label, with the label's name."""
    names = probabilities.channel_names or tuple(
        f"label {i + 1}" for i in range(probabilities.n_channels)
    )
    return list(zip(names, probabilities.channels(), strict=True))
