"""Where the voxels of a layer lie: axes, spacing, and the way from one grid to another."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pint
from napari.layers import Layer
from numpy.typing import NDArray

from napari_seedbed.errors import InputError

CHANNEL_LABELS = frozenset({"c", "ch", "channel", "channels"})
TIME_LABELS = frozenset({"t", "time", "frame", "frames"})
SPATIAL = ("z", "y", "x")

# A grid counts as the same when no voxel of it lies further off than this, in voxels: far
# below what nearest neighbour could notice, far above the rounding of rotated transforms.
SAME_GRID_TOLERANCE = 1e-3


@dataclass(frozen=True, eq=False)
class Grid:
    """The grid of one layer.

    Attributes
    ----------
    name : str
        Name of the layer, for messages.
    axes : tuple of str
        What each data axis is: 't', 'c', 'z', 'y' or 'x'.
    affine : (D+1, D+1) ndarray
        From data to world coordinates.
    units : tuple of pint.Unit
        Unit of each world axis.
    """

    name: str
    axes: tuple[str, ...]
    affine: NDArray[np.float64]
    units: tuple[Any, ...]

    @property
    def ndim(self) -> int:
        """Number of axes, spatial or not."""
        return len(self.axes)

    @property
    def spatial(self) -> list[int]:
        """Positions of the spatial axes."""
        return [i for i, axis in enumerate(self.axes) if axis in SPATIAL]


@dataclass(frozen=True, eq=False)
class GridMap:
    """The way from an image's grid to that of its seeds.

    Attributes
    ----------
    spatial : (S+1, S+1) ndarray
        From the image's voxel coordinates to the seeds' data coordinates, spatial axes only.
    time : (float, float) or None
        Factor and offset from the image's time index to the seeds'; None where one of them has
        no time axis.
    """

    spatial: NDArray[np.float64]
    time: tuple[float, float] | None

    @property
    def to_image(self) -> NDArray[np.floating]:
        """From the seeds' data coordinates to the image's voxel coordinates, (S+1, S+1)."""
        return np.linalg.inv(self.spatial)

    def image_times(self, seeds_times: NDArray[np.floating]) -> NDArray[np.intp]:
        """The image's time indexes of the seeds' time coordinates, where both have a time axis."""
        assert self.time is not None, "only asked for when both have a time axis"
        factor, offset = self.time
        return np.rint((seeds_times - offset) / factor).astype(np.intp)

    def is_same_grid(self, shape: Sequence[int]) -> bool:
        """Whether each voxel of an image of that spatial `shape` lies on the seeds' voxel."""
        away = np.abs(self.spatial - np.eye(len(self.spatial)))[:-1]
        furthest = np.append(np.asarray(shape, float), 1.0)
        if np.any(away @ furthest > SAME_GRID_TOLERANCE):
            return False
        return self.time is None or bool(np.allclose(self.time, (1, 0), rtol=0, atol=1e-6))


def layer_axes(layer: Layer, time_axis: int | None = None) -> tuple[str, ...]:
    """Return what each axis of a layer is, from its axis labels.

    Parameters
    ----------
    layer : Layer
    time_axis : int, optional
        The axis that is time, where the axis labels do not say so.

    Returns
    -------
    tuple of str
        't', 'c', 'z', 'y', 'x': one for each axis of the layer (an RGB axis is none of them).

    Raises
    ------
    InputError
        When two axes are named time or channel, or when other than two or three are left for
        space: a shape alone is never taken as a hint.
    """
    axes: list[str | None] = [None] * layer.ndim
    for i, label in enumerate(layer.axis_labels):
        if str(label).lower() in CHANNEL_LABELS:
            axes[i] = "c"
        elif str(label).lower() in TIME_LABELS and time_axis is None:
            axes[i] = "t"
    if time_axis is not None:
        if not -layer.ndim <= time_axis < layer.ndim:
            raise InputError(
                f"time_axis: {time_axis} given, but layer '{layer.name}' has {layer.ndim} axes."
            )
        axes[time_axis] = "t"
    for axis, meaning in (("t", "time"), ("c", "channel")):
        if axes.count(axis) > 1:
            raise InputError(
                f"Layer '{layer.name}' has more than one {meaning} axis: its axis labels are "
                f"{', '.join(map(str, layer.axis_labels))}. Give each axis a label of its own."
            )
    free = axes.count(None)
    if free not in (2, 3):
        raise InputError(
            f"Layer '{layer.name}' has {layer.ndim} axes labelled "
            f"{', '.join(map(str, layer.axis_labels))}; two or three of them must be space. "
            "Label the time axis 't' and the channel axis 'c' (layer.axis_labels)."
        )
    names = iter(SPATIAL[-free:])
    return tuple(axis if axis is not None else next(names) for axis in axes)


def layer_affine(layer: Layer) -> NDArray[np.float64]:
    """Affine (D+1, D+1) from the layer's data to world coordinates, without units.

    Built from D+1 calls of `data_to_world` with one point each: that is what napari defines, and
    an array of points would silently give a wrong answer.
    """
    ndim = layer.ndim
    origin = np.asarray(layer.data_to_world((0.0,) * ndim), dtype=float)
    affine = np.eye(ndim + 1)
    affine[:-1, -1] = origin
    for i in range(ndim):
        point = np.zeros(ndim)
        point[i] = 1.0
        affine[:-1, i] = np.asarray(layer.data_to_world(tuple(point)), dtype=float) - origin
    return affine


def level_0(layer: Layer) -> Any:
    """The layer's data at full resolution."""
    return layer.data[0] if layer.multiscale else layer.data


def level_of(layer: Layer, level: int) -> Any:
    """The layer's data in one of its resolutions, counted down from the full one."""
    return layer.data[level] if layer.multiscale else layer.data


def grid_of(layer: Layer, time_axis: int | None = None) -> Grid:
    """Grid of a layer whose axis labels say what its axes are; see `layer_axes`."""
    return Grid(
        name=layer.name,
        axes=layer_axes(layer, time_axis),
        affine=layer_affine(layer),
        units=tuple(layer.units),
    )


def seeds_grid(layer: Layer, image: Grid) -> Grid:
    """Grid of a layer of seeds; its axes are the image's last ones, as napari aligns them."""
    if layer.ndim > image.ndim or sum(a in SPATIAL for a in image.axes[-layer.ndim :]) < len(
        image.spatial
    ):
        raise InputError(
            f"The seeds layer '{layer.name}' has {layer.ndim} axes and the image "
            f"'{image.name}' has {image.ndim} ({', '.join(image.axes)}). Make a seeds layer with "
            "as many axes as the image, for example with 'New seeds'."
        )
    return Grid(
        name=layer.name,
        axes=image.axes[-layer.ndim :],
        affine=layer_affine(layer),
        units=tuple(layer.units),
    )


def unit_factor(given: Any, wanted: Any, what: str) -> float:
    """How many of the unit `wanted` one `given` is; 1 where one of them is just 'pixel'.

    A layer without a unit of its own says 'pixel', and napari then draws its numbers as they are:
    so they are taken as they are here, too.
    """
    if given == wanted or "pixel" in (str(given), str(wanted)):
        return 1.0
    try:
        registry = pint.get_application_registry()
        return float(registry.Quantity(1.0, str(given)).to(str(wanted)).magnitude)
    except (pint.DimensionalityError, pint.UndefinedUnitError):
        raise InputError(
            f"{what}: the unit '{given}' cannot be converted to '{wanted}'. Give both layers "
            "units of the same kind (layer.units)."
        ) from None


def unit_symbol(unit: Any) -> str:
    """How people write a unit: 'µm'; 'pixels' where there is none."""
    if str(unit) == "pixel":
        return "pixels"
    return f"{pint.get_application_registry().Unit(str(unit)):~P}"


def grid_map(image: Grid, seeds: Grid) -> GridMap:
    """Map the voxels of `image` into the data coordinates of `seeds`, through the world.

    Raises
    ------
    InputError
        When the units cannot be converted, or when a transform mixes time or channels with space.
    """
    shared = seeds.ndim
    skipped = image.ndim - shared
    to_world = image.affine[skipped:, skipped:]
    leading = np.concatenate([image.affine[skipped:-1, :skipped].ravel(),
                              image.affine[:skipped, skipped:-1].ravel()])  # fmt: skip
    for i in range(shared):
        factor = unit_factor(
            image.units[skipped + i],
            seeds.units[i],
            f"Axis {seeds.axes[i]} of '{image.name}' and '{seeds.name}'",
        )
        if factor != 1.0:
            to_world = to_world.copy()
            to_world[i] *= factor
    matrix = np.linalg.inv(seeds.affine) @ to_world
    spatial = seeds.spatial
    other = [i for i in range(shared) if i not in spatial]
    mixing = [
        leading,
        matrix[np.ix_(spatial, other)].ravel(),
        matrix[np.ix_(other, spatial)].ravel(),
    ]
    if np.any(np.abs(np.concatenate(mixing)) > 1e-6):
        raise InputError(
            f"'{image.name}' or '{seeds.name}' is rotated or sheared between space and another "
            "axis (time, channel). Rotate within space only."
        )
    keep = [*spatial, shared]
    time = None
    if "t" in seeds.axes:
        t = seeds.axes.index("t")
        time = (float(matrix[t, t]), float(matrix[t, shared]))
    return GridMap(spatial=matrix[np.ix_(keep, keep)], time=time)


def same_grid(first: Layer, second: Layer) -> bool:
    """Whether two layers have the same number of axes, transform and units (not shape)."""
    if first.ndim != second.ndim or tuple(first.units) != tuple(second.units):
        return False
    return bool(np.allclose(layer_affine(first), layer_affine(second), rtol=1e-6, atol=1e-9))


def spacing_of(layer: Layer, grid: Grid) -> tuple[tuple[float, ...], str]:
    """Voxel size along the spatial axes and its unit.

    The scale as it was given, so that an image opened in the window and the same file read
    without it have the same spacing to the last bit; only an extra affine transform is measured.

    Returns
    -------
    spacing : tuple of float
        One for each spatial axis, all in the unit of the last one.
    unit : str
        As pint spells it.
    """
    scale = np.abs(np.asarray(layer.scale, dtype=float))
    linear = np.asarray(layer.affine.linear_matrix, dtype=float)
    if not np.array_equal(linear, np.eye(len(linear))):
        scale = np.linalg.norm(grid.affine[:-1, :-1], axis=0)
    unit = grid.units[-1] if grid.axes[-1] in SPATIAL else grid.units[grid.spatial[-1]]
    spacing = []
    for i in grid.spatial:
        if (str(grid.units[i]) == "pixel") != (str(unit) == "pixel"):
            raise InputError(
                f"Layer '{grid.name}' measures axis {grid.axes[i]} in {grid.units[i]} and axis "
                f"{grid.axes[grid.spatial[-1]]} in {unit}. Give its spatial axes units of the "
                "same kind (layer.units)."
            )
        factor = unit_factor(grid.units[i], unit, f"Axis {grid.axes[i]} of '{grid.name}'")
        spacing.append(float(scale[i]) * factor)
    return tuple(spacing), str(unit)
