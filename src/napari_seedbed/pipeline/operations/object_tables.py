"""The table of objects of a label image, over all its time points."""

from collections.abc import Sequence

from numpy.typing import NDArray

from napari_seedbed.core.progress import check_stop, part_of
from napari_seedbed.pipeline.data.image import Image
from napari_seedbed.pipeline.data.tables import at_time, joined
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
        parts.append(at_time(labels, t, table))
    return joined(parts)


def measured_objects(labels: Image, groups: Sequence[str]) -> dict[str, NDArray]:
    """Measure every object at every time point, as much of it as is wanted.

    Parameters
    ----------
    labels : Image
        Whole numbers, without channels.
    groups : sequence of str
        Some of `core.MEASUREMENT_GROUPS`, without intensities.

    Returns
    -------
    dict of ndarray
        The columns of `core.measure_objects`, with ``time_point`` before them where there is time.
        The unit is that of the labels.
    """
    from napari_seedbed.core import measure_objects

    parts = []
    for t in range(labels.n_times):
        check_stop()
        with part_of(t, labels.n_times):
            volume = label_volume(labels, t)
            table = measure_objects(volume, labels.spacing, labels.unit, groups=groups)
        parts.append(at_time(labels, t, table))
    return joined(parts)
