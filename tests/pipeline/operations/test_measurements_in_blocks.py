"""Measurements and scores in blocks, against the same at once."""

import numpy as np
from block_comparison import check_same, scene

from napari_seedbed.pipeline.data.image import Image

SPACING = (2.0, 0.5, 0.7)
ROUNDED = 1e-6
"""Sums of float values are taken in another order, and distances of surfaces in 32 bits."""


def test_measurements_in_blocks_are_those_of_the_whole(tmp_path, rng):
    labels, mask = scene(rng)
    place = ("z", "y", "x"), SPACING, ("micrometer",) * 3
    grey = Image(rng.integers(0, 60_000, labels.shape).astype(np.uint16), *place)
    check_same("measure", {"image": Image(labels, *place), "other": grey}, {}, tmp_path, rtol=1e-12)
    some = dict.fromkeys(("shape", "hull", "neighbours"), False)
    check_same("measure", {"image": Image(mask, *place)}, some, tmp_path / "mask")


def test_channels_and_time_points_are_measured_in_blocks(tmp_path, rng):
    labels = np.stack([scene(rng, (33, 41, 7))[0][..., nth] for nth in range(2)])
    image = Image(labels, ("t", "y", "x"))
    colours = Image(rng.random((2, 33, 41, 3)).astype(np.float32), ("t", "y", "x", "c"), rgb=True)
    inputs = {"image": image, "other": colours}
    check_same("measure", inputs, {}, tmp_path, ((16, 16),), rtol=1e-6)


def test_scores_in_blocks_are_those_of_the_whole(tmp_path, rng):
    labels, _ = scene(rng)
    truth = np.roll(labels, 3, axis=2)
    truth[:, :, :20] = 0
    place = ("z", "y", "x"), SPACING
    inputs = {"image": Image(labels, *place), "other": Image(truth, *place)}
    wanted = {"points": True, "agreement": True, "background": 999}
    check_same("scores", inputs, wanted, tmp_path, rtol=ROUNDED)
    same = {"image": Image(labels, *place), "other": Image(labels, *place)}
    check_same("scores", same, {}, tmp_path / "same", ((12, 16, 24),))
