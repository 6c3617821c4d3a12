"""Shapes that people draw on an image, read onto the image's own grid."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from napari.components import ViewerModel
from napari.layers import Image as ImageLayer
from napari.layers import Shapes
from numpy.typing import NDArray

from napari_seedbed.core.marks.seeds import area_outline
from napari_seedbed.core.marks.shapes import Shape, in_plane, on_plane, plane_of
from napari_seedbed.errors import InputError
from napari_seedbed.gui.layers.grids import SPATIAL, Grid, GridMap, grid_map, grid_of, layer_affine
from napari_seedbed.gui.layers.image_layers import level_0
from napari_seedbed.gui.layers.seed_layers import marked_labels, time_of_mark
from napari_seedbed.gui.layers.view_position import slice_on_screen, time_on_screen

Which = Literal["all", "selected", "slice"]

OPEN_KINDS = ("path", "line")


@dataclass(frozen=True, eq=False)
class ShapesLink:
    """How the vertices of a Shapes layer and the voxels of an image relate.

    Attributes
    ----------
    axes : tuple of str
        The image's axes.
    shape : tuple of int
        The image's length along each of them.
    map : GridMap
        Between the image's voxels and vertices with all of its axes.
    missing : int
        How many of the image's first axes the layer does not have. Vertices are given the image's
        own index there.
    """

    axes: tuple[str, ...]
    shape: tuple[int, ...]
    map: GridMap
    missing: int

    @property
    def spatial(self) -> list[int]:
        """Positions of the spatial axes."""
        return [i for i, axis in enumerate(self.axes) if axis in SPATIAL]

    @property
    def spatial_shape(self) -> tuple[int, ...]:
        """The image's length along its spatial axes."""
        return tuple(self.shape[i] for i in self.spatial)

    @property
    def time(self) -> int | None:
        """Position of the time axis."""
        return self.axes.index("t") if "t" in self.axes else None


def link_shapes(layer: Shapes, like: ImageLayer, time_axis: int | None = None) -> ShapesLink:
    """Relate a Shapes layer to an image; its axes are the image's last ones, as napari aligns them.

    Raises
    ------
    InputError
        When the axes or units do not fit.
    """
    image = grid_of(like, time_axis)
    missing = image.ndim - layer.ndim
    lost = image.axes[: max(missing, 0)]
    if missing < 0 or {"y", "x"} & set(lost):
        raise InputError(
            f"The shapes layer '{layer.name}' has {layer.ndim} axes and the image '{like.name}' "
            f"has {image.ndim} ({', '.join(image.axes)}). Draw on a shapes layer with as many axes "
            "as the image, for example with 'New shapes'."
        )
    affine = np.eye(image.ndim + 1)
    affine[:-1] = np.where(np.arange(image.ndim)[:, None] < missing, image.affine[:-1], 0.0)
    own = layer_affine(layer)
    affine[missing:-1, missing:] = own[:-1]
    if "z" in lost and not _axes_apart(image.affine, missing):
        raise InputError(
            f"'{layer.name}' has no z axis, and the slices of '{like.name}' are turned out of its "
            "plane. Draw on a shapes layer with as many axes as the image."
        )
    units = (*image.units[:missing], *layer.units)
    return ShapesLink(
        axes=image.axes,
        shape=tuple(int(n) for n in level_0(like).shape[: image.ndim]),
        map=grid_map(image, Grid(layer.name, image.axes, affine, units)),
        missing=missing,
    )


def shapes_of(
    layer: Shapes,
    like: ImageLayer,
    which: Which = "all",
    *,
    viewer: ViewerModel | None = None,
    time_axis: int | None = None,
) -> tuple[list[Shape], list[int]]:
    """Shapes of a layer on the voxel grid of an image, whatever the transforms and units.

    Polygons, rectangles and ellipses are closed, paths and lines open. A layer without a time axis
    is read at the time point on screen, one without a z axis on the slice on screen.

    Parameters
    ----------
    layer : Shapes layer
        The label of a shape is its `label` feature, where there is one (see `marked_labels`);
        otherwise its number, from 1.
    like : Image layer
    which : {'all', 'selected', 'slice'}
        'slice': those on the slice and at the time point on screen.
    viewer : ViewerModel or Viewer, optional
        Where to look what is on screen. Without it, time is 0 for a layer without a time axis.
    time_axis : int, optional
        The image's axis that is time, where its axis labels do not say so.

    Returns
    -------
    shapes : list of Shape
    indices : list of int
        Their places in the layer.

    Raises
    ------
    InputError
        When there is no shape to be had, or one that does not lie on one slice and at one time
        point of the image, has no label above 0, or is not finite.
    """
    count = len(layer.data)
    if not count:
        raise InputError(f"'{layer.name}' has no shapes: draw a shape first.")
    link = link_shapes(layer, like, time_axis)
    view = None if viewer is None else _View.of(viewer, like, time_axis)
    lead = _lead(layer, like, link, view)
    indices = list(range(count))
    if which == "selected":
        indices = sorted(int(i) for i in layer.selected_data)
        if not indices:
            raise InputError(
                f"No shape of '{layer.name}' is selected: click one with the tool 'Select shapes'."
            )
    data = layer.data  # napari makes this list anew each time
    vertices = {i: _with_all_axes(data[i], lead, _name(layer, i)) for i in indices}
    if which == "slice":
        indices = _on_screen(vertices, layer, link, view)
    labels = marked_labels(layer)[0]
    kinds = layer.shape_type
    shapes = [_shape(layer, i, vertices[i], kinds[i], int(labels[i]), link) for i in indices]
    return shapes, indices


# What is on screen


@dataclass(frozen=True)
class _View:
    """Slice (spatial axis and index; None in 3D display) and time point on screen."""

    slice: tuple[int, int] | None
    time: int

    @classmethod
    def of(cls, viewer: ViewerModel, like: ImageLayer, time_axis: int | None) -> "_View":
        time = time_on_screen(viewer, like, time_axis=time_axis)
        return cls(slice_on_screen(viewer, like, time_axis=time_axis), time or 0)


def _lead(layer: Shapes, like: ImageLayer, link: ShapesLink, view: _View | None) -> list[float]:
    """The image's indexes along the axes that the layer does not have."""
    lead = []
    for axis in link.axes[: link.missing]:
        if axis == "t":
            lead.append(0.0 if view is None else float(view.time))
        elif axis == "z":
            if view is None or view.slice is None or view.slice[0] != 0:
                raise InputError(
                    f"'{layer.name}' has no z axis, so it is unknown on which slice of "
                    f"'{like.name}' its shapes lie. Draw on a 3D shapes layer, for example with "
                    "'New shapes', or show a z slice."
                )
            lead.append(float(view.slice[1]))
        else:
            lead.append(0.0)
    return lead


def _on_screen(
    vertices: dict[int, NDArray[np.float64]], layer: Shapes, link: ShapesLink, view: _View | None
) -> list[int]:
    if view is None or view.slice is None:
        raise InputError(
            f"There is no slice on screen to take the shapes of '{layer.name}' from: switch to "
            "the 2D display, or take all shapes."
        )
    axis, index = view.slice
    found = []
    for i, corners in vertices.items():
        along = voxels_of(corners, link)[:, axis]
        flat = len(link.spatial) == 2 or bool((_nearest(along) == index).all())
        here = link.time is None or (link.map.image_times(corners[:, link.time]) == view.time).all()
        if flat and here:
            found.append(i)
    if not found:
        place = [f"slice {index}"] if len(link.spatial) == 3 else []
        place += [f"time point {view.time}"] if link.time is not None else []
        raise InputError(
            f"No shape of '{layer.name}' lies on {' at '.join(place) or 'the image'}: draw one "
            "here, or go to where the shapes are."
        )
    return found


# One shape


def _with_all_axes(
    vertices: NDArray[np.floating], lead: Sequence[float], name: str
) -> NDArray[np.float64]:
    """Vertices of a shape with all axes of the image."""
    own = np.asarray(vertices, dtype=float)
    if not np.isfinite(own).all():
        raise InputError(f"{name} has points that are not finite: draw it again.")
    return np.concatenate([np.broadcast_to(lead, (len(own), len(lead))), own], axis=1)


def voxels_of(vertices: NDArray[np.float64], link: ShapesLink) -> NDArray[np.float64]:
    """Voxel coordinates along the image's spatial axes of vertices that have all its axes."""
    to_image = link.map.to_image
    return vertices[:, link.spatial] @ to_image[:-1, :-1].T + to_image[:-1, -1]


def _shape(
    layer: Shapes,
    i: int,
    vertices: NDArray[np.float64],
    kind: str,
    label: int,
    link: ShapesLink,
) -> Shape:
    if label <= 0:
        raise InputError(
            f"{_name(layer, i)} has the label {label}: give it a whole number above 0."
        )
    points = voxels_of(vertices, link)
    closed = kind not in OPEN_KINDS
    if closed:
        points = area_outline(kind, points, i)
        if len(points) > 1 and np.array_equal(points[0], points[-1]):
            points = points[:-1]
    time = 0
    if link.time is not None:
        time = time_of_mark(vertices[:, link.time], i, layer, link.map)
        if not 0 <= time < link.shape[link.time]:
            raise InputError(
                f"{_name(layer, i)} is drawn at time point {time}; the image has "
                f"{link.shape[link.time]}, counted from 0."
            )
    shape = Shape(label, points, closed, time)
    if len(link.spatial) == 3:
        shape = _on_its_slice(shape, _name(layer, i))
    low, high = shape.points.min(axis=0), shape.points.max(axis=0)
    if (high < -0.5).any() or (low > np.asarray(link.spatial_shape) - 0.5).any():
        raise InputError(
            f"{_name(layer, i)} lies outside the image (shape {link.spatial_shape}): from "
            f"{_text(low)} to {_text(high)}, in voxels. Move or delete it, or check the scale and "
            "position of both layers."
        )
    return shape


def _on_its_slice(shape: Shape, name: str) -> Shape:
    try:
        plane = plane_of(shape)
    except InputError:
        z = shape.points[:, 0]
        raise InputError(
            f"{name} spans several slices, from z = {z.min():.1f} to {z.max():.1f}: draw it on one "
            "slice."
        ) from None
    return Shape(shape.label, on_plane(in_plane(shape), plane), shape.closed, shape.time)


# Small things


def _axes_apart(affine: NDArray[np.float64], first: int) -> bool:
    mixed = [affine[:first, first:-1].ravel(), affine[first:-1, :first].ravel()]
    return not np.any(np.abs(np.concatenate(mixed)) > 1e-6)


def _nearest(coordinates: NDArray[np.float64]) -> NDArray[np.intp]:
    # Six decimals: rounding errors of a transform must not decide between two slices.
    return np.floor(np.round(coordinates, 6) + 0.5).astype(np.intp)


def _name(layer: Shapes, i: int) -> str:
    return f"Shape number {i + 1} of '{layer.name}'"


def _text(place: NDArray[np.float64]) -> str:
    return f"({', '.join(f'{c:.1f}' for c in place)})"
