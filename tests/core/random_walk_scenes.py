"""Scenes and a direct solver, to hold the random walker against."""

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage as ndi
from scipy import sparse
from scipy.sparse.linalg import splu


def smooth_scene(
    shape: tuple[int, ...], n_labels: int, n_channels: int = 1, seed: int = 0
) -> tuple[NDArray[np.float64], NDArray[np.int32]]:
    """Return a soft random image (channels last) with noise, and small square seeds in it."""
    rng = np.random.default_rng(seed)
    image = rng.random((*shape, n_channels))
    image = 5 * ndi.gaussian_filter(image, (1.5,) * len(shape) + (0,))
    image += 0.1 * rng.random(image.shape)
    labels = np.zeros(shape, np.int32)
    for label in range(1, n_labels + 1):
        corner = [int(rng.integers(0, n - 3)) for n in shape]
        labels[tuple(slice(c, c + 2) for c in corner)] = label
    return image, labels


def grid_matrix(
    weights: tuple[NDArray[np.float32], ...], shape: tuple[int, ...]
) -> sparse.csr_array:
    """Return the Laplacian of a grid in float64.

    `weights[axis]` at a voxel is its edge to the next one along that axis.
    """
    index = np.arange(np.prod(shape)).reshape(shape)
    here, there, weight = [], [], []
    for axis, w in enumerate(weights):
        n = shape[axis]
        first = np.take(index, range(n - 1), axis=axis)
        here.append(first.ravel())
        there.append(np.take(index, range(1, n), axis=axis).ravel())
        weight.append(w.ravel()[first.ravel()].astype(np.float64))
    i, j, w = np.concatenate(here), np.concatenate(there), np.concatenate(weight)
    matrix = sparse.coo_array((-w, (i, j)), shape=(index.size,) * 2)
    matrix = (matrix + matrix.T).tocsr()
    return (matrix - sparse.diags_array(matrix.sum(axis=1))).tocsr()


def direct_probabilities(
    weights: tuple[NDArray[np.float32], ...], labels: NDArray[np.integer]
) -> NDArray[np.float64]:
    """Solve the equations by factorising the sparse matrix in float64."""
    matrix = grid_matrix(weights, labels.shape)
    flat = labels.ravel()
    free, seeded = np.flatnonzero(flat == 0), np.flatnonzero(flat > 0)
    factors = splu(matrix[free][:, free].tocsc())
    pull = -matrix[free][:, seeded]
    values = np.unique(flat[seeded])
    result = np.zeros((values.size, labels.size))
    for k, value in enumerate(values):
        held = (flat[seeded] == value).astype(float)
        result[k, seeded] = held
        result[k, free] = factors.solve(pull @ held)
    return result.reshape(values.size, *labels.shape)
