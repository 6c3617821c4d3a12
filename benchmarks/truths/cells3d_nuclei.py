"""The truth of `cells3d_nuclei.tif`, proofread by hand; writes `cells3d_nuclei_truth.tif`.

The supplied labels of this volume were made by an algorithm: nuclei have holes, thin bridges to
their neighbours and ragged ends, and five nuclei that the border cuts have none. Each was looked at
slice by slice; what was decided is listed here. No seeded engine and no stroke has a part in it.
"""

import argparse
from pathlib import Path

import numpy as np
import tifffile
from numpy.typing import NDArray
from scipy import ndimage
from skimage.morphology import convex_hull_image, disk

TRUTH = Path(__file__).with_name("cells3d_nuclei_truth.tif")

CONCAVE = ((6, 22), (14, 24), (14, 23), (8, 21), (6, 48), (14, 46), (3, 46))
"""Object and slice whose label leaves out a part of the nucleus: its convex hull is the nucleus."""

CONVEX = (15, 16)
"""Objects whose slices are convex; the supplied labels have bays and bridges."""

ENDS = (
    (1, 22, 23, 3),
    (5, 22, 23, 3),
    (6, 21, 22, 3),
    (14, 22, 23, 4),
    (16, 22, 23, 3),
    (17, 22, 23, 4),
    (15, 22, 23, 3),
    (7, 20, 21, 3),
    (2, 20, 21, 3),
    (6, 49, 48, 4),
    (12, 44, 43, 4),
)
"""Object, ragged slice at its end, the slice beside it, and how many pixels narrower the end is."""

OUT_OF_FOCUS = ((1, 21), (5, 21), (6, 20), (17, 21), (8, 20), (12, 45), (14, 47), (9, 47))
"""Object and slice that shows only its blur."""

CUT_BY_BORDER = {
    21: ((21, 42), (33, 82), (0, 16)),
    22: ((21, 44), (158, 214), (0, 14)),
    23: ((20, 51), (0, 12), (55, 104)),
    24: ((20, 54), (0, 16), (188, 234)),
    25: ((24, 36), (251, 256), (34, 72)),
}
"""Number of a nucleus without label, and the box it fills."""

DARKEST, GROUND, RISE = 6500.0, 4600.0, 0.35
"""A voxel of those boxes is nucleus above the first, and above that share of the way up."""


def smoothed(mask: NDArray[np.bool_], gap: int, bump: int) -> NDArray[np.bool_]:
    """A slice of one object without holes, gaps and bumps; the border is no edge."""
    wide = np.pad(mask, 6, mode="edge")
    wide = ndimage.binary_fill_holes(ndimage.binary_closing(wide, disk(gap)))
    return ndimage.binary_opening(wide, disk(bump))[6:-6, 6:-6]


def largest_piece(mask: NDArray[np.bool_]) -> NDArray[np.bool_]:
    pieces, _ = ndimage.label(mask)
    return pieces == 1 + np.argmax(np.bincount(pieces.ravel())[1:])


def narrower(mask: NDArray[np.bool_], pixels: int) -> NDArray[np.bool_]:
    wide = np.pad(mask, pixels + 1, mode="edge")
    inner = slice(pixels + 1, -pixels - 1)
    return ndimage.binary_erosion(wide, disk(pixels))[inner, inner]


def truth(image: NDArray[np.integer], supplied: NDArray[np.integer]) -> NDArray[np.uint8]:
    """The proofread labels.

    Parameters
    ----------
    image, supplied : (60, 256, 256) ndarray
        The volume and the labels that came with it.
    """
    labels = np.zeros(supplied.shape, np.uint8)
    for number in range(1, int(supplied.max()) + 1):
        mask = supplied == number
        free = mask | (supplied == 0)
        reach = 4 if mask.sum() > 5000 else 1
        for plane in mask:
            if plane.any():
                whole = convex_hull_image(plane) if number in CONVEX else plane
                plane[:] = smoothed(whole, reach, reach)
        labels[largest_piece(mask & free)] = number

    def replace(number: int, z: int, mask: NDArray[np.bool_]) -> None:
        plane = labels[z]
        plane[plane == number] = 0
        plane[mask & (plane == 0)] = number

    for number, z in CONCAVE:
        replace(number, z, convex_hull_image(labels[z] == number))
    for number, z, beside, pixels in ENDS:
        replace(number, z, narrower(labels[beside] == number, pixels))
    for number, z in OUT_OF_FOCUS:
        labels[z][labels[z] == number] = 0
    blurred = ndimage.gaussian_filter(image.astype(float), (0, 1, 1))
    for number, box in CUT_BY_BORDER.items():
        inside = tuple(slice(*ends) for ends in box)
        values = blurred[inside]
        bright = np.percentile(values, 97, axis=(1, 2), keepdims=True)
        mask = values > np.maximum(DARKEST, GROUND + RISE * (bright - GROUND))
        mask = np.stack([smoothed(plane, 3, 2) for plane in mask]) & (labels[inside] == 0)
        labels[inside][largest_piece(mask)] = number
    return labels


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path, help="with cells3d_nuclei.tif and its labels")
    folder = parser.parse_args().folder
    image, supplied = (
        tifffile.imread(folder / f"cells3d_nuclei{end}.tif") for end in ("", "_label")
    )
    tifffile.imwrite(TRUTH, truth(image, supplied), compression="zlib")
