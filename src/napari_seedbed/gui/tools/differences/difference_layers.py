"""The layers of the differences panel: the difference in two colours, the mask, numbered boxes."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from napari.components import ViewerModel
from napari.layers import Image as ImageLayer
from napari.layers import Layer, Shapes
from napari.utils.colormaps import Colormap

from napari_seedbed.gui.layers.output_layers import Origin, OutputLayers
from napari_seedbed.gui.layers.seed_layers import LABEL_FEATURE
from napari_seedbed.pipeline.operations import Result

DIVERGING = Colormap(
    [(0.1, 0.35, 1.0), (0.1, 0.1, 0.1), (1.0, 0.55, 0.05)], name="blue, black, orange"
)
"""Blue where the second image is brighter, orange where the first one is, black at no change."""

BOX, CHOSEN_BOX = "yellow", "cyan"
_TITLES = {"difference": "difference of {}", "mask": "changes of {}", "shapes": "boxes of {}"}


@dataclass(frozen=True, eq=False)
class Shown:
    """The layers of one result."""

    difference: ImageLayer
    mask: Layer
    boxes: Shapes

    @property
    def all(self) -> list[Layer]:
        """All of them."""
        return [self.difference, self.mask, self.boxes]


class DifferenceLayers:
    """Shows results, each in layers that later ones update.

    Parameters
    ----------
    viewer : ViewerModel or Viewer
    """

    def __init__(self, viewer: ViewerModel) -> None:
        self._viewer = viewer
        self._layers = OutputLayers(viewer)
        self._modes: dict[str, str] = {}
        self.shown: Shown | None = None

    def show(self, result: Result, origin: Origin, mode: str, slot: str, where: str = "") -> Shown:
        """Show the difference, the mask and the boxes of a run.

        Parameters
        ----------
        result : Result
        origin : Origin
        mode : {'signed', 'absolute', 'ratio', 'similarity'}
            What kind of difference it is, which decides its colours.
        slot : str
            Results of one slot take the place of each other.
        where : str
            What stands behind the names of the layers: ``preview``, ``t 3``.
        """
        found: dict[str, Any] = {}
        for key, title in _TITLES.items():
            before = set(self._viewer.layers)
            name = f"{title} ({where})" if where else title
            output: Any = result.outputs[key]
            (layer,) = self._layers.show(
                key, output, origin, name=name, record=result.record, slot=slot
            )
            found[key] = layer
            if layer not in before and key == "mask":
                # The boxes say where; the mask would hide what changed there.
                layer.visible = False
        self._colour(found["difference"], mode)
        self._number(found["shapes"])
        self.shown = Shown(found["difference"], found["mask"], found["shapes"])
        return self.shown

    def select(self, change: int | None, time: int | None = None) -> None:
        """Mark the boxes of one change; of none for None."""
        if self.shown is None or self.shown.boxes not in self._viewer.layers:
            return
        boxes = self.shown.boxes
        if not len(boxes.data):
            return
        labels = boxes.features[LABEL_FEATURE].to_numpy()[: len(boxes.data)]
        chosen = labels == change
        times = [float(corners[0, 0]) for corners in boxes.data]
        if time is not None and boxes.ndim > 2 and len(set(times)) > 1:
            chosen &= np.isclose(times, time)
        boxes.edge_color = [CHOSEN_BOX if one else BOX for one in chosen]
        boxes.selected_data = {int(i) for i in np.flatnonzero(chosen)}

    def remove(self, slot: str) -> None:
        """Take the layers of a slot away."""
        for layer in list(self._viewer.layers):
            kept = layer.metadata.get("napari_seedbed", {})
            if str(kept.get("slot", "")).startswith(f"{slot}/"):
                self._viewer.layers.remove(layer)

    def _colour(self, layer: ImageLayer, mode: str) -> None:
        """Colours and limits that fit the kind of difference; those of a person stay."""
        key = str(layer.unique_id)
        is_new = self._modes.get(key) != mode
        self._modes[key] = mode
        far = float(np.abs(layer.data).max()) if np.size(layer.data) else 0.0
        far = far if far > 0 else 1.0
        if is_new:
            layer.blending = "translucent_no_depth"
            layer.colormap = {"absolute": "inferno", "similarity": "gray"}.get(mode, DIVERGING)
            layer.metadata = {**layer.metadata}
        if mode == "signed":
            layer.contrast_limits_range = layer.contrast_limits = (-far, far)
        elif mode == "absolute":
            layer.contrast_limits_range = layer.contrast_limits = (0, far)
        elif is_new:
            limits = (0, 2) if mode == "ratio" else (0, 1)
            layer.contrast_limits_range = layer.contrast_limits = limits

    def _number(self, boxes: Shapes) -> None:
        if not len(boxes.data):
            return
        boxes.edge_color = BOX
        boxes.text = {
            "string": f"{{{LABEL_FEATURE}}}",
            "anchor": "upper_left",
            "color": BOX,
            "size": 11,
            "translation": [0] * boxes.ndim,
        }
