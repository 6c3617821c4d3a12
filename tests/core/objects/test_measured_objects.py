"""Measurements of objects equal scikit-image's, brute force, and closed formulas."""

import numpy as np
import pytest
from scipy.spatial.distance import cdist
from skimage.draw import ellipse
from skimage.measure import label, perimeter_crofton, regionprops
from skimage.morphology import convex_hull_image

from napari_seedbed.core import measure_objects, running
from napari_seedbed.core.objects.object_measurement import MEASUREMENT_GROUPS
from napari_seedbed.errors import Cancelled, InputError

SCENES = [((60, 70), (0.5, 2.0)), ((60, 70), (1.0, 1.0)), ((14, 30, 35), (3.0, 1.0, 0.5))]


def blobs(shape, seed=4):
    """Ragged objects, many of which touch; labels with gaps between them."""
    rng = np.random.default_rng(seed)
    grown = np.zeros(shape, np.int64)
    for _ in range(60):
        corner = [int(rng.integers(0, n - 3)) for n in shape]
        box = tuple(slice(c, c + int(rng.integers(1, 9))) for c in corner)
        grown[box] = rng.integers(1, 40) * 7
    grown[rng.random(shape) < 0.1] = 0
    grown[(0,) * len(shape)] = -3
    return grown


def by_regionprops(labels, spacing, image=None):
    return regionprops(np.maximum(labels, 0), image, spacing=spacing)


@pytest.mark.parametrize(("shape", "spacing"), SCENES)
def test_axes_extent_and_euler_number_equal_regionprops(shape, spacing):
    labels = blobs(shape)
    table = measure_objects(labels, spacing, groups=("shape", "size"))
    props = by_regionprops(labels, spacing)
    assert table["label"].tolist() == [p.label for p in props]
    for ours, theirs in {
        "major_axis": "axis_major_length",
        "extent": "extent",
        "euler_number": "euler_number",
        "equivalent_diameter": "equivalent_diameter_area",
    }.items():
        assert np.allclose(table[ours], [p[theirs] for p in props], atol=1e-6), ours
    if len(shape) == 2:
        for ours, theirs in {
            "minor_axis": "axis_minor_length",
            "eccentricity": "eccentricity",
        }.items():
            assert np.allclose(table[ours], [p[theirs] for p in props], atol=1e-6), ours


def test_three_axes_have_the_variances_of_the_coordinates():
    labels = blobs((14, 30, 35))
    spacing = np.array((3.0, 1.0, 0.5))
    table = measure_objects(labels, spacing, groups=("shape",))
    for row, value in enumerate(table["label"]):
        where = np.argwhere(labels == value) * spacing
        spread = np.cov(where.T, bias=True) if len(where) > 1 else np.zeros((3, 3))
        expected = 2 * np.sqrt(5 * np.linalg.eigvalsh(spread).clip(0))
        found = [table[f"{name}_axis"][row] for name in ("minor", "middle", "major")]
        assert np.allclose(found, expected, atol=1e-5)


@pytest.mark.parametrize("direction", [(0, 0, 1), (0, 1, 0), (1, 0, 0), (1, 1, 1)])
def test_direction_is_that_of_a_rod(direction):
    labels = np.zeros((30, 30, 30), np.uint8)
    for step in range(20):
        labels[tuple(5 + step * n for n in direction)] = 1
    table = measure_objects(labels, groups=("shape",))
    found = np.array([table[f"direction_{axis}"][0] for axis in "zyx"])
    assert np.allclose(found, np.array(direction) / np.linalg.norm(direction))


@pytest.mark.parametrize("angle", [-60, -20, 0, 35, 90])
def test_orientation_counts_counter_clockwise_from_the_x_axis(angle):
    labels = np.zeros((101, 101), np.uint8)
    # scikit-image turns ellipses the same way.
    labels[ellipse(50, 50, 10, 40, rotation=np.radians(angle))] = 1
    found = measure_objects(labels, groups=("shape",))["orientation"][0]
    assert abs((found - angle + 90) % 180 - 90) < 0.5


def test_perimeter_equals_crofton_of_scikit_image():
    labels = label(np.random.default_rng(1).random((50, 60)) > 0.5, connectivity=1)
    table = measure_objects(labels, groups=("shape",))
    alone = [perimeter_crofton(np.pad(labels == n, 1), 4) for n in table["label"]]
    discs = 2 * np.sqrt(np.pi * np.bincount(labels.ravel())[1:])
    assert np.allclose(table["perimeter"], np.maximum(alone, discs))
    assert np.mean(table["perimeter"] > discs) > 0.3


@pytest.mark.parametrize("spacing", [(1.0, 1.0, 1.0), (3.0, 1.0, 0.5)])
def test_nothing_is_rounder_than_a_disc_or_ball(spacing):
    rng = np.random.default_rng(3)
    boxes = [np.ones(size, int) for size in rng.integers(1, 5, (40, 3))]
    for mask in [*boxes, *(label(rng.random((9, 9, 9)) < share) for share in (0.02, 0.1, 0.2))]:
        table = measure_objects(mask, spacing, groups=("size", "shape"))
        assert (table["sphericity"] <= 1).all()
        assert (table["sphericity"] > 0).all()
        diameter = table["equivalent_diameter"]
        assert (table["surface_area"] >= np.pi * diameter**2 * (1 - 1e-12)).all()
        flat = measure_objects(mask[0], spacing[1:], groups=("size", "shape"))
        assert (flat["circularity"] <= 1).all()
        assert (flat["perimeter"] >= np.pi * flat["equivalent_diameter"] * (1 - 1e-12)).all()


@pytest.mark.parametrize("spacing", [(1.0, 1.0), (1.0, 0.5), (0.25, 0.5)])
def test_perimeter_of_a_disc_is_that_of_a_circle(spacing):
    radius = 20.0
    y, x = (np.arange(-60, 61) * step / min(spacing) * 0.5 for step in spacing)
    labels = (y[:, np.newaxis] ** 2 + x**2 < radius**2).astype(np.uint8)
    size = tuple(step / min(spacing) * 0.5 for step in spacing)
    table = measure_objects(labels, size, groups=("shape",))
    assert table["perimeter"][0] == pytest.approx(2 * np.pi * radius, rel=0.02)
    assert table["circularity"][0] == pytest.approx(1, abs=0.04)


@pytest.mark.parametrize("spacing", [(1.0, 1.0, 1.0), (2.0, 1.0, 1.0), (3.0, 1.0, 0.5)])
def test_surface_of_a_ball_is_that_of_a_sphere(spacing):
    radius = 20.0
    grids = [np.arange(-int(22 / step), int(22 / step) + 1) * step for step in spacing]
    z, y, x = np.meshgrid(*grids, indexing="ij", sparse=True)
    labels = (z**2 + y**2 + x**2 < radius**2).astype(np.uint16) * 9
    table = measure_objects(labels, spacing, groups=("shape",))
    assert table["surface_area"][0] == pytest.approx(4 * np.pi * radius**2, rel=0.02)
    assert table["sphericity"][0] == pytest.approx(1, abs=0.03)


@pytest.mark.parametrize(("shape", "spacing"), SCENES)
def test_solidity_counts_centres_in_the_hull_of_centres(shape, spacing):
    labels = blobs(shape)
    table = measure_objects(labels, spacing, groups=("hull",))
    for row, value in enumerate(table["label"]):
        mask = labels == value
        if np.any(np.ptp(np.argwhere(mask), axis=0) < 2):
            continue  # flat: scikit-image has no hull for it
        hull = convex_hull_image(mask, offset_coordinates=False)
        assert table["solidity"][row] == np.count_nonzero(mask) / np.count_nonzero(hull)


@pytest.mark.parametrize(("shape", "spacing"), SCENES)
def test_feret_diameter_is_the_largest_distance_of_voxel_corners(shape, spacing):
    labels = blobs(shape)
    table = measure_objects(labels, spacing, groups=("hull",))
    ends = np.stack(np.meshgrid(*[[-0.5, 0.5]] * len(shape)), axis=-1).reshape(-1, len(shape))
    for row, value in enumerate(table["label"]):
        where = np.argwhere(labels == value)
        corners = (where[:, np.newaxis] + ends).reshape(-1, len(shape)) * spacing
        assert table["feret_diameter"][row] == pytest.approx(cdist(corners, corners).max())


@pytest.mark.parametrize(
    ("points", "in_hull"),
    [
        ([(0, 0, 0)], 1),
        ([(0, 0, 0), (2, 2, 2)], 3),
        ([(0, 0, 0), (0, 4, 0), (0, 0, 4)], 15),
        ([(0, 0, 0), (3, 3, 0), (0, 0, 4), (3, 3, 4)], 20),
        ([(0, 0, 0), (1, 1, 1), (2, 2, 2), (6, 6, 6)], 7),
        ([(0, 0, 0), (3, 0, 0), (0, 3, 0), (0, 0, 3)], 20),
    ],
)
def test_flat_and_thin_objects_in_a_volume_have_a_hull(points, in_hull):
    labels = np.zeros((8, 8, 8), np.uint8)
    labels[tuple(np.transpose(points))] = 1
    solidity = measure_objects(labels, groups=("hull",))["solidity"][0]
    assert solidity == pytest.approx(len(points) / in_hull)


def test_large_objects_have_the_hull_of_their_outermost_points(monkeypatch):
    from napari_seedbed.core.objects import object_hulls

    labels = blobs((14, 30, 35))
    small = measure_objects(labels, groups=("hull",))
    monkeypatch.setattr(object_hulls, "_MOST_POINTS", 60)
    large = measure_objects(labels, groups=("hull",))
    assert np.array_equal(small["solidity"], large["solidity"])
    assert np.allclose(small["feret_diameter"], large["feret_diameter"])


@pytest.mark.parametrize("dtype", [np.uint8, np.int16, np.float16, np.float64, bool])
@pytest.mark.parametrize(("shape", "spacing"), SCENES[1:])
def test_intensities_are_those_of_numpy(shape, spacing, dtype):
    labels = blobs(shape)
    image = (np.random.default_rng(2).normal(50, 20, shape).clip(0, 100)).astype(dtype)
    table = measure_objects(labels, spacing, image=image, groups=("intensity",))
    for row, value in enumerate(table["label"]):
        values = image[labels == value].astype(float)
        expected = {
            "mean": values.mean(),
            "std": values.std(),
            "min": values.min(),
            "max": values.max(),
            "median": np.median(values),
            "sum": values.sum(),
        }
        for name, number in expected.items():
            assert table[f"{name}_intensity"][row] == pytest.approx(number), name


def test_each_channel_has_its_columns():
    labels = np.array([[1, 1, 0], [0, 2, 2]])
    image = np.stack([labels * 10.0, labels * -1.0])
    named = measure_objects(
        labels, image=image, channel_axis=0, channel_names=("red", "green"), groups=("intensity",)
    )
    assert named["mean_intensity_red"].tolist() == [10, 20]
    assert named["min_intensity_green"].tolist() == [-1, -2]
    counted = measure_objects(labels, image=image, channel_axis=0, groups=("intensity",))
    assert counted["sum_intensity_2"].tolist() == [-2, -4]


@pytest.mark.parametrize("shape", [(40, 50), (9, 20, 24)])
def test_touching_objects_share_a_face_an_edge_or_a_corner(shape):
    labels = blobs(shape)
    table = measure_objects(labels, groups=("neighbours",))
    padded = np.pad(labels, 1)
    pairs = set()
    for step in np.argwhere(np.ones((3,) * len(shape), bool)) - 1:
        other = np.roll(padded, step, range(len(shape)))
        met = (padded > 0) & (other > 0) & (padded != other)
        pairs |= set(zip(padded[met].tolist(), other[met].tolist(), strict=True))
    expected = [sum(first == value for first, _ in pairs) for value in table["label"]]
    assert table["touching"].tolist() == expected


def test_nearest_object_is_the_one_with_the_nearest_centroid():
    labels = np.zeros((5, 30), np.uint8)
    labels[2, 2], labels[2, 6], labels[2, 20] = 4, 9, 5
    table = measure_objects(labels, (1, 0.5), groups=("neighbours",))
    assert table["nearest_label"].tolist() == [9, 9, 4]
    assert table["nearest_distance"].tolist() == [2, 7, 2]


def test_an_object_alone_has_no_nearest():
    table = measure_objects(np.eye(3, dtype=int), groups=("neighbours",))
    assert table["nearest_label"].tolist() == [0]
    assert table["nearest_distance"].tolist() == [np.inf]


def test_objects_around_one_another_are_nearest_to_each_other():
    labels = np.full((7, 7), 2)
    labels[2:5, 2:5] = 1
    table = measure_objects(labels, groups=("neighbours",))
    assert table["nearest_label"].tolist() == [2, 1]
    assert table["nearest_distance"].tolist() == [0, 0]


def test_border_is_the_outermost_voxels():
    labels = np.zeros((6, 6), np.uint8)
    labels[0, 3], labels[1, 1], labels[3, 5] = 1, 2, 3
    table = measure_objects(labels, groups=("position",))
    assert table["touches_border"].tolist() == [True, False, True]


@pytest.mark.parametrize("shape", [(20, 30), (5, 20, 30)])
def test_no_objects_give_all_columns_without_rows(shape):
    image = np.ones(shape)
    table = measure_objects(np.zeros(shape, np.uint8), image=image)
    some = np.zeros(shape, np.uint8)
    some[..., 3, 3:5] = 1
    assert list(table) == list(measure_objects(some, image=image))
    assert {len(column) for column in table.values()} == {0}


def test_groups_alone_choose_the_columns():
    labels = np.eye(4, dtype=np.uint8)
    assert list(measure_objects(labels, groups=())) == ["label", "unit"]
    sizes = ["label", "voxels", "area", "equivalent_diameter", "unit"]
    assert list(measure_objects(labels, groups=("size",))) == sizes


@pytest.mark.parametrize("dtype", [np.int64, np.uint64])
def test_labels_may_be_far_apart(dtype):
    labels = np.zeros((6, 6), dtype)
    labels[1, 1:4], labels[4, 4] = 2**40, 7
    table = measure_objects(labels, groups=("size", "shape", "hull"))
    assert table["label"].tolist() == [7, 2**40]
    assert table["voxels"].tolist() == [1, 3]
    assert table["major_axis"][0] == 0


def test_many_objects_in_slabs_equal_one_by_one():
    labels = np.arange(1, 90_001).reshape(300, 300).repeat(4, 0).repeat(4, 1)
    table = measure_objects(labels, groups=MEASUREMENT_GROUPS)
    assert len(table["label"]) == 90_000
    assert set(table["voxels"]) == {16}
    assert set(table["solidity"]) == {1.0}
    assert sorted(set(table["touching"])) == [3, 5, 8]
    assert np.allclose(table["perimeter"], table["perimeter"][0])


def test_input_is_not_changed(rng):
    labels, image = blobs((20, 20)), rng.random((20, 20))
    before = labels.copy(), image.copy()
    labels.flags.writeable = image.flags.writeable = False
    measure_objects(labels, image=image)
    assert np.array_equal(labels, before[0])
    assert np.array_equal(image, before[1])


def test_it_stops_when_asked():
    with running(should_stop=lambda: True), pytest.raises(Cancelled):
        measure_objects(np.ones((50, 50), int))


def test_wrong_input_is_refused():
    labels = np.eye(4, dtype=int)
    with pytest.raises(InputError, match="groups: there is no group 'colour'"):
        measure_objects(labels, groups=("colour",))
    with pytest.raises(InputError, match="labels' shape"):
        measure_objects(labels, image=np.ones((2, 4, 5)), channel_axis=0)
    image, names = np.ones((2, 4, 4)), ("a", "a")
    with pytest.raises(InputError, match="a different name for each"):
        measure_objects(labels, image=image, channel_axis=0, channel_names=names)
