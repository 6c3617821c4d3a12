"""Operations that say how good a segmentation is, and how hard an image makes it."""

import math
from collections.abc import Mapping
from typing import Any

import numpy as np

from napari_seedbed.core.progress import ShouldStop
from napari_seedbed.errors import InputError
from napari_seedbed.pipeline.declarations import Job, Need, Operation
from napari_seedbed.pipeline.filter_operations import (
    WINDOW,
    by_voxel,
    image_filter,
    radius,
    rows_in_window,
)
from napari_seedbed.pipeline.fingerprint import Fingerprint
from napari_seedbed.pipeline.image import Image
from napari_seedbed.pipeline.inputs import check_inputs
from napari_seedbed.pipeline.parameters import Parameter, check_parameters
from napari_seedbed.pipeline.provenance import make_record
from napari_seedbed.pipeline.tables import PointsFound


def _scores(job: Job) -> dict[str, Any]:
    from napari_seedbed.core import agreement_map
    from napari_seedbed.pipeline.scoring import score_volumes

    truth, labels = job.other(), job.load()
    if truth is None:
        raise InputError("other: Scores need the truth as the second image; none was given.")
    background = job.parameters["background"]
    if background:
        labels = np.where(labels == background, 0, labels)
    scored = score_volumes(truth, labels, job.spacing, should_stop=job.should_stop)
    outputs: dict[str, Any] = {"table": _columns(scored.scores)}
    if job.parameters["points"]:
        errors = scored.errors
        outputs["points"] = PointsFound(
            np.array([error.place for error in errors], float).reshape(-1, labels.ndim),
            {
                "kind": np.array([error.kind for error in errors], "U8"),
                "label": np.array([error.label for error in errors], np.int64),
                "others": np.array([" ".join(map(str, error.others)) for error in errors], str),
                "voxels": np.array([error.voxels for error in errors], np.int64),
            },
        )
    if job.parameters["agreement"]:
        outputs["agreement"] = agreement_map(truth, labels, should_stop=job.should_stop)
    return outputs


def _columns(scores: Mapping[str, Any]) -> dict[str, np.ndarray]:
    """One row a score, and one a threshold where there are several."""
    rows: list[tuple[str, float, float]] = []
    for name, value in scores.items():
        if name == "thresholds":
            continue
        if isinstance(value, list):
            rows += [
                (name, at, float(v)) for at, v in zip(scores["thresholds"], value, strict=True)
            ]
        else:
            rows.append((name, math.nan, float(value)))
    names, thresholds, values = zip(*rows, strict=True)
    return {
        "score": np.array(names),
        "threshold": np.array(thresholds),
        "value": np.array(values),
    }


def _local_entropy(job: Job) -> dict[str, Any]:
    from napari_seedbed.core import local_entropy
    from napari_seedbed.pipeline.image_statistics import percentiles_of_image

    low, high = percentiles_of_image(job.image, (0, 100), [job.time], job.channel, job.should_stop)
    found = local_entropy(
        job.load(),
        job.parameters["radius"],
        job.spacing,
        levels=job.parameters["levels"],
        limits=(low, high),
        window=job.parameters["window"],
        should_stop=job.should_stop,
    )
    return {"image": found}


def _residual_noise(job: Job) -> dict[str, Any]:
    from napari_seedbed.core import local_noise, noise_level

    image = job.load()
    # Of a part, it would be that of the part.
    if image.shape == job.image.spatial_shape:
        level = noise_level(image, should_stop=job.should_stop)
        job.notes.append(f"The standard deviation of the noise is about {level:.4g}.")
    found = local_noise(
        image,
        job.parameters["radius"],
        job.spacing,
        window=job.parameters["window"],
        should_stop=job.should_stop,
    )
    return {"image": found}


def _window_halo(spacing: tuple[float, ...], parameters: Mapping[str, Any]) -> tuple[int, ...]:
    from napari_seedbed.core.filters.windows import window_halo

    return window_halo(parameters["radius"], spacing)


def _noise_halo(spacing: tuple[float, ...], parameters: Mapping[str, Any]) -> tuple[int, ...]:
    return tuple(n + 1 for n in _window_halo(spacing, parameters))


def _entropy_need(
    shape: tuple[int, ...], n_labels: int, n_channels: int, parameters: Mapping[str, Any]
) -> Need:
    voxels = math.prod(shape)
    return Need(20 * voxels, voxels * (2e-8 + 6e-9 * rows_in_window(shape, parameters)))


SCORES = Operation(
    name="scores",
    title="Score against a truth",
    group="Scores",
    menu="napari/layers/measure",
    function=_scores,
    parameters=(
        Parameter(
            "background",
            "int",
            0,
            "Background label",
            "A label of the result that is no object, besides 0: after a random walk, that of the "
            "background.",
            minimum=0,
        ),
        Parameter(
            "points",
            "bool",
            False,
            "List of errors",
            "Also give the places of the objects that were split, merged, missed and added.",
        ),
        Parameter(
            "agreement",
            "bool",
            False,
            "Hits and misses",
            "Also give a map of hits (1), misses (2) and false parts (3).",
        ),
    ),
    takes=("image", "other"),
    image_kind="labels",
    other_kind="labels",
    other_title="Truth",
    gives="table",
    extra_outputs=("points", "agreement"),
    ndim=(2, 3),
    channels="joint",
    estimate=by_voxel(8, 1e-7),
    help="Compares labels or a mask with a truth: overlap, objects found, panoptic quality, Rand "
    "error, variation of information, distances of surfaces.",
    reference="Kirillov A, He K, Girshick R, Rother C, Dollár P (2019). Panoptic segmentation. "
    "IEEE/CVF Conference on Computer Vision and Pattern Recognition, 9396-9405.",
    term="segmentation metrics",
)

LOCAL_ENTROPY = image_filter(
    name="local_entropy",
    title="Local entropy",
    group="Scores",
    menu="napari/layers/measure",
    function=_local_entropy,
    parameters=(
        radius(5.0),
        Parameter(
            "levels",
            "int",
            64,
            "Steps of grey",
            "How many steps are told apart between the darkest and the brightest voxel.",
            minimum=2,
            maximum=4096,
        ),
        WINDOW,
    ),
    estimate=_entropy_need,
    halo=_window_halo,
    help="Shows how varied the grey values around each voxel are, in bits. Without a truth it is a "
    "hint where a segmentation has little to go by, and no score.",
    reference="Shannon CE (1948). A mathematical theory of communication. Bell System Technical "
    "Journal 27(3), 379-423.",
)

RESIDUAL_NOISE = image_filter(
    name="residual_noise",
    title="Residual noise",
    group="Scores",
    menu="napari/layers/measure",
    function=_residual_noise,
    parameters=(radius(5.0), WINDOW),
    estimate=by_voxel(16, 1e-7),
    halo=_noise_halo,
    help="Shows how noisy the image is around each voxel, as a standard deviation in grey values. "
    "Without a truth it is a hint how far the image can be trusted, and no score.",
    reference="Immerkær J (1996). Fast noise variance estimation. Computer Vision and Image "
    "Understanding 64(2), 300-302.",
)

SCORE_OPERATIONS = (SCORES, LOCAL_ENTROPY, RESIDUAL_NOISE)


def record_of_scores(
    truth: Image, result: Image, background: int = 0, should_stop: ShouldStop | None = None
) -> dict[str, Any]:
    """What a run of `scores` on these images would have in its record, without the run.

    For a window that shows the scores of `pipeline.scoring.score_images`, and wants their recipe.

    Parameters
    ----------
    truth, result : Image
        Labels on one grid.
    background : int
        A label of the result that is no object, besides 0.
    should_stop : callable, optional
        Asked many times a second; true raises `Cancelled`.

    Returns
    -------
    dict
        As `provenance.make_record`; the list of errors and the map of agreement are asked for.

    Raises
    ------
    InputError
        If the operation cannot be given these images, or the result is a live preview.
    """
    if result.record is not None and result.record.get("live"):
        raise InputError(
            f"result: {result.name} is a live preview; run the operation and score its result "
            "before saving the recipe."
        )
    given = check_inputs(SCORES, {"image": result, "other": truth})
    wanted = {"background": background, "points": True, "agreement": True}
    parameters = check_parameters(SCORES.parameters, wanted, given.image.spacing)
    times = None if given.image.time_axis is None else range(given.image.n_times)
    name = Fingerprint(given.image, should_stop).finish()
    return make_record(SCORES, parameters, given, {}, times, name)
