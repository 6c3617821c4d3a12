"""Active contours equal scikit-image's, one or many, and their extensions obey plain formulas."""

import dataclasses

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.interpolate import RectBivariateSpline
from skimage import data
from skimage.color import rgb2gray
from skimage.filters import gaussian, sobel
from skimage.segmentation import active_contour as skimage_active_contour

from napari_seedbed.core.active_contours import (
    active_contour,
    active_contours,
    evolve_contours,
)
from napari_seedbed.core.contour_energy import image_energy
from napari_seedbed.core.contour_kernels import slopes
from napari_seedbed.errors import Cancelled, InputError

OPEN = ["free", "fixed", "free-fixed", "fixed-free", "fixed-fixed", "free-free"]
ASTRONAUT = {"alpha": 0.015, "beta": 10, "gamma": 0.001}
TEXT = {"alpha": 0.1, "beta": 1.0, "w_line": -5, "w_edge": 0, "gamma": 0.1}
ALONE = {"w_line": 0, "w_edge": 0, "convergence": 0}
"""No image, and no end before the limit of iterations."""


def circle(centre, radius, n, *, seam=False):
    """Return points on a circle; with a seam, the last repeats the first."""
    angle = np.linspace(0, 2 * np.pi, n, endpoint=seam)
    return np.stack([np.sin(angle), np.cos(angle)], axis=1) * radius + centre


def radii(contour, centre):
    return np.hypot(*(contour - centre).T)


def disc(shape=(96, 110), centre=(45, 52), radius=20, width=3):
    distance = np.hypot(*(np.indices(shape).T - np.array(centre)).T) - radius
    return 0.5 * (1 - np.tanh(distance / width))


def segments(contour):
    return np.hypot(*np.diff(np.vstack([contour, contour[:1]]), axis=0).T)


@pytest.fixture(scope="module")
def astronaut():
    return gaussian(rgb2gray(data.astronaut()), 3)


@pytest.fixture(scope="module")
def head():
    return circle((100, 220), 100, 400, seam=True)


@pytest.mark.parametrize("shape", [(3, 3), (3, 9), (4, 5), (6, 5), (30, 41)])
def test_the_image_is_interpolated_as_by_scipy(rng, shape):
    image = rng.random(shape)
    energy = 0.3 * image + 0.7 * sobel(image)
    spline = RectBivariateSpline(*map(np.arange, shape), energy, kx=2, ky=2, s=0)
    inside_and_outside = rng.random((2, 300)) * (np.array(shape)[:, np.newaxis] + 4) - 2
    on_pixels_and_knots = np.round(2 * inside_and_outside) / 2
    points = np.concatenate([inside_and_outside, on_pixels_and_knots], axis=1)
    expected = [spline(*points, dx=1, grid=False), spline(*points, dy=1, grid=False)]
    ours = image_energy(image, 0.3, 0.7, (1.0, 1.0))
    assert np.allclose(slopes(ours.coefficients, points), expected, atol=1e-12)


def test_the_astronaut_as_by_scikit_image(astronaut, head):
    expected = skimage_active_contour(astronaut, head, **ASTRONAUT)
    assert np.allclose(active_contour(astronaut, head, **ASTRONAUT), expected, atol=1e-5)


@pytest.mark.parametrize("condition", ["periodic", *OPEN])
def test_ends_as_by_scikit_image(astronaut, head, condition):
    options = ASTRONAUT | {"boundary_condition": condition, "max_num_iter": 40}
    expected = skimage_active_contour(astronaut, head, **options)
    assert np.allclose(active_contour(astronaut, head, **options), expected, atol=1e-5)


@pytest.mark.parametrize("condition", OPEN)
@pytest.mark.parametrize(("sigma", "rows"), [(1, (136, 50)), (3, (70, 40))])
def test_open_paths_on_text_as_by_scikit_image(condition, sigma, rows):
    image = gaussian(data.text(), sigma)
    snake = np.stack([np.linspace(*rows, 100), np.linspace(5, 424, 100)], axis=1)
    options = TEXT | {"boundary_condition": condition}
    expected = skimage_active_contour(image, snake, **options)
    assert np.allclose(active_contour(image, snake, **options), expected, atol=1e-6)


def test_a_noisy_ring_as_by_scikit_image(rng):
    image = np.zeros((100, 100))
    rows, columns = np.round(circle((35, 45), 25, 400)).astype(int).T
    image[rows, columns] = 1
    image = gaussian(image, 2) + 0.002 * gaussian(rng.normal(size=image.shape), 1)
    snake = circle((50, 50), 50, 100, seam=True)
    options = {"w_edge": 0, "w_line": 1}
    expected = skimage_active_contour(image, snake, **options)
    assert np.allclose(active_contour(image, snake, **options), expected, atol=1e-5)


@pytest.mark.parametrize(
    ("n", "condition"),
    # With free ends scikit-image needs four points.
    [(3, "periodic"), (3, "fixed")]
    + [(n, condition) for n in range(4, 9) for condition in ["periodic", *OPEN[:4]]],
)
def test_few_points_as_by_scikit_image(n, condition):
    options = {"boundary_condition": condition, "max_num_iter": 30}
    snake = circle((45, 50), 25, n)
    expected = skimage_active_contour(disc(), snake, **options)
    assert np.allclose(active_contour(disc(), snake, **options), expected, atol=1e-6)


@pytest.mark.parametrize("condition", OPEN[:4])
@pytest.mark.parametrize("n", [2, 3])
def test_the_shortest_open_contours_stay_finite(n, condition):
    snake = circle((45, 50), 25, n)
    found = active_contour(disc(), snake, boundary_condition=condition)
    assert np.isfinite(found).all()
    if condition.startswith("fixed"):
        assert np.array_equal(found[0], snake[0])
    if condition.endswith("fixed"):
        assert np.array_equal(found[-1], snake[-1])


@pytest.mark.parametrize(
    ("dtype", "result", "tolerance"),
    [("f2", "f4", 0.05), ("f4", "f4", 0.05), ("f8", "f8", 1e-5), (">f8", "f8", 1e-5)],
)
def test_types_as_by_scikit_image(astronaut, head, dtype, result, tolerance):
    found = active_contour(astronaut.astype(dtype), head, **ASTRONAUT)
    native = np.dtype(dtype).newbyteorder("=")
    expected = skimage_active_contour(astronaut.astype(native), head, **ASTRONAUT)
    assert found.dtype == result == expected.dtype
    assert np.abs(found - expected).max() < tolerance


@pytest.mark.parametrize("dtype", ["u1", "i2", "?"])
def test_integers_are_scaled_as_by_scikit_image(dtype):
    image = disc() > 0.5 if dtype == "?" else (disc() * np.iinfo(dtype).max).astype(dtype)
    snake = circle((45, 52), 27, 60)
    options = {"alpha": 0.05, "beta": 1, "gamma": 0.1, "w_line": 0.1, "max_num_iter": 60}
    found = active_contour(image, snake, **options)
    assert found.dtype == np.float64
    assert np.allclose(found, skimage_active_contour(image, snake, **options), atol=1e-6)


@pytest.mark.parametrize("w_edge", [0, 1])
def test_colours_as_by_scikit_image(head, w_edge):
    image = gaussian(data.astronaut(), 3, channel_axis=-1)
    options = ASTRONAUT | {"w_line": 0.1, "w_edge": w_edge, "max_num_iter": 60}
    expected = skimage_active_contour(image, head, **options)
    assert np.allclose(active_contour(image, head, **options), expected, atol=1e-3)


def test_any_number_of_channels_is_summed():
    image = disc()
    snake = circle((45, 52), 27, 60)
    one = active_contour(image, snake, w_line=0.2)
    halves = np.stack([image / 2, image / 2], axis=-1)
    with_empty = np.stack([image, *[np.zeros_like(image)] * 4], axis=-1)
    assert np.allclose(active_contour(halves, snake, w_line=0.2), one, atol=1e-6)
    assert np.allclose(active_contour(with_empty, snake, w_line=0.2), one, atol=1e-6)


def test_neither_the_image_nor_the_snake_is_changed():
    image, snake = disc(), circle((45, 52), 27, 60)
    image.setflags(write=False)
    snake.setflags(write=False)
    found = active_contour(image, snake, max_num_iter=3)
    assert not np.shares_memory(found, snake)


def test_a_settled_contour_lies_on_the_edge():
    snake = circle((43, 54), 27, 120)
    found = active_contour(disc(), snake, alpha=0.001, beta=0.1, gamma=0.1, convergence=0.001)
    assert np.allclose(radii(found, (45, 52)), 20, atol=0.5)


def test_tension_shrinks_a_circle_by_the_formula():
    n, alpha, beta, gamma, steps = 100, 0.02, 0.5, 2.0, 300
    curvature = 2 - 2 * np.cos(2 * np.pi / n)
    factor = gamma / (gamma + alpha * curvature + beta * curvature**2)
    snake = circle((50, 50), 30, n)
    found = active_contour(
        np.zeros((100, 100)), snake, alpha, beta, gamma=gamma, max_num_iter=steps, **ALONE
    )
    assert np.allclose(radii(found, (50, 50)), 30 * factor**steps, atol=1e-4)


def test_negative_tension_swells_as_by_scikit_image():
    snake = circle((45, 52), 10, 60)
    options = {"alpha": -0.01, "gamma": 0.1, "max_num_iter": 60}
    found = active_contour(disc(), snake, **options)
    assert np.allclose(found, skimage_active_contour(disc(), snake, **options), atol=1e-6)
    assert radii(found, (45, 52)).mean() > 10.1


def test_large_integers_of_little_range_have_edges_all_the_same():
    image = (disc() * 100).astype(np.int64)
    assert active_contour(image, circle((45, 52), 27, 60), max_num_iter=3).shape == (60, 2)


def test_a_free_straight_path_stays_where_nothing_pulls():
    path = np.stack([np.linspace(10, 30, 20), np.linspace(5, 60, 20)], axis=1)
    found = active_contour(np.zeros((50, 70)), path, boundary_condition="free", **ALONE)
    assert np.allclose(found, path, atol=0.5)
    assert np.allclose(np.diff(found, 2, axis=0), 0, atol=1e-6)


@settings(max_examples=20, deadline=None)
@given(
    seed=st.integers(0, 2**32 - 1),
    condition=st.sampled_from(["periodic", *OPEN]),
    n=st.integers(4, 60),
)
def test_transposing_the_image_transposes_the_contour(seed, condition, n):
    rng = np.random.default_rng(seed)
    image = gaussian(rng.random((40, 55)), 2)
    snake = circle((20, 25), 12, n) + rng.normal(scale=0.5, size=(n, 2))
    options = {"boundary_condition": condition, "max_num_iter": 40}
    there = active_contour(image, snake, **options)
    back = active_contour(image.T, snake[:, ::-1], **options)[:, ::-1]
    assert np.allclose(there, back, atol=1e-6)


@settings(max_examples=20, deadline=None)
@given(
    rows=st.integers(0, 30),
    columns=st.integers(0, 30),
    condition=st.sampled_from(["periodic", *OPEN]),
)
def test_a_shifted_image_shifts_the_contour(rows, columns, condition):
    image = disc(radius=15, width=2)
    snake = circle((44, 50), 20, 50)
    options = {"boundary_condition": condition, "max_num_iter": 60}
    offset = np.array([rows, columns])
    here = active_contour(image, snake, **options)
    there = active_contour(
        np.pad(image, [(rows, 5), (columns, 5)], mode="edge"), snake + offset, **options
    )
    assert np.allclose(there, here + offset, atol=1e-5)


@settings(max_examples=15, deadline=None)
@given(
    sizes=st.lists(st.integers(3, 70), min_size=1, max_size=6),
    seed=st.integers(0, 1000),
    options=st.fixed_dictionaries(
        {},
        optional={
            "resample": st.sampled_from([True, 1.5]),
            "balloon": st.just(0.002),
            "spacing": st.just((2, 1)),
        },
    ),
)
def test_many_contours_equal_one_by_one(sizes, seed, options):
    rng = np.random.default_rng(seed)
    snakes = [
        circle(rng.normal((45, 52), 1), rng.uniform(10, 35), n) + rng.normal(size=(n, 2)) / 10
        for n in sizes
    ]
    kinds = ["periodic"] if "balloon" in options else ["periodic", *OPEN]
    conditions = [str(kind) for kind in rng.choice(kinds, len(sizes))]
    options = options | {"max_num_iter": 60}
    together = active_contours(disc(), snakes, boundary_condition=conditions, **options)
    assert len(together) == len(snakes)
    for snake, condition, found in zip(snakes, conditions, together, strict=True):
        alone = active_contour(disc(), snake, boundary_condition=condition, **options)
        assert np.array_equal(found, alone)


def test_no_contours_give_no_contours():
    assert active_contours(disc(), []) == []
    (state,) = evolve_contours(disc(), [])
    assert (state.contours, state.finished, state.reason) == ([], True, "no contours")


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
    assert last.reason == "settled"
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
    assert states[-1].reason == "settled"
    assert states[-1].reasons == ("settled",)
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
    assert (state.reason, state.iteration, state.moved) == ("settled", 1, 0)


def test_a_settled_contour_is_left_alone():
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
    assert last.reasons == ("shrunk to nothing", "settled", "settled")
    assert last.reason == "1 shrunk to nothing, 2 settled"


def test_cancelling_before_and_on_the_way():
    snake = circle((45, 52), 27, 60)
    with pytest.raises(Cancelled):
        active_contour(disc(), snake, should_stop=lambda: True)
    stop = False
    states = evolve_contours(disc(), [snake], should_stop=lambda: stop)
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
