"""Noticing that snakes only tremble in place, so that more iterations would change nothing."""

import zlib
from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import KDTree

from napari_seedbed.core.progress import check_stop
from napari_seedbed.core.snakes.elastic_contours import ContourState
from napari_seedbed.core.snakes.label_snakes import LabelsState

Points = NDArray[np.floating]

# On noise the points of a contour go back and forth by up to a voxel for ever, while the line as a
# whole stays within a tenth of one.
_ITERATIONS = 100
_MEAN_MOVE = 0.1
_SAMPLES = 4


def until_still(
    states: Iterator[ContourState], closed: Sequence[bool], voxel: NDArray[np.float64]
) -> Iterator[tuple[ContourState, bool]]:
    """Pass on the states of contours until they have stopped, or stay where they were.

    Parameters
    ----------
    states : iterator of ContourState
    closed : sequence of bool
        For each contour whether it is.
    voxel : (2,) ndarray
        Voxel size, in the smaller of the two.

    Yields
    ------
    state : ContourState
    still : bool
        True once every line has moved by less than a tenth of a voxel on average within a hundred
        iterations; then it ends.
    """
    before: list[Points] | None = None
    last = 0
    for state in states:
        still = False
        if not state.finished and state.iteration - last >= _ITERATIONS:
            now: list[Points] = [np.asarray(points) * voxel for points in state.contours]
            still = before is not None and all(
                _mean_distance(points, line, is_closed) < _MEAN_MOVE
                for points, line, is_closed in zip(now, before, closed, strict=True)
            )
            before, last = now, state.iteration
        yield state, still
        if still:
            return


def until_repeated(
    states: Iterator[LabelsState], period: int
) -> Iterator[tuple[LabelsState, bool]]:
    """Pass on the states of labels until they have stopped, or go round in a circle.

    Parameters
    ----------
    states : iterator of LabelsState
    period : int
        After so many iterations the smoothing begins anew, and with it a circle.

    Yields
    ------
    state : LabelsState
    repeated : bool
        True once the labels are what they were a period before; then it ends.
    """
    digest: int | None = None
    for state in states:
        repeated = False
        if state.reason is None and state.iteration > 0 and state.iteration % period == 0:
            labels = state.labels
            latest = 0
            for plane in labels:
                check_stop()
                latest = zlib.crc32(np.ascontiguousarray(plane).data, latest)
            repeated, digest = latest == digest, latest
        yield state, repeated
        if repeated:
            return


def _mean_distance(points: Points, line: Points, closed: bool) -> float:
    """Mean distance of points from another line, measured to close samples of it."""
    ends = np.concatenate([line, line[:1]]) if closed else line
    places = np.arange(len(ends))
    fine = np.linspace(0, len(ends) - 1, _SAMPLES * (len(ends) - 1) + 1)
    samples = np.stack([np.interp(fine, places, axis) for axis in ends.T], axis=1)
    return float(KDTree(samples).query(points)[0].mean())
