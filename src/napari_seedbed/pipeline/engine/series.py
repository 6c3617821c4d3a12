"""Operations that are given a whole time series at once."""

from collections.abc import Mapping
from functools import partial
from typing import Any

from numpy.typing import NDArray

from napari_seedbed.pipeline.data.fingerprint import Fingerprint
from napari_seedbed.pipeline.data.image import Image
from napari_seedbed.pipeline.engine.declarations import Operation
from napari_seedbed.pipeline.engine.inputs import Inputs
from napari_seedbed.pipeline.engine.jobs import Context
from napari_seedbed.pipeline.engine.series_jobs import SeriesJob, SeriesResult
from napari_seedbed.pipeline.engine.volumes import seed_volume


class SeriesVoxels:
    """The voxels of an image, time point by time point; the last one is kept.

    Parameters
    ----------
    image : Image
    hashed : Fingerprint or None
        Collects the voxels; None in live runs, which skip the hashing.
    """

    def __init__(self, image: Image, hashed: Fingerprint | None) -> None:
        self._image = image
        self._hashed = hashed
        self._t: int | None = None
        self._voxels: NDArray | None = None

    def load(self, t: int) -> NDArray:
        """All channels of time point `t`."""
        if self._voxels is None or t != self._t:
            # Let go first: two time points of a lazy image may not fit.
            self._voxels = None
            self._voxels = self._image.select_time(t).volume()
            self._t = t
            if self._hashed is not None:
                self._hashed.add(t, self._voxels)
        return self._voxels


def run_series(
    operation: Operation,
    inputs: Inputs,
    parameters: Mapping[str, Any],
    *,
    hashed: Fingerprint | None,
    context: Context,
) -> SeriesResult:
    """Call the function of a series operation."""
    image, seeds, shapes = inputs.image, inputs.seeds, inputs.shapes
    job = SeriesJob(
        load=SeriesVoxels(image, hashed).load,
        n_times=image.n_times,
        spatial_shape=image.spatial_shape,
        shapes=() if shapes is None else shapes.shapes,
        seeds=None if seeds is None else partial(seed_volume, seeds),
        spacing=image.spacing,
        channel_axis=0 if image.n_channels > 1 else None,
        parameters=parameters,
        context=context,
    )
    result: SeriesResult = operation.call(job)
    return result
