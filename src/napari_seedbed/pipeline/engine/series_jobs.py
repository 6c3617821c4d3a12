"""What the function of an operation on whole series is given, and what it gives."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from napari_seedbed.pipeline.engine.jobs import Context, core_module

if TYPE_CHECKING:
    from napari_seedbed.core.marks.shapes import Shape


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
    core : module
        As of a `Job`.
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
    core: Any = field(default_factory=core_module)


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
