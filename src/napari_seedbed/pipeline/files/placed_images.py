"""Images of voxels whose axes have letters: voxel sizes in one unit, place, channels."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from napari_seedbed.pipeline.data.image import SPATIAL, Image
from napari_seedbed.pipeline.data.named_axes import named_axes
from napari_seedbed.pipeline.data.units import convert
from napari_seedbed.pipeline.files.tiff_metadata import Metadata, set_sizes


@dataclass
class Placing:
    """Where the grid of an image lies.

    Attributes
    ----------
    sizes : dict
        By axis, the voxel size and its unit as the file spells it.
    place : dict
        By axis, where the first voxel is, in that unit; empty where that is not known.
    notes : list of str
    """

    sizes: dict[str, tuple[float, str]] = field(default_factory=dict)
    place: dict[str, float] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)


def placed_image(
    path: Path,
    array: Any,
    letters: str,
    where: Placing,
    notes: Sequence[str],
    *,
    channel_names: Sequence[str] = (),
    channel_colors: Sequence[str | None] = (),
    **more: Any,
) -> Image:
    """An image of an array whose axes letters name, as `named_axes` takes them.

    Parameters
    ----------
    path : Path
    array : ndarray or dask array
    letters : str
        Of red, green and blue at the end: S.
    where : Placing
    notes : sequence of str
    channel_names, channel_colors : sequence, optional
        Left out unless there is one for each channel.
    **more : Any
        What `Image` takes beside.
    """
    array, names, said = named_axes(path, array, letters)
    found = Metadata(notes=[*notes, *said, *where.notes])
    spatial = [axis for axis in names if axis in SPATIAL]
    set_sizes(found, {axis: where.sizes[axis] for axis in spatial if axis in where.sizes})
    units: Mapping[str, str] = {axis: unit for axis, (_, unit) in where.sizes.items()}
    shifts = [
        convert(where.place.get(axis, 0.0), units.get(axis, found.unit), found.unit) or 0.0
        for axis in spatial
    ]
    is_colour = letters.endswith("S") and "C" not in letters and names[-1] == "c"
    rgb = is_colour and array.shape[-1] in (3, 4)
    n_channels = array.shape[names.index("c")] if "c" in names else 1

    def of_channels(given: Sequence[Any]) -> tuple[Any, ...]:
        return tuple(given) if any(given) and len(given) == n_channels and not rgb else ()

    return Image(
        array,
        tuple(names),
        spacing=tuple(found.spacing.get(axis, 1.0) for axis in spatial),
        units=(found.unit,) * len(spatial),
        translate=tuple(shifts),
        rgb=rgb,
        channel_names=of_channels(channel_names),
        channel_colors=of_channels(channel_colors),
        notes=tuple(found.notes),
        **more,
    )


def letters_of(shape: Sequence[int], letters: str) -> str:
    """The letters, P for axes of length one that are neither y nor x, which are dropped then."""
    return "".join(
        "P" if n == 1 and letter not in "YX" else letter
        for n, letter in zip(shape, letters, strict=True)
    )
