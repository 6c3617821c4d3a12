"""Images cut into the volumes that operations work on, and results put together again."""

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from napari_seedbed.errors import InputError
from napari_seedbed.pipeline.declarations import Context, Operation
from napari_seedbed.pipeline.fingerprint import Fingerprint
from napari_seedbed.pipeline.image import SPATIAL, Image
from napari_seedbed.pipeline.units import convert


def place_in_memory(image: Image, t: int) -> Hashable:
    """What stays the same as long as somebody looks at the same voxels."""
    array = image.array
    if isinstance(array, np.ndarray):
        place: Hashable = (array.__array_interface__["data"][0], array.strides)
    else:
        place = getattr(array, "name", id(array))
    return (place, image.shape, image.axes, image.dtype.str, t)


class Volume:
    """The voxels of one time point, read when first asked for.

    Parameters
    ----------
    image : Image
    t : int
    context : Context
        Its cache is emptied when it holds another image, and, in exact runs, when the voxels
        were changed in place.
    hashed : Fingerprint or None
        Collects the voxels; None in live runs, which skip the hashing.
    """

    def __init__(self, image: Image, t: int, context: Context, hashed: Fingerprint | None) -> None:
        self.key = place_in_memory(image, t)
        self._image = image
        self._t = t
        self._voxels: NDArray | None = None
        kept = context.cache.get(self.key)
        digest = None if hashed is None else hashed.add(t, self._load())
        if kept is None or (digest is not None and kept[1] not in (None, digest)):
            context.cache.clear()
        elif digest is None:
            digest = kept[1]
        # The array is kept alive: its place in memory must not go to another image meanwhile.
        context.cache[self.key] = (image.array, digest)

    def load(self, channel: int | None) -> NDArray:
        """All channels for None, or one of them."""
        voxels = self._load()
        if channel is None or voxels.ndim == len(self._image.spatial_axes):
            return voxels
        return voxels[channel]

    def _load(self) -> NDArray:
        if self._voxels is None:
            self._voxels = self._image.select_time(self._t).volume()
        return self._voxels


class Gathered:
    """Results of all time points and channels, as arrays (T, C, Z, Y, X) without what is not there.

    What is never added stays zero.
    """

    def __init__(self, image: Image, *, per_channel: bool) -> None:
        self._image = image
        self._per_channel = per_channel
        self._arrays: dict[str, NDArray] = {}

    def add(self, t: int, channel: int | None, outputs: Mapping[str, NDArray]) -> None:
        """Take the outputs of one volume."""
        for key, volume in outputs.items():
            lead: tuple[int, ...] = ()
            where: tuple[int, ...] = ()
            if self._image.time_axis is not None:
                lead, where = (self._image.n_times,), (t,)
            if self._per_channel and self._image.channel_axis is not None:
                lead, where = (*lead, self._image.n_channels), (*where, channel or 0)
            if not lead:
                self._arrays[key] = volume
                continue
            if key not in self._arrays:
                self._arrays[key] = np.zeros((*lead, *volume.shape), volume.dtype)
            self._arrays[key][where] = volume

    def images(self, operation: Operation, label_values: Sequence[int]) -> dict[str, Image]:
        """The outputs as images in the place of the input, its order of axes kept."""
        return {
            key: self._output(key, array, operation, label_values)
            for key, array in self._arrays.items()
        }

    def _output(
        self, key: str, array: NDArray, operation: Operation, label_values: Sequence[int]
    ) -> Image:
        image = self._image
        lead = ("t",) if image.time_axis is not None else ()
        own_channels = array.ndim > len(lead) + len(image.spatial_axes)
        axes = (*lead, *(("c",) if own_channels else ()), *image.spatial_axes)
        follows_input = self._per_channel and own_channels
        if follows_input or not own_channels:
            order = [axis for axis in image.axes if axis in axes]
            array = np.transpose(array, [axes.index(axis) for axis in order])
            axes = tuple(order)
        is_image = key == "image"
        if is_image and image.rgb and image.dtype.kind == "u" and array.dtype.kind == "f":
            # Colours in floating point would be taken to lie between 0 and 1.
            array = np.rint(np.clip(array, 0, np.iinfo(image.dtype).max)).astype(image.dtype)
        names: tuple[str, ...] = ()
        if follows_input:
            names = image.channel_names
        elif own_channels:
            names = tuple(f"label {value}" for value in label_values)
        return Image(
            array,
            axes,
            image.spacing,
            image.units,
            rgb=image.rgb and is_image,
            channel_names=names,
            channel_colors=image.channel_colors if follows_input else (),
            name=f"{image.name} {operation.name if is_image else key}",
            translate=image.translate,
        )


def seed_volume(seeds: Image, t: int) -> NDArray[np.int32]:
    """Seeds of one time point, in the one type that recipes keep and results come out in.

    Raises
    ------
    InputError
        For labels that do not fit 32 bits.
    """
    volume = seeds.select_time(t).volume()
    if volume.dtype == np.int32:
        return volume
    limits = np.iinfo(np.int32)
    if volume.min() < limits.min or volume.max() > limits.max:
        raise InputError(f"seeds: labels must lie between {limits.min} and {limits.max}.")
    return volume.astype(np.int32)


def labels_by_time(seeds: Image) -> list[set[int]]:
    """Positive labels at each time point; a single entry for seeds without time."""
    found = []
    for t in range(seeds.n_times):
        volume = seeds.select_time(t).volume()
        # Sorting only what is not zero: 20 times faster on a large volume with few seeds.
        found.append({int(value) for value in np.unique(volume[volume != 0]) if value > 0})
    return found


def choose_times(
    image: Image, labels: Sequence[set[int]] | None, times: Sequence[int] | None
) -> list[int]:
    """Time points to work on, rising.

    Raises
    ------
    InputError
        For time points that the image does not have, and where none has seeds of two labels.
    """
    if times is not None:
        wrong = [t for t in times if not 0 <= t < image.n_times]
        if wrong or not len(times):
            raise InputError(
                f"times: {list(times)} asked for, but the image has {image.n_times} time points, "
                f"counted from 0 to {image.n_times - 1}."
            )
    chosen = sorted(set(range(image.n_times) if times is None else map(int, times)))
    if labels is None or len(chosen) == 1:
        return chosen
    seeded = [t for t in chosen if len(labels[t]) >= 2]
    if not seeded:
        raise InputError(
            "seeds: none of the time points has seeds of two labels or more; mark at least two "
            "labels, for example object and background, at one time point."
        )
    return seeded


def check_inputs(operation: Operation, inputs: Mapping[str, Image]) -> tuple[Image, Image | None]:
    """The image and the seeds of an operation, fit for each other and for it.

    Raises
    ------
    InputError
        Naming the input that is missing or does not fit.
    """
    for role in operation.takes:
        if role not in inputs:
            raise InputError(f"{role}: {operation.title} needs {role}; none were given.")
    for given in inputs:
        if given not in operation.takes:
            raise InputError(f"{given}: {operation.title} takes {', '.join(operation.takes)} only.")
    image = inputs["image"]
    if image.dtype.kind == "c":
        raise InputError(
            f"image: it holds complex numbers ({image.dtype}); take its magnitude first."
        )
    if image.dtype.kind not in "iufb":
        raise InputError(f"image: it holds {image.dtype}; an image of numbers is needed.")
    if 0 in image.shape:
        raise InputError(f"image: it is empty, its shape is {image.shape}.")
    odd = [axis for axis in image.axes if axis not in (*SPATIAL, "c", "t")]
    if odd:
        raise InputError(f"image: choose one position along {', '.join(odd)} first.")
    if len(image.spatial_axes) not in operation.ndim:
        wanted = " or ".join(f"{n}D" for n in operation.ndim)
        raise InputError(f"image: {operation.title} works on {wanted} images only.")
    if image.rgb and image.n_channels == 4:
        image = image.select_channels([0, 1, 2])
    if len(set(image.units)) > 1:
        image = _in_one_unit(image)
    seeds = inputs.get("seeds")
    if seeds is not None:
        _check_seeds(image, seeds)
    return image, seeds


def _in_one_unit(image: Image) -> Image:
    """Lengths along all axes in the unit of the last one."""
    unit = image.unit

    def converted(lengths: Sequence[float]) -> tuple[float, ...]:
        found = [convert(n, own, unit) for n, own in zip(lengths, image.units, strict=True)]
        if None in found:
            raise InputError(
                f"image: its axes are in {', '.join(image.units)}, which cannot be compared; give "
                "all spatial axes a length unit, or none of them."
            )
        return tuple(float(n) for n in found if n is not None)

    return replace(
        image,
        spacing=converted(image.spacing),
        translate=converted(image.translate),
        units=(unit,) * len(image.units),
    )


def _check_seeds(image: Image, seeds: Image) -> None:
    if seeds.dtype.kind not in "iub":
        raise InputError(f"seeds: they hold {seeds.dtype}; whole numbers are needed.")
    if seeds.channel_axis is not None:
        raise InputError("seeds: they have channels; give one label for each voxel.")
    if seeds.spatial_axes != image.spatial_axes or seeds.spatial_shape != image.spatial_shape:
        raise InputError(
            f"seeds: their shape {seeds.spatial_shape} is not the image's shape "
            f"{image.spatial_shape}; seeds must lie on the image's own grid."
        )
    if (seeds.time_axis is None) != (image.time_axis is None) or seeds.n_times != image.n_times:
        raise InputError(
            f"seeds: they have {_count_times(seeds)} and the image has {_count_times(image)}; "
            "both must have the same."
        )


def _count_times(image: Image) -> str:
    return "no time axis" if image.time_axis is None else f"{image.n_times} time points"
