"""Features against SciPy and closed formulas, and the same bits wherever they are computed."""

import numpy as np
import pytest
from scipy import ndimage as ndi

from napari_seedbed.core import region_features
from napari_seedbed.core.classifier.features import FeatureSet, as_channels, scales
from napari_seedbed.core.classifier.samples import blocks
from napari_seedbed.errors import InputError


def named(values, features, name):
    (place,) = [i for i, one in enumerate(features.names()) if one == name]
    return values[place]


def test_intensities_and_their_differences_are_gaussians_of_scipy(rng):
    image = rng.random((40, 50)) * 100
    features = FeatureSet((1.0, 2.0), 2)
    values = region_features(image[None], features)
    fine, coarse = (ndi.gaussian_filter(image, s, mode="nearest", truncate=3) for s in (1, 2))
    np.testing.assert_allclose(named(values, features, "intensity, σ 1"), fine, rtol=1e-5)
    difference = named(values, features, "difference of Gaussians, σ 2")
    np.testing.assert_allclose(difference, fine - coarse, atol=1e-4)


def test_ramp_has_its_slope_and_no_curvature():
    z, y, x = np.mgrid[:40, :40, :40].astype(float)
    spacing = (2.0, 0.5, 1.0)
    image = 3 * z * 2 + 4 * y * 0.5 + 12 * x
    features = FeatureSet((1.0,), 3)
    middle = region_features(image[None], features, spacing)[:, 20, 20, 20]
    assert named(middle, features, "gradient magnitude, σ 1") == pytest.approx(13, rel=1e-4)
    structure = named(middle, features, "largest structure tensor eigenvalue, σ 1")
    assert structure == pytest.approx(169, rel=1e-4)
    assert named(middle, features, "smallest structure tensor eigenvalue, σ 1") == pytest.approx(
        0, abs=0.1
    )
    for which in ("largest", "middle", "smallest"):
        curved = named(middle, features, f"{which} Hessian eigenvalue, σ 1")
        assert curved == pytest.approx(0, abs=1e-3)


def test_parabola_has_its_curvatures_in_physical_units():
    y, x = np.mgrid[-40:41, -40:41].astype(float)
    spacing = (0.5, 0.25)
    image = 3 * (y * 0.5) ** 2 - 5 * (x * 0.25) ** 2
    features = FeatureSet((1.0,), 2)
    middle = region_features(image[None], features, spacing)[:, 40, 40]
    assert named(middle, features, "largest Hessian eigenvalue, σ 1") == pytest.approx(6, rel=1e-3)
    smallest = named(middle, features, "smallest Hessian eigenvalue, σ 1")
    assert smallest == pytest.approx(-10, rel=1e-3)


@pytest.mark.parametrize(
    ("shape", "spacing", "region"),
    [
        ((2, 70, 60), (1.0, 1.0), (slice(10, 30), slice(0, 60))),
        ((1, 24, 30, 33), (2.5, 1.0, 1.0), (slice(7, 8), slice(0, 30), slice(20, 33))),
        ((1, 5, 1, 9), (1.0, 1.0, 1.0), (slice(0, 2), slice(0, 1), slice(3, 4))),
    ],
)
def test_part_has_the_same_bits_as_the_whole(rng, shape, spacing, region):
    image = rng.integers(0, 4000, shape).astype(np.uint16)
    features = FeatureSet(scales(0.7, 3), len(shape) - 1, shape[0])
    whole = region_features(image, features, spacing)
    part = region_features(image, features, spacing, region)
    np.testing.assert_array_equal(part, whole[(slice(None), *region)])
    assert len(features.names()) == features.count == len(whole)


def test_halo_is_all_that_a_part_is_made_from(rng):
    image = rng.random((1, 90, 90))
    features, spacing = FeatureSet(scales(0.7, 3), 2), (1.0, 2.0)
    halo = features.halo(spacing)
    region = (slice(40, 45), slice(40, 45))
    seen = tuple(slice(one.start - h, one.stop + h) for one, h in zip(region, halo, strict=True))
    other = np.full_like(image, 7)
    other[(0, *seen)] = image[(0, *seen)]
    expected = region_features(image, features, spacing, region)
    np.testing.assert_array_equal(region_features(other, features, spacing, region), expected)


def test_offset_and_gain_make_brightness_and_contrast_no_matter(rng):
    image = rng.random((1, 30, 30))
    features = FeatureSet((1.0, 2.0), 2)
    plain = region_features(image, features)
    scaled = region_features(400 + 16 * image, features, offset=[400], gain=[1 / 16])
    np.testing.assert_allclose(scaled, plain, atol=1e-5)


@pytest.mark.parametrize("shape", [(1, 1), (700, 900), (60, 256, 256), (3, 5000, 40)])
def test_blocks_cover_each_voxel_once(shape):
    count = np.zeros(shape, np.uint8)
    for place in blocks(shape, 35):
        count[place] += 1
    assert (count == 1).all()


def test_numbers_whose_squares_overflow_and_scales_beyond_memory_are_refused():
    with pytest.raises(InputError, match="1e\\+30"):
        as_channels(np.full((4, 4), 1e30))
    with pytest.raises(InputError, match="sigma: the coarsest scale is 100 voxels"):
        region_features(np.zeros((1, 9, 9)), FeatureSet((50.0,), 2), (1.0, 0.5))
