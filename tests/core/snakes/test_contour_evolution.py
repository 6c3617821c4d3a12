"""What active contours add: balloons, even points, voxel sizes, states on the way, plain errors."""

import dataclasses

import numpy as np
import pytest
from contour_scenes import ALONE, circle, disc, radii, segments
from hypothesis import given, settings
from hypothesis import strategies as st
from skimage.filters import gaussian

from napari_seedbed.core.progress import running
from napari_seedbed.core.snakes.elastic_contours import (
    active_contour,
    active_contours,
    evolve_contours,
)
from napari_seedbed.errors import Cancelled, InputError

OPEN = ["free", "fixed", "free-fixed", "fixed-free", "fixed-fixed", "free-free"]
ASTRONAUT = {"alpha": 0.015, "beta": 10, "gamma": 0.001}
TEXT = {"alpha": 0.1, "beta": 1.0, "w_line": -5, "w_edge": 0, "gamma": 0.1}


@pytest.mark.parametrize("balloon", [0.05, -0.05])
@pytest.mark.parametrize("direction", [1, -1])
def test_a_balloon_moves_a_circle_evenly(balloon, direction):
    snake = circle((50, 50), 20, 80)[::direction]
    found = active_contour(
        np.zeros((100, 100)), snake, 0, 0, gamma=1, max_num_iter=60, balloon=balloon, **ALONE
    )
    # The limit of moves takes up to a thousandth of steps as small as these.
    assert np.allclose(radii(found, (50, 50)), 20 + 60 * balloon, atol=0.01)


def test_a_balloon_fills_a_disc_that_it_starts_far_inside_of():
    options = {"alpha": 0.01, "beta": 0.1, "gamma": 0.02, "resample": 1.0}
    small = circle((45, 52), 5, 30)
    found = active_contour(disc(), small, balloon=0.01, **options)
    assert np.allclose(radii(found, (45, 52)), 20, atol=2)
    assert radii(active_contour(disc(), small, **options), (45, 52)).max() < 6


def test_a_balloon_that_nothing_holds_ends_at_the_border():
    *_, last = evolve_contours(
        np.zeros((60, 70)), [circle((30, 30), 10, 60)], w_edge=0, balloon=0.05, resample=True
    )
    assert last.reason == "converged"
    (contour,) = last.contours
    assert contour.min() == 0
    assert contour.max(axis=0) == pytest.approx((59, 69), abs=1e-9)


@settings(max_examples=10, deadline=None)
@given(radius=st.floats(8, 30), distance=st.floats(0.8, 3), balloon=st.sampled_from([-0.002, 0.01]))
def test_resampling_keeps_the_distance_of_points(radius, distance, balloon):
    *_, last = evolve_contours(
        np.zeros((100, 100)),
        [circle((50, 50), radius, 50)],
        resample=distance,
        balloon=balloon,
        max_num_iter=120,
        gamma=0.1,
        **ALONE,
    )
    if last.reason != "shrunk to nothing":
        (contour,) = last.contours
        wanted = max(8, round(segments(contour).sum() / distance))
        assert abs(len(contour) - wanted) <= 1
        assert np.ptp(segments(contour)) < 0.15 * distance


def test_resampling_keeps_the_ends_and_the_start_distance_of_an_open_contour():
    path = np.stack([np.linspace(10, 80, 60), np.linspace(30, 40, 60)], axis=1)
    found = active_contour(disc(), path, boundary_condition="fixed", gamma=0.2, resample=True)
    assert np.allclose(found[[0, -1]], path[[0, -1]])
    lengths = np.hypot(*np.diff(found, axis=0).T)
    assert lengths == pytest.approx(np.hypot(*(path[1] - path[0])), rel=0.1)


def test_a_stretched_image_gives_the_stretched_contour():
    image = disc(width=6)
    snake = circle((46, 50), 26, 80)
    options = {"alpha": 0.05, "beta": 0.5, "gamma": 0.2, "max_num_iter": 200, "convergence": 0}
    fine = active_contour(image, snake, **options)
    coarse = active_contour(image[::2], snake / (2, 1), spacing=(2, 1), **options)
    ignorant = active_contour(image[::2], snake / (2, 1), **options)
    assert np.abs(fine - snake).max() > 3
    assert np.abs(coarse * (2, 1) - fine).max() < 0.3
    assert np.abs(ignorant * (2, 1) - fine).max() > 1


def test_only_the_ratio_of_the_spacing_counts():
    snake = circle((46, 50), 26, 80)
    assert np.array_equal(active_contour(disc(), snake, spacing=3), active_contour(disc(), snake))
    micrometres = active_contour(disc(), snake, spacing=(0.5, 0.25))
    nanometres = active_contour(disc(), snake, spacing=(500, 250))
    assert np.allclose(micrometres, nanometres, atol=1e-9)


def test_a_circle_shrinks_evenly_in_physical_space():
    snake = circle((50, 50), 30, 90)
    options = ALONE | {"alpha": 1, "gamma": 0.1, "max_num_iter": 50}
    round_one = active_contour(np.zeros((100, 100)), snake, **options)
    flat_one = active_contour(np.zeros((50, 100)), snake / (2, 1), spacing=(2, 1), **options)
    assert np.allclose(flat_one * (2, 1), round_one, atol=1e-9)


@pytest.mark.parametrize("steps", [1, 7, 50])
@pytest.mark.parametrize("options", [{}, {"resample": True, "balloon": 0.002}])
def test_states_end_where_active_contours_ends(steps, options):
    snakes = [circle((45, 52), 27, 60), circle((40, 50), 30, 90)]
    states = list(evolve_contours(disc(), snakes, steps_a_state=steps, **options))
    expected = active_contours(disc(), snakes, **options)
    for found, wanted in zip(states[-1].contours, expected, strict=True):
        assert np.array_equal(found, wanted)
    assert [state.finished for state in states] == [False] * (len(states) - 1) + [True]
    iterations = [state.iteration for state in states]
    assert iterations[:-1] == [steps * (i + 1) for i in range(len(states) - 1)]


def test_states_stop_by_themselves_and_say_why():
    snake = circle((45, 52), 27, 60)
    states = list(evolve_contours(disc(), [snake], alpha=0.001, gamma=0.1))
    assert states[-1].reason == "converged"
    assert states[-1].reasons == ("converged",)
    assert states[-1].iteration < 2500
    assert states[-1].moved < 0.1 < max(state.moved for state in states)
    assert all(state.reason == "" for state in states[:-1])
    with pytest.raises(dataclasses.FrozenInstanceError):
        states[-1].moved = 0
    *_, last = evolve_contours(disc(), [snake], max_num_iter=3)
    assert (last.reason, last.iteration) == ("iteration limit", 3)


def test_a_contour_that_cannot_move_stops_at_once():
    path = np.array([(10.0, 10.0), (20.0, 30.0)])
    (state,) = evolve_contours(disc(), [path], boundary_condition="fixed", convergence=0)
    assert (state.reason, state.iteration, state.moved) == ("converged", 1, 0)


def test_a_converged_contour_is_left_alone():
    near, far = circle((45, 52), 20, 60), circle((45, 52), 25, 60)
    states = list(evolve_contours(disc(), [near, far], alpha=0.01, gamma=0.1))
    first = next(i for i, state in enumerate(states) if state.reasons[0])
    assert first < len(states) - 1
    for state in states[first:]:
        assert np.array_equal(state.contours[0], states[first].contours[0])


def test_states_are_copies():
    states = evolve_contours(disc(), [circle((45, 52), 27, 60)])
    first = next(states)
    kept = first.contours[0].copy()
    first.contours[0][:] = np.nan
    second = next(states)
    assert np.isfinite(second.contours[0]).all()
    assert not np.array_equal(second.contours[0], kept)


@pytest.mark.parametrize("options", [{"balloon": -0.1}, {"alpha": 50, "resample": 0.5}])
def test_a_contour_that_shrinks_to_nothing_is_said_to_have(options):
    snakes = [circle((50, 50), 10, 60), circle((30, 60), 6, 30)]
    *_, last = evolve_contours(np.zeros((100, 100)), snakes, w_edge=0, **options)
    assert last.reason == "shrunk to nothing"
    for contour, centre in zip(last.contours, [(50, 50), (30, 60)], strict=True):
        assert np.allclose(contour, centre, atol=2.5)


def test_different_reasons_are_counted():
    snakes = [circle((45, 52), 0.3, 20), circle((45, 52), 20, 60), circle((45, 52), 21, 60)]
    *_, last = evolve_contours(disc(), snakes, alpha=0.001, gamma=0.1)
    assert last.reasons == ("shrunk to nothing", "converged", "converged")
    assert last.reason == "1 shrunk to nothing, 2 converged"


def test_cancelling_before_and_on_the_way():
    snake = circle((45, 52), 27, 60)
    with running(should_stop=lambda: True), pytest.raises(Cancelled):
        active_contour(disc(), snake)
    stop = False
    states = evolve_contours(disc(), [snake])
    with running(should_stop=lambda: stop):
        next(states)
        stop = True
        with pytest.raises(Cancelled):
            next(states)


@pytest.mark.parametrize(
    "options", [{}, {"resample": True}, {"balloon": 0.01}, {"boundary_condition": "free"}]
)
def test_repeated_points_stay_finite(options):
    snake = np.repeat(circle((45, 52), 25, 20), 3, axis=0)
    assert np.isfinite(active_contour(disc(), snake, max_num_iter=50, **options)).all()
    same = np.full((9, 2), 45.0)
    assert np.isfinite(active_contour(disc(), same, max_num_iter=50, **options)).all()


@pytest.mark.parametrize(
    ("snake", "condition", "message"),
    [
        (circle((45, 52), 9, 2), "periodic", "snake has 2 points.*at least 3"),
        (circle((45, 52), 9, 1), "free", "snake has 1 points.*at least 2"),
        (np.full((5, 2), np.nan), "periodic", "snake has 5 points that are NaN"),
        (np.zeros((5, 3)), "periodic", r"snake has the shape \(5, 3\)"),
        (np.zeros(5), "periodic", "snake has the shape"),
        ([["a", "b"]], "periodic", "snake must be"),
        ([[1, 2], [3]], "periodic", "snake must be"),
        (circle((45, 300), 9, 20), "periodic", "snake lies wholly outside the image"),
        (circle((-45, 50), 9, 20), "fixed", "snake lies wholly outside the image"),
        (circle((45, 52), 9, 20), "closed", "boundary_condition is 'closed'.*'periodic'"),
        (circle((45, 52), 9, 20), None, "boundary_condition"),
    ],
)
def test_wrong_snakes_are_refused(snake, condition, message):
    with pytest.raises(InputError, match=message):
        active_contour(disc(), snake, boundary_condition=condition)


@pytest.mark.parametrize(
    ("image", "message"),
    [
        (np.full((40, 40), np.nan), "image has 1600 values that are NaN"),
        (np.zeros(40), "image has 1 axes"),
        (np.zeros((4, 4, 4, 4)), "image has 4 axes"),
        (np.zeros((40, 2)), "image has 40 x 2 pixels"),
        (np.full((40, 40), 0.3), "image has no edges"),
        (gaussian(np.full((40, 40), 0.3), 2), "image has no edges"),
        (np.full((40, 40, 3), 7, np.uint8), "image has no edges"),
        (np.zeros((40, 40), complex), "image holds complex numbers"),
    ],
)
def test_wrong_images_are_refused(image, message):
    with pytest.raises(InputError, match=message):
        active_contour(image, circle((1, 1), 3, 20))


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("alpha", np.nan),
        ("beta", "stiff"),
        ("w_line", np.inf),
        ("w_edge", None),
        ("gamma", 0),
        ("gamma", -1),
        ("max_px_move", 0),
        ("max_num_iter", 0),
        ("max_num_iter", -15),
        ("max_num_iter", "many"),
        ("convergence", np.nan),
        ("balloon", np.inf),
        ("resample", -1),
        ("resample", 1e-9),
        ("spacing", (1, 1, 1)),
        ("spacing", 0),
    ],
)
def test_wrong_parameters_are_refused_by_name(name, value):
    with pytest.raises(InputError, match=name):
        active_contour(disc(), circle((45, 52), 9, 20), **{name: value})


def test_parameters_without_a_solution_are_refused():
    # Tension of this size and sign cancels the inertia for one of the contour's shapes.
    with pytest.raises(InputError, match=r"alpha=-0\.25, beta=0 and gamma=1"):
        active_contour(disc(), circle((45, 52), 9, 20), alpha=-0.25, beta=0, gamma=1)


def test_a_balloon_needs_closed_contours():
    with pytest.raises(InputError, match="balloon"):
        active_contour(disc(), circle((45, 52), 9, 20), balloon=1, boundary_condition="free")


def test_errors_name_the_contour_of_many():
    good, bad = circle((45, 52), 9, 20), circle((45, 52), 9, 2)
    with pytest.raises(InputError, match=r"snakes\[1\] has 2 points"):
        active_contours(disc(), [good, bad])
    with pytest.raises(InputError, match="snakes must be a list"):
        active_contours(disc(), 3)
    with pytest.raises(InputError, match="boundary_condition has 3 values"):
        active_contours(disc(), [good, good], boundary_condition=["free"] * 3)
    with pytest.raises(InputError, match="steps_a_state"):
        evolve_contours(disc(), [good], steps_a_state=0)


def test_contour_that_flies_apart_is_refused_before_it_fills_the_memory():
    with pytest.raises(InputError, match=r"max_px_move: with 1e\+06 .* flies apart"):
        active_contour(disc(), circle((30, 30), 20, 60), max_px_move=1e6, w_line=1e6, resample=True)
