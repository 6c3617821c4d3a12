"""What a run in blocks gives, compared with what a run at once does."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from scipy import ndimage as ndi

from napari_seedbed.core import label
from napari_seedbed.pipeline.data.image import Image
from napari_seedbed.pipeline.data.tables import Table
from napari_seedbed.pipeline.engine.block_plans import Blocks
from napari_seedbed.pipeline.engine.runs import run

BLOCKS = ((12, 16, 24), (24, 16, 48), (8, 48, 48))


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
