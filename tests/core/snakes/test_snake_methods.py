"""The three kinds of snakes on one frame, against forms that are known."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from snake_scenes import (
    METHODS,
    RADIUS,
    SURFACES,
    ball,
    circle,
    dice,
    edges,
    elastic,
    grow,
    noisy,
    radii,
    regions,
)

from napari_seedbed.core.marks.shapes import Shape
from napari_seedbed.core.progress import running
from napari_seedbed.core.snakes.snake_images import NoContrastError, contrast_limits
from napari_seedbed.core.snakes.snake_methods import FrameImage, evolve_frame
from napari_seedbed.errors import Cancelled, InputError

DISC = ball()
TRUTH = DISC >= 0.5


def line_image(shape=(64, 128), width=1.5):
    """A bright wave on dark ground, and the row of its middle in each column."""
    columns = np.arange(shape[1])
    middle = 32 + 6 * np.sin(columns / 20)
    rows = np.arange(shape[0])[:, None]
    return np.exp(-((rows - middle) ** 2) / (2 * width**2)), middle


def off_the_line(points, middle):
    return np.abs(points[:, 0] - np.interp(points[:, 1], np.arange(len(middle)), middle))


def last_state(method, image, shapes=(), labels=None, **options):
    limits = contrast_limits(image, options.get("channel_axis"))
    spacing = options.pop("spacing", (1.0, 1.0))
    frame = FrameImage(image, limits, method.sigma, spacing, options.pop("channel_axis", None))
    *_, last = evolve_frame(method, frame, shapes, labels)
    return last


@pytest.mark.parametrize("start", [1.3, 0.8])
def test_elastic_contour_finds_the_border_of_a_disc(start):
    (found,) = grow(DISC, elastic(), circle(radius=start * RADIUS)).shapes
    assert np.abs(radii(found) - RADIUS).max() < 0.5


def test_elastic_contour_swells_to_the_border_from_far_inside_with_a_balloon():
    (found,) = grow(DISC, elastic(balloon=0.1), circle(radius=0.5 * RADIUS)).shapes
    assert np.abs(radii(found) - RADIUS).max() < 0.5


def test_elastic_contour_shrinks_to_the_border_from_far_outside_with_a_balloon():
    (found,) = grow(DISC, elastic(balloon=-0.1), circle(radius=1.8 * RADIUS)).shapes
    assert np.abs(radii(found) - RADIUS).max() < 0.5


def test_elastic_contours_of_other_sizes_find_their_discs_with_the_same_tension():
    image = ball((400, 400), (150, 150), 130) + ball((400, 400), (350, 350), 7)
    shapes = [Shape(1, circle((150, 150), 140)), Shape(2, circle((350, 350), 8))]
    large, small = grow(image, elastic(), shapes).shapes
    assert np.abs(radii(large, (150, 150)) - 130).max() < 0.5
    assert np.abs(radii(small, (350, 350)) - 7).max() < 0.5


@pytest.mark.parametrize("ends", ["fixed", "free"])
@pytest.mark.parametrize("attracted_by", ["bright", "dark"])
def test_open_path_is_pulled_onto_a_line(attracted_by, ends):
    image, middle = line_image()
    image = image if attracted_by == "bright" else 1 - image
    start = np.array([[middle[10], 10], [30, 40], [35, 80], [middle[118], 118]])
    method = elastic(attracted_by=attracted_by, ends=ends)
    (found,) = grow(image, method, [Shape(1, start, closed=False)]).shapes
    assert not found.closed
    assert off_the_line(start, middle).max() > 5
    assert off_the_line(found.points, middle).max() < 1


def test_fixed_ends_stay_and_free_ends_move():
    image, middle = line_image()
    start = np.array([[middle[10] + 3, 10], [middle[60], 60], [middle[110] - 3, 110]])
    shapes = [Shape(1, start, closed=False)]
    (found,) = grow(image, elastic(attracted_by="bright", ends="fixed-free"), shapes).shapes
    np.testing.assert_allclose(found.points[0], start[0], atol=1e-9)
    assert off_the_line(found.points[-1:], middle)[0] < 1


def test_path_gives_labels_along_itself():
    image, middle = line_image()
    start = np.array([[middle[10], 10], [30, 40], [35, 80], [middle[118], 118]])
    labels = grow(image, elastic(attracted_by="bright"), [Shape(5, start, closed=False)]).labels[0]
    rows, columns = np.nonzero(labels)
    assert set(labels[rows, columns]) == {5}
    assert set(range(11, 118)) <= set(columns)
    assert np.abs(rows - middle[columns]).max() < 2


@pytest.mark.parametrize("method", SURFACES)
@pytest.mark.parametrize("radius", [(30, 20), (20, 30), (30, 30), (20, 20)])
def test_surface_finds_a_disc(method, radius):
    assert dice(grow(noisy(DISC), SURFACES[method](), circle(radius=radius)).labels, TRUTH) > 0.97


@pytest.mark.parametrize(("balloon", "start"), [(1, 0.3), (-1, 2.0)])
def test_edge_surface_reaches_far_edges_with_a_balloon(balloon, start):
    method = edges(balloon=balloon, edge_share=0.1)
    found = grow(DISC, method, circle(radius=start * RADIUS)).labels
    assert dice(found, TRUTH) > 0.95


def test_region_surface_finds_what_differs_in_colour_alone():
    # Equal grey everywhere: red inside, green outside.
    image = np.stack([DISC, 1 - DISC])
    found = grow(noisy(image), regions(), circle(radius=30), channel_axis=0)
    assert dice(found.labels, TRUTH) > 0.97


@pytest.mark.parametrize("method", ["elastic", "edges"])
def test_edges_of_colour_alone_count(method):
    image = np.stack([DISC, 1 - DISC])
    found = grow(image, METHODS[method](), circle(radius=28), channel_axis=0)
    assert dice(found.labels, TRUTH) > 0.97


@pytest.mark.parametrize("method", METHODS)
def test_channel_stacked_twice_is_a_grey_image(method):
    image = noisy(DISC)
    one = grow(image, METHODS[method](), circle(radius=30))
    for axis in (0, -1):
        two = grow(np.stack([image] * 2, axis), METHODS[method](), circle(radius=30),
                   channel_axis=axis)  # fmt: skip
        assert dice(one.labels, two.labels) > 0.998


@pytest.mark.parametrize("method", METHODS)
@settings(max_examples=8)
@given(scale=st.floats(1e-3, 1e3), ground=st.floats(-100, 100))
def test_brightness_and_contrast_make_no_difference(method, scale, ground):
    image = noisy(DISC)
    start = circle(radius=28)
    one = grow(image, METHODS[method](), start)
    # Rounding may move single voxels.
    other = grow(scale * (image + ground), METHODS[method](), start)
    assert dice(one.labels, other.labels) > 0.998


@pytest.mark.parametrize("method", METHODS)
def test_disc_in_voxels_that_are_no_squares_is_found(method):
    image = ball((64, 128), (60, 64), 25, spacing=(2, 1))
    start = circle((30, 64), (14, 28))
    found = grow(noisy(image, 0.02), METHODS[method](), start, spacing=(2, 1))
    assert dice(found.labels, image >= 0.5) > 0.97


@pytest.mark.parametrize("method", METHODS)
def test_frame_without_contrast_is_refused(method):
    image = np.zeros((64, 64), np.float32)
    frame = FrameImage(image, [(0.0, 1.0)], 1.0, (1.0, 1.0), None)
    labels = np.zeros((64, 64), np.int32)
    labels[20:40, 20:40] = 1
    with pytest.raises(NoContrastError, match=r"^image: .*nothing left to see"):
        next(evolve_frame(METHODS[method](), frame, [Shape(1, circle((30, 30), 9))], labels))


@pytest.mark.parametrize("method", METHODS)
def test_iteration_limit_is_named(method):
    found = grow(DISC, METHODS[method](max_num_iter=2), circle(radius=30))
    assert found.notes == ("Stopped after 2 iterations: iteration limit.",)


@pytest.mark.parametrize("method", METHODS)
def test_convergence_is_named(method):
    found = grow(DISC, METHODS[method](), circle(radius=28))
    assert found.notes[0].endswith("iterations: converged.")


@pytest.mark.parametrize("method", METHODS)
def test_states_count_iterations_and_end_with_reasons(method):
    labels = (ball(radius=28) > 0.5).astype(np.int32)
    frame = FrameImage(DISC, contrast_limits(DISC), 1.0, (1.0, 1.0), None)
    shapes = [Shape(1, circle(radius=28))]
    states = list(evolve_frame(METHODS[method](), frame, shapes, labels))
    iterations = [state.iteration for state in states]
    assert iterations == sorted(set(iterations))
    assert [bool(state.reasons) for state in states] == [False] * (len(states) - 1) + [True]


def watched(method, start):
    seen = []
    with running(report=lambda progress: seen.append(progress.preview)):
        grow(DISC, method, start, watch=lambda _: True)
    return seen


def test_change_of_contours_is_the_farthest_move_of_a_point():
    # No point moves farther than 0.3 along each axis; at the beginning all of them want to.
    moves = [moving.changed for moving in watched(elastic(max_px_move=0.3), circle(radius=30))]
    assert 0.3 <= max(moves) <= 0.3 * np.sqrt(2) + 1e-9


def test_change_of_surfaces_is_the_share_of_voxels():
    for before, now in pairwise(watched(regions(), circle(radius=30))):
        assert now.changed == np.count_nonzero(now.labels != before.labels) / DISC.size


@pytest.mark.parametrize(
    "method",
    [elastic(alpha=2.0, gamma=0.5), edges(balloon=-1, edge_share=0.05), regions(lambda1=50.0)],
    ids=METHODS,
)
def test_object_that_shrinks_to_nothing_is_reported_and_disturbs_no_other(method):
    image = noisy(ball(centre=(90, 90), radius=15), 0.001)
    shapes = [Shape(1, circle((25, 25), 6)), Shape(2, circle((90, 90), 17))]
    both = grow(image, method, shapes)
    alone = grow(image, method, shapes[1:])
    assert "Object 1 was lost: it shrank to nothing." in both.notes
    np.testing.assert_array_equal(both.labels, alone.labels)
    assert [shape.label for shape in both.shapes] == [2]


@pytest.mark.parametrize("method", METHODS)
def test_stop_is_noticed_at_once(method):
    labels = (ball() > 0.5).astype(np.int32)
    with running(should_stop=lambda: True), pytest.raises(Cancelled):
        last_state(METHODS[method](), DISC, [Shape(1, circle())], labels)


def test_balloon_and_open_path_do_not_go_together():
    path = Shape(4, np.array([[5.0, 5], [60, 60]]), closed=False)
    with pytest.raises(InputError, match=r"object 4 is drawn as an open path.*set balloon to 0"):
        grow(DISC, elastic(balloon=0.1), [path])


def test_more_points_follow_finer_detail():
    y, x = np.indices((160, 160)) - 80.0
    border = 45 + 6 * np.cos(12 * np.arctan2(y, x))
    image = 0.5 * (1 - np.tanh((np.hypot(y, x) - border) / 1.5))
    start = circle((80, 80), 46)
    coarse, fine = (grow(image, elastic(points=n), start).labels for n in (16, 400))
    assert dice(fine, image > 0.5) > dice(coarse, image > 0.5)
