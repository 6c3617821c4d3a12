"""Where objects end across slices, on scenes whose ends are known."""

import numpy as np
import pytest
from scipy import ndimage as ndi
from snake_scenes import SURFACES, ball, circle, dice, grow, noisy, on_slice, regions

from napari_seedbed.core import volume_from_slices
from napari_seedbed.core.marks.shapes import Shape
from napari_seedbed.core.snakes.object_ends import Levels, levels_of, with_ends

SHAPE, SPACING = (40, 48, 48), (0.5, 1.0, 1.0)
SURFACE = pytest.mark.parametrize("method", SURFACES)


def tall(height=9.0, centre=(10.0, 24.0, 24.0), width=10.0):
    """An ellipsoid, its half height in the unit of the spacing."""
    return ball(SHAPE, centre, (height, width, width), soft=1.0, spacing=SPACING)


def begun(image, start, **ends):
    """What objects begin with that were drawn on single slices."""
    outlines = [(label, z, circle((24, 24), radius)) for label, z, radius in start]
    volume = volume_from_slices(outlines, SHAPE, SPACING)
    drawn = {label: (z, z) for label, z, _ in start}
    return volume, with_ends(image, volume, drawn, 0, SPACING, **ends)


# Levels


def test_levels_are_the_mean_of_an_object_and_the_median_around_it():
    labels = np.zeros((40, 40), np.int32)
    labels[10:20, 10:20], labels[10:20, 21:30] = 3, 5
    image = np.where(labels == 3, 8.0, 2.0)
    image[labels == 5] = 100.0
    image[8, 8:12] = 50.0
    levels = levels_of(image[np.newaxis], labels, 3, (1.0, 1.0))
    assert (levels.inside, levels.outside) == ([8.0], [2.0])
    assert levels_of(image[np.newaxis], labels, 4, (1.0, 1.0)) is None
    assert levels_of(np.ones((1, 4, 4)), np.ones((4, 4), np.int32), 1, (1.0, 1.0)) is None


def test_values_belong_to_the_object_from_half_way_on_whatever_the_channel_and_sign():
    levels = Levels(np.array([4.0, 0.0]), np.array([0.0, 2.0]))
    values = np.array([[4.0, 0.0], [2.1, 0.9], [1.9, 1.1], [0.0, 2.0]]).T
    assert levels.belong(values).tolist() == [True, True, False, False]
    halfway = levels.towards(Levels(np.array([0.0, 2.0]), np.array([0.0, 2.0])), 0.5)
    assert halfway.inside.tolist() == [2.0, 1.0]


# Beyond the drawn slices


@pytest.mark.parametrize("sign", [1, -1], ids=["bright", "dark"])
@pytest.mark.parametrize("height", [4.0, 9.0], ids=["flat", "tall"])
def test_object_begins_as_high_as_it_is(height, sign):
    image = tall(height)
    ball_alone, found = begun(sign * image, [(1, 20, 10)])
    assert dice(found, image >= 0.5) > 0.96
    assert dice(found, image >= 0.5) > dice(ball_alone, image >= 0.5)


def test_object_seen_in_colour_alone_begins_as_high_as_it_is():
    image = tall(5.0)
    volume = volume_from_slices([(1, 20, circle((24, 24), 10))], SHAPE, SPACING)
    channels = np.stack([image, 1 - image])
    found = with_ends(channels, volume, {1: (20, 20)}, 0, SPACING, channel_axis=0)
    assert dice(found, image >= 0.5) > 0.96


@pytest.mark.parametrize("axis", [1, 2])
def test_ends_lie_along_the_axis_that_was_drawn_across(axis):
    image = np.moveaxis(tall(4.0), 0, axis)
    spacing = tuple(np.insert([1.0, 1.0], axis, 0.5))
    outlines = [(1, 20, circle((24, 24), 10))]
    volume = volume_from_slices(outlines, image.shape, spacing, axis=axis)
    found = with_ends(image, volume, {1: (20, 20)}, axis, spacing)
    assert dice(found, image >= 0.5) > 0.96


def test_object_that_does_not_stand_out_keeps_the_ends_of_its_outline():
    volume, found = begun(np.zeros(SHAPE), [(1, 20, 10)])
    np.testing.assert_array_equal(found, volume)


def test_object_without_an_end_goes_on_for_the_width_of_its_outline():
    _, found = begun(np.broadcast_to(tall(width=4.0)[20], SHAPE), [(1, 10, 4)])
    assert np.flatnonzero(found.any(axis=(1, 2)))[-1] in (25, 26, 27)


def test_of_two_objects_in_one_column_the_nearer_takes_it():
    image = np.broadcast_to(tall()[20], SHAPE)
    _, found = begun(image, [(2, 12, 10), (1, 26, 10)])
    assert set(np.unique(found[12:19, 24, 24])) == {2}
    assert set(np.unique(found[20:27, 24, 24])) == {1}
    # as near to one as to the other
    assert found[19, 24, 24] == 1


# Whole runs


@SURFACE
def test_surface_from_one_outline_fits_an_object_that_is_no_ball(method):
    image = tall(4.0)
    start = on_slice(circle((24, 24), 11), 20)
    found, from_ball = (
        grow(noisy(image), SURFACES[method](), start, extent="volume", spacing=SPACING, cap=cap)
        for cap in ("image", "flat")
    )
    assert dice(found.labels[0], image >= 0.5) > 0.9
    assert dice(found.labels[0], image >= 0.5) > dice(from_ball.labels[0], image >= 0.5)


@SURFACE
def test_stack_ends_where_a_blurred_object_does(method):
    """Out of focus it goes on in haze that fades too slowly to be noticed from slice to slice."""
    disc = ball((48, 48), (24, 24), 12)
    depth = np.array([0.9 ** max(0, abs(z - 20) - 5) for z in range(40)])
    volume = noisy(depth[:, np.newaxis, np.newaxis] * disc, 0.02)
    found = grow(volume, SURFACES[method](), on_slice(circle((24, 24), 13), 20), extent="stack")
    slices = np.flatnonzero(found.labels[0].any(axis=(1, 2)))
    half = np.flatnonzero(depth >= 0.5)
    assert abs(slices[0] - half[0]) <= 4
    assert abs(slices[-1] - half[-1]) <= 4


@SURFACE
def test_stack_goes_on_in_an_object_that_dims_with_depth(method):
    dimmer = np.exp(-np.arange(40) / 25)[:, np.newaxis, np.newaxis]
    volume = noisy(dimmer * ball((48, 48), (24, 24), 12), 0.02)
    found = grow(volume, SURFACES[method](), on_slice(circle((24, 24), 13), 2), extent="stack")
    assert found.labels[0].any(axis=(1, 2)).all()


def test_stack_keeps_neighbours_apart_that_were_drawn_on_other_slices():
    centres = ((12, 24, 15), (16, 24, 33))
    each = [ball((28, 48, 48), centre, 9.2) for centre in centres]
    start = [
        Shape(label, on_slice(circle(centre[1:], 9), centre[0]))
        for label, centre in zip((1, 2), centres, strict=True)
    ]
    blurred = ndi.gaussian_filter(np.maximum(*each), 1)
    found = grow(noisy(blurred, 0.02), regions(), start, extent="stack")
    for label, truth in zip((1, 2), each, strict=True):
        assert dice(found.labels[0] == label, truth >= 0.5) > 0.9


def test_many_objects_that_ended_are_told_in_one_sentence():
    centres = [(y, x) for y in (16, 48) for x in (16, 48)]
    volume = np.maximum.reduce([ball((21, 64, 64), (10, *c), 8) for c in centres])
    start = [Shape(n, on_slice(circle(c, 9), 10)) for n, c in enumerate(centres, start=1)]
    notes = grow(noisy(volume, 0.02), regions(sigma=1.0), start[:2], extent="stack").notes
    assert [note[:24] for note in notes if "ended" in note] == [
        "Object 1 ended on slices",
        "Object 2 ended on slices",
    ]
    notes = grow(noisy(volume, 0.02), regions(sigma=1.0), start, extent="stack").notes
    assert "4 objects ended within the stack." in notes
