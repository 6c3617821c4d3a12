"""Maxima, colours and graphs of regions in blocks, against the same at once."""

import numpy as np
from block_comparison import check_same
from scipy import ndimage as ndi

from napari_seedbed.core import label
from napari_seedbed.pipeline.data.image import Image

SPACING = (2.0, 0.5, 0.7)
AXES = ("z", "y", "x")


def _grey(rng, shape=(20, 33, 41)):
    smooth = ndi.gaussian_filter(rng.random(shape), 1.3)
    return (smooth * 2000).astype(np.uint16)


def _regions(grey):
    return label(grey // 40 + 1, connectivity=1) - 1


def test_maxima_in_blocks_are_those_of_the_whole(tmp_path, rng):
    grey = Image(_grey(rng), AXES, SPACING)
    check_same("local_maxima", {"image": grey}, {"distance": 1.5}, tmp_path)
    flat = Image(np.clip(_grey(rng), 900, 1000), AXES, SPACING)
    check_same("local_maxima", {"image": flat}, {"dark": True, "border": 1.0}, tmp_path / "flat")
    even = Image(np.full((20, 33, 41), 7), AXES)
    check_same("local_maxima", {"image": even}, {}, tmp_path / "even", ((16, 16, 16),))


def test_regions_of_grey_values_in_blocks_are_those_of_the_whole(tmp_path, rng):
    grey = _grey(rng)
    inputs = {"image": Image(grey, AXES, SPACING), "other": Image(_regions(grey), AXES, SPACING)}
    check_same("average_colour", inputs, {}, tmp_path, rtol=1e-6)
    for nth, parameters in enumerate(
        (
            {"n_regions": 60, "average": True},
            {"method": "cut", "stop_at": "level", "level": 25.0},
            {"weight": "boundary", "sigma": 1.0, "n_regions": 30, "edits": "take out 2"},
        )
    ):
        check_same("region_graph_merge", inputs, parameters, tmp_path / str(nth), rtol=1e-6)


def test_colours_of_regions_in_blocks_are_those_of_the_whole(tmp_path, rng):
    grey = _grey(rng, (33, 41, 3))
    colours = Image((grey // 8).astype(np.uint8), ("y", "x", "c"), rgb=True)
    regions = Image(_regions(grey[..., 0]), ("y", "x"))
    inputs = {"image": colours, "other": regions}
    check_same("average_colour", inputs, {}, tmp_path, ((16, 16),))
    wanted = {"n_regions": 20, "average": True}
    check_same("region_graph_merge", inputs, wanted, tmp_path, ((16, 16), (33, 8)))
