"""What differs between two images of one scene, or the time points of a series."""

import hashlib
from collections.abc import Hashable, Iterator, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from napari_seedbed.core.progress import check_stop, tell
from napari_seedbed.errors import InputError
from napari_seedbed.pipeline.data.image import Image
from napari_seedbed.pipeline.data.shapes import Shapes
from napari_seedbed.pipeline.data.tables import Columns, Table, joined
from napari_seedbed.pipeline.engine.jobs import Channels, Context, Job, WholeJob
from napari_seedbed.pipeline.operations.channels import channel_names
from napari_seedbed.pipeline.operations.no_changes import (
    Strongest,
    no_changes_in_words,
    strongest_difference,
)

if TYPE_CHECKING:
    from napari_seedbed.core import ChangeEvidence, Changes, Registration
    from napari_seedbed.core.marks.shapes import Shape

_EVIDENCE = "evidence of changes"
SIMILARITY = "similarity"
"""The mode that gives one image for all channels."""


# Two images


def difference_of_images(job: Job) -> dict[str, Any]:
    """The difference of an image and a second one."""
    first, second, axis = _pair(job)
    difference, registration = _difference(job.core, first, second, axis, job.parameters)
    job.note(_registration_notes, registration, job.image)
    if axis is None or job.parameters["mode"] == SIMILARITY:
        return {"image": difference}
    return {"image": Channels(difference, channel_names(job.image)[: len(first)])}


def changes_between_images(job: Job) -> dict[str, Any]:
    """Mask, boxes and list of what changed between an image and a second one."""
    first, second, axis = _pair(job)
    tell(0.0, "comparing the images")
    evidence = _evidence(first, second, axis, job.parameters, job.spacing, job)
    tell(0.8, "listing the changes")
    found = _found(job.core, evidence, job.parameters, job.image)
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
    differences = []
    axis = _channel_axis(job.image, job.parameters)
    for frame, first, second in _frames(job, axis):
        parameters = job.parameters if second is not first else {**job.parameters, **_AS_THEY_ARE}
        difference, registration = _difference(job.core, first, second, axis, parameters)
        job.notes += _registration_notes(registration, job.image, frame)
        differences.append(difference)
    return {"image": _series_image(job.image, differences, axis, "difference")}


def changes_along_series(job: WholeJob) -> dict[str, Any]:
    """Mask, boxes and list of what changed at each time point."""
    image, parameters = job.image, job.parameters
    axis = _channel_axis(image, parameters)
    masks: list[NDArray[np.bool_]] = []
    differences: list[NDArray[np.floating]] = []
    shapes: list[Shape] = []
    rows: list[Columns] = []
    nearest: list[Strongest] = []
    for frame, first, second in _frames(job, axis):
        how = parameters if second is not first else {**parameters, **_AS_THEY_ARE}
        evidence = _evidence(first, second, axis, how, image.spacing, job)
        found = _found(job.core, evidence, parameters, image)
        job.notes += _registration_notes(evidence.registration, image, frame)
        count = len(found.boxes)
        nearest += _nearest(evidence, found, parameters, image.spacing)
        masks.append(found.labels > 0)
        shapes += job.core.boxes_as_shapes(found.boxes, frame)
        rows.append({"time_point": np.full(count, frame), **found.table})
        if parameters["difference"]:
            differences.append(evidence.difference)
    total = sum(len(part["change"]) for part in rows)
    job.notes.append(_count_note(total, parameters, nearest))
    outputs: dict[str, Any] = {"mask": _series_image(image, masks, None, "changes")}
    if parameters["shapes"]:
        outputs["shapes"] = Shapes(
            tuple(shapes), f"{image.name} boxes", image.spacing, image.units, image.translate,
            None if image.time_axis is None else image.n_times,
        )  # fmt: skip
    if parameters["table"]:
        outputs["table"] = Table(joined(rows), f"{image.name} list of changes")
    if parameters["difference"]:
        outputs["difference"] = _series_image(image, differences, None, "difference")
    return outputs


_AS_THEY_ARE = {"register": "none", "match": "none"}
"""What a time point that is compared with itself needs."""


def _frames(job: WholeJob, axis: int | None) -> Iterator[tuple[int, NDArray, NDArray]]:
    """Give the number and the voxels of each time point, and those that it is compared with."""
    from napari_seedbed.core.differences.difference_series import frame_pairs

    image, parameters = job.image, job.parameters
    against: str | int = "previous"
    if parameters["against"] == "frame":
        against = int(parameters["frame"])
    if against != "previous" and int(against) >= image.n_times:
        raise InputError(
            f"frame: there is no time point {against}; the image has {image.n_times}, counted "
            "from 0."
        )
    if image.n_times == 1:
        job.notes.append("The image has a single time point, which was compared with itself.")
    kept: dict[int, NDArray] = {}
    for frame, other in frame_pairs(image.n_times, against):
        check_stop()
        tell(frame / image.n_times, f"time point {frame + 1} of {image.n_times}")
        kept = {t: kept[t] if t in kept else _voxels(image, t, axis) for t in {frame, other}}
        yield frame, kept[frame], kept[other]


def _series_image(image: Image, volumes: list[Any], axis: int | None, what: str) -> Image:
    """The time points together, on the axes of the image."""
    arrays = np.stack(volumes) if image.time_axis is not None else volumes[0]
    has_channels = axis is not None and arrays.ndim > len(image.spatial_axes) + (
        image.time_axis is not None
    )
    lead = ("t",) if image.time_axis is not None else ()
    return replace(
        image,
        array=arrays,
        axes=(*lead, *(("c",) if has_channels else ()), *image.spatial_axes),
        rgb=False,
        channel_names=channel_names(image)[: arrays.shape[len(lead)]] if has_channels else (),
        channel_colors=(),
        name=f"{image.name} {what}",
        source_channels=None,
        notes=(),
    )


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


def _voxels(image: Image, t: int, axis: int | None) -> NDArray:
    volume = image.select_time(t).volume()
    return volume if axis is not None else _grey(volume, len(image.spatial_axes))


def _grey(volume: NDArray, n_axes: int) -> NDArray:
    return volume if volume.ndim == n_axes else volume.mean(axis=0, dtype=np.float64)


def _difference(
    core: Any, first: NDArray, second: NDArray, axis: int | None, parameters: Mapping[str, Any]
) -> "tuple[NDArray[np.floating], Registration | None]":
    is_similarity = parameters["mode"] == SIMILARITY
    compared = core.compare_images(
        first,
        second,
        mode="signed" if is_similarity else parameters["mode"],
        channel_axis=axis,
        register=_none(parameters["register"]),
        match=_none(parameters["match"]),
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
    spacing: tuple[float, ...],
    job: Job | WholeJob,
) -> "ChangeEvidence":
    """What speaks for changes; kept in live runs, which mostly try thresholds on it."""
    how = ("mode", "channels", "register", "match", "tolerance")
    key: Hashable = None
    if job.context.live:
        named = tuple(parameters[name] for name in how)
        key = (_EVIDENCE, _digest(first), _digest(second), axis, spacing, named)
        kept = job.context.cache.get(key)
        if kept is not None:
            return kept
    evidence: ChangeEvidence = job.core.change_evidence(
        first,
        second,
        mode=parameters["mode"],
        channel_axis=axis,
        register=_none(parameters["register"]),
        match=_none(parameters["match"]),
        tolerance=parameters["tolerance"],
        spacing=spacing,
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
    core: Any, evidence: "ChangeEvidence", parameters: Mapping[str, Any], image: Image
) -> "Changes":
    changes: Changes = core.find_changes(
        evidence,
        parameters["n_mads"],
        min_contrast=parameters["min_contrast"],
        min_size=parameters["min_size"],
        max_gap=parameters["max_gap"],
        spacing=image.spacing,
        unit=image.unit,
    )
    return changes


def _none(choice: str) -> str | None:
    return None if choice == "none" else choice


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
