"""What operations are foretold to take, beside what they take; prints a table, asserts nothing.

``python benchmarks/forecasts.py`` takes an hour or more; ``--sizes 64 128`` and names of operations
make it shorter. Seconds are those of the clock, or of both processors together where that is less:
somebody else was working then. Memory is what the process grew by at its peak; Linux only.
Ratios are of foretold over taken: as declared, and as the window shows it after the runs above.
"""

import argparse
import ctypes
import math
import os
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scenes import machine

from napari_seedbed.core.marks.shapes import Shape
from napari_seedbed.errors import InputError
from napari_seedbed.gui.forms.machine_speed import MachineSpeed
from napari_seedbed.pipeline.data.image import Image
from napari_seedbed.pipeline.data.shapes import Shapes
from napari_seedbed.pipeline.engine.declarations import Operation
from napari_seedbed.pipeline.operations import forecast, operations, run

AXES = ("z", "y", "x")
LABELS = (2, 20, 100)
NEEDED = {
    "colour_selection": {"outline": "0 0, 0.45 0, 0.45 1, 0 1"},
    "to_grey": {"weights": "mean"},
}


def cells(n: int, n_cells: int = 100) -> tuple[NDArray[np.uint16], NDArray[np.int32]]:
    """Return a noisy volume of bright balls of many sizes, and a stroke in each of them."""
    rng = np.random.default_rng(3)
    image = rng.integers(80, 120, (n, n, n)).astype(np.uint16)
    seeds = np.zeros(image.shape, np.int32)
    side = math.ceil(n_cells ** (1 / 3))
    step = n / side
    places = rng.permutation(side**3)[:n_cells]
    for label, place in enumerate(places, start=1):
        centre = (np.array(np.unravel_index(place, (side,) * 3)) + 0.5) * step
        radius = step * rng.uniform(0.25, 0.45)
        box = tuple(slice(max(int(c - radius), 0), int(c + radius) + 1) for c in centre)
        grid = np.ogrid[box]
        inside = sum((g - c) ** 2 for g, c in zip(grid, centre, strict=True)) <= radius**2
        image[box][inside] += 200
        z, y, x = centre.astype(int)
        reach = max(int(radius / 2), 1)
        seeds[z, y, x - reach : x + reach + 1] = label
    return image, seeds


def scene(operation: Operation, n: int, n_labels: int) -> dict[str, Image | Shapes]:
    """Inputs as the operation wants them, with as many labels."""
    voxels, seeds = cells(n, max(LABELS))
    inside = np.where(voxels > 200, 1, 0).astype(np.int32)
    blocks = 1 + np.indices(voxels.shape, sparse=True)[0] * n_labels // n
    labels = inside * blocks.astype(np.int32)
    kinds = {"image": voxels, "labels": labels, "mask": inside.astype(bool)}
    array = kinds[operation.image_kind]
    given: dict[str, Image | Shapes] = {}
    if operation.least_channels > 1:
        array = np.stack([np.roll(array, c, axis=-1) for c in range(operation.least_channels)])
        given["image"] = Image(array, ("c", *AXES), name="image")
    elif operation.name.startswith("series_"):
        # One time point alone is compared with itself, which takes next to nothing.
        film = np.stack([np.roll(array, t, axis=-1) for t in range(3)])
        given["image"] = Image(film, ("t", *AXES), name="image")
    else:
        given["image"] = Image(array, AXES, name="image")
    needed = {*operation.takes, *operation.one_of[:1]}
    if {one.name for one in operation.parameters if one.type == "text"} & {"colours", "training"}:
        needed.add("seeds")
    if "other" in needed:
        given["other"] = Image(np.roll(kinds[operation.other_kind], 1, axis=-1), AXES, name="other")
    if "seeds" in needed:
        seeds = np.where(seeds <= n_labels, seeds, 0)
        given["seeds"] = Image(seeds, AXES, name="seeds")
    if "shapes" in needed:
        given["shapes"] = Shapes(tuple(squares(seeds, n_labels)))
    return given


def squares(seeds: NDArray[np.int32], n_labels: int) -> Iterator[Shape]:
    """A square around each stroke."""
    corners = np.array([[0, -1, -1], [0, -1, 1], [0, 1, 1], [0, 1, -1]])
    for label in range(1, n_labels + 1):
        where = np.argwhere(seeds == label)
        yield Shape(label, where.mean(axis=0) + corners * max(np.ptp(where[:, 2]), 4))


def peak_is(field: str) -> int:
    """A field of /proc/self/status in bytes."""
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith(field):
            return int(line.split()[1]) * 1024
    raise ValueError(field)


def measured(operation: Operation, inputs: dict[str, Image | Shapes]) -> tuple[float, int]:
    """Seconds and bytes of a run."""
    # What was freed but not given back would be taken again without a sign.
    ctypes.CDLL(None).malloc_trim(0)
    Path("/proc/self/clear_refs").write_text("5")
    before, began, worked = peak_is("VmRSS"), time.perf_counter(), time.process_time()
    run(operation, inputs, NEEDED.get(operation.name))
    elapsed = time.perf_counter() - began
    busy = time.process_time() - worked
    return min(elapsed, busy), peak_is("VmHWM") - before


def counts_labels(operation: Operation) -> bool:
    """Whether people say how many labels there are."""
    return bool({"seeds", "shapes"} & set(operation.roles)) or operation.image_kind == "labels"


def main() -> None:
    """Print a row for each operation, size and number of labels."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("names", nargs="*", default=[])
    parser.add_argument("--sizes", nargs="+", type=int, default=[64, 128, 256])
    parser.add_argument("--most", type=float, default=60, help="seconds foretold, at most")
    chosen = parser.parse_args()
    speed = MachineSpeed()
    print(f"{machine()}, {os.cpu_count()} processors")
    print(f"{'operation':30} {'size':>4} {'labels':>6} {'s foretold':>10} {'taken':>8} "
          f"{'ratio':>6} {'learnt':>6} {'MB foretold':>11} {'taken':>8} {'ratio':>6}")  # fmt: skip
    for operation in [operations[name] for name in chosen.names] or operations.values():
        if operation.name in ("crop", "take_channel", "stack_channels"):
            continue
        # Compiles what is not in the cache.
        with suppress(InputError):
            run(operation, scene(operation, 48, 2), NEEDED.get(operation.name))
        for n in chosen.sizes:
            for n_labels in LABELS if counts_labels(operation) else LABELS[:1]:
                inputs = scene(operation, n, n_labels)
                cost = forecast(operation, inputs, NEEDED.get(operation.name))
                row = f"{operation.name:30} {n:4} {n_labels:6} {cost.seconds:10.2f}"
                if cost.seconds > chosen.most or not cost.fits:
                    print(f"{row}        -", flush=True)
                    continue
                try:
                    seconds, amount = measured(operation, inputs)
                except InputError as error:
                    print(f"{row}        - {error}", flush=True)
                    continue
                learnt = speed.corrected(operation.name, cost).seconds
                speed.learn(operation.name, cost.seconds, seconds)
                print(
                    f"{row} {seconds:8.2f} {cost.seconds / max(seconds, 1e-3):6.2f} "
                    f"{learnt / max(seconds, 1e-3):6.2f} "
                    f"{cost.bytes / 1e6:11.1f} {amount / 1e6:8.1f} "
                    f"{cost.bytes / max(amount, 1):6.2f}",
                    flush=True,
                )


if __name__ == "__main__":
    main()
