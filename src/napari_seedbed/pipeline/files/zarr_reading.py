"""Images and labels from OME-Zarr: in a folder, in a zip file or at a URL."""

import math
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from napari_seedbed.pipeline.data.image import Image
from napari_seedbed.pipeline.files.images_of_file import ImageOfFile, chosen_image
from napari_seedbed.pipeline.files.ome_zarr_axes import axes_of, channels_of, placement
from napari_seedbed.pipeline.files.ome_zarr_images import ZarrImage, holds_ome_zarr, images_in
from napari_seedbed.pipeline.files.placed_images import Placing, placed_image
from napari_seedbed.pipeline.files.places import is_url
from napari_seedbed.pipeline.files.voxels_in_file import LAZY_ABOVE, lazy_voxels, missing_note
from napari_seedbed.pipeline.files.whole_blocks import with_whole_blocks
from napari_seedbed.pipeline.files.zarr_store import MARKERS, ZarrStore, array_of, block_count

OWN = "napari_seedbed"
"""Under which Zarr files say what OME-Zarr has no word for."""

RGB = "rgb"

# Listing the blocks of an image takes a second for about as many.
_MOST_LISTED = 100_000
# Shapes and types of more images are not looked up for a list of them.
_MOST_OPENED = 50


def is_zarr(path: Path) -> bool:
    """Whether a folder or URL holds one Zarr array, or a group of them."""
    if is_url(path):
        return ZarrStore(path).attributes([""])[0] is not None
    try:
        return any((path / name).is_file() for name in MARKERS)
    except OSError:
        return False


def holds_images(path: Path) -> bool:
    """Whether Zarr says that it is an image, or a collection of some."""
    return holds_ome_zarr(ZarrStore(path))


def images_of_zarr(path: Path) -> list[ImageOfFile]:
    """All images of a hierarchy, in its order, and then the labels that lie on them."""
    store = ZarrStore(path)
    images = images_in(store)
    if len(images) > _MOST_OPENED:
        return [_named(image) for image in images]
    voxels = [store.array(image.paths[0]) for image in images]
    return [
        replace(_named(image), shape=one.shape, dtype=str(one.dtype))
        for image, one in zip(images, voxels, strict=True)
    ]


def read_zarr(path: Path, name: str, lazy: bool | None, series: int | None) -> Image:
    """Read an image as `read_image` does, in full resolution; `name` is that of the file.

    Raises
    ------
    FileError
        When it holds no image in the sense of OME-Zarr.
    InputError
        When it has no such image.
    """
    store = ZarrStore(path)
    images = images_in(store)
    nth, name, notes = chosen_image(path, name, series, [_named(image) for image in images])
    return _resolution(store, images[nth], 0, name, [*notes, *images[nth].notes], lazy)


def lower_levels_of_zarr(path: Path, series: int | None) -> list[Image]:
    """The lower resolutions of an image, as far as they have its axes; none is read."""
    store = ZarrStore(path)
    image = image_of_store(store, series)
    levels = range(1, len(image.paths))
    return [_resolution(store, image, level, image.title, [], True) for level in levels]


def image_of_store(store: ZarrStore, series: int | None) -> ZarrImage:
    """What a hierarchy says of the image that `read_zarr` reads."""
    images = images_in(store)
    return images[chosen_image(store.path, "", series, [_named(one) for one in images]).nth]


def _resolution(
    store: ZarrStore, image: ZarrImage, level: int, name: str, notes: list[str], lazy: bool | None
) -> Image:
    path, member = store.path, image.paths[level]
    voxels = store.array(member)
    letters, units = axes_of(image.described, voxels.ndim)
    if lazy is None:
        lazy = voxels.nbytes > LAZY_ABOVE or voxels.nchunks > _MOST_LISTED
    reopen = partial(array_of, path, member)
    array = lazy_voxels(path, voxels, token=member, lock=False, reopen=reopen)
    if not lazy:
        array = np.asarray(with_whole_blocks(voxels)[...], dtype=array.dtype)
    if level == 0 and not is_url(path):
        notes = notes + _missing_blocks(voxels)
    scale, shift, more = placement(image.described, level, voxels.ndim)
    along = [(letter.lower(), i) for i, letter in enumerate(letters) if letter in "ZYX"]
    where = Placing(
        {axis: (float(scale[i]), units[i]) for axis, i in along},
        {axis: float(shift[i]) for axis, i in along},
    )
    channel_names, channel_colors = channels_of(image.attributes)
    if "C" in letters and (image.attributes.get(OWN) or {}).get(RGB):
        # colours come last, as the samples of a pixel
        position = letters.index("C")
        array = array.transpose([*(i for i in range(array.ndim) if i != position), position])
        letters = letters.replace("C", "") + "S"
    return placed_image(
        path,
        array,
        letters,
        where,
        [*notes, *more],
        channel_names=channel_names,
        channel_colors=channel_colors,
        name=name,
        holds_labels=image.is_labels,
    )


def _named(image: ZarrImage) -> ImageOfFile:
    return ImageOfFile(image.title, labels_of=image.lies_on)


def _missing_blocks(voxels: Any) -> list[str]:
    """Writers may leave out blocks of background; a copy that was cut short leaves out others."""
    if voxels.nchunks > _MOST_LISTED:
        return []
    block = voxels.shards or voxels.chunks
    total = block_count(voxels.shape, block)
    # From version 3.1 on, zarr counts each shard as often as chunks fit into it; then it has a
    # count of shards, too.
    counts_chunks = hasattr(type(voxels), "_nshards_initialized")
    times = math.prod(block) // math.prod(voxels.chunks) if counts_chunks else 1
    there = voxels.nchunks_initialized // times
    return missing_note(there, total, "blocks", voxels.fill_value or 0)
