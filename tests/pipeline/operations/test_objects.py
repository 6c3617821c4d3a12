"""Operations on objects: what they say, what they give, and parts of images as of the whole."""

import numpy as np
import pytest

from napari_seedbed.errors import InputError
from napari_seedbed.pipeline.data.image import Image
from napari_seedbed.pipeline.operations import run

MICRO = ("micrometer",) * 3


def labels_of(array, **about):
    axes = ("z", "y", "x")[-array.ndim :]
    return Image(array, axes, name="objects", **about)


@pytest.fixture
def blobs(rng):
    """Touching objects of all sizes, (60, 80)."""
    from scipy.ndimage import gaussian_filter

    noise = gaussian_filter(rng.normal(size=(60, 80)), 2)
    return np.digitize(noise / noise.std(), [0.3, 0.9, 1.6]).astype(np.uint8)


def test_number_of_objects_is_told():
    dots = np.zeros((12, 12), bool)
    dots[1::4, 1::4] = True
    for operation in ("label", "count"):
        result = run(operation, {"image": labels_of(dots)})
        assert result.record["notes"] == ["9 objects found."]
    assert list(run("count", {"image": labels_of(dots)}).table("table").columns["objects"]) == [9]


def test_70000_objects_in_16_bits_are_labelled_apart():
    dots = np.zeros((700, 400), np.uint16)
    dots[::2, ::2] = 1
    labels = run("label", {"image": labels_of(dots)}).image("labels")
    assert labels.dtype == np.int32
    assert labels.array.max() == 70_000


def test_corners_count_unless_only_faces_may_touch():
    corner = labels_of(np.eye(4, dtype=bool))
    assert run("label", {"image": corner}).record["notes"] == ["1 object found."]
    faces = run("label", {"image": corner}, {"connectivity": "faces"})
    assert faces.record["notes"] == ["4 objects found."]


def test_sizes_are_physical():
    labels = np.zeros((3, 6, 6), np.uint8)
    labels[0, 0, :3], labels[2, :2, 3:] = 1, 2
    image = labels_of(labels, spacing=(2.0, 0.5, 0.5), units=MICRO)
    kept = run("remove_by_size", {"image": image}, {"smallest": 2.0}).image("labels")
    assert set(np.unique(kept.array)) == {0, 2}
    default = run("remove_by_size", {"image": image}).record["parameters"]["smallest"]
    assert default == pytest.approx(20 * 0.5)


def test_second_labels_are_those_of_the_same_voxel(blobs):
    other = np.roll(blobs, 3, axis=1) > 1
    inputs = {"image": labels_of(blobs), "other": labels_of(other)}
    found = run("combine_labels", inputs).image("labels").array
    np.testing.assert_array_equal(found, np.where(other, blobs, 0))


REGION = (slice(20, 41), slice(31, 60))
LOCAL = [
    ("expand_labels", {"distance": 5.3}),
    ("label_morphology", {"kind": "opening", "radius": 2.5}),
    ("label_morphology", {"kind": "closing", "radius": 3.2}),
    ("label_morphology", {"kind": "erosion", "radius": 2.0}),
    ("combine_labels", {"how": "or"}),
    ("combine_labels", {"how": "pairs"}),
    ("fill_holes", {}),
    ("skeleton", {}),
]


@pytest.mark.parametrize(("operation", "parameters"), LOCAL)
@pytest.mark.parametrize("spacing", [(1.0, 1.0), (0.7, 1.1)])
def test_part_of_an_image_is_as_in_the_whole(blobs, operation, parameters, spacing):
    sparse = np.where(blobs > 2, blobs, 0) if operation == "expand_labels" else blobs
    about = {"spacing": spacing, "units": MICRO[:2]}
    inputs = {"image": labels_of(sparse, **about)}
    if operation == "combine_labels":
        inputs["other"] = labels_of(np.roll(blobs, 5, axis=0), **about)
    whole = run(operation, inputs, parameters).image("labels").array
    part = run(operation, inputs, parameters, region=REGION).image("labels").array
    np.testing.assert_array_equal(part, whole[REGION])


def test_ends_alone_are_given_where_they_are_asked_for():
    cross = np.zeros((9, 9), bool)
    cross[4, 1:8] = cross[1:8, 4] = True
    result = run("skeleton_points", {"image": labels_of(cross)}, {"kind": "end"})
    assert set(result.points("points").columns["kind"]) == {"end"}
    assert result.record["notes"] == ["4 end points found."]
    both = run("skeleton_points", {"image": labels_of(cross)})
    assert both.record["notes"] == ["4 end points found.", "1 branch point found."]


def test_time_points_have_points_and_branches_of_their_own():
    film = np.zeros((3, 12, 12), bool)
    film[0, 3, 2:9], film[2, 2:10, 5] = True, True
    image = Image(film, ("t", "y", "x"), name="film")
    points = run("skeleton_points", {"image": image}).points("points")
    assert sorted(points.times.tolist()) == [0, 0, 2, 2]
    table = run("branch_table", {"image": image}).table("table").columns
    assert list(table["time_point"]) == [0, 2]
    np.testing.assert_allclose(table["length"], [6, 7])


def test_circles_of_a_fit_have_a_row_each():
    y, x = np.indices((60, 90))
    rings = np.abs(np.hypot(y - 30, x - 30) - 20) < 0.6
    rings |= np.abs(np.hypot(y - 30, x - 70) - 12) < 0.6
    inputs = {"image": labels_of(rings, spacing=(0.5, 0.5), units=MICRO[:2])}
    result = run("fit_circle", inputs, {"number": 5, "min_coverage": 0.6})
    assert len(result.shapes().shapes) == 2
    np.testing.assert_allclose(result.table("table").columns["radius"], [10, 6], atol=0.1)
    assert "table" not in run("fit_circle", inputs, {"table": False}).outputs


@pytest.mark.parametrize("operation", ["fit_circle", "fit_ellipse", "fit_line"])
def test_fit_without_edges_is_refused_in_plain_words(operation):
    with pytest.raises(InputError, match="there are no edge points"):
        run(operation, {"image": labels_of(np.zeros((9, 9), bool))})


def test_spots_of_each_channel_are_found(rng):
    from scipy.ndimage import gaussian_filter

    image = np.zeros((2, 20, 60, 60), np.float32)
    image[0, 10, 20, 20] = image[1, 8, 40, 30] = image[1, 12, 20, 45] = 1
    image = gaussian_filter(image, (0, 1.0, 2.0, 2.0))
    spots = Image(image, ("c", "z", "y", "x"), (0.4, 0.2, 0.2), MICRO, name="spots")
    limits = {"smallest": 0.3, "largest": 1.2}
    found = run("find_blobs", {"image": spots}, limits)
    assert list(found.points("points").columns["channel"]) == [1, 2, 2]
    np.testing.assert_allclose(found.points("points").columns["radius"], 0.4 * 2**0.5, rtol=0.1)
    assert found.record["notes"] == ["Channel 1: 1 blob found.", "Channel 2: 2 blobs found."]
    peaks = run("local_maxima", {"image": spots}).points("points")
    np.testing.assert_array_equal(peaks.points[0], [10, 20, 20])
