"""Annotations on the grid of an image: as seeds, and as shapes that snakes start from."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from math import prod
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_seedbed.core.progress import check_stop
from napari_seedbed.errors import InputError
from napari_seedbed.pipeline.data.annotations import Annotation, Annotations
from napari_seedbed.pipeline.data.image import Image
from napari_seedbed.pipeline.data.shapes import Shapes

_STACK = ("t", "z", "c")
"""Axes of a stack of ImageJ, that which runs fastest last."""
_COUNTED = {"z": "slice", "t": "time point"}


def placed(item: Annotation, sizes: Mapping[str, int]) -> Annotation:
    """The annotation with the places along z and time that it has in an image.

    A place in a stack is one along the axes that the image has; so is a slice of an image that
    has time and no slices.

    Parameters
    ----------
    item : Annotation
    sizes : mapping of str to int
        Length of each axis of the image, by 't', 'z' and 'c'.

    Raises
    ------
    InputError
        Where the image has no such place.
    """
    if item.position is not None:
        axes = [axis for axis in _STACK if sizes.get(axis, 1) > 1]
        lengths = [sizes[axis] for axis in axes]
        if item.position >= prod(lengths):
            raise InputError(
                f"shapes: {item.in_words} lies on slice {item.position + 1} of a stack; the image "
                f"has {prod(lengths)}."
            )
        found = np.unravel_index(item.position, lengths) if lengths else ()
        places: dict[str, Any] = {a: int(n) for a, n in zip(axes, found, strict=True)}
        item = replace(item, position=None, **places)
    if item.z is not None and "z" not in sizes and "t" in sizes and item.t is None:
        item = replace(item, z=None, t=item.z)
    for axis, word in _COUNTED.items():
        place = getattr(item, axis)
        if place is None or place < sizes.get(axis, 1):
            continue
        raise InputError(
            f"shapes: {item.in_words} lies on {word} {place + 1}; the image has "
            f"{sizes.get(axis, 1)}."
        )
    gone: dict[str, Any] = {axis: None for axis in _COUNTED if axis not in sizes}
    return replace(item, **gone)


def placed_on(annotations: Annotations, image: Image) -> Annotations:
    """The same with their places along the axes of an image; see `placed`."""
    sizes = axis_lengths(image)
    return replace(annotations, items=tuple(placed(item, sizes) for item in annotations.items))


def everywhere_on(annotations: Annotations, image: Image) -> Annotations:
    """The same with one for each slice and time point of the image that they lie on."""
    sizes = axis_lengths(image)
    items = []
    for item in placed_on(annotations, image).items:
        slices: Sequence[int | None] = (item.z,)
        times: Sequence[int | None] = (item.t,)
        if "z" in sizes and item.z is None and not item.is_spatial:
            slices = range(sizes["z"])
        if "t" in sizes and item.t is None:
            times = range(sizes["t"])
        items += [replace(item, z=z, t=t) for t in times for z in slices]
    return replace(annotations, items=tuple(items))


def axis_lengths(image: Image) -> dict[str, int]:
    """Length of each axis, by its name."""
    return dict(zip(image.axes, image.shape, strict=True))


def seeds_on(annotations: Annotations, image: Image) -> Image:
    """Labels on the grid of an image: areas filled, lines and points one voxel wide on top.

    What is on all slices or time points is drawn on each. Of areas that overlap, later ones lie
    on top.

    Parameters
    ----------
    annotations : Annotations
        Without labels they are numbered from 1.
    image : Image

    Returns
    -------
    Image
        0 where nothing was marked.

    Raises
    ------
    InputError
        When there are none, or one lies outside of the image.
    """
    if not len(annotations):
        raise InputError(f"seeds: {annotations.name} holds none.")
    sizes = axis_lengths(image)
    shape = (sizes.get("t", 1), sizes.get("z", 1), *image.spatial_shape[-2:])
    drawn = np.zeros(shape, np.int32)
    items = placed_on(annotations.labelled(), image).items
    for item in items:
        check_stop()
        if item.is_area and not item.is_spatial:
            _fill(item, drawn)
    strokes: dict[tuple[int | None, int | None, bool], list[Annotation]] = {}
    for item in items:
        if item.is_spatial or not item.is_area:
            strokes.setdefault((item.t, item.z, item.is_spatial), []).append(item)
    for (t, z, is_spatial), here in strokes.items():
        check_stop()
        marks = _strokes(here, shape[1:] if is_spatial else shape[2:])
        target = drawn[_along(t)] if is_spatial else drawn[_along(t), _along(z)]
        target[..., marks > 0] = marks[marks > 0]
    return _as_labels(drawn, image, annotations.name)


def shapes_on(annotations: Annotations, image: Image) -> tuple[Shapes, list[str]]:
    """Outlines and paths on the grid of an image, and what was left out of them, in words.

    Parameters
    ----------
    annotations : Annotations
        Without labels they are numbered from 1.
    image : Image

    Raises
    ------
    InputError
        When there are none, or one lies outside of the image.
    """
    from napari_seedbed.core.marks.seeds import area_outline
    from napari_seedbed.core.marks.shapes import Shape

    shapes, holes, points = [], 0, 0
    for number, item in enumerate(everywhere_on(annotations.labelled(), image).items):
        if item.form == "points":
            points += 1
            continue
        for part in item.parts:
            holes += len(part) - 1
            line = area_outline(item.form, part[0], number) if item.is_area else part[0]
            if item.z is not None:
                line = np.insert(line, 0, float(item.z), axis=1)
            shapes.append(Shape(int(item.label or 0), line, item.is_area, item.t or 0))
    if not shapes:
        raise InputError(f"shapes: {annotations.name} holds none.")
    notes = []
    if holes:
        notes.append(f"Shapes have no holes: {holes} were left out.")
    if points:
        notes.append(f"Points are no shapes: {points} were left out.")
    return Shapes(tuple(shapes), annotations.name), notes


def _fill(item: Annotation, drawn: NDArray[np.int32]) -> None:
    from napari_seedbed.core.marks.polygon_filling import filled_polygons
    from napari_seedbed.core.marks.seeds import area_outline, seeds_from_shapes

    plane = drawn.shape[2:]
    polygons = [(area_outline(item.form, part[0], 0), *part[1:]) for part in item.parts]
    box, mask = filled_polygons(polygons, plane)
    target = drawn[_along(item.t), _along(item.z)]
    label = int(item.label or 0)
    if mask.any():
        target[..., *box][..., mask] = label
        return
    # Thinner than a voxel, or outside.
    marks = seeds_from_shapes([("polygon", polygons[0][0])], [label], plane)
    target[..., marks > 0] = label


def _strokes(items: list[Annotation], shape: tuple[int, ...]) -> NDArray[np.int32]:
    """Labels of lines, and of points over them, and of areas that are not flat."""
    from napari_seedbed.core.marks.seeds import seeds_from_points, seeds_from_shapes

    lines = [(item, part[0]) for item in items if item.form != "points" for part in item.parts]
    marks = seeds_from_shapes(
        [(item.form, line) for item, line in lines],
        np.array([item.label for item, _ in lines], np.int64),
        shape,
    )
    dots = [(item, part[0]) for item in items if item.form == "points" for part in item.parts]
    if dots:
        labels = [item.label for item, points in dots for _ in range(len(points))]
        places = np.concatenate([points for _, points in dots])
        over = seeds_from_points(places, np.array(labels, np.int64), shape, 0)
        marks = np.where(over > 0, over, marks)
    return marks


def _along(place: int | None) -> slice:
    return slice(None) if place is None else slice(place, place + 1)


def _as_labels(drawn: NDArray[np.int32], image: Image, name: str) -> Image:
    """(T, Z, Y, X) in the order of the image's axes, without those that it does not have."""
    axes = tuple(axis for axis in image.axes if axis != "c")
    kept = [n for n, axis in enumerate(("t", "z", "y", "x")) if axis in axes]
    missing = tuple(n for n in range(4) if n not in kept)
    array = drawn.squeeze(axis=missing)
    have = [("t", "z", "y", "x")[n] for n in kept]
    array = array.transpose([have.index(axis) for axis in axes])
    return Image(array, axes, image.spacing, image.units, name=name, translate=image.translate)
