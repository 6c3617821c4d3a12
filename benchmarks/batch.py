"""Many files: what more processes bring, what a batch costs beyond its work, and how it begins.

Prints the seconds of whole commands on 40 files with one and two workers of one thread, and with
one worker of two threads; the milliseconds a small file takes beyond being read, worked on and
written, which as many plain processes at once do for comparison; and the seconds from the start of
the command to its first result. A part can be run alone: ``python benchmarks/batch.py small``.
"""

import argparse
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path

import numpy as np
from scenes import machine
from scipy import ndimage

from napari_seedbed.core.threads import at_most_threads, core_count
from napari_seedbed.pipeline.batch import Workers, run_batch
from napari_seedbed.pipeline.data.image import Image
from napari_seedbed.pipeline.files import read_image, write_image
from napari_seedbed.pipeline.files.writers import write_result
from napari_seedbed.pipeline.operations import run
from napari_seedbed.pipeline.recipes import load_recipe, recipe_from_record, replay, save_recipe

COMMAND = (sys.executable, "-m", "napari_seedbed.pipeline.cli", "run")
ROUNDS = 3
"""Of whole commands; the fastest counts."""


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("parts", nargs="*", choices=[[], *PARTS], help="what to run; all if none")
    parts = parser.parse_args().parts or PARTS
    print(f"{machine()}, {core_count()} cores; Python {sys.version.split()[0]}")
    for part in parts:
        with tempfile.TemporaryDirectory() as folder:
            PARTS[part](Path(folder))
    return 0


def spots(side: int, seed: int) -> Image:
    """A picture with blurred spots and noise."""
    rng = np.random.default_rng(seed)
    array = np.zeros((side, side), np.float32)
    array[tuple(rng.integers(0, side, (2, side // 8)))] = 1
    array = ndimage.gaussian_filter(array, 6)
    array = 20 + 180 * array / array.max() + rng.normal(0, 4, array.shape)
    return Image(
        np.clip(array, 0, 255).astype(np.uint8), ("y", "x"), (0.2, 0.2), ("micrometer",) * 2
    )


def make_files(folder: Path, count: int, side: int) -> list[str]:
    names = [f"spots{n:03}.ome.tif" for n in range(count)]
    for n, name in enumerate(names):
        write_image(folder / name, spots(side, n))
    return names


def measure_workers(folder: Path) -> None:
    """Print what whole commands take with one and two processes."""
    names = make_files(folder, 40, 1024)
    smooth = run("non_local_means", {"image": read_image(folder / names[0])}).image("image")
    labels = run("label", {"image": run("threshold", {"image": smooth}).image("mask")})
    save_recipe(folder / "recipe.yaml", recipe_from_record(labels.record))
    took: dict[tuple[int, int], list[float]] = {(1, 1): [], (1, 2): [], (2, 1): []}
    halves: list[float] = []
    # by turns, so that what else the machine does hits all alike
    for _ in range(ROUNDS):
        for (workers, threads), all_seconds in took.items():
            options = ["--workers", str(workers), "--threads", str(threads), "-q", "--overwrite"]
            begin = time.perf_counter()
            subprocess.run(
                [*COMMAND, "recipe.yaml", *names, "-o", "out", *options], cwd=folder, check=True
            )
            all_seconds.append(time.perf_counter() - begin)
        halves.append(_seconds_of_halves(folder, names))
    seconds = {key: min(all_seconds) for key, all_seconds in took.items()}
    print(f"\n{len(names)} pictures of 1024^2, non-local means, threshold, label; whole commands:")
    for (workers, threads), fastest in seconds.items():
        ratio = seconds[1, 1] / fastest
        print(f"  {workers} worker(s) of {threads} thread(s): {fastest:6.1f} s, {ratio:.2f} times")
    both = min(halves)
    print(f"  two commands, each on half:   {both:6.1f} s, {seconds[1, 1] / both:.2f} times")


def _seconds_of_halves(folder: Path, names: Sequence[str]) -> float:
    """What two commands of one thread take side by side: as much as the machine can do at once."""
    options = ["--workers", "1", "--threads", "1", "-q", "--overwrite"]
    begin = time.perf_counter()
    running = [
        subprocess.Popen(
            [*COMMAND, "recipe.yaml", *names[nth::2], "-o", f"half{nth}", *options], cwd=folder
        )
        for nth in range(2)
    ]
    for process in running:
        process.wait()
    return time.perf_counter() - begin


def measure_small(folder: Path) -> None:
    """Print what a small file costs beyond its work."""
    names = make_files(folder, 200, 512)
    files = [folder / name for name in names]
    mask = run("threshold", {"image": read_image(files[0])}).image("mask")
    labels = run("label", {"image": mask}).image("labels")
    save_recipe(
        folder / "recipe.yaml", recipe_from_record(run("measure", {"image": labels}).record)
    )
    print(f"\n{len(files)} pictures of 512^2, threshold, label, measure:")
    for count in (1, 2):
        with ProcessPoolExecutor(count, get_context("spawn")) as pool:
            shares = [files[n::count] for n in range(count)]
            work = sum(pool.map(seconds_of_work, [folder] * count, shares)) / count
        finished: list[float] = []
        run_batch(
            load_recipe(folder / "recipe.yaml"),
            files,
            folder / f"out{count}",
            workers=Workers(count, threads=1),
            on_done=lambda entry: finished.append(time.perf_counter()),  # noqa: B023
        )
        # the first of each worker holds its start
        took = (finished[-1] - finished[4]) / (len(finished) - 5) * count
        print(
            f"  {count} worker(s): {1e3 * work:.1f} ms of work a file and "
            f"{1e3 * (took - work):.1f} ms beyond that"
        )


def seconds_of_work(folder: Path, files: Sequence[Path]) -> float:
    """Read, work on and write files with one thread and nothing else; what one takes."""
    recipe = load_recipe(folder / "recipe.yaml")
    begin = 0.0
    with at_most_threads(1):
        for number, file in enumerate(files):
            if number == 5:
                begin = time.perf_counter()
            result = replay(recipe, read_image(file), also_labels="label")
            for kind, output in result.outputs.items():
                ending = "csv" if kind == "table" else "ome.tif"
                write_result(folder / f"{file.name}_alone.{ending}", kind, output)
    return (time.perf_counter() - begin) / (len(files) - 5)


def measure_first(folder: Path) -> None:
    """Print the seconds from the start of a command to its first result."""
    names = make_files(folder, 4, 512)
    mask = run("threshold", {"image": read_image(folder / names[0])}).image("mask")
    labels = run("label", {"image": mask})
    save_recipe(folder / "recipe.yaml", recipe_from_record(labels.record))
    print("\nfrom the start of the command to the first result:")
    for options in ((), ("--workers", "2")):
        begin = time.perf_counter()
        command = [*COMMAND, "recipe.yaml", *names, "-o", "out", "--overwrite", *options]
        with subprocess.Popen(
            command, cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
        ) as process:
            assert process.stdout is not None
            process.stdout.readline()
            took = time.perf_counter() - begin
            process.communicate()
        print(f"  {' '.join(options) or 'in one process'}: {took:.1f} s")


PARTS = {"workers": measure_workers, "small": measure_small, "first": measure_first}

if __name__ == "__main__":
    sys.exit(main())
