"""What classifying a volume costs, before it begins."""

from collections.abc import Sequence
from math import prod

from napari_seedbed.core.classifier.features import FeatureSet
from napari_seedbed.core.classifier.samples import BLOCK_NUMBERS
from napari_seedbed.core.threads import thread_count

BESIDE = 3
"""How many times its features a block takes, all that they are made from included."""

FIXED_BYTES = 60_000_000
"""scikit-learn itself, the samples and the trees."""

FEATURE_SECONDS = {2: 3e-8, 3: 9e-8}
"""For each feature of a voxel on one core."""

TREE_SECONDS = 1.5e-8
"""For each tree and voxel on one core."""

LEARNING_SECONDS = 0.4


def pixel_classifier_memory(shape: Sequence[int], features: FeatureSet) -> int:
    """Return about how many bytes `PixelClassifier.classify` takes beyond the image.

    Parameters
    ----------
    shape : sequence of int
        Spatial shape of the image.
    features : FeatureSet
    """
    numbers = min(BLOCK_NUMBERS, prod(shape) * features.count)
    return FIXED_BYTES + thread_count() * BESIDE * 4 * numbers


def pixel_classifier_seconds(shape: Sequence[int], features: FeatureSet, n_trees: int) -> float:
    """Return about how many seconds `PixelClassifier` takes to learn and to classify an image.

    Parameters
    ----------
    shape, features
        As in `pixel_classifier_memory`.
    n_trees : int
    """
    each = FEATURE_SECONDS[features.ndim] * features.count + TREE_SECONDS * n_trees
    return LEARNING_SECONDS + prod(shape) * each / min(thread_count(), 2)
