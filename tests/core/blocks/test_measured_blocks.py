"""Objects measured block by block, against `measure_objects`."""

import numpy as np
import pytest
from cut_blocks import chunkings, parts
from scipy import ndimage as ndi

from napari_seedbed.core import label, measure_objects
from napari_seedbed.core.blocks.measured_blocks import join_measures, measure_block
from napari_seedbed.core.blocks.median_search import MedianSearch
from napari_seedbed.core.objects.object_measurement import MEASUREMENT_GROUPS

ROUNDED = ("mean", "std", "sum")
"""Columns whose sums are taken in another order, where objects lie in several blocks."""


def _measured(cells, image, block, spacing, channel_axis=None, suffixes=("",)):
    groups = MEASUREMENT_GROUPS
    lead = () if channel_axis is None else (slice(None),)
    found = []
    for seen, place in parts(cells, block, 1):
        found.append(measure_block(seen, place, groups, image[(*lead, *place.seen)], channel_axis))
    joined = join_measures(found, spacing, suffixes)
    searches = joined.searches
    rounds = 0
    while not all(search.is_done for search in searches):
        counted = [
            [
                search.counted(
                    place.own(seen),
                    image[place.region] if not lead else image[(nth, *place.region)],
                )
                for nth, search in enumerate(searches)
            ]
            for seen, place in parts(cells, block, 1)
        ]
        searches = [
            search.narrowed([one[nth] for one in counted]) for nth, search in enumerate(searches)
        ]
        rounds += 1
    facts = joined.with_medians(searches)
    return facts.columns(groups, cells.shape, spacing, "micrometer"), rounds


def _cells(rng, shape):
    smooth = ndi.gaussian_filter(rng.random(shape), 1.5)
    found = label(smooth > np.quantile(smooth, 0.7))
    return np.where(found % 7 == 3, 5, found * 11)


@pytest.mark.parametrize("shape", [(37, 45), (14, 18, 21)], ids=["2D", "3D"])
def test_measurements_of_blocks_are_those_of_the_whole(rng, shape):
    spacing = (2.0, 0.5, 0.7)[-len(shape) :]
    cells = _cells(rng, shape)
    for dtype, most_rounds in ((np.uint8, 1), (np.int16, 2), (np.float32, 8), (np.int64, 8)):
        image = (rng.random(shape) * 200 - 50 * (np.dtype(dtype).kind != "u")).astype(dtype)
        expected = measure_objects(cells, spacing, "micrometer", image)
        for block in chunkings(shape):
            table, rounds = _measured(cells, image, block, spacing)
            assert list(table) == list(expected)
            assert rounds <= most_rounds
            for name, column in expected.items():
                if name.startswith(ROUNDED):
                    np.testing.assert_allclose(table[name], column, rtol=1e-12, err_msg=name)
                else:
                    np.testing.assert_array_equal(table[name], column, err_msg=name)


def test_channels_are_measured_one_by_one(rng):
    shape = (9, 12, 13)
    cells = _cells(rng, shape)
    image = rng.integers(0, 60_000, (2, *shape)).astype(np.uint16)
    expected = measure_objects(
        cells, (1.0, 1.0, 1.0), "micrometer", image, channel_axis=0, channel_names=("red", "dapi")
    )
    table, rounds = _measured(cells, image, (4, 12, 5), (1.0,) * 3, 0, ("_red", "_dapi"))
    assert rounds == 2
    for name, column in expected.items():
        if column.dtype.kind == "f":
            np.testing.assert_allclose(table[name], column, rtol=1e-12, err_msg=name)
        else:
            np.testing.assert_array_equal(table[name], column, err_msg=name)


def test_an_image_without_objects_gives_empty_columns(rng):
    nothing = np.zeros((6, 7), np.int32)
    table, _ = _measured(nothing, rng.random((6, 7)), (3, 4), (1.0, 1.0))
    expected = measure_objects(nothing, (1.0, 1.0), "micrometer", np.zeros((6, 7)))
    assert list(table) == list(expected)
    assert {len(column) for column in table.values()} == {0}


def test_medians_of_any_type_are_those_of_numpy(rng):
    labels = rng.integers(0, 4, 3000)
    big = rng.integers(-(2**62), 2**62, 3000)
    values = (
        rng.standard_normal(3000),
        rng.standard_normal(3000).astype(np.float32) * 1e-30,
        big,
        rng.integers(0, 2**64, 3000, dtype=np.uint64),
        rng.integers(-128, 127, 3000).astype(np.int8),
        np.full(3000, 7.5),
    )
    for image in values:
        kept = labels > 0
        objects, voxels = np.unique(labels[kept], return_counts=True)
        own = [image[labels == label] for label in objects]
        search = MedianSearch.among(
            objects,
            voxels,
            np.array([part.min() for part in own], float),
            np.array([part.max() for part in own], float),
            image.dtype,
        )
        while not search.is_done:
            cuts = (slice(0, 1000), slice(1000, 3000))
            search = search.narrowed([search.counted(labels[cut], image[cut]) for cut in cuts])
        expected = [np.median(part.astype(float)) for part in own]
        np.testing.assert_allclose(search.medians, expected, rtol=1e-15)
