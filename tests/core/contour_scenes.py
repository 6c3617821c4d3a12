"""Contours and images to draw them on."""

import numpy as np

ALONE = {"w_line": 0, "w_edge": 0, "convergence": 0}
"""No image, and no end before the limit of iterations."""


def circle(centre, radius, n, *, seam=False):
    """Return points on a circle; with a seam, the last repeats the first."""
    angle = np.linspace(0, 2 * np.pi, n, endpoint=seam)
    return np.stack([np.sin(angle), np.cos(angle)], axis=1) * radius + centre


def radii(contour, centre):
    return np.hypot(*(contour - centre).T)


def disc(shape=(96, 110), centre=(45, 52), radius=20, width=3):
    distance = np.hypot(*(np.indices(shape).T - np.array(centre)).T) - radius
    return 0.5 * (1 - np.tanh(distance / width))


def segments(contour):
    return np.hypot(*np.diff(np.vstack([contour, contour[:1]]), axis=0).T)
