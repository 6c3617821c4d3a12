"""Forests of scikit-learn as flat arrays, which vote on many voxels at once."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_seedbed.core.classifier.forest_kernels import TOGETHER, vote
from napari_seedbed.core.progress import check_stop

_VOXELS_AT_ONCE = 1 << 15


@dataclass(frozen=True, eq=False)
class FlatForest:
    """Fitted trees as flat arrays, as `forest_kernels.vote` takes them."""

    roots: NDArray[np.uint32]
    depths: NDArray[np.uint32]
    feature: NDArray[np.uint32]
    threshold: NDArray[np.float32]
    child: NDArray[np.uint32]
    shares: NDArray[np.float32]

    @classmethod
    def of(cls, trees: Sequence[Any]) -> "FlatForest":
        """Flatten the fitted trees of scikit-learn."""
        sizes = [tree.node_count for tree in trees]
        roots = np.concatenate([[0], np.cumsum(sizes)[:-1]])
        parts = [_flattened(tree, root) for tree, root in zip(trees, roots, strict=True)]
        feature, threshold, child, shares = map(np.concatenate, zip(*parts, strict=True))
        depths = np.array([tree.max_depth for tree in trees], np.uint32)
        offsets = feature * np.uint32(TOGETHER)
        return cls(roots.astype(np.uint32), depths, offsets, threshold, child, shares)

    def vote(self, values: NDArray[np.float32]) -> NDArray[np.float32]:
        """Probability of each class (K, …) from features (F, …), on one core."""
        flat = np.ascontiguousarray(values, np.float32).reshape(len(values), -1)
        n_voxels = flat.shape[1]
        out = np.empty((self.shares.shape[1], n_voxels), np.float32)
        for start in range(0, n_voxels, _VOXELS_AT_ONCE):
            check_stop()
            vote(
                start, min(start + _VOXELS_AT_ONCE, n_voxels), flat, self.roots, self.depths,
                self.feature, self.threshold, self.child, self.shares, out,
            )  # fmt: skip
        return out.reshape(len(out), *values.shape[1:])


def _flattened(tree: Any, root: int) -> tuple[NDArray[Any], ...]:
    """Feature, threshold, child and class shares of each node, both children side by side."""
    count = tree.node_count
    splits = np.flatnonzero(tree.children_left >= 0)
    place = np.zeros(count, np.intp)
    place[tree.children_left[splits]] = 1 + 2 * np.arange(len(splits))
    place[tree.children_right[splits]] = 2 + 2 * np.arange(len(splits))
    feature = np.zeros(count, np.uint32)
    threshold = np.full(count, np.inf, np.float32)
    child = np.arange(root, root + count, dtype=np.uint32)
    at = place[splits]
    feature[at] = tree.feature[splits]
    child[at] = root + place[tree.children_left[splits]]
    # scikit-learn compares with 64 bits: the largest number of 32 bits that is not above.
    exact = tree.threshold[splits]
    near = exact.astype(np.float32)
    threshold[at] = np.where(near > exact, np.nextafter(near, np.float32(-np.inf)), near)
    votes = np.empty((count, tree.value.shape[-1]), np.float32)
    votes[place] = tree.value[:, 0] / tree.value[:, 0].sum(axis=1, keepdims=True)
    return feature, threshold, child, votes
