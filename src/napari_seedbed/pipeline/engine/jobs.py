"""What the function of an operation is given, and what it gives."""

from collections.abc import Callable, Hashable, Iterable, Mapping, MutableMapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from napari_seedbed.core.progress import check_stop, part_of
from napari_seedbed.errors import InputError
from napari_seedbed.pipeline.data.blocks import OverBlocks, over_blocks
from napari_seedbed.pipeline.data.tables import Columns, Table, at_time, joined

if TYPE_CHECKING:
    from napari_seedbed.core import Histogram, ValueRange
    from napari_seedbed.core.marks.shapes import Shape
    from napari_seedbed.pipeline.data.image import Image
    from napari_seedbed.pipeline.data.shapes import Shapes


def core_module() -> Any:
    """The functions of `napari_seedbed.core`, imported when they are needed."""
    from napari_seedbed import core

    return core


def _extremes(block: NDArray) -> tuple[Any, Any]:
    return block.min(), block.max()


@dataclass
class Context:
    """What an interactive caller keeps between runs.

    Attributes
    ----------
    cache : dict
        Prepared state of operations, reused while the image and the parameters stay. It keys on
        the place of the image in memory: clear it after voxels were changed in place.
    view : (int, int) or None
        Spatial axis and index of the slice on screen, for a first answer there.
    live : bool
        Continue from the last solution. What is shown for good, saved or written must come from
        a run with live=False, which gives the same bits as the command line.
    watch : callable or None
        Asked by operations that move step by step, after each iteration and with its number,
        whether somebody wants to see where things are now (`Progress.preview`).
    """

    cache: MutableMapping[Hashable, Any] = field(default_factory=dict)
    view: tuple[int, int] | None = None
    live: bool = False
    watch: Callable[[int], bool] | None = None


class _Speaking:
    """What a function says while it works, and what it knows before."""

    notes: list[str]

    def note(self, in_words: Callable[..., str | list[str]], *values: Any) -> None:
        """Say something of values that the voxels decide, where there is something to say."""
        words = in_words(*values)
        self.notes += [one for one in ([words] if isinstance(words, str) else words) if one]

    def check(self, refuse: Callable[..., object], *values: Any) -> None:
        """Refuse values that the voxels decide, by the InputError of a function."""
        refuse(*values)

    def constant(self, name: str, value: Any) -> Any:
        """What is known before there are voxels, by a name that scripts give it."""
        del name
        return value


@dataclass
class Job(_Speaking):
    """One volume to work on: what an operation's function is given.

    Attributes
    ----------
    load : callable
        Gives the voxels, (Z, Y, X) or (C, Z, Y, X), without z in 2D; called only when needed.
    seeds : ndarray of int or None
        Seeds on the same grid, without channels.
    spacing : tuple of float
    channel_axis : int or None
        0 or None.
    label_values : tuple of int
        All positive labels of all time points, rising.
    parameters : dict
    cache_key : hashable
        Stands for the voxels of `load`.
    image : Image
        All time points and channels, also where only a part is worked on: for what the values of
        all voxels decide.
    time : int
        Time point.
    channel : int or None
        None where all channels count together.
    other : callable
        Gives the voxels of the second image, laid out as those of `load`; None without one.
    shapes : tuple of core.marks.shapes.Shape
        Those of this time point.
    notes : list of str
        What a person should know about the result; the function may add to it.
    shared : dict
        Kept for all volumes, channels and blocks of one run, beside each other.
    over : OverBlocks
        What looks at all blocks of an image.
    other_image : Image or None
        The second image, all time points of it.
    all_seeds : Image or None
        The seeds of all time points and all of the image, for what is learnt from all of them.
    all_shapes : tuple of core.marks.shapes.Shape
        Likewise the shapes.
    wanted : tuple of slice or None
        The part of what `load` gives that is asked for, one slice a spatial axis; None for all.
        What comes out elsewhere does not matter.
    core : module
        The functions of `napari_seedbed.core`. What a function calls here, a script of a recipe
        calls; what it imports itself cannot be written down.
    """

    load: Callable[[], NDArray]
    seeds: NDArray[np.integer] | None
    spacing: tuple[float, ...]
    channel_axis: int | None
    label_values: tuple[int, ...]
    parameters: Mapping[str, Any]
    cache_key: Hashable
    context: Context
    image: "Image"
    time: int
    channel: int | None
    other: Callable[[], NDArray | None] = lambda: None
    shapes: "tuple[Shape, ...]" = ()
    notes: list[str] = field(default_factory=list)
    shared: MutableMapping[Hashable, Any] = field(default_factory=dict)
    over: OverBlocks = over_blocks
    other_image: "Image | None" = None
    all_seeds: "Image | None" = None
    all_shapes: "tuple[Shape, ...]" = ()
    wanted: tuple[slice, ...] | None = None
    core: Any = field(default_factory=core_module)

    def remembered(self, known: Callable[[], Any], make: Callable[[], Any]) -> Any:
        """What this process remembers; a script makes it."""
        del make
        return known()

    def kept(self, key: Hashable, make: Callable[[], Any]) -> Any:
        """What is found once for all volumes, channels and blocks of a run that need the same."""
        if key not in self.shared:
            self.shared[key] = make()
        return self.shared[key]

    def value_range(self) -> "ValueRange":
        """The range that the values of all time points and channels were made for."""
        from napari_seedbed.pipeline.data.image_statistics import range_of_image

        found: ValueRange = self.kept("range", lambda: range_of_image(self.image, self.over))
        return found

    def percentiles(
        self, percents: Sequence[float], channel: int | None, *, of_series: bool = False
    ) -> Sequence[float]:
        """Percentiles of one channel or all, at this time point or all of them together."""
        from napari_seedbed.pipeline.data.image_statistics import percentiles_of_image

        times = range(self.image.n_times) if of_series else [self.time]
        found: Sequence[float] = self.kept(
            ("percentiles", tuple(percents), channel, tuple(times)),
            lambda: percentiles_of_image(self.image, percents, times, channel, self.over),
        )
        return found

    def extremes(
        self, change: Callable[[NDArray], NDArray] | None = None, reach: Sequence[int] = ()
    ) -> tuple[Any, Any]:
        """The least and largest value of this channel at this time point, changed beforehand.

        Parameters
        ----------
        change : callable, optional
            Gives another volume for a volume.
        reach : sequence of int
            How far around a voxel it looks, along each axis of space.
        """
        found: tuple[Any, Any] = self.kept(
            ("extremes", change is None, self.channel, self.time),
            lambda: self._extremes(change, reach),
        )
        return found

    def _extremes(
        self, change: Callable[[NDArray], NDArray] | None, reach: Sequence[int]
    ) -> tuple[Any, Any]:
        image = self.image.select_time(self.time)
        parts = list(self.over(_extremes, image, self.channel, change, reach))
        return min(low for low, _ in parts), max(high for _, high in parts)

    def statistic(self, of_all: float, key: Hashable, join: Callable[[], float]) -> float:
        """What core finds in all of the image, where a part of it is worked on.

        Parameters
        ----------
        of_all : float
            What core is given where all is worked on, so that it finds it itself.
        key : hashable
            What it is.
        join : callable
            Finds it with `over`.
        """
        if self.wanted is None:
            return of_all
        return float(self.kept((key, self.channel, self.time), join))

    def deviation(self, of_all: float = 0.0) -> float:
        """The standard deviation of all of the image, as `statistic`."""
        from napari_seedbed.pipeline.data.image_statistics import deviation_of_image

        def of_image() -> float:
            image = self.image.select_time(self.time)
            return deviation_of_image(image, self.channel, self.over)

        return self.statistic(of_all, "deviation", of_image)

    def noise(self, of_all: float = 0.0) -> float:
        """The standard deviation of the noise in all of the image, as `statistic`."""
        from napari_seedbed.core.filters.denoising_filters import NOISE_REACH, noise_over

        def over(function: Callable[..., Any]) -> Iterable[Any]:
            image, reach = self.image.select_time(self.time), (NOISE_REACH,) * len(self.spacing)
            return self.over(function, image, self.channel, None, reach, placed=True)

        return self.statistic(of_all, "noise", lambda: noise_over(over, self.image.dtype))

    def histogram(
        self,
        change: Callable[[NDArray], NDArray] | None = None,
        reach: Sequence[int] = (),
        *,
        of_series: bool = False,
    ) -> "Histogram":
        """The histogram of this channel at this time point, or of all of them together.

        Parameters
        ----------
        change, reach
            As for `extremes`.
        of_series : bool
        """
        from napari_seedbed.core.thresholds.histograms import histogram_over

        image = self.image if of_series else self.image.select_time(self.time)
        return histogram_over(
            lambda function: self.over(function, image, self.channel, change, reach)
        )

    def each(
        self,
        volume: NDArray,
        function: Callable[[NDArray], NDArray],
        problems: list[InputError] | None = None,
    ) -> NDArray:
        """What a function gives for each part along the first axis, stacked.

        With a list for problems, parts that it refuses come out as 0, as long as there is another.
        """
        out: NDArray | None = None
        for nth, part in enumerate(volume):
            try:
                found = function(part)
            except InputError as error:
                if problems is None:
                    raise
                problems.append(error)
                continue
            if out is None:
                out = np.zeros((len(volume), *found.shape), found.dtype)
            out[nth] = found
        if out is None:
            assert problems, "there are parts"
            raise problems[-1]
        return out


@dataclass(frozen=True, eq=False)
class Channels:
    """An output with channels of its own that says what they are.

    Attributes
    ----------
    array : (K, Z, Y, X) ndarray
        Without z in 2D.
    names : tuple of str
        One a channel.
    as_input : bool
        Whether they are the channels of the image: an RGB image then gives an RGB image.
    """

    array: NDArray
    names: tuple[str, ...] = ()
    as_input: bool = False


@dataclass(frozen=True, eq=False)
class Once:
    """An output that is the same for all time points, and made for the first one.

    Attributes
    ----------
    make : callable
        Gives it.
    """

    make: Callable[[], Any]


@dataclass
class WholeJob(_Speaking):
    """An image with all its time points and channels: what a `whole` operation is given.

    Attributes
    ----------
    image : Image
    other : Image or None
    seeds : Image or None
    shapes : Shapes or None
    parameters : dict
    context : Context
    notes : list of str
        What a person should know about the result; the function may add to it.
    times : sequence of int
        Time points that are asked for: all, unless the operation's scope is 'times'.
    core : module
        As of a `Job`.
    """

    image: "Image"
    other: "Image | None"
    seeds: "Image | None"
    shapes: "Shapes | None"
    parameters: Mapping[str, Any]
    context: Context
    notes: list[str] = field(default_factory=list)
    times: Sequence[int] = (0,)
    core: Any = field(default_factory=core_module)

    @property
    def spacing(self) -> tuple[float, ...]:
        """Voxel size."""
        return self.image.spacing

    def labels_at(self, t: int) -> NDArray[np.int32]:
        """The image at a time point, which holds labels."""
        from napari_seedbed.pipeline.engine.volumes import label_volume

        return label_volume(self.image, t)

    def other_at(self, t: int) -> NDArray:
        """The second image at a time point."""
        assert self.other is not None
        return self.other.select_time(min(t, self.other.n_times - 1)).volume()

    def other_channel_axis(self) -> int | None:
        """0 where the second image has several channels."""
        return 0 if self.other is not None and self.other.n_channels > 1 else None

    def volume_at(self, t: int) -> NDArray:
        """The image at a time point."""
        return self.image.select_time(t).volume()

    def at_times(self, at: Callable[[int], Any]) -> Callable[[int], Any]:
        """What gives something of a time point, to be handed to core."""
        return at

    def in_turn(
        self, pairs: Sequence[tuple[int, int]], found: Callable[[int, int], Mapping[str, Any]]
    ) -> dict[str, list[Any]]:
        """What a function gives for each time point and the one that is beside it in a pair."""
        every: dict[str, list[Any]] = {}
        for nth, (time, beside) in enumerate(pairs):
            check_stop()
            with part_of(nth, len(pairs), f"time point {nth + 1} of {len(pairs)}: "):
                for name, value in found(time, beside).items():
                    every.setdefault(name, []).append(value)
        return every

    def unless_same(self, time: int, other: int, value: Any) -> Any:
        """A value, or None where two time points are one."""
        return None if time == other else value

    def series_image(self, volumes: list[Any], names: tuple[str, ...], what: str) -> "Image":
        """Volumes of all time points together; with a name for each channel where there are some.

        Their axes are time, channels and space, as far as there are such.
        """
        image, has_time = self.image, self.image.time_axis is not None
        lead = ("t",) if has_time else ()
        return replace(
            image,
            array=np.stack(volumes) if has_time else volumes[0],
            axes=(*lead, *(("c",) if names else ()), *image.spatial_axes),
            rgb=False,
            channel_names=names,
            channel_colors=(),
            name=f"{image.name} {what}",
            source_channels=None,
            notes=(),
        )

    def series_shapes(self, found: list[list[Any]], what: str) -> "Shapes":
        """Shapes of all time points together."""
        from napari_seedbed.pipeline.data.shapes import Shapes

        image = self.image
        n_times = None if image.time_axis is None else image.n_times
        every = tuple(shape for part in found for shape in part)
        name = f"{image.name} {what}"
        return Shapes(every, name, image.spacing, image.units, image.translate, n_times)

    def series_table(self, found: list[tuple[int, Columns]], what: str) -> Table:
        """Rows of all time points below each other, with a first column that counts these."""
        parts = [
            {"time_point": np.full(len(next(iter(columns.values()))), time), **columns}
            for time, columns in found
        ]
        return Table(joined(parts), f"{self.image.name} {what}")

    def table_of(self, function: Callable[[int], Columns]) -> Columns:
        """The rows that a function gives for each time point, which a first column counts."""
        parts = []
        for nth, t in enumerate(self.times):
            check_stop()
            with part_of(nth, len(self.times)):
                parts.append(at_time(self.image, t, function(t)))
        return joined(parts)

    def in_memory(self, image: "Image") -> "Image":
        """A part of the image with voxels of its own, in memory."""
        return replace(image, array=np.array(image.array))

    def on_own_axes(self, function: Callable[[NDArray, int | None], Any]) -> Any:
        """What a function gives of all voxels and their time axis, in the image's order of axes."""
        return function(self.image.array, self.image.time_axis)

    def on_grid_of(self, image: "Image", array: NDArray) -> "Image":
        """An image with other voxels."""
        return replace(image, array=array)

    def drawn(self) -> "tuple[Shape, ...]":
        """The shapes that were drawn."""
        return () if self.shapes is None else self.shapes.shapes

    def in_place(self, array: NDArray) -> "Image":
        """An array in the place of the image."""
        return replace(self.image, array=array)

    def table(self, columns: Columns, name: str) -> Table:
        """A table of its own name."""
        return Table(columns, name)
