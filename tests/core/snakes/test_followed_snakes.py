"""Snakes that follow objects through time: where they go on, and when they are lost."""

import numpy as np
import pytest
from snake_scenes import (
    METHODS,
    SURFACES,
    at,
    ball,
    circle,
    dice,
    elastic,
    film,
    film_truth,
    grow,
    noisy,
    on_slice,
)

from napari_seedbed.core.marks.shapes import Shape

DISC = ball()
EVERY = pytest.mark.parametrize("method", METHODS)
SURFACE = pytest.mark.parametrize("method", SURFACES)


@EVERY
@pytest.mark.parametrize(
    ("follow", "drawn", "reached"),
    [
        ("off", 2, {2}),
        ("forwards", 2, {2, 3, 4, 5}),
        ("backwards", 2, {0, 1, 2}),
        ("both", 2, set(range(6))),
    ],
)
def test_moving_disc_is_followed(method, follow, drawn, reached):
    found = grow(film(), METHODS[method](), [at(drawn)], follow=follow)
    assert {t for t in range(6) if found.labels[t].any()} == reached
    for t in reached:
        assert dice(found.labels[t], film_truth(t)) > 0.95
    assert {shape.time for shape in found.shapes} == reached


@EVERY
@pytest.mark.parametrize("blank", [True, False])
def test_disc_that_vanishes_is_lost_at_that_time_point(method, blank):
    found = grow(film(gone=4, blank=blank), METHODS[method](), [at(0, label=9)], follow="forwards")
    assert [bool(labels.any()) for labels in found.labels] == [True] * 4 + [False] * 2
    (note,) = (note for note in found.notes if "lost" in note)
    assert note.startswith("Object 9 was lost at time point 4: ")
    assert {shape.time for shape in found.shapes} == set(range(4))


@EVERY
def test_object_that_differs_in_colour_alone_is_lost_when_it_vanishes(method):
    frames = [noisy(np.stack([frame, 1 - frame])) for frame in film(gone=3)]
    found = grow(frames, METHODS[method](), [at(0)], follow="forwards", channel_axis=0)
    assert [bool(labels.any()) for labels in found.labels] == [True] * 3 + [False] * 3


@SURFACE
def test_loss_of_one_object_does_not_end_another(method):
    frames = [frame + ball(centre=(100, 100), radius=12) for frame in film(gone=3)]
    start = [at(0), Shape(2, circle((100, 100), 13))]
    found = grow(frames, SURFACES[method](), start, follow="forwards")
    assert [set(np.unique(labels)) for labels in found.labels] == [{0, 1, 2}] * 3 + [{0, 2}] * 3


@EVERY
def test_object_drawn_again_goes_on_from_there(method):
    """A disc that jumps between frames 2 and 3."""
    frames = [ball(centre=(60, 30 if t < 3 else 95), radius=16) for t in range(6)]
    start = [Shape(1, circle((60, 30), 17)), Shape(1, circle((60, 95), 17), time=3)]
    found = grow(frames, METHODS[method](), start, follow="forwards")
    for labels, frame in zip(found.labels, frames, strict=True):
        assert dice(labels, frame >= 0.5) > 0.97


@SURFACE
def test_what_is_drawn_where_another_one_comes_stops_at_it(method):
    """An object that is followed, and a second one that is drawn beside it later."""
    frames = [np.maximum(ball(centre=(60, 50), radius=14), ball(centre=(60, 82), radius=14))] * 2
    start = [Shape(1, circle((60, 50), 14)), Shape(2, circle((60, 82), 14), time=1)]
    found = grow(frames, SURFACES[method](), start, follow="forwards")
    assert dice(found.labels[1] == 1, ball(centre=(60, 50), radius=14) >= 0.5) > 0.95
    assert dice(found.labels[1] == 2, ball(centre=(60, 82), radius=14) >= 0.5) > 0.95


def test_contours_one_below_the_other_do_not_stop_the_run():
    """Of two equal outlines the higher label has no voxel, until the other one is gone."""
    start = [Shape(1, circle()), Shape(2, circle())]
    found = grow([DISC, DISC, DISC], elastic(), start, follow="forwards")
    assert set(np.unique(found.labels)) == {0, 1}


def moving_ball(t):
    return ball((15, 64, 64), (7, 30, 28 + t), 7, soft=1.0)


@EVERY
def test_stack_through_time(method):
    frames = [noisy(moving_ball(t), 0.01, t) for t in range(3)]
    start = on_slice(circle((30, 28), 7.5), 7)
    made = METHODS[method](sigma=0.5)
    found = grow(frames, made, start, extent="stack", follow="forwards")
    for t in range(3):
        assert dice(found.labels[t], moving_ball(t) >= 0.5) > 0.85


@SURFACE
def test_volume_through_time(method):
    frames = [noisy(moving_ball(t), 0.01, t) for t in range(3)]
    start = on_slice(circle((30, 28), 7.5), 7)
    made = SURFACES[method](sigma=1.0, smoothing=1)
    found = grow(frames, made, start, extent="volume", follow="forwards")
    for t in range(3):
        assert dice(found.labels[t], moving_ball(t) >= 0.5) > 0.9
