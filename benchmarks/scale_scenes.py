"""Volumes of any size with balls in them, written as OME-Zarr a block at a time."""

from collections.abc import Collection
from pathlib import Path
from typing import Any

import dask.array
import numpy as np
from numpy.typing import NDArray

from napari_seedbed.pipeline.data.image import Image
from napari_seedbed.pipeline.files.zarr_writing import write_zarr, write_zarr_labels

AXES = ("z", "y", "x")
SPACING = 0.5
"""Micrometers from voxel to voxel."""

CELL = 32
"""Voxels along the side of the cube that holds a ball, some of which touch their neighbours."""

_GROUND, _BALL, _NOISE = 100, 300, 20
_WRITTEN_AT_ONCE = (32, 512, 512)


def scene_paths(folder: Path, n: int, kinds: Collection[str]) -> dict[str, Path]:
    """Return the stores with n voxels along each side, made where they are not there.

    Parameters
    ----------
    folder : Path
    n : int
    kinds : collection of str
        `image` in uint16; `mask`, 1 within balls; `labels`, a number for each ball; and `seeds`,
        the same in the middle of the balls alone.
    """
    paths = {kind: folder / f"balls_{n}_{kind}.zarr" for kind in kinds}
    for kind, path in paths.items():
        if path.exists():
            continue
        shape = (n, n, n)
        chunks = tuple(min(a, n) for a in _WRITTEN_AT_ONCE)
        like = dask.array.empty(shape, chunks=chunks, dtype=np.uint8)
        kept = np.uint16 if kind == "image" else np.uint8 if kind == "mask" else np.int32
        array = like.map_blocks(_part, kind, shape, dtype=kept)
        image = Image(array, AXES, (SPACING,) * 3, ("micrometer",) * 3, name=kind)
        write = write_zarr if kind == "image" else write_zarr_labels
        write(path, image)
    return paths


def _part(
    block: NDArray[Any],
    kind: str,
    shape: tuple[int, ...],
    block_info: dict[Any, Any] | None = None,
) -> NDArray[Any]:
    """The voxels of one block: what a voxel is depends on its place alone."""
    assert block_info is not None
    bounds = block_info[0]["array-location"]
    places = np.ogrid[tuple(slice(*pair) for pair in bounds)]
    cells = [place // CELL for place in places]
    counts = [-(-n // CELL) for n in shape]
    number = (cells[0] * counts[1] + cells[1]) * counts[2] + cells[2] + 1
    middles = np.random.default_rng(7).integers(-2, 3, (8, 8, 8, 3))
    radii = np.random.default_rng(8).uniform(8, 16, (8, 8, 8))
    nth = tuple(cell % 8 for cell in cells)
    away = sum(
        (place - cell * CELL - CELL // 2 - middles[(*nth, axis)]) ** 2
        for axis, (place, cell) in enumerate(zip(places, cells, strict=True))
    )
    if kind == "seeds":
        return np.where(away <= 4, number, 0).astype(np.int32)
    inside = away <= radii[nth] ** 2
    if kind == "mask":
        return inside.astype(np.uint8)
    if kind == "labels":
        return np.where(inside, number, 0).astype(np.int32)
    rng = np.random.default_rng([pair[0] for pair in bounds])
    noise = rng.standard_normal(block.shape, np.float32)
    return (_GROUND + _BALL * inside + _NOISE * noise).clip(0).astype(np.uint16)
