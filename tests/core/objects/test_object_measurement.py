"""The table of objects equals scikit-image's regionprops."""

import numpy as np
import pytest
from skimage.measure import regionprops

from napari_seedbed.core import object_table
from napari_seedbed.errors import InputError


@pytest.mark.parametrize(("shape", "spacing"), [((40, 50), (0.5, 2)), ((12, 20, 25), (3, 1, 0.5))])
def test_equals_regionprops(rng, shape, spacing):
    labels = np.zeros(shape, np.int32)
    for value in (3, 7, 1, 40):
        start = [int(rng.integers(0, n - 6)) for n in shape]
        labels[tuple(slice(s, s + int(rng.integers(2, 6))) for s in start)] = value
    labels[0, 0] = -1
    image = rng.normal(size=shape)
    table = object_table(labels, spacing, "µm", image)
    props = regionprops(np.maximum(labels, 0), image, spacing=spacing)
    names = ("y", "x") if len(shape) == 2 else ("z", "y", "x")
    assert table["label"].tolist() == [p.label for p in props]
    assert table["voxels"].tolist() == [p.num_pixels for p in props]
    size = table["area" if len(shape) == 2 else "volume"]
    assert np.allclose(size, [p.area for p in props])
    assert np.allclose(
        np.stack([table[f"centroid_{n}"] for n in names], 1), [p.centroid for p in props]
    )
    boxes = np.stack([table[f"bbox_{n}_{end}"] for end in ("start", "stop") for n in names], axis=1)
    assert np.array_equal(boxes, [p.bbox for p in props])
    assert np.allclose(table["mean_intensity"], [p.intensity_mean for p in props])
    assert np.allclose(table["min_intensity"], [p.intensity_min for p in props])
    assert np.allclose(table["max_intensity"], [p.intensity_max for p in props])
    assert set(table["unit"]) == {"µm"}


def test_no_objects_give_empty_columns():
    table = object_table(np.zeros((4, 5), np.uint8), image=np.ones((4, 5)))
    assert {len(column) for column in table.values()} == {0}
    assert "area" in table


def test_columns_come_in_a_readable_order():
    assert list(object_table(np.eye(3, dtype=np.uint8))) == [
        "label",
        "voxels",
        "area",
        "unit",
        "centroid_y",
        "centroid_x",
        "bbox_y_start",
        "bbox_y_stop",
        "bbox_x_start",
        "bbox_x_stop",
    ]


def test_wrong_input_is_refused():
    with pytest.raises(InputError, match="whole numbers"):
        object_table(np.zeros((3, 3)))
    with pytest.raises(InputError, match="axes"):
        object_table(np.zeros(3, int))
    with pytest.raises(InputError, match="labels' shape"):
        object_table(np.zeros((3, 3), int), image=np.zeros((3, 4)))
