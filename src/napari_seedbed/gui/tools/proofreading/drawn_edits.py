"""What a line on the picture is about: which objects, and which edit of them."""

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_seedbed.core.marks.outlines import fill_outline
from napari_seedbed.core.proofreading.named_edits import EditCommand
from napari_seedbed.errors import InputError

Path = NDArray[np.float64]


def objects_within(labels: NDArray[np.integer], path: Path, displayed: Sequence[int]) -> list[int]:
    """Objects that lie at least half within a closed line, on the slice where it was drawn.

    Parameters
    ----------
    labels : (…) ndarray of int
        All of a layer.
    path : (N, D) ndarray of float
        In voxels of the layer.
    displayed : sequence of 2 ints
        Axes of the layer along which it was drawn.

    Returns
    -------
    list of int
        Rising.
    """
    if len(path) < 3:
        return []
    across = sorted(displayed)
    at = np.floor(path[0] + 0.5).astype(int)
    hidden = [axis for axis in range(labels.ndim) if axis not in across]
    if any(not 0 <= at[axis] < labels.shape[axis] for axis in hidden):
        return []
    plane = labels[
        tuple(slice(None) if axis in across else at[axis] for axis in range(labels.ndim))
    ]
    inside = fill_outline(path[:, across], (0, 0), plane.shape)
    found, counts = np.unique(plane[inside], return_counts=True)
    everywhere = plane[np.isin(plane, found)]
    all_found, all_counts = np.unique(everywhere, return_counts=True)
    totals = dict(zip(all_found.tolist(), all_counts.tolist(), strict=True))
    return [
        int(label)
        for label, count in zip(found.tolist(), counts.tolist(), strict=True)
        if label > 0 and 2 * count >= totals[label]
    ]


def object_under(labels: NDArray[np.integer], paths: Sequence[Path], chosen: Sequence[int]) -> int:
    """The object that lines are about: of those selected, or else of all, the one they cross most.

    Raises
    ------
    InputError
        If they cross none.
    """
    places = np.concatenate([voxels_along(path) for path in paths])
    inside = ((places >= 0) & (places < labels.shape)).all(axis=1)
    values = labels[tuple(places[inside].T)]
    found, counts = np.unique(values[values > 0], return_counts=True)
    if not len(found):
        raise InputError("There is no object where you have drawn. Draw through the object.")
    among = np.isin(found, np.array(chosen, np.int64))
    if among.any():
        found, counts = found[among], counts[among]
    return int(found[np.argmax(counts)])


def voxels_along(path: Path) -> NDArray[np.intp]:
    """Voxels along a line, (N, D), so close together that none is passed over."""
    if len(path) == 1:
        return np.floor(path + 0.5).astype(np.intp)
    parts = [
        np.linspace(start, stop, max(2, int(np.abs(stop - start).max()) + 2))
        for start, stop in pairwise(path)
    ]
    return np.floor(np.concatenate(parts) + 0.5).astype(np.intp)


def drawn_command(
    tool: str,
    label: int,
    paths: Sequence[Path],
    beside: Sequence[Path] = (),
    *,
    has_image: bool,
    time: int | None,
    axis: int | None = None,
) -> EditCommand:
    """The edit of an object that lines are, (N, D) in voxels of the labels.

    Parameters
    ----------
    tool : {'cut', 'strokes', 'points', 'redo'}
    label : int
        The object.
    paths : sequence of (N, D) ndarray
    beside : sequence of (N, D) ndarray
        Those that take away.
    has_image : bool
        Whether strokes and points look for edges in an image.
    time : int or None
    axis : int, optional
        Across which axis a volume was looked at: a straight line lies in slices of two axes.
    """
    lines = _rounded(paths)
    if tool == "cut":
        across: dict[str, Any] = {} if axis is None else {"axis": axis}
        return EditCommand("cut", (label,), {"path": lines[0], **across}, time)
    if tool == "redo":
        strokes = {"stroke": lines, "background": _rounded(beside)}
        return EditCommand("redo", (label,), {k: v for k, v in strokes.items() if v}, time)
    options: dict[str, Any] = {"image": True} if has_image else {}
    if tool == "points":
        options["points"] = tuple(line[0] for line in lines)
        return EditCommand("split-by-points", (label,), options, time)
    return EditCommand("split-by-strokes", (label,), {"stroke": lines, **options}, time)


def plane_command(label: int, point: Path, normal: Path, time: int | None) -> EditCommand:
    """The edit that cuts an object along a plane, a point and a normal in voxels of the labels."""
    options = {"point": tuple(point.round(2).tolist()), "normal": tuple(normal.round(5).tolist())}
    return EditCommand("cut", (label,), options, time)


def _rounded(paths: Sequence[Path]) -> tuple[tuple[tuple[float, ...], ...], ...]:
    return tuple(tuple(tuple(point) for point in path.round(2).tolist()) for path in paths)
