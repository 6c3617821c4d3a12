"""What runs are foretold to cost, whole and in blocks, and what is proposed instead."""

import re
from dataclasses import replace

import dask.array
import distributed
import numpy as np
import pytest

from napari_seedbed.core.threads import thread_count
from napari_seedbed.errors import MemoryForecastError
from napari_seedbed.pipeline.data import memory
from napari_seedbed.pipeline.data.image import Image
from napari_seedbed.pipeline.engine.local_workers import local_scheduler
from napari_seedbed.pipeline.operations import forecast, operations, run

FREE = 2_000_000_000
NUMBERS = re.compile(r"(?i)crop the image to (\d+) x (\d+) x (\d+) voxels")
LEVEL = re.compile(
    r"(?i)use level (\d) of its pyramid \(1/(\d) of the resolution, ([\d x]+) voxels"
)


@pytest.fixture(autouse=True)
def _two_gigabytes(monkeypatch):
    monkeypatch.setattr(memory, "available_memory", lambda: FREE)


def volume(shape, **about):
    """Voxels that take no memory, and say of a file that it is read when needed."""
    array = dask.array.zeros(shape, dtype=np.uint16, chunks=(32, 256, 256))
    return Image(array, ("z", "y", "x"), **about)


def test_blocks_cost_what_memory_has_whatever_the_size():
    small, large = (forecast("gaussian", {"image": volume((64, n, n))}) for n in (2048, 8192))
    assert small.text.startswith(f"about {memory.bytes_in_words(small.bytes)}, ")
    assert f"; in blocks {memory.bytes_in_words(small.blocks.bytes)}, " in small.text
    assert large.blocks.bytes == small.blocks.bytes < FREE < small.bytes < large.bytes
    assert large.blocks.seconds == pytest.approx(16 * small.blocks.seconds, rel=0.1)
    assert small.seconds < small.blocks.seconds
    # The voxels around each block are computed again.
    wide = forecast("gaussian", {"image": volume((64, 2048, 2048))}, {"sigma": 16})
    assert wide.blocks.seconds > small.blocks.seconds


def test_blocks_are_foretold_for_images_in_files_where_they_can_be_had():
    loaded = Image(np.zeros((8, 64, 64), np.uint16), ("z", "y", "x"))
    assert forecast("gaussian", {"image": loaded}).blocks is None
    assert forecast("total_variation", {"image": volume((64, 2048, 2048))}).blocks is None
    part = forecast("gaussian", {"image": volume((64, 2048, 2048))}, region=(slice(0, 9),) * 3)
    assert part.blocks is None


def test_workers_of_a_scheduler_are_asked_what_they_have():
    with local_scheduler(2) as begun:
        address = begun()
        with distributed.Client(address) as client:
            client.wait_for_workers(2, timeout=60)
        found = forecast("gaussian", {"image": volume((64, 2048, 2048))}, scheduler=address)
    assert found.text.endswith(f"; on the cluster {found.cluster.text}")
    cores = thread_count()
    assert found.cluster.seconds == pytest.approx(found.blocks.seconds * cores / 2, rel=0.5)


@pytest.mark.parametrize("name", ["gaussian", "sato", "total_variation", "label"])
def test_refusal_proposes_what_fits(name):
    """Each proposal, followed, is a run that fits; a crop a little larger is not."""
    image = volume((600, 1500, 2000), spacing=(1.0, 0.5, 0.5))
    with pytest.raises(MemoryForecastError) as refused:
        run(name, {"image": image})
    told = str(refused.value)
    assert told == (
        f"This needs {memory.bytes_in_words(forecast(name, {'image': image}).bytes)} of memory and "
        f"only 2.0 GB are free. {forecast(name, {'image': image}).instead}"
    )
    crop = tuple(int(n) for n in NUMBERS.search(told).groups())
    assert forecast(name, {"image": volume(crop, spacing=image.spacing)}).fits
    larger = tuple(int(1.02 * n) for n in crop)
    assert not forecast(name, {"image": volume(larger, spacing=image.spacing)}).fits
    _, factor, shape = LEVEL.search(told).groups()
    spacing = (max(1.0, 0.5 * int(factor)), 0.5 * int(factor), 0.5 * int(factor))
    level = tuple(int(n) for n in shape.split(" x "))
    assert level[1:] == tuple(-(-n // int(factor)) for n in (1500, 2000))
    assert forecast(name, {"image": volume(level, spacing=spacing)}).fits
    blocks = forecast(name, {"image": image}).blocks
    assert ("in blocks (" in told) == (blocks is not None)


def test_voxels_in_memory_are_proposed_to_be_read_from_a_file():
    nothing = np.broadcast_to(np.uint16(0), (600, 1500, 2000))
    with pytest.raises(MemoryForecastError, match="Run it from a file in blocks"):
        run("gaussian", {"image": Image(nothing, ("z", "y", "x"))})


def test_what_is_refused_whatever_is_done_says_so(monkeypatch):
    monkeypatch.setattr(memory, "available_memory", lambda: 1000)
    gaussian = replace(operations["gaussian"], halo=None)
    with pytest.raises(MemoryForecastError, match=r"only 1\.0 kB are free\. Close other programs"):
        run(gaussian, {"image": volume((600, 1500, 2000))})
