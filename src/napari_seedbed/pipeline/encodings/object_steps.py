"""Objects that were made one after the other, as text: the strokes of each, in their order.

A step names an object and holds its strokes and those of its background as runs of voxels, first
and length, in the flattened grid. A step with the number of an earlier one takes that object's
place: it was reopened.
"""

import json
import math
from collections.abc import Sequence
from typing import Annotated

import numpy as np
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from napari_seedbed.core.seeded.object_steps import ObjectStep, Places
from napari_seedbed.errors import InputError
from napari_seedbed.pipeline.data.memory import available_memory, bytes_in_words

STEPS = "steps"
"""Name of the parameter that holds such a text."""

MOST_STEPS = 1_000_000
MOST_VOXELS = 1 << 31

_Run = tuple[Annotated[int, Field(ge=0)], Annotated[int, Field(ge=1)]]


class _Step(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    object: int = Field(ge=1, le=2**31 - 1)
    time: int = Field(0, ge=0)
    darker_than: float = Field(0.0, allow_inf_nan=False)
    masked: bool = False
    learnt_anew: bool = False
    strokes: list[_Run] = Field(min_length=1)
    background: list[_Run] = []


class _Steps(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    format: int = Field(1, ge=1)
    shape: list[Annotated[int, Field(ge=1)]] = Field(min_length=2, max_length=3)
    steps: list[_Step] = Field(max_length=MOST_STEPS)


def steps_as_text(shape: Sequence[int], steps: Sequence[ObjectStep]) -> str:
    """The text of some steps on a grid of this spatial shape: a line of JSON for each."""
    head = json.dumps({"format": 1, "shape": [int(n) for n in shape]})
    lines = [head[:-1] + ', "steps": [']
    for nth, step in enumerate(steps):
        told = {
            "object": int(step.number),
            "time": int(step.time),
            "darker_than": float(step.darker_than),
            "masked": bool(step.is_masked),
            "strokes": _runs(step.strokes, shape),
            "background": _runs(step.background, shape),
        }
        if step.learnt_anew:
            told["learnt_anew"] = True
        lines.append(json.dumps(told) + ("," if nth < len(steps) - 1 else ""))
    return "\n".join([*lines, "]}"])


def steps_from_text(text: str) -> list[ObjectStep]:
    """Steps from what `steps_as_text` wrote; none for an empty text.

    Raises
    ------
    InputError
        Where the text says something else.
    """
    if not text.strip():
        return []
    found = _checked(text)
    return [
        ObjectStep(
            step.object,
            _places(step.strokes, found.shape),
            _places(step.background, found.shape),
            step.time,
            step.darker_than,
            step.masked,
            step.learnt_anew,
        )
        for step in found.steps
    ]


def shape_of_steps(text: str) -> tuple[int, ...]:
    """Spatial shape of the image that steps were made on.

    Raises
    ------
    InputError
        As `steps_from_text`.
    """
    return tuple(_checked(text).shape)


def _checked(text: str) -> _Steps:
    """What a text says, where that can be and fits into memory."""
    try:
        found = _Steps.model_validate_json(text)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"]) or "the text"
        raise InputError(
            f"it does not hold steps ({where}: {first['msg']}); take it from a recipe that the "
            "panel saved."
        ) from None
    if found.format > 1:
        raise InputError("it was written by a newer napari-seedbed; update napari-seedbed.")
    size = math.prod(found.shape)
    for step in found.steps:
        runs = [*step.strokes, *step.background]
        if size > MOST_VOXELS or any(first + length > size for first, length in runs):
            raise InputError(
                f"the strokes of object {step.object} lie outside an image of the shape "
                f"{tuple(found.shape)}; take an undamaged copy of the recipe."
            )
    voxels = sum(n for step in found.steps for _, n in (*step.strokes, *step.background))
    needed = 2 * 8 * (len(found.shape) + 1) * voxels
    if needed > available_memory():
        raise InputError(
            f"its strokes take {bytes_in_words(needed)} of memory, more than is free; take an "
            "undamaged copy of the recipe."
        )
    return found


def _runs(places: Places, shape: Sequence[int]) -> list[list[int]]:
    if not len(places):
        return []
    flat = np.unique(np.ravel_multi_index(tuple(places.T), tuple(shape)))
    starts = np.flatnonzero(np.diff(flat, prepend=-2) > 1)
    lengths = np.diff(np.append(starts, len(flat)))
    return np.stack([flat[starts], lengths], axis=1).tolist()


def _places(runs: Sequence[tuple[int, int]], shape: Sequence[int]) -> Places:
    if not runs:
        return np.empty((0, len(shape)), np.int64)
    flat = np.unique(np.concatenate([np.arange(first, first + n) for first, n in runs]))
    return np.stack(np.unravel_index(flat, tuple(shape)), axis=1).astype(np.int64)
