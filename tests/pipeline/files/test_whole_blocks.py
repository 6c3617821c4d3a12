"""Blocks of OME-Zarr that were cut short in copying are refused, not read as something else."""

import numpy as np
import pytest
import zarr
from zarr.codecs import BloscCodec

from napari_seedbed.errors import FileError
from napari_seedbed.pipeline.files import read_image

BLOSC = {2: {"id": "blosc", "cname": "lz4"}, 3: BloscCodec(cname="zstd")}


@pytest.mark.parametrize("version", BLOSC)
@pytest.mark.parametrize("noise", [True, False], ids=["noise", "smooth"])
def test_blocks_of_blosc_that_were_cut_short_are_refused(tmp_path, rng, version, noise):
    array = (
        rng.integers(0, 60_000, (40, 50)) if noise else np.add.outer(np.arange(40), np.arange(50))
    )
    group = zarr.open_group(tmp_path / "a.zarr", mode="w", zarr_format=version)
    voxels = group.create_array(
        "0", shape=array.shape, dtype="uint16", chunks=array.shape, compressors=BLOSC[version]
    )
    voxels[...] = array
    image = {"multiscales": [{"axes": ["y", "x"], "datasets": [{"path": "0"}]}]}
    group.attrs.update(image if version == 2 else {"ome": image})
    block = tmp_path / "a.zarr" / "0" / ("0.0" if version == 2 else "c/0/0")
    whole = block.read_bytes()
    np.testing.assert_array_equal(read_image(tmp_path / "a.zarr").array, array)
    for size in (0, 10, 16, 17, len(whole) // 2, len(whole) - 1):
        block.write_bytes(whole[:size])
        for lazy in (False, True):
            with pytest.raises(FileError):
                np.asarray(read_image(tmp_path / "a.zarr", lazy=lazy).array)
