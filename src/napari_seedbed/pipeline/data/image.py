"""An image with the names of its axes, its voxel size and its units."""

import sys
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_seedbed.errors import InputError

SPATIAL = ("z", "y", "x")


@dataclass(frozen=True, eq=False)
class Image:
    """An array and what is known about it; the one thing that operations take and give.

    Attributes
    ----------
    array : ndarray or dask array
        Read-only by convention; a lazy array is computed one time point at a time.
    axes : tuple of str
        One name an axis of `array`: 'z', 'y', 'x' (in this order), 'c' for channels, 't' for
        time. Other names are allowed, but operations refuse them.
    spacing : tuple of float
        Voxel size along each spatial axis, in `units`. One everywhere by default.
    units : tuple of str
        Unit along each spatial axis, as pint spells it ('micrometer'), or 'pixel'.
    rgb : bool
        The channel axis is the last one and holds red, green, blue (and perhaps alpha).
    channel_names, channel_colors : tuple
        One name, and one colour '#rrggbb' or None, for each channel; empty when unknown.
    name : str
        What people call the image.
    translate : tuple of float
        Position of the first voxel along each spatial axis, in `units`.
    source_channels : tuple of int or None
        Which channels of its file the image holds; None when it holds all of them.
    notes : tuple of str
        What looked odd when the image was read, in plain words.
    record : dict or None
        How the array was made, when an operation made it (`Result.record`).
    holds_labels : bool
        Whether the file that it was read from is one of labels.
    """

    array: Any
    axes: tuple[str, ...]
    spacing: tuple[float, ...] = ()
    units: tuple[str, ...] = ()
    rgb: bool = False
    channel_names: tuple[str, ...] = ()
    channel_colors: tuple[str | None, ...] = ()
    name: str = "image"
    translate: tuple[float, ...] = ()
    source_channels: tuple[int, ...] | None = None
    notes: tuple[str, ...] = ()
    record: dict[str, Any] | None = None
    holds_labels: bool = False

    def __post_init__(self) -> None:
        axes = tuple(self.axes)
        object.__setattr__(self, "axes", axes)
        if len(axes) != len(self.array.shape) or len(set(axes)) != len(axes):
            raise InputError(
                f"axes: {axes} do not fit an array of shape {tuple(self.array.shape)}; "
                "give one different name for each axis."
            )
        spatial = tuple(axis for axis in axes if axis in SPATIAL)
        if spatial not in (SPATIAL, SPATIAL[1:]):
            raise InputError(f"axes: {axes} must contain y, x or z, y, x in this order.")
        n = len(spatial)
        for field, filler in (("spacing", 1.0), ("units", "pixel"), ("translate", 0.0)):
            given = tuple(getattr(self, field)) or (filler,) * n
            if len(given) != n:
                raise InputError(
                    f"{field}: {given} has {len(given)} values for the {n} spatial axes {spatial}."
                )
            object.__setattr__(self, field, given)
        object.__setattr__(self, "spacing", tuple(float(step) for step in self.spacing))
        object.__setattr__(self, "translate", tuple(float(shift) for shift in self.translate))
        if not all(np.isfinite(step) and step > 0 for step in self.spacing):
            raise InputError(f"spacing: {self.spacing} must be positive numbers.")
        if self.rgb and (axes[-1] != "c" or self.array.shape[-1] not in (3, 4)):
            raise InputError(
                f"rgb: an RGB image needs a last axis 'c' of length 3 or 4; axes are {axes}, "
                f"shape is {tuple(self.array.shape)}."
            )
        for field in ("channel_names", "channel_colors"):
            given = tuple(getattr(self, field))
            object.__setattr__(self, field, given)
            if given and len(given) != self.n_channels:
                raise InputError(f"{field}: {len(given)} given for {self.n_channels} channels.")

    @property
    def shape(self) -> tuple[int, ...]:
        """Lengths of all axes."""
        return tuple(int(n) for n in self.array.shape)

    @property
    def dtype(self) -> np.dtype:
        """Type of the voxels."""
        return np.dtype(self.array.dtype)

    @property
    def spatial_axes(self) -> tuple[str, ...]:
        """('z', 'y', 'x') or ('y', 'x')."""
        return tuple(axis for axis in self.axes if axis in SPATIAL)

    @property
    def spatial_shape(self) -> tuple[int, ...]:
        """Lengths of the spatial axes."""
        return tuple(n for n, axis in zip(self.shape, self.axes, strict=True) if axis in SPATIAL)

    @property
    def channel_axis(self) -> int | None:
        """Position of the channel axis, None where there is none."""
        return self.axes.index("c") if "c" in self.axes else None

    @property
    def n_channels(self) -> int:
        """Number of channels; 1 without a channel axis."""
        return 1 if self.channel_axis is None else self.shape[self.channel_axis]

    @property
    def time_axis(self) -> int | None:
        """Position of the time axis, None where there is none."""
        return self.axes.index("t") if "t" in self.axes else None

    @property
    def n_times(self) -> int:
        """Number of time points; 1 without a time axis."""
        return 1 if self.time_axis is None else self.shape[self.time_axis]

    @property
    def is_lazy(self) -> bool:
        """Whether the voxels are still in a file (dask) rather than in memory."""
        return not isinstance(self.array, np.ndarray)

    @property
    def unit(self) -> str:
        """The unit of the last axis, which is the one to show."""
        return self.units[-1]

    def select_channels(self, channels: Sequence[int]) -> "Image":
        """Keep some channels, by index; one index drops the channel axis, [0] of none is itself."""
        channels = [int(index) for index in channels]
        wrong = [index for index in channels if not 0 <= index < self.n_channels]
        if wrong or not channels or len(set(channels)) != len(channels):
            raise InputError(
                f"channels: {channels} asked for, but the image has "
                f"{self.n_channels} (count from 0 to {self.n_channels - 1}, each at most once)."
            )
        known = self.source_channels or tuple(range(self.n_channels))
        source = tuple(known[index] for index in channels)
        names = tuple(self.channel_names[i] for i in channels) if self.channel_names else ()
        colors = tuple(self.channel_colors[i] for i in channels) if self.channel_colors else ()
        if self.channel_axis is None or channels == list(range(self.n_channels)):
            return replace(self, source_channels=source if self.source_channels else None)
        index: tuple[Any, ...] = (slice(None),) * self.channel_axis
        if len(channels) == 1:
            return replace(
                self,
                array=self.array[(*index, channels[0])],
                axes=tuple(axis for axis in self.axes if axis != "c"),
                rgb=False,
                channel_names=names,
                channel_colors=colors,
                source_channels=source,
            )
        # A slice is a view: callers who cache by the place in memory find the same image again.
        steps = np.diff(channels)
        even = steps[0] > 0 and bool(np.all(steps == steps[0]))
        chosen = slice(channels[0], channels[-1] + 1, int(steps[0])) if even else channels
        return replace(
            self,
            array=self.array[(*index, chosen)],
            rgb=self.rgb and channels == [0, 1, 2],
            channel_names=names,
            channel_colors=colors,
            source_channels=source,
        )

    def channels(self) -> list["Image"]:
        """Each channel by itself, without channel axis; the image itself where there is none."""
        if self.channel_axis is None:
            return [self]
        index: tuple[Any, ...] = (slice(None),) * self.channel_axis
        plain = replace(
            self,
            array=self.array[(*index, 0)],
            axes=tuple(axis for axis in self.axes if axis != "c"),
            rgb=False,
            channel_names=(),
            channel_colors=(),
        )
        return [replace(plain, array=self.array[(*index, i)]) for i in range(self.n_channels)]

    def empty_labels(self) -> "Image":
        """Labels (int32) on its grid, all 0."""
        first = self.channels()[0]
        return replace(first, array=np.zeros(first.shape, np.int32))

    def select_time(self, t: int) -> "Image":
        """One time point, without the time axis; the image itself where there is none."""
        if self.time_axis is None:
            return self
        if not 0 <= t < self.n_times:
            raise InputError(f"t: time point {t} asked for, but the image has {self.n_times}.")
        index: tuple[Any, ...] = (slice(None),) * self.time_axis
        return replace(
            self,
            array=self.array[(*index, t)],
            axes=tuple(axis for axis in self.axes if axis != "t"),
        )

    def crop(self, region: Sequence[slice]) -> "Image":
        """A part of it, one slice of whole numbers a spatial axis; it keeps its place."""
        if len(region) != len(self.spatial_axes):
            raise InputError(
                f"region: {len(region)} slices given for the axes {self.spatial_axes}; give one "
                "for each."
            )
        bounds = [part.indices(n) for part, n in zip(region, self.spatial_shape, strict=True)]
        if any(step != 1 or stop <= start for start, stop, step in bounds):
            raise InputError(
                f"region: {tuple(region)} holds no voxels of an image of shape "
                f"{self.spatial_shape}."
            )
        where = dict(zip(self.spatial_axes, bounds, strict=True))
        index = tuple(
            slice(*where[axis][:2]) if axis in where else slice(None) for axis in self.axes
        )
        places = zip(self.translate, self.spacing, bounds, strict=True)
        return replace(
            self,
            array=self.array[index],
            translate=tuple(place + step * start for place, step, (start, _, _) in places),
        )

    def volume(self) -> NDArray:
        """One time point in memory: (Z, Y, X) or (C, Z, Y, X), without z in 2D, C-contiguous.

        A channel axis of length one is dropped, and so is the alpha of an RGB image. Whoever
        made the image (a window, a reader), the same voxels come out in the same layout.
        """
        if set(self.axes) - {*SPATIAL, "c"}:
            raise InputError(
                f"image: its axes are {self.axes}; choose one position along each axis that is "
                "not z, y, x or c."
            )
        array = voxels_of(self.array)
        if self.channel_axis is not None:
            array = np.moveaxis(array, self.channel_axis, 0)
            if self.rgb:
                array = array[:3]
            if len(array) == 1:
                array = array[0]
        return np.ascontiguousarray(array, dtype=array.dtype.newbyteorder("="))


def voxels_of(array: Any) -> NDArray:
    """The voxels of an array in memory.

    A task of a dask worker reads a lazy array itself: it would wait for other tasks otherwise, that
    may wait for it, and voxels would pass between processes.
    """
    # Another thread may be importing it, which then is in no worker.
    get_worker = getattr(sys.modules.get("distributed"), "get_worker", None)
    if isinstance(array, np.ndarray) or get_worker is None:
        return np.asarray(array)
    try:
        get_worker()
    except ValueError:
        return np.asarray(array)
    return np.asarray(array.compute(scheduler="synchronous"))
