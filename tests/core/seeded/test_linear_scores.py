"""Linear scores of voxels, a region at a time, beside the product of a matrix and features."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from napari_seedbed.core.seeded.linear_scores import LinearScores, rows_of_planes
from napari_seedbed.core.seeded.object_looks import SUREST, ObjectLook
from napari_seedbed.core.seeded.voxel_features import Level, VoxelFeatures

SHAPE = (9, 21, 30)
FACTORS = ((1, 1, 1), (1, 2, 2), (2, 4, 4))


def made(rng):
    """Features of chance on three grids."""
    levels = []
    for factor in FACTORS:
        grid = [-(-n // f) for n, f in zip(SHAPE, factor, strict=True)]
        values = rng.integers(0, 256, (2, *grid), dtype=np.uint8)
        levels.append(Level(np.array(factor, np.int64), values))
    gain = rng.uniform(0.01, 0.05, 6).astype(np.float32)
    return VoxelFeatures(levels, rng.normal(size=6).astype(np.float32), gain)


def sides(n):
    return st.tuples(st.integers(0, n - 1), st.integers(1, n)).map(
        lambda ends: slice(ends[0], max(ends[0] + 1, ends[1]))
    )


def voxels_of(region):
    return [axis.ravel() for axis in np.mgrid[region]]


@given(seed=st.integers(0, 99), region=st.tuples(*map(sides, SHAPE)))
def test_regions_give_what_each_voxel_gives(seed, region):
    rng = np.random.default_rng(seed)
    features, size = made(rng), tuple(part.stop - part.start for part in region)
    values = features.at(voxels_of(region)).astype(np.float64)
    coefficients, intercepts = rng.normal(size=(2, 6)), rng.normal(size=2)
    beyond = np.full(6, np.inf)
    expected = (coefficients @ values + intercepts[:, np.newaxis]).reshape(2, *size)
    for within in (None, region):
        scores = LinearScores.of(features, coefficients, intercepts, -beyond, beyond, within)
        found = np.empty((2, *size))
        for z, first, last in rows_of_planes(*size):
            rows = (region[1].start + first, region[1].start + last)
            found[:, z, first:last] = scores.at_rows(region[0].start + z, *rows, region[2])
        np.testing.assert_allclose(found, expected, atol=1e-3)
    # an object's look: the odds where basins are in doubt, nothing elsewhere
    basin = rng.integers(0, 5, size, dtype=np.int32)
    in_doubt = np.array([True, False, True, True, False])
    look = ObjectLook(features, coefficients[0], float(intercepts[0]))
    weights = look.weigh(region, basin, np.ones((2, 5), np.float32), in_doubt)
    share = 1 / (1 + np.exp(-np.clip(expected[0], -SUREST, SUREST)))
    for own, wanted in zip(weights, (share, 1 - share), strict=True):
        np.testing.assert_allclose(own, np.where(in_doubt[basin], wanted, 1), atol=1e-3)
