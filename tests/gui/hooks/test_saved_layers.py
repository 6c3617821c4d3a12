"""Layers are saved through napari's own commands."""

import csv

import numpy as np
import pytest
from napari.layers import Image as ImageLayer
from napari.layers import Labels

from napari_seedbed.errors import FileError
from napari_seedbed.pipeline.files import read_image

PLUGIN = "napari-seedbed"
pytestmark = pytest.mark.usefixtures("plugin_found")


def test_saved_labels_keep_values_and_voxel_size(tmp_path):
    labels = np.zeros((4, 16, 20), np.int32)
    labels[1, 3:6, 4:9] = 70000
    layer = Labels(labels, scale=(0.5, 0.2, 0.2), units=("um",) * 3)
    saved = layer.save(str(tmp_path / "out.ome.tif"), plugin=PLUGIN)
    assert [str(path) for path in saved] == [str(tmp_path / "out.ome.tif")]
    read = read_image(saved[0])
    np.testing.assert_array_equal(read.array, labels)
    assert read.spacing == (0.5, 0.2, 0.2)
    assert read.units == ("micrometer",) * 3


def test_table_is_of_the_kind_that_its_name_says(tmp_path):
    parquet = pytest.importorskip("pyarrow.parquet")
    Labels(np.eye(4, dtype=np.int32)).save(str(tmp_path / "objects.parquet"), plugin=PLUGIN)
    assert parquet.read_table(tmp_path / "objects.parquet")["label"].to_pylist() == [1]


def test_saved_image_opens_again_the_same(tmp_path, viewer_model):
    data = np.random.default_rng(0).random((4, 16, 20)).astype(np.float32)
    layer = ImageLayer(data, scale=(0.5, 0.2, 0.2), units=("um",) * 3, rgb=False)
    layer.save(str(tmp_path / "out.tif"), plugin=PLUGIN)
    (again,) = viewer_model.open(tmp_path / "out.tif", plugin=PLUGIN)
    np.testing.assert_array_equal(again.data, data)
    assert tuple(again.scale) == (0.5, 0.2, 0.2)


def test_saved_rgb_stays_rgb(tmp_path):
    data = np.random.default_rng(0).integers(0, 255, (16, 20, 3)).astype(np.uint8)
    ImageLayer(data, rgb=True).save(str(tmp_path / "out.ome.tif"), plugin=PLUGIN)
    read = read_image(tmp_path / "out.ome.tif")
    assert read.rgb
    np.testing.assert_array_equal(read.array, data)


def test_unwritable_folder_says_so(tmp_path):
    layer = Labels(np.ones((4, 5), np.int32))
    with pytest.raises(FileError, match="could not be written"):
        layer.save(str(tmp_path / "missing" / "out.ome.tif"), plugin=PLUGIN)


def test_table_has_a_row_for_each_object_in_physical_units(tmp_path):
    labels = np.zeros((6, 16, 20), np.int32)
    labels[1:3, 3:6, 4:9] = 1
    labels[4, 10, 10] = 5
    layer = Labels(labels, scale=(0.5, 0.2, 0.2), units=("um",) * 3)
    layer.save(str(tmp_path / "objects.csv"), plugin=PLUGIN)
    with (tmp_path / "objects.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert [int(row["label"]) for row in rows] == [1, 5]
    volume = next(key for key in rows[0] if key.startswith("volume"))
    assert float(rows[0][volume]) == pytest.approx(30 * 0.5 * 0.2 * 0.2)


def test_table_of_a_time_series_names_the_time_points(tmp_path):
    labels = np.zeros((3, 16, 20), np.int32)
    labels[0, 3, 4] = labels[2, 5, 5] = 1
    layer = Labels(labels, axis_labels=("t", "y", "x"))
    layer.save(str(tmp_path / "objects.csv"), plugin=PLUGIN)
    with (tmp_path / "objects.csv").open() as file:
        assert [row["time_point"] for row in csv.DictReader(file)] == ["0", "2"]
