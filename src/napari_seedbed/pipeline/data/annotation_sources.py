"""Annotations made of results: of outlines of labels, of shapes and of points."""

from collections.abc import Iterator, Mapping
from dataclasses import replace

import numpy as np

from napari_seedbed.core.progress import check_stop
from napari_seedbed.errors import InputError
from napari_seedbed.pipeline.data.annotations import Annotation, Annotations, checked_label
from napari_seedbed.pipeline.data.image import Image
from napari_seedbed.pipeline.data.shapes import Shapes
from napari_seedbed.pipeline.data.tables import Points
from napari_seedbed.pipeline.data.visible_text import visible

_GROUP_COLUMNS = ("class", "kind")


Marked = Image | Shapes | Points | Annotations
"""What marks can be made of; an image holds labels."""


def annotations_of(result: Marked, groups: Mapping[int, str] | None = None) -> Annotations:
    """What a result marks.

    Parameters
    ----------
    result : Image, Shapes, Points or Annotations
        An image holds labels: each object is outlined along the sides of its voxels, on every
        slice and at every time point, with its holes.
    groups : mapping of int to str, optional
        Classes of labels.

    Raises
    ------
    InputError
        For an image that holds no labels.
    """
    if isinstance(result, Annotations):
        return result
    if isinstance(result, Image):
        items = _of_labels(result, groups or {})
    elif isinstance(result, Shapes):
        items = _of_shapes(result)
    else:
        items = _of_points(result)
    return Annotations(tuple(items), result.name)


def on_slices(annotations: Annotations) -> Annotations:
    """The same in two dimensions each, as files have them that hold planes: points are rounded.

    Raises
    ------
    InputError
        For a shape that does not lie on one slice.
    """
    items: list[Annotation] = []
    for item in annotations.items:
        if not item.is_spatial:
            items.append(item)
            continue
        if item.form != "points":
            raise InputError(
                f"shapes: {item.in_words} of {annotations.name} does not lie on one slice of z; "
                "such a file holds flat shapes. Save it as CSV."
            )
        for (points,) in item.parts:
            slices = np.rint(points[:, 0]).astype(int)
            items += [
                replace(item, parts=((points[slices == z, 1:],),), z=int(max(z, 0)))
                for z in np.unique(slices)
            ]
    return replace(annotations, items=tuple(items))


def _of_labels(labels: Image, groups: Mapping[int, str]) -> Iterator[Annotation]:
    from napari_seedbed.core.marks.voxel_outlines import voxel_outlines

    if labels.dtype.kind not in "iub" or labels.channel_axis is not None:
        raise InputError(
            f"labels: {labels.name} holds {labels.dtype} in {labels.n_channels} channel(s); "
            "outlines are of whole numbers in one."
        )
    for t in range(labels.n_times):
        volume = labels.select_time(t).volume()
        planes = volume[None] if volume.ndim == 2 else volume
        for z, plane in enumerate(planes):
            check_stop()
            for label, polygons in voxel_outlines(plane):
                yield Annotation(
                    "polygon",
                    tuple(polygons),
                    label=label,
                    name=str(label),
                    group=groups.get(label, ""),
                    z=z if volume.ndim == 3 else None,
                    t=None if labels.time_axis is None else t,
                )


def _of_shapes(shapes: Shapes) -> Iterator[Annotation]:
    for shape in shapes.shapes:
        yield (
            Annotation(
                "polygon" if shape.closed else "path",
                ((np.asarray(shape.points, np.float64),),),
                label=shape.label,
                name=str(shape.label),
                t=None if shapes.n_times is None else shape.time,
            )
            .on_its_slice()
            .with_holes()
        )


def _of_points(points: Points) -> Iterator[Annotation]:
    columns = {name: list(values) for name, values in points.columns.items()}
    group = next((columns[name] for name in _GROUP_COLUMNS if name in columns), None)
    for n, point in enumerate(np.asarray(points.points, np.float64)):
        label = checked_label(columns["label"][n]) if "label" in columns else None
        yield Annotation(
            "points",
            ((point[None],),),
            label=label,
            name=visible(columns["name"][n]) if "name" in columns else str(label or n + 1),
            group="" if group is None else visible(group[n]),
            t=None if points.n_times is None else int(points.times[n]),
        ).on_its_slice()
