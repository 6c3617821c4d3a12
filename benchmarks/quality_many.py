"""One stroke an object: how well and how fast many objects are told apart, beside other tools.

Real pictures and volumes of nuclei, where each object has one short stroke and the background a
line or three, declared as background. Prints mean, median and worst tenth of the objects' Dice
coefficients, the seconds for a first answer and after one more stroke. That stroke changes the
answer: it claims an object that had none, or on the phantoms also gives an object another label.

Times are measured on phantoms of touching balls too, with more and more labels, as is the peak of
memory beyond image and strokes, and how the forecast compares. Parts can be run alone:
``python benchmarks/quality_many.py volumes --engines seeded watershed``.
"""

import argparse
import sys
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np
from engines import ENGINES, Engine, Solver, chosen, warm_up
from marked_images import Marked, Scene, options_with_data, pictures, volumes
from numpy.typing import NDArray
from peak_memory import peak_memory
from region_scores import ObjectScores, object_dice, summed_up
from scenes import machine, touching_balls
from strokes import deepest, disc, mark_each

from napari_seedbed.core import SeededSegmenter, seeded_segmentation_seconds
from napari_seedbed.core.progress import Progress
from napari_seedbed.core.threads import thread_count

Labels = NDArray[np.integer]

SMALLEST = {2: 60, 3: 500}
PHANTOMS = (
    ((60, 256, 256), (2, 10, 10), 2),
    ((60, 256, 256), (2, 10, 10), 20),
    ((60, 256, 256), (2, 10, 10), 200),
    ((256, 256, 256), (3, 3, 3), 20),
    ((2048, 2048), (4, 4), 10),
)
"""Shape, balls along each axis, and labels, the background's among them."""

FORECASTS = (
    ((40, 100, 100), (2, 4, 4), 10, 1),
    ((60, 256, 256), (2, 10, 10), 2, 1),
    ((60, 256, 256), (2, 10, 10), 20, 1),
    ((60, 256, 256), (2, 10, 10), 200, 1),
    ((60, 256, 256), (2, 10, 10), 20, 2),
    ((256, 256, 256), (3, 3, 3), 20, 1),
    ((512, 512), (4, 4), 10, 1),
    ((2048, 2048), (4, 4), 10, 1),
    ((2048, 2048), (4, 4), 10, 3),
)
"""As `PHANTOMS`, and channels."""

PEAK_SETUP = """
from engines import ENGINES, warm_up
from quality_many import phantom
engine = ENGINES[{key!r}]
marked = phantom({shape}, {across}, {n_labels})
warm_up(engine, marked.strokes.ndim, False)
"""


@dataclass(frozen=True)
class Answer:
    """What a solver gave, and after how many seconds.

    If it showed the slice in view before, `first_look` is when, and `right_at_first` the share of
    the slice that was then as in the end.
    """

    labels: Labels
    seconds: float
    first_look: float | None = None
    right_at_first: float | None = None


@dataclass(frozen=True)
class Measured:
    """An engine's scores on a scene, and its times for the first answer and one more stroke."""

    scores: ObjectScores
    cold: float
    more: Answer


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("parts", nargs="*", choices=[[], *PARTS], help="what to run; all if none")
    default = [key for key in ENGINES if not key.startswith("skimage")]
    parser.add_argument("--engines", nargs="+", choices=ENGINES, default=default)
    options = options_with_data(parser)
    if options is None:
        return 0
    print(f"{machine()}, {thread_count()} cores; Python {sys.version.split()[0]}")
    for part in options.parts or PARTS:
        PARTS[part](options)
    return 0


def compare_pictures(options: argparse.Namespace) -> None:
    """Print how the engines do on the eleven pictures."""
    compare([marked(scene) for scene in pictures(options.data)], chosen(options.engines))


def compare_volumes(options: argparse.Namespace) -> None:
    """Print how the engines do on the three volumes."""
    compare([marked(scene) for scene in volumes(options.data)], chosen(options.engines))


def marked(scene: Scene) -> Marked:
    """Mark each object that is not tiny, and the background."""
    return mark_each(scene, SMALLEST[scene.truth.ndim])


def compare(cases: list[Marked], engines: Iterable[Engine]) -> None:
    """Print a line for each scene and engine, and one for all scenes together."""
    print(f"\n{'one stroke an object':<42}{'':<16}objects{'mean':>7}{'median':>8}", end="")
    print(f"{'worst':>7}{'cold':>9}{'one more':>10}{'in view':>9}")
    for engine in engines:
        warm_up(engine, cases[0].strokes.ndim, cases[0].scene.channel_axis is not None)
        found = []
        for case in cases:
            measured = measure(engine, case)
            found.append(measured)
            print_line(engine, case.scene.name, len(case.targets), measured.scores, measured)
        rows = np.array([[m.scores.mean, m.scores.median, m.scores.worst_tenth] for m in found])
        n_objects = sum(len(case.targets) for case in cases)
        print_line(engine, "mean of these", n_objects, ObjectScores(*rows.mean(axis=0)))


def print_line(
    engine: Engine,
    name: str,
    n_objects: int,
    scores: ObjectScores,
    measured: Measured | None = None,
) -> None:
    line = f"{engine.name:<42}{name:<16}{n_objects:>7}{scores.mean:>7.3f}{scores.median:>8.3f}"
    line += f"{scores.worst_tenth:>7.3f}"
    if measured is not None:
        look = measured.more.first_look
        line += f"{measured.cold:>8.2f}s{measured.more.seconds:>9.2f}s"
        line += f"{'-':>9}" if look is None else f"{look:>8.2f}s"
    print(line, flush=True)


def measure(engine: Engine, case: Marked) -> Measured:
    """Return how an engine does on a scene; one more stroke claims an object that had none."""
    start = time.perf_counter()
    solver = engine.on(case, case.background)
    labels = solver.solve(case.strokes.copy())
    cold = time.perf_counter() - start
    scores = summed_up(object_dice(labels, case))
    last = len(case.targets)
    solver.solve(np.where(case.strokes == last, 0, case.strokes))
    return Measured(scores, cold, solved(solver, case.strokes.copy(), slice_of(case, last)))


def slice_of(case: Marked, label: int) -> int:
    """Return the slice of a label's stroke."""
    return int(np.nonzero(case.strokes == label)[0][0]) if case.strokes.ndim == 3 else 0


def solved(solver: Solver, strokes: Labels, index: int) -> Answer:
    """Return the answer with the slice `index` in view."""
    looks: list[tuple[float, Labels]] = []

    def report(progress: Progress) -> None:
        if progress.preview is not None:
            looks.append((time.perf_counter() - start, progress.preview.labels.copy()))

    start = time.perf_counter()
    labels = solver.solve(strokes, view=(0, index), report=report)
    seconds = time.perf_counter() - start
    if not looks:
        return Answer(labels, seconds)
    after, first = looks[0]
    shown = labels[index] if labels.ndim == 3 else labels
    return Answer(labels, seconds, after, float((first == shown).mean()))


def compare_times(options: argparse.Namespace) -> None:
    """Print the engines' times on the phantoms."""
    print(
        f"\n{'phantoms of touching balls':<42}{'':<16}{'labels':>7}{'mean':>7}{'cold':>9}", end=""
    )
    print(f"{'one more stroke':>22}{'changes':>9}{'whole':>9}{'in view':>9}{'agrees':>8}")
    for engine in chosen(options.engines):
        for shape, across, n_labels in PHANTOMS:
            case = phantom(shape, across, n_labels)
            warm_up(engine, len(shape), channels=False)
            start = time.perf_counter()
            solver = engine.on(case, case.background)
            before = solver.solve(case.strokes.copy())
            cold = time.perf_counter() - start
            head = f"{engine.name:<42}{'x'.join(map(str, shape)):<16}{n_labels:>7}"
            head += f"{object_dice(before, case).mean():>7.3f}{cold:>8.2f}s"
            for what, strokes, index in strokes_more(case):
                more = solved(solver, strokes, index)
                changes = float((more.labels != before).mean())
                line = f"{head}{what:>22}{changes:>8.2%}{more.seconds:>8.2f}s"
                if more.first_look is not None and more.right_at_first is not None:
                    line += f"{more.first_look:>8.2f}s{more.right_at_first:>8.2%}"
                print(line, flush=True)
                head = " " * len(head)
                solver.solve(case.strokes.copy())


def phantom(shape: tuple[int, ...], across: tuple[int, ...], n_labels: int) -> Marked:
    """Return a phantom in which all but one of the labels are balls, the last the background.

    At least one ball has no stroke, so that one more can claim it.
    """
    image, truth = touching_balls(shape, across)
    everything = mark_each(Scene("balls", image, truth), smallest=1)
    # Balls far from each other are as likely as neighbours.
    order = np.random.default_rng(1).permutation(len(everything.targets))[: n_labels - 1]
    strokes = np.zeros_like(everything.strokes)
    for label, ball in enumerate(order, start=1):
        strokes[everything.strokes == ball + 1] = label
    strokes[everything.strokes == everything.background] = n_labels
    targets = tuple(everything.targets[ball] for ball in order)
    return Marked(everything.scene, strokes, targets, n_labels)


def strokes_more(case: Marked) -> Iterator[tuple[str, Labels, int]]:
    """Yield strokes that change the answer: what each does, all strokes with it, and its slice."""
    truth = case.scene.truth
    free = next(ball for ball in range(1, int(truth.max()) + 1) if ball not in case.targets)
    place, _ = deepest(truth == free)
    mark = disc(truth.shape, place, 5) & (truth == free)
    index = place[0] if truth.ndim == 3 else 0
    claimed = case.strokes.copy()
    claimed[mark] = int(case.strokes.max()) + 1
    yield "claims an object", claimed, index
    joined = case.strokes.copy()
    joined[mark] = 1
    yield "joins two objects", joined, index
    if len(case.targets) < 2:
        return
    # The first object's own stroke is drawn over with another label.
    given = case.strokes.copy()
    given[case.strokes == 1] = 2
    yield "gives it another label", given, slice_of(case, 1)


def compare_memory(options: argparse.Namespace) -> None:
    """Print the engines' peak of memory beyond image and strokes."""
    print(f"\n{'peak beyond image and strokes':<42}{'':<16}{'labels':>7}{'bytes a voxel':>16}")
    for key in options.engines:
        for shape, across, n_labels in PHANTOMS:
            setup = PEAK_SETUP.format(key=key, shape=shape, across=across, n_labels=n_labels)
            job = "engine.on(marked, marked.background).solve(marked.strokes)"
            peak = peak_memory(setup, job)
            size = "x".join(map(str, shape))
            print(
                f"{ENGINES[key].name:<42}{size:<16}{n_labels:>7}"
                f"{peak.resident / np.prod(shape):>16.1f}",
                flush=True,
            )


def compare_forecast(options: argparse.Namespace) -> None:
    """Print the forecast of the default engine's first answer beside the time that it takes."""
    print(f"\n{'forecast of the first answer':<42}{'':<16}{'labels':>7}{'channels':>9}", end="")
    print(f"{'forecast':>10}{'measured':>10}{'ratio':>7}")
    engine = ENGINES["seeded"]
    for shape, across, n_labels, n_channels in FORECASTS:
        case = phantom(shape, across, n_labels)
        image, axis = case.scene.image, None
        if n_channels > 1:
            noise = np.random.default_rng(0).normal(0, 0.02, (*shape, n_channels))
            image, axis = image[..., np.newaxis] + noise, len(shape)
        warm_up(engine, len(shape), n_channels > 1)
        forecast = seeded_segmentation_seconds(shape, n_labels, n_channels)
        start = time.perf_counter()
        SeededSegmenter(image, channel_axis=axis, background=case.background).solve(case.strokes)
        seconds = time.perf_counter() - start
        print(
            f"{engine.name:<42}{'x'.join(map(str, shape)):<16}{n_labels:>7}{n_channels:>9}"
            f"{forecast:>9.2f}s{seconds:>9.2f}s{forecast / seconds:>7.2f}",
            flush=True,
        )


PARTS = {
    "pictures": compare_pictures,
    "volumes": compare_volumes,
    "times": compare_times,
    "memory": compare_memory,
    "forecast": compare_forecast,
}


if __name__ == "__main__":
    sys.exit(main())
