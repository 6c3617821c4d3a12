"""Active contours equal scikit-image's, alone or many at once, and obey plain formulas."""

import numpy as np
import pytest
from contour_scenes import ALONE, circle, disc, radii
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.interpolate import RectBivariateSpline
from skimage import data
from skimage.color import rgb2gray
from skimage.filters import gaussian, sobel
from skimage.segmentation import active_contour as skimage_active_contour

from napari_seedbed.core.snakes.contour_energy import image_energy
from napari_seedbed.core.snakes.contour_kernels import slopes
from napari_seedbed.core.snakes.elastic_contours import (
    active_contour,
    active_contours,
    evolve_contours,
)

OPEN = ["free", "fixed", "free-fixed", "fixed-free", "fixed-fixed", "free-free"]
ASTRONAUT = {"alpha": 0.015, "beta": 10, "gamma": 0.001}
TEXT = {"alpha": 0.1, "beta": 1.0, "w_line": -5, "w_edge": 0, "gamma": 0.1}


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


def test_a_converged_contour_lies_on_the_edge():
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
