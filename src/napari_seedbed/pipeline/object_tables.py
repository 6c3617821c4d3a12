"""The table of objects of a label image, over all its time points."""

import numpy as np
from numpy.typing import NDArray

from napari_seedbed.pipeline.image import Image


def object_table_of(labels: Image, image: Image | None = None) -> dict[str, NDArray]:
    """Measure every object, at every time point.

    Parameters
    ----------
    labels : Image
    image : Image, optional
        On the same grid; its intensities are measured if it has a single channel.

    Returns
    -------
    dict of ndarray
        The columns of `core.object_table`, with ``time_point`` before them where there is time.
    """
    from napari_seedbed.core import object_table

    parts = []
    for t in range(labels.n_times):
        intensities = None
        if image is not None and image.n_channels == 1:
            intensities = image.select_time(t).volume()
        volume = labels.select_time(t).volume()
        table = dict(
            object_table(volume, spacing=labels.spacing, unit=labels.unit, image=intensities)
        )
        if labels.time_axis is not None:
            count = len(next(iter(table.values())))
            table = {"time_point": np.full(count, t), **table}
        parts.append(table)
    return {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}
