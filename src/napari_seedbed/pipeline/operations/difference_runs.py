"""What differs between two images of one scene, or the time points of a series."""

import hashlib
from collections.abc import Callable, Hashable, Mapping
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from napari_seedbed.core.progress import tell
from napari_seedbed.errors import InputError
from napari_seedbed.pipeline.data.image import Image
from napari_seedbed.pipeline.engine.jobs import Channels, Context, Job, WholeJob
from napari_seedbed.pipeline.operations.channels import channel_names
from napari_seedbed.pipeline.operations.no_changes import (
    Strongest,
    no_changes_in_words,
    strongest_difference,
)

if TYPE_CHECKING:
    from napari_seedbed.core import ChangeEvidence, Changes, Registration

_EVIDENCE = "evidence of changes"
SIMILARITY = "similarity"
"""The mode that gives one image for all channels."""


# Two images


def difference_of_images(job: Job) -> dict[str, Any]:
    """The difference of an image and a second one."""
    first, second, axis = _pair(job)
    how = _how(job.parameters)
    difference, registration = _difference(job.core, first, second, axis, job.parameters, how)
    job.note(_registration_notes, registration, job.image)
    if axis is None or job.parameters["mode"] == SIMILARITY:
        return {"image": difference}
    return {"image": Channels(difference, channel_names(job.image)[: len(first)])}


def changes_between_images(job: Job) -> dict[str, Any]:
    """Mask, boxes and list of what changed between an image and a second one."""
    first, second, axis = _pair(job)
    tell(0.0, "comparing the images")
    how = _how(job.parameters)
    evidence = _evidence(first, second, axis, job.parameters, how, job)
    tell(0.8, "listing the changes")
    found = _found(job.core, evidence, job.parameters, job.image, job.spacing)
    job.note(_changes_in_words, evidence, found, job)
    outputs: dict[str, Any] = {"mask": found.labels > 0}
    if job.parameters["shapes"]:
        outputs["shapes"] = job.core.boxes_as_shapes(
            found.boxes, 0 if job.time is None else job.time
        )
    if job.parameters["table"]:
        outputs["table"] = found.table
    if job.parameters["difference"]:
        outputs["difference"] = evidence.difference
    return outputs


def _changes_in_words(evidence: "ChangeEvidence", found: "Changes", job: Job) -> list[str]:
    nearest = _nearest(evidence, found, job.parameters, job.spacing)
    return [
        *_registration_notes(evidence.registration, job.image),
        _count_note(len(found.boxes), job.parameters, nearest),
    ]


# Time points of a series


def difference_along_series(job: WholeJob) -> dict[str, Any]:
    """The difference of each time point and the one that it is compared with."""
    axis = _channel_axis(job.image, job.parameters)
    load = _volumes(job, axis)

    def compared(time: int, beside: int) -> dict[str, Any]:
        second, first = load(beside), load(time)
        how = _how_unless_same(job, time, beside)
        difference, registration = _difference(job.core, first, second, axis, job.parameters, how)
        job.note(_registration_notes, registration, job.image, time)
        return {"differences": difference}

    found = job.in_turn(_pairs(job), compared)
    is_one = axis is None or job.parameters["mode"] == SIMILARITY
    names = () if is_one else channel_names(job.image)[: job.image.n_channels]
    return {"image": job.series_image(found["differences"], names, "difference")}


def changes_along_series(job: WholeJob) -> dict[str, Any]:
    """Mask, boxes and list of what changed at each time point."""
    image, parameters = job.image, job.parameters
    axis = _channel_axis(image, parameters)
    load = _volumes(job, axis)
    counts: list[int] = []
    nearest: list[Strongest] = []

    def in_words(time: int, evidence: "ChangeEvidence", found: "Changes") -> list[str]:
        counts.append(len(found.boxes))
        nearest.extend(_nearest(evidence, found, parameters, image.spacing))
        return _registration_notes(evidence.registration, image, time)

    def compared(time: int, beside: int) -> dict[str, Any]:
        second, first = load(beside), load(time)
        how = _how_unless_same(job, time, beside)
        evidence = _evidence(first, second, axis, parameters, how, job)
        found = _found(job.core, evidence, parameters, image, job.spacing)
        job.note(in_words, time, evidence, found)
        parts: dict[str, Any] = {"masks": found.labels > 0}
        if parameters["shapes"]:
            parts["shapes"] = job.core.boxes_as_shapes(found.boxes, time)
        if parameters["table"]:
            parts["tables"] = (time, found.table)
        if parameters["difference"]:
            parts["differences"] = evidence.difference
        return parts

    every = job.in_turn(_pairs(job), compared)
    job.note(lambda: _count_note(sum(counts), parameters, nearest))
    outputs: dict[str, Any] = {"mask": job.series_image(every["masks"], (), "changes")}
    if parameters["shapes"]:
        outputs["shapes"] = job.series_shapes(every["shapes"], "boxes")
    if parameters["table"]:
        outputs["table"] = job.series_table(every["tables"], "list of changes")
    if parameters["difference"]:
        outputs["difference"] = job.series_image(every["differences"], (), "difference")
    return outputs


def _pairs(job: WholeJob) -> list[tuple[int, int]]:
    """Each time point, and the one that it is compared with."""
    n_times, parameters = job.image.n_times, job.parameters
    against: str | int = "previous"
    if parameters["against"] == "frame":
        against = int(parameters["frame"])
    if against != "previous" and int(against) >= n_times:
        raise InputError(
            f"frame: there is no time point {against}; the image has {n_times}, counted from 0."
        )
    if n_times == 1:
        job.notes.append("The image has a single time point, which was compared with itself.")
    pairs: list[tuple[int, int]] = job.core.frame_pairs(n_times, against)
    return pairs


def _volumes(job: WholeJob, axis: int | None) -> Callable[[int], NDArray]:
    """What gives a time point, as it is or its grey; the last two are kept."""

    @lru_cache(maxsize=2)
    def load(time: int) -> NDArray:
        volume = job.volume_at(time)
        return volume if axis is not None else _grey(volume, len(job.image.spatial_axes))

    return load


# What both have in common


def _pair(job: Job) -> tuple[NDArray, NDArray, int | None]:
    """Both images in one layout, and the axis of their channels."""
    first, second = job.load(), job.other()
    assert second is not None, "the operation takes a second image"
    n_axes = len(job.spacing)
    if job.parameters["channels"] == "mean":
        return _grey(first, n_axes), _grey(second, n_axes), None
    counts = [len(array) if array.ndim > n_axes else 1 for array in (first, second)]
    if counts[0] != counts[1]:
        raise InputError(
            f"other: the number of its channels is {counts[1]}, that of the image's {counts[0]}; "
            "give images with as many channels, or compare their means."
        )
    return first, second, 0 if first.ndim > n_axes else None


def _channel_axis(image: Image, parameters: Mapping[str, Any]) -> int | None:
    return None if parameters["channels"] == "mean" or image.n_channels == 1 else 0


def _grey(volume: NDArray, n_axes: int) -> NDArray:
    return volume if volume.ndim == n_axes else volume.mean(axis=0, dtype=np.float64)


_How = Mapping[str, str | None]
"""How the second image is registered to the first, and its intensities matched."""


def _how(parameters: Mapping[str, Any]) -> _How:
    chosen = {name: parameters[name] for name in ("register", "match")}
    return {name: None if one == "none" else one for name, one in chosen.items()}


def _how_unless_same(job: WholeJob, time: int, beside: int) -> _How:
    """A time point that is compared with itself stays as it is."""
    how = _how(job.parameters)
    return {name: job.unless_same(time, beside, one) for name, one in how.items()}


def _difference(
    core: Any,
    first: NDArray,
    second: NDArray,
    axis: int | None,
    parameters: Mapping[str, Any],
    how: _How,
) -> "tuple[NDArray[np.floating], Registration | None]":
    is_similarity = parameters["mode"] == SIMILARITY
    compared = core.compare_images(
        first,
        second,
        mode="signed" if is_similarity else parameters["mode"],
        channel_axis=axis,
        **how,
    )
    if not is_similarity:
        return compared.difference, compared.registration
    similarity = core.structural_similarity_map(
        first, compared.moved, channel_axis=axis, data_range=core.range_of_bytes(first)
    )
    similarity[~compared.covered] = 1
    return similarity, compared.registration


def _evidence(
    first: NDArray,
    second: NDArray,
    axis: int | None,
    parameters: Mapping[str, Any],
    how: _How,
    job: Job | WholeJob,
) -> "ChangeEvidence":
    """What speaks for changes; kept in live runs, which mostly try thresholds on it."""
    key: Hashable = None
    if job.context.live:
        named = (*(parameters[name] for name in ("mode", "channels", "tolerance")), *how.values())
        key = (_EVIDENCE, _digest(first), _digest(second), axis, job.spacing, named)
        kept = job.context.cache.get(key)
        if kept is not None:
            return kept
    evidence: ChangeEvidence = job.core.change_evidence(
        first,
        second,
        mode=parameters["mode"],
        channel_axis=axis,
        **how,
        tolerance=parameters["tolerance"],
        spacing=job.spacing,
    )
    if job.context.live:
        _forget(job.context)
        job.context.cache[key] = evidence
    return evidence


def _digest(array: NDArray) -> bytes:
    return hashlib.blake2b(np.ascontiguousarray(array).data, digest_size=16).digest()


def _forget(context: Context) -> None:
    for key in list(context.cache):
        if isinstance(key, tuple) and key[0] == _EVIDENCE:
            # another run may just have done so
            context.cache.pop(key, None)


def _found(
    core: Any,
    evidence: "ChangeEvidence",
    parameters: Mapping[str, Any],
    image: Image,
    spacing: tuple[float, ...],
) -> "Changes":
    changes: Changes = core.find_changes(
        evidence,
        parameters["n_mads"],
        min_contrast=parameters["min_contrast"],
        min_size=parameters["min_size"],
        max_gap=parameters["max_gap"],
        spacing=spacing,
        unit=image.unit,
    )
    return changes


def _nearest(
    evidence: "ChangeEvidence",
    found: "Changes",
    parameters: Mapping[str, Any],
    spacing: tuple[float, ...],
) -> list[Strongest]:
    """What came nearest to a change, where there is none."""
    if len(found.boxes):
        return []
    strongest = strongest_difference(evidence, parameters, spacing)
    return [] if strongest is None else [strongest]


def _count_note(count: int, parameters: Mapping[str, Any], nearest: list[Strongest]) -> str:
    if count:
        return f"{count} changes were found." if count != 1 else "1 change was found."
    return no_changes_in_words(nearest, parameters)


def _registration_notes(
    registration: "Registration | None", image: Image, frame: int | None = None
) -> list[str]:
    """What a person should know of how an image was moved; of a series only what is odd."""
    if registration is None:
        return []
    from napari_seedbed.core.differences.registration_choice import LOW_CORRELATION

    where = "" if frame is None else f" of time point {frame}"
    notes = []
    if registration.correlation < LOW_CORRELATION:
        notes.append(
            f"The registration{where} is doubtful: the images agree by a correlation of only "
            f"{registration.correlation:.2f} after it. Compare them as they are, or choose "
            "another registration."
        )
    if frame is None:
        middle = np.append((np.array(image.spatial_shape) - 1) / 2, 1.0)
        steps = ", ".join(f"{step:.2f}" for step in (registration.matrix @ middle - middle)[:-1])
        turned = ""
        if not registration.is_shift:
            turned = f", turned by {registration.angle:.2f} degrees"
            turned += f" and {registration.scale:.3f} times as large"
        notes.append(
            f"In the middle, the second image was shifted by {steps} pixels "
            f"({', '.join(image.spatial_axes)}){turned}; it was moved back."
        )
    return notes
