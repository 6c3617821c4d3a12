"""The edge map: what snakes see of an image."""

import math
from collections.abc import Mapping
from typing import Any

from napari_seedbed.pipeline.core_calls import core_call
from napari_seedbed.pipeline.declarations import Need, Operation
from napari_seedbed.pipeline.parameters import Parameter
from napari_seedbed.pipeline.snake_operations import STEEPNESS, smoothing


def _map_need(
    shape: tuple[int, ...], n_labels: int, n_channels: int, parameters: Mapping[str, Any]
) -> Need:
    voxels = math.prod(shape)
    return Need((16 + 12 * n_channels) * voxels, 2e-7 * voxels * n_channels)


EDGE_MAP = Operation(
    name="edge_map",
    group="Edges",
    title="Edge map",
    menu="napari/layers/filter",
    function=core_call("edge_map"),
    parameters=(
        smoothing(1.5),
        Parameter(
            "kind",
            "choice",
            "strength",
            "Show",
            "How steep the image is, which is what elastic contours climb, or the map that is dark "
            "where edge-seeking surfaces stop.",
            choices=("strength", "stopping"),
            choice_labels=("Strength of edges", "Where surfaces stop"),
        ),
        STEEPNESS,
    ),
    takes=("image",),
    gives="image",
    ndim=(2, 3),
    channels="joint",
    estimate=_map_need,
    help="What snakes see of an image: its edges, after its contrast was made even and the image "
    "smoothed. All channels count together.",
    reference="Caselles V, Kimmel R, Sapiro G (1997). Geodesic active contours. International "
    "Journal of Computer Vision 22(1), 61-79.",
)
