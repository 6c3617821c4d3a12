"""The operations that there are.

Each function imports its algorithm when it is called: listing operations stays quick.
"""

import math
from collections.abc import Mapping
from typing import Any

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
from napari_seedbed.pipeline.region_graph_operations import REGION_GRAPHS
from napari_seedbed.pipeline.score_operations import SCORE_OPERATIONS
from napari_seedbed.pipeline.seeded_operations import SEEDED
from napari_seedbed.pipeline.smoothing_operations import EXTREMES, SMOOTHING
from napari_seedbed.pipeline.snake_operations import (
    EDGE_SURFACE,
    ELASTIC_CONTOUR,
    REGION_SURFACE,
)
from napari_seedbed.pipeline.superpixel_operations import SUPERPIXELS
from napari_seedbed.pipeline.threshold_operations import THRESHOLDS
from napari_seedbed.pipeline.watershed_operations import WATERSHEDS


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
    *SEEDED,
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
