"""What an operation is: one declaration, from which everything else is derived."""

from collections.abc import Callable, Hashable, Mapping, MutableMapping
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from napari_seedbed.core.progress import Report, ShouldStop
from napari_seedbed.errors import InputError
from napari_seedbed.pipeline.parameters import Parameter, Value

Role = Literal["image", "seeds"]
Kind = Literal["image", "labels", "mask"]
Menu = Literal["napari/layers/filter", "napari/layers/segment"]


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
    """

    cache: MutableMapping[Hashable, Any] = field(default_factory=dict)
    view: tuple[int, int] | None = None
    live: bool = False


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


@dataclass(frozen=True)
class Need:
    """What one volume costs: bytes beyond the input, and seconds."""

    bytes: int
    seconds: float


# Spatial shape, number of labels, number of channels, parameters.
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
        ``function(job) -> {output name: array}``; arrays (Z, Y, X), or (K, Z, Y, X) for an output
        with channels of its own; without z in 2D.
    parameters : tuple of Parameter
    takes : tuple of str
        Inputs by role: ('image',) or ('image', 'seeds').
    gives : str
        Kind of the main output, which is also its key: 'image', 'labels' or 'mask'.
    ndim : tuple of int
        Numbers of spatial dimensions that it works in.
    channels : {'joint', 'each'}
        All channels at once, or one result a channel.
    halo : callable or None
        Voxels that a block needs around it, from spacing and parameters; None where it cannot be
        run in blocks.
    estimate : callable
        Forecast of memory and time for one volume.
    help : str
        One or two plain sentences.
    reference : str
        Where the method comes from.
    extra_outputs : tuple of str
        Names of outputs beside the main one, on request.
    """

    name: str
    title: str
    menu: Menu
    function: Callable[[Job], dict[str, NDArray]]
    parameters: tuple[Parameter, ...]
    takes: tuple[Role, ...]
    gives: Kind
    ndim: tuple[int, ...]
    channels: Literal["joint", "each"]
    estimate: Estimate
    help: str
    reference: str
    halo: Callable[[tuple[float, ...], Mapping[str, Any]], tuple[int, ...]] | None = None
    extra_outputs: tuple[str, ...] = ()

    def defaults(self) -> dict[str, Value]:
        """Every parameter at its default."""
        return {parameter.name: parameter.default for parameter in self.parameters}

    def parameter(self, name: str) -> Parameter:
        """The declaration of one parameter."""
        for parameter in self.parameters:
            if parameter.name == name:
                return parameter
        raise InputError(f"{name}: {self.title} has no such parameter.")
