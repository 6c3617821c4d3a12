"""What an operation is given: whether it fits, and which time points it is for."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from napari_seedbed.errors import InputError
from napari_seedbed.pipeline.data.blocks import image_blocks
from napari_seedbed.pipeline.data.image import SPATIAL, Image
from napari_seedbed.pipeline.data.shapes import Shapes
from napari_seedbed.pipeline.data.sparse_labels import SparseLabels
from napari_seedbed.pipeline.data.units import convert
from napari_seedbed.pipeline.engine.declarations import Operation, Voxels

if TYPE_CHECKING:
    from napari_seedbed.core.marks.shapes import Shape

_LARGEST_LABEL = int(np.iinfo(np.int32).max)


@dataclass(frozen=True)
class Inputs:
    """Inputs of one run, checked."""

    image: Image
    seeds: Image | None = None
    shapes: Shapes | None = None
    other: Image | None = None

    @property
    def images(self) -> list[Image]:
        """Those that are images."""
        given = (self.image, self.seeds, self.other)
        return [one for one in given if one is not None]


def check_inputs(operation: Operation, inputs: Mapping[str, Image | Shapes]) -> Inputs:
    """The inputs of an operation, fit for each other and for it.

    Raises
    ------
    InputError
        Naming the input that is missing or does not fit.
    """
    _check_roles(operation, inputs)
    image, seeds, shapes = inputs["image"], inputs.get("seeds"), inputs.get("shapes")
    image = checked_image("image", image, operation, operation.image_kind)
    if image.n_channels < operation.least_channels:
        raise InputError(
            f"image: it has {image.n_channels} channel(s) and {operation.title} needs "
            f"{operation.least_channels} or more. Take an RGB image, or choose more channels."
        )
    other = inputs.get("other")
    if other is not None:
        other = checked_image("other", other, operation, operation.other_kind)
        _check_other(image, other, operation)
    if isinstance(seeds, Shapes):
        raise InputError("seeds: Shapes given; an Image of integer labels is needed.")
    if seeds is not None:
        _check_seeds(image, seeds)
    if isinstance(shapes, Image):
        raise InputError("shapes: an Image given; Shapes are needed.")
    if shapes is not None:
        shapes = replace(shapes, shapes=fitting_shapes(image, shapes.shapes))
    return Inputs(image, seeds, shapes, other)


def checked_image(role: str, image: object, operation: Operation, kind: Voxels) -> Image:
    """An image that the operation can be given, without alpha and with one unit."""
    if not isinstance(image, Image):
        raise InputError(f"{role}: {type(image).__name__} given; an Image is needed.")
    if image.dtype.kind == "c":
        raise InputError(
            f"{role}: it holds complex numbers ({image.dtype}); take its magnitude first."
        )
    if image.dtype.kind not in "iufb":
        raise InputError(f"{role}: it holds {image.dtype}; an image of numbers is needed.")
    if kind != "image" and image.dtype.kind == "f":
        raise InputError(
            f"{role}: it holds {image.dtype}; {operation.title} needs {kind}, which are whole "
            "numbers. Threshold or label the image first."
        )
    if kind != "image" and image.channel_axis is not None:
        raise InputError(f"{role}: {kind} with channels were given; choose one channel.")
    if 0 in image.shape:
        raise InputError(f"{role}: it is empty, its shape is {image.shape}.")
    odd = [axis for axis in image.axes if axis not in (*SPATIAL, "c", "t")]
    if odd:
        raise InputError(f"{role}: choose one position along {', '.join(odd)} first.")
    if image.rgb and image.n_channels == 4:
        image = image.select_channels([0, 1, 2])
    return in_one_unit(image)


def _check_other(image: Image, other: Image, operation: Operation) -> None:
    if other.spatial_axes != image.spatial_axes:
        raise InputError(
            f"other: it is {len(other.spatial_axes)}D and the image {len(image.spatial_axes)}D; "
            "both must have the same axes."
        )
    if other.spatial_shape != image.spatial_shape:
        raise InputError(
            f"other: its shape {other.spatial_shape} is not the image's shape "
            f"{image.spatial_shape}; {operation.title} needs two of the same size."
        )
    if other.n_times not in (1, image.n_times):
        raise InputError(
            f"other: it has {_count_times(other)} and the image has {_count_times(image)}; both "
            "must have the same, or the other one a single one."
        )


def _check_roles(operation: Operation, inputs: Mapping[str, Image | Shapes]) -> None:
    for role in operation.takes:
        if role not in inputs:
            raise InputError(f"{role}: {operation.title} needs {role}; none were given.")
    for given in inputs:
        if given not in operation.roles:
            raise InputError(f"{given}: {operation.title} takes {', '.join(operation.roles)} only.")
    starts = [role for role in operation.one_of if role in inputs]
    if operation.one_of and len(starts) != 1:
        wanted = " or ".join(operation.one_of)
        wrong = "give only one of them" if starts else "none were given"
        raise InputError(f"{operation.one_of[0]}: {operation.title} needs {wanted}; {wrong}.")


def in_one_unit(image: Image) -> Image:
    """Lengths along all axes in the unit of the last one.

    Raises
    ------
    InputError
        For units that cannot be compared.
    """
    if len(set(image.units)) < 2:
        return image
    unit = image.unit

    def converted(lengths: Sequence[float]) -> tuple[float, ...]:
        found = [convert(n, own, unit) for n, own in zip(lengths, image.units, strict=True)]
        if None in found:
            raise InputError(
                f"image: its axes are in {', '.join(image.units)}, which cannot be compared; give "
                "all spatial axes a length unit, or none of them."
            )
        return tuple(float(n) for n in found if n is not None)

    return replace(
        image,
        spacing=converted(image.spacing),
        translate=converted(image.translate),
        units=(unit,) * len(image.units),
    )


def _check_seeds(image: Image, seeds: Image) -> None:
    if seeds.dtype.kind not in "iub":
        raise InputError(f"seeds: they hold {seeds.dtype}; whole numbers are needed.")
    if seeds.channel_axis is not None:
        raise InputError("seeds: they have channels; give one label for each voxel.")
    if seeds.spatial_axes != image.spatial_axes or seeds.spatial_shape != image.spatial_shape:
        raise InputError(
            f"seeds: their shape {seeds.spatial_shape} is not the image's shape "
            f"{image.spatial_shape}; seeds must lie on the image's own grid."
        )
    if (seeds.time_axis is None) != (image.time_axis is None) or seeds.n_times != image.n_times:
        raise InputError(
            f"seeds: they have {_count_times(seeds)} and the image has {_count_times(image)}; "
            "both must have the same."
        )


def _count_times(image: Image) -> str:
    return "no time axis" if image.time_axis is None else f"{image.n_times} time points"


def fitting_shapes(image: Image, shapes: "Sequence[Shape]") -> "tuple[Shape, ...]":
    """Copies of shapes with float64 points, all of them on the grid of an image.

    They may leave the image, as drawn ones do, by no more than its own size: how long an outline
    is decides how much memory it takes.

    Raises
    ------
    InputError
        Naming the shape, counted from 1, that does not lie there.
    """
    if not shapes:
        raise InputError("shapes: there are none; draw at least one.")
    extent = np.array(image.spatial_shape, float)
    fitting = []
    for number, shape in enumerate(shapes, start=1):
        points = np.array(shape.points, np.float64, order="C")
        if points.ndim != 2 or points.shape[1] != extent.size:
            raise InputError(
                f"shapes: shape {number} has points of shape {points.shape}; the image is "
                f"{extent.size}D, so (N, {extent.size}) is needed."
            )
        if not np.isfinite(points).all():
            raise InputError(f"shapes: shape {number} has a point that is NaN or infinite.")
        outside = np.flatnonzero(((points < -extent) | (points > 2 * extent)).any(axis=1))
        if outside.size:
            place = ", ".join(f"{value:g}" for value in points[outside[0]])
            raise InputError(
                f"shapes: shape {number} has a point at ({place}), far outside the image of "
                f"shape {image.spatial_shape}."
            )
        if not 1 <= shape.label <= _LARGEST_LABEL:
            raise InputError(
                f"shapes: shape {number} has the label {shape.label}; it must be from 1 to "
                f"{_LARGEST_LABEL}."
            )
        if not 0 <= shape.time < image.n_times:
            raise InputError(
                f"shapes: shape {number} is at time point {shape.time}; the image has "
                f"{image.n_times}, counted from 0."
            )
        label, time = int(shape.label), int(shape.time)
        fitting.append(
            replace(shape, label=label, points=points, closed=bool(shape.closed), time=time)
        )
    return tuple(fitting)


def labels_by_time(inputs: Inputs) -> list[set[int]] | None:
    """Positive labels of the seeds and shapes at each time point; None where there are neither."""
    seeds, shapes = inputs.seeds, inputs.shapes
    if seeds is None and shapes is None:
        return None
    n_times = inputs.image.n_times if seeds is None else seeds.n_times
    found: list[set[int]] = [set() for _ in range(n_times)]
    for shape in () if shapes is None else shapes.shapes:
        found[shape.time].add(shape.label)
    for t in range(0 if seeds is None else n_times):
        assert seeds is not None
        now = seeds.select_time(t)
        if isinstance(now.array, SparseLabels):
            found[t] |= set(now.array.marked_labels().tolist())
            continue
        for part in image_blocks(now):
            # Sorting only what is not zero: 20 times faster on a large volume with few seeds.
            found[t] |= {int(value) for value in np.unique(part[part != 0]) if value > 0}
    return found


def all_labels(labels: Sequence[set[int]] | None) -> tuple[int, ...]:
    """The labels of all time points, rising."""
    return () if labels is None else tuple(sorted(set().union(*labels)))


def choose_times(
    operation: Operation,
    image: Image,
    labels: Sequence[set[int]] | None,
    times: Sequence[int] | None,
) -> list[int]:
    """Time points to work on, rising.

    Raises
    ------
    InputError
        For time points that the image does not have, for some of a series that is worked on as a
        whole, and where none has seeds of as many labels as the operation needs.
    """
    if times is not None:
        wrong = [t for t in times if not 0 <= t < image.n_times]
        if wrong or not len(times):
            raise InputError(
                f"times: {list(times)} asked for, but the image has {image.n_times} time points, "
                f"counted from 0 to {image.n_times - 1}."
            )
    chosen = sorted(set(range(image.n_times) if times is None else map(int, times)))
    if operation.series or operation.scope == "whole":
        if len(chosen) < image.n_times:
            raise InputError(
                f"times: {operation.title} works on the whole series at once; give it the time "
                "points that it should start from as seeds or shapes."
                if operation.series
                else f"times: {operation.title} works on the whole series at once."
            )
        if operation.series and labels is not None and not any(labels):
            raise InputError("seeds: there are none; mark at least one object.")
        return chosen
    if labels is None or len(chosen) == 1:
        return chosen
    seeded = with_labels(operation, labels, chosen)
    if not seeded:
        raise InputError(
            "seeds: none of the time points has seeds of two labels or more; mark at least two "
            "labels, for example object and background, at one time point."
            if operation.starts.labels == 2
            else f"seeds: none of the time points has seeds of {operation.starts.labels} label(s) "
            "or more."
        )
    return seeded


def with_labels(
    operation: Operation, labels: Sequence[set[int]], times: Iterable[int]
) -> list[int]:
    """The time points with as many labels as the operation needs."""
    return [t for t in times if len(labels[t]) >= operation.starts.labels]
