"""What a pixel classifier learns from in an image that is looked at block by block."""

from collections.abc import Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from napari_seedbed.pipeline.data.blocks import OverBlocks
from napari_seedbed.pipeline.data.image import Image
from napari_seedbed.pipeline.engine.windows import Region, inner_of

if TYPE_CHECKING:
    from napari_seedbed.core.classifier.samples import TrainingSamples

Scale = tuple[list[float], list[float]]


def samples_of_parts(
    image: Image, seeds: Image, parameters: Mapping[str, Any], over: OverBlocks
) -> "TrainingSamples | None":
    """What is marked in an image, at all its time points; None where nothing is.

    Parameters
    ----------
    image, seeds : Image
    parameters : dict
        `sigma`, `n_scales` and `intensities` of the operation.
    over : OverBlocks
    """
    from napari_seedbed.core.classifier.features import FeatureSet, scales
    from napari_seedbed.core.classifier.samples import samples_in_parts

    shape, intensities = image.spatial_shape, parameters["intensities"]
    features = FeatureSet(
        scales(parameters["sigma"], parameters["n_scales"]), len(shape), image.n_channels
    )
    found = []
    for t in range(image.n_times):
        now = image.select_time(t)
        marks = list(over(partial(_marks_in_part, shape), seeds.select_time(t), placed=True))
        where = np.concatenate([places for places, _ in marks])
        if not len(where):
            continue
        order = np.argsort(where, kind="stable")
        labels = np.concatenate([own for _, own in marks])[order]
        scale = scale_of_parts(now, intensities, over)
        read = partial(_channels_of, now)
        about = {"intensities": intensities}
        found.append(
            samples_in_parts(
                read, where[order], labels, shape, features, scale, image.spacing, **about
            )
        )
    return found[0].joined(*found[1:]) if found else None


def scale_of_parts(image: Image, intensities: str, over: OverBlocks) -> Scale:
    """What to take from the intensities of each channel, and what to multiply them with then."""
    from napari_seedbed.core.classifier.samples import scale_of_sample

    if intensities == "absolute":
        return [0.0] * image.n_channels, [1.0] * image.n_channels
    parts = over(partial(_sample_of_part, image.spatial_shape), image, placed=True)
    return scale_of_sample(np.concatenate(list(parts), axis=1))


def _channels_of(image: Image, region: Region) -> NDArray[Any]:
    return _with_channels(image.crop(region).volume(), len(region))


def _with_channels(voxels: NDArray[Any], n_spatial: int) -> NDArray[Any]:
    return voxels if voxels.ndim > n_spatial else voxels[np.newaxis]


def _sample_of_part(
    shape: Sequence[int], voxels: NDArray[Any], region: Region, seen: Region
) -> NDArray[Any]:
    """Those voxels of a block (C, N) that are looked at in an image of a shape."""
    from napari_seedbed.core.classifier.samples import sampled

    steps = [one.step for one in sampled(shape)]
    own = tuple(
        slice(-part.start % step, None, step) for part, step in zip(region, steps, strict=True)
    )
    inside = _with_channels(voxels, len(region))[(slice(None), *inner_of(region, seen))]
    return inside[(slice(None), *own)].reshape(len(inside), -1)


def _marks_in_part(
    shape: tuple[int, ...], voxels: NDArray[Any], region: Region, seen: Region
) -> tuple[NDArray[np.intp], NDArray[np.int32]]:
    """Numbers in the image of the marked voxels of a block, and their labels."""
    marks = voxels[inner_of(region, seen)]
    inside = np.nonzero(marks > 0)
    places = tuple(one + part.start for one, part in zip(inside, region, strict=True))
    return np.ravel_multi_index(places, shape), marks[inside].astype(np.int32)
