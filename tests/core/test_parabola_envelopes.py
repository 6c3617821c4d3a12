"""Lower envelopes of parabolas against the formula, computed for all pairs."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from scipy import ndimage as ndi
from scipy.spatial.distance import cdist

from napari_seedbed.core.parabola_envelopes import lowest_parabolas, nearest_distances

quick = settings(max_examples=100, deadline=None)
SPACINGS = hnp.arrays(float, 2, elements=st.sampled_from([0.1, 0.5, 1, 3]))
PLANES = hnp.array_shapes(min_dims=2, max_dims=2, max_side=24)


@quick
@given(
    points=hnp.arrays(
        float,
        st.tuples(st.integers(1, 40), st.just(2)),
        elements=st.one_of(st.integers(-3, 30).map(float), st.floats(-3, 30)),
    ),
    where=PLANES.flatmap(lambda shape: hnp.arrays(bool, shape)),
    spacing=SPACINGS,
)
def test_distances_are_those_to_the_nearest_of_all_points(points, where, spacing):
    voxels = np.argwhere(where)
    found = nearest_distances(points, where, spacing)
    expected = cdist(voxels * spacing, points * spacing).min(axis=1) if len(voxels) else []
    np.testing.assert_allclose(found[where], expected, rtol=1e-9, atol=1e-9)
    assert not found[~where].any()


@quick
@given(
    heights=PLANES.flatmap(
        lambda shape: hnp.arrays(
            float, shape, elements=st.one_of(st.floats(-200, 200), st.just(np.inf))
        )
    ),
    spacing=SPACINGS,
)
def test_the_lowest_parabola_is_that_of_all_voxels(heights, spacing):
    voxels = np.argwhere(np.ones(heights.shape)) * spacing
    expected = (cdist(voxels, voxels, "sqeuclidean") + heights.ravel()).min(axis=1)
    found = lowest_parabolas(heights, spacing)
    np.testing.assert_allclose(found, expected.reshape(heights.shape), rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("spacing", [(1.0, 1.0), (2.5, 0.4)])
def test_parabolas_of_one_height_are_a_distance_transform(spacing):
    mask = np.random.default_rng(0).random((90, 130)) > 0.02
    found = lowest_parabolas(np.where(mask, np.inf, 0.0), np.array(spacing))
    expected = ndi.distance_transform_edt(mask, sampling=spacing)
    np.testing.assert_allclose(np.sqrt(found), expected)
