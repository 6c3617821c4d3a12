"""The result layers of the pixel classifier panel."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from napari.components import ViewerModel
from napari.layers import Image as ImageLayer

from napari_seedbed.gui.forms.strokes_results import StrokesResults, index_in
from napari_seedbed.gui.tools.classifier.pixel_classifier_session import ViewPreview
from napari_seedbed.pipeline.data.image import Image
from napari_seedbed.pipeline.operations import Result
from napari_seedbed.pipeline.operations.pixel_classification import NAME


class ClassLayers(StrokesResults):
    """Classes or objects, and probabilities."""

    def __init__(self, viewer: ViewerModel) -> None:
        super().__init__(viewer, "pixel classifier", NAME)

    def show_preview(
        self, preview: ViewPreview, image: ImageLayer, like: Image, t: int | None
    ) -> None:
        """Show a first answer for the part in view."""
        layer = self._labels_to_fill(image, like)
        if layer is None:
            return
        where = index_in(image, layer, t, preview.region)
        target = layer.data[where]
        layer.data[where] = np.asarray(preview.labels, layer.data.dtype).reshape(target.shape)
        layer.refresh()

    def show(self, result: Result, image: ImageLayer) -> None:
        """Show a result; time points that it does not have are empty."""
        shown = {self._slot(image, "labels")}
        self._show_labels(result.image("labels"), image, result.record)
        if "probabilities" in result.outputs:
            maps = result.image("probabilities")
            for name, one in zip(maps.channel_names, maps.channels(), strict=True):
                title = f"probability of {name}"
                self._put("probabilities", one, image, result.record, title, name, visible=False)
                shown.add(self._slot(image, "probabilities", name))
        self._keep_only(image, shown)

    def _show_labels(self, output: Image, image: ImageLayer, record: Mapping[str, Any]) -> None:
        self._put("labels", output, image, record, "classes", opacity=0.4)
