"""OME-Zarr that declares far more voxels than any memory holds, of which hardly one is stored."""

import numpy as np
import zarr

FILLER = 100
"""The value of what is not stored."""


def large_store(path, shape=(3072, 4096, 4096), n_levels=5, chunks=(32, 256, 256), per_shard=4):
    """Write the store: uint16, by default of 100 GB; only the lowest resolution has voxels.

    It holds noise from 0 to 1000, the others `FILLER` everywhere.
    """
    group = zarr.open_group(str(path), mode="w", zarr_format=3)
    datasets, lengths, factor = [], tuple(shape), 1.0
    for level in range(n_levels):
        chunk = tuple(min(n, size) for n, size in zip(lengths, chunks, strict=True))
        shard = (chunk[0], *(size * per_shard for size in chunk[1:]))
        array = group.create_array(
            str(level),
            shape=lengths,
            dtype="uint16",
            chunks=chunk,
            shards=shard if per_shard > 1 else None,
            fill_value=FILLER,
        )
        place = [{"type": "scale", "scale": [factor] * 3}]
        place.append({"type": "translation", "translation": [(factor - 1) / 2] * 3})
        datasets.append({"path": str(level), "coordinateTransformations": place})
        if level < n_levels - 1:
            lengths, factor = tuple(-(-n // 2) for n in lengths), factor * 2
    array[...] = np.random.default_rng(0).integers(0, 1000, lengths)
    axes = [{"name": axis, "type": "space", "unit": "micrometer"} for axis in "zyx"]
    described = {"name": "large", "axes": axes, "datasets": datasets}
    group.attrs["ome"] = {"version": "0.5", "multiscales": [described]}
    return path


def stored_pyramid(path, shape, rng, chunks=(8, 128, 128), n_levels=3):
    """Write a store of which all voxels are there, noise in each resolution; and give these."""
    large_store(path, shape, n_levels, chunks, 1)
    group, levels = zarr.open_group(str(path)), []
    for number in range(n_levels):
        array = group[str(number)]
        levels.append(rng.integers(0, 4000, array.shape).astype(np.uint16))
        array[...] = levels[-1]
    return path, levels
