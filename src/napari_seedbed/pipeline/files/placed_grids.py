"""Images of scanners and of ITK's kind: voxels whose axes have directions in a body or a room.

They are read in the order in which they are stored; how they lie in space is said in a note.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_seedbed.pipeline.data.image import SPATIAL, Image
from napari_seedbed.pipeline.data.named_axes import named_axes
from napari_seedbed.pipeline.data.units import convert
from napari_seedbed.pipeline.files.tiff_metadata import Metadata, set_sizes

RAS = ("right", "front", "top")
"""Where x, y and z grow to in the space of NIfTI; ITK's and DICOM's space turns the first two."""

LPS = ("left", "back", "top")
_OPPOSITE = {
    "right": "left",
    "left": "right",
    "front": "back",
    "back": "front",
    "top": "bottom",
    "bottom": "top",
}
# Degrees; less is rounding of what a header prints.
_TILTED = 0.1
_SHEARED = 1e-3


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


def placing(
    steps: NDArray[np.floating], origin: Sequence[float], unit: str, ends: Sequence[str] | None
) -> Placing:
    """How a grid lies in space.

    Parameters
    ----------
    steps : (D, N) array
        From voxel to voxel along x, y and z, a column each.
    origin : (D,) sequence of float
        Where the first voxel is.
    unit : str
    ends : (D,) sequence of str or None
        What the coordinates grow towards; None where the space is no body.
    """
    found = Placing()
    lengths = np.linalg.norm(steps, axis=0)
    axes = "xyz"[: steps.shape[1]]
    for axis, length in zip(axes, lengths, strict=True):
        if np.isfinite(length) and length > 0:
            found.sizes[axis] = (float(length), unit)
        else:
            found.notes.append(f"The voxel size along {axis} is no length above 0.")
    if found.notes or steps.shape[0] < steps.shape[1]:
        return found
    directions = steps / lengths
    nearest = np.abs(directions).argmax(axis=0)
    along = directions[nearest, range(len(axes))]
    tilt = float(np.degrees(np.arccos(np.clip(np.abs(along).min(), 0, 1))))
    straight = np.allclose(directions.T @ directions, np.eye(len(axes)), atol=_SHEARED)
    if straight and np.isfinite(origin).all():
        # along the axes of the image, so that those with the same directions lie right together
        found.place = dict(zip(axes, (directions.T @ origin + 0.0).tolist(), strict=True))
    as_space = tilt < _TILTED and (along > 0).all() and list(nearest) == list(range(len(axes)))
    if not as_space:
        found.notes.append(
            "The voxels keep the order of the file, and its place is counted along its axes."
            if found.place
            else "The voxels keep the order of the file; its place in space was left out."
        )
    if ends is not None and len(set(nearest)) == len(axes):
        words = [
            f"{axis} to the {ends[i] if sign > 0 else _OPPOSITE[ends[i]]}"
            for axis, i, sign in zip(axes, nearest, along, strict=True)
        ]
        found.notes.append(f"Axes as stored run {', '.join(words)} of the body.")
    if tilt >= _TILTED:
        found.notes.append(f"They are tilted by {tilt:.1f} degrees against it, which was left out.")
    return found


def placed_image(
    path: Path, array: Any, letters: str, where: Placing, notes: Sequence[str], **more: Any
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
    return Image(
        array,
        tuple(names),
        spacing=tuple(found.spacing.get(axis, 1.0) for axis in spatial),
        units=(found.unit,) * len(spatial),
        translate=tuple(shifts),
        rgb=is_colour and array.shape[-1] in (3, 4),
        notes=tuple(found.notes),
        **more,
    )


def letters_of(shape: Sequence[int], letters: str) -> str:
    """The letters, P for axes of length one that are neither y nor x, which are dropped then."""
    return "".join(
        "P" if n == 1 and letter not in "YX" else letter
        for n, letter in zip(shape, letters, strict=True)
    )
