"""What the region graph panel shows in the picture: merged regions, mean colours, the graph."""

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from napari.components import ViewerModel
from napari.layers import Labels, Layer, Vectors
from napari.utils.colormaps import DirectLabelColormap, ensure_colormap
from numpy.typing import NDArray

from napari_seedbed.core.regions.graph_drawing import GraphPart
from napari_seedbed.core.regions.region_graphs import Weight
from napari_seedbed.gui.layers.grids import grid_of
from napari_seedbed.gui.layers.image_layers import add_or_update
from napari_seedbed.gui.layers.kept_selection import selection_kept
from napari_seedbed.gui.layers.layer_records import PREVIEW, find_result, keep_record
from napari_seedbed.gui.layers.output_layers import Origin, OutputLayers
from napari_seedbed.gui.layers.placement import place_of_marks, shift_between
from napari_seedbed.gui.layers.view_position import Part
from napari_seedbed.gui.tools.regions.region_graph_session import Built
from napari_seedbed.pipeline.data.image import Image

MOST_LINES = 30_000
"""More would make moving in the picture slow, and show nothing."""

FEW_LINES = 3_000
"""On a window of usual size, more would cover a fifth of the picture, however thin."""

_COLORMAP = "cool"
"""From cyan to magenta: seen on dark and on bright pictures, and beside labels of any colour."""

_CHOSEN = "yellow"
_WIDTHS = 300
"""So many lines side by side are as wide as the picture."""

_THIN = 20
"""A line is at least so many times as long as it is wide, so that the picture is seen between."""


@dataclass(frozen=True, eq=False)
class _Seen:
    """A built graph in the part that is on screen."""

    built: Built
    part: Part
    image: Image
    numbers: NDArray[np.int32]
    lines: GraphPart


class RegionGraphLayers:
    """The preview layers of one panel.

    Parameters
    ----------
    viewer : ViewerModel or Viewer

    Attributes
    ----------
    shown : ndarray of int32 or None
        The merged regions of the part that is on screen.
    """

    def __init__(self, viewer: ViewerModel) -> None:
        self._viewer = viewer
        self._outputs = OutputLayers(viewer)
        self._slot = f"region graph {id(self)}"
        self._seen: _Seen | None = None
        self._averages: list[Layer] = []
        # What `hide` has hidden, and what is shown next brings back.
        self._hidden: list[Layer] = []
        self.shown: NDArray[np.int32] | None = None

    def look_at(self, built: Built, part: Part) -> None:
        """Another graph, or another part of it, is on screen."""
        seen = self._seen
        if seen is not None and seen.built is built and seen.part == part:
            return
        numbers, image = built.graph.numbers, built.image
        if part.region is not None:
            numbers, image = numbers[part.region], image.crop(part.region)
        self._seen = _Seen(built, part, image, numbers, GraphPart(built.graph, numbers))

    @property
    def built(self) -> Built | None:
        """The graph that is on screen."""
        return None if self._seen is None else self._seen.built

    @property
    def labels(self) -> Labels | None:
        """The layer of the merged regions."""
        return find_result(self._viewer, f"{self._slot}/labels", Labels)

    def show_labels(self, groups: NDArray[np.int64]) -> None:
        """Show the groups as outlines; in the 3D display as labels."""
        seen = self._known()
        self.shown = seen.built.graph.painted(groups, seen.numbers)
        is_flat = sum(n > 1 for n in self.shown.shape) < 3
        # Outlines, so that the picture and the graph are seen, too. Those that napari makes of
        # labels take more than half of the time that a move of the slider may take.
        lines = outlined(self.shown) if is_flat else self.shown
        self._bring_back(self._show("labels", lines, "merged regions"))

    def show_chosen(self, groups: NDArray[np.int64] | None, group: int | None) -> None:
        """Mark one group of regions, or none."""
        slot = "chosen"
        before = find_result(self._viewer, f"{self._slot}/{slot}")
        if groups is None or group is None:
            if before is not None:
                # It comes back with the next click, and napari takes long to remove layers.
                before.visible = False
            return
        seen = self._known()
        table = np.concatenate([[0], groups == group]).astype(np.int32)
        layer = self._show(slot, table[seen.numbers], "chosen region")
        if isinstance(layer, Labels) and before is None:
            layer.colormap = DirectLabelColormap(color_dict={1: _CHOSEN, None: "transparent"})
            layer.opacity = 0.5
        layer.visible = True

    def show_average(self, groups: NDArray[np.int64], on: bool) -> None:
        """Show each group in its mean colour, or show that no more."""
        if not on:
            for layer in self._averages:
                self._remove(layer)
            self._averages = []
            return
        seen = self._known()
        image, given = seen.image, seen.built.question.given
        whole = image.rgb and image.dtype.kind == "u"
        dtype = image.dtype if whole else np.float32
        colours = seen.built.graph.coloured(groups, seen.numbers, dtype)
        axes = image.spatial_axes
        picture = replace(
            image,
            array=colours if image.n_channels > 1 else colours[..., 0],
            axes=(*axes, "c") if image.n_channels > 1 else axes,
            rgb=image.rgb,
            record=None,
        )
        origin = Origin(
            given.like, seen.built.image, given.choices, given.time_axis, seen.part.time
        )
        self._averages = self._outputs.show(
            "average", picture, origin, name="{} > average colours (preview)", record=PREVIEW,
            slot=self._slot,
        )  # fmt: skip
        self._bring_back(*self._averages)

    def show_graph(
        self, groups: NDArray[np.int64], weight: Weight, on: bool, most: int = MOST_LINES
    ) -> str:
        """Draw the graph, or take it away; say why it is not drawn where it has too many lines."""
        slot = f"{self._slot}/graph"
        layer = find_result(self._viewer, slot)
        if not on:
            self._remove(layer)
            return ""
        seen = self._known()
        found = seen.lines.lines(groups, weight)
        count = len(found.weights)
        if count > min(most, MOST_LINES):
            self._remove(layer)
            if count > MOST_LINES:
                return f"The graph has {count:,} edges here, too many to draw."
            return (
                f"The {count:,} edges of the graph would cover the picture and are hidden until "
                "fewer regions are left. Tick Graph anew to see them."
            )
        given = seen.built.question.given
        grid = grid_of(given.like, given.time_axis)
        starts = self._on_layer(found.starts, seen, grid.axes)
        ends = self._on_layer(found.ends, seen, grid.axes)
        vectors = np.stack([starts, ends - starts], axis=1)
        colours = _colours(found.weights)
        lengths = np.linalg.norm(found.ends - found.starts, axis=1)
        width = max(seen.numbers.shape) / _WIDTHS
        if len(lengths):
            width = min(width, float(np.median(lengths)) / _THIN)
        if isinstance(layer, Vectors) and layer.ndim == vectors.shape[2]:
            # One colour first: napari looks through all that there were, and warns.
            layer.edge_color = "white"
            layer.data = vectors
            layer.edge_width = width
            self._bring_back(layer)
        else:
            self._remove(layer)
            layer = Vectors(
                vectors,
                name="region graph (preview)",
                vector_style="line",
                edge_width=width,
                opacity=0.7,
                **place_of_marks(given.like, grid),
            )
            keep_record(layer, "vectors", PREVIEW, slot)
            self._insert(layer)
        if len(colours):
            layer.edge_color = colours
        return ""

    def clear(self) -> None:
        """Take all previews away, and forget what is on screen."""
        for layer in self._previews():
            self._remove(layer)
        self._averages, self._hidden = [], []
        self._seen = None

    def hide(self) -> None:
        """Hide all previews; what is shown next brings them back.

        They are not removed, since napari stops for a quarter of a second for each.
        """
        seen = [layer for layer in self._previews() if layer.visible]
        for layer in seen:
            layer.visible = False
        self._hidden += seen

    def _previews(self) -> list[Layer]:
        names = ("labels", "chosen", "graph")
        found = [find_result(self._viewer, f"{self._slot}/{name}") for name in names]
        return [layer for layer in (*found, *self._averages) if layer is not None]

    def _bring_back(self, *layers: Layer) -> None:
        """Show layers that were hidden here; those that a person has hidden stay so."""
        for layer in layers:
            if layer in self._hidden:
                self._hidden.remove(layer)
                layer.visible = True

    def _known(self) -> _Seen:
        assert self._seen is not None, "look_at comes first"
        return self._seen

    def _show(self, slot: str, labels: NDArray[np.int32], what: str) -> Layer:
        """Show labels of the part on screen; not by `OutputLayers`, which looks for edits."""
        seen = self._known()
        image, given = seen.image, seen.built.question.given
        volume = Image(labels, image.spatial_axes, image.spacing, image.units,
                       translate=image.translate)  # fmt: skip
        shift = None
        if seen.part != Part():
            shift = shift_between(volume, seen.built.image, seen.part.time)
        layer = add_or_update(
            self._viewer,
            "labels",
            volume,
            like=given.like,
            name=f"{what} (preview)",
            record=PREVIEW,
            slot=f"{self._slot}/{slot}",
            time_axis=given.time_axis,
            shift=shift,
            opacity=0.9,
        )
        layer.editable = False
        return layer

    def _on_layer(
        self, points: NDArray[np.float64], seen: _Seen, axes: tuple[str, ...]
    ) -> NDArray[np.float64]:
        """Voxel coordinates of the part as positions on the axes of the layer but channels."""
        columns: dict[str, Any] = {"t": np.full(len(points), float(seen.part.time or 0))}
        for nth, axis in enumerate(seen.image.spatial_axes):
            first = 0 if seen.part.region is None else seen.part.region[nth].start
            columns[axis] = points[:, nth] + first
        return np.stack([columns[axis] for axis in axes if axis != "c"], axis=1)

    def _insert(self, layer: Layer) -> None:
        """Put a layer on top without choosing it."""
        with selection_kept(self._viewer):
            self._viewer.layers.append(layer)

    def _remove(self, layer: Layer | None) -> None:
        if layer is not None and layer in self._viewer.layers:
            self._viewer.layers.remove(layer)


def outlined(labels: NDArray[np.int32]) -> NDArray[np.int32]:
    """Labels of the voxels that share a face with another label, 0 elsewhere."""
    differs = np.zeros(labels.shape, bool)
    for axis in range(labels.ndim):
        moved, edge = np.moveaxis(labels, axis, 0), np.moveaxis(differs, axis, 0)
        found = moved[1:] != moved[:-1]
        edge[1:] |= found
        edge[:-1] |= found
    return labels * differs


def _colours(weights: NDArray[np.float64]) -> NDArray[np.float32]:
    """One colour for each line, by its weight."""
    if not len(weights):
        return np.zeros((0, 4), np.float32)
    # The few strongest would make all others look alike.
    top = float(np.quantile(weights, 0.98)) or 1.0
    found: NDArray[np.float32] = ensure_colormap(_COLORMAP).map(np.minimum(weights / top, 1))
    return found
