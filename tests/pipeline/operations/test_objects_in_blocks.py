"""Operations on objects in blocks, against the same at once."""

from typing import Any

import numpy as np
import pytest
from block_comparison import BLOCKS, check_same, scene

from napari_seedbed.pipeline.data.image import Image

SPACING = (2.0, 0.5, 0.7)

CASES: dict[str, list[dict[str, Any]]] = {
    "label": [{}, {"connectivity": "faces"}],
    "count": [{}, {"objects": "pieces"}],
    "remove_by_size": [{"smallest": 20.0, "largest": 200.0}, {"objects": "pieces"}],
    "keep_largest": [{"number": 3}, {"number": 2, "objects": "pieces"}],
    "clear_border": [{}, {"faces": "sides", "distance": 1.5, "objects": "labels"}],
    "relabel_sequential": [{"start": 5}],
    "sort_labels": [{"by": "x"}, {"descending": True}],
    "join_labels": [{"distance": 1.2}, {"connectivity": "faces"}],
    "fill_holes": [{}, {"slicewise": True, "largest": 4.0}],
    "relate_objects": [{}, {"rows": "parents"}],
}


@pytest.mark.parametrize("operation", CASES)
def test_objects_in_blocks_are_those_of_the_whole(operation, tmp_path, rng):
    labels, mask = scene(rng)
    spacing = ("z", "y", "x"), SPACING
    for nth, parameters in enumerate(CASES[operation]):
        for what, array, blocks in (("labels", labels, BLOCKS[:2]), ("mask", mask, BLOCKS[2:])):
            inputs = {"image": Image(array, *spacing)}
            if operation == "relate_objects":
                inputs["other"] = Image(np.roll(labels, 4, axis=2), *spacing)
            check_same(operation, inputs, parameters, tmp_path / f"{what}{nth}", blocks)


def test_flat_series_are_cut_into_blocks_by_time_point(tmp_path, rng):
    labels = np.stack([scene(rng, (33, 41, 7))[0][..., nth] for nth in range(2)])
    image = Image(labels, ("t", "y", "x"), SPACING[1:])
    for operation in ("label", "count", "fill_holes", "clear_border"):
        check_same(operation, {"image": image}, {}, tmp_path, ((16, 16), (33, 16)))


def test_nothing_is_found_in_an_empty_image(tmp_path):
    image = Image(np.zeros((20, 33, 41), bool), ("z", "y", "x"))
    for operation in ("label", "count", "sort_labels", "fill_holes", "measure"):
        check_same(operation, {"image": image}, {}, tmp_path, ((16, 16, 16),))
