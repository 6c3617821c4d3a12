"""What an operation is: one declaration, from which everything else is derived."""

from collections.abc import Callable, Hashable, Mapping, MutableMapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from numpy.typing import NDArray

from napari_seedbed.core.progress import Report, ShouldStop
from napari_seedbed.errors import InputError
from napari_seedbed.pipeline.parameters import Parameter, Value

if TYPE_CHECKING:
    from napari_seedbed.core.marks.shapes import Shape
    from napari_seedbed.pipeline.image import Image
    from napari_seedbed.pipeline.shapes import Shapes

Role = Literal["image", "other", "seeds", "shapes"]
Kind = Literal["image", "labels", "mask", "shapes", "points", "table"]
Voxels = Literal["image", "labels", "mask"]
Menu = Literal["napari/layers/filter", "napari/layers/segment", "napari/layers/measure"]

GROUPS = (
    "Images",
    "Smoothing",
    "Background",
    "Edges",
    "Ridges",
    "Morphology",
    "Kernels",
    "Thresholds",
    "Segmentation",
    "Regions",
    "Colour",
    "Differences",
    "Objects",
    "Scores",
    "Other",
)
"""What operations are for, in the order in which they are listed."""


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


@dataclass
class Job:
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
        all voxels tell.
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
        Kept for all volumes and channels of one run, beside each other.
    all_seeds : Image or None
        The seeds of all time points, for what is learnt from all of them.
    wanted : tuple of slice or None
        The part of what `load` gives that is asked for, one slice a spatial axis; None for all.
        What comes out elsewhere does not matter.
    """

    load: Callable[[], NDArray]
    seeds: NDArray[np.integer] | None
    spacing: tuple[float, ...]
    channel_axis: int | None
    label_values: tuple[int, ...]
    parameters: Mapping[str, Any]
    cache_key: Hashable
    context: Context
    report: Report | None
    should_stop: ShouldStop | None
    image: "Image"
    time: int
    channel: int | None
    other: Callable[[], NDArray | None] = lambda: None
    shapes: "tuple[Shape, ...]" = ()
    notes: list[str] = field(default_factory=list)
    shared: MutableMapping[Hashable, Any] = field(default_factory=dict)
    all_seeds: "Image | None" = None
    wanted: tuple[slice, ...] | None = None


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


@dataclass
class WholeJob:
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
        Time points that are asked for: all, unless the operation says `some_times`.
    """

    image: "Image"
    other: "Image | None"
    seeds: "Image | None"
    shapes: "Shapes | None"
    parameters: Mapping[str, Any]
    context: Context
    report: Report | None
    should_stop: ShouldStop | None
    notes: list[str] = field(default_factory=list)
    times: Sequence[int] = (0,)


@dataclass
class SeriesJob:
    """A whole time series to work on: what the function of a series operation is given.

    Attributes
    ----------
    load : callable
        ``load(t)`` gives the voxels of time point `t`, (Z, Y, X) or (C, Z, Y, X), without z in
        2D. The last one is kept; others are read again.
    n_times : int
        1 for an image without time.
    spatial_shape : tuple of int
    shapes : tuple of core.shapes.Shape
        Shapes to start from, their points float64; empty when it starts from seeds.
    seeds : callable or None
        ``seeds(t)`` gives the labels to start from, int32, on the grid of the image; None when it
        starts from shapes.
    spacing : tuple of float
    channel_axis : int or None
        0 or None.
    parameters : dict
    context : Context
        Its cache is not kept in order for series: leave it alone.
    """

    load: Callable[[int], NDArray]
    n_times: int
    spatial_shape: tuple[int, ...]
    shapes: "tuple[Shape, ...]"
    seeds: Callable[[int], NDArray[np.int32]] | None
    spacing: tuple[float, ...]
    channel_axis: int | None
    parameters: Mapping[str, Any]
    context: Context
    report: Report | None
    should_stop: ShouldStop | None


@dataclass(frozen=True)
class SeriesResult:
    """What the function of a series operation gives.

    Attributes
    ----------
    arrays : dict
        Output name to array; (T, Z, Y, X) or (T, K, Z, Y, X), without z in 2D, always with T.
    shapes : dict
        Output name to list of Shape, in voxel coordinates. The name is 'shapes'.
    notes : tuple of str
        What a person should know about the result, in plain sentences.
    """

    arrays: dict[str, NDArray]
    shapes: "dict[str, list[Shape]]" = field(default_factory=dict)
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class Need:
    """What one volume costs: bytes beyond the input, and seconds."""

    bytes: int
    seconds: float


# Voxel size, parameters.
Halo = Callable[[tuple[float, ...], Mapping[str, Any]], tuple[int, ...] | None]
# Spatial shape, number of labels, number of channels, parameters with their lengths in voxels.
Estimate = Callable[[tuple[int, ...], int, int, Mapping[str, Any]], Need]


@dataclass(frozen=True)
class Operation:
    """One operation, declared once.

    Attributes
    ----------
    name : str
        Stem used everywhere: command, recipe, page of the documentation.
    title : str
        What menus say.
    menu : str
        Menu of napari that it appears in.
    function : callable
        ``function(job) -> {output name: output}`` of a `Job`. Outputs are arrays (Z, Y, X), or
        (K, Z, Y, X) for an output with channels of its own (one a label, or see `Channels`),
        without z in 2D; `PointsFound`; lists of Shape; and tables as dicts of columns. With
        `series`, ``function(series_job) -> SeriesResult``; with `whole`,
        ``function(whole_job) -> {output name: Image, Points, Shapes or Table}``.
    parameters : tuple of Parameter
    takes : tuple of str
        Inputs that are needed, by role: 'image', 'other' (a second image), 'seeds', 'shapes'.
    gives : str
        Kind of the main output, which is also its key: 'image', 'labels', 'mask', 'shapes',
        'points' or 'table'.
    ndim : tuple of int
        Numbers of spatial dimensions that it works in.
    channels : {'joint', 'each'}
        All channels at once, or one result a channel.
    halo : callable or None
        Voxels that a block needs around it along each spatial axis, from spacing and parameters.
        None where it cannot be run in blocks; it gives None where it cannot with these parameters.
    estimate : callable
        Forecast of memory and time for one volume.
    help : str
        One or two plain sentences.
    reference : str
        Where the method comes from.
    extra_outputs : tuple of str
        Names of outputs beside the main one, each asked for by the bool parameter of its name.
        Those called 'shapes', 'points' and 'table' are what their names say, 'labels' and 'mask'
        too; the others are images.
    one_of : tuple of str
        Inputs of which exactly one is needed, beside those that it takes.
    optional : tuple of str
        Inputs that it can do without.
    image_kind : {'image', 'labels'}
        What the image holds. Labels are whole numbers; a mask counts as the label 1.
    other_kind : {'image', 'labels', 'mask'}
        What the second image holds.
    other_title : str
        What the form calls the second image.
    other_same_grid : bool
        Whether the second image must have as many voxels along each axis as the image.
    whole : bool
        Whether the function is called once with the whole image, all its time points and channels,
        because it changes the grid, the channels or the series. Its channels are 'joint'.
    some_times : bool
        Whether a `whole` operation can be asked for some time points alone (`WholeJob.times`).
    chooses_type : bool
        Whether people choose the type of the image that comes out. Colours otherwise keep theirs.
    least_channels : int
        How many channels the image must have.
    seed_labels : int
        How many different labels the seeds of a time point must have; those with fewer are
        skipped. 0 where the seeds of any time point serve all of them.
    series : bool
        Whether the function is called once with the whole series, instead of once a volume. Its
        channels are 'joint'.
    follows : callable or None
        Whether a series operation, with these parameters, goes on to time points without a start;
        None means never. The forecast counts them.
    term : str
        What the literature calls it, where the title says it in other words.
    known_by : str
        Parameter whose choices are methods that people look for by their names; '' means none.
    panel : str
        Name of the panel (command) that it shares with other operations; '' means a panel of its
        own name.
    group : str
        One of `GROUPS`: the heading that lists and the documentation show it under.
    prepare : callable or None
        ``prepare(job)`` does what can be done before there are seeds, and leaves it in the cache
        of the context.
    core_names : dict
        What core's messages call an input or a parameter, and the name that it has here.
    """

    name: str
    title: str
    menu: Menu
    function: Callable[[Any], Any]
    parameters: tuple[Parameter, ...]
    takes: tuple[Role, ...]
    gives: Kind
    ndim: tuple[int, ...]
    channels: Literal["joint", "each"]
    estimate: Estimate
    help: str
    reference: str
    halo: Halo | None = None
    extra_outputs: tuple[str, ...] = ()
    one_of: tuple[Role, ...] = ()
    optional: tuple[Role, ...] = ()
    image_kind: Literal["image", "labels"] = "image"
    other_kind: Voxels = "image"
    other_title: str = "Second image"
    other_same_grid: bool = True
    whole: bool = False
    some_times: bool = False
    chooses_type: bool = False
    least_channels: int = 1
    seed_labels: int = 2
    series: bool = False
    follows: Callable[[Mapping[str, Any]], bool] | None = None
    term: str = ""
    known_by: str = ""
    panel: str = ""
    group: str = "Other"
    prepare: Callable[[Job], None] | None = None
    core_names: Mapping[str, str] = field(default_factory=dict)

    @property
    def command(self) -> str:
        """Name of the command that opens it."""
        return self.panel or self.name

    @property
    def command_title(self) -> str:
        """What menus say for `command`."""
        return self.panel.replace("_", " ").capitalize() if self.panel else self.title

    @property
    def roles(self) -> tuple[Role, ...]:
        """Everything that it may be given."""
        return (*self.takes, *self.one_of, *self.optional)

    def __post_init__(self) -> None:
        if self.group not in GROUPS:
            raise ValueError(f"group is {self.group!r}; it must be one of {', '.join(GROUPS)}.")

    def defaults(self, spacing: Sequence[float] | None = None) -> dict[str, Value]:
        """Every parameter at its default, for an image of that voxel size."""
        return {parameter.name: parameter.default_for(spacing) for parameter in self.parameters}

    def parameter(self, name: str) -> Parameter:
        """The declaration of one parameter."""
        for parameter in self.parameters:
            if parameter.name == name:
                return parameter
        raise InputError(f"{name}: {self.title} has no such parameter.")
