"""How well strokes that real people drew are turned into regions, beside other tools.

Runs the engines with their default settings over the same strokes, and prints the mean Dice
coefficient with the regions that experts drew. Nothing is tuned to single cases, except in the
row that says so: scikit-image's random walker with the best of seven betas for each case.

The images are slices of MedScribble (Wong et al. 2024, ScribblePrompt): nine images of four kinds,
each with strokes of three people.
"""

import argparse
import sys
import time
from collections.abc import Iterable, Sequence

import numpy as np
from engines import ENGINES, Engine, chosen, grab_cut, skimage_walker, warm_up
from marked_images import INSIDE, OUTSIDE, Marked, options_with_data, scribbled_slices
from numpy.typing import NDArray
from region_scores import dice

TWO_CLASS_ENGINES = [key for key in ENGINES if key != "skimage_1000"]
BETAS = (100, 300, 1000, 3000, 10_000, 30_000, 100_000)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("--engines", nargs="+", choices=ENGINES, default=TWO_CLASS_ENGINES)
    options = options_with_data(parser)
    if options is None:
        return 0
    cases = list(scribbled_slices(options.data))
    print(f"Mean Dice over {len(cases)} sets of strokes; the seconds are for all of them.\n")
    print_two_class_table(chosen(options.engines), cases, [case.scene.name for case in cases])
    best = np.max([two_class_dice(skimage_walker(beta), cases) for beta in BETAS], axis=0)
    print_row("scikit-image walker, best beta by truth", best, [c.scene.name for c in cases])
    return 0


def print_two_class_table(
    engines: Iterable[Engine], cases: Sequence[Marked], kinds: Sequence[str]
) -> None:
    """Print the mean Dice coefficient of the inside for each engine, over all cases and by kind.

    Engines that tell objects from background appear a second time, with the outside declared as
    background.
    """
    header = "".join(f"{kind:>22}" if len(kind) > 10 else f"{kind:>10}" for kind in names(kinds))
    print(f"{'':<42}{'mean':>8}{header}{'seconds':>10}")
    extra = grab_cut()
    channels = cases[0].scene.channel_axis is not None
    for engine in [*engines, *([] if extra is None else [extra])]:
        warm_up(engine, 2, channels)
        ways = [(engine.name, None)]
        if engine is ENGINES.get("seeded"):
            ways.append((f"{engine.name}, outside declared", OUTSIDE))
        for name, background in ways:
            start = time.perf_counter()
            scores = two_class_dice(engine, cases, background)
            print_row(name, scores, kinds, time.perf_counter() - start)


def names(kinds: Sequence[str]) -> list[str]:
    return sorted(set(kinds))


def print_row(
    name: str, scores: NDArray[np.float64], kinds: Sequence[str], seconds: float | None = None
) -> None:
    """Print a line of the table."""
    line = f"{name:<42}{scores.mean():>8.3f}"
    for kind in names(kinds):
        width = 22 if len(kind) > 10 else 10
        line += f"{scores[[k == kind for k in kinds]].mean():>{width}.3f}"
    print(line + ("" if seconds is None else f"{seconds:>10.1f}"), flush=True)


def two_class_dice(
    engine: Engine, cases: Iterable[Marked], background: int | None = None
) -> NDArray[np.float64]:
    """Return the Dice coefficient of the inside for each case."""
    return np.array(
        [
            dice(
                engine.on(case, background).solve(case.strokes) == INSIDE,
                case.scene.truth == 1,
            )
            for case in cases
        ]
    )


if __name__ == "__main__":
    sys.exit(main())
