"""The edge map: what snakes see of an image."""

from napari_seedbed.pipeline.engine.parameters import choice
from napari_seedbed.pipeline.operations.costs import by_voxel
from napari_seedbed.pipeline.operations.families import image_filter
from napari_seedbed.pipeline.operations.snakes import STEEPNESS, smoothing

EDGE_MAP = image_filter(
    name="edge_map",
    group="Edges",
    title="Edge map",
    parameters=(
        smoothing(1.5),
        choice(
            "kind",
            "Output",
            "How steep the image is, which attracts active contours, or the inverse Gaussian "
            "gradient, which is dark where geodesic active contours stop.",
            {"strength": "Edge strength", "stopping": "Stopping function"},
        ),
        STEEPNESS,
    ),
    channels="joint",
    estimate=by_voxel(16, 0, channel=(12, 2e-7)),
    help="The map of edges that snakes move on, after normalising the contrast and smoothing. All "
    "channels count together.",
    reference="Caselles V, Kimmel R, Sapiro G (1997). Geodesic active contours. International "
    "Journal of Computer Vision 22(1), 61-79.",
)
