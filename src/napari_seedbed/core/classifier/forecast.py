"""What classifying a volume costs, before it begins."""

from collections.abc import Sequence
from math import prod

from napari_seedbed.core.classifier.features import WIDEST, FeatureSet
from napari_seedbed.core.classifier.samples import blocks
from napari_seedbed.core.threads import thread_count
from napari_seedbed.core.validation import check_spacing

BESIDE = 3
"""How many times its features a block takes, all that they are made from included."""

AROUND_BYTES = 22
"""For a voxel of a block with its halo: rows of floats, and what they are smoothed to."""

FIXED_BYTES = 60_000_000
"""scikit-learn itself, the samples and the trees."""

FEATURE_SECONDS = {2: 3e-8, 3: 9e-8}
"""For each feature of a voxel on one core."""

TREE_SECONDS = 1.5e-8
"""For each tree and voxel on one core."""

CLASS_SECONDS = 1.5e-9
"""For each tree, voxel and class on one core (`benchmarks/forecasts.py`)."""

LEARNING_SECONDS = 0.4


def pixel_classifier_memory(
    shape: Sequence[int],
    features: FeatureSet,
    n_classes: int = 2,
    spacing: Sequence[float] | None = None,
) -> int:
    """Return about how many bytes `PixelClassifier.classify` takes beyond the image.

    Parameters
    ----------
    shape : sequence of int
        Spatial shape of the image.
    features : FeatureSet
    n_classes : int
        Of each a block has a probability a voxel.
    spacing : sequence of float, optional
        Voxel size; 1 when None.
    """
    steps = check_spacing(spacing, len(shape))
    if max(features.sigmas) / min(steps) > WIDEST:
        # It is refused with better words than that memory lacks.
        return FIXED_BYTES
    edges = [one.stop - one.start for one in blocks(shape, features.count)[0]]
    made = 4 * features.count * prod(edges)
    # What wide scales are made from reaches far beyond the block, and beyond the image.
    around = zip(edges, features.halo(steps), strict=True)
    wide = AROUND_BYTES * prod(edge + 2 * halo for edge, halo in around)
    each = made + max((BESIDE - 1) * made, wide) + 8 * n_classes * prod(edges)
    return FIXED_BYTES + thread_count() * each


def pixel_classifier_seconds(
    shape: Sequence[int], features: FeatureSet, n_trees: int, n_classes: int = 2
) -> float:
    """Return about how many seconds `PixelClassifier` takes to learn and to classify an image.

    Parameters
    ----------
    shape, features
        As in `pixel_classifier_memory`.
    n_trees, n_classes : int
    """
    each = FEATURE_SECONDS[features.ndim] * features.count + n_trees * (
        TREE_SECONDS + CLASS_SECONDS * n_classes
    )
    return LEARNING_SECONDS + prod(shape) * each / min(thread_count(), 2)
