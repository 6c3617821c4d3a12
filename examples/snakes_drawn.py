"""What a person draws on the images of the snake examples, and what the results are checked with.

All of it was placed by eye on enlarged pictures. The nuclei's truth was not looked at, and the
checks (`astronaut_head.csv`, `membrane_centre_lines.csv`, `nuclei_film_checks.csv`) were drawn
before any snake ran. The files are those that napari and `write_shapes` write: drop one into napari
to see it.
"""

import csv
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import KDTree

from napari_seedbed.core.marks.shapes import Shape

HERE = Path(__file__).resolve().parent


def drawn(name: str) -> tuple[Shape, ...]:
    """Read shapes of an example.

    Parameters
    ----------
    name : str
        Name of a CSV file in this folder; one row a vertex, with `axis-…` for (t,) (z,) y, x in
        voxels and, after them, the label.

    Returns
    -------
    tuple of Shape
    """
    with (HERE / name).open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    axes = [column for column in rows[0] if column.startswith("axis-")]
    timed = "film" in name
    shapes = []
    for index in dict.fromkeys(row["index"] for row in rows):
        own = [row for row in rows if row["index"] == index]
        points = np.array([[float(row[axis]) for axis in axes[timed:]] for row in own])
        time = int(own[0][axes[0]]) if timed else 0
        shapes.append(Shape(int(own[0]["label"]), points, own[0]["shape-type"] != "path", time))
    return tuple(shapes)


def astronaut_circle() -> tuple[Shape, ...]:
    """The circle around the astronaut's head that scikit-image's own example begins with."""
    turn = np.linspace(0, 2 * np.pi, 100, endpoint=False)
    return (Shape(1, np.stack([100 + 100 * np.sin(turn), 220 + 100 * np.cos(turn)], axis=1)),)


def astronaut_head() -> NDArray[np.float64]:
    """The outline of the astronaut's head with her hair, without the neck, (N, 2)."""
    return np.loadtxt(HERE / "astronaut_head.csv", delimiter=",", skiprows=1)


def overlap(truth: NDArray[np.bool_], found: NDArray[np.bool_]) -> float:
    """Common area over joint area (IoU); 1 is perfect (Jaccard 1901)."""
    return float(np.count_nonzero(truth & found) / np.count_nonzero(truth | found))


def distance(line: NDArray[np.floating], truth: NDArray[np.floating]) -> float:
    """Mean distance of two lines from each other, in pixels, from both sides."""
    one, other = _dense(line), _dense(truth)
    there, back = KDTree(other).query(one)[0], KDTree(one).query(other)[0]
    return float((there.mean() + back.mean()) / 2)


def _dense(line: NDArray[np.floating], step: float = 0.25) -> NDArray[np.float64]:
    """Points along a line, no farther apart than `step`."""
    along = np.concatenate([[0], np.cumsum(np.hypot(*np.diff(line, axis=0).T))])
    places = np.linspace(0, along[-1], int(along[-1] / step) + 2)
    return np.stack([np.interp(places, along, line[:, axis]) for axis in (0, 1)], axis=1)
