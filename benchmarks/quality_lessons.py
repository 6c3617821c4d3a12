"""What was learnt on one image serves on the next: as good with fewer strokes?

Pictures and volumes of nuclei go in pairs of a kind: two pictures that look alike, or the left and
the right half of one. On the one each object has one short stroke and the background its lines. On
the other each object has its stroke, but the background only a dot where it is widest. Prints the
objects' mean Dice coefficient there with the dot alone, with the dot and what the first image
taught, and, to compare, with all lines of background, without and with the lesson.

Each image of a pair learns from the other.
"""

import argparse
import sys
from collections.abc import Iterator

import numpy as np
from marked_images import Marked, Scene, cropped, options_with_data, pictures, volumes
from quality_many import marked
from region_scores import object_dice
from strokes import deepest, disc

from napari_seedbed.core import Lesson, SeededSegmenter

ALIKE = (("05040e2e", "edd36ed8"), ("2dd3356f", "6ab24e7e"), ("43cf6b2e", "cc886273"))
"""Pictures of one kind, as they look; of the others, one half learns from the other."""

DOT_RADIUS = 3
COLUMNS = ("dot", "dot, lesson", "lines", "lines, lesson")


def main() -> int:
    options = options_with_data(argparse.ArgumentParser(description=__doc__.split("\n\n")[0]))
    if options is None:
        return 0
    print(f"{'objects, mean Dice':<30}objects" + "".join(f"{name:>15}" for name in COLUMNS))
    found: list[list[float]] = []
    for one, other in pairs(options):
        found += [compared(one, other), compared(other, one)]
    rows = np.array(found)
    print_line("mean of these", "", list(rows.mean(axis=0)))
    print_line("worst of these", "", list(rows.min(axis=0)))
    return 0


def pairs(options: argparse.Namespace) -> Iterator[tuple[Scene, Scene]]:
    """Yield two images of each kind."""
    scenes = {scene.name: scene for scene in pictures(options.data)}
    for one, other in ALIKE:
        yield scenes.pop(one), scenes.pop(other)
    for scene in (*scenes.values(), *volumes(options.data)):
        yield half(scene, "left"), half(scene, "right")


def half(scene: Scene, side: str) -> Scene:
    """Return one side of a scene."""
    middle = scene.truth.shape[-1] // 2
    columns = slice(None, middle) if side == "left" else slice(middle, None)
    part = cropped(scene, (slice(None),) * (scene.truth.ndim - 1) + (columns,))
    return Scene(f"{scene.name} {side}", part.image, part.truth, part.spacing, part.channel_axis)


def compared(teacher: Scene, pupil: Scene) -> list[float]:
    """Print and return how well the pupil's objects come out, in the order of the columns."""
    lines = marked(teacher)
    segmenter = segmenter_on(lines)
    segmenter.solve(lines.strokes)
    lesson = segmenter.lesson
    lines = marked(pupil)
    dot = with_a_dot(lines)
    segmenter = segmenter_on(lines)
    found = [mean_dice(segmenter, case, given) for case in (dot, lines) for given in (None, lesson)]
    print_line(pupil.name, str(len(lines.targets)), found)
    return found


def segmenter_on(case: Marked) -> SeededSegmenter:
    """Return a segmenter for a scene."""
    scene = case.scene
    return SeededSegmenter(
        scene.image, scene.spacing, scene.channel_axis, background=case.background
    )


def mean_dice(segmenter: SeededSegmenter, case: Marked, lesson: Lesson | None) -> float:
    """Return how well the objects come out with a lesson or without."""
    return float(object_dice(segmenter.solve(case.strokes, lesson=lesson), case).mean())


def with_a_dot(case: Marked) -> Marked:
    """Return the same marks with a dot of background instead of its lines."""
    truth = case.scene.truth
    strokes = np.where(case.strokes == case.background, 0, case.strokes).astype(np.int32)
    middle = (len(truth) // 2,) if truth.ndim == 3 else ()
    place = (*middle, *deepest(truth[middle] == 0)[0])
    dot = disc(truth.shape, place, DOT_RADIUS) & (truth == 0)
    assert case.background is not None
    strokes[dot] = case.background
    return Marked(case.scene, strokes, case.targets, case.background)


def print_line(name: str, count: str, found: list[float]) -> None:
    print(f"{name:<30}{count:>7}" + "".join(f"{one:>15.3f}" for one in found), flush=True)


if __name__ == "__main__":
    sys.exit(main())
