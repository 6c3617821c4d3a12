"""Points and shapes become the voxels that geometry says, at any spacing, slant and place."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from napari_seedbed.core import seeds_from_points, seeds_from_shapes
from napari_seedbed.errors import InputError

quick = settings(max_examples=60, deadline=None)


def ball(shape, point, radii):
    grid = np.indices(shape)
    return sum(((g - p) / r) ** 2 for g, p, r in zip(grid, point, radii, strict=True)) <= 1


@quick
@given(
    point=st.tuples(*[st.integers(0, 15)] * 3),
    radius=st.floats(1, 6),
    spacing=st.tuples(*[st.sampled_from([0.5, 1, 2, 3])] * 3),
)
def test_a_point_is_a_ball_in_physical_units(point, radius, spacing):
    out = seeds_from_points([point], [7], (16, 16, 16), radius, spacing)
    distance = np.linalg.norm(
        (np.moveaxis(np.indices(out.shape), 0, -1) - point) * np.array(spacing), axis=-1
    )
    clear = np.abs(distance - radius) > 1e-6
    assert ((out == 7) == (distance <= radius))[clear].all()
    assert out[point] == 7


def test_radii_in_voxels_can_differ_by_axis_and_point():
    points, radii = [[5, 6], [14, 15]], [[2, 3], [4, 1]]
    out = seeds_from_points(points, [1, 2], (20, 20), radii)
    assert np.array_equal(out == 1, ball(out.shape, points[0], radii[0]))
    assert np.array_equal(out == 2, ball(out.shape, points[1], radii[1]))
    same = seeds_from_points(points, [1, 2], (20, 20), [2, 3])
    assert np.array_equal(same == 2, ball(out.shape, points[1], [2, 3]))


def test_each_point_keeps_its_own_voxel_under_overlapping_balls():
    out = seeds_from_points([[5, 5], [5, 6]], [1, 2], (11, 12), 4)
    assert out[5, 5] == 1
    assert out[5, 6] == 2


def test_radius_zero_marks_one_voxel_and_negative_labels_are_kept():
    out = seeds_from_points([[1.4, 2.6]], [-1], (4, 4), 0)
    assert out[1, 3] == -1
    assert np.count_nonzero(out) == 1


def test_a_ball_that_reaches_into_the_image_is_cut_not_refused():
    out = seeds_from_points([[-1, 5]], [1], (10, 10), 2)
    assert np.array_equal(out == 1, ball(out.shape, (-1, 5), (2, 2)))
    assert out.any()


def test_points_outside_are_counted_and_located():
    with pytest.raises(
        InputError, match=r"points: 2 of 3 lie outside .*number 2 at \(-9\.0, 1\.0\)"
    ):
        seeds_from_points([[1, 1], [-9, 1], [1, 50]], [1, 1, 2], (10, 10), 2)


@pytest.mark.parametrize(
    ("points", "labels", "radius", "words"),
    [
        ([[1, 2, 3]], [1], 1, "points"),
        ([[np.nan, 2]], [1], 1, "not finite"),
        ([[1, 2]], [1, 2], 1, "one for each"),
        ([[1, 2]], [0], 1, "label 0"),
        ([[1, 2]], [1.5], 1, "whole numbers"),
        ([[1, 2]], [1], -1, "radius"),
        ([[1, 2]], [1], [1, 2, 3], "radius"),
        ([[1, 2]], [2**40], 1, "between"),
    ],
)
def test_malformed_points_are_refused_by_name(points, labels, radius, words):
    with pytest.raises(InputError, match=words):
        seeds_from_points(points, labels, (5, 5), radius)


def test_no_points_give_no_seeds():
    assert not seeds_from_points([], [], (5, 5), 1).any()
    assert not seeds_from_shapes([], [], (5, 5)).any()


# --- areas -------------------------------------------------------------------------------------


def turned(points, angle, centre):
    c, s = np.cos(angle), np.sin(angle)
    return (np.asarray(points, float) - centre) @ np.array([[c, s], [-s, c]]) + centre


BOX = np.array([[10, 10], [10, 30], [40, 30], [40, 10]], float)


@quick
@given(
    angle=st.floats(0, 2 * np.pi),
    shift=st.tuples(st.floats(-3, 3), st.floats(-3, 3)),
    kind=st.sampled_from(["rectangle", "polygon"]),
)
def test_a_turned_rectangle_holds_exactly_the_voxels_inside_it(angle, shift, kind):
    corners = turned(BOX, angle, BOX.mean(axis=0)) + shift
    out = seeds_from_shapes([(kind, corners)], [3], (60, 60)) == 3
    where = np.moveaxis(np.indices(out.shape), 0, -1).reshape(-1, 2)
    a, b = corners[1] - corners[0], corners[3] - corners[0]
    u = ((where - corners[0]) @ a / (a @ a)).reshape(out.shape)
    v = ((where - corners[0]) @ b / (b @ b)).reshape(out.shape)
    margin = np.minimum(np.minimum(u, 1 - u), np.minimum(v, 1 - v))
    assert out[margin > 1e-6].all()
    assert not out[margin < -1e-6].any()


@quick
@given(angle=st.floats(0, 2 * np.pi), stretch=st.floats(0.3, 1))
def test_an_ellipse_holds_the_voxels_inside_it(angle, stretch):
    centre = np.array([30.2, 29.7])
    box = np.array([[-1, -1], [-1, 1], [1, 1], [1, -1]]) * [20 * stretch, 20] + centre
    out = seeds_from_shapes([("ellipse", turned(box, angle, centre))], [1], (60, 60)) == 1
    where = np.moveaxis(np.indices(out.shape), 0, -1).reshape(-1, 2)
    local = turned(where, -angle, centre) - centre
    square = (local / [20 * stretch, 20]) ** 2
    reach = np.sqrt(square.sum(axis=1)).reshape(out.shape)
    assert out[reach < 0.98].all()
    assert not out[reach > 1.0001].any()


@pytest.mark.parametrize("axis", [0, 1, 2])
def test_an_area_on_one_slice_of_a_volume_is_that_slice_filled(axis):
    flat = seeds_from_shapes([("polygon", BOX)], [1], (50, 40))
    shape = np.insert([50, 40], axis, 9)
    corners = np.insert(BOX, axis, 4.3, axis=1)
    out = seeds_from_shapes([("polygon", corners)], [1], shape)
    assert np.array_equal(out.take(4, axis), flat)
    assert np.count_nonzero(out) == np.count_nonzero(flat)


@quick
@given(st.floats(-1.2, 1.2), st.floats(-1.2, 1.2))
def test_a_tilted_area_lies_on_its_plane_without_holes(tilt_y, tilt_x):
    corners = np.insert(BOX, 0, 0.0, axis=1)
    middle = corners.mean(axis=0)
    corners[:, 0] = 30 + (corners - middle) @ [0, tilt_y, tilt_x]
    out = seeds_from_shapes([("polygon", corners)], [1], (90, 50, 40)) == 1
    z, y, x = np.nonzero(out)
    off = z - 30 - tilt_y * (y - middle[1]) - tilt_x * (x - middle[2])
    normal = np.array([1, -tilt_y, -tilt_x])
    # At most half a voxel off along the axis that the plane faces most.
    assert np.abs(off).max() <= 0.5 * np.abs(normal).max() + 1e-6
    if np.abs(normal[1:]).max() < 1:
        inside = seeds_from_shapes([("polygon", BOX)], [1], (50, 40)) == 1
        assert np.array_equal(out.any(axis=0), inside)


def test_corners_half_a_voxel_off_the_plane_are_fine_and_more_is_not():
    corners = np.insert(BOX, 0, [5, 5.9, 5, 5.9], axis=1)
    assert seeds_from_shapes([("polygon", corners)], [1], (9, 50, 50)).any()
    corners[:, 0] = [5, 8, 5, 8]
    with pytest.raises(InputError, match=r"shape 1 \(polygon\): .*one plane"):
        seeds_from_shapes([("polygon", corners)], [1], (20, 50, 50))


def test_an_area_thinner_than_a_voxel_is_drawn_as_a_line():
    sliver = [[5.2, 3], [5.3, 12], [5.4, 3]]
    out = seeds_from_shapes([("polygon", sliver)], [1], (20, 20))
    assert (out[5, 3:13] == 1).all()
    assert np.count_nonzero(out) == 10


def test_areas_are_cut_at_the_border_and_refused_when_outside():
    cut = seeds_from_shapes([("rectangle", BOX - 20)], [1], (50, 40))
    assert np.array_equal(np.argwhere(cut).max(axis=0), [20, 10])
    with pytest.raises(InputError, match=r"shapes: 1 of 2 lies outside .*number 2"):
        seeds_from_shapes([("rectangle", BOX), ("rectangle", BOX + 100)], [1, 1], (50, 40))
    with pytest.raises(InputError, match="outside"):
        seeds_from_shapes([("polygon", np.insert(BOX, 0, 12, axis=1))], [1], (9, 50, 40))


def test_far_corners_cost_nothing():
    huge = [[-1e9, -1e9], [-1e9, 1e9], [1e9, 1e9], [1e9, -1e9]]
    assert (seeds_from_shapes([("rectangle", huge)], [1], (20, 20)) == 1).all()
    line = seeds_from_shapes([("path", [[5, -1e9], [5, 1e9]])], [1], (20, 20), path_width=3)
    assert np.array_equal(np.flatnonzero(line.any(axis=1)), [4, 5, 6])


# --- strokes -----------------------------------------------------------------------------------


@quick
@given(
    vertices=st.lists(
        st.tuples(st.floats(3, 27), st.floats(3, 27), st.floats(3, 27)), min_size=2, max_size=4
    ),
    width=st.floats(1.5, 6),
    spacing=st.sampled_from([(1, 1, 1), (2, 1, 1), (0.5, 1, 1.5)]),
)
def test_a_path_is_every_voxel_within_half_its_width(vertices, width, spacing):
    vertices = np.array(vertices)
    same = np.ptp(np.floor(vertices + 0.5), axis=0) == 0
    if same.any():
        vertices[0, same] += 2  # a path along one slice stays on it: another test
    out = seeds_from_shapes([("path", vertices)], [1], (32, 32, 32), spacing, width) == 1
    size = np.array(spacing)
    where = np.moveaxis(np.indices(out.shape), 0, -1).reshape(-1, 3) * size
    nearest = np.full(len(where), np.inf)
    for a, b in zip(vertices[:-1] * size, vertices[1:] * size, strict=True):
        t = np.clip((where - a) @ (b - a) / max((b - a) @ (b - a), 1e-30), 0, 1)[:, None]
        nearest = np.minimum(nearest, np.linalg.norm(where - a - t * (b - a), axis=1))
    nearest = nearest.reshape(out.shape)
    if width > size.min():
        assert out[nearest < width / 2 - 1e-6].all()
    # Beyond the width only the voxels that the line itself runs through.
    assert nearest[out].max() <= max(width / 2, np.linalg.norm(size) / 2) + 1e-6


def test_a_path_on_one_slice_stays_there():
    out = seeds_from_shapes(
        [("path", [[4.2, 5, 5], [4.4, 5, 25], [3.9, 20, 20]])], [2], (9, 30, 30), path_width=5
    )
    assert np.array_equal(np.flatnonzero(out.any(axis=(1, 2))), [4])
    assert np.array_equal(np.flatnonzero(out[4, :, 10]), np.arange(3, 8))


@pytest.mark.parametrize("width", [None, 0, 0.4])
def test_a_thin_path_has_no_gaps(width):
    out = seeds_from_shapes([("line", [[2, 3], [25, 17]])], [1], (30, 30), path_width=width)
    voxels = np.argwhere(out)
    assert len(voxels) == 24
    assert np.abs(np.diff(voxels, axis=0)).max() == 1
    assert out[2, 3] == out[25, 17] == 1


def test_a_path_of_one_vertex_is_a_dot_of_its_width():
    out = seeds_from_shapes([("path", [[10, 10]])], [1], (20, 20), path_width=6)
    assert np.array_equal(out == 1, ball(out.shape, (10, 10), (3, 3)))


def test_each_shape_has_its_own_label_and_width_and_lies_on_the_earlier_ones():
    shapes = [("line", [[5, 2], [5, 18]]), ("line", [[2, 10], [18, 10]])]
    out = seeds_from_shapes(shapes, [1, -2], (20, 20), path_width=[5, 1])
    assert np.array_equal(np.flatnonzero(out[:, 4]), np.arange(3, 8))
    assert np.array_equal(np.flatnonzero(out[12]), [10])
    assert out[5, 10] == -2


@pytest.mark.parametrize(
    ("kind", "vertices", "words"),
    [
        ("blob", BOX, "'blob'; it must be one of polygon"),
        ("ellipse", BOX[:3], "four corners"),
        ("path", BOX[:, :1], "coordinates"),
        ("polygon", [], "no vertices"),
        ("path", [[1, np.inf]], "not finite"),
    ],
)
def test_malformed_shapes_are_refused_by_number(kind, vertices, words):
    with pytest.raises(InputError, match=f"shape 1.*{words}"):
        seeds_from_shapes([(kind, vertices)], [1], (50, 50))
    with pytest.raises(InputError, match="path_width"):
        seeds_from_shapes([("polygon", BOX)], [1], (50, 50), path_width=[1, 2])
