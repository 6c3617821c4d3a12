"""Images cut into the volumes that operations work on, and results put together again."""

import math
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_seedbed.errors import InputError
from napari_seedbed.pipeline.data.fingerprint import Fingerprint
from napari_seedbed.pipeline.data.image import Image
from napari_seedbed.pipeline.data.shapes import Shapes
from napari_seedbed.pipeline.data.tables import Columns, Points, PointsFound, Table, joined
from napari_seedbed.pipeline.engine.declarations import Operation, Voxels
from napari_seedbed.pipeline.engine.jobs import Channels, Context, Once

Output = Image | Shapes | Points | Table


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
        self._found: dict[str, list[tuple[int, int | None, Any]]] = {}
        self._channels: dict[str, Channels] = {}
        self._once: set[str] = set()

    def add(self, t: int, channel: int | None, outputs: Mapping[str, Any]) -> None:
        """Take the outputs of one volume."""
        for key, output in outputs.items():
            if isinstance(output, Once):
                if key not in self._found:
                    self._found[key] = [(t, channel, output.make())]
                    self._once.add(key)
                continue
            volume = output
            if isinstance(output, Channels):
                self._channels[key], volume = output, output.array
            if not isinstance(volume, np.ndarray):
                self._found.setdefault(key, []).append((t, channel, volume))
                continue
            lead, where = self._place(t, channel)
            if not lead:
                self._arrays[key] = volume
                continue
            if key not in self._arrays:
                self._arrays[key] = np.zeros((*lead, *volume.shape), volume.dtype)
            self._arrays[key][where] = volume

    def _place(self, t: int, channel: int | None) -> tuple[tuple[int, ...], tuple[int, ...]]:
        """How many time points and channels there are, and which one this is."""
        lead: tuple[int, ...] = ()
        where: tuple[int, ...] = ()
        if self._image.time_axis is not None:
            lead, where = (self._image.n_times,), (t,)
        if self._per_channel and self._image.channel_axis is not None:
            lead, where = (*lead, self._image.n_channels), (*where, channel or 0)
        return lead, where

    def template(
        self,
        key: str,
        shape: tuple[int, ...],
        dtype: Any,
        channels: "Channels | tuple[str, ...]",
        operation: Operation,
        label_values: Sequence[int] = (),
    ) -> Image:
        """An output as it will be, over a lazy array of zeros.

        Parameters
        ----------
        key : str
        shape : tuple of int
            Of what one volume gives, with channels of its own first.
        dtype : dtype
        channels : Channels or tuple of str
            What is known of its own channels, or their names; empty where nothing is.
        operation : Operation
        label_values : sequence of int
            As for `images`.
        """
        import dask.array

        zeros = dask.array.zeros((*self._place(0, 0)[0], *shape), dtype=dtype, chunks=-1)
        if isinstance(channels, Channels):
            self._channels[key] = channels
        elif channels:
            self._channels[key] = Channels(np.zeros(0), channels)
        return self._output(key, zeros, operation, label_values)

    def templates(
        self,
        part: "Gathered",
        shape: tuple[int, ...],
        operation: Operation,
        label_values: Sequence[int],
    ) -> dict[str, Image]:
        """All outputs that are images as they will be, from those of a part of one time point.

        Parameters
        ----------
        part : Gathered
        shape : tuple of int
            Along the axes of space.
        operation : Operation
        label_values : sequence of int
        """
        n_lead, n = len(part._place(0, 0)[0]), len(shape)
        return {
            key: self.template(
                key,
                (*array.shape[n_lead:-n], *shape),
                array.dtype,
                part._channels.get(key, ()),
                operation,
                label_values,
            )
            for key, array in part._arrays.items()
        }

    def add_others(self, t: int, part: "Gathered") -> None:
        """Take what is no image from the results of a part of one time point."""
        for key, found in part._found.items():
            if key in part._once and key in self._found:
                continue
            self._found.setdefault(key, []).extend((t, channel, one) for _, channel, one in found)

    def add_series(self, arrays: Mapping[str, NDArray]) -> None:
        """Take the outputs of all time points at once, their first axis time."""
        for key, array in arrays.items():
            self._arrays[key] = array[0] if self._image.time_axis is None else array

    def others(self) -> dict[str, Output]:
        """The outputs that are no images: points, shapes and tables of all volumes together."""
        return {key: self._joined(key, parts) for key, parts in self._found.items()}

    def _joined(self, key: str, parts: list[tuple[int, int | None, Any]]) -> Output:
        image = self._image
        name = f"{image.name} {key}"
        n_times = None if image.time_axis is None else image.n_times
        place = (name, image.spacing, image.units, image.translate, n_times)
        first = parts[0][2]
        if isinstance(first, list):
            shapes = [replace(shape, time=t) for t, _, found in parts for shape in found]
            return Shapes(tuple(shapes), *place)
        if isinstance(first, PointsFound):
            points = np.concatenate([found.points for _, _, found in parts]).astype(np.float64)
            times = np.repeat([t for t, _, _ in parts], [len(found.points) for *_, found in parts])
            columns = [self._told(found.columns, c, len(found.points)) for _, c, found in parts]
            return Points(points, times.astype(np.int64), joined(columns), *place)
        tables = []
        for t, channel, found in parts:
            rows: Columns = found.columns if isinstance(found, Table) else found
            count = len(next(iter(rows.values())))
            told = self._told(rows, channel, count)
            tables.append(told if n_times is None else {"time_point": np.full(count, t), **told})
        return Table(joined(tables), first.name if isinstance(first, Table) else name)

    def _told(self, columns: Columns, channel: int | None, count: int) -> Columns:
        """Columns with the channel, counted from 1, before them where there are several."""
        if channel is None or self._image.n_channels == 1:
            return columns
        return {"channel": np.full(count, channel + 1), **columns}

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
        told = self._channels.get(key)
        follows_input = own_channels and (self._per_channel if told is None else told.as_input)
        if follows_input or not own_channels:
            order = [axis for axis in image.axes if axis in axes]
            array = np.transpose(array, [axes.index(axis) for axis in order])
            axes = tuple(order)
        is_image = key == "image"
        in_colour = image.rgb and follows_input and (is_image or told is not None)
        if in_colour and not operation.chooses_type:
            from napari_seedbed.core import in_type_of

            array = in_type_of(array, image.array)
        names: tuple[str, ...] = ()
        if follows_input:
            names = image.channel_names
        elif told is not None:
            names = told.names
        elif own_channels:
            names = tuple(f"label {value}" for value in label_values)
        return Image(
            array,
            axes,
            image.spacing,
            image.units,
            rgb=in_colour,
            channel_names=names,
            channel_colors=image.channel_colors if follows_input else (),
            name=f"{image.name} {operation.name if is_image else key}",
            translate=image.translate,
        )


def check_overflow(image: Image, outputs: Mapping[str, Output]) -> None:
    """Refuse an image whose numbers are so large that what is calculated from them is infinite."""
    if image.dtype.kind != "f":
        return
    for output in outputs.values():
        if not isinstance(output, Image) or output.is_lazy or output.dtype.kind != "f":
            continue
        if not (math.isfinite(output.array.min()) and math.isfinite(output.array.max())):
            largest = max(abs(float(image.array.min())), abs(float(image.array.max())))
            # Operations that only pass voxels on pass those on, too, that are not finite.
            if math.isfinite(largest):
                raise InputError(
                    f"image: its values reach {largest:g}, and what comes of them is more than "
                    f"{output.dtype} can hold; divide the image by a large number first."
                )


def label_volume(labels: Image, t: int, role: str = "image") -> NDArray[np.int32]:
    """Labels of one time point; of an image without time always the same ones."""
    return _as_labels(labels.select_time(min(t, labels.n_times - 1)).volume(), role)


def other_volume(other: Image, t: int, kind: Voxels) -> NDArray:
    """The second image at one time point, in the type that operations are promised."""
    if kind == "labels":
        return label_volume(other, t, "other")
    volume = other.select_time(min(t, other.n_times - 1)).volume()
    return volume != 0 if kind == "mask" else volume


def seed_volume(seeds: Image, t: int) -> NDArray[np.int32]:
    """Seeds of one time point, in the one type that recipes keep and results come out in.

    Raises
    ------
    InputError
        For labels that do not fit 32 bits.
    """
    return _as_labels(seeds.select_time(t).volume(), "seeds")


def _as_labels(volume: NDArray, what: str) -> NDArray[np.int32]:
    if volume.dtype == np.int32:
        return volume
    limits = np.iinfo(np.int32)
    if volume.dtype != bool and (volume.min() < limits.min or volume.max() > limits.max):
        raise InputError(f"{what}: labels must lie between {limits.min} and {limits.max}.")
    return volume.astype(np.int32)
