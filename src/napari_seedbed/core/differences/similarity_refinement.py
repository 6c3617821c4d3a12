"""Refine how an image is turned, scaled and shifted against another, by robust least squares."""

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import affine_transform

from napari_seedbed.core.progress import check_stop

_ITERATIONS = 30
_CONVERGED = 2e-4
"""Moves of the outermost pixels, in pixels, that are too small to go on."""

_HUBER = 1.345
_NORMAL = 1.4826
_FEWEST = 50


def refined_similarity(
    reference: NDArray[np.float32],
    moving: NDArray[np.float32],
    matrix: NDArray[np.float64],
    scaled: bool,
) -> NDArray[np.float64]:
    """Improve a similarity by Gauss and Newton's method.

    Minimised is the difference of the images where both are, after a gain and an offset of the
    intensities that are found with it. Large differences weigh less (Huber's weights), so parts
    that have changed pull little.

    Parameters
    ----------
    reference, moving : (M, N) ndarray of float32
        Images, smooth enough for their gradients to reach as far as the start is wrong.
    matrix : (3, 3) ndarray
        Start: takes positions in the reference to positions in the moving image.
    scaled : bool
        Whether the scale is free.

    Returns
    -------
    (3, 3) ndarray
        The start itself if there is too little to go by.

    References
    ----------
    Evangelidis and Psarakis (2008), Parametric image alignment using enhanced correlation
    coefficient maximization.
    """
    slopes = [slope.astype(np.float32) for slope in np.gradient(moving)]
    middle = (np.array(reference.shape) - 1) / 2
    rows, columns = np.ogrid[: reference.shape[0], : reference.shape[1]]
    y, x = rows - middle[0], columns - middle[1]
    reach = float(np.hypot(*middle)) or 1.0
    for _ in range(_ITERATIONS):
        check_stop()
        position = [row[0] * rows + row[1] * columns + row[2] for row in matrix[:2]]
        inside = np.ones(reference.shape, bool)
        for place, length in zip(position, reference.shape, strict=True):
            inside &= (place >= 1) & (place <= length - 2)
        if np.count_nonzero(inside) < _FEWEST:
            return matrix
        warped, down, across = (
            affine_transform(image, matrix, order=1)[inside].astype(np.float64)
            for image in (moving, *slopes)
        )
        # Positions relative to the middle, as the moving image has them before its shift.
        turned = matrix[:2, :2]
        v = (turned[0, 0] * y + turned[0, 1] * x)[inside]
        u = (turned[1, 0] * y + turned[1, 1] * x)[inside]
        columns_of = [across * v - down * u, down, across]
        if scaled:
            columns_of.append(down * v + across * u)
        step = _robust_step(np.stack([*columns_of]), warped, reference[inside])
        if step is None:
            return matrix
        angle, growth = step[0], step[3] if scaled else 0.0
        cos, sin = np.exp(growth) * np.cos(angle), np.exp(growth) * np.sin(angle)
        anchor = turned @ middle + matrix[:2, 2]
        matrix = matrix.copy()
        matrix[:2, :2] = np.array([[cos, -sin], [sin, cos]]) @ turned
        matrix[:2, 2] = anchor + step[1:3] - matrix[:2, :2] @ middle
        if reach * (abs(angle) + abs(growth)) + np.abs(step[1:3]).sum() < _CONVERGED:
            break
    return matrix


def _robust_step(
    slopes: NDArray[np.float64], warped: NDArray[np.float64], target: NDArray[np.float32]
) -> NDArray[np.float64] | None:
    """Return the change of the parameters, or None where they cannot be determined."""
    wanted = target.astype(np.float64)
    light = np.polyfit(warped, wanted, 1) if np.ptp(warped) > 0 else np.array([1.0, 0.0])
    residual = wanted - (light[0] * warped + light[1])
    noise = _NORMAL * np.median(np.abs(residual - np.median(residual)))
    weight = np.ones(len(residual))
    if noise > 0:
        weight = np.minimum(1, _HUBER * noise / np.maximum(np.abs(residual), noise * 1e-3))
    # Gain and offset are found along with the step.
    design = np.concatenate([light[0] * slopes, warped[np.newaxis], np.ones((1, len(warped)))])
    weighted = design * weight
    normal = weighted @ design.T
    scale = np.sqrt(np.diag(normal))
    if not (scale > 0).all():
        return None
    normal /= np.outer(scale, scale)
    if np.linalg.cond(normal) > 1e12:
        return None
    step: NDArray[np.float64] = np.linalg.solve(normal, weighted @ residual / scale) / scale
    return step[: len(slopes)]
