"""Circles, ellipses and lines in the plane: through few points, near many, how far from a point.

Models are rows of numbers, so that thousands are worked on at once: (y, x, radius) of a circle;
(y, x, a, b, angle) of an ellipse, the angle from the x axis to the semi-axis a; (y, x, dy, dx) of a
line, a point and a direction of length 1.

References
----------
Bookstein FL (1979). Fitting conic sections to scattered data. Computer Graphics and Image
Processing 9(1), 56-71.
Sampson PD (1982). Fitting conic sections to "very scattered" data. Computer Graphics and Image
Processing 18(1), 97-108.
"""

from typing import Literal

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
ModelKind = Literal["circle", "ellipse", "line"]

POINTS_NEEDED = {"circle": 3, "ellipse": 5, "line": 2}

_FLAT = 1e-9
_EVALUATIONS = 60


def models_through(kind: ModelKind, points: Floats) -> Floats:
    """Return the models through samples of just as many points as they need.

    Parameters
    ----------
    kind : {'circle', 'ellipse', 'line'}
    points : (S, N, 2) ndarray

    Returns
    -------
    (M, K) ndarray
        M is at most S: samples that have no such model are left out.
    """
    if kind == "circle":
        return _circles_through(points)
    if kind == "ellipse":
        return _ellipses_through(points)
    first, step = points[:, 0], points[:, 1] - points[:, 0]
    length = np.linalg.norm(step, axis=1)
    good = length > 0
    return np.hstack([first[good], step[good] / length[good, None]])


def distances(kind: ModelKind, models: Floats, points: Floats) -> Floats:
    """Return how far points are from models: (M, N) of (M, K) models and (N, 2) points.

    For ellipses to first order, which is right near them (Sampson 1982).
    """
    y = points[:, 0] - models[:, :1]
    x = points[:, 1] - models[:, 1:2]
    if kind == "circle":
        return np.abs(np.hypot(y, x) - models[:, 2:3])
    if kind == "line":
        return np.abs(y * models[:, 3:4] - x * models[:, 2:3])
    a, b, angle = models[:, 2:3], models[:, 3:4], models[:, 4:5]
    along = x * np.cos(angle) + y * np.sin(angle)
    across = y * np.cos(angle) - x * np.sin(angle)
    value = (along / a) ** 2 + (across / b) ** 2
    slope = 2 * np.hypot(along / a**2, across / b**2)
    # The middle of an ellipse has no nearest side; it is as far away as the nearer one.
    room = np.minimum(a, b)
    with np.errstate(divide="ignore", invalid="ignore"):
        found = np.abs(value - 1) / slope
    return np.where(slope > 0, np.minimum(found, room + np.hypot(y, x)), room)


def model_near(kind: ModelKind, start: Floats, points: Floats) -> Floats | None:
    """Return the model (K,) with the smallest squared distances from points; None if there is none.

    Parameters
    ----------
    kind : {'circle', 'ellipse', 'line'}
    start : (K,) ndarray
        A model near it.
    points : (N, 2) ndarray
    """
    from scipy.optimize import least_squares

    if kind == "line":
        middle = points.mean(axis=0)
        direction = np.linalg.svd(points - middle, full_matrices=False)[2][0]
        return np.concatenate([middle, direction])

    scale = float(start[2])

    def residuals(parameters: Floats) -> Floats:
        return _signed(kind, _model(kind, parameters, start, scale), points) / scale

    begin = np.zeros(len(start))
    method = "lm" if len(points) >= len(start) else "trf"
    # Near its goal it takes about ten; points on a line lead a circle ever farther away.
    found = least_squares(residuals, begin, method=method, max_nfev=_EVALUATIONS)
    model = _model(kind, found.x, start, scale)
    return model if np.isfinite(model).all() and (model[2 : 2 + _radii(kind)] > 0).all() else None


def outline(kind: ModelKind, model: Floats, spacing: Floats, points: Floats) -> Floats:
    """Return points along a model, (N, 2): all around, or a line from end to end of its points."""
    if kind == "line":
        along = (points - model[:2]) @ model[2:]
        ends = np.array([[along.min()], [along.max()]])
        return np.asarray(model[:2] + ends * model[2:])
    a, b, angle = model[2], model[2], 0.0
    if kind == "ellipse":
        a, b, angle = model[2:]
    # Corners so close that the outline is nowhere a twentieth of a voxel off.
    corners = int(np.clip(np.pi * np.sqrt(a / (0.1 * spacing.min())), 16, 720))
    turn = 2 * np.pi * np.arange(corners) / corners
    along, across = a * np.cos(turn), b * np.sin(turn)
    y = model[0] + along * np.sin(angle) + across * np.cos(angle)
    x = model[1] + along * np.cos(angle) - across * np.sin(angle)
    return np.stack([y, x], axis=1)


def perimeters(kind: ModelKind, models: Floats) -> Floats:
    """Return the lengths of circles and ellipses (Ramanujan's formula); infinite for lines."""
    if kind == "line":
        return np.full(len(models), np.inf)
    a, b = models[:, 2], models[:, 1 + _radii(kind)]
    h = ((a - b) / (a + b)) ** 2
    return np.asarray(np.pi * (a + b) * (1 + 3 * h / (10 + np.sqrt(4 - 3 * h))))


def _radii(kind: ModelKind) -> int:
    return {"circle": 1, "ellipse": 2, "line": 0}[kind]


def _model(kind: ModelKind, parameters: Floats, start: Floats, scale: float) -> Floats:
    """A model from steps away from a start: lengths in its size, radii by factors."""
    moved = start.copy()
    moved[:2] += parameters[:2] * scale
    radii = slice(2, 2 + _radii(kind))
    moved[radii] *= np.exp(np.clip(parameters[radii], -20, 20))
    moved[radii.stop :] += parameters[radii.stop :]
    return moved


def _signed(kind: ModelKind, model: Floats, points: Floats) -> Floats:
    found = distances(kind, model[None], points)[0]
    y, x = (points - model[:2]).T
    if kind == "circle":
        inside = np.hypot(y, x) < model[2]
    else:
        a, b, angle = model[2:]
        along, across = x * np.cos(angle) + y * np.sin(angle), y * np.cos(angle) - x * np.sin(angle)
        inside = (along / a) ** 2 + (across / b) ** 2 < 1
    return np.where(inside, -found, found)


def _circles_through(points: Floats) -> Floats:
    first = points[:, 0]
    (ay, ax), (by, bx) = (points[:, 1] - first).T, (points[:, 2] - first).T
    twice = 2 * (ay * bx - ax * by)
    a2, b2 = ay**2 + ax**2, by**2 + bx**2
    good = np.abs(twice) > _FLAT * (a2 + b2)
    with np.errstate(divide="ignore", invalid="ignore"):
        y = (bx * a2 - ax * b2) / twice
        x = (ay * b2 - by * a2) / twice
    found = np.stack([first[:, 0] + y, first[:, 1] + x, np.hypot(y, x)], axis=1)
    return found[good]


def _ellipses_through(points: Floats) -> Floats:
    """Ellipses among the conics through five points each."""
    # Around their own middle and in their own size the equations are well conditioned.
    middle = points.mean(axis=1, keepdims=True)
    scale = np.abs(points - middle).max(axis=(1, 2))
    usable = scale > 0
    points, middle, scale = points[usable], middle[usable, 0], scale[usable]
    y, x = np.moveaxis((points - middle[:, None]) / scale[:, None, None], 2, 0)
    design = np.stack([x * x, x * y, y * y, x, y, np.ones_like(x)], axis=2)
    conics = np.linalg.svd(design)[2][:, -1]
    found, good = _ellipses_of_conics(conics)
    found, scale, middle = found[good], scale[good, None], middle[good]
    found[:, :2] = found[:, :2] * scale + middle
    found[:, 2:4] *= scale
    return found


def _ellipses_of_conics(conics: Floats) -> tuple[Floats, NDArray[np.bool_]]:
    """Ellipses of a x^2 + b xy + c y^2 + d x + e y + f = 0, and which of them are."""
    a, b, c, d, e, f = conics.T
    with np.errstate(divide="ignore", invalid="ignore"):
        det = 4 * a * c - b * b
        x, y = (b * e - 2 * c * d) / det, (b * d - 2 * a * e) / det
        level = -(f + (d * x + e * y) / 2)
        root = np.hypot(a - c, b)
        # Along the axes of the ellipse the quadratic form has these values.
        low, high = (a + c - root) / 2, (a + c + root) / 2
        first, second = np.sqrt(level / low), np.sqrt(level / high)
        angle = np.arctan2(b, a - c) / 2
        swap = first < second
        major, minor = np.where(swap, second, first), np.where(swap, first, second)
        # The larger value of the form is along `angle`; its axis is the shorter one.
        angle = np.where(swap, angle, angle + np.pi / 2)
        found = np.stack([y, x, major, minor, angle], axis=1)
        # Points nearly on one line lie on ellipses of any length, of which none is meant.
        good = (det > _FLAT) & (minor > 1e-3 * major) & (np.abs(found[:, :4]) < 1e6).all(axis=1)
    return found, good
