"""Runs on tiny images, so that the first real one waits neither for compiling nor for loading.

Compiled loops are made anew for each type of image, and which of them an operation needs depends
on its parameters. So each parameter is tried in turn: every choice, every switch, and every number
at another value.
"""

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_seedbed.core.marks.shapes import Shape
from napari_seedbed.core.progress import check_stop
from napari_seedbed.errors import Cancelled, SeedbedError
from napari_seedbed.pipeline.data.image import Image
from napari_seedbed.pipeline.data.shapes import Shapes
from napari_seedbed.pipeline.engine.declarations import Operation, Voxels
from napari_seedbed.pipeline.engine.parameters import Parameter, Value
from napari_seedbed.pipeline.engine.runs import run

_SIDES = {2: (48, 40), 3: (6, 24, 20)}
"""Voxels: windows of usual sizes fit in, and most operations take some milliseconds."""

_TIMES = 2
"""Time points of what looks along a series."""

_SECOND_TYPES = (np.float32, np.float64)
"""Types that images measured beside labels are computed in."""


def try_out(operation: Operation, like: Image) -> None:
    """Run an operation on tiny images that have the type, axes and channels of another.

    Parameters
    ----------
    operation : Operation
    like : Image
        Its voxels are not looked at.
    """
    for inputs in _inputs(operation, like):
        for parameters in _settings(operation, like):
            check_stop()
            # What cannot be run so small needs something that only people can give.
            with suppress(SeedbedError):
                try:
                    run(operation, inputs, parameters)
                except Cancelled:
                    check_stop()


def _settings(operation: Operation, like: Image) -> Iterator[dict[str, Value]]:
    yield {}
    for parameter in operation.parameters:
        for value in _other_values(parameter, like.spacing):
            with suppress(SeedbedError):
                setting = {parameter.name: value}
                if parameter.only_with is not None:
                    # This parameter does nothing with other choices.
                    setting[parameter.only_with[0]] = parameter.only_with[1][0]
                yield setting


def _other_values(parameter: Parameter, spacing: tuple[float, ...]) -> tuple[Value, ...]:
    default = parameter.default_for(spacing)
    if parameter.type == "choice":
        return tuple(choice for choice in parameter.choices if choice != default)
    if parameter.type == "bool":
        return (not default,)
    if parameter.type == "float":
        assert not isinstance(default, str)
        more = 3 * default or 1.0
        if parameter.maximum is not None and more > parameter.maximum:
            more = default / 3
        return (more,)
    return ()


def _inputs(operation: Operation, like: Image) -> Iterator[dict[str, Image | Shapes]]:
    """Everything that the operation can be given: a bright box on uneven background, and marks."""
    sides = _SIDES[len(like.spatial_axes)]
    dtype = like.dtype.newbyteorder("=")
    picture = _picture(sides, dtype, operation.image_kind)
    lengths = {"t": _TIMES if operation.series or operation.whole else 1, "c": like.n_channels}
    others = [axis for axis in like.axes if axis not in like.spatial_axes]
    stack = np.broadcast_to(picture, (*(lengths.get(axis, 1) for axis in others), *sides))
    order = [(*others, *like.spatial_axes).index(axis) for axis in like.axes]
    image = replace(like, array=stack.transpose(order).copy(), name="trial")
    given: dict[str, Image | Shapes] = {"image": image}
    marked = {"t": 1, **lengths}
    lead = [marked[axis] for axis in others if axis == "t"]
    plain: dict[str, Any] = {
        "axes": (*(("t",) if lead else ()), *like.spatial_axes),
        "spacing": like.spacing,
        "units": like.units,
        "translate": like.translate,
    }
    roles = (*operation.takes, *operation.one_of[:1], *operation.optional)
    if "seeds" in roles:
        seeds = np.zeros((*lead, *sides), np.int32)
        seeds[..., 1, 1:4] = 2
        seeds[..., sides[-2] // 2, sides[-1] // 2] = 1
        given["seeds"] = Image(seeds, **plain)
    if "shapes" in roles:
        given["shapes"] = Shapes(tuple(_square(sides, t) for t in range(lead[0] if lead else 1)))
    if "other" not in roles:
        yield given
        return
    if operation.other_kind == operation.image_kind:
        yield {**given, "other": image}
        return
    for kind in _SECOND_TYPES if operation.other_kind == "image" else (np.int32,):
        second = _picture(sides, np.dtype(kind), operation.other_kind)
        yield {**given, "other": Image(np.broadcast_to(second, (*lead, *sides)).copy(), **plain)}


def _picture(sides: tuple[int, ...], dtype: np.dtype[Any], kind: Voxels) -> NDArray[Any]:
    """Return a bright box in the dark, in numbers that every type can hold."""
    picture = np.random.default_rng(0).integers(0, 20, sides)
    picture[tuple(slice(n // 4, n - n // 4) for n in sides)] += 100
    if kind != "image" or dtype.kind == "b":
        picture //= 50
    return picture.astype(dtype)


def _square(sides: tuple[int, ...], time: int) -> Shape:
    corners = np.array([[0.2, 0.2], [0.2, 0.8], [0.8, 0.8], [0.8, 0.2]]) * sides[-2:]
    lead = np.full((4, len(sides) - 2), sides[0] // 2, float)
    return Shape(1, np.hstack([lead, corners]), time=time)
