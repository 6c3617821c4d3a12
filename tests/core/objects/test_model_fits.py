"""Circles, ellipses and lines are found where they were drawn, among other points too."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from napari_seedbed.core import fit_models
from napari_seedbed.core.objects.model_shapes import distances, models_through, outline
from napari_seedbed.errors import InputError

SHAPE = (200, 260)


def draw(mask, y, x):
    """Set the voxels that points of a curve lie in."""
    y, x = np.rint(y).astype(int), np.rint(x).astype(int)
    inside = (y >= 0) & (y < mask.shape[0]) & (x >= 0) & (x < mask.shape[1])
    mask[y[inside], x[inside]] = True
    return mask


def ellipse(centre, a, b, degrees, start=0.0, stop=360.0):
    """Points (y, x) of an arc of an ellipse."""
    turn, angle = np.radians(np.linspace(start, stop, 2000)), np.radians(degrees)
    along, across = a * np.cos(turn), b * np.sin(turn)
    y = centre[0] + along * np.sin(angle) + across * np.cos(angle)
    x = centre[1] + along * np.cos(angle) - across * np.sin(angle)
    return y, x


def clutter(rng, mask, share):
    return mask | (rng.random(mask.shape) < share)


def test_circle_is_found_among_clutter(rng):
    mask = draw(np.zeros(SHAPE, bool), *ellipse((90, 120), 50, 50, 0))
    fits = fit_models(clutter(rng, mask, 0.03), "circle")
    row = {name: column[0] for name, column in fits.table.items()}
    assert row["radius"] == pytest.approx(50, abs=0.3)
    assert (row["centre_y"], row["centre_x"]) == pytest.approx((90, 120), abs=0.3)
    assert row["area"] == pytest.approx(np.pi * 50**2, rel=0.02)
    assert row["coverage"] > 0.95
    assert row["residual_max"] <= 1.5
    assert row["inliers"] >= 0.95 * mask.sum()


def test_half_of_a_circle_is_enough(rng):
    mask = draw(np.zeros(SHAPE, bool), *ellipse((100, 130), 60, 60, 0, 0, 180))
    fits = fit_models(clutter(rng, mask, 0.01), "circle")
    assert fits.table["radius"][0] == pytest.approx(60, abs=0.6)
    assert 0.45 < fits.table["coverage"][0] < 0.65


def test_circle_is_round_in_physical_units():
    spacing = (0.5, 0.2)
    y, x = ellipse((40, 25), 15, 15, 0)
    mask = draw(np.zeros((160, 250), bool), y / spacing[0], x / spacing[1])
    fits = fit_models(mask, "circle", spacing, tolerance=0.5)
    assert fits.table["radius"][0] == pytest.approx(15, abs=0.1)
    assert (fits.table["centre_y"][0], fits.table["centre_x"][0]) == pytest.approx(
        (40, 25), abs=0.1
    )
    away = (fits.shapes[0].points * spacing) - (40, 25)
    np.testing.assert_allclose(np.linalg.norm(away, axis=1), 15, atol=0.2)


def test_several_circles_come_one_after_another_and_no_more(rng):
    mask = np.zeros(SHAPE, bool)
    for centre, radius in (((60, 60), 40), ((130, 180), 30), ((60, 200), 20)):
        draw(mask, *ellipse(centre, radius, radius, 0))
    fits = fit_models(clutter(rng, mask, 0.005), "circle", number=10, min_coverage=0.5)
    np.testing.assert_allclose(fits.table["radius"], [40, 30, 20], atol=0.5)
    assert [shape.label for shape in fits.shapes] == [1, 2, 3]
    assert all(shape.closed for shape in fits.shapes)


def test_bounds_choose_among_circles():
    mask = draw(np.zeros(SHAPE, bool), *ellipse((100, 100), 60, 60, 0))
    draw(mask, *ellipse((100, 100), 30, 30, 0))
    assert fit_models(mask, "circle").table["radius"][0] == pytest.approx(60, abs=0.3)
    small = fit_models(mask, "circle", largest=40).table["radius"]
    assert small[0] == pytest.approx(30, abs=0.3)
    assert len(fit_models(mask, "circle", smallest=70).shapes) == 0


@pytest.mark.parametrize("degrees", [0, 30, 90, 135])
def test_ellipse_is_found_among_clutter(rng, degrees):
    mask = draw(np.zeros(SHAPE, bool), *ellipse((95, 130), 70, 40, degrees))
    table = fit_models(clutter(rng, mask, 0.004), "ellipse").table
    assert table["semi_axis_major"][0] == pytest.approx(70, abs=0.7)
    assert table["semi_axis_minor"][0] == pytest.approx(40, abs=0.7)
    turned = (table["angle"][0] - degrees + 90) % 180 - 90
    assert turned == pytest.approx(0, abs=1)
    assert (table["centre_y"][0], table["centre_x"][0]) == pytest.approx((95, 130), abs=0.5)
    assert table["area"][0] == pytest.approx(np.pi * 70 * 40, rel=0.02)


def test_lines_are_found_among_clutter(rng):
    along = np.linspace(0, 150, 1000)
    mask = draw(np.zeros(SHAPE, bool), 20 + along * 0.6, 30 + along * 0.8)
    draw(mask, np.full(1000, 170.0), np.linspace(20, 240, 1000))
    fits = fit_models(clutter(rng, mask, 0.001), "line", number=2, min_inliers=60)
    flat, slanted = fits.table["angle"]
    assert flat == pytest.approx(0, abs=0.5) or flat == pytest.approx(180, abs=0.5)
    assert slanted == pytest.approx(np.degrees(np.arctan2(0.6, 0.8)), abs=0.5)
    assert not fits.shapes[0].closed
    ends = fits.shapes[0].points
    np.testing.assert_allclose(ends[:, 0], 170, atol=1)


def test_filled_disc_has_the_radius_of_its_outline():
    y, x = np.indices(SHAPE)
    disc = np.hypot(y - 100, x - 120) <= 40
    fits = fit_models(disc, "circle", use_outlines=True)
    assert fits.table["radius"][0] == pytest.approx(np.sqrt(disc.sum() / np.pi), abs=0.3)


def test_each_label_has_its_own_circle():
    labels = np.zeros(SHAPE, int)
    labels[draw(np.zeros(SHAPE, bool), *ellipse((60, 60), 30, 30, 0))] = 3
    labels[draw(np.zeros(SHAPE, bool), *ellipse((120, 180), 50, 50, 0))] = 8
    table = fit_models(labels, "circle", per_label=True).table
    assert list(table["label"]) == [3, 8]
    np.testing.assert_allclose(table["radius"], [30, 50], atol=0.3)


def test_slices_of_a_volume_have_their_own_circles():
    volume = np.zeros((3, *SHAPE), bool)
    for z in (0, 2):
        draw(volume[z], *ellipse((90, 100), 30 + 10 * z, 30 + 10 * z, 0))
    fits = fit_models(volume, "circle", (4.0, 1.0, 1.0))
    assert list(fits.table["slice"]) == [0, 2]
    np.testing.assert_allclose(fits.table["radius"], [30, 50], atol=0.3)
    assert {tuple(np.unique(shape.points[:, 0])) for shape in fits.shapes} == {(0.0,), (2.0,)}


def test_same_seed_gives_the_same_models(rng):
    mask = clutter(rng, draw(np.zeros(SHAPE, bool), *ellipse((90, 120), 50, 30, 20)), 0.02)
    one, again = (fit_models(mask, "ellipse", seed=5) for _ in range(2))
    for name, column in one.table.items():
        np.testing.assert_array_equal(column, again.table[name])
    np.testing.assert_array_equal(one.shapes[0].points, again.shapes[0].points)


@pytest.mark.parametrize(("kind", "needed"), [("circle", 3), ("ellipse", 5), ("line", 2)])
def test_no_edge_points_are_told(kind, needed):
    with pytest.raises(InputError, match=f"there are no edge points; a {kind} needs .* {needed}"):
        fit_models(np.zeros(SHAPE, bool), kind)
    one = np.zeros(SHAPE, bool)
    one[3, 4] = True
    with pytest.raises(InputError, match="only 1 edge points"):
        fit_models(one, kind)


@pytest.mark.parametrize("kind", ["circle", "ellipse", "line"])
def test_noise_has_no_models_and_an_empty_table(rng, kind):
    fits = fit_models(rng.random((60, 60)) < 0.02, kind, min_inliers=60)
    assert fits.shapes == []
    assert {len(column) for column in fits.table.values()} == {0}
    full = draw(np.zeros(SHAPE, bool), *ellipse((90, 120), 50, 40, 0))
    draw(full, np.full(400, 10.0), np.linspace(0, 250, 400))
    assert list(fit_models(full, kind).table) == list(fits.table)


def test_points_on_one_line_are_no_circle():
    mask = np.zeros(SHAPE, bool)
    mask[50, 20:200] = True
    assert len(fit_models(mask, "circle", largest=100).shapes) == 0
    assert len(fit_models(mask, "ellipse", largest=100).shapes) == 0


def test_bounds_the_wrong_way_round_are_refused():
    with pytest.raises(InputError, match="smallest is 9 and largest 3"):
        fit_models(np.ones((5, 5), bool), "circle", smallest=9, largest=3)


MODELS = st.tuples(*[st.floats(-50, 50)] * 2, st.floats(2, 60), st.floats(0.2, 1), st.floats(0, 3))


@given(MODELS, st.integers(0, 1000))
def test_models_go_through_their_points(model, seed):
    y, x, a, ratio, angle = model
    turn = np.sort(np.random.default_rng(seed).uniform(0, 2 * np.pi, 5))
    if np.diff(np.append(turn, turn[0] + 2 * np.pi)).min() < 0.3:
        return
    for kind, b, needed in (("circle", a, 3), ("ellipse", a * ratio, 5), ("line", a * ratio, 2)):
        py, px = ellipse((y, x), a, b, np.degrees(angle))
        chosen = (turn[:needed] / (2 * np.pi) * 1999).astype(int)
        points = np.stack([py, px], axis=1)[chosen]
        (found,) = models_through(kind, points[None])
        np.testing.assert_allclose(distances(kind, found[None], points), 0, atol=1e-5 * a)
        if kind == "ellipse":
            whole = outline(kind, found, np.array([0.1, 0.1]), points)
            true = np.array([[y, x, a, b, angle]])
            np.testing.assert_allclose(distances(kind, true, whole), 0, atol=1e-4 * a)
