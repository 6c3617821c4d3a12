"""Operations that say how good a segmentation is, and how hard an image makes it."""

from collections.abc import Callable, Iterable
from functools import partial
from typing import Any

import numpy as np

from napari_seedbed.errors import InputError
from napari_seedbed.pipeline.data.blocks import over_blocks
from napari_seedbed.pipeline.data.fingerprint import Fingerprint
from napari_seedbed.pipeline.data.image import Image
from napari_seedbed.pipeline.data.tables import PointsFound
from napari_seedbed.pipeline.engine.core_calls import CoreCall
from napari_seedbed.pipeline.engine.declarations import (
    Operation,
    SecondImage,
    Size,
    Values,
)
from napari_seedbed.pipeline.engine.inputs import check_inputs
from napari_seedbed.pipeline.engine.jobs import Job
from napari_seedbed.pipeline.engine.parameters import check_parameters, output, whole_number
from napari_seedbed.pipeline.engine.provenance import make_record
from napari_seedbed.pipeline.operations.block_functions import BlockFunction
from napari_seedbed.pipeline.operations.costs import by_voxel, window_rows
from napari_seedbed.pipeline.operations.halos import window_halo
from napari_seedbed.pipeline.operations.shared_parameters import WINDOW, radius


def _scores(job: Job) -> dict[str, Any]:
    core, truth, labels = job.core, job.other(), job.load()
    background = job.parameters["background"]
    if background:
        labels = np.where(labels == background, 0, labels)
    scored = core.score_volumes(truth, labels, job.spacing)
    outputs: dict[str, Any] = {"table": core.score_table(scored.scores)}
    if job.parameters["points"]:
        points, columns = core.error_points(scored.errors, len(job.spacing))
        outputs["points"] = PointsFound(points, columns)
    if job.parameters["agreement"]:
        outputs["agreement"] = core.agreement_map(truth, labels)
    return outputs


def _entropy_arguments(job: Job) -> dict[str, Any]:
    low, high = job.percentiles((0, 100), job.channel)
    return {**job.parameters, "limits": (low, high)}


def _residual_noise(job: Job) -> dict[str, Any]:
    job.note(_noise_in_words, job)
    return {"image": CoreCall("local_noise").result(job)}


def _noise_in_words(job: Job) -> str:
    from napari_seedbed.core import noise_level

    if job.wanted is None:
        level = noise_level(job.load())
    elif job.over is over_blocks:
        # A preview of a part does not look at the rest for a sentence.
        return ""
    else:
        level = job.statistic(0.0, "residual noise", partial(_noise_of_all, job))
    return f"The standard deviation of the noise is about {level:.4g}."


def _noise_of_all(job: Job) -> float:
    from napari_seedbed.core.scores.image_hints import noise_level_over, sizes_of_differences

    image, reach = job.image.select_time(job.time), (1,) * len(job.spacing)

    def over(function: Callable[[Any], Any]) -> Iterable[Any]:
        return job.over(function, image, job.channel, sizes_of_differences, reach)

    return noise_level_over(over, image.dtype)


def _entropy_seconds(size: Size, parameters: Values) -> float:
    return 2e-8 + 6e-9 * window_rows(size, parameters)


_measure = partial(Operation, menu="napari/layers/measure", group="Scores")
_hint = partial(_measure, halo=window_halo())

SCORES = _measure(
    name="scores",
    in_blocks=BlockFunction("measurements_in_blocks", "scores"),
    title="Segmentation scores",
    function=_scores,
    parameters=(
        whole_number(
            "background",
            0,
            "Background label",
            "A label of the result that is no object, besides 0: after a random walk, that of the "
            "background.",
            (0, None),
        ),
        output(
            "points",
            False,
            "List of errors",
            "Also give the places of the objects that were split, merged, missed and added.",
        ),
        output(
            "agreement",
            False,
            "Hits and misses",
            "Also give a map of hits (true positives, 1), misses (false negatives, 2) and false "
            "parts (false positives, 3).",
        ),
    ),
    image_kind="labels",
    other=SecondImage("labels", "Ground truth"),
    gives="table",
    channels="joint",
    estimate=by_voxel(8, 1e-7),
    help="Compares labels or a mask with a ground truth: overlap, objects found, panoptic quality, "
    "Rand error, variation of information, distances of surfaces.",
    reference="Kirillov A, He K, Girshick R, Rother C, Dollár P (2019). Panoptic segmentation. "
    "IEEE/CVF Conference on Computer Vision and Pattern Recognition, 9396-9405.",
    term="ground truth, segmentation metrics",
)

LOCAL_ENTROPY = _hint(
    name="local_entropy",
    title="Local entropy",
    function=CoreCall(arguments=_entropy_arguments),
    parameters=(
        radius(5.0),
        whole_number(
            "levels",
            64,
            "Grey levels",
            "How many grey levels there are between the darkest and the brightest voxel.",
            (2, 4096),
        ),
        WINDOW,
    ),
    estimate=by_voxel(20, _entropy_seconds),
    help="Shows how varied the grey values around each voxel are, in bits. Without a ground truth "
    "it is a hint where a segmentation has little to go by, and no score.",
    reference="Shannon CE (1948). A mathematical theory of communication. Bell System Technical "
    "Journal 27(3), 379-423.",
)

RESIDUAL_NOISE = _hint(
    name="residual_noise",
    title="Residual noise",
    function=_residual_noise,
    parameters=(radius(5.0), WINDOW),
    estimate=by_voxel(16, 1e-7),
    halo=window_halo(more=1),
    help="Shows how noisy the image is around each voxel, as a standard deviation in grey values. "
    "Without a ground truth it is a hint how far the image can be trusted, and no score.",
    reference="Immerkær J (1996). Fast noise variance estimation. Computer Vision and Image "
    "Understanding 64(2), 300-302.",
)

SCORE_OPERATIONS = (SCORES, LOCAL_ENTROPY, RESIDUAL_NOISE)


def record_of_scores(truth: Image, result: Image, background: int = 0) -> dict[str, Any]:
    """What a run of `scores` on these images would have in its record, without the run.

    For a window that shows the scores of `pipeline.scoring.score_images`, and wants their recipe.

    Parameters
    ----------
    truth, result : Image
        Labels on one grid.
    background : int
        A label of the result that is no object, besides 0.

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
    name = Fingerprint(given.image).finish()
    return make_record(SCORES, parameters, given, {}, times, name)
