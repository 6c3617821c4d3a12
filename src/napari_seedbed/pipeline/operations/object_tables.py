"""The table of objects of a label image, over all its time points."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_seedbed.core.progress import check_stop, part_of
from napari_seedbed.pipeline.data.image import Image
from napari_seedbed.pipeline.data.tables import Columns, joined
from napari_seedbed.pipeline.engine.volumes import label_volume


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
        parts.append(_at_time(labels, t, table))
    return joined(parts)


def measured_objects(
    labels: Image, image: Image | None, groups: Sequence[str], *, times: Sequence[int] | None = None
) -> dict[str, NDArray]:
    """Measure every object at every time point that is asked for, as much of it as is wanted.

    Parameters
    ----------
    labels : Image
        Whole numbers, without channels.
    image : Image, optional
        Grey values of any number of channels on the same grid; without a time axis they serve
        all time points.
    groups : sequence of str
        Some of `core.MEASUREMENT_GROUPS`.
    times : sequence of int, optional
        Time points to measure; all by default.

    Returns
    -------
    dict of ndarray
        The columns of `core.measure_objects`, with ``time_point`` before them where there is time.
        The unit is that of the labels.
    """
    from napari_seedbed.core import measure_objects

    parts = []
    chosen = range(labels.n_times) if times is None else times
    for nth, t in enumerate(chosen):
        check_stop()
        about: dict[str, Any] = {}
        if image is not None and "intensity" in groups:
            several = image.n_channels > 1
            about["image"] = image.select_time(min(t, image.n_times - 1)).volume()
            about["channel_axis"] = 0 if several else None
            about["channel_names"] = _channel_names(image) if several else ()
        with part_of(nth, len(chosen)):
            volume = label_volume(labels, t)
            table = measure_objects(volume, labels.spacing, labels.unit, groups=groups, **about)
        parts.append(_at_time(labels, t, table))
    return joined(parts)


def _at_time(labels: Image, t: int, table: dict[str, NDArray]) -> Columns:
    if labels.time_axis is None:
        return table
    return {"time_point": np.full(len(table["label"]), t), **table}


def _channel_names(image: Image) -> tuple[str, ...]:
    """Names that differ, or none: then channels are counted."""
    names = ("red", "green", "blue") if image.rgb else image.channel_names
    known = len(names) == image.n_channels == len(set(names)) and all(names)
    return tuple(name.strip().replace(" ", "_") for name in names) if known else ()
