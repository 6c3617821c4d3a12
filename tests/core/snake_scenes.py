"""Bright things of known form, lines to begin with, and snakes with everyday parameters."""

import numpy as np

from napari_seedbed.core.marks.shapes import Shape
from napari_seedbed.core.snakes.growth import grow_snakes
from napari_seedbed.core.snakes.snake_methods import EdgeSurface, ElasticContour, RegionSurface

CENTRE, RADIUS = (60, 64), 25


def elastic(**changes):
    parameters = {
        "sigma": 1.0, "alpha": 0.1, "beta": 0.5, "gamma": 0.2, "attracted_by": "edges",
        "pull": 1.0, "balloon": 0.0, "ends": "fixed", "points": 200, "max_px_move": 1.0,
        "max_num_iter": 1500, "convergence": 0.02,
    }  # fmt: skip
    return ElasticContour(**{**parameters, **changes})


def edges(**changes):
    parameters = {
        "sigma": 1.5, "steepness": 1000.0, "edge_share": 0.4, "balloon": 0.0, "smoothing": 2,
        "max_num_iter": 100,
    }  # fmt: skip
    return EdgeSurface(**{**parameters, **changes})


def regions(**changes):
    parameters = {
        "sigma": 1.5, "lambda1": 1.0, "lambda2": 1.0, "outer": "near", "smoothing": 2,
        "max_num_iter": 100,
    }  # fmt: skip
    return RegionSurface(**{**parameters, **changes})


METHODS = {"elastic": elastic, "edges": edges, "regions": regions}
SURFACES = {"edges": edges, "regions": regions}


def circle(centre=CENTRE, radius=RADIUS, n=60):
    """Points of a circle, or with two radii of an ellipse."""
    angle = np.linspace(0, 2 * np.pi, n, endpoint=False)
    return np.stack([np.sin(angle), np.cos(angle)], axis=1) * radius + centre


def ball(shape=(128, 128), centre=CENTRE, radius=RADIUS, soft=1.5, spacing=1.0):
    """A bright disc or ball (several radii: an ellipsoid) whose brightness falls to half at its
    border, lengths in the unit of `spacing`."""
    grid = np.moveaxis(np.indices(shape), 0, -1) * np.array(spacing)
    offset = (grid - np.array(centre)) / np.array(radius)
    distance = (np.linalg.norm(offset, axis=-1) - 1) * np.mean(radius)
    return 0.5 * (1 - np.tanh(distance / soft))


def noisy(image, level=0.05, seed=1):
    return image + level * np.random.default_rng(seed).normal(size=image.shape)


def on_slice(points, z, axis=0):
    return np.insert(np.asarray(points, float), axis, z, axis=1)


def grow(image, method, shapes=(), **options):
    """`grow_snakes` on one time point, or on the first axis of a list of them."""
    frames = image if isinstance(image, list) else [image]
    channel = options.get("channel_axis")
    spatial = list(frames[0].shape)
    if channel is not None and -len(spatial) <= channel < len(spatial):
        del spatial[channel]
    shapes = [Shape(1, shapes)] if isinstance(shapes, np.ndarray) else shapes
    return grow_snakes(frames.__getitem__, len(frames), spatial, method, shapes=shapes, **options)


def dice(one, other):
    one, other = np.asarray(one) != 0, np.asarray(other) != 0
    return 2 * np.count_nonzero(one & other) / (one.sum() + other.sum())


def radii(shape, centre=CENTRE):
    return np.hypot(*(shape.points[:, -2:] - centre).T)


def film(n=6, step=2, radius=16, gone=None, blank=False):
    """A disc that moves to the right; noise alone, or nothing, from the frame `gone` on."""
    frames = []
    for t in range(n):
        there = gone is None or t < gone
        frame = ball(centre=(60, 40 + step * t), radius=radius) if there else np.zeros((128, 128))
        frames.append(frame if blank and not there else noisy(frame, 0.02, seed=t))
    return frames


def film_truth(t, step=2, radius=16):
    return ball(centre=(60, 40 + step * t), radius=radius) >= 0.5


def at(t, step=2, label=1, radius=16):
    return Shape(label, circle((60, 40 + step * t), 1.1 * radius), time=t)
