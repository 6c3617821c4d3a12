"""How few marks a volume needs: a robot user marks, looks at the result and corrects it.

The classes are the five largest objects of a volume and everything else. Each class begins with
one disc of at most 3 pixels radius in one slice, where it is deepest; then each round puts one such
disc into the largest connected error. Prints the mean Dice coefficient of the five objects at the
start and after 5, 10 and 15 rounds.

With --uncertain the robot follows the panel's suggestions instead, as a person
does, who cannot search a whole volume for the largest error: where an error of at least 30 voxels
touches the uncertain region, the largest of these is corrected, else the next region is looked at.
The table says how many marks reach the same coefficient, and how many looks a mark takes.
"""

import argparse
import sys
import time
from collections.abc import Iterator
from typing import Any

import numpy as np
from engines import ENGINES, Engine, chosen, warm_up
from marked_images import Marked, Scene, options_with_data, robot_crops
from numpy.typing import NDArray
from region_scores import object_dice
from scipy import ndimage as ndi
from strokes import mark_deepest

from napari_seedbed.core.walker.uncertain_regions import next_uncertain_region

ROUNDS, SHOWN = 15, (0, 5, 10, 15)
PATIENCE = 3
"""Following uncertain places ends after so many times the rounds of correcting."""

SEEN = 30
"""An error of so many voxels is seen."""

LOOKS = 40
"""Nothing is found any more after so many looks without an error."""

N_OBJECTS = 5
Labels = NDArray[np.integer]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("--engines", nargs="+", choices=ENGINES)
    parser.add_argument("--kinds", nargs="+", help="nuclei, neurites, hippocampus; all if none")
    parser.add_argument("--uncertain", action="store_true", help="follow the engine's own doubts")
    options = options_with_data(parser)
    if options is None:
        return 0
    crops = [
        (kind, five_largest(scene))
        for kind, scene in robot_crops(options.data)
        if not options.kinds or kind in options.kinds
    ]
    quick = [key for key in ENGINES if not key.startswith("skimage")]
    doubtful = [key for key in quick if key != "watershed"]
    engines = chosen(options.engines or (doubtful if options.uncertain else quick))
    for engine in engines:
        warm_up(engine, 3, channels=False)
    (compare_with_uncertain if options.uncertain else compare)(engines, crops)
    return 0


def five_largest(scene: Scene) -> Marked:
    """Return the scene with its largest objects as classes 1, 2, ..., and the rest as the last."""
    values, sizes = np.unique(scene.truth[scene.truth > 0], return_counts=True)
    largest = values[np.argsort(-sizes)][:N_OBJECTS]
    classes = np.full(scene.truth.shape, len(largest) + 1, np.int32)
    for label, value in enumerate(largest, start=1):
        classes[scene.truth == value] = label
    targets = tuple(range(1, len(largest) + 1))
    scene = Scene(scene.name, scene.image, classes, scene.spacing)
    strokes = np.zeros(classes.shape, np.int32)
    for label in (*targets, len(targets) + 1):
        mark_deepest(strokes, classes == label, label, classes)
    return Marked(scene, strokes, targets)


def compare(engines: list[Engine], crops: list[tuple[str, Marked]]) -> None:
    """Print how the engines do when the robot corrects the largest error."""
    print(f"Mean Dice at the start and after {SHOWN[1:]} corrections; seconds for all rounds\n")
    for engine in engines:
        for kind, group in by_kind(crops):
            start = time.perf_counter()
            curves = np.array([correct(engine, crop) for crop in group])
            seconds = time.perf_counter() - start
            shown = "".join(f"{curves[:, n].mean():>8.3f}" for n in SHOWN)
            print(f"{engine.name:<42}{kind:<14}{shown}{seconds:>8.1f}", flush=True)


def compare_with_uncertain(engines: list[Engine], crops: list[tuple[str, Marked]]) -> None:
    """Print how many marks at uncertain places reach what so many corrections reach."""
    print("Marks at uncertain places that reach the Dice of 5, 10 and 15 corrections")
    print(f"(none: not within {PATIENCE * ROUNDS}), and the Dice after as many of each;")
    print(f"looks a mark in the first {ROUNDS}\n")
    for engine in engines:
        for kind, crop in crops:
            corrected = correct(engine, crop)
            followed, looks = follow_doubts(engine, crop, PATIENCE * ROUNDS)
            line = f"{engine.name:<42}{kind:<14}"
            for n in SHOWN[1:]:
                enough = [k for k, score in enumerate(followed) if score >= corrected[n]]
                needed = str(enough[0]) if enough else "none"
                line += f"{n:>5}: {needed:<5}{corrected[n]:.3f} {followed[n]:.3f}"
            print(f"{line}{np.mean(looks[:ROUNDS]):>7.1f}", flush=True)


def by_kind(crops: list[tuple[str, Marked]]) -> Iterator[tuple[str, list[Marked]]]:
    for name in dict.fromkeys(kind for kind, _ in crops):
        yield name, [crop for kind, crop in crops if kind == name]


def correct(engine: Engine, crop: Marked, rounds: int = ROUNDS) -> list[float]:
    """Return the mean Dice coefficient at the start and after each correction."""
    truth, strokes = crop.scene.truth, crop.strokes.copy()
    solver = engine.on(crop)
    curve = []
    for _ in range(rounds + 1):
        result = solver.solve(strokes.copy())
        curve.append(float(object_dice(result, crop).mean()))
        errors, count = ndi.label(result != truth)
        if count == 0:
            break
        mark_error(strokes, errors == np.bincount(errors[errors > 0]).argmax(), truth)
    return curve + [curve[-1]] * (rounds + 1 - len(curve))


def mark_error(strokes: Labels, error: NDArray[np.bool_], truth: Labels) -> None:
    """Mark an error where the label that most of it should have is deepest in it."""
    label = int(np.bincount(truth[error]).argmax())
    mark_deepest(strokes, error & (truth == label), label, truth)


def follow_doubts(engine: Engine, crop: Marked, rounds: int) -> tuple[list[float], list[int]]:
    """Return the mean Dice coefficient at the start and after each mark, and the looks of each."""
    truth, strokes = crop.scene.truth, crop.strokes.copy()
    solver: Any = engine.on(crop)  # one that knows its doubts
    visited: list[tuple[int, ...]] = []
    curve: list[float] = []
    looks: list[int] = []
    for _ in range(rounds + 1):
        result = solver.solve(strokes.copy())
        curve.append(float(object_dice(result, crop).mean()))
        errors, _ = ndi.label(result != truth)
        sizes = np.bincount(errors.ravel())
        sizes[0] = 0
        (uncertainty, second), looks_before = solver.find_doubt(), len(visited)
        while len(visited) < looks_before + LOOKS:
            region = next_uncertain_region(
                uncertainty,
                visited,
                n_labels=len(crop.targets) + 1,
                spacing=crop.scene.spacing,
                labels=result,
                second=second,
            )
            if region is None:
                break
            visited.append(region.center)
            touched = np.unique(errors[region.box][region.inside])
            largest = touched[sizes[touched].argmax()]
            if sizes[largest] >= SEEN:
                mark_error(strokes, errors == largest, truth)
                looks.append(len(visited) - looks_before)
                break
        else:
            break
        if region is None:
            break
    return curve + [curve[-1]] * (rounds + 1 - len(curve)), looks


if __name__ == "__main__":
    sys.exit(main())
