"""Features of voxels, beside NumPy."""

import numpy as np
import pytest
from scipy import ndimage as ndi
from skimage.color import rgb2lab

from napari_seedbed.core.seeded import feature_kernels, voxel_features
from napari_seedbed.core.seeded.voxel_features import SCALES, channels_of, describe_volume


def every(features, shape):
    """Features (F, Z, Y, X) of all voxels."""
    places = [place.ravel() for place in np.indices(shape)]
    return features.at(places).reshape(-1, *shape)


@pytest.mark.parametrize("shape", [(1, 100, 96), (24, 64, 60)])
def test_they_are_smoothed_intensity_slope_and_curvatures(shape, monkeypatch):
    monkeypatch.setattr(voxel_features, "quieten", lambda image: image)
    noise = np.random.default_rng(0).normal(size=shape)
    image = (ndi.gaussian_filter(noise, 4) * 50 + noise * 0.05).astype("f4")
    steps = np.array([1.0, 1.0, 1.0]) if shape[0] == 1 else np.array([2.5, 1.0, 1.0])
    features, _, energy = describe_volume(image[..., None], steps)
    found = every(features, shape)
    axes = [axis for axis in range(3) if shape[axis] > 1]
    assert len(found) == len(SCALES) * (2 + len(axes))
    place = 0
    for sigma, level in zip(SCALES, features.levels, strict=True):
        smooth = ndi.gaussian_filter(
            image, [sigma / s if n > 1 else 0 for s, n in zip(steps, shape, strict=True)],
            mode="nearest", truncate=3,
        )  # fmt: skip
        slopes = [np.gradient(smooth, axis=a) / steps[a] for a in axes]
        second = np.empty((*shape, len(axes), len(axes)))
        for i, a in enumerate(axes):
            for j, b in enumerate(axes):
                second[..., i, j] = np.gradient(slopes[i], axis=b) / steps[b]
                if a == b:
                    second[..., i, j] = (
                        np.roll(smooth, 1, a) - 2 * smooth + np.roll(smooth, -1, a)
                    ) / steps[a] ** 2
        curvatures = np.linalg.eigvalsh(second)[..., ::-1] * sigma**2
        slope = sigma * np.sqrt(sum(s**2 for s in slopes))
        # A coarser grid sees the same, less exactly, above all at the border.
        exact = (level.factor == 1).all()
        edge = slice(3, -3) if exact else slice(12, -12)
        inner = (slice(None) if len(axes) == 2 else slice(3, -3), edge, edge)
        alike = 0.999 if exact else 0.98
        for wanted in (smooth, slope, *np.moveaxis(curvatures, -1, 0)):
            a, b = found[place][inner].ravel(), wanted[inner].ravel()
            assert np.corrcoef(a, b)[0, 1] > alike, (sigma, place)
            place += 1
        if sigma == SCALES[0]:
            scaled = energy[inner].ravel(), (slope**2)[inner].ravel()
            assert np.corrcoef(*scaled)[0, 1] > 0.9999
    assert {tuple(level.factor) for level in features.levels} == {
        (1, 1, 1), (1, 2, 2)
    }  # fmt: skip
    flat = found.reshape(len(found), -1)
    np.testing.assert_allclose(flat.mean(axis=1), 0, atol=0.05)
    np.testing.assert_allclose(flat.std(axis=1), 1, atol=0.1)


def test_values_of_a_coarser_grid_are_interpolated():
    ramp = np.broadcast_to(np.arange(24, dtype="f4"), (1, 20, 24)).copy()
    factor = np.array([1, 2, 4])
    grid, back = np.empty((1, 10, 6), "f4"), np.empty_like(ramp)
    feature_kernels.average(0, 10, ramp, factor, grid)
    np.testing.assert_allclose(grid[0], np.tile(np.arange(6) * 4 + 1.5, (10, 1)))
    feature_kernels.stretch(0, 20, grid, factor, back)
    np.testing.assert_allclose(back[..., 2:-2], ramp[..., 2:-2], atol=1e-5)
    z, y, x = (place.ravel() for place in np.indices(ramp.shape))
    picked = np.empty((1, z.size), "f4")
    stored = np.rint(grid * 10).astype(np.uint8)[np.newaxis]
    tenth, nothing = np.full(1, 0.1, "f4"), np.zeros(1, "f4")
    feature_kernels.pick(stored, factor, z, y, x, tenth, nothing, picked)
    np.testing.assert_allclose(picked.reshape(back.shape), back, atol=1e-5)


def test_three_channels_become_lab_whatever_their_type():
    rgb = np.random.default_rng(0).integers(0, 256, (1, 8, 9, 3)).astype(np.uint8)
    wanted = np.moveaxis(rgb2lab(rgb), -1, 0)
    np.testing.assert_allclose(channels_of(rgb), wanted, atol=1e-3)
    np.testing.assert_allclose(channels_of(rgb / 255), wanted, atol=1e-3)


def test_coarser_basins_are_taken_where_there_would_be_too_many(monkeypatch):
    image = np.random.default_rng(0).random((1, 128, 128, 1)).astype("f4")
    steps = np.ones(3)
    counts = []
    for most in (10**6, 600, 200, 1):
        monkeypatch.setattr(voxel_features, "MOST_BASINS", {2: most, 3: most})
        counts.append(describe_volume(image, steps)[1].count)
    assert counts[0] > 600 >= counts[1] > 200 >= counts[2]
    assert counts[3] >= 1


@pytest.mark.parametrize("depth", [2047, 2048])
def test_an_empty_first_row_of_all_planes_hides_nothing(depth):
    # Every so many rows, where the planes have as many, would be the first of each.
    volume = np.zeros((depth, 12, 64, 1), "f4")
    volume[:, 8:] = np.random.default_rng(0).random((depth, 4, 64, 1))
    features, basins, energy = describe_volume(volume, np.ones(3))
    assert basins.count > 5000
    assert energy.max() > 1
    assert (features.gain < 0.1).all()


def test_a_speck_between_the_rows_that_are_looked_at_is_seen():
    image = np.zeros((1, 4096, 512, 1), "f4")
    image[0, 1001, 100] = 1
    _, _, energy = describe_volume(image, np.ones(3))
    assert energy.max() > 0.1
