"""Operations that grow scribbled seeds into a segmentation, and what their panel keeps prepared."""

import math
from collections.abc import Callable, Hashable, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from napari_seedbed.core.progress import Preview, Progress, Report
from napari_seedbed.errors import InputError
from napari_seedbed.pipeline.declarations import Job, Need, Operation
from napari_seedbed.pipeline.learnt_text import LEARNT
from napari_seedbed.pipeline.lesson_encoding import lesson_from_text
from napari_seedbed.pipeline.parameters import Parameter
from napari_seedbed.pipeline.region_operations import compactness, smoothing

if TYPE_CHECKING:
    from napari_seedbed.core.compiling import Engine
    from napari_seedbed.core.seeded.lessons import Lesson

Prepared = TypeVar("Prepared")

_ENGINES = "seeded engines"
_LESSONS = "lessons of seeded engines"

AUTOMATIC = "automatic"
PUBLISHED = "random_walker"
WATERSHED = "watershed"


def engine_of(operation: str, parameters: Mapping[str, Any]) -> "Engine | None":
    """Return the engine whose kernels a step of a recipe needs, if it is one of those that have
    many."""
    if operation == "seeded_segmentation":
        operation = parameters.get("engine", AUTOMATIC)
    engines: dict[str, Engine] = {
        AUTOMATIC: "automatic",
        PUBLISHED: "published",
        "pixel_classification": "classifier",
    }
    return engines.get(operation)


def _prepared(job: Job, key: Hashable, make: Callable[[], Prepared]) -> Prepared:
    """What an engine makes of the image alone, kept between the runs of a window."""
    cache = job.context.cache
    key = (_ENGINES, job.cache_key, job.spacing, job.channel_axis, key)
    if key not in cache:
        # Only the image on screen is worth its memory.
        for other in [k for k in cache if isinstance(k, tuple) and k[0] == _ENGINES]:
            del cache[other]
        cache[key] = make()
    found: Prepared = cache[key]
    return found


def _walker(job: Job, beta: float, normalization: Any) -> Any:
    from napari_seedbed.core import RandomWalker

    return _prepared(
        job,
        (PUBLISHED, beta, normalization),
        lambda: RandomWalker(
            job.load(),
            spacing=job.spacing,
            channel_axis=job.channel_axis,
            beta=beta,
            normalization=normalization,
        ),
    )


def _walk(job: Job, walker: Any, report: Report | None) -> dict[str, NDArray]:
    """What the random walker gives."""
    live = job.context.live
    walker.solve(
        job.seeds,
        tol=job.parameters["tol"],
        should_stop=job.should_stop,
        report=report,
        view=job.context.view if live else None,
        warm=live,
    )
    return _outputs_of(job, walker)


def _outputs_of(job: Job, engine: Any) -> dict[str, NDArray]:
    """Labels of an engine that has solved, and what else was asked for."""
    outputs = {"labels": engine.labels}
    if job.parameters["probabilities"]:
        shape = (len(job.label_values), *engine.labels.shape)
        probabilities = np.zeros(shape, np.float32)
        found = engine.find_probabilities(job.should_stop)
        for value, probability in zip(engine.label_values, found, strict=True):
            probabilities[job.label_values.index(int(value))] = probability
        outputs["probabilities"] = probabilities
    if job.parameters["uncertainty"]:
        outputs["uncertainty"] = engine.find_uncertainty(job.should_stop)
    return outputs


def _random_walker(job: Job) -> dict[str, NDArray]:
    parameters = job.parameters
    return _walk(job, _walker(job, parameters["beta"], parameters["normalization"]), job.report)


def _published(job: Job) -> Any:
    return _walker(job, job.parameters["beta"], "std")


def _segmenter(job: Job) -> Any:
    from napari_seedbed.core import SeededSegmenter

    return _prepared(
        job,
        AUTOMATIC,
        lambda: SeededSegmenter(job.load(), spacing=job.spacing, channel_axis=job.channel_axis),
    )


def last_lesson(cache: Mapping[Hashable, Any]) -> "Lesson | None":
    """What the last run with this cache teaches about other images, all its time points together.

    None where it did not tell objects from background, or with another engine than the automatic.
    """
    lessons: list[Lesson] = cache.get(_LESSONS, [])
    return lessons[0].joined(*lessons[1:]) if lessons else None


def _prepare(job: Job) -> None:
    """Make what the engine needs to know of the image."""
    engine = job.parameters["engine"]
    if engine == AUTOMATIC:
        _segmenter(job).prepare(job.should_stop, job.report)
    elif engine == PUBLISHED:
        _published(job).prepare(job.should_stop)
    else:
        _relief(job)


def _seeded_segmentation(job: Job) -> dict[str, NDArray]:
    engine, background = job.parameters["engine"], job.parameters["background"]
    report = _without(background, job.report)
    # Of this run alone, and put back for each time point: the cache is emptied before.
    lessons: list[Lesson] = job.shared.setdefault(_LESSONS, [])
    job.context.cache[_LESSONS] = lessons
    if engine == AUTOMATIC:
        segmenter = _segmenter(job)
        # What is prepared depends on the image alone: another background needs no other engine.
        segmenter.solve(
            job.seeds,
            job.should_stop,
            report,
            view=job.context.view,
            background=background or None,
            lesson=lesson_from_text(job.parameters[LEARNT]),
        )
        outputs = _outputs_of(job, segmenter)
        if segmenter.lesson is not None:
            lessons.append(segmenter.lesson)
    elif engine == PUBLISHED:
        outputs = _walk(job, _published(job), report)
    else:
        outputs = _watershed(job)
    # A copy: the engine goes on from its own labels.
    outputs["labels"] = _emptied(outputs["labels"], background)
    return outputs


def _relief(job: Job) -> tuple[NDArray[np.floating], tuple[float, ...]]:
    """The smoothed gradient, and the voxel size."""
    from napari_seedbed.core.regions.watersheds import relief

    sigma = job.parameters["sigma"]
    return _prepared(
        job,
        (WATERSHED, sigma),
        lambda: relief(
            job.load(), "gradient", sigma, job.spacing, job.channel_axis, job.should_stop
        ),
    )


def _watershed(job: Job) -> dict[str, NDArray]:
    from napari_seedbed.core import watershed

    parameters = job.parameters
    for name in ("probabilities", "uncertainty"):
        if parameters[name]:
            raise InputError(
                f"{name}: a watershed gives labels only; choose another engine, or leave "
                f"{name} out."
            )
    seeds = job.seeds
    assert seeds is not None
    held = np.unique(seeds[seeds > 0])
    if held.size < 2:
        raise InputError(
            "seeds: they hold no labels; mark at least two regions."
            if held.size == 0
            else f"seeds: they hold one label only ({held[0]}); mark a second region, such as the "
            "background, with another number."
        )
    heights, spacing = _relief(job)
    roundness = parameters["compactness"] / min(spacing)
    found = watershed(heights, seeds, None, roundness, spacing, should_stop=job.should_stop)
    return {"labels": np.maximum(found, 0)}


def _without(background: int, report: Report | None) -> Report | None:
    """A report whose first answers show no background."""
    if report is None or background == 0:
        return report

    def pass_on(progress: Progress) -> None:
        preview = progress.preview
        if isinstance(preview, Preview):
            shown = replace(preview, labels=_emptied(preview.labels, background))
            progress = replace(progress, preview=shown)
        report(progress)

    return pass_on


def _emptied(labels: NDArray[np.integer], background: int) -> NDArray[np.integer]:
    """A copy of labels, 0 where there is background."""
    found = labels.copy()
    if background:
        found[found == background] = 0
    return found


def _random_walker_need(
    shape: tuple[int, ...], n_labels: int, n_channels: int, parameters: Mapping[str, Any]
) -> Need:
    from napari_seedbed.core import random_walker_memory, random_walker_seconds

    return Need(
        int(random_walker_memory(shape, n_labels, n_channels))
        + _bytes_of_outputs(shape, n_labels, parameters),
        float(random_walker_seconds(shape, n_labels, n_channels)),
    )


def _seeded_need(
    shape: tuple[int, ...], n_labels: int, n_channels: int, parameters: Mapping[str, Any]
) -> Need:
    if parameters["engine"] == WATERSHED:
        voxels = math.prod(shape)
        return Need((90 + 16 * n_channels) * voxels, 0.5e-6 * voxels * (1 + n_channels))
    if parameters["engine"] == PUBLISHED:
        return _random_walker_need(shape, n_labels, n_channels, parameters)
    from napari_seedbed.core import seeded_segmentation_memory, seeded_segmentation_seconds

    return Need(
        int(seeded_segmentation_memory(shape, n_labels, n_channels))
        + _bytes_of_outputs(shape, n_labels, parameters),
        float(seeded_segmentation_seconds(shape, n_labels, n_channels)),
    )


def _bytes_of_outputs(shape: tuple[int, ...], n_labels: int, parameters: Mapping[str, Any]) -> int:
    extra = 4 * math.prod(shape) * (n_labels * parameters["probabilities"] * 2)
    return int(extra + 4 * math.prod(shape) * parameters["uncertainty"])


_PROBABILITIES = Parameter(
    "probabilities",
    "bool",
    False,
    "Probability of each label",
    "Also give one image a label with the probability, from 0 to 1, that a voxel has it.",
)
_UNCERTAINTY = Parameter(
    "uncertainty",
    "bool",
    False,
    "Uncertainty",
    "Also give an image that is 0 where the labels are clear and 1 where all are equally likely.",
)
_BETA = Parameter(
    "beta",
    "float",
    7.0,
    "Beta (edge sensitivity)",
    "How strongly edges in the image hold a label back. Raise it when labels leak across "
    "faint borders, lower it when noise makes borders ragged.",
    minimum=0.0,
    maximum=1e9,
    logarithmic=True,
)
_TOLERANCE = Parameter(
    "tol",
    "float",
    1e-3,
    "Tolerance",
    "Largest error of a probability. Smaller is more exact and slower.",
    minimum=1e-9,
    maximum=0.1,
    advanced=True,
    logarithmic=True,
)
_WALKER_ONLY = ("engine", (PUBLISHED,))
_WITH_PROBABILITIES = ("engine", (AUTOMATIC, PUBLISHED))
_AUTOMATIC_ONLY = ("engine", (AUTOMATIC,))
_WATERSHED_ONLY = ("engine", (WATERSHED,))

SEEDED_SEGMENTATION = Operation(
    name="seeded_segmentation",
    group="Segmentation",
    title="Seeded segmentation",
    term="scribbles, markers, random walker, watershed",
    known_by="engine",
    menu="napari/layers/segment",
    function=_seeded_segmentation,
    prepare=_prepare,
    core_names={"labels": "seeds", "lesson": LEARNT},
    parameters=(
        Parameter(
            "engine",
            "choice",
            AUTOMATIC,
            "Engine",
            "What grows the seeds: the one that needs the fewest strokes and no settings, the "
            "random walker with scikit-image's weights, or a watershed of the smoothed gradient.",
            choices=(AUTOMATIC, PUBLISHED, WATERSHED),
            choice_labels=(
                "Automatic",
                "Random walker as published (Grady 2006)",
                "Watershed from seeds",
            ),
        ),
        Parameter(
            "background",
            "int",
            0,
            "Background label",
            "The label that marks what is no object: it is 0 in the result. 0 means that every "
            "label is an object.",
            minimum=0,
            maximum=2**31 - 1,
            advanced=True,
        ),
        replace(_BETA, default=130.0, advanced=True, only_with=_WALKER_ONLY),
        replace(_TOLERANCE, only_with=_WALKER_ONLY),
        replace(smoothing(1.0), advanced=True, only_with=_WATERSHED_ONLY),
        replace(
            compactness(
                0.0,
                "How round regions become: 0 follows every edge; it counts against the gradient "
                "from 0 to 1 for each voxel of distance from the seed.",
            ),
            advanced=True,
            only_with=_WATERSHED_ONLY,
        ),
        replace(_PROBABILITIES, advanced=True, only_with=_WITH_PROBABILITIES),
        replace(_UNCERTAINTY, advanced=True, only_with=_WITH_PROBABILITIES),
        Parameter(
            LEARNT,
            "text",
            "",
            "Learnt before",
            "What was learnt from objects and background marked on other images of the same kind, "
            "as the panel and recipes keep it: fewer strokes are enough then.",
            check_text=lesson_from_text,
            advanced=True,
            only_with=_AUTOMATIC_ONLY,
            lines=2,
        ),
    ),
    takes=("image", "seeds"),
    gives="labels",
    ndim=(2, 3),
    channels="joint",
    estimate=_seeded_need,
    help="Grows scribbled seeds into a segmentation of the whole image, for as many objects as "
    "were marked. One label may be the background, which stays empty. All channels count "
    "together.",
    reference="Grady L (2006). Random walks for image segmentation. IEEE Transactions on Pattern "
    "Analysis and Machine Intelligence 28(11), 1768-1783.",
    extra_outputs=("probabilities", "uncertainty"),
)

RANDOM_WALKER = Operation(
    name="random_walker",
    panel="seeded_segmentation",
    group="Segmentation",
    title="Random walker",
    menu="napari/layers/segment",
    function=_random_walker,
    core_names={"labels": "seeds"},
    parameters=(
        _BETA,
        Parameter(
            "normalization",
            "choice",
            "contrast",
            "Contrast",
            "How differences between voxels are measured: against the image's own contrast, so "
            "that brightness and bit depth do not matter, or by its standard deviation as "
            "scikit-image does (whose edge sensitivity is 130 by default).",
            choices=("contrast", "std"),
            choice_labels=("Relative to the image's contrast", "As in scikit-image"),
            advanced=True,
        ),
        _TOLERANCE,
        _PROBABILITIES,
        _UNCERTAINTY,
    ),
    takes=("image", "seeds"),
    gives="labels",
    ndim=(2, 3),
    channels="joint",
    estimate=_random_walker_need,
    help="Grows scribbled seeds into a segmentation: each voxel gets the label that a random "
    "walker, who avoids crossing edges, most likely meets first. All channels count together.",
    reference="Grady L (2006). Random walks for image segmentation. IEEE Transactions on Pattern "
    "Analysis and Machine Intelligence 28(11), 1768-1783.",
    extra_outputs=("probabilities", "uncertainty"),
)

SEEDED = (SEEDED_SEGMENTATION, RANDOM_WALKER)
"""Both open the panel of the first; the second is what recipes of earlier versions name."""
