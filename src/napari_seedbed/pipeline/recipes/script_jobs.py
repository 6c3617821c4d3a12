"""What operations are given when a recipe is written as a script: expressions for voxels."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from napari_seedbed.pipeline.engine.declarations import Kind
from napari_seedbed.pipeline.engine.jobs import Job
from napari_seedbed.pipeline.engine.written_calls import Expression, ScriptWriter, literal

CANONICAL = ("t", "c", "z", "y", "x")
"""The order of axes in a script."""


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
    n_channels : int or None
        1 without a channel axis; None where it is not known.
    rgb : bool
    channel_names : tuple of str
    """

    text: str
    kind: Kind
    axes: tuple[str, ...] = ()
    n_channels: int | None = 1
    rgb: bool = False
    channel_names: tuple[str, ...] = ()

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
) -> Expression:
    """The voxels of one time point, (C, Z, Y, X) or (Z, Y, X), without z in 2D."""
    places = [time] if made.is_series and time is not None else []
    several = made.has_channels and channel is None and made.n_channels != 1
    if made.has_channels and not several:
        places += [channel or "0"] if places or not made.is_series else [":", channel or "0"]
    text = f"{made.text}[{', '.join(places)}]" if places else made.text
    return Expression(
        writer,
        text,
        ndim=len(made.spatial_axes) + several,
        length=made.n_channels if several else None,
    )


class _Marks(Expression):
    """Shapes that are drawn: there are some."""

    def __bool__(self) -> bool:
        return True


@dataclass
class WrittenImage:
    """What is known of an image before a script runs: what `Job.image` is there."""

    made: Made
    spacing: tuple[float, ...]
    unit: str
    dtype: Any
    spatial_shape: Any

    @property
    def rgb(self) -> bool:
        """Whether it is in colour."""
        return self.made.rgb

    @property
    def n_channels(self) -> int | None:
        """How many channels it has."""
        return self.made.n_channels

    @property
    def channel_names(self) -> tuple[str, ...]:
        """Names of its channels, where they are known."""
        return self.made.channel_names

    @property
    def spatial_axes(self) -> tuple[str, ...]:
        """('z', 'y', 'x') or ('y', 'x')."""
        return self.made.spatial_axes

    @property
    def time_axis(self) -> int | None:
        """0 or None."""
        return 0 if self.made.is_series else None


@dataclass
class WrittenJob(Job):
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

    def note(self, in_words: Callable[..., str], *values: Any) -> None:
        """Say nothing: what would be said is not known."""

    def value_range(self) -> Any:
        """Write that the range is found."""
        with self.writer.before_loop():
            return self.core.value_range(Expression(self.writer, self.made.text))

    def percentiles(
        self, percents: Sequence[float], channel: Any, *, of_series: bool = False
    ) -> Any:
        """Write that percentiles are found."""
        place = None if channel is None else literal(channel)
        if of_series and place in self.loops:
            values = volume_of(self.writer, self.made, None, place)
            return self._percentiles(values, percents)
        if of_series:
            with self.writer.before_loop():
                return self._percentiles(
                    volume_of(self.writer, self.made, None, place), percents
                )
        time = None if self.time is None else literal(self.time)
        return self._percentiles(volume_of(self.writer, self.made, time, place), percents)

    def _percentiles(self, values: Expression, percents: Sequence[float]) -> list[Expression]:
        self.writer.core_names.add("percentiles")
        found = self.writer.call(
            "percentiles", [values], {"percents": tuple(percents)}, wish="limits",
            arity=len(percents),
        )  # fmt: skip
        return list(found)

    def each(self, volume: Any, function: Callable[[Any], Any]) -> Any:
        """Write a loop over the parts of a volume."""
        part = Expression(self.writer, self.writer.variable("part"), ndim=volume.ndim - 1)
        with self.writer.block() as inner:
            found = function(part)
        source = literal(volume)
        if len(inner) == 1 and inner[0].startswith(f"{found} = "):
            text = inner[0].removeprefix(f"{found} = ")
            if len(text) < 60:
                return self.writer.assigned(f"np.stack([{text} for {part} in {source}])", "parts")
        parts = self.writer.assigned("[]", "parts")
        self.writer.line(f"for {part} in {source}:")
        self.writer.lines += [f"    {line}" for line in inner]
        self.writer.line(f"    {parts}.append({found})")
        self.writer.line(f"{parts} = np.stack({parts})")
        return parts
