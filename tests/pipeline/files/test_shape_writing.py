"""Shapes in files: what napari's own reader makes of them."""

import csv

import numpy as np
import pytest

from napari_seedbed.core.marks.shapes import Shape
from napari_seedbed.errors import FileError
from napari_seedbed.pipeline.data.shapes import Shapes
from napari_seedbed.pipeline.files import write_shapes


def opened(path):
    """Data and shape types of the Shapes layer that napari opens."""
    reading = pytest.importorskip("napari_builtins.io")
    (layer,) = reading.napari_get_reader(str(path))(str(path))
    data, meta, kind = layer
    assert kind == "shapes"
    return data, meta["shape_type"]


def test_napari_opens_outlines_and_paths(tmp_path, rng):
    outline, path = rng.random((5, 2)) * 100, rng.random((2, 2)) / 1e9
    shapes = Shapes((Shape(3, outline), Shape(9, path, closed=False)))
    data, kinds = opened(write_shapes(tmp_path / "a.csv", shapes))
    assert kinds == ["polygon", "path"]
    for found, points in zip(data, (outline, path), strict=True):
        np.testing.assert_array_equal(found, points)


def test_napari_opens_a_single_shape_of_a_volume(tmp_path, rng):
    points = rng.random((4, 3))
    data, _ = opened(write_shapes(tmp_path / "a.csv", Shapes((Shape(1, points),))))
    np.testing.assert_array_equal(data, [points])


def test_time_is_the_first_axis(tmp_path, rng):
    points = rng.random((4, 3))
    series = Shapes((Shape(1, points, time=6),), n_times=8)
    data, _ = opened(write_shapes(tmp_path / "a.csv", series))
    np.testing.assert_array_equal(data[0], np.insert(points, 0, 6, axis=1))


def test_label_is_the_last_column(tmp_path, rng):
    shapes = Shapes((Shape(3, rng.random((3, 2))), Shape(9, rng.random((2, 2)), False)))
    with write_shapes(tmp_path / "a.csv", shapes).open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert [row["label"] for row in rows] == ["3"] * 3 + ["9"] * 2
    columns = ["index", "shape-type", "vertex-index", "axis-0", "axis-1", "label"]
    assert list(rows[0]) == columns


def test_no_shapes_give_the_header_alone(tmp_path):
    path = write_shapes(tmp_path / "a.csv", Shapes((), spacing=(1.0, 1.0), n_times=2))
    header = "index,shape-type,vertex-index,axis-0,axis-1,axis-2,label"
    assert path.read_text("utf-8").split() == [header]


def test_file_appears_whole_or_not_at_all(tmp_path):
    with pytest.raises(FileError, match="folder does not exist"):
        write_shapes(tmp_path / "none" / "a.csv", Shapes((), spacing=(1.0, 1.0)))
    broken = Shapes((Shape(1, np.zeros((3, 2))), Shape(1, None)))
    with pytest.raises(AttributeError):
        write_shapes(tmp_path / "a.csv", broken)
    assert list(tmp_path.iterdir()) == []
