"""The operations that there are.

Each function imports its algorithm when it is called: listing operations stays quick.
"""

from napari_seedbed.pipeline.operations.channels import CHANNELS_AND_CROP
from napari_seedbed.pipeline.operations.colours import COLOURS
from napari_seedbed.pipeline.operations.contrasts import CONTRASTS
from napari_seedbed.pipeline.operations.denoising import DENOISING
from napari_seedbed.pipeline.operations.detections import DETECTIONS
from napari_seedbed.pipeline.operations.differences import DIFFERENCES
from napari_seedbed.pipeline.operations.edge_maps import EDGE_MAP
from napari_seedbed.pipeline.operations.gradients import GRADIENTS, RIDGES
from napari_seedbed.pipeline.operations.intensities import INTENSITIES
from napari_seedbed.pipeline.operations.measurements import MEASURE
from napari_seedbed.pipeline.operations.morphology import MORPHOLOGIES
from napari_seedbed.pipeline.operations.object_by_object import OBJECT_BY_OBJECT
from napari_seedbed.pipeline.operations.object_shapes import OBJECT_SHAPES
from napari_seedbed.pipeline.operations.objects import OBJECT_LISTS
from napari_seedbed.pipeline.operations.pixel_classification import PIXEL_CLASSIFICATION
from napari_seedbed.pipeline.operations.proofreading import PROOFREAD
from napari_seedbed.pipeline.operations.region_graphs import REGION_GRAPHS
from napari_seedbed.pipeline.operations.scores import SCORE_OPERATIONS
from napari_seedbed.pipeline.operations.seeded import SEEDED
from napari_seedbed.pipeline.operations.smoothing import EXTREMES, SMOOTHING
from napari_seedbed.pipeline.operations.snakes import (
    EDGE_SURFACE,
    ELASTIC_CONTOUR,
    REGION_SURFACE,
)
from napari_seedbed.pipeline.operations.superpixels import SUPERPIXELS
from napari_seedbed.pipeline.operations.thresholds import THRESHOLDS
from napari_seedbed.pipeline.operations.tracking import TRACKING
from napari_seedbed.pipeline.operations.watersheds import WATERSHEDS

OPERATIONS = (
    *SEEDED,
    OBJECT_BY_OBJECT,
    PIXEL_CLASSIFICATION,
    ELASTIC_CONTOUR,
    EDGE_SURFACE,
    REGION_SURFACE,
    *INTENSITIES,
    *CONTRASTS,
    *CHANNELS_AND_CROP,
    EDGE_MAP,
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
    PROOFREAD,
    *TRACKING,
    *DETECTIONS,
    MEASURE,
    *SCORE_OPERATIONS,
)
