"""Operations of several passes over blocks: what their functions see, and what comes out."""

from dataclasses import replace

import numpy as np

from napari_seedbed.pipeline.data.image import Image
from napari_seedbed.pipeline.engine.block_jobs import BlockJob, BlockView
from napari_seedbed.pipeline.engine.block_plans import Blocks
from napari_seedbed.pipeline.engine.runs import run
from napari_seedbed.pipeline.files.image_reading import read_image
from napari_seedbed.pipeline.operations import get


def _largest(block: BlockView) -> int:
    return int(block.image.max())


def _around(block: BlockView) -> np.ndarray:
    """Each voxel and its neighbours along x, whose sum does not end at a block's face."""
    image = block.image.astype(np.int32)
    ends = np.pad(image, [(0, 0)] * (image.ndim - 1) + [(1, 1)])
    return (ends[..., :-2] + ends[..., 1:-1] + ends[..., 2:])[block.inner]


def _added(block: BlockView, sums: Image, largest: int) -> np.ndarray:
    return block.of(sums)[block.inner] + largest


def _three_passes(job: BlockJob) -> dict[str, Image]:
    largest = max(job.map(_largest))
    sums = job.scratch("sums", _around, halo=(0,) * (len(job.spacing) - 1) + (1,), dtype=np.int32)
    labels = job.write("labels", _added, sums, largest, dtype=np.int32)
    job.note("The largest is {}.".format, largest)
    return {"labels": labels}


def test_passes_over_the_blocks_of_each_time_point_and_channel(tmp_path, rng):
    operation = replace(get("label"), in_blocks=_three_passes)
    image = Image(rng.integers(1, 9, (2, 20, 33, 41)).astype(np.uint8), ("t", "z", "y", "x"))
    image.array[1, 3, 4, 5] = 30
    seen = []
    blocks = Blocks(
        tmp_path, (8, 16, 16), near=(19, 32, 40), watch=lambda *about: seen.append(about)
    )
    result = run(operation, {"image": image}, blocks=blocks)
    padded = np.pad(image.array.astype(int), ((0, 0), (0, 0), (0, 0), (1, 1)))
    largest = np.array([8, 30]).reshape(2, 1, 1, 1)
    expected = padded[..., :-2] + padded[..., 1:-1] + padded[..., 2:] + largest
    labels = result.image("labels")
    assert labels.is_lazy
    assert labels.dtype == np.int32
    np.testing.assert_array_equal(labels.array, expected)
    assert result.record["notes"] == [
        "Time point 1: The largest is 8.",
        "Time point 2: The largest is 30.",
    ]
    # The block that is looked at comes among the first, and each of both time points once.
    assert ("labels", (slice(16, 20), slice(32, 33), slice(32, 41))) in seen[:8]
    assert len(seen) == 2 * len(set(map(str, seen))) == 2 * 3 * 3 * 3
    # What was only for the way is gone.
    assert [path.name for path in tmp_path.iterdir()] == ["labels.zarr"]
    read = read_image(tmp_path / "labels.zarr")
    np.testing.assert_array_equal(read.array, expected)
