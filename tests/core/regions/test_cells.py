"""Cells grown from nuclei, against hand-made truths and scikit-image."""

import numpy as np
import pytest
from newer_watersheds import as_in_newer
from scipy import ndimage as ndi
from skimage import segmentation

from napari_seedbed.core import cells_from_nuclei
from napari_seedbed.errors import InputError


def two_cells():
    """Two cells of 30 rows, parted at column 20 and ending at column 50, nuclei 7 and 3.

    Returns the truth, the nuclei and an image of membranes. The nucleus 7 is nearer to much of the
    other cell than that one's own nucleus is.
    """
    truth = np.zeros((30, 60), np.int32)
    truth[3:27, 3:20], truth[3:27, 21:50] = 7, 3
    membranes = np.where(ndi.binary_dilation(truth > 0) & (truth == 0), 200.0, 10.0)
    nuclei = np.zeros_like(truth)
    nuclei[10:18, 11:18], nuclei[12:20, 38:46] = 7, 3
    return truth, nuclei, membranes


def test_cells_meet_on_membranes_and_keep_the_numbers_of_their_nuclei():
    truth, nuclei, membranes = two_cells()
    around = ndi.binary_dilation(truth > 0)
    found = cells_from_nuclei(membranes, nuclei, sigma=0, mask=around)
    np.testing.assert_array_equal(found[truth > 0], truth[truth > 0])
    np.testing.assert_array_equal(found > 0, around)


def test_cytoplasm_gives_the_same_cells_and_its_threshold_their_outline():
    truth, nuclei, _ = two_cells()
    cytoplasm = np.where(truth > 0, 90.0, 5.0)
    found = cells_from_nuclei(cytoplasm, nuclei, "cytoplasm", sigma=0, threshold=50)
    np.testing.assert_array_equal(found, truth)


@as_in_newer
@pytest.mark.parametrize("shape", [(50, 60), (10, 24, 28)], ids=["2D", "3D"])
@pytest.mark.parametrize("stain", ["membrane", "cytoplasm"])
def test_without_limits_it_is_the_watershed_of_scikit_image(rng, shape, stain):
    image = rng.random(shape)
    nuclei = np.zeros(shape, np.int32)
    nuclei.flat[rng.choice(image.size, 9, replace=False)] = np.arange(2, 20, 2)
    heights = ndi.gaussian_filter(image, 1.5, mode="nearest")
    expected = segmentation.watershed(heights if stain == "membrane" else -heights, nuclei)
    found = cells_from_nuclei(image, nuclei, stain, sigma=1.5, background="none")
    assert np.mean(found == expected) > 0.999


@pytest.mark.parametrize("spacing", [(1.0, 1.0), (3.0, 1.0), (1.5, 0.5, 0.5)])
def test_no_voxel_is_farther_from_its_own_nucleus_than_allowed(rng, spacing):
    shape = (40, 50) if len(spacing) == 2 else (10, 30, 30)
    image = rng.random(shape)
    nuclei = np.zeros(shape, np.int32)
    places = np.array(np.unravel_index(rng.choice(image.size, 12, replace=False), shape))
    nuclei[tuple(places)] = np.arange(1, 13)
    everywhere = {"background": "none", "spacing": spacing}
    free = cells_from_nuclei(image, nuclei, **everywhere)
    found = cells_from_nuclei(image, nuclei, distance=6.0, **everywhere)
    beyond = 0
    for number in range(1, 13):
        mine = found == number
        away = ndi.distance_transform_edt(nuclei != number, spacing)
        assert mine[nuclei == number].all()
        assert away[mine].max() <= 6
        assert ndi.label(mine)[1] == 1
        beyond += np.count_nonzero(away[free == number] > 6)
    assert beyond


@pytest.mark.parametrize("depth", [0, 9], ids=["2D", "3D"])
@pytest.mark.parametrize("gap", [0, 1], ids=["side by side", "apart"])
def test_by_default_cells_end_at_their_outer_membranes(rng, depth, gap):
    """Round cells of three widths of a nucleus, in a wide picture; one is a point."""
    truth = np.zeros((120, 160), np.int32)
    nuclei = np.zeros_like(truth)
    y, x = np.indices(truth.shape)
    for number, middle in ((4, (30, 30)), (1, (30, 55 + 20 * gap)), (9, (85, 100))):
        away = np.hypot(y - middle[0], x - middle[1])
        truth[(away < 13) & (truth == 0)] = number
        nuclei[away < 4.5] = number
    edge = (ndi.grey_dilation(truth, 3) != truth) | (ndi.grey_erosion(truth, 3) != truth)
    membranes = np.where(edge, 200.0, 10.0) + rng.normal(0, 2, truth.shape)
    nuclei[nuclei == 9] = 0
    nuclei[85, 100] = 9
    if depth:
        truth, nuclei, membranes = (np.stack([a] * depth) for a in (truth, nuclei, membranes))
    found = cells_from_nuclei(membranes, nuclei)
    for number in (1, 4, 9):
        mine, found_one = truth == number, found == number
        assert 2 * np.sum(mine & found_one) / (mine.sum() + found_one.sum()) > 0.9
    cytoplasm = np.where(truth > 0, 90.0, 12.0) + rng.normal(0, 2, truth.shape)
    found = cells_from_nuclei(cytoplasm, nuclei, "cytoplasm")
    assert np.mean((found > 0) == (truth > 0)) > 0.98
    filled = cells_from_nuclei(membranes, nuclei, background="none")
    assert filled.all()


def test_distance_counts_from_its_own_nucleus_where_another_is_nearer():
    truth, nuclei, membranes = two_cells()
    found = cells_from_nuclei(membranes, nuclei, sigma=0, distance=12)
    away = ndi.distance_transform_edt(nuclei != 3)
    np.testing.assert_array_equal(found[truth == 3] == 3, away[truth == 3] <= 12)


def test_a_nucleus_is_always_inside_its_cell():
    _, nuclei, membranes = two_cells()
    nowhere = np.zeros(nuclei.shape, bool)
    for limits in ({"mask": nowhere}, {"threshold": 1e6}, {"distance": 1e-3}):
        found = cells_from_nuclei(membranes, nuclei, **limits)
        np.testing.assert_array_equal(found, nuclei)


@pytest.mark.parametrize("scale", [1e-30, 1e30])
def test_threshold_is_in_the_units_of_the_image(scale):
    truth, nuclei, _ = two_cells()
    cytoplasm = np.where(truth > 0, 90.0, 5.0) * scale
    found = cells_from_nuclei(cytoplasm, nuclei, "cytoplasm", sigma=0, threshold=50 * scale)
    np.testing.assert_array_equal(found, truth)


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"nuclei": np.zeros((30, 60), int)}, "nuclei: there are none"),
        ({"nuclei": np.ones((30, 59), int)}, r"nuclei .*\(30, 59\)"),
        ({"stain": "dna"}, "stain is 'dna'"),
        ({"background": "dark"}, "background is 'dark'"),
        ({"distance": -1}, "distance"),
        ({"threshold": -1}, "threshold"),
    ],
)
def test_wrong_arguments_are_refused_by_name(wrong, message):
    _, nuclei, membranes = two_cells()
    with pytest.raises(InputError, match=message):
        cells_from_nuclei(membranes, **{"nuclei": nuclei, **wrong})
