"""Operations on objects in blocks, against the same at once."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy import ndimage as ndi

from napari_seedbed.core import label
from napari_seedbed.pipeline.data.image import Image
from napari_seedbed.pipeline.data.tables import Table
from napari_seedbed.pipeline.engine.block_plans import Blocks
from napari_seedbed.pipeline.engine.runs import run

BLOCKS = ((8, 16, 16), (24, 16, 48), (8, 48, 48))
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


def scene(rng, shape=(20, 33, 41)):
    """Labels with gaps, negative values, holes and several pieces, and the mask of them."""
    smooth = ndi.gaussian_filter(rng.random(shape), 1.3)
    found = label(smooth > np.quantile(smooth, 0.7))
    cells = np.where(found % 5 == 2, 9, found * 11) - 3 * (rng.random(shape) < 0.01)
    shell = np.abs(np.indices(shape) - np.reshape(np.array(shape) // 2, (-1, 1, 1, 1))).max(axis=0)
    cells[shell == 6] = 999
    return cells.astype(np.int32), cells > 0


def check_same(
    operation: str,
    inputs: Mapping[str, Image],
    parameters: Mapping[str, Any],
    folder: Path,
    blocks: tuple[tuple[int, ...], ...] = BLOCKS,
    rtol: float = 0.0,
) -> None:
    """Compare every output, every column and every note over several blocks."""
    expected = run(operation, inputs, parameters)
    for nth, shape in enumerate(blocks):
        place = folder / f"{operation}-{nth}"
        place.mkdir(parents=True)
        found = run(operation, inputs, parameters, blocks=Blocks(place, shape))
        assert found.record["notes"] == expected.record["notes"]
        assert list(found.outputs) == list(expected.outputs)
        for name, output in expected.outputs.items():
            other = found.outputs[name]
            assert type(other) is type(output)
            if isinstance(output, Image):
                assert (other.axes, other.dtype, other.spacing, other.name) == (
                    output.axes,
                    output.dtype,
                    output.spacing,
                    output.name,
                )
                np.testing.assert_allclose(np.asarray(other.array), output.array, rtol=rtol)
            else:
                assert other.name == output.name
                assert list(other.columns) == list(output.columns)
                for key, column in output.columns.items():
                    _check_column(other.columns[key], column, rtol, key)
                if not isinstance(output, Table):
                    np.testing.assert_array_equal(other.points, output.points)
                    np.testing.assert_array_equal(other.times, output.times)


def _check_column(found: np.ndarray, expected: np.ndarray, rtol: float, name: str) -> None:
    if rtol and expected.dtype.kind == "f":
        np.testing.assert_allclose(found, expected, rtol=rtol, err_msg=name)
    else:
        np.testing.assert_array_equal(found, expected, err_msg=name)


@pytest.mark.parametrize("operation", CASES)
def test_objects_in_blocks_are_those_of_the_whole(operation, tmp_path, rng):
    labels, mask = scene(rng)
    spacing = ("z", "y", "x"), SPACING
    for nth, parameters in enumerate(CASES[operation]):
        for what, array in (("labels", labels), ("mask", mask)):
            inputs = {"image": Image(array, *spacing)}
            if operation == "relate_objects":
                inputs["other"] = Image(np.roll(labels, 4, axis=2), *spacing)
            check_same(operation, inputs, parameters, tmp_path / f"{what}{nth}")


def test_flat_series_are_cut_into_blocks_by_time_point(tmp_path, rng):
    labels = np.stack([scene(rng, (33, 41, 7))[0][..., nth] for nth in range(2)])
    image = Image(labels, ("t", "y", "x"), SPACING[1:])
    for operation in ("label", "count", "fill_holes", "clear_border"):
        check_same(operation, {"image": image}, {}, tmp_path, ((16, 16), (33, 16)))


def test_nothing_is_found_in_an_empty_image(tmp_path):
    image = Image(np.zeros((20, 33, 41), bool), ("z", "y", "x"))
    for operation in CASES:
        inputs = (
            {"image": image, "other": image} if operation == "relate_objects" else {"image": image}
        )
        check_same(operation, inputs, {}, tmp_path, ((16, 16, 16),))
