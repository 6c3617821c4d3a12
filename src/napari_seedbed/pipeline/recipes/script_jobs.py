"""What operations are given when a recipe is written as a script: expressions for voxels."""

from collections.abc import Callable, Hashable, Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from napari_seedbed.errors import InputError
from napari_seedbed.pipeline.data.image import Image
from napari_seedbed.pipeline.engine.declarations import Kind
from napari_seedbed.pipeline.engine.jobs import Context, Job, WholeJob
from napari_seedbed.pipeline.engine.series_jobs import SeriesJob
from napari_seedbed.pipeline.engine.written_calls import (
    CoreFunction,
    Expression,
    Named,
    ScriptWriter,
    literal,
)

CANONICAL = ("t", "c", "z", "y", "x")
"""The order of axes in a script."""

SPACING = "SPACING"
"""The constant of a script with the voxel size."""


_SHORT = 60
"""A loop of up to so many signs is put into one line."""


@dataclass(frozen=True)
class Made:
    """What a variable of a script holds.

    Attributes
    ----------
    text : str
        The variable; its axes are in the order of `CANONICAL`.
    kind : str
        As `Operation.gives`.
    axes : tuple of str
        In the order that a run gives them.
    sizes : dict
        Lengths of its axes.
    rgb : bool
    channel_names : tuple of str
    is_described : bool
        Whether the recipe says how it is laid out, or it is only taken to be as the first image.
    """

    text: str
    kind: Kind
    axes: tuple[str, ...] = ()
    sizes: Mapping[str, int] = field(default_factory=dict)
    rgb: bool = False
    channel_names: tuple[str, ...] = ()
    is_described: bool = True

    @property
    def n_channels(self) -> int:
        """1 without a channel axis."""
        return self.sizes["c"] if self.has_channels else 1

    def image(
        self, writer: ScriptWriter, spacing: tuple[float, ...], units: tuple[str, ...]
    ) -> Image:
        """The image that it is in a run, an expression in place of its voxels."""
        shape = tuple(self.sizes[axis] for axis in self.axes)
        array = Expression(writer, self.text, shape=shape)
        return Image(
            array, self.axes, spacing, units, rgb=self.rgb, channel_names=self.channel_names
        )

    def written(
        self, writer: ScriptWriter, spacing: tuple[float, ...], units: tuple[str, ...]
    ) -> Image:
        """The same with its axes in the order that they have in the script."""
        return replace(self, axes=self.written_axes, rgb=False).image(writer, spacing, units)

    @property
    def is_series(self) -> bool:
        """Whether it has a time axis."""
        return "t" in self.axes

    @property
    def has_channels(self) -> bool:
        """Whether it has a channel axis, of whatever length."""
        return "c" in self.axes

    @property
    def spatial_axes(self) -> tuple[str, ...]:
        """('z', 'y', 'x') or ('y', 'x')."""
        return tuple(axis for axis in self.axes if axis not in ("t", "c"))

    @property
    def written_axes(self) -> tuple[str, ...]:
        """The axes in the order that they have in the script."""
        return tuple(axis for axis in CANONICAL if axis in self.axes)


def volume_of(
    writer: ScriptWriter, made: Made, time: str | None, channel: str | None = None
) -> Any:
    """The voxels of one time point, (C, Z, Y, X) or (Z, Y, X), without z in 2D."""
    places = [time] if made.is_series and time is not None else []
    several = made.has_channels and channel is None and made.n_channels != 1
    if made.has_channels and not several:
        places += [channel or "0"] if places or not made.is_series else [":", channel or "0"]
    text = f"{made.text}[{', '.join(places)}]" if places else made.text
    axes = made.spatial_axes
    axes = ("c", *axes) if several else axes
    axes = ("t", *axes) if made.is_series and time is None else axes
    return Expression(writer, text, shape=tuple(made.sizes[axis] for axis in axes))


class Drawn(Expression):
    """Shapes that were drawn, of which there are some."""

    __slots__ = ()

    def __bool__(self) -> bool:
        return True


class _Unspoken:
    """What is said while a function works is not known when its script is written."""

    writer: ScriptWriter

    def note(self, in_words: Callable[..., Any], *values: Any) -> None:
        """Say nothing: what would be said is not known."""

    def check(self, refuse: Callable[..., object], *values: Any) -> None:
        """Check nothing: what is wrong is not known."""

    def constant(self, name: str, value: Any) -> Any:
        """Write a constant of the script."""
        return self.writer.constant(name, value)


@dataclass
class WrittenJob(_Unspoken, Job):
    """A job of which every result is a line of a script.

    Attributes
    ----------
    writer : ScriptWriter
    made : Made
        The image.
    loops : tuple of str
        Names of what the loops around it count.
    """

    writer: ScriptWriter = field(default_factory=ScriptWriter)
    made: Made = field(default_factory=lambda: Made("image", "image"))
    loops: tuple[str, ...] = ()

    def remembered(self, known: Callable[[], Any], make: Callable[[], Any]) -> Any:
        """Write how it is made, before the loop."""
        del known
        with self.writer.before_loop():
            return make()

    def functions_of_time(self) -> tuple[Expression, Expression]:
        """Functions that give the voxels and the seeds of a time point."""
        made, seeds = self.made, self.all_seeds
        load = function_of_time(self.writer, lambda t: volume_of(self.writer, made, literal(t)))
        return load, function_of_time(self.writer, lambda t: f"{seeds}[{t}]")

    def value_range(self) -> Any:
        """Write that the range is found."""
        with self.writer.before_loop():
            return self.core.value_range(Expression(self.writer, self.made.text))

    def percentiles(
        self, percents: Sequence[float], channel: Any, *, of_series: bool = False
    ) -> Any:
        """Write that percentiles are found."""
        with self._once(of_series, channel):
            values = self._all_of(channel, of_series)
            return self.writer.unpacked(
                self.writer.call(
                    CoreFunction(self.writer, "percentiles").use(),
                    [values],
                    {"percents": tuple(percents)},
                    parts=["limit"] * len(percents),
                )
            )

    def kept(self, key: Hashable, make: Callable[[], Any]) -> Any:
        """Write how it is made, here."""
        return make()

    def _changed(self, change: Callable[[Any], Any] | None, *, of_series: bool = False) -> Any:
        """All voxels together, changed by lines of the script."""
        values = self._all_of(self.channel, of_series)
        if change is None:
            return values
        is_loop = of_series and self.made.is_series
        return self.each(values, change) if is_loop else change(values)

    def extremes(
        self, change: Callable[[Any], Any] | None = None, reach: Sequence[int] = ()
    ) -> Any:
        """Write that the least and largest value are found."""
        values = self._changed(change)
        return values.min(), values.max()

    def histogram(
        self,
        change: Callable[[Any], Any] | None = None,
        reach: Sequence[int] = (),
        *,
        of_series: bool = False,
    ) -> Any:
        """Write that values are counted."""
        with self._once(of_series, self.channel):
            return self.core.image_histogram(self._changed(change, of_series=of_series))

    def _once(self, of_series: bool, channel: Any) -> Any:
        """Before the loop over time, where all time points count and channels do not differ."""
        is_same = of_series and (channel is None or literal(channel) not in self.loops)
        return self.writer.before_loop() if is_same else nullcontext()

    def _all_of(self, channel: Any, of_series: bool) -> Expression:
        time = None if of_series or self.time is None else literal(self.time)
        return volume_of(self.writer, self.made, time, _text(channel))

    def each(
        self,
        volume: Any,
        function: Callable[[Any], Any],
        problems: list[InputError] | None = None,
    ) -> Any:
        """Write a loop over the parts of a volume."""
        writer = self.writer
        part = Expression(writer, writer.variable("part"))
        with writer.block() as inner:
            found = function(part)
        text = str(found)
        if inner and inner[-1].startswith(f"{found} = "):
            text = inner.pop().removeprefix(f"{found} = ")
        if not inner and problems is None and len(text) < _SHORT:
            return writer.assigned(f"np.stack([{text} for {part} in {volume}])", "parts")
        if problems is None:
            parts = writer.assigned("[]", "parts")
            writer.line(f"for {part} in {volume}:")
            writer.lines += [f"    {line}" for line in [*inner, f"{parts}.append({text})"]]
            return writer.assigned(f"np.stack({parts})", "parts")
        writer.modules.add("from napari_seedbed.errors import InputError")
        writer.helpers.add("gathered")
        parts = writer.assigned("{}", "parts")
        nth = writer.variable("nth")
        writer.line(f"for {nth}, {part} in enumerate({volume}):")
        writer.line("    try:")
        writer.lines += [f"        {line}" for line in [*inner, f"{parts}[{nth}] = {text}"]]
        writer.line("    except InputError:")
        writer.line("        # A slice of one value, for example, has no threshold.")
        writer.line("        continue")
        return writer.assigned(f"gathered({parts}, ({volume}.shape[0],))", "parts")


@dataclass
class WrittenWholeJob(_Unspoken, WholeJob):
    """A whole image of which every result is a line of a script.

    Attributes
    ----------
    writer : ScriptWriter
    labels, second : Made
        The image, and the second one.
    shapes_text : str
        The variable with the shapes.
    """

    writer: ScriptWriter = field(default_factory=ScriptWriter)
    labels: Made = field(default_factory=lambda: Made("image", "labels"))
    second: Made | None = None
    shapes_text: str = ""

    @property
    def spacing(self) -> tuple[float, ...]:
        """Voxel size, by its name."""
        return Named(self.image.spacing, SPACING)

    def labels_at(self, t: Any) -> Any:
        """The image at a time point, which holds labels."""
        volume = volume_of(self.writer, self.labels, None if t is None else literal(t))
        return Expression(self.writer, f"{volume}.astype(np.int32)", shape=volume._shape)

    def other_at(self, t: Any) -> Any:
        """The second image at a time point."""
        assert self.second is not None
        return volume_of(self.writer, self.second, None if t is None else literal(t))

    def other_channel_axis(self) -> Any:
        """0 where the second image has several channels, which its file may have."""
        assert self.second is not None
        if self.second.is_described:
            return 0 if self.second.n_channels > 1 else None
        text = f"None if {self.second.text}.ndim == {self.image.array.ndim} else 0"
        return Expression(self.writer, text, is_simple=False)

    def table_of(self, function: Callable[[Any], Any]) -> Any:
        """Write a loop over time, if there is time."""
        writer = self.writer
        if not self.labels.is_series:
            return function(None)
        tables = writer.assigned("[]", "tables")
        with writer.block() as inner:
            found = function(Expression(writer, "t"))
        writer.helpers |= {"placed", "joined"}
        over = literal(list(self.times))
        if list(self.times) == list(range(self.labels.sizes["t"])):
            over = f"range(len({self.labels.text}))"
        writer.line(f"for t in {over}:")
        lines = [*inner, f"{tables}.append(placed({found}, time_point=t))"]
        writer.lines += [f"    {line}" for line in lines]
        return writer.assigned(f"joined({tables})", "table")

    def volume_at(self, t: Any) -> Any:
        """The image at a time point."""
        return volume_of(self.writer, self.labels, literal(t))

    def at_times(self, at: Callable[[Any], Any]) -> Any:
        """A function of the time point."""
        return function_of_time(self.writer, at)

    def in_turn(self, pairs: Any, found: Callable[[Any, Any], Mapping[str, Any]]) -> dict[str, Any]:
        """Write a loop over pairs of time points, if there is time."""
        writer = self.writer
        if not self.labels.is_series:
            return {name: [value] for name, value in found(0, 0).items()}
        places = [Expression(writer, writer.variable(name)) for name in ("time", "beside")]
        with writer.block() as inner:
            parts = found(*places)
        every = {name: writer.assigned("[]", name) for name in parts}
        writer.line(f"for {', '.join(map(str, places))} in {pairs}:")
        inner += [f"{every[name]}.append({literal(value)})" for name, value in parts.items()]
        writer.lines += [f"    {line}" for line in inner]
        return every

    def unless_same(self, time: Any, other: Any, value: Any) -> Any:
        """A value, or None where two time points are one."""
        if value is None or not isinstance(time, Expression):
            return None
        text = f"None if {time} == {other} else {literal(value)}"
        return Expression(self.writer, text, is_simple=False)

    def series_image(self, volumes: Any, names: tuple[str, ...], what: str) -> Any:
        """Write that volumes are put together."""
        made = self.labels
        axes = (*(("c",) if names else ()), *made.spatial_axes)
        text = literal(volumes) if made.is_series else literal(volumes[0])
        if made.is_series:
            text, axes = str(self.writer.assigned(f"np.stack({text})", what)), ("t", *axes)
        return Made(text, "image", axes, made.sizes, channel_names=names)

    def series_shapes(self, found: Any, what: str) -> Any:
        """Write that shapes are put together."""
        text = f"[shape for part in {literal(found)} for shape in part]"
        return self.writer.assigned(text, what)

    def series_table(self, found: Any, what: str) -> Any:
        """Write that rows are put together."""
        self.writer.helpers |= {"placed", "joined"}
        rows = f"placed(columns, time_point=time) for time, columns in {literal(found)}"
        return self.writer.assigned(f"joined([{rows}])", "table")

    def table(self, columns: Any, name: str) -> Any:
        """The columns: a table of a script has no name."""
        return columns

    def in_memory(self, image: Image) -> Image:
        """The image itself: all of a script is in memory."""
        return image

    def on_own_axes(self, function: Callable[[Any, int | None], Any]) -> Any:
        """Write what a function gives; other lines have time first."""
        made = self.labels
        if not made.is_series or made.axes == made.written_axes:
            return super().on_own_axes(function)
        axis = made.axes.index("t")
        return np.moveaxis(function(np.moveaxis(self.image.array, 0, axis), axis), axis, 0)

    def on_grid_of(self, image: Image, array: Any) -> Image:
        """The same array, of which the shape is known."""
        return replace(image, array=Expression(self.writer, literal(array), shape=image.shape))

    def drawn(self) -> Any:
        """The shapes that were drawn, by their name."""
        return Expression(self.writer, self.shapes_text)

    def in_place(self, array: Any) -> Any:
        """The array: an image of a script is no more than that."""
        return array


def function_of_time(writer: ScriptWriter, at: Callable[[Any], Any]) -> Expression:
    """A function that gives something of a time point."""
    return Expression(writer, f"lambda t: {at(Expression(writer, 't'))}", is_simple=False)


def series_job(
    writer: ScriptWriter,
    made: Made,
    seeds: Made | None,
    shapes: Any,
    spacing: tuple[float, ...],
    parameters: Mapping[str, Any],
    core: Any,
) -> SeriesJob:
    """What a series operation is given, of which every result is a line of a script."""

    def at(one: Made) -> Any:
        return function_of_time(writer, lambda t: volume_of(writer, one, literal(t)))

    return SeriesJob(
        load=at(made),
        n_times=made.sizes.get("t", 1),
        spatial_shape=tuple(made.sizes[axis] for axis in made.spatial_axes),
        shapes=shapes,
        seeds=None if seeds is None else at(seeds),
        spacing=spacing,
        channel_axis=0 if made.n_channels > 1 else None,
        parameters=parameters,
        context=Context(),
        core=core,
    )


def _text(value: Any) -> str | None:
    return None if value is None else literal(value)
