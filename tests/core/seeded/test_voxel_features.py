"""Features of voxels, beside NumPy."""

import numpy as np
import pytest
from scipy import ndimage as ndi
from skimage.color import rgb2lab

from napari_seedbed.core.seeded import voxel_features
from napari_seedbed.core.seeded.voxel_features import SCALES, channels_of, describe_volume


@pytest.mark.parametrize("shape", [(1, 40, 36), (16, 20, 18)])
def test_they_are_smoothed_intensity_slope_and_curvatures(shape, monkeypatch):
    monkeypatch.setattr(voxel_features, "quieten", lambda image, stop: image)
    image = np.random.default_rng(0).random(shape).astype("f4")
    steps = np.array([1.0, 1.0, 1.0]) if shape[0] == 1 else np.array([2.5, 1.0, 1.0])
    features, _, energy = describe_volume(image[..., None], steps)
    axes = [axis for axis in range(3) if shape[axis] > 1]
    inner = tuple(slice(3, -3) if shape[a] > 1 else slice(None) for a in range(3))
    place = 0
    for sigma in SCALES[:2]:
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
        for wanted in (smooth, slope, *np.moveaxis(curvatures, -1, 0)):
            found = features.at((slice(None),) * 3)[place]
            a, b = found[inner].ravel(), wanted[inner].ravel()
            assert np.corrcoef(a, b)[0, 1] > 0.999
            place += 1
        if sigma == SCALES[0]:
            scaled = energy[inner].ravel(), (slope**2)[inner].ravel()
            assert np.corrcoef(*scaled)[0, 1] > 0.9999
    assert len(features.bytes) == len(SCALES) * (2 + len(axes))
    every = features.at((slice(None),) * 3).reshape(len(features.bytes), -1)
    np.testing.assert_allclose(every.mean(axis=1), 0, atol=0.05)
    np.testing.assert_allclose(every.std(axis=1), 1, atol=0.05)


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
