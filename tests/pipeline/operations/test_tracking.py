"""Objects followed through time as operations, wherever the time axis is."""

import numpy as np
import pytest
from numpy.testing import assert_array_equal
from scipy import ndimage as ndi

from napari_seedbed.core import link_objects
from napari_seedbed.errors import InputError
from napari_seedbed.pipeline.data.image import Image
from napari_seedbed.pipeline.operations import run


@pytest.fixture
def series():
    """Return labels of discs that move by (3, -2) a time point, (T, Y, X), and an image of them."""
    rng = np.random.default_rng(1)
    labels = np.zeros((3, 70, 90), np.uint16)
    rows, columns = np.indices((70, 90))
    for time in range(3):
        for number in range(6):
            y, x = 15 + 20 * (number // 3) + 3 * time, 20 + 25 * (number % 3) - 2 * time
            labels[time][(rows - y) ** 2 + (columns - x) ** 2 <= 64] = 4 * number + 5
    image = ndi.gaussian_filter(20 + 90.0 * (labels > 0), (0, 1, 1))
    return labels, (image + rng.normal(0, 4, labels.shape)).astype(np.float32)


@pytest.mark.parametrize("axes", [("t", "y", "x"), ("y", "t", "x")])
def test_links_are_those_of_core_wherever_time_is(series, axes):
    labels, _ = series
    names = np.arange(40)
    names[5:] = np.random.default_rng(0).permutation(names[5:])
    called = np.stack([labels[0], names[labels[1]], np.where(labels[2] == 9, 0, labels[2])])
    expected = link_objects(called)
    at = axes.index("t")
    result = run("link_objects", {"image": Image(np.moveaxis(called, 0, at), axes)})
    assert_array_equal(result.image("labels").array, np.moveaxis(expected.labels, 0, at))
    assert_array_equal(
        result.image("labels").array,
        np.moveaxis(np.where((labels == 9) & (np.arange(3) == 2)[:, None, None], 0, labels), 0, at),
    )
    columns = result.table("table").columns
    assert columns["event"].tolist() == ["loss"]
    assert (columns["time"][0], columns["label"][0]) == (2, 9)
    assert result.record["notes"] == ["0 splits, 0 merges, 1 loss, 0 appearances."]


def test_objects_are_carried_to_the_last_time_point(series):
    labels, image = series
    first = labels.copy()
    first[1:] = 0
    # One is there already.
    first[1][labels[1] == 5] = 5
    inputs = {
        "image": Image(first, ("t", "y", "x"), name="labels"),
        "other": Image(image, ("t", "y", "x")),
    }
    all_of_them = run("carry_objects", inputs, {"steps": 0})
    found = all_of_them.image("labels").array
    assert all_of_them.record["notes"] == ["11 objects carried."]
    for time in (1, 2):
        for value in np.unique(labels[labels > 0]):
            a, b = found[time] == value, labels[time] == value
            assert 2 * (a & b).sum() / (a.sum() + b.sum()) > 0.85
    assert_array_equal(found[0], labels[0])
    one = run("carry_objects", inputs, {"objects": "9, 13"}).image("labels").array
    assert set(np.unique(one[1])) == {0, 5, 9, 13}
    assert not one[2].any()


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"start": 2}, "^start: it is 2; the last time point is 2"),
        ({"objects": "9 77"}, "^objects: there is no object 77 at time point 0"),
        ({"objects": "nine"}, "^objects: 'nine' is no label"),
    ],
)
def test_what_cannot_be_carried_is_named(series, parameters, message):
    labels, image = series
    axes = ("t", "y", "x")
    with pytest.raises(InputError, match=message):
        run(
            "carry_objects", {"image": Image(labels, axes), "other": Image(image, axes)}, parameters
        )
