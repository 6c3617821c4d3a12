"""A Labels layer as volumes that edits work on."""

from collections.abc import Collection
from dataclasses import dataclass

import numpy as np
from napari.layers import Labels
from numpy.typing import NDArray

from napari_seedbed.core.proofreading.label_edits import Box, LabelEdit
from napari_seedbed.errors import InputError
from napari_seedbed.gui.layers.grids import SPATIAL, grid_of, spacing_of, unit_symbol
from napari_seedbed.gui.layers.image_layers import image_of
from napari_seedbed.pipeline.data.image import Image


@dataclass(frozen=True, eq=False)
class EditedLabels:
    """Volumes of one layer; a time axis comes first.

    Attributes
    ----------
    layer : Labels
    time_axis : int or None
        As a person has chosen it, where the axis labels do not say so.
    has_time : bool
    spacing : tuple of float
    unit : str
        As the table has it.
    symbol : str
        As people write it.
    """

    layer: Labels
    time_axis: int | None
    has_time: bool
    spacing: tuple[float, ...]
    unit: str
    symbol: str

    @property
    def data(self) -> NDArray[np.integer]:
        """All voxels, in memory."""
        found: NDArray[np.integer] = self.layer.data
        return found

    @property
    def is_in_memory(self) -> bool:
        """Whether edits can be written."""
        data = self.layer.data
        return isinstance(data, np.ndarray) and bool(data.flags.writeable)

    @property
    def spatial_shape(self) -> tuple[int, ...]:
        """Of a volume."""
        return tuple(int(n) for n in self.layer.data.shape[-len(self.spacing) :])

    @property
    def n_times(self) -> int:
        """1 without time."""
        return int(self.layer.data.shape[0]) if self.has_time else 1

    def volume(self, time: int | None) -> NDArray[np.integer]:
        """The voxels of a time point, not copied."""
        return self.data if time is None or not self.has_time else self.data[time]

    def image(self) -> Image:
        """All of it, as the pipeline takes it."""
        return image_of(self.layer, time_axis=self.time_axis)

    def whole(self, edit: LabelEdit, time: int | None) -> LabelEdit:
        """An edit of a time point's volume as one of all of the layer."""
        place = () if time is None or not self.has_time else (time,)
        return edit.within(self.data.shape, place)

    def times_of(self, box: Box) -> Collection[int | None]:
        """The time points that a box of the whole layer reaches."""
        return range(box[0].start, box[0].stop) if self.has_time else (None,)

    def spatial(self, box: Box) -> Box:
        """The sides of a box of the whole layer along the axes of space."""
        return box[-len(self.spacing) :]


def edited_labels(layer: Labels, time_axis: int | None = None) -> EditedLabels:
    """Look at a layer.

    Raises
    ------
    InputError
        If its axes are unclear, or none that edits can work on.
    """
    if layer.multiscale:
        raise InputError(
            f"labels: '{layer.name}' is an image pyramid, which napari cannot edit. Open its full "
            "resolution alone."
        )
    grid = grid_of(layer, time_axis)
    if "c" in grid.axes or ("t" in grid.axes and grid.axes[0] != "t"):
        raise InputError(
            f"labels: '{layer.name}' has the axes {', '.join(grid.axes)}; it must have those of "
            "space alone, or time before them."
        )
    assert all(axis in SPATIAL for axis in grid.axes if axis != "t")
    spacing, unit = spacing_of(layer, grid)
    symbol = unit_symbol(layer.units[-1])
    return EditedLabels(layer, time_axis, "t" in grid.axes, spacing, unit, symbol)
