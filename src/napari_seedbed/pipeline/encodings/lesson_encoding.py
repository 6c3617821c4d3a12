"""What the seeded engine has learnt on other images, as text."""

from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np
from pydantic import PositiveInt

from napari_seedbed.pipeline.encodings.learnt_text import (
    Head,
    learnt_as_text,
    split_text,
    values_from_text,
)

if TYPE_CHECKING:
    from napari_seedbed.core.seeded.lessons import Lesson


class _Head(Head):
    """The first line; pairs are of objects and of background."""

    objects: PositiveInt
    voxels: tuple[PositiveInt, PositiveInt]
    patches: tuple[PositiveInt, PositiveInt]


def lesson_as_text(lesson: "Lesson") -> str:
    """The text of a lesson, see `learnt_text`."""
    order = np.argsort(lesson.is_background, kind="stable")
    n_background = int(np.count_nonzero(lesson.is_background))
    head = {
        "format": 1,
        "ndim": lesson.ndim,
        "channels": lesson.n_channels,
        "objects": lesson.n_objects,
        "voxels": [len(lesson.is_background) - n_background, n_background],
        "patches": list(lesson.n_patches),
    }
    return learnt_as_text(head, lesson.values[:, order])


@lru_cache(maxsize=4)
def lesson_from_text(text: str) -> "Lesson | None":
    """A lesson from what `lesson_as_text` wrote, bit for bit; None from an empty text.

    Raises
    ------
    InputError
        Where the text is something else, or was changed or cut.
    """
    from napari_seedbed.core import Lesson
    from napari_seedbed.core.seeded.voxel_features import features_of_a_channel

    if not text.strip():
        return None
    head, body = split_text(
        text,
        _Head,
        "it is not what seeded segmentation has learnt; take it from a recipe of it, or leave "
        "it empty.",
    )
    n_features = head.channels * features_of_a_channel(head.ndim)
    told = head.model_dump(exclude={"checksum"})
    values = values_from_text(body, told, head.checksum, (n_features, sum(head.voxels)))
    is_background = np.repeat([False, True], head.voxels)
    return Lesson(head.ndim, values, is_background, head.objects, head.patches)
