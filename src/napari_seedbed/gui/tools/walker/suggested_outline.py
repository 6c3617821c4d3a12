"""The outline of a region in the picture that a person is asked about."""

from typing import Any

import numpy as np
from napari.components import ViewerModel
from napari.layers import Image as ImageLayer
from napari.layers import Labels
from napari.utils.colormaps import DirectLabelColormap

from napari_seedbed.core.walker.uncertain_regions import UncertainRegion
from napari_seedbed.gui.layers.image_layers import add_or_update
from napari_seedbed.gui.layers.layer_records import find_result
from napari_seedbed.gui.layers.placement import Shift
from napari_seedbed.pipeline.data.image import Image

NAME = "suggested region"
COLOUR = "yellow"
_SLOT = "suggested region of seeded segmentation"


class SuggestedOutline:
    """A layer of its own while there is a question, hidden once it is answered.

    Parameters
    ----------
    viewer : ViewerModel or Viewer
    """

    def __init__(self, viewer: ViewerModel) -> None:
        self._viewer = viewer

    def show(
        self, region: UncertainRegion, image: Image, like: ImageLayer, time: int | None
    ) -> None:
        """Outline a region of an image that was made from a layer, at a time point."""
        axes, first = image.spatial_axes, tuple(float(side.start) for side in region.box)
        layer = add_or_update(
            self._viewer,
            "labels",
            Image(region.inside.astype(np.uint8), axes),
            like=like,
            name=NAME,
            record={"operation": "seeded_segmentation", "preview": True},
            slot=_SLOT,
            shift=Shift(first, (1.0,) * len(axes), time),
            opacity=1.0,
        )
        assert isinstance(layer, Labels)
        layer.contour = 2
        colours: dict[Any, Any] = {None: "transparent", 1: COLOUR}
        layer.colormap = DirectLabelColormap(color_dict=colours)
        layer.visible = True

    def hide(self) -> None:
        """The question is answered; the next one takes the layer again."""
        if (layer := self.layer) is not None:
            layer.visible = False

    def remove(self) -> None:
        """Nothing is asked any more."""
        if (layer := self.layer) is not None:
            self._viewer.layers.remove(layer)

    @property
    def layer(self) -> Labels | None:
        """The layer of the outline, if there is one."""
        return find_result(self._viewer, _SLOT, Labels)
