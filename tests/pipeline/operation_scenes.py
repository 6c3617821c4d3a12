"""Inputs for any operation, as its declaration wants them."""

import numpy as np

from napari_seedbed.core.marks.shapes import Shape
from napari_seedbed.pipeline.data.image import Image
from napari_seedbed.pipeline.data.shapes import Shapes

_NEEDED = {
    "threshold_local": {"block_size": 5},
    "sauvola": {"window_size": 5},
    "niblack": {"window_size": 5},
    "colour_selection": {"outline": "0 0, 0.45 0, 0.45 1, 0 1"},
    "proofread_labels": {"edits": "grow 3 radius=1\nmerge 4 3"},
    "to_grey": {"weights": "mean"},
    # what goes on for long where it finds nothing
    "elastic_contour": {"max_num_iter": 100},
    "fit_circle": {"max_trials": 200},
    "fit_ellipse": {"max_trials": 200},
    "fit_line": {"max_trials": 200},
}


def parameters_for(operation):
    """Parameters with which it gives a result, soon, for every small scene."""
    return dict(_NEEDED.get(operation.name, {}))


def scene(shape):
    """A bright box on a dark ground with some noise: whole numbers that every type can hold."""
    array = np.random.default_rng(5).integers(0, 20, shape)
    array[tuple(slice(n // 4, n - n // 4) for n in shape)] += 150
    return array


def inputs_for(operation, array, *, optional=False, **about):
    """The image, and what else the operation needs: a stroke or a box around the middle."""
    axes = ("z", "y", "x")[-array.ndim :]
    image = _of_kind(array, operation.image_kind)
    if operation.least_channels > 1:
        # channels that differ, the first one of them as it is
        image = np.stack([np.roll(image, n, axis=-1) for n in range(operation.least_channels)])
        given = {"image": Image(image, ("c", *axes), name="scene", **about)}
    else:
        given = {"image": Image(image, axes, name="scene", **about)}
    needed = (*operation.takes, *operation.one_of[:1], *(operation.optional if optional else ()))
    texts = {one.name for one in operation.parameters if one.type == "text"}
    if texts & {"colours", "training", "steps"}:
        # it learns from marks unless what it has learnt is written down
        needed = (*needed, "seeds")
    middle = [n // 2 for n in array.shape]
    if "other" in needed:
        # the same a little to the side: all voxels get another partner
        second = _of_kind(np.roll(array, 1, axis=-1), operation.other_kind)
        given["other"] = Image(second, axes, name="second", **about)
    if "seeds" in needed:
        marks = np.zeros(array.shape, np.int32)
        if marks.size:
            marks[(0,) * array.ndim] = 2
            marks[tuple(middle)] = 1
        given["seeds"] = Image(marks, axes, name="seeds", **about)
    if "shapes" in needed:
        y, x = array.shape[-2:]
        square = np.array([[0.2, 0.2], [0.2, 0.8], [0.8, 0.8], [0.8, 0.2]]) * (y, x)
        lead = np.full((4, array.ndim - 2), middle[0], float)
        given["shapes"] = Shapes((Shape(1, np.hstack([lead, square])),))
    return given


def _of_kind(array, kind):
    """The array, or where labels or a mask are wanted a number for each 40 steps of brightness."""
    if kind == "image" or array.dtype.kind == "b":
        return array
    finite = array if array.dtype.kind != "f" else np.nan_to_num(array, posinf=0)
    # A mask held in another type has no brightness to divide.
    step = 40 if finite.max(initial=0) > 1 else 1
    return (finite // step).astype(bool if kind == "mask" else np.int32)
