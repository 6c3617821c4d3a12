"""Images and labels from OME-Zarr: in a folder, in a zip file or at a URL."""

import math
from pathlib import Path
from typing import Any

import numpy as np

from napari_seedbed.pipeline.data.image import SPATIAL, Image
from napari_seedbed.pipeline.data.named_axes import named_axes
from napari_seedbed.pipeline.data.units import convert
from napari_seedbed.pipeline.files.images_of_file import ImageOfFile, chosen_image, name_of_image
from napari_seedbed.pipeline.files.ome_zarr_axes import axes_of, channels_of, placement
from napari_seedbed.pipeline.files.ome_zarr_images import ZarrImage, holds_ome_zarr, images_in
from napari_seedbed.pipeline.files.places import is_url
from napari_seedbed.pipeline.files.tiff_metadata import Metadata, set_sizes
from napari_seedbed.pipeline.files.voxels_in_file import LAZY_ABOVE, lazy_voxels
from napari_seedbed.pipeline.files.whole_blocks import with_whole_blocks
from napari_seedbed.pipeline.files.zarr_store import MARKERS, ZarrStore, block_count

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
        return [ImageOfFile(image.title, labels_of=image.lies_on) for image in images]
    return [_summary(store, image) for image in images]


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
    # Labels lie on an image; they are no further choice where there is one.
    n_choices = sum(image.lies_on is None for image in images) if series is None else len(images)
    nth, notes = chosen_image(path, series, n_choices)
    name = name_of_image(name, ImageOfFile(images[nth].title), series, len(images))
    return _resolution(store, images[nth], 0, name, notes, lazy)


def lower_levels_of_zarr(path: Path, series: int | None) -> list[Image]:
    """The lower resolutions of an image, as far as they have its axes; none is read."""
    store = ZarrStore(path)
    images = images_in(store)
    image = images[chosen_image(path, series, len(images))[0]]
    levels = range(1, len(image.paths))
    return [_resolution(store, image, level, image.title, [], True) for level in levels]


def _resolution(
    store: ZarrStore, image: ZarrImage, level: int, name: str, notes: list[str], lazy: bool | None
) -> Image:
    path, member = store.path, image.paths[level]
    voxels = store.array(member)
    letters, units = axes_of(image.described, voxels.ndim)
    if lazy is None:
        lazy = voxels.nbytes > LAZY_ABOVE or voxels.nchunks > _MOST_LISTED
    array = lazy_voxels(path, voxels, token=member, lock=False)
    if not lazy:
        array = np.asarray(with_whole_blocks(voxels)[...], dtype=array.dtype)
    array, names, more = named_axes(path, array, letters)
    found = Metadata(notes=[*notes, *more])
    if level == 0 and not is_url(path):
        found.notes += _missing_blocks(voxels)
    scale, shift = placement(image.described, level, voxels.ndim, found)
    where = {letter.lower(): i for i, letter in enumerate(letters)}
    spatial = [axis for axis in names if axis in SPATIAL]
    set_sizes(found, {axis: (scale[where[axis]], units[where[axis]]) for axis in spatial})
    shifts = [
        convert(shift[where[axis]], units[where[axis]], found.unit) or 0.0 for axis in spatial
    ]
    n_channels = array.shape[names.index("c")] if "c" in names else 1
    channel_names, channel_colors = channels_of(image.attributes, n_channels)
    rgb = bool((image.attributes.get(OWN) or {}).get(RGB)) and n_channels in (3, 4)
    if rgb:
        array = array.transpose([i for i, axis in enumerate(names) if axis != "c"]
                                + [names.index("c")])  # fmt: skip
        names = [*(axis for axis in names if axis != "c"), "c"]
    return Image(
        array,
        tuple(names),
        spacing=tuple(found.spacing.get(axis, 1.0) for axis in spatial),
        units=(found.unit,) * len(spatial),
        translate=tuple(shifts),
        rgb=rgb,
        channel_names=() if rgb else channel_names,
        channel_colors=() if rgb else channel_colors,
        name=name,
        notes=tuple(found.notes),
        holds_labels=image.is_labels,
    )


def _summary(store: ZarrStore, image: ZarrImage) -> ImageOfFile:
    voxels = store.array(image.paths[0])
    return ImageOfFile(image.title, voxels.shape, str(voxels.dtype), image.lies_on)


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
    missing = total - voxels.nchunks_initialized // times
    if not missing:
        return []
    filler = voxels.fill_value or 0
    return [f"{missing} of {total} blocks are not in the file; they were read as {filler:g}."]
