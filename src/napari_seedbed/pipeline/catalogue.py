"""The operations that there are.

Each function imports its algorithm when it is called: listing operations stays quick.
"""

import math
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_seedbed.pipeline.channel_operations import CHANNELS_AND_CROP
from napari_seedbed.pipeline.classifier_operations import PIXEL_CLASSIFICATION
from napari_seedbed.pipeline.colour_operations import COLOURS
from napari_seedbed.pipeline.contrast_operations import CONTRASTS
from napari_seedbed.pipeline.declarations import Job, Need, Operation
from napari_seedbed.pipeline.denoising_operations import DENOISING
from napari_seedbed.pipeline.detection_operations import DETECTIONS
from napari_seedbed.pipeline.difference_operations import DIFFERENCES
from napari_seedbed.pipeline.edge_operations import EDGE_MAP
from napari_seedbed.pipeline.filter_operations import sigma
from napari_seedbed.pipeline.gradient_operations import GRADIENTS, RIDGES
from napari_seedbed.pipeline.intensity_operations import INTENSITIES
from napari_seedbed.pipeline.measurement_operations import MEASURE
from napari_seedbed.pipeline.morphology_operations import MORPHOLOGIES
from napari_seedbed.pipeline.object_operations import OBJECT_LISTS
from napari_seedbed.pipeline.object_shape_operations import OBJECT_SHAPES
from napari_seedbed.pipeline.parameters import Parameter
from napari_seedbed.pipeline.region_graph_operations import REGION_GRAPHS
from napari_seedbed.pipeline.score_operations import SCORE_OPERATIONS
from napari_seedbed.pipeline.smoothing_operations import EXTREMES, SMOOTHING
from napari_seedbed.pipeline.snake_operations import (
    EDGE_SURFACE,
    ELASTIC_CONTOUR,
    REGION_SURFACE,
)
from napari_seedbed.pipeline.superpixel_operations import SUPERPIXELS
from napari_seedbed.pipeline.threshold_operations import THRESHOLDS
from napari_seedbed.pipeline.watershed_operations import WATERSHEDS

_WALKERS = "random walkers"


def _random_walker(job: Job) -> dict[str, NDArray]:
    from napari_seedbed.core import RandomWalker

    parameters = job.parameters
    key = (
        _WALKERS,
        job.cache_key,
        job.spacing,
        job.channel_axis,
        parameters["beta"],
        parameters["normalization"],
    )
    walker = job.context.cache.get(key)
    if walker is None:
        # Only the image on screen is worth its memory.
        for other in [k for k in job.context.cache if isinstance(k, tuple) and k[0] == _WALKERS]:
            del job.context.cache[other]
        walker = RandomWalker(
            job.load(),
            spacing=job.spacing,
            channel_axis=job.channel_axis,
            beta=parameters["beta"],
            normalization=parameters["normalization"],
        )
        job.context.cache[key] = walker
    live = job.context.live
    labels = walker.solve(
        job.seeds,
        tol=parameters["tol"],
        should_stop=job.should_stop,
        report=job.report,
        view=job.context.view if live else None,
        warm=live,
    )
    outputs = {"labels": labels}
    if parameters["probabilities"]:
        probabilities = np.zeros((len(job.label_values), *labels.shape), np.float32)
        for value, probability in zip(walker.label_values, walker.probabilities, strict=True):
            probabilities[job.label_values.index(int(value))] = probability
        outputs["probabilities"] = probabilities
    if parameters["uncertainty"]:
        outputs["uncertainty"] = walker.uncertainty
    return outputs


def _random_walker_need(
    shape: tuple[int, ...], n_labels: int, n_channels: int, parameters: Mapping[str, Any]
) -> Need:
    from napari_seedbed.core import random_walker_memory, random_walker_seconds

    extra = 4 * math.prod(shape) * (n_labels * parameters["probabilities"] * 2)
    extra += 4 * math.prod(shape) * parameters["uncertainty"]
    return Need(
        int(random_walker_memory(shape, n_labels, n_channels)) + extra,
        float(random_walker_seconds(shape, n_labels, n_channels)),
    )


def _gaussian(job: Job) -> dict[str, NDArray]:
    from napari_seedbed.core import gaussian

    smooth = gaussian(
        job.load(), job.parameters["sigma"], spacing=job.spacing, should_stop=job.should_stop
    )
    return {"image": smooth}


def _gaussian_need(
    shape: tuple[int, ...], n_labels: int, n_channels: int, parameters: Mapping[str, Any]
) -> Need:
    voxels = math.prod(shape)
    return Need(16 * voxels, 1e-7 * voxels)


def _gaussian_halo(spacing: tuple[float, ...], parameters: Mapping[str, Any]) -> tuple[int, ...]:
    return tuple(math.ceil(4 * parameters["sigma"] / step) for step in spacing)


RANDOM_WALKER = Operation(
    name="random_walker",
    group="Segmentation",
    title="Random walker",
    menu="napari/layers/segment",
    function=_random_walker,
    core_names={"labels": "seeds"},
    parameters=(
        Parameter(
            "beta",
            "float",
            7.0,
            "Beta (edge sensitivity)",
            "How strongly edges in the image hold a label back. Raise it when labels leak across "
            "faint borders, lower it when noise makes borders ragged.",
            minimum=0.0,
            maximum=1e9,
            logarithmic=True,
        ),
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
        Parameter(
            "tol",
            "float",
            1e-3,
            "Tolerance",
            "Largest error of a probability. Smaller is more exact and slower.",
            minimum=1e-9,
            maximum=0.1,
            advanced=True,
            logarithmic=True,
        ),
        Parameter(
            "probabilities",
            "bool",
            False,
            "Probability of each label",
            "Also give one image a label with the probability, from 0 to 1, that a voxel has it.",
        ),
        Parameter(
            "uncertainty",
            "bool",
            False,
            "Uncertainty",
            "Also give an image that is 0 where the labels are clear and 1 where all are equally "
            "likely.",
        ),
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

GAUSSIAN = Operation(
    name="gaussian",
    group="Smoothing",
    title="Gaussian filter",
    menu="napari/layers/filter",
    function=_gaussian,
    parameters=(sigma(),),
    takes=("image",),
    gives="image",
    ndim=(2, 3),
    channels="each",
    estimate=_gaussian_need,
    halo=_gaussian_halo,
    help="Smooths the image with a Gaussian. Several channels are smoothed one by one.",
    reference="Lindeberg T (1994). Scale-space theory: a basic tool for analysing structures at "
    "different scales. Journal of Applied Statistics 21(1-2), 225-270.",
)

OPERATIONS = (
    RANDOM_WALKER,
    PIXEL_CLASSIFICATION,
    ELASTIC_CONTOUR,
    EDGE_SURFACE,
    REGION_SURFACE,
    *INTENSITIES,
    *CONTRASTS,
    *CHANNELS_AND_CROP,
    EDGE_MAP,
    GAUSSIAN,
    *SMOOTHING,
    *DENOISING,
    *GRADIENTS,
    *RIDGES,
    *EXTREMES,
    *MORPHOLOGIES,
    *THRESHOLDS,
    *SUPERPIXELS,
    *WATERSHEDS,
    *REGION_GRAPHS,
    *COLOURS,
    *DIFFERENCES,
    *OBJECT_LISTS,
    *OBJECT_SHAPES,
    *DETECTIONS,
    MEASURE,
    *SCORE_OPERATIONS,
)
