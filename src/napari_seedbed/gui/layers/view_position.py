"""What is on screen, in voxels of an image layer, and going to another place."""

from dataclasses import dataclass

import numpy as np
from napari.components import ViewerModel
from napari.layers import Image as ImageLayer
from napari.layers import Labels, Layer, Points, Shapes

from napari_seedbed.gui.layers.grids import SPATIAL, grid_of
from napari_seedbed.gui.layers.image_layers import level_0
from napari_seedbed.pipeline.data.image import Image


@dataclass(frozen=True)
class Part:
    """A part of an image.

    Attributes
    ----------
    region : tuple of slice or None
        Voxels along each spatial axis; None for all.
    time : int or None
        Time point; None for all, or where there is no time.
    words : str
        ``z 5, t 3``; empty for all.
    """

    region: tuple[slice, ...] | None = None
    time: int | None = None
    words: str = ""

    @property
    def times(self) -> list[int] | None:
        """As `operations.run` takes it."""
        return None if self.time is None else [self.time]

    def covers(self, other: "Part") -> bool:
        """Whether all of the other part is in this one."""
        return self.region in (None, other.region) and self.time in (None, other.time)


def slice_on_screen(
    viewer: ViewerModel, layer: ImageLayer, *, time_axis: int | None = None
) -> tuple[int, int] | None:
    """Spatial axis and index of the slice of a volume that is on screen.

    Parameters
    ----------
    viewer : ViewerModel or Viewer
    layer : Image layer
    time_axis : int, optional
        The layer's axis that is time, where its axis labels do not say so.

    Returns
    -------
    (int, int) or None
        Of the nearest slice, where the layer is rotated; (0, 0) for a flat image, which is all on
        screen; None in 3D display.
    """
    axes = grid_of(layer, time_axis).axes
    spatial = [i for i, axis in enumerate(axes) if axis in SPATIAL]
    if len(spatial) == 2:
        return (0, 0)
    if viewer.dims.ndisplay != 2:
        return None
    hidden = [axis - (viewer.dims.ndim - layer.ndim) for axis in viewer.dims.not_displayed]
    for number, i in enumerate(spatial):
        if i in hidden:
            return number, _position(viewer, layer, i)
    return None


def time_on_screen(
    viewer: ViewerModel, layer: ImageLayer, *, time_axis: int | None = None
) -> int | None:
    """The time point on screen; None for a layer without a time axis."""
    axes = grid_of(layer, time_axis).axes
    return _position(viewer, layer, axes.index("t")) if "t" in axes else None


def show_time(
    viewer: ViewerModel, layer: ImageLayer, time: int, *, time_axis: int | None = None
) -> None:
    """Go to a time point of a layer that has a time axis; the place on screen stays."""
    axis = grid_of(layer, time_axis).axes.index("t")
    position = np.zeros(layer.ndim)
    position[axis] = time
    world = layer.data_to_world(position)
    viewer.dims.set_point(viewer.dims.ndim - layer.ndim + axis, float(world[axis]))


def part_in_view(viewer: ViewerModel, like: Layer, image: Image, time_axis: int | None) -> Part:
    """Slice and time point that are in view; no region in the 3D display and for flat images."""
    words = []
    region = None
    place = slice_on_screen(viewer, like, time_axis=time_axis)
    if place is not None and len(image.spatial_shape) == 3:
        axis, index = place
        region = tuple(
            slice(index, index + 1) if i == axis else slice(0, n)
            for i, n in enumerate(image.spatial_shape)
        )
        words.append(f"{image.spatial_axes[axis]} {index}")
    time = None
    if image.time_axis is not None:
        time = time_on_screen(viewer, like, time_axis=time_axis)
        words.append(f"t {time}")
    return Part(region, time, ", ".join(words))


def _position(viewer: ViewerModel, layer: ImageLayer, axis: int) -> int:
    point = np.asarray(viewer.dims.point, dtype=float)[-layer.ndim :]
    index = round(float(layer.world_to_data(tuple(point))[axis]))
    return int(np.clip(index, 0, level_0(layer).shape[axis] - 1))


def data_position(
    layer: ImageLayer,
    place: tuple[int, ...],
    time: int | None = None,
    time_axis: int | None = None,
) -> tuple[float, ...]:
    """Index into an image layer's data of a place on its spatial axes.

    Along a channel axis it is the channel in the middle, where results are centred as well.
    """
    position, spatial = [], iter(place)
    for axis, length in zip(grid_of(layer, time_axis).axes, level_0(layer).shape, strict=False):
        if axis == "t":
            position.append(float(time or 0))
        elif axis == "c":
            position.append(float(length // 2))
        else:
            position.append(float(next(spatial)))
    return tuple(position)


def show_place(
    viewer: ViewerModel,
    image: ImageLayer,
    place: tuple[int, ...],
    time: int | None = None,
    time_axis: int | None = None,
) -> None:
    """Bring a voxel to the middle of the picture, on its own slice.

    In 3D display nothing can be painted on empty seeds, so slices are shown.
    """
    position = data_position(image, place, time, time_axis)
    world = np.asarray(image.data_to_world(position), dtype=float)
    if viewer.dims.ndisplay == 3:
        viewer.dims.ndisplay = 2
    first = viewer.dims.ndim - len(world)
    channel = [i for i, axis in enumerate(grid_of(image, time_axis).axes) if axis == "c"]
    # The channel on screen stays: the place is the same in all of them.
    moved = [i for i in range(len(world)) if i not in channel]
    # At once: napari draws all layers anew for each call.
    viewer.dims.set_point([first + i for i in moved], [float(world[i]) for i in moved])
    centre = np.asarray(viewer.dims.point, dtype=float)
    centre[first:] = world
    y, x = (centre[axis] for axis in viewer.dims.displayed)
    viewer.scene.camera.center = (0.0, float(y), float(x))


def take_brush(viewer: ViewerModel, seeds: Layer) -> None:
    """Make the seeds layer ready for the next mark."""
    viewer.layers.selection.active = seeds
    seeds.visible = True
    if isinstance(seeds, Labels):
        seeds.mode = "paint"
    elif isinstance(seeds, Points):
        seeds.mode = "add"
    elif isinstance(seeds, Shapes):
        seeds.mode = "add_path"


def label_under_mouse(viewer: ViewerModel, layer: Labels) -> int:
    """The label of a layer under the mouse; 0 beside its labels, and in 3D display."""
    if viewer.dims.ndisplay != 2:
        return 0
    value = layer.get_value(viewer.cursor.position, world=True)
    if layer.multiscale and value is not None:
        value = value[1]
    return max(int(value or 0), 0)


def visible_part(
    viewer: ViewerModel, layer: ImageLayer, image: Image, most: int
) -> tuple[slice, ...] | None:
    """The part of the slice in view that the window shows, as it is zoomed.

    Parameters
    ----------
    viewer : ViewerModel or Viewer
    layer : Image layer
    image : Image
        Made from it.
    most : int
        Where it has more voxels than this, the middle of it.

    Returns
    -------
    tuple of slice or None
        One along each spatial axis; None in 3D display.
    """
    place = slice_on_screen(viewer, layer)
    if place is None:
        return None
    shape = image.spatial_shape
    spatial = [i for i, axis in enumerate(grid_of(layer).axes) if axis in SPATIAL]
    corners = np.sort(np.asarray(layer.corner_pixels, dtype=float)[:, spatial], axis=0)
    flat = [] if len(shape) == 2 else [place[0]]
    low = np.clip(np.floor(corners[0]), 0, np.array(shape) - 1).astype(int)
    high = np.clip(np.ceil(corners[1]) + 1, low + 1, shape).astype(int)
    for axis in flat:
        low[axis], high[axis] = place[1], place[1] + 1
    shrunk = min(1.0, float(np.sqrt(most / np.prod(high - low, dtype=float))))
    for axis in range(len(shape)):
        if axis not in flat:
            length = max(1, int((high[axis] - low[axis]) * shrunk))
            low[axis] += (high[axis] - low[axis] - length) // 2
            high[axis] = low[axis] + length
    return tuple(slice(int(a), int(b)) for a, b in zip(low, high, strict=True))
