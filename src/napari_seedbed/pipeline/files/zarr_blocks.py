"""An image in OME-Zarr that is written block by block, maybe by several processes."""

import secrets
import shutil
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property, partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_seedbed.core.progress import check_stop
from napari_seedbed.errors import FileError
from napari_seedbed.pipeline.data.image import SPATIAL, Image
from napari_seedbed.pipeline.files.atomic_files import folder_written_whole, why_unwritable
from napari_seedbed.pipeline.files.voxels_in_file import lazy_voxels
from napari_seedbed.pipeline.files.zarr_levels import Level, halves_of, new_array, shards_of
from napari_seedbed.pipeline.files.zarr_reading import OWN
from napari_seedbed.pipeline.files.zarr_store import ZarrStore, array_of
from napari_seedbed.pipeline.files.zarr_writing import (
    as_stored,
    attributes_of,
    is_all_own,
    stored_levels,
)

UNFINISHED, FINISHED = "unfinished", "run"
"""Where a store that is being written says of which run it is, and where when it is whole."""

_PART = ".part"


@dataclass(frozen=True)
class BlockStore:
    """An image in a folder, of which each block is written once and as a whole.

    A block is made of whole shards, each of which is a file that appears by being renamed: who
    reads meanwhile sees a block's voxels or the zeros before. It is passed to other processes as
    the path that it is.

    Attributes
    ----------
    path : Path
    image : Image
        What is known of the image, over a lazy array of zeros.
    is_labels : bool
    block : tuple of int
        Voxels along the axes of space, as `whole_shards` gives them.
    """

    path: Path
    image: Image
    is_labels: bool
    block: tuple[int, ...]

    @cached_property
    def levels(self) -> list[Level]:
        """Its resolutions."""
        return stored_levels(as_stored(self.image))

    def begin(self, run: Mapping[str, Any], *, lower: bool = True) -> None:
        """Make it, or go on with what the same run left; what another run wrote is replaced.

        Parameters
        ----------
        run : mapping
            What tells one run from others, of plain values.
        lower : bool
            Whether it has lower resolutions.

        Raises
        ------
        FileError
            When it cannot be written, or something else is there.
        """
        if run in (unfinished_run(self.path), run_of(self.path)):
            # of writers that were killed
            for left in self.path.glob(f".*{_PART}"):
                shutil.rmtree(left, ignore_errors=True)
            return
        import zarr

        with folder_written_whole(self.path, is_own=is_all_own) as temporary:
            group = zarr.open_group(temporary, mode="w", zarr_format=3)
            stored = as_stored(self.image)
            levels = self.levels[: None if lower else 1]
            for number, level in enumerate(levels):
                block = None if number else self.block
                new_array(group, str(number), level.shape, stored.dtype, stored.axes, 3, block)
            said = attributes_of(self.image, levels, is_labels=self.is_labels)
            said[OWN][UNFINISHED] = dict(run)
            group.attrs.update(said)

    def lazy(self) -> Image:
        """The image over what is written so far."""
        reopen = partial(array_of, self.path, "0")
        stored = as_stored(self.image)
        array = lazy_voxels(self.path, reopen(), token="0", lock=False, reopen=reopen)
        array = array.transpose([stored.axes.index(axis) for axis in self.image.axes])
        return replace(self.image, array=array.astype(self.image.dtype))

    def _region(self, place: Mapping[str, slice]) -> tuple[slice, ...]:
        stored = as_stored(self.image)
        return tuple(
            place.get(axis, slice(0, n)) for axis, n in zip(stored.axes, stored.shape, strict=True)
        )

    def is_written(self, place: Mapping[str, slice]) -> bool:
        """Whether all files of a block are there; see `write`."""
        return self._are_there(0, self._region(place))

    def write(self, values: Image, place: Mapping[str, slice]) -> None:
        """Write a block.

        Parameters
        ----------
        values : Image
            With any of the image's axes; those that are not there are one voxel long.
        place : mapping of str to slice
            Where it lies along its axes; along others it is all of the image.

        Raises
        ------
        FileError
            When the disk is full, or the folder was taken away.
        """
        stored = as_stored(values)
        missing = [axis for axis in as_stored(self.image).axes if axis not in stored.axes]
        array = np.asarray(stored.array)[(np.newaxis,) * len(missing)]
        # t comes before c, and both before space
        order = sorted(range(array.ndim), key=lambda i: _ORDER.index([*missing, *stored.axes][i]))
        self._put(0, self._region(place), array.transpose(order))

    def write_lower(self, number: int, region: tuple[slice, ...]) -> None:
        """Write a shard of a lower resolution, from the one before it, unless it is there."""
        if self._are_there(number, region):
            return
        halved = self.levels[number].halved
        before = self._array(number - 1)
        self._put(number, region, halves_of(before, region, halved, are_labels=self.is_labels))

    def lower_shards(self, number: int) -> list[tuple[slice, ...]]:
        """The parts of a lower resolution that `write_lower` writes."""
        return shards_of(self._array(number))

    def finish(self, record: Mapping[str, Any] | None) -> Image:
        """Say how it was made, and that it is whole; return it over its voxels."""
        import zarr

        image = replace(self.image, record=None if record is None else dict(record))
        run = unfinished_run(self.path)
        if run is None:
            # It was whole before: who reads it knows it by its age.
            return replace(self.lazy(), record=image.record)
        lowest = self._array(len(self.levels) - 1)
        said = attributes_of(image, self.levels, is_labels=self.is_labels, lowest=lowest)
        said[OWN][FINISHED] = run
        zarr.open_group(self.path, mode="r+", zarr_format=3).attrs.update(said)
        return replace(self.lazy(), record=image.record)

    def _array(self, number: int) -> Any:
        import zarr

        return zarr.open_array(self.path / str(number), mode="r+", zarr_format=3)

    def _are_there(self, number: int, region: tuple[slice, ...]) -> bool:
        return all(file.is_file() for file in self._files(number, region))

    def _files(self, number: int, region: tuple[slice, ...]) -> list[Path]:
        array = self._array(number)
        block = array.shards or array.chunks
        first = [part.start // size for part, size in zip(region, block, strict=True)]
        last = [-(-part.stop // size) for part, size in zip(region, block, strict=True)]
        counts = [end - begin for begin, end in zip(first, last, strict=True)]
        folder = self.path / str(number)
        return [
            folder / array.metadata.encode_chunk_key(tuple(np.add(first, place).tolist()))
            for place in np.ndindex(*counts)
        ]

    def _put(self, number: int, region: tuple[slice, ...], values: NDArray[Any]) -> None:
        """Write into files elsewhere in the folder, and rename them."""
        aside = self.path / f".{secrets.token_hex(8)}{_PART}"
        try:
            _elsewhere(self._array(number), aside)[region] = values
            check_stop()
            for file in self._files(number, region):
                file.parent.mkdir(parents=True, exist_ok=True)
                (aside / file.relative_to(self.path / str(number))).replace(file)
        except OSError as error:
            raise FileError(
                f"{self.path} could not be written: {why_unwritable(error)}."
            ) from error
        finally:
            shutil.rmtree(aside, ignore_errors=True)


_ORDER = ("t", "c", *SPATIAL)


def _elsewhere(array: Any, folder: Path) -> Any:
    """An array like another one, whose blocks are in another folder."""
    import zarr
    from zarr.storage import LocalStore, StorePath

    config: Any = {"write_empty_chunks": True}
    return zarr.Array(zarr.AsyncArray(array.metadata, StorePath(LocalStore(folder)), config))


def unfinished_run(path: Path) -> dict[str, Any] | None:
    """Of which run a store was left, None where there is none that is unfinished."""
    return _said_of_run(path, UNFINISHED)


def run_of(path: Path) -> dict[str, Any] | None:
    """Of which run a store is that is whole, None where there is none."""
    return _said_of_run(path, FINISHED)


def _said_of_run(path: Path, where: str) -> dict[str, Any] | None:
    if not path.is_dir():
        return None
    try:
        said = ZarrStore(path).attributes([""])[0] or {}
    except (FileError, OSError, ValueError):
        return None
    found = (said.get(OWN) or {}).get(where)
    return found if isinstance(found, dict) else None
