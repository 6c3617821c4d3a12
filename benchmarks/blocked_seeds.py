"""Seeded segmentation of a volume that is far larger than memory, block by block.

Makes a phantom of 50 bodies as a Zarr store with its truth, block by block, and segments it from
one stroke a body. Prints seconds for the first answer and after one more stroke, the peak of
resident memory, the Dice coefficients, and, where the volume fits into memory, how the labels
agree with those of the engine in memory, at the sides of blocks and elsewhere:

    python benchmarks/blocked_seeds.py --side 384 --compare
    python benchmarks/blocked_seeds.py --side 1024
"""

import argparse
import resource
import shutil
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from itertools import product
from pathlib import Path

import numpy as np
import zarr
from bright_bodies import Bodies
from numpy.typing import NDArray
from scenes import machine

from napari_seedbed.core import BlockedSegmenter, SeededSegmenter
from napari_seedbed.core.progress import Progress, running
from napari_seedbed.core.seeded.blocked_labels import BlockedLabels
from napari_seedbed.core.threads import thread_count
from napari_seedbed.pipeline.engine.block_workers import Workers, threads
from napari_seedbed.pipeline.operations.seeded_blocks import WorkerTasks

N_BODIES = 50
CHUNK = 128


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("--side", type=int, default=384, help="voxels along each axis")
    parser.add_argument("--block", type=int, default=256, help="voxels of a block along each axis")
    parser.add_argument("--folder", type=Path, help="where stores are kept; made where missing")
    parser.add_argument("--compare", action="store_true", help="with the engine in memory, too")
    options = parser.parse_args()
    folder = options.folder or Path(tempfile.mkdtemp())
    print(f"{machine()}, {thread_count()} cores; Python {sys.version.split()[0]}")
    try:
        with threads(thread_count()) as workers:
            measure(folder, options.side, options.block, workers, compare=options.compare)
    finally:
        if options.folder is None:
            shutil.rmtree(folder)
    return 0


def measure(folder: Path, side: int, block: int, workers: Workers, *, compare: bool) -> None:
    """Print what a volume of this side takes, and how good the labels are."""
    bodies = Bodies.thrown(side, N_BODIES)
    image, truth = phantom(folder, bodies)
    places, labels = bodies.strokes()
    ground = N_BODIES + 1
    segmenter = BlockedSegmenter(
        image,
        store(folder / "basins", side),
        store(folder / "painted", side),
        (block,) * 3,
        run=WorkerTasks(workers),
    )
    cold = Timed()
    segmenter.prepare()
    print(f"{side}^3 in blocks of {block}^3: looked at {cold}", flush=True)
    found = segmenter.solve(places, labels, background=[ground])
    print(f"first answer {cold}")
    scores = dice_of(found, truth)
    print(f"Dice with the truth: mean {scores.mean():.4f}, worst {scores.min():.4f}")
    seams = dict(found_at_seams(found, truth))
    print(f"wrong voxels at sides of blocks {seams['side']:.3%}, elsewhere {seams['else']:.3%}")
    if compare:
        compare_in_memory(image, bodies, found)
    more_places, more_labels, plane = one_more(bodies)
    looks: list[str] = []

    def report(progress: Progress) -> None:
        if progress.preview is not None:
            looks.append(str(again))

    again = Timed()
    with running(report=report):
        later = segmenter.solve(
            np.concatenate([places, more_places]),
            np.concatenate([labels, more_labels]),
            background=[ground],
            view=(0, plane),
            anew=False,
        )
    print(
        f"one more stroke {again}, in view after {looks[0]}; "
        f"{len(later.changed)} of {len(segmenter.grid.regions)} blocks changed"
    )
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    print(f"peak of resident memory {peak:.2f} GiB")


class Timed:
    """Seconds since it was made, and how many of them the processors worked."""

    def __init__(self) -> None:
        self._start, self._worked = time.perf_counter(), time.process_time()

    @property
    def seconds(self) -> float:
        """Since it was made."""
        return time.perf_counter() - self._start

    def __str__(self) -> str:
        return f"{self.seconds:.1f} s ({time.process_time() - self._worked:.1f} s of processors)"


def phantom(folder: Path, bodies: Bodies) -> tuple[zarr.Array, zarr.Array]:
    """Return image and truth, made block by block where they are not there yet."""
    side = bodies.side
    places = folder / f"image-{side}", folder / f"truth-{side}"
    if not all((place / "done").exists() for place in places):
        start = time.perf_counter()
        image = store(places[0], side, np.uint16)
        truth = store(places[1], side, np.uint8)

        def make(low: tuple[int, int, int]) -> None:
            there = tuple(slice(start, start + CHUNK) for start in low)
            image[there], truth[there] = bodies.block(low, CHUNK)

        with ThreadPoolExecutor(thread_count()) as pool:
            list(pool.map(make, product(range(0, side, CHUNK), repeat=3)))
        for place in places:
            (place / "done").touch()
        print(f"phantom made in {time.perf_counter() - start:.1f} s")
    image, truth = (zarr.open_array(place, mode="r") for place in places)
    return image, truth


def store(place: Path, side: int, dtype: type = np.int32) -> zarr.Array:
    """Return a new store for a volume."""
    shutil.rmtree(place, ignore_errors=True)
    # Planes are looked at, too.
    chunks = (min(CHUNK // 4, side), min(CHUNK, side), min(CHUNK, side))
    return zarr.create_array(place, shape=(side,) * 3, chunks=chunks, dtype=dtype)


def dice_of(found: BlockedLabels, truth: zarr.Array) -> NDArray[np.float64]:
    """Dice coefficient of each body."""
    counts = np.zeros((N_BODIES + 2, N_BODIES + 2), np.int64)
    for number, region in enumerate(found.grid.regions):
        both = found.block(number).astype(np.int64) * len(counts) + truth[region]
        counts += np.bincount(both.ravel(), minlength=counts.size).reshape(counts.shape)
    return of_counts(counts)


def of_counts(counts: NDArray[np.int64]) -> NDArray[np.float64]:
    """Dice coefficient of each body, from the table of how often labels meet."""
    own = slice(1, N_BODIES + 1)
    scores: NDArray[np.float64] = (
        2 * np.diag(counts)[own] / (counts.sum(axis=0)[own] + counts.sum(axis=1)[own])
    )
    return scores


def found_at_seams(found: BlockedLabels, truth: zarr.Array) -> list[tuple[str, float]]:
    """Share of wrong voxels at inner sides of blocks, and of those a quarter block away."""
    wrong = {"side": 0, "else": 0}
    total = {"side": 0, "else": 0}
    side = found.grid.shape[0]
    for axis, size in enumerate(found.grid.block):
        for at in range(size, side, size):
            for where, place in (("side", at), ("else", at - size // 4)):
                region = [slice(0, side)] * 3
                region[axis] = slice(place, place + 1)
                z, y, x = region
                labels = found.read((z, y, x))
                labels[labels == N_BODIES + 1] = 0
                wrong[where] += int(np.count_nonzero(labels != truth[z, y, x]))
                total[where] += labels.size
    return [(where, wrong[where] / max(total[where], 1)) for where in wrong]


def compare_in_memory(image: zarr.Array, bodies: Bodies, found: BlockedLabels) -> None:
    """Print how the labels agree with those of the engine in memory."""
    whole = image[:]
    places, labels = bodies.strokes()
    seeds = np.zeros(whole.shape, np.int32)
    seeds[tuple(places.T)] = labels
    timed = Timed()
    expected = SeededSegmenter(whole, background=N_BODIES + 1).solve(seeds)
    counts = np.zeros((N_BODIES + 2, N_BODIES + 2), np.int64)
    differ = 0
    for number, region in enumerate(found.grid.regions):
        own = found.block(number)
        differ += int(np.count_nonzero(own != expected[region]))
        both = own.astype(np.int64) * len(counts) + expected[region]
        counts += np.bincount(both.ravel(), minlength=counts.size).reshape(counts.shape)
    scores = of_counts(counts)
    print(f"in memory {timed}")
    print(
        f"Dice with the labels in memory: mean {scores.mean():.5f}, worst {scores.min():.5f}; "
        f"{differ} voxels differ"
    )


def one_more(bodies: Bodies) -> tuple[NDArray[np.int64], NDArray[np.int64], int]:
    """Return one more stroke in the first body, beside its first one, and the plane it lies in."""
    z, y, x = np.rint(bodies.centres[0]).astype(int)
    reach = int(bodies.half_axes[0].min() // 2)
    along = np.arange(-reach, reach + 1)
    line = np.stack([np.full_like(along, z + reach // 2), y + along, np.full_like(along, x)], 1)
    return line, np.ones(len(line), np.int64), int(z + reach // 2)


if __name__ == "__main__":
    sys.exit(main())
