"""One object at a time: how long a proposal takes after its stroke, and how good it is.

Each object of a scene gets one mark in its middle slice, a short line or a click with a brush of
five voxels, and is proposed and kept, right or wrong, before the next: what went wrong is a wall
for others. Nothing marks the background. Prints mean, median and worst tenth of the Dice
coefficients, and median and longest of the seconds from a mark to its proposal, for the first
half of the objects and for the second, for which many are kept already.

Beside that the same strokes as one problem, with a line or three of background: all labels at once
and a seeded watershed. A part can be run alone: ``python benchmarks/objects.py phantom``.
"""

import argparse
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from engines import chosen
from marked_images import Marked, Scene, options_with_data, volumes
from numpy.typing import NDArray
from region_scores import dice, object_dice, summed_up
from scenes import machine, touching_balls
from strokes import disc, mark_each

from napari_seedbed.core import ObjectProposer, SeededSegmenter
from napari_seedbed.core.threads import thread_count
from napari_seedbed.errors import InputError

SMALLEST = 500
CLICK_RADIUS = 2.5
BALLS = (5, 5, 4)


@dataclass
class Proposed:
    """Dice coefficients and seconds of the proposals of a scene."""

    scores: list[float] = field(default_factory=list)
    seconds: list[float] = field(default_factory=list)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("parts", nargs="*", choices=[[], *PARTS], help="what to run; all if none")
    options = options_with_data(parser)
    if options is None:
        return 0
    print(f"{machine()}, {thread_count()} cores; Python {sys.version.split()[0]}")
    print(f"\n{'':<20}{'':<26}objects{'mean':>7}{'median':>8}{'worst':>7}", end="")
    print(f"{'seconds a proposal: median and longest':>42}")
    for part in options.parts or PARTS:
        PARTS[part](options)
    return 0


def measure_phantom(options: argparse.Namespace) -> None:
    """Print how a hundred balls of 256^3 are proposed."""
    image, truth = touching_balls((256, 256, 256), BALLS)
    compare(mark_each(Scene("balls, 256^3", image, truth), SMALLEST))


def measure_volumes(options: argparse.Namespace) -> None:
    """Print how real nuclei are proposed, and what other ways give from the same strokes."""
    for scene in volumes(options.data):
        case = mark_each(scene, SMALLEST)
        compare(case)
        for engine in chosen(["seeded", "watershed"]):
            labels = engine.on(case, case.background).solve(case.strokes.copy())
            print_line(scene.name, f"all at once: {engine.name}"[:26], object_dice(labels, case))


def compare(case: Marked) -> None:
    """Print a line for short lines and one for clicks."""
    segmenter = SeededSegmenter(case.scene.image, spacing=case.scene.spacing)
    segmenter.prepare()
    warm = ObjectProposer(segmenter)
    warm.propose(marks_of(case, 1, click=False))
    for name, click in (("one stroke", False), ("one click", True)):
        found = propose_each(segmenter, case, click=click)
        print_line(case.scene.name, name, np.array(found.scores), found.seconds)


def propose_each(segmenter: SeededSegmenter, case: Marked, *, click: bool) -> Proposed:
    """Propose and keep one object after the other."""
    proposer = ObjectProposer(segmenter)
    proposer.prepare()
    found = Proposed()
    for label, target in enumerate(case.targets, start=1):
        marks = marks_of(case, label, click=click)
        start = time.perf_counter()
        try:
            proposal = proposer.propose(marks)
        except InputError:
            # An earlier object covers all of the mark.
            found.scores.append(0.0)
            continue
        found.seconds.append(time.perf_counter() - start)
        mask = np.zeros(case.strokes.shape, bool)
        mask[proposal.region] = proposal.mask
        found.scores.append(dice(mask, case.scene.truth == target))
        proposer.keep(label, proposal)
    return found


def marks_of(case: Marked, label: int, *, click: bool) -> NDArray[np.int64]:
    """Places of an object's line, or of a click in the middle of it."""
    places = np.argwhere(case.strokes == label)
    if click:
        centre = places[np.argmin(((places - places.mean(axis=0)) ** 2).sum(axis=1))]
        region = case.scene.truth == case.targets[label - 1]
        places = np.argwhere(disc(case.strokes.shape, centre, CLICK_RADIUS) & region)
    return places


def print_line(
    scene: str, way: str, scores: NDArray[np.float64], seconds: Sequence[float] = ()
) -> None:
    total = summed_up(scores)
    line = f"{scene:<20}{way:<26}{len(scores):>7}{total.mean:>7.3f}{total.median:>8.3f}"
    line += f"{total.worst_tenth:>7.3f}"
    if seconds:
        half = len(seconds) // 2
        for part in (seconds[:half], seconds[half:]):
            line += f"{np.median(part):>12.2f}s{max(part):>6.2f}s"
    print(line, flush=True)


PARTS = {"phantom": measure_phantom, "volumes": measure_volumes}


if __name__ == "__main__":
    sys.exit(main())
