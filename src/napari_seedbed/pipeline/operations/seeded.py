"""Operations that grow scribbled seeds into a segmentation, and what their panel keeps prepared."""

from collections.abc import Callable, Hashable, Mapping
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from napari_seedbed.core.progress import Preview, Progress, progress_as
from napari_seedbed.errors import InputError
from napari_seedbed.pipeline.encodings.learnt_text import LEARNT
from napari_seedbed.pipeline.encodings.lesson_encoding import lesson_from_text
from napari_seedbed.pipeline.engine.declarations import (
    Need,
    Operation,
    SecondImage,
    Size,
    Starts,
    Values,
)
from napari_seedbed.pipeline.engine.jobs import Channels, Job
from napari_seedbed.pipeline.engine.parameters import (
    Parameter,
    choice,
    number,
    output,
    text,
    whole_number,
)
from napari_seedbed.pipeline.operations.block_functions import BlockFunction
from napari_seedbed.pipeline.operations.costs import flooding
from napari_seedbed.pipeline.operations.shared_parameters import compactness, smoothing

if TYPE_CHECKING:
    from napari_seedbed.core.compiling import Engine
    from napari_seedbed.core.seeded.lessons import Lesson
    from napari_seedbed.core.seeded.seeded_segmenter import SeededSegmenter

Prepared = TypeVar("Prepared")

_ENGINES = "seeded engines"
_LESSONS = "lessons of seeded engines"
_BRIGHTNESS = "brightness for seeded engines"

DARKER = "darker_than"
"""The parameter with the brightness below which nothing is an object."""

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
    return _prepared(
        job,
        (PUBLISHED, beta, normalization),
        lambda: job.core.RandomWalker(
            job.load(),
            spacing=job.spacing,
            channel_axis=job.channel_axis,
            beta=beta,
            normalization=normalization,
        ),
    )


def _walk(job: Job, walker: Any) -> dict[str, NDArray]:
    """What the random walker gives."""
    live = job.context.live
    walker.solve(
        job.seeds, tol=job.parameters["tol"], view=job.context.view if live else None, warm=live
    )
    return _outputs_of(job, walker)


def _outputs_of(job: Job, engine: Any) -> dict[str, Any]:
    """Labels of an engine that has solved, and what else was asked for."""
    outputs: dict[str, Any] = {"labels": engine.labels}
    if job.parameters["probabilities"]:
        outputs["probabilities"] = Channels(
            job.core.probabilities_of_labels(engine, job.label_values),
            tuple(f"label {value}" for value in job.label_values),
        )
    if job.parameters["uncertainty"] or job.parameters["second_label"]:
        doubt = engine.find_doubt()
        found = {"uncertainty": doubt[0], "second_label": doubt[1]}
        outputs.update((name, found[name]) for name in found if job.parameters[name])
    return outputs


def _random_walker(job: Job) -> dict[str, NDArray]:
    parameters = job.parameters
    return _walk(job, _walker(job, parameters["beta"], parameters["normalization"]))


def _published(job: Job) -> Any:
    return _walker(job, job.parameters["beta"], "std")


def prepared_segmenter(job: Job) -> "SeededSegmenter":
    """The automatic engine for a job's image, kept between the runs of a window."""
    segmenter: SeededSegmenter = _prepared(
        job,
        AUTOMATIC,
        lambda: job.core.SeededSegmenter(
            job.load(), spacing=job.spacing, channel_axis=job.channel_axis
        ),
    )
    return segmenter


def last_lesson(cache: Mapping[Hashable, Any]) -> "Lesson | None":
    """What the last run with this cache teaches about other images, all its time points together.

    None where it did not separate objects from background, or with another engine than automatic.
    """
    lessons: list[Lesson] = cache.get(_LESSONS, [])
    return lessons[0].joined(*lessons[1:]) if lessons else None


def _prepare(job: Job) -> None:
    """Make what the engine needs to know of the image."""
    engine = job.parameters["engine"]
    if engine == AUTOMATIC:
        prepared_segmenter(job).prepare()
    elif engine == PUBLISHED:
        _published(job).prepare()
    else:
        _relief(job)


def _seeded_segmentation(job: Job) -> dict[str, NDArray]:
    engine, background = job.parameters["engine"], job.parameters["background"]
    ground = _ground(job)
    # Of this run alone, and put back for each time point: the cache is emptied before.
    lessons: list[Lesson] = job.shared.setdefault(_LESSONS, [])
    job.context.cache[_LESSONS] = lessons
    if engine == AUTOMATIC:
        segmenter = prepared_segmenter(job)
        assert job.seeds is not None
        # What is prepared depends on the image alone: another background needs no other engine.
        with progress_as(partial(_without, background, ground)):
            segmenter.solve(
                job.seeds,
                view=job.context.view,
                background=background or None,
                lesson=lesson_from_text(job.parameters[LEARNT]),
            )
        outputs = _outputs_of(job, segmenter)
        if segmenter.lesson is not None:
            lessons.append(segmenter.lesson)
    elif engine == PUBLISHED:
        with progress_as(partial(_without, background, ground)):
            outputs = _walk(job, _published(job))
    else:
        outputs = _watershed(job)
    # A copy: the engine goes on from its own labels.
    for name in outputs.keys() & {"labels", "second_label"}:
        outputs[name] = _emptied(outputs[name], background, ground)
    return outputs


def _ground(job: Job) -> NDArray[np.bool_] | None:
    """What is no object by a mask or by its brightness; None where neither is given."""
    other, darker = job.other(), job.parameters[DARKER]
    masked = None if other is None else other > 0
    if not darker:
        return masked
    dark = _brightness(job) < darker
    return dark if masked is None else masked | dark


def _brightness(job: Job) -> NDArray[np.float32]:
    """The smoothed brightness, kept between the runs of a window."""
    key = (_BRIGHTNESS, job.cache_key)
    cache = job.context.cache
    if key not in cache:
        cache[key] = job.core.smoothed_brightness(job.load(), job.spacing, job.channel_axis)
    found: NDArray[np.float32] = cache[key]
    return found


def _relief(job: Job) -> tuple[NDArray[np.floating], tuple[float, ...]]:
    """The smoothed gradient, and the voxel size."""
    sigma = job.parameters["sigma"]
    return _prepared(
        job,
        (WATERSHED, sigma),
        lambda: job.core.relief(job.load(), "gradient", sigma, job.spacing, job.channel_axis),
    )


def _watershed(job: Job) -> dict[str, NDArray]:
    parameters = job.parameters
    for name in ("probabilities", "uncertainty", "second_label"):
        if parameters[name]:
            raise InputError(
                f"{name}: a watershed gives labels only; choose another engine, or leave "
                f"{name} out."
            )
    seeds = job.seeds
    assert seeds is not None
    job.check(_check_two_labels, seeds)
    heights, spacing = _relief(job)
    roundness = parameters["compactness"] / min(job.spacing)
    found = job.core.watershed(heights, seeds, None, roundness, spacing)
    return {"labels": np.maximum(found, 0)}


def _check_two_labels(seeds: NDArray[np.integer]) -> None:
    held = np.unique(seeds[seeds > 0])
    if held.size < 2:
        raise InputError(
            "seeds: they hold no labels; mark at least two regions."
            if held.size == 0
            else f"seeds: they hold one label only ({held[0]}); mark a second region, such as the "
            "background, with another number."
        )


def _without(background: int, ground: NDArray[np.bool_] | None, progress: Progress) -> Progress:
    """The same with a first answer that shows no background."""
    preview = progress.preview
    if not isinstance(preview, Preview):
        return progress
    if ground is not None and ground.ndim > preview.labels.ndim:
        ground = np.take(ground, preview.index, axis=preview.axis)
    shown = _emptied(preview.labels, background, ground)
    return replace(progress, preview=replace(preview, labels=shown))


def _emptied(
    labels: NDArray[np.integer], background: int, ground: NDArray[np.bool_] | None
) -> NDArray[np.integer]:
    """A copy of labels, 0 where there is background."""
    found = labels.copy()
    if background:
        found[found == background] = 0
    if ground is not None:
        found[ground] = 0
    return found


def darker_than(more: str = "") -> Parameter:
    """The brightness below which nothing is an object; `more` is a further sentence of help."""
    return number(
        DARKER,
        0.0,
        "Darker than is no object",
        "Voxels darker than this, as the mean of the channels and slightly smoothed, belong to no "
        f"object; 0 means that brightness does not matter.{more}",
        (-1e9, 1e9),
    )


def _random_walker_need(size: Size, parameters: Values) -> Need:
    from napari_seedbed.core import random_walker_memory, random_walker_seconds

    counted = (size.shape, size.n_labels, size.n_channels)
    memory = int(random_walker_memory(*counted)) + _bytes_of_outputs(size, parameters)
    return Need(memory, float(random_walker_seconds(*counted)))


def _seeded_need(size: Size, parameters: Values) -> Need:
    if parameters["engine"] == WATERSHED:
        return flooding(size, parameters)
    if parameters["engine"] == PUBLISHED:
        return _random_walker_need(size, parameters)
    from napari_seedbed.core import seeded_segmentation_memory, seeded_segmentation_seconds

    counted = (size.shape, size.n_labels, size.n_channels)
    memory = int(seeded_segmentation_memory(*counted)) + _bytes_of_outputs(size, parameters)
    return Need(memory, float(seeded_segmentation_seconds(*counted)))


def _bytes_of_outputs(size: Size, parameters: Values) -> int:
    maps = 2 * size.n_labels * parameters["probabilities"] + parameters["uncertainty"]
    return int(4 * size.voxels * (maps + 2 * parameters["second_label"]))


_PROBABILITIES = output(
    "probabilities",
    False,
    "Probability of each label",
    "Also give one image a label with the probability, from 0 to 1, that a voxel has it.",
)
_UNCERTAINTY = output(
    "uncertainty",
    False,
    "Uncertainty",
    "Also give an image that is 0 where the labels are clear and 1 where all are equally likely.",
)
_SECOND_LABEL = output(
    "second_label",
    False,
    "Second label",
    "Also give the label that each voxel would have without its own: beside the uncertainty it "
    "says between which two labels a voxel is in doubt.",
)
_BETA = number(
    "beta",
    7.0,
    "Beta (edge sensitivity)",
    "How strongly edges in the image hold a label back. Raise it when labels leak across "
    "faint borders, lower it when noise makes borders ragged.",
    (0.0, 1e9),
)
_TOLERANCE = number(
    "tol",
    1e-3,
    "Tolerance",
    "Largest error of a probability. Smaller is more exact and slower.",
    (1e-9, 0.1),
    advanced=True,
)
_WALKER_ONLY = ("engine", (PUBLISHED,))
_WITH_PROBABILITIES = ("engine", (AUTOMATIC, PUBLISHED))
_AUTOMATIC_ONLY = ("engine", (AUTOMATIC,))
_WATERSHED_ONLY = ("engine", (WATERSHED,))

_seeded = partial(
    Operation,
    menu="napari/layers/segment",
    group="Segmentation",
    starts=Starts(("seeds",)),
    gives="labels",
    channels="joint",
    reference="Grady L (2006). Random walks for image segmentation. IEEE Transactions on Pattern "
    "Analysis and Machine Intelligence 28(11), 1768-1783.",
)

SEEDED_SEGMENTATION = _seeded(
    name="seeded_segmentation",
    title="Seeded segmentation",
    term="scribbles, markers, random walker, watershed",
    function=_seeded_segmentation,
    in_blocks=BlockFunction("seeded_blocks", "seeded_in_blocks"),
    prepare=_prepare,
    other=SecondImage("mask", "Not an object", needed=False),
    core_names={"labels": "seeds", "lesson": LEARNT},
    parameters=(
        choice(
            "engine",
            "Engine",
            "What grows the seeds: the one that needs the fewest strokes and no settings, the "
            "random walker with scikit-image's weights, or a watershed of the smoothed gradient.",
            {
                AUTOMATIC: "Automatic",
                PUBLISHED: "Random walker as published (Grady 2006)",
                WATERSHED: "Seeded watershed",
            },
            names_methods=True,
        ),
        whole_number(
            "background",
            0,
            "Background label",
            "The label that marks what is no object: it is 0 in the result. 0 means that every "
            "label is an object.",
            (0, 2**31 - 1),
            advanced=True,
        ),
        darker_than(),
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
        replace(_SECOND_LABEL, advanced=True, only_with=_WITH_PROBABILITIES),
        text(
            LEARNT,
            "",
            "Training data",
            "What was learnt from objects and background marked on other images of the same kind, "
            "as the panel and recipes keep it: fewer strokes are enough then.",
            check_text=lesson_from_text,
            advanced=True,
            only_with=_AUTOMATIC_ONLY,
            lines=2,
        ),
    ),
    estimate=_seeded_need,
    help="Grows scribbled seeds into a segmentation of the whole image, for as many objects as "
    "were marked. One label may be the background, which stays empty. All channels count "
    "together.",
)

RANDOM_WALKER = _seeded(
    name="random_walker",
    panel="seeded_segmentation",
    title="Random walker",
    function=_random_walker,
    core_names={"labels": "seeds"},
    parameters=(
        _BETA,
        choice(
            "normalization",
            "Normalisation",
            "How differences between voxels are measured: against the image's own contrast, so "
            "that brightness and bit depth do not matter, or by its standard deviation as "
            "scikit-image does (whose edge sensitivity is 130 by default).",
            {"contrast": "Relative to contrast", "std": "Standard deviation (scikit-image)"},
            advanced=True,
        ),
        _TOLERANCE,
        _PROBABILITIES,
        _UNCERTAINTY,
        replace(_SECOND_LABEL, advanced=True),
    ),
    estimate=_random_walker_need,
    help="Grows scribbled seeds into a segmentation: each voxel gets the label that a random "
    "walker, who avoids crossing edges, most likely meets first. All channels count together.",
)

SEEDED = (SEEDED_SEGMENTATION, RANDOM_WALKER)
"""Both open the panel of the first; the second is what recipes of earlier versions name."""
