"""A small picture of an input with what was found in it, for the summary's page."""

import base64
import io
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from napari_seedbed.pipeline.data.image import Image
from napari_seedbed.pipeline.engine.results import Result

_SIDE = 200
_YELLOW = (255, 220, 0)
_FAINTEST, _BRIGHTEST = 0.5, 99.8


def picture_of_result(image: Image, result: Result) -> str:
    """A JPEG in base 64: the image with the outlines of its labels or of its mask.

    Of a volume it shows the slice that most of the labels' voxels lie on, or the middle where it
    stays on the disk, of a series the first time point. Without labels or a mask it is the
    resulting image or else the input.
    """
    from PIL import Image as Picture

    found = next((result.outputs.get(key) for key in ("labels", "mask")), None)
    labels = found if isinstance(found, Image) else None
    if labels is None and isinstance(made := result.outputs.get("image"), Image):
        image = made
    if labels is not None and labels.spatial_shape != image.spatial_shape:
        image = labels
    if image.is_lazy and (labels is None or labels.is_lazy):
        image = _shown_of(image)
        labels = None if labels is None else _shown_of(labels)
    volume = None if labels is None else labels.select_time(0).volume()
    z = _fullest_slice(image, volume)
    picture = _as_colours(image.select_time(0), z)
    if volume is not None:
        plane = _small(np.asarray(volume if volume.ndim == 2 else volume[z]))
        picture[_outlines(plane)] = _YELLOW
    stream = io.BytesIO()
    Picture.fromarray(picture).save(stream, "JPEG", quality=80)
    return base64.b64encode(stream.getvalue()).decode("ascii")


def _shown_of(image: Image) -> Image:
    """What is shown of an image that may be larger than memory: every so many pixels of a slice.

    The slice is that in the middle.
    """
    if "z" in image.axes:
        n, *others = image.spatial_shape
        image = image.crop([slice(n // 2, n // 2 + 1), *(slice(0, other) for other in others)])
    every = slice(None, None, _step(image.spatial_shape[-2:]))
    pixels = image.array[tuple(every if axis in "yx" else slice(None) for axis in image.axes)]
    # a view would keep the whole block that it is of
    return replace(image, array=pixels.map_blocks(np.array))


def _fullest_slice(image: Image, labels: NDArray | None) -> int:
    n_slices = image.spatial_shape[0] if "z" in image.axes else 1
    if labels is None or labels.ndim < 3:
        return n_slices // 2
    counts = [np.count_nonzero(_small(np.asarray(plane))) for plane in labels]
    return int(np.argmax(counts))


def _as_colours(image: Image, z: int) -> NDArray[np.uint8]:
    """A slice of an image at one time point, (Y, X, 3)."""
    volume = image.volume()
    if image.n_channels > 1:
        planes = [part if part.ndim == 2 else part[z] for part in volume]
        if image.rgb:
            small = np.stack([_small(np.asarray(plane)) for plane in planes], axis=-1)
            top = 255 if small.dtype == np.uint8 else max(float(small.max()), 1e-30)
            return (np.clip(small / top, 0, 1) * 255).astype(np.uint8)
        plane = np.asarray(planes[0])
    else:
        plane = np.asarray(volume if volume.ndim == 2 else volume[z])
    small = _small(plane).astype(float)
    finite = small[np.isfinite(small)]
    low, high = np.percentile(finite, (_FAINTEST, _BRIGHTEST)) if finite.size else (0.0, 0.0)
    grey = np.nan_to_num((small - low) / max(high - low, 1e-30), posinf=1, neginf=0)
    return np.repeat((np.clip(grey, 0, 1) * 255).astype(np.uint8)[..., None], 3, axis=-1)


def _small(plane: NDArray) -> NDArray:
    """Every so many pixels of a plane."""
    step = _step(plane.shape)
    return plane[::step, ::step]


def _step(shape: Sequence[int]) -> int:
    return -(-max(shape) // _SIDE)


def _outlines(labels: NDArray) -> NDArray[np.bool_]:
    """Pixels of objects that touch something else."""
    edges = np.zeros(labels.shape, dtype=bool)
    across, down = labels[:, 1:] != labels[:, :-1], labels[1:] != labels[:-1]
    edges[:, 1:] |= across
    edges[:, :-1] |= across
    edges[1:] |= down
    edges[:-1] |= down
    return edges & (labels != 0)
