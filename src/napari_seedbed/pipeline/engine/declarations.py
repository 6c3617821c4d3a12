"""What an operation is: one declaration, from which everything else is derived."""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

from napari_seedbed.errors import InputError
from napari_seedbed.pipeline.engine.core_calls import CoreCall
from napari_seedbed.pipeline.engine.jobs import Job
from napari_seedbed.pipeline.engine.parameters import Parameter, Value

if TYPE_CHECKING:
    from napari_seedbed.pipeline.engine.block_jobs import BlockJob

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


@dataclass(frozen=True)
class Size:
    """What the cost of a volume grows with.

    Attributes
    ----------
    shape : tuple of int
        Spatial.
    n_labels, n_channels : int
    spacing : tuple of float
        Voxel size; 1 along each axis by default.
    """

    shape: tuple[int, ...]
    n_labels: int
    n_channels: int
    spacing: tuple[float, ...] = ()

    def __post_init__(self) -> None:
        object.__setattr__(self, "spacing", self.spacing or (1.0,) * len(self.shape))

    @property
    def voxels(self) -> int:
        """Of one channel."""
        return math.prod(self.shape)

    @property
    def pixels(self) -> int:
        """Voxels of one slice."""
        return math.prod(self.shape[-2:])


@dataclass(frozen=True)
class Need:
    """What one volume costs: bytes beyond the input, and seconds."""

    bytes: int
    seconds: float


Values = Mapping[str, Any]
"""Parameters by name."""

Lengths = tuple[float, ...]
"""Physical lengths along the spatial axes."""

Reach = tuple[int, ...] | None
"""Voxels along the spatial axes; None for all of them."""

# Voxel size, parameters.
Halo = Callable[[Lengths, Values], Reach]
# The parameters with their lengths in voxels.
Estimate = Callable[[Size, Values], Need]


@dataclass(frozen=True)
class SecondImage:
    """The second image that an operation takes, with as many voxels as the image.

    Attributes
    ----------
    kind : {'image', 'labels', 'mask'}
        What it holds.
    title : str
        What the form calls it.
    needed : bool
        Whether the operation cannot do without it.
    is_newer : bool
        Whether it is usually made after the image, as cells are after their nuclei: a form then
        chooses the newest labels for it and those before for the image.
    """

    kind: Voxels = "image"
    title: str = "Second image"
    needed: bool = True
    is_newer: bool = False


@dataclass(frozen=True)
class Starts:
    """What is drawn on the image for an operation.

    Attributes
    ----------
    roles : tuple of str
        'seeds', 'shapes' or both, of which exactly one is needed.
    needed : bool
        Whether the operation cannot do without them; with needless ones any may be given.
    labels : int
        How many different labels the seeds of a time point must have; those with fewer are
        skipped. 0 where the seeds of any time point serve all of them.
    """

    roles: tuple[Role, ...] = ()
    needed: bool = True
    labels: int = 2


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
    parameters : tuple of Parameter
        A bool one with `is_output` asks for an output of its name: those called 'shapes',
        'points' and 'table' are what their names say, 'labels' and 'mask' too; the others are
        images.
    estimate : callable
        Forecast of memory and time for one volume.
    help : str
        One or two plain sentences.
    reference : str
        Where the method comes from.
    function : CoreCall or callable
        By default core's function of that name. Otherwise
        ``function(job) -> {output name: output}`` of a `Job`. Outputs are arrays (Z, Y, X), or
        (K, Z, Y, X) for an output with channels of its own (one a label, or see `Channels`),
        without z in 2D; `PointsFound`; lists of Shape; and tables as dicts of columns. For a
        series, ``function(series_job) -> SeriesResult``; for a whole image,
        ``function(whole_job) -> {output name: Image, Points, Shapes or Table}``.
    group : str
        One of `GROUPS`: the heading that lists and the documentation show it under.
    image_kind : {'image', 'labels'}
        What the image holds. Labels are whole numbers; a mask counts as the label 1.
    other : SecondImage or None
    starts : Starts
        Seeds and shapes that it takes: none by default.
    least_channels : int
        How many channels the image must have.
    gives : str
        Kind of the main output, which is also its key: 'image', 'labels', 'mask', 'shapes',
        'points' or 'table'.
    channels : {'joint', 'each'}
        All channels at once, or one result a channel.
    scope : {'volume', 'series', 'whole', 'times'}
        What the function is called with: one volume after another; the series of all volumes; the
        whole image, all its time points and channels, because it changes the grid, the channels or
        the series; or the same with some time points alone, if these are asked for
        (`WholeJob.times`). Only a volume's channels can be 'each'. Where a series has the choice
        'follow', it goes on to time points without a start unless that is 'off'.
    halo : callable or None
        Voxels that a block needs around it along each spatial axis, from spacing and parameters.
        None where it cannot be run in blocks; it gives None where it cannot with these parameters.
    in_blocks : callable or None
        ``in_blocks(job) -> {output name: output}`` of a `BlockJob`, for operations that need more
        than a neighbourhood: what `function` gives, with the Images that `BlockJob.write` gave. It
        gives None where it cannot with these parameters.
    chooses_type : bool
        Whether people choose the type of the image that comes out. Colours otherwise keep theirs.
    prepare : callable or None
        ``prepare(job)`` does what can be done before there are seeds, and leaves it in the cache
        of the context.
    panel : str
        Name of the panel (command) that it shares with other operations; '' means a panel of its
        own name.
    term : str
        What the literature calls it, where the title says it in other words.
    core_names : dict
        What core's messages call an input or a parameter, and the name that it has here.
    """

    name: str
    title: str
    menu: Menu
    parameters: tuple[Parameter, ...]
    estimate: Estimate
    help: str
    reference: str
    function: CoreCall | Callable[[Any], Any] = field(default_factory=CoreCall)
    group: str = "Other"
    image_kind: Literal["image", "labels"] = "image"
    other: SecondImage | None = None
    starts: Starts = Starts()
    least_channels: int = 1
    gives: Kind = "image"
    channels: Literal["joint", "each"] = "each"
    scope: Literal["volume", "series", "whole", "times"] = "volume"
    halo: Halo | None = None
    in_blocks: "Callable[[BlockJob], dict[str, Any] | None] | None" = None
    chooses_type: bool = False
    prepare: Callable[[Job], None] | None = None
    panel: str = ""
    term: str = ""
    core_names: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.group not in GROUPS:
            raise ValueError(f"group is {self.group!r}; it must be one of {', '.join(GROUPS)}.")

    def call(self, job: Any) -> Any:
        """What the function gives for a job."""
        if isinstance(self.function, CoreCall):
            return {self.gives: self.function.result(job, self.name)}
        return self.function(job)

    @property
    def command(self) -> str:
        """Name of the command that opens it."""
        return self.panel or self.name

    @property
    def command_title(self) -> str:
        """What menus say for `command`."""
        return self.panel.replace("_", " ").capitalize() if self.panel else self.title

    @property
    def takes(self) -> tuple[Role, ...]:
        """Inputs that are needed."""
        other: tuple[Role, ...] = ("other",) if self.other and self.other.needed else ()
        starts = self.starts.roles if self.starts.needed and not self.one_of else ()
        return ("image", *other, *starts)

    @property
    def one_of(self) -> tuple[Role, ...]:
        """Inputs of which exactly one is needed, beside those that it takes."""
        return self.starts.roles if self.starts.needed and len(self.starts.roles) > 1 else ()

    @property
    def optional(self) -> tuple[Role, ...]:
        """Inputs that it can do without."""
        other: tuple[Role, ...] = ("other",) if self.other and not self.other.needed else ()
        return other if self.starts.needed else (*other, *self.starts.roles)

    @property
    def other_kind(self) -> Voxels:
        """What the second image holds, where it takes one."""
        return (self.other or SecondImage()).kind

    @property
    def other_title(self) -> str:
        """What the form calls the second image, where it takes one."""
        return (self.other or SecondImage()).title

    @property
    def whole(self) -> bool:
        """Whether the function is called once with the whole image."""
        return self.scope in ("whole", "times")

    @property
    def series(self) -> bool:
        """Whether the function is called once with the whole series."""
        return self.scope == "series"

    @property
    def roles(self) -> tuple[Role, ...]:
        """Everything that it may be given."""
        return (*self.takes, *self.one_of, *self.optional)

    @property
    def extra_outputs(self) -> tuple[str, ...]:
        """Names of outputs beside the main one."""
        return tuple(parameter.name for parameter in self.parameters if parameter.is_output)

    def follows(self, parameters: Values) -> bool:
        """Whether it goes on to time points without a start."""
        return bool(parameters.get("follow", "off") != "off")

    def defaults(self, spacing: Sequence[float] | None = None) -> dict[str, Value]:
        """Every parameter at its default, for an image of that voxel size."""
        return {parameter.name: parameter.default_for(spacing) for parameter in self.parameters}

    def parameter(self, name: str) -> Parameter:
        """The declaration of one parameter."""
        for parameter in self.parameters:
            if parameter.name == name:
                return parameter
        raise InputError(f"{name}: {self.title} has no such parameter.")
