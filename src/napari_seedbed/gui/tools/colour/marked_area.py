"""How much of a picture is marked, in words: area and share, of each class."""

import numpy as np

from napari_seedbed.gui.layers.grids import unit_symbol
from napari_seedbed.pipeline.data.image import Image


def area_in_words(marked: Image) -> str:
    """'Marked: 1230 µm², 12.3 % of the picture'; of a volume 'µm³' and 'of the volume'.

    Areas of a series are those of its time points together, and are left out.

    Parameters
    ----------
    marked : Image
        A mask, or the classes from 1 on.
    """
    voxels = np.asarray(marked.array)
    counts = np.bincount(voxels.astype(np.intp).ravel(), minlength=2)[1:]
    shape, spacing = marked.spatial_shape, marked.spacing
    steps = [step for n, step in zip(shape, spacing, strict=True) if n > 1]
    is_deep = len(steps) == 3
    whole = "volume" if is_deep else "picture"
    unit, size = unit_symbol(marked.unit), float(np.prod(steps))
    if unit == "pixels":
        unit, size = ("voxels" if is_deep else unit), 1.0
    else:
        unit += "³" if is_deep else "²"
    areas = [f"{_short(count * size)} {unit}, " for count in counts]
    if marked.n_times > 1:
        areas, whole = [""] * len(counts), "series"
    shares = [f"{_short(100 * count / voxels.size)} %" for count in counts]
    parts = [area + share for area, share in zip(areas, shares, strict=True)]
    if len(parts) > 1:
        parts = [f"class {nth} {part}" for nth, part in enumerate(parts, start=1)]
    return f"Marked: {'; '.join(parts)} of the {whole}."


def _short(number: float) -> str:
    """Three digits at least, and all before the point."""
    return f"{number:.0f}" if number >= 100 else f"{number:.3g}"
