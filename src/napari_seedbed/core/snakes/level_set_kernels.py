"""Compiled loops of the classical Chan-Vese level set: (Z, Y, X), for images (C, Z, Y, X)."""

import numpy as np
from numba import njit

_fast = njit(nogil=True, cache=True, error_model="numpy")
_inline = njit(nogil=True, error_model="numpy", inline="always")

_ETA = 1e-16
"""Keeps the curvature finite where the level set is flat."""


@_inline
def _delta(phi):
    return 1 / (1 + phi * phi)


@_fast
def step(z0, z1, phi, image, means, mu, lambda1, lambda2, dt, spacing, in_volume, new, sums):
    """One semi-implicit step for the planes `z0` to `z1`.

    `means` is (2, C): inside and outside. `sums[z]` gets the squared change, the number of voxels
    that are inside after it, and for each channel the sum of the image over these.
    """
    n_z, n_y, n_x = phi.shape
    n_c = image.shape[0]
    h_z, h_y, h_x = spacing
    for z in range(z0, z1):
        sums[z] = 0
        up, down = max(z - 1, 0), min(z + 1, n_z - 1)
        for y in range(n_y):
            front, back = max(y - 1, 0), min(y + 1, n_y - 1)
            for x in range(n_x):
                left, right = max(x - 1, 0), min(x + 1, n_x - 1)
                here = np.float64(phi[z, y, x])
                a, b = np.float64(phi[z, y, left]), np.float64(phi[z, y, right])
                c, d = np.float64(phi[z, front, x]), np.float64(phi[z, back, x])
                e, f = np.float64(phi[up, y, x]), np.float64(phi[down, y, x])
                s_x, s_y = (b - a) / (2 * h_x), (d - c) / (2 * h_y)
                s_z = (f - e) / (2 * h_z) if in_volume else 0.0
                across = _ETA + s_y * s_y + s_z * s_z
                after = 1 / np.sqrt(across + ((b - here) / h_x) ** 2) / (h_x * h_x)
                before = 1 / np.sqrt(across + ((here - a) / h_x) ** 2) / (h_x * h_x)
                pull, weight = b * after + a * before, after + before
                across = _ETA + s_x * s_x + s_z * s_z
                after = 1 / np.sqrt(across + ((d - here) / h_y) ** 2) / (h_y * h_y)
                before = 1 / np.sqrt(across + ((here - c) / h_y) ** 2) / (h_y * h_y)
                pull, weight = pull + d * after + c * before, weight + after + before
                if in_volume:
                    across = _ETA + s_x * s_x + s_y * s_y
                    after = 1 / np.sqrt(across + ((f - here) / h_z) ** 2) / (h_z * h_z)
                    before = 1 / np.sqrt(across + ((here - e) / h_z) ** 2) / (h_z * h_z)
                    pull, weight = pull + f * after + e * before, weight + after + before
                push = 0.0
                for k in range(n_c):
                    value = np.float64(image[k, z, y, x])
                    push -= lambda1 * (value - means[0, k]) ** 2
                    push += lambda2 * (value - means[1, k]) ** 2
                rate = dt * _delta(here)
                moved = here + rate * (mu * pull + push / n_c)
                new[z, y, x] = moved / (1 + mu * rate * weight)
                now = np.float64(new[z, y, x])
                sums[z, 0] += (now - here) ** 2
                if now > 0:
                    sums[z, 1] += 1
                    for k in range(n_c):
                        sums[z, 2 + k] += image[k, z, y, x]


@_fast
def inside_sums(z0, z1, phi, image, sums):
    """As `step` leaves them, without a step."""
    for z in range(z0, z1):
        sums[z] = 0
        for y in range(phi.shape[1]):
            for x in range(phi.shape[2]):
                if phi[z, y, x] > 0:
                    sums[z, 1] += 1
                    for k in range(image.shape[0]):
                        sums[z, 2 + k] += image[k, z, y, x]
