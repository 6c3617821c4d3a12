"""Snakes over whole images: many objects, stacks, volumes, and what is told on the way."""

import re
import time
from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from snake_scenes import (
    METHODS,
    SURFACES,
    at,
    ball,
    circle,
    dice,
    elastic,
    film,
    grow,
    noisy,
    on_slice,
    regions,
)

from bounds import bound
from napari_seedbed.core.marks.shapes import Shape, filled, plane_of
from napari_seedbed.core.progress import running
from napari_seedbed.core.snakes.growth import grow_snakes
from napari_seedbed.errors import Cancelled, InputError

DISC = ball()
EVERY = pytest.mark.parametrize("method", METHODS)
SURFACE = pytest.mark.parametrize("method", SURFACES)

# Three discs that touch or lie close together, and rough outlines of them.
CENTRES, RADII = ((40, 40), (40, 75), (85, 60)), (18, 16, 22)


@pytest.fixture(scope="module")
def cells():
    return noisy(
        np.maximum.reduce([ball(centre=c, radius=r) for c, r in zip(CENTRES, RADII, strict=True)])
    )


def rough(labels=(1, 2, 3)):
    return [
        Shape(label, circle(c, (1.1 * r, 0.9 * r)))
        for label, c, r in zip(labels, CENTRES, RADII, strict=True)
    ]


# Many objects


@EVERY
def test_touching_objects_are_told_apart(method, cells):
    labels = grow(cells, METHODS[method](), rough()).labels[0]
    for label, centre, radius in zip((1, 2, 3), CENTRES, RADII, strict=True):
        assert dice(labels == label, ball(centre=centre, radius=radius) >= 0.5) > 0.93


@EVERY
@settings(max_examples=6)
@given(order=st.permutations([0, 1, 2]))
def test_order_of_shapes_makes_no_difference(method, order, cells):
    shapes = rough()
    one = grow(cells, METHODS[method](), shapes)
    other = grow(cells, METHODS[method](), [shapes[i] for i in order])
    np.testing.assert_array_equal(one.labels, other.labels)


@EVERY
def test_values_of_labels_make_no_difference(method, cells):
    one = grow(cells, METHODS[method](), rough())
    values = np.array([0, 1, 2_000_000_000, 2_000_000_001], np.int32)
    other = grow(cells, METHODS[method](), rough(values[1:].tolist()))
    np.testing.assert_array_equal(values[one.labels], other.labels)
    assert [values[s.label] for s in one.shapes] == [s.label for s in other.shapes]


@SURFACE
def test_no_object_takes_what_another_one_was_drawn_on(method):
    # One bright object, drawn as two that meet in the middle.
    image = ball(radius=30)
    left, right = (ball() > 0.5), (ball() > 0.5)
    left[:, 64:] = False
    right[:, :66] = False
    seeds = (left + 2 * right.astype(np.int32)).astype(np.int32)
    labels = grow(image, SURFACES[method](), seeds=lambda _: seeds).labels[0]
    assert (labels[:, :62] != 2).all()
    assert (labels[:, 68:] != 1).all()


@SURFACE
def test_seeds_are_the_same_as_the_shapes_that_they_were_filled_from(method, cells):
    seeds = filled(rough(), cells.shape)
    one = grow(cells, SURFACES[method](), rough())
    other = grow(cells, SURFACES[method](), seeds=lambda _: seeds)
    np.testing.assert_array_equal(one.labels, other.labels)


def test_contours_start_from_the_outlines_of_seeds(cells):
    seeds = filled(rough(), cells.shape)
    one = grow(cells, elastic(), rough())
    other = grow(cells, elastic(), seeds=lambda _: seeds)
    assert [shape.label for shape in other.shapes] == [1, 2, 3]
    assert dice(one.labels, other.labels) > 0.98


def test_several_shapes_of_one_label_are_one_object(cells):
    found = grow(cells, regions(), rough((5, 5, 7)))
    assert set(np.unique(found.labels)) == {0, 5, 7}


@EVERY
@settings(max_examples=4)
@given(unit=st.sampled_from([1e-3, 0.13, 1e3]), ratio=st.sampled_from([1.0, 2.0]))
def test_unit_of_lengths_makes_no_difference(method, unit, ratio, cells):
    def run(scale):
        made = METHODS[method]()
        return grow(
            cells,
            replace(made, sigma=made.sigma * scale),
            rough(),
            spacing=(ratio * scale, scale),
            tolerance=0.5 * scale,
        )

    one, other = run(1.0), run(unit)
    assert dice(one.labels, other.labels) > 0.999
    assert len(one.shapes) == len(other.shapes)


@EVERY
def test_shapes_fit_the_labels(method, cells):
    found = grow(cells, METHODS[method](), rough())
    assert dice(filled(found.shapes, cells.shape), found.labels[0]) > 0.995


def test_tolerance_leaves_out_points(cells):
    fine, coarse = (grow(cells, regions(), rough(), tolerance=t).shapes for t in (0.0, 1.0))
    assert sum(len(s.points) for s in coarse) < sum(len(s.points) for s in fine) / 3
    assert dice(filled(coarse, cells.shape), filled(fine, cells.shape)) > 0.95


def test_shapes_are_given_only_if_asked_for(cells):
    assert grow(cells, regions(), rough(), give_shapes=False).shapes == []


# Volumes


@pytest.fixture(scope="module")
def sphere():
    """A ball of radius 10 around slice 12 of 25."""
    return noisy(ball((25, 48, 48), (12, 24, 24), 10), 0.02)


SPHERE_TRUTH = ball((25, 48, 48), (12, 24, 24), 10) >= 0.5


@EVERY
def test_stack_follows_a_ball_to_both_its_ends(method, sphere):
    found = grow(
        sphere, METHODS[method](sigma=1.0), on_slice(circle((24, 24), 11), 12), extent="stack"
    )
    assert dice(found.labels[0], SPHERE_TRUTH) > 0.93
    slices = np.flatnonzero(found.labels[0].any(axis=(1, 2)))
    assert 2 <= slices[0] <= 4
    assert 20 <= slices[-1] <= 22


@EVERY
def test_stack_says_on_which_slices_an_object_ended(method, sphere):
    start = [Shape(6, on_slice(circle((24, 24), 11), 12))]
    found = grow(sphere, METHODS[method](sigma=1.0), start, extent="stack")
    slices = np.flatnonzero(found.labels[0].any(axis=(1, 2)))
    places = [re.findall(r"Object 6 .* slices? z ([\d, ]+):", note) for note in found.notes]
    ends = [int(n) for listed in places for text in listed for n in text.split(", ")]
    assert sorted(ends) == [slices[0] - 1, slices[-1] + 1]


@EVERY
def test_stack_stops_on_slices_where_there_is_nothing_at_all(method):
    volume = np.zeros((9, 64, 64))
    volume[2:7] = ball((64, 64), (30, 32), 15)
    found = grow(volume, METHODS[method](), on_slice(circle((30, 32), 16), 4), extent="stack")
    assert found.labels[0].any(axis=(1, 2)).tolist() == [2 <= z < 7 for z in range(9)]
    assert [note for note in found.notes if "lost" in note] == [
        "Object 1 was lost on slices z 1, 7: there is nothing to see."
    ]


@EVERY
def test_stack_goes_on_from_the_nearest_drawn_slice(method):
    """A tube that jumps aside between slices 4 and 5: only a second outline can follow it."""
    volume = np.stack([ball((64, 96), (32, 25 if z < 5 else 70), 12) for z in range(10)])
    start = [
        Shape(1, on_slice(circle((32, 25), 13), 1)),
        Shape(1, on_slice(circle((32, 70), 13), 8)),
    ]
    found = grow(noisy(volume, 0.01), METHODS[method](), start, extent="stack")
    assert dice(found.labels[0], volume >= 0.5) > 0.95


@pytest.mark.parametrize("axis", [1, 2])
def test_stack_goes_along_the_axis_that_was_drawn_across(axis, sphere):
    start = on_slice(circle(np.delete([12, 24, 24], axis), 11), 24, axis)
    found = grow(sphere, regions(sigma=1.0), start, extent="stack")
    assert dice(found.labels[0], SPHERE_TRUTH) > 0.93
    assert {plane_of(shape)[0] for shape in found.shapes} == {axis}


@EVERY
def test_slice_mode_leaves_other_slices_alone(method, sphere):
    start = [Shape(1, on_slice(circle((24, 24), 11), z)) for z in (10, 12)]
    found = grow(sphere, METHODS[method](sigma=1.0), start)
    assert np.flatnonzero(found.labels[0].any(axis=(1, 2))).tolist() == [10, 12]
    for z in (10, 12):
        assert dice(found.labels[0, z], SPHERE_TRUTH[z]) > 0.93
    assert [plane_of(shape) for shape in found.shapes] == [(0, 10), (0, 12)]


@SURFACE
@pytest.mark.parametrize("cap", ["flat", "round"])
def test_volume_from_three_slices_of_an_ellipsoid(method, cap):
    """Voxels of 3 x 1 x 1, radii of 30, 24 and 18."""
    spacing, centre, radius = (3.0, 1.0, 1.0), (45, 32, 32), (30, 24, 18)
    image = ball((30, 64, 64), centre, radius, spacing=spacing)
    start = [
        Shape(1, on_slice(circle((32, 32), (s * 26, s * 16)), z))
        for z, s in ((8, 0.7), (15, 1.0), (22, 0.7))
    ]
    found = grow(
        noisy(image, 0.05), SURFACES[method](), start, extent="volume", spacing=spacing, cap=cap
    )
    assert dice(found.labels[0], image >= 0.5) > 0.95


@SURFACE
def test_volume_from_one_slice_begins_as_a_ball(method, sphere):
    found = grow(sphere, SURFACES[method](), on_slice(circle((24, 24), 11), 12), extent="volume")
    assert dice(found.labels[0], SPHERE_TRUTH) > 0.95


@SURFACE
@pytest.mark.parametrize("n_slices", [1, 2, 5])
def test_object_that_goes_on_beyond_the_volume_is_not_rounded_off_at_its_border(method, n_slices):
    volume = noisy(np.stack([DISC] * n_slices))
    start = [Shape(1, on_slice(circle(radius=27), z)) for z in sorted({0, n_slices - 1})]
    found = grow(volume, SURFACES[method](), start, extent="volume")
    assert dice(found.labels[0], volume >= 0.5) > 0.97


@SURFACE
def test_object_that_the_border_of_the_image_cuts_is_not_rounded_off(method):
    image = ball(centre=(60, 4))
    found = grow(noisy(image), SURFACES[method](), circle((60, 4), 27))
    assert dice(found.labels[0][:, :6], image[:, :6] >= 0.5) > 0.98


def test_shapes_of_a_volume_are_its_outlines_on_every_slice(sphere):
    found = grow(sphere, regions(), on_slice(circle((24, 24), 11), 12), extent="volume")
    assert [plane_of(s)[1] for s in found.shapes] == np.flatnonzero(
        found.labels[0].any(axis=(1, 2))
    ).tolist()
    for shape in found.shapes:
        z = plane_of(shape)[1]
        assert dice(filled([shape], (48, 48)), found.labels[0, z]) > 0.95


@EVERY
def test_extent_means_nothing_in_two_dimensions(method):
    results = [
        grow(DISC, METHODS[method](), circle(radius=28), extent=extent).labels
        for extent in ("slice", "stack", "volume")
    ]
    np.testing.assert_array_equal(results[0], results[1])
    np.testing.assert_array_equal(results[0], results[2])


# What is told on the way


SCENES = {
    "plane": lambda: (DISC, [Shape(4, circle(radius=28))], {}),
    "stack": lambda: (
        ball((9, 48, 48), (4, 24, 24), 5),
        [Shape(4, on_slice(circle((24, 24), 5.5), 4))],
        {"extent": "stack"},
    ),
    "film": lambda: (film(4), [at(1, label=4), at(2, label=5)], {"follow": "both"}),
    "film of stacks": lambda: (
        [ball((9, 48, 48), (4, 24, 24 + t), 5) for t in range(3)],
        [
            Shape(4, on_slice(circle((24, 24), 5.5), 4)),
            Shape(5, on_slice(circle((10, 10), 4), 4), time=1),
        ],
        {"extent": "stack", "follow": "both"},
    ),
}


def watched(method, scene, watch=lambda _: True):
    image, shapes, options = SCENES[scene]()
    told = []
    with running(report=told.append):
        found = grow(image, METHODS[method](), shapes, watch=watch, **options)
    return found, told


@EVERY
@pytest.mark.parametrize("scene", SCENES)
def test_progress_never_falls_and_stays_within_its_range(method, scene):
    fractions = [progress.fraction for progress in watched(method, scene)[1]]
    assert all(now >= before - 1e-12 for before, now in pairwise(fractions))
    assert fractions[0] >= 0
    assert fractions[-1] <= 1 + 1e-12


@EVERY
def test_last_state_shown_is_the_result(method):
    found, told = watched(method, "plane")
    last = told[-1].preview
    np.testing.assert_array_equal(last.labels, found.labels[0])
    assert [s.label for s in last.shapes] == [4]
    np.testing.assert_array_equal(last.shapes[0].points, found.shapes[0].points)


def test_state_shown_says_where_and_when_it_is():
    _, told = watched("regions", "film of stacks")
    seen = {(p.preview.time, p.preview.axis, p.preview.index) for p in told}
    assert {(0, 0, 4), (1, 0, 4), (2, 0, 4), (0, 0, 3)} <= seen
    assert all(p.preview.labels.shape == (48, 48) for p in told)
    one = next(p for p in told if p.preview.time == 1 and p.preview.index == 3)
    assert one.message.endswith(" at time point 1 on slice z 3")


def test_state_of_a_plane_has_no_slice():
    _, told = watched("regions", "plane")
    assert {(p.preview.time, p.preview.axis, p.preview.index) for p in told} == {(0, None, None)}
    assert [p.preview.iteration for p in told] == list(range(len(told)))


def test_states_are_made_only_when_somebody_watches():
    _, told = watched("regions", "plane", watch=lambda iteration: iteration == 3)
    assert [p.preview is not None for p in told] == [i == 3 for i in range(len(told))]


# Stopping


@pytest.mark.timing
@EVERY
@pytest.mark.parametrize("after", [0, 3, 20])
def test_stop_is_noticed_within_a_fifth_of_a_second(method, after):
    image = noisy(ball((256, 256), (120, 130), 60), 0.1)
    asked, stopped = 0, None

    def should_stop():
        nonlocal asked, stopped
        asked += 1
        if asked > after and stopped is None:
            stopped = time.perf_counter()
        return stopped is not None

    made = METHODS[method](**({"convergence": 0.0} if method == "elastic" else {}))
    with running(should_stop=should_stop), pytest.raises(Cancelled):
        grow(image, made, circle((120, 130), 90))
    assert time.perf_counter() - stopped < bound(0.2)


# Wrong use


def test_elastic_contour_is_no_surface(sphere):
    with pytest.raises(InputError, match=r"^extent: .*not as a surface; choose 'slice' or 'stack'"):
        grow(sphere, elastic(), on_slice(circle((24, 24), 9), 12), extent="volume")


@SURFACE
@pytest.mark.parametrize("extent", ["slice", "stack", "volume"])
def test_open_path_cannot_start_a_surface(method, extent, sphere):
    path = Shape(8, on_slice(circle((24, 24), 9), 12), closed=False)
    with pytest.raises(InputError, match=r"object 8 is drawn as an open path.*draw closed shapes"):
        grow(sphere, SURFACES[method](), [path], extent=extent)


@pytest.mark.parametrize("extent", ["stack", "volume"])
def test_slices_across_different_axes_do_not_go_together(extent, sphere):
    shapes = [
        Shape(1, on_slice(circle((24, 24), 9), 12)),
        Shape(1, on_slice(circle((12, 24), 9), 24, axis=1)),
    ]
    with pytest.raises(InputError, match=r"across different axes \(z, y\); draw all of them"):
        grow(sphere, regions(), shapes, extent=extent)


@SURFACE
def test_objects_without_a_voxel_are_named(method):
    shapes = [Shape(3, circle()), Shape(7, circle()), Shape(9, circle((20.5, 20.5), 0.2))]
    with pytest.raises(InputError, match=r"objects 7, 9 are left without a voxel"):
        grow(DISC, SURFACES[method](), shapes)


@EVERY
def test_nan_in_the_image_is_refused(method):
    image = DISC.copy()
    image[5, 6] = np.nan
    with pytest.raises(InputError, match=r"image has 1 value that is NaN .*\(5, 6\)"):
        grow(image, METHODS[method](), circle())


@EVERY
def test_image_without_contrast_is_refused(method):
    with pytest.raises(InputError, match="image has the same value everywhere"):
        grow(np.full((128, 128), 3), METHODS[method](), circle())


@EVERY
def test_slice_without_contrast_that_was_drawn_on_is_refused(method, sphere):
    volume = np.concatenate([np.zeros((3, 48, 48)), sphere])
    with pytest.raises(InputError, match="nothing left to see where a snake begins"):
        grow(volume, METHODS[method](), on_slice(circle((24, 24), 9), 1))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"extent": "cube"}, "extent is 'cube'"),
        ({"follow": "maybe"}, "follow is 'maybe'"),
        ({"spacing": (1, 1, 1)}, "spacing has 3 values"),
        ({"tolerance": -1}, "tolerance must be"),
        ({"channel_axis": 5}, "channel_axis is 5"),
        ({"shapes": []}, "shapes: there are none"),
        ({"seeds": lambda _: np.zeros((128, 128), int)}, "seeds: there are none"),
        ({"seeds": lambda _: np.ones((9, 9), int)}, r"seeds has the shape \(9, 9\)"),
        ({"seeds": lambda _: np.ones((128, 128))}, "seeds has the type float64"),
    ],
)
def test_wrong_arguments_are_named(options, message):
    with pytest.raises(InputError, match=message):
        grow(DISC, regions(), **{"shapes": circle(), **options})


def test_image_of_another_shape_than_it_was_said_to_have():
    with pytest.raises(InputError, match=r"load: time point 0 has the shape \(128, 128\)"):
        grow_snakes(lambda _: DISC, 1, (128, 127), regions(), shapes=[Shape(1, circle())])


@pytest.mark.parametrize("changes", [{"sigma": -1}, {"smoothing": -1}, {"max_num_iter": -3}])
@SURFACE
def test_wrong_parameters_of_surfaces_are_named(method, changes):
    with pytest.raises(InputError, match=f"^({next(iter(changes))}|num_iter)"):
        grow(DISC, SURFACES[method](**changes), circle())
