"""Only what an edit changed is measured again, and the table is the one of all measured anew."""

import numpy as np
import pytest

from napari_seedbed.core import measure_objects
from napari_seedbed.core.proofreading.chosen_objects import Chosen
from napari_seedbed.core.proofreading.label_edits import changed
from napari_seedbed.core.proofreading.whole_objects import delete_objects, merge_objects
from napari_seedbed.gui.tools.proofreading import object_rows
from napari_seedbed.gui.tools.proofreading.object_rows import (
    changed_boxes,
    measured_again,
    measured_rows,
)
from napari_seedbed.pipeline.data.image import Image


def blobs(shape, rng, count=30):
    """Balls that touch each other and the border."""
    labels = np.zeros(shape, np.uint16)
    grid = np.indices(shape)
    for label in range(1, count + 1):
        centre = [rng.uniform(0, n) for n in shape]
        radius = rng.uniform(2, 6)
        far = sum((axis - at) ** 2 for axis, at in zip(grid, centre, strict=True))
        labels[far <= radius**2] = label
    return labels


def changed_part(labels, box, value):
    """The edit of a brush."""
    after = np.full_like(labels[box], value)
    return changed(labels[box], after, box, "paint", shape=labels.shape)


def same(given, expected):
    assert list(given) == list(expected)
    for name, column in expected.items():
        if column.dtype.kind == "f":
            np.testing.assert_allclose(given[name], column, rtol=1e-9, atol=1e-9, err_msg=name)
        else:
            np.testing.assert_array_equal(given[name], column, err_msg=name)


@pytest.mark.parametrize("shape", [(60, 70), (14, 40, 44)], ids=["2D", "3D"])
def test_changed_rows_are_those_of_a_full_measurement(shape, rng, monkeypatch):
    labels = blobs(shape, rng)
    spacing = (2.0, 0.5, 0.25)[-len(shape) :]
    axes = ("z", "y", "x")[-len(shape) :]
    units = ("micrometer",) * len(shape)

    def anew():
        return measured_rows(Image(labels.copy(), axes, spacing=spacing, units=units))

    def all_others():
        """Every object with another number, and one that reaches from end to end."""
        after = np.where(labels > 0, labels + 1, labels)
        after[..., 0, :] = after[..., -1, :] = 900
        return changed(labels, after, tuple(slice(0, n) for n in shape), "all", shape=shape)

    def of_no_more_than_there_is(laid, *given, **more):
        assert laid.size <= labels.size
        return measure_objects(laid, *given, **more)

    columns = anew()
    monkeypatch.setattr(object_rows, "measure_objects", of_no_more_than_there_is)
    present = columns["label"].tolist()
    steps = [
        lambda: merge_objects(Chosen(labels, present[2:5])),
        lambda: delete_objects(Chosen(labels, present[6:9])),
        # painted over others, also a new object at the border
        lambda: changed_part(labels, tuple(slice(0, 6) for _ in shape), 500),
        all_others,
        lambda: delete_objects(Chosen(labels, np.unique(labels)[10:].tolist())),
    ]
    for step in steps:
        edit = step()
        edit.apply(labels)
        columns = measured_again(
            columns, labels, changed_boxes(edit), spacing=spacing, unit="micrometer"
        )
        same(columns, anew())


def test_other_time_points_stay_as_they_are(rng):
    series = np.stack([blobs((40, 40), rng, 8), blobs((40, 40), rng, 8)])
    axes = ("t", "y", "x")
    columns = measured_rows(Image(series.copy(), axes))
    edit = delete_objects(Chosen(series[1], int(series[1].max())))
    edit.apply(series[1])
    columns = measured_again(
        columns, series[1], changed_boxes(edit), spacing=(1, 1), unit="pixel", time=1
    )
    same(columns, measured_rows(Image(series, axes)))
