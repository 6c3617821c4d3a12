"""Changes as shapes: the outlines of their boxes."""

import numpy as np
from numpy.typing import NDArray

from napari_seedbed.core.marks.shapes import Shape


def boxes_as_shapes(boxes: NDArray[np.integer], time: int = 0) -> list[Shape]:
    """Return outlines of boxes, each labelled by its number from 1, on each slice of its own.

    Parameters
    ----------
    boxes : (K, 2, D) ndarray of int
        First voxels, and those after the last ones.
    time : int
        Time point of the shapes.
    """
    outlines = []
    for number, (start, stop) in enumerate(np.asarray(boxes), start=1):
        (top, left), (bottom, right) = start[-2:] - 0.5, stop[-2:] - 0.5
        corners = np.array([[top, left], [top, right], [bottom, right], [bottom, left]])
        if len(start) == 2:
            outlines.append(Shape(number, corners, time=time))
            continue
        for z in range(int(start[0]), int(stop[0])):
            points = np.insert(corners, 0, float(z), axis=1)
            outlines.append(Shape(number, points, time=time))
    return outlines
