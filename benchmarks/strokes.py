"""Marks of a user who does not exist: as little as a person draws, and always the same.

A mark never leaves the region that it is meant for.
"""

from collections.abc import Sequence

import numpy as np
from marked_images import Marked, Scene
from numpy.typing import NDArray
from scipy import ndimage as ndi
from skimage.graph import route_through_array
from skimage.morphology import skeletonize

Mask = NDArray[np.bool_]
Labels = NDArray[np.integer]

DOT_RADIUS = 2.2
LINE_STEPS, LINE_SLOPE = range(-5, 6), 0.4
CLEAR = 2
"""The background is marked farther than this from all objects, in pixels."""


def depth(mask: Mask) -> NDArray[np.float64]:
    """Return how far each pixel is from the region's rim; the image's border is a rim too."""
    return ndi.distance_transform_edt(np.pad(mask, 1))[(slice(1, -1),) * mask.ndim]


def deepest(mask: Mask) -> tuple[tuple[int, ...], float]:
    """Return the pixel farthest from the region's rim, and how far it is."""
    inside = depth(mask)
    place = np.unravel_index(inside.argmax(), mask.shape)
    return tuple(int(i) for i in place), float(inside[place])


def disc(shape: Sequence[int], centre: Sequence[int], radius: float) -> Mask:
    """Return a disc around a place; in a volume, within its slice."""
    mask = np.zeros(shape, bool)
    y, x = np.ogrid[: shape[-2], : shape[-1]]
    mask[tuple(centre[:-2])] = (y - centre[-2]) ** 2 + (x - centre[-1]) ** 2 <= radius**2
    return mask


def mark_each(scene: Scene, smallest: int) -> Marked:
    """Mark each object of at least `smallest` voxels once, and the background, declared as such.

    In 2D an object gets a dot at its deepest point, in 3D a short line in its middle slice. The
    background gets a line in the picture, or in three slices of the volume.
    """
    values, sizes = np.unique(scene.truth[scene.truth > 0], return_counts=True)
    targets = tuple(int(v) for v in values[sizes >= smallest])
    strokes = np.zeros(scene.truth.shape, np.int32)
    mark = _dot if strokes.ndim == 2 else _line
    for label, target in enumerate(targets, start=1):
        mark(strokes, scene.truth == target, label)
    background = len(targets) + 1
    if strokes.ndim == 2:
        strokes[background_line(scene.truth)] = background
    else:
        for z in (len(strokes) // 4, len(strokes) // 2, 3 * len(strokes) // 4):
            strokes[z][background_line(scene.truth[z])] = background
    return Marked(scene, strokes, targets, background)


def _dot(strokes: Labels, region: Mask, label: int) -> None:
    strokes[disc(region.shape, deepest(region)[0], DOT_RADIUS) & region] = label


def _line(strokes: Labels, region: Mask, label: int) -> None:
    """Draw a line of 11 steps, 3 pixels wide, through the deepest point of the median slice."""
    z = int(np.median(np.nonzero(region)[0]))
    on_slice = ndi.binary_fill_holes(region[z])
    (y, x), _ = deepest(on_slice)
    line = np.zeros(on_slice.shape, bool)
    for step in LINE_STEPS:
        row, column = round(y + LINE_SLOPE * step), x + step
        line[max(0, row - 1) : row + 2, max(0, column - 1) : column + 2] = True
    strokes[z][line & on_slice] = label


def background_line(truth: Labels) -> Mask:
    """Return the longest line midway between objects, 3 pixels wide."""
    free = ndi.distance_transform_edt(truth == 0)
    lines, count = ndi.label(skeletonize(free > CLEAR), np.ones((3, 3)))
    if count == 0:
        return np.zeros(truth.shape, bool)
    sizes = np.bincount(lines.ravel())
    sizes[0] = 0
    return ndi.binary_dilation(lines == sizes.argmax()) & (truth == 0)


def scribble(mask: Mask, rng: np.random.Generator, count: int = 1) -> Mask:
    """Return strokes along the middle of a region, between places chosen at random."""
    inside = depth(mask)
    starts = np.argwhere(inside > 0.5 * inside.max())
    if len(starts) < 2:
        return mask & (inside >= 0.5 * inside.max())
    ends = np.argwhere(inside > 0.25 * inside.max())
    cost = np.where(mask, 1 / (inside + 1) ** 1.5, 1e6)
    strokes = np.zeros(mask.shape, bool)
    for _ in range(count):
        start = starts[rng.integers(len(starts))]
        # Half of the places where a stroke may end are nearer than this one.
        order = np.argsort(np.linalg.norm(ends - start, axis=1))
        end = ends[order[(len(ends) - 1) // 2]]
        path, _ = route_through_array(cost, tuple(start), tuple(end))
        strokes[tuple(np.transpose(path))] = True
    return ndi.binary_dilation(strokes) & mask & (inside > 1.5)


def mark_deepest(strokes: Labels, region: Mask, label: int, truth: Labels) -> None:
    """Put a disc of at most 3 pixels radius where the region is deepest, within its class."""
    place, room = deepest(region)
    radius = max(1, min(3, 0.7 * room))
    strokes[disc(strokes.shape, place, radius) & (truth == label)] = label
