"""How well strokes on coloured images are turned into regions, beside other tools.

A photograph of a plant and four pictures of stained tissue, two sets of simulated strokes each:
along the middle of the region and of what is outside. Either all nuclei are wanted and four of
them have a stroke ("all of a kind"), or one of the nuclei in a small part of the picture ("one
among like ones"). Prints the mean Dice coefficient.
"""

import argparse
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from engines import ENGINES, chosen
from marked_images import (
    INSIDE,
    OUTSIDE,
    STAINED,
    Marked,
    Scene,
    options_with_data,
    picture,
    plant,
)
from numpy.typing import NDArray
from quality_scribbles import TWO_CLASS_ENGINES, print_two_class_table
from scipy import ndimage as ndi
from strokes import scribble

ALL, ONE = "all of a kind", "one among like ones"
HALF_WIDTH = 48
SETS = 2


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("--engines", nargs="+", choices=ENGINES, default=TWO_CLASS_ENGINES)
    options = options_with_data(parser)
    if options is None:
        return 0
    kinds, cases = zip(*coloured_cases(options.data), strict=True)
    print(f"Mean Dice over {len(cases)} sets of strokes; the seconds are for all of them.\n")
    print_two_class_table(chosen(options.engines), cases, kinds)
    return 0


def coloured_cases(data: Path) -> Iterator[tuple[str, Marked]]:
    """Yield the marked pictures, each with what is wanted of it."""
    for number in range(SETS):
        scene = plant(data)
        rng = np.random.default_rng(number)
        outside = scribble(scene.truth == 0, rng, 3)
        yield ALL, _marked(scene, outside, scribble(scene.truth > 0, rng, 2))
    for name in STAINED:
        scene = picture(data, name)
        image, truth = scene.image[:256, :320], scene.truth[:256, :320]
        for number in range(SETS):
            yield ALL, _all_marked(image, truth, np.random.default_rng(number))
        values, sizes = np.unique(truth[truth > 0], return_counts=True)
        for value in values[np.argsort(-sizes)][:2]:
            for number in range(SETS):
                yield ONE, _one_marked(image, truth == value, np.random.default_rng(number))


def _all_marked(
    image: NDArray[np.floating], truth: NDArray[np.integer], rng: np.random.Generator
) -> Marked:
    """Mark four of the ten largest parts of the nuclei."""
    outside = scribble(truth == 0, rng, 3)
    parts, _ = ndi.label(truth > 0)
    values, sizes = np.unique(parts[parts > 0], return_counts=True)
    largest = values[np.argsort(-sizes)][:10]
    inside = np.zeros(truth.shape, bool)
    for value in rng.choice(largest, 4, replace=False):
        inside |= scribble(parts == value, rng)
    return _marked(_two_classes(image, truth > 0), outside, inside)


def _one_marked(
    image: NDArray[np.floating], region: NDArray[np.bool_], rng: np.random.Generator
) -> Marked:
    """Mark one nucleus and, twice, its surroundings."""
    box = tuple(
        slice(max(0, int(centre) - HALF_WIDTH), int(centre) + HALF_WIDTH)
        for centre in ndi.center_of_mass(region)
    )
    region = region[box]
    outside = scribble(~region, rng, 2)
    return _marked(_two_classes(image[box], region), outside, scribble(region, rng))


def _two_classes(image: NDArray[np.floating], region: NDArray[np.bool_]) -> Scene:
    return Scene("", image, region.astype(np.int32), channel_axis=-1)


def _marked(scene: Scene, outside: NDArray[np.bool_], inside: NDArray[np.bool_]) -> Marked:
    strokes = np.where(inside, INSIDE, np.where(outside, OUTSIDE, 0)).astype(np.int32)
    return Marked(scene, strokes, (1,))


if __name__ == "__main__":
    sys.exit(main())
