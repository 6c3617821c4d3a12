"""Circles, ellipses and lines fitted to edge points among which many belong to something else.

References
----------
Fischler MA, Bolles RC (1981). Random sample consensus: a paradigm for model fitting with
applications to image analysis and automated cartography. Communications of the ACM 24(6), 381-395.
Torr PHS, Zisserman A (2000). MLESAC: a new robust estimator with application to estimating image
geometry. Computer Vision and Image Understanding 78(1), 138-156.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_seedbed.core.marks.shapes import Shape
from napari_seedbed.core.objects.label_lookup import half_offsets, object_labels, shifted
from napari_seedbed.core.objects.model_shapes import (
    POINTS_NEEDED,
    Floats,
    ModelKind,
    distances,
    model_near,
    models_through,
    outline,
    perimeters,
)
from napari_seedbed.core.progress import check_stop
from napari_seedbed.core.validation import check_count, check_number, check_spacing
from napari_seedbed.errors import InputError

_BATCH = 128
"""Models that are judged at a time."""
_JUDGES = 2000
"""Points that judge models; the best of these models are then fitted to all points."""
_CONFIDENCE = 0.999
_REFITS = 5
_CLOSER_LOOKS = 3


@dataclass(frozen=True)
class Fits:
    """Models that were found, in the order in which they were.

    Attributes
    ----------
    shapes : list of Shape
        Outlines of circles and ellipses, and lines from end to end, in voxel coordinates; labels
        1, 2, …
    table : dict of (K,) arrays
        ``shape`` from 1; ``label`` of the edges it was fitted to (0 for all together); ``slice`` in
        3D; ``centre_y``, ``centre_x``; ``radius`` or ``semi_axis_major``, ``semi_axis_minor`` and
        ``angle`` (degrees from the x axis towards the y axis); ``area``, ``perimeter`` and
        ``coverage``, the share of the outline that has an edge point near; for lines ``length`` and
        ``angle``; ``inliers``, ``points`` that there were to choose from, and ``residual_mean``,
        ``residual_rms`` and ``residual_max`` of the inliers. Lengths in the unit of the spacing.
    """

    shapes: list[Shape]
    table: dict[str, NDArray[Any]]


@dataclass(frozen=True)
class _Limits:
    tolerance: float
    smallest: float
    largest: float
    min_inliers: int
    min_coverage: float
    max_trials: int
    step: float


def fit_models(
    edges: Any,
    kind: ModelKind,
    spacing: float | Sequence[float] | None = None,
    *,
    number: int = 1,
    tolerance: float | None = None,
    smallest: float = 0.0,
    largest: float = 0.0,
    min_inliers: int = 10,
    min_coverage: float = 0.2,
    max_trials: int = 5000,
    per_label: bool = False,
    use_outlines: bool = False,
    seed: int = 0,
) -> Fits:
    """Fit circles, ellipses or lines to edge points, by random sample consensus.

    Models through few random points are judged by how many edge points lie near; the best is fitted
    to all that do. Its points are then taken away and the next one is looked for.

    Parameters
    ----------
    edges : ([Z, ]Y, X) array_like of int or bool
        Voxels above 0 are edge points; in 3D each slice has its own models.
    kind : {'circle', 'ellipse', 'line'}
    spacing : sequence of float, optional
        Voxel size; 1 when None.
    number : int
        How many models are looked for, in each slice (and label).
    tolerance : float, optional
        How far a point may lie from a model that it belongs to, in the unit of `spacing`; one and a
        half voxels when None.
    smallest, largest : float
        Bounds of the radius of circles, the semi-axes of ellipses or the length of lines; 0 sets
        no limit.
    min_inliers : int
        Points that a model needs.
    min_coverage : float
        Share of a circle's or ellipse's outline, from 0 to 1, that edge points must lie along.
    max_trials : int
        Models that are tried at most; fewer if a good one is found early.
    per_label : bool
        Look at the points of each label on their own.
    use_outlines : bool
        Take the outlines of filled objects, between voxels, instead of all their voxels.
    seed : int
        Of the random samples: the same edges and seed give the same models.

    Returns
    -------
    Fits
        Of fewer models where no more fulfil the conditions.

    Raises
    ------
    InputError
        If there are fewer points than a model needs, or a parameter is wrong.
    """
    if kind not in POINTS_NEEDED:
        raise InputError(f"kind is {kind!r}; it must be circle, ellipse or line.")
    labels = object_labels(edges, "edges")
    size = np.array(check_spacing(spacing, labels.ndim))
    plane = size[-2:]
    limits = _checked_limits(
        kind, plane, tolerance, smallest, largest, min_inliers, min_coverage, max_trials
    )
    wanted = check_count(number, "number")
    random = np.random.default_rng(check_count(seed, "seed"))
    slices = labels.reshape((-1, *labels.shape[-2:]))
    needed = POINTS_NEEDED[kind]
    most = 0
    shapes: list[Shape] = []
    rows: list[dict[str, Any]] = []
    for z, image in enumerate(slices):
        groups = np.unique(image[image > 0]).tolist() if per_label else [0]
        for group in groups:
            mask = image == group if group else image > 0
            points = (_outline_points(mask) if use_outlines else np.argwhere(mask)) * plane
            most = max(most, len(points))
            for model, near, row in _models(kind, points, wanted, limits, random):
                place = outline(kind, model, plane, points[near]) / plane
                if labels.ndim == 3:
                    place = np.insert(place, 0, float(z), axis=1)
                    row = {"slice": z, **row}
                shapes.append(Shape(len(shapes) + 1, place, closed=kind != "line"))
                rows.append({"shape": len(shapes), "label": group, **row})
    if most < needed:
        found = "no edge points" if most == 0 else f"only {most} edge points"
        raise InputError(
            f"edges: there are {found}; a {kind} needs at least {needed}. Lower the thresholds of "
            "the edge detection."
        )
    names = rows[0] if rows else _columns(kind, labels.ndim)
    return Fits(shapes, {name: np.array([row[name] for row in rows]) for name in names})


def _checked_limits(
    kind: ModelKind,
    plane: Floats,
    tolerance: float | None,
    smallest: float,
    largest: float,
    min_inliers: int,
    min_coverage: float,
    max_trials: int,
) -> _Limits:
    step = float(plane.min())
    within = 1.5 * step
    if tolerance is not None:
        within = check_number(tolerance, "tolerance", allow_zero=False)
    low, high = check_number(smallest, "smallest"), check_number(largest, "largest")
    if high and low > high:
        raise InputError(f"smallest is {low:g} and largest {high:g}; nothing could be found.")
    coverage = check_number(min_coverage, "min_coverage")
    if coverage > 1:
        raise InputError(f"min_coverage is {min_coverage!r}; it must be from 0 to 1.")
    least = max(check_count(min_inliers, "min_inliers"), POINTS_NEEDED[kind])
    trials = check_count(max_trials, "max_trials")
    return _Limits(within, low, high or math.inf, least, coverage, trials, step)


def _columns(kind: ModelKind, ndim: int) -> list[str]:
    own = {
        "circle": ["radius", "area", "perimeter", "coverage"],
        "ellipse": [
            "semi_axis_major",
            "semi_axis_minor",
            "angle",
            "area",
            "perimeter",
            "coverage",
        ],
        "line": ["length", "angle"],
    }[kind]
    residuals = ["inliers", "points", "residual_mean", "residual_rms", "residual_max"]
    lead = ["shape", "label", *(["slice"] if ndim == 3 else [])]
    return [*lead, "centre_y", "centre_x", *own, *residuals]


def _outline_points(mask: NDArray[np.bool_]) -> Floats:
    """Middles between each voxel of a mask and its neighbours outside, in voxel coordinates."""
    padded = np.pad(mask, 1)
    found = []
    for step in half_offsets(2, 1):
        here, there = shifted(padded.shape, step)
        found.append(np.argwhere(padded[here] != padded[there]) + np.array(step) / 2 - 1)
    return np.concatenate(found)


def _models(
    kind: ModelKind, points: Floats, number: int, limits: _Limits, random: np.random.Generator
) -> list[tuple[Floats, NDArray[np.bool_], dict[str, Any]]]:
    """Models one after another, with which of all points belong to each and a row of the table."""
    found: list[tuple[Floats, NDArray[np.bool_], dict[str, Any]]] = []
    left = np.ones(len(points), bool)
    for _ in range(number):
        candidates = points[left]
        if len(candidates) < limits.min_inliers:
            break
        model = _best_model(kind, candidates, limits, random)
        if model is None:
            break
        residual = distances(kind, model[None], points)[0]
        near = left & (residual <= limits.tolerance)
        row = _row(kind, model, points[near], residual[near], limits.step)
        found.append((model, near, {**row, "points": len(candidates)}))
        # Points just beyond belong to the same edge and would be found as its twin.
        left &= residual > 2 * limits.tolerance
    return found


def _best_model(
    kind: ModelKind, points: Floats, limits: _Limits, random: np.random.Generator
) -> Floats | None:
    needed = POINTS_NEEDED[kind]
    judges = points
    if len(points) > _JUDGES:
        judges = points[random.choice(len(points), _JUDGES, replace=False)]
    share = len(judges) / len(points)
    best, trials, enough = None, 0, float(limits.max_trials)
    # Of the best sample, and of the model that was fitted to all points near one.
    before = lowest = math.inf
    while trials < min(enough, limits.max_trials):
        check_stop()
        # Drawn with replacement; samples with a point twice have no model.
        sample = points[random.integers(0, len(points), (_BATCH, needed))]
        models = models_through(kind, sample)
        trials += _BATCH
        models = models[_in_bounds(kind, models, limits)]
        if not len(models):
            continue
        squared = np.minimum(distances(kind, models, judges) / limits.tolerance, 1) ** 2
        counts = np.count_nonzero(squared < 1, axis=1) / share
        least = np.maximum(
            limits.min_inliers,
            limits.min_coverage * _finite(perimeters(kind, models)) / limits.step,
        )
        cost = np.where(counts >= 0.5 * least, squared.sum(axis=1), math.inf)
        for nth in np.argsort(cost, kind="stable")[:_CLOSER_LOOKS]:
            # Fitting takes as long as judging a hundred samples, so only the best are worth it.
            if cost[nth] >= before:
                break
            near = judges[squared[nth] < 1]
            if kind != "line" and 2 * _coverage(kind, models[nth], near, limits.step) < (
                limits.min_coverage
            ):
                continue
            model = _refitted(kind, models[nth], points, limits)
            if model is None or not _good(kind, model, points, limits):
                continue
            before = min(before, float(cost[nth]))
            residual = distances(kind, model[None], judges)[0] / limits.tolerance
            after = float((np.minimum(residual, 1) ** 2).sum())
            if after < lowest:
                best, lowest = model, after
                enough = _trials_needed(np.count_nonzero(residual <= 1) / len(judges), needed)
    return best


def _refitted(kind: ModelKind, model: Floats, points: Floats, limits: _Limits) -> Floats | None:
    """The least-squares model of the points near a model, until these stay the same."""
    before = None
    for _ in range(_REFITS):
        near = distances(kind, model[None], points)[0] <= limits.tolerance
        if np.count_nonzero(near) < POINTS_NEEDED[kind]:
            return None
        if before is not None and (near == before).all():
            break
        fitted = model_near(kind, model, points[near])
        if fitted is None:
            return None
        model, before = fitted, near
    return model


def _good(kind: ModelKind, model: Floats, points: Floats, limits: _Limits) -> bool:
    near = points[distances(kind, model[None], points)[0] <= limits.tolerance]
    if len(near) < limits.min_inliers or not _in_bounds(kind, model[None], limits)[0]:
        return False
    if kind == "line":
        length = float(np.ptp((near - model[:2]) @ model[2:]))
        return limits.smallest <= length <= limits.largest
    return _coverage(kind, model, near, limits.step) >= limits.min_coverage


def _in_bounds(kind: ModelKind, models: Floats, limits: _Limits) -> NDArray[np.bool_]:
    if kind == "line":
        return np.ones(len(models), bool)
    radii = models[:, 2 : 3 if kind == "circle" else 4]
    return np.asarray(((radii >= limits.smallest) & (radii <= limits.largest)).all(axis=1))


def _finite(lengths: Floats) -> Floats:
    return np.where(np.isfinite(lengths), lengths, 0)


def _trials_needed(share: float, needed: int) -> float:
    """Trials after which a sample of inliers alone was very likely among them."""
    good = share**needed
    return math.inf if good <= 0 else math.log(1 - _CONFIDENCE) / math.log1p(-min(good, 0.999999))


def _coverage(kind: ModelKind, model: Floats, near: Floats, step: float) -> float:
    """Share of an outline that points lie along, counted in pieces of about two voxels."""
    pieces = int(np.clip(perimeters(kind, model[None])[0] / (2 * step), 4, 360))
    y, x = (near - model[:2]).T
    if kind == "ellipse":
        a, b, angle = model[2:]
        x, y = (
            (x * np.cos(angle) + y * np.sin(angle)) / a,
            (y * np.cos(angle) - x * np.sin(angle)) / b,
        )
    turn = np.arctan2(y, x) / (2 * np.pi) % 1
    return len(np.unique(np.floor(turn * pieces).astype(int) % pieces)) / pieces


def _row(
    kind: ModelKind, model: Floats, near: Floats, residual: Floats, step: float
) -> dict[str, Any]:
    row: dict[str, Any]
    if kind == "line":
        ends = outline(kind, model, np.array([step, step]), near)
        (y, x), (dy, dx) = ends.mean(axis=0), model[2:]
        angle = math.degrees(math.atan2(dy, dx)) % 180
        length = float(np.linalg.norm(ends[1] - ends[0]))
        row = {"centre_y": float(y), "centre_x": float(x), "length": length, "angle": angle}
    else:
        row = {"centre_y": float(model[0]), "centre_x": float(model[1])}
        a, b = float(model[2]), float(model[2])
        if kind == "circle":
            row["radius"] = a
        else:
            b, angle = float(model[3]), float(model[4])
            if b > a:
                a, b, angle = b, a, angle + math.pi / 2
            row["semi_axis_major"], row["semi_axis_minor"] = a, b
            row["angle"] = math.degrees(angle) % 180
        row["area"] = math.pi * a * b
        row["perimeter"] = float(perimeters(kind, model[None])[0])
        row["coverage"] = _coverage(kind, model, near, step)
    row["inliers"] = len(near)
    row["points"] = 0
    row["residual_mean"] = float(residual.mean())
    row["residual_rms"] = float(np.sqrt(np.mean(residual**2)))
    row["residual_max"] = float(residual.max())
    return row
