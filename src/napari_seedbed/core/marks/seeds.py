"""Points, shapes and strokes turned into label seeds on the image's grid.

All coordinates are voxel coordinates of the image: whole numbers are voxel centres.
"""

from collections.abc import Callable, Iterable, Sequence
from itertools import product
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from skimage.draw import polygon as fill_polygon

from napari_seedbed.core.marks.label_resampling import resample_labels
from napari_seedbed.core.validation import check_spacing
from napari_seedbed.errors import InputError

if TYPE_CHECKING:
    from napari_seedbed.core.marks.shapes import Shape

__all__ = [
    "area_outline",
    "resample_labels",
    "seeds_from_drawn",
    "seeds_from_points",
    "seeds_from_shapes",
]

KINDS = ("polygon", "rectangle", "ellipse", "path", "line")

# How far, in voxels, the corners of an area may lie off one plane.
_PLANE_TOLERANCE = 0.5
_ELLIPSE_TOLERANCE = 0.05


def seeds_from_points(
    points: Any,
    labels: Any,
    shape: Sequence[int],
    radius: Any,
    spacing: float | Sequence[float] | None = None,
    *,
    out: Any = None,
) -> NDArray[np.int32]:
    """Draw each point as a ball of its label.

    Parameters
    ----------
    points : (N, D) array_like of float
        Voxel coordinates.
    labels : (N,) array_like of int
        Label of each point, not 0.
    shape : sequence of D ints
        Shape of the image.
    radius : float, (D,) or (N, D) array_like
        One number: the ball's radius in the unit of `spacing`. D numbers: the radius along each
        axis in voxels. An (N, D) array: the same for each point on its own.
    spacing : sequence of D floats, optional
        Voxel size; 1 when None.

    out : array of int32, of shape `shape`, optional
        Without seeds, to draw into; it need only take values at indices.

    Returns
    -------
    ndarray of int32, of shape `shape`
        0 where no seed is. Where balls overlap the later one wins, but the voxel that holds a
        point keeps that point's label.

    Raises
    ------
    InputError
        If points lie outside the image, or an argument is malformed.
    """
    shape = tuple(int(n) for n in shape)
    points = _coordinates(points, len(shape), "points")
    values = _label_values(labels, len(points), "points")
    radii = _voxel_radii(radius, len(points), len(shape), spacing)
    out = np.zeros(shape, np.int32) if out is None else out
    centres = _round(points)
    lost = []
    for i, (point, value) in enumerate(zip(points, values.tolist(), strict=True)):
        voxels = _ball(point, radii[i], shape)
        if not len(voxels):
            lost.append(i)
            continue
        out[tuple(voxels.T)] = value
    if lost:
        raise _outside("points", lost, [points[i] for i in lost], len(points), shape)
    held = ((centres >= 0) & (centres < shape)).all(axis=1)
    for centre, value in zip(centres[held], values[held].tolist(), strict=True):
        out[tuple(centre)] = value
    return out


def seeds_from_drawn(
    shapes: "Iterable[Shape]",
    shape: Sequence[int],
    spacing: float | Sequence[float] | None = None,
) -> NDArray[np.int32]:
    """Draw shapes with their labels: closed ones filled, open ones as lines.

    Parameters
    ----------
    shapes : iterable of Shape
    shape : sequence of D ints
        Shape of the image.
    spacing : sequence of D floats, optional
        Voxel size; 1 when None.

    Returns
    -------
    ndarray of int32, of shape `shape`
        As `seeds_from_shapes`.
    """
    drawn = list(shapes)
    kinds = [("polygon" if one.closed else "path", one.points) for one in drawn]
    return seeds_from_shapes(kinds, [one.label for one in drawn], shape, spacing)


def seeds_from_shapes(
    shapes: Sequence[tuple[str, Any]],
    labels: Any,
    shape: Sequence[int],
    spacing: float | Sequence[float] | None = None,
    path_width: float | Sequence[float] | None = None,
    *,
    out: Any = None,
) -> NDArray[np.int32]:
    """Draw each shape with its label: areas filled, paths and lines with a width.

    Parameters
    ----------
    shapes : sequence of (kind, vertices)
        `kind` is polygon, rectangle, ellipse (vertices are the four corners of the box around
        it), path or line; `vertices` an (M, D) array of voxel coordinates. In a 3D image an area
        is filled in the plane that its corners lie in, tilted or not, one voxel thick; a path
        drawn on one slice stays on that slice.
    labels : (N,) array_like of int
        Label of each shape, not 0.
    shape : sequence of D ints
        Shape of the image.
    spacing : sequence of D floats, optional
        Voxel size; 1 when None.
    path_width : float or (N,) sequence of float, optional
        Full width of paths and lines in the unit of `spacing`, one for all or one a shape.
        None draws them one voxel thin.
    out : array of int32, of shape `shape`, optional
        Without seeds, to draw into; it need only take values at indices.

    Returns
    -------
    ndarray of int32, of shape `shape`
        0 where no seed is; later shapes lie on top. What reaches out of the image is cut off.

    Raises
    ------
    InputError
        If shapes lie outside the image, the corners of an area do not lie in one plane, or an
        argument is malformed.
    """
    shape = tuple(int(n) for n in shape)
    ndim = len(shape)
    size = np.array(check_spacing(spacing, ndim))
    values = _label_values(labels, len(shapes), "shapes")
    widths = _widths(path_width, len(shapes))
    out = np.zeros(shape, np.int32) if out is None else out
    lost, places = [], []
    for i, (kind, corners) in enumerate(shapes):
        if kind not in KINDS:
            raise InputError(f"shape {i + 1} is a {kind!r}; it must be one of {', '.join(KINDS)}.")
        vertices = _coordinates(corners, ndim, f"shape {i + 1} ({kind})")
        if not len(vertices):
            raise InputError(f"shape {i + 1} ({kind}) has no vertices.")
        if kind in ("path", "line"):
            voxels = _path(vertices, shape, size, widths[i])
        else:
            voxels = _area(area_outline(kind, vertices, i), shape, f"shape {i + 1} ({kind})")
        if not len(voxels):
            lost.append(i)
            places.append(vertices.mean(axis=0))
            continue
        out[tuple(voxels.T)] = values[i]
    if lost:
        raise _outside("shapes", lost, places, len(shapes), shape)
    return out


def area_outline(kind: str, vertices: NDArray[np.float64], number: int) -> NDArray[np.float64]:
    """Return the corners of a polygon that stands for a shape with an area.

    Parameters
    ----------
    kind : {'polygon', 'rectangle', 'ellipse'}
    vertices : (N, D) ndarray
        Voxel coordinates; of an ellipse the four corners of the box around it.
    number : int
        Which shape it is, from 0, for the message of an error.

    Returns
    -------
    (M, D) ndarray
        At most 0.05 voxels off an ellipse.

    Raises
    ------
    InputError
        If a rectangle or an ellipse does not have four corners.
    """
    if kind == "polygon":
        return vertices
    if len(vertices) != 4:
        raise InputError(
            f"shape {number + 1} ({kind}) has {len(vertices)} vertices; it must have the four "
            "corners of its box."
        )
    if kind == "rectangle":
        return vertices
    centre = vertices.mean(axis=0)
    a, b = (vertices[1] - vertices[0]) / 2, (vertices[3] - vertices[0]) / 2
    longest = max(float(np.linalg.norm(a)), float(np.linalg.norm(b)), 1.0)
    count = int(np.ceil(np.pi / np.arccos(1 - _ELLIPSE_TOLERANCE / longest)))
    # A multiple of four has corners at the ends of both axes.
    count = min(max(count + -count % 4, 32), 4096)
    angle = np.linspace(0, 2 * np.pi, count, endpoint=False)[:, None]
    return centre + np.cos(angle) * a + np.sin(angle) * b


def _coordinates(points: Any, ndim: int, name: str) -> NDArray[np.float64]:
    try:
        array = np.asarray(points, dtype=float)
    except (TypeError, ValueError):
        raise InputError(f"{name} must be numbers, one row a point.") from None
    if array.size == 0:
        return np.empty((0, ndim))
    if array.ndim != 2 or array.shape[1] != ndim:
        raise InputError(
            f"{name}: the shape of the coordinates is {array.shape}; for an image of {ndim} axes "
            f"it must be (number of points, {ndim})."
        )
    if not np.isfinite(array).all():
        row = int(np.argmin(np.isfinite(array).all(axis=1)))
        raise InputError(f"{name}: the coordinates of point {row + 1} are not finite.")
    return array


def _label_values(labels: Any, count: int, name: str) -> NDArray[np.int32]:
    values = np.asarray(labels)
    if values.size == 0 and count == 0:
        return np.empty(0, np.int32)
    if values.dtype.kind not in "iu":
        raise InputError(f"labels of the {name} must be whole numbers, not {values.dtype}.")
    if values.shape != (count,):
        raise InputError(
            f"labels has the shape {values.shape}; there must be one for each of the "
            f"{count} {name}."
        )
    if (values == 0).any():
        raise InputError(
            f"labels: {int((values == 0).sum())} of the {name} have the label 0, which means "
            "'no seed'; give them another number."
        )
    info = np.iinfo(np.int32)
    if int(values.min()) < info.min or int(values.max()) > info.max:
        raise InputError(f"labels must lie between {info.min} and {info.max}.")
    return values.astype(np.int32)


def _voxel_radii(
    radius: Any, count: int, ndim: int, spacing: float | Sequence[float] | None
) -> NDArray[np.float64]:
    size = np.array(check_spacing(spacing, ndim))
    try:
        radii = np.asarray(radius, dtype=float)
    except (TypeError, ValueError):
        raise InputError(f"radius must be numbers; got {radius!r}.") from None
    if radii.ndim == 0:
        radii = radii / size
    if radii.shape not in ((ndim,), (count, ndim)):
        raise InputError(
            f"radius has the shape {radii.shape}; it must be one number, {ndim} numbers (one an "
            f"axis, in voxels) or an array of shape ({count}, {ndim})."
        )
    if not np.isfinite(radii).all() or (radii < 0).any():
        raise InputError("radius must be finite and not negative.")
    return np.broadcast_to(radii, (count, ndim))


def _widths(path_width: float | Sequence[float] | None, count: int) -> NDArray[np.float64]:
    try:
        widths = np.asarray(0.0 if path_width is None else path_width, dtype=float)
    except (TypeError, ValueError):
        raise InputError(f"path_width must be numbers; got {path_width!r}.") from None
    if widths.shape not in ((), (count,)):
        raise InputError(f"path_width must be one number or one for each of the {count} shapes.")
    if not np.isfinite(widths).all() or (widths < 0).any():
        raise InputError("path_width must be finite and not negative.")
    return np.broadcast_to(widths, (count,))


def _outside(
    name: str,
    lost: list[int],
    places: list[NDArray[np.float64]],
    count: int,
    shape: tuple[int, ...],
) -> InputError:
    """Return how many lie outside, and where the first few are."""
    listed = ", ".join(
        f"number {i + 1} at ({', '.join(f'{c:.1f}' for c in place)})"
        for i, place in zip(lost[:3], places[:3], strict=True)
    )
    more = "" if len(lost) <= 3 else f" and {len(lost) - 3} more"
    verb = "lies" if len(lost) == 1 else "lie"
    return InputError(
        f"{name}: {len(lost)} of {count} {verb} outside the image (shape {shape}): {listed}{more}, "
        "in voxels; move or delete what is outside."
    )


def _round(coordinates: NDArray[np.float64]) -> NDArray[np.intp]:
    # Nine decimals: rounding errors of a transform must not decide between two voxels.
    return np.floor(np.round(coordinates, 9) + 0.5).astype(np.intp)


def _inside(voxels: NDArray[np.intp], shape: tuple[int, ...]) -> NDArray[np.intp]:
    return voxels[((voxels >= 0) & (voxels < shape)).all(axis=1)]


def _ball(
    point: NDArray[np.float64], radii: NDArray[np.float64], shape: tuple[int, ...]
) -> NDArray[np.intp]:
    """Return the voxels inside the ellipsoid, and the one that holds its middle."""
    low = np.maximum(np.ceil(point - radii - 1e-9), 0).astype(np.intp)
    high = np.minimum(np.floor(point + radii + 1e-9), np.array(shape) - 1).astype(np.intp) + 1
    found = [_inside(_round(point)[None], shape)]
    if (high > low).all():
        grids = np.ix_(*(np.arange(a, b) for a, b in zip(low, high, strict=True)))
        reach = np.maximum(radii, 1e-9)
        terms = (((g - p) / r) ** 2 for g, p, r in zip(grids, point, reach, strict=True))
        square = sum(terms, np.zeros(()))
        found.append(np.argwhere(square <= 1 + 1e-9) + low)
    return np.concatenate(found)


def _constant_axes(vertices: NDArray[np.float64], most: int) -> list[int]:
    """Return the first axes along which the vertices share a voxel, `most` of them at most."""
    rounded = _round(vertices)
    same = (rounded == rounded[:1]).all(axis=0) | (np.ptp(vertices, axis=0) < 1e-6)
    return np.flatnonzero(same)[:most].tolist()


def _area(vertices: NDArray[np.float64], shape: tuple[int, ...], name: str) -> NDArray[np.intp]:
    """Return the voxels of a filled polygon, which must lie in one plane."""
    ndim = len(shape)
    flat = _constant_axes(vertices, ndim - 2)
    axes = [a for a in range(ndim) if a not in flat]
    depth: Callable[[NDArray[np.float64]], NDArray[np.float64]] | None = None
    tilted = -1
    if len(axes) == 3:
        tilted, depth = _plane(vertices[:, axes], name)
        tilted = axes[tilted]
        axes.remove(tilted)
    elif len(axes) > 3:
        raise InputError(f"{name}: its corners do not lie in one plane of the image.")
    rows, columns = vertices[:, axes[0]], vertices[:, axes[1]]
    inside = np.stack(
        fill_polygon(rows, columns, shape=(shape[axes[0]], shape[axes[1]])), axis=1
    ).astype(np.intp)
    voxels = np.empty((len(inside), ndim), np.intp)
    voxels[:, axes] = inside
    if depth is not None:
        voxels[:, tilted] = _round(depth(inside.astype(float)))
    for axis in flat:
        voxels[:, axis] = _round(vertices[:, axis].mean())
    voxels = _inside(voxels, shape)
    if len(voxels):
        return voxels
    # Thinner than a voxel: its outline is all there is.
    closed = np.concatenate([vertices, vertices[:1]])
    lines = [_thin_line(a, b) for a, b in _segments(closed, shape)]
    return _inside(np.concatenate([np.empty((0, ndim), np.intp), *lines]), shape)


def _plane(
    vertices: NDArray[np.float64], name: str
) -> tuple[int, Callable[[NDArray[np.float64]], NDArray[np.float64]]]:
    """Fit a plane through corners in 3D.

    Returns the axis to look along, and the function that gives the coordinate on that axis for
    coordinates on the two others.
    """
    middle = vertices.mean(axis=0)
    normal = np.linalg.svd(vertices - middle)[2][2]
    off = float(np.abs((vertices - middle) @ normal).max())
    if off > _PLANE_TOLERANCE:
        raise InputError(
            f"{name}: its corners do not lie in one plane ({off:.1f} voxels off); "
            "draw it on one slice, or cut it into flat pieces."
        )
    axis = int(np.argmax(np.abs(normal)))
    others = [a for a in range(3) if a != axis]
    slope = -normal[others] / normal[axis]
    return axis, lambda where: middle[axis] + (where - middle[others]) @ slope


def _segments(
    vertices: NDArray[np.float64], shape: tuple[int, ...], margin: NDArray[np.intp] | int = 1
) -> list[tuple[NDArray[np.float64], NDArray[np.float64]]]:
    """Return the pieces of a polyline that lie in the image or within `margin` voxels of it."""
    low, high = np.zeros(len(shape)) - margin, np.array(shape) - 1.0 + margin
    ends = vertices[1:] if len(vertices) > 1 else vertices
    pieces = []
    for a, b in zip(vertices[: len(ends)], ends, strict=True):
        # Liang and Barsky 1984: the part of the segment between each pair of faces of the box.
        along = b - a
        moves = along != 0
        if ((a < low) | (a > high))[~moves].any():
            continue
        to_faces = np.stack([low - a, high - a])[:, moves] / along[moves]
        start = max(0.0, float(to_faces.min(axis=0).max(initial=0.0)))
        stop = min(1.0, float(to_faces.max(axis=0).min(initial=1.0)))
        if start <= stop:
            pieces.append((a + start * along, a + stop * along))
    return pieces


def _thin_line(a: NDArray[np.float64], b: NDArray[np.float64]) -> NDArray[np.intp]:
    """Return the voxels that a segment runs through, connected by faces, edges or corners."""
    count = int(np.ceil(np.abs(b - a).max())) + 1
    return np.unique(_round(a + np.linspace(0, 1, count)[:, None] * (b - a)), axis=0)


def _path(
    vertices: NDArray[np.float64], shape: tuple[int, ...], size: NDArray[np.float64], width: float
) -> NDArray[np.intp]:
    """Return the voxels within half the width of a polyline, and those it runs through."""
    half = width / 2
    slices = _constant_axes(vertices, max(0, len(shape) - 2))
    vertices = vertices.copy()
    vertices[:, slices] = _round(vertices[:, slices])
    reach = np.floor(half / size + 1).astype(np.intp)
    reach[slices] = 0
    thick = half > size.min() / 2
    if thick:
        steps = np.array(list(product(*(range(-r, r + 1) for r in reach))))
        # A voxel on the thin line is at most half a diagonal away from the segment itself.
        near_enough = half + np.linalg.norm(size) / 2
        steps = steps[np.linalg.norm(steps * size, axis=1) <= near_enough + 1e-9]
    found = [np.empty((0, len(shape)), np.intp)]
    for a, b in _segments(vertices, shape, reach + 1):
        line = _thin_line(a, b)
        found.append(_inside(line, shape))
        if thick:
            around = _inside((line[:, None] + steps).reshape(-1, len(shape)), shape)
            # Sorting flat indices is ten times faster than sorting rows.
            flat = np.unique(np.ravel_multi_index(tuple(around.T), shape))
            around = np.stack(np.unravel_index(flat, shape), axis=1)
            away = _distance(around * size, a * size, b * size)
            found.append(around[away <= half + 1e-9])
    return np.concatenate(found)


def _distance(
    points: NDArray[np.float64], a: NDArray[np.float64], b: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Return the distance of points from the segment a-b."""
    along = b - a
    length = float(along @ along)
    t = np.zeros(len(points)) if length == 0 else np.clip((points - a) @ along / length, 0, 1)
    return np.linalg.norm(points - a - t[:, None] * along, axis=1)
