"""A part of an image worked on by itself, with the same voxels as when all of it is."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_seedbed.core.boxes import widened
from napari_seedbed.core.marks.parts import moved_shape, points_within, shapes_within
from napari_seedbed.errors import InputError
from napari_seedbed.pipeline.data.image import Image
from napari_seedbed.pipeline.data.shapes import Shapes
from napari_seedbed.pipeline.data.tables import Points, Table
from napari_seedbed.pipeline.engine.declarations import Operation
from napari_seedbed.pipeline.engine.inputs import Inputs
from napari_seedbed.pipeline.engine.volumes import Output

Region = tuple[slice, ...]


@dataclass(frozen=True)
class Window:
    """What is asked for, and what has to be looked at for it.

    Attributes
    ----------
    region : tuple of slice
        In voxels along each spatial axis.
    seen : tuple of slice
        The region with its halo; all of the image where the operation has none.
    whole : bool
        Whether all of the image is seen.
    """

    region: Region
    seen: Region
    whole: bool

    @property
    def inner(self) -> Region:
        """Where the region lies in what is seen."""
        return inner_of(self.region, self.seen)

    def of_inputs(self, inputs: Inputs) -> Inputs:
        """The parts of the inputs that are seen."""
        if self.whole:
            return inputs
        shapes = inputs.shapes
        if shapes is not None:
            shapes = _moved_shapes(shapes, -_starts(self.seen))
        seeds, other = inputs.seeds, inputs.other
        return Inputs(
            inputs.image.crop(self.seen),
            None if seeds is None else seeds.crop(self.seen),
            shapes,
            None if other is None else other.crop(self.seen),
        )

    def of_outputs(
        self, outputs: Mapping[str, Output], shape: tuple[int, ...]
    ) -> dict[str, Output]:
        """The parts of outputs that were asked for, of a run on an image of that shape.

        Shapes stay as a whole where any of their points is inside, with their rows of a table
        that has one for each. Other tables, and images on another grid, stay as they are.
        """
        inner = self.inner
        found = dict(outputs)
        for key, output in outputs.items():
            if isinstance(output, Image):
                found[key] = output.crop(inner) if output.spatial_shape == shape else output
            elif isinstance(output, Points):
                found[key] = _points_inside(output, inner)
            elif isinstance(output, Shapes):
                kept = shapes_within(output.shapes, inner)
                inside = tuple(output.shapes[i] for i in kept)
                found[key] = _moved_shapes(replace(output, shapes=inside), -_starts(inner))
                table = outputs.get("table")
                if isinstance(table, Table) and _has_a_row_for_each(table, output):
                    columns = {name: column[kept] for name, column in table.columns.items()}
                    found["table"] = replace(table, columns=columns)
        return found


def inner_of(region: Region, seen: Region) -> Region:
    """Where a region lies in what is seen for it."""
    return tuple(
        slice(asked.start - part.start, asked.stop - part.start)
        for asked, part in zip(region, seen, strict=True)
    )


def window_of(
    operation: Operation, image: Image, parameters: Mapping[str, Any], region: Sequence[slice]
) -> Window:
    """What an operation must see of an image so that a region comes out right.

    Raises
    ------
    InputError
        For a region without voxels.
    """
    image.crop(region)
    shape = image.spatial_shape
    asked = tuple(slice(*part.indices(n)[:2]) for part, n in zip(region, shape, strict=True))
    everything = tuple(slice(0, n) for n in shape)
    halo = None
    if operation.halo is not None:
        halo = operation.halo(image.spacing, parameters)
    if halo is None:
        return Window(asked, everything, whole=True)
    seen = widened(asked, halo, shape)
    return Window(asked, seen, whole=seen == everything)


def region_from_bounds(bounds: Sequence[Sequence[int]] | None) -> Region | None:
    """A region from what records and recipes keep: [start, stop] for each spatial axis."""
    if bounds is None:
        return None
    if any(len(pair) != 2 or not 0 <= pair[0] < pair[1] for pair in bounds):
        raise InputError(f"region: {bounds} given; write [start, stop] for each spatial axis.")
    return tuple(slice(int(start), int(stop)) for start, stop in bounds)


def _starts(region: Region) -> NDArray[np.float64]:
    return np.array([part.start for part in region], float)


def _moved_shapes(shapes: Shapes, shift: NDArray[np.float64]) -> Shapes:
    moved = tuple(moved_shape(shape, shift) for shape in shapes.shapes)
    places = zip(shapes.translate, shapes.spacing, shift, strict=True)
    translate = tuple(place - step * by for place, step, by in places) if shapes.translate else ()
    return replace(shapes, shapes=moved, translate=translate)


def _has_a_row_for_each(table: Table, shapes: Shapes) -> bool:
    return "shape" in table.columns and len(table) == len(shapes.shapes)


def _points_inside(points: Points, inner: Region) -> Points:
    low = _starts(inner)
    inside = points_within(points.points, inner)
    places = zip(points.translate, points.spacing, low, strict=True)
    return replace(
        points,
        points=points.points[inside] - low,
        times=points.times[inside],
        columns={name: column[inside] for name, column in points.columns.items()},
        translate=tuple(place + step * by for place, step, by in places),
    )
