"""Images of scanners and of ITK's kind: voxels whose axes have directions in a body or a room.

They are read in the order in which they are stored; how they lie in space is said in a note.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from napari_seedbed.pipeline.files.placed_images import Placing

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
