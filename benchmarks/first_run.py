"""How long the first run on the command line takes, when nothing has been compiled yet.

Runs the sample recipe, with each of the seeded operations in the place of its random walker, in a
process of its own with an empty cache of compiled loops, and once more with what the first run
left there. Prints the seconds of both, importing included. Run it on a quiet machine:
``python benchmarks/first_run.py``; with --kernels it lists what was compiled, the slowest first, by
the processor time that each took without what it called.
"""

import argparse
import os
import subprocess
import sys
import tempfile
import time
from importlib.resources import as_file, files
from pathlib import Path

import yaml
from scenes import machine

from napari_seedbed.core.threads import thread_count
from napari_seedbed.pipeline import operations

WANTED = ("random_walker", "seeded_segmentation", "pixel_classification")

COMMAND = "import sys; from napari_seedbed.pipeline.cli import main; sys.exit(main(sys.argv[1:]))"

LISTENER = """
import atexit, time
from numba.core import event
found, open_ones = [], []
class Compilations(event.Listener):
    def on_start(self, happening):
        open_ones.append([time.thread_time(), 0.0])
    def on_end(self, happening):
        start, within = open_ones.pop()
        seconds = time.thread_time() - start
        function = happening.data["dispatcher"].py_func
        found.append((seconds - within, f"{function.__module__}.{function.__qualname__}"))
        if open_ones:
            open_ones[-1][1] += seconds
def tell():
    print(f"{sum(seconds for seconds, _ in found):.1f} s in {len(found)} kernels")
    for seconds, name in sorted(found, reverse=True):
        print(f"{seconds:8.2f} {name}")
event.register("numba:compile", Compilations())
atexit.register(tell)
"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("operations", nargs="*", help=f"some of {', '.join(WANTED)}; all if none")
    parser.add_argument("--kernels", action="store_true", help="list what is compiled")
    options = parser.parse_args()
    print(f"{machine()}, {thread_count()} cores; Python {sys.version.split()[0]}\n")
    print(f"{'operation':<24}{'empty cache':>12}{'again':>10}")
    for name in options.operations or WANTED:
        if name in operations.operations:
            measure(name, options.kernels)


def measure(operation: str, list_kernels: bool) -> None:
    """Print the seconds of two runs of a recipe of the operation."""
    samples = files("napari_seedbed") / "samples"
    with (
        tempfile.TemporaryDirectory() as folder,
        as_file(samples / "nuclei_seeded_segmentation.yaml") as recipe,
        as_file(samples / "nuclei.ome.tif") as image,
    ):
        changed = Path(folder) / "recipe.yaml"
        changed.write_text(recipe_of(operation, recipe.read_text(encoding="utf-8")))
        seconds = []
        for number in range(2):
            code = (LISTENER if list_kernels and number == 0 else "") + COMMAND
            output = str(Path(folder) / str(number))
            command = [sys.executable, "-c", code, "run", str(changed), str(image), "-o", output]
            start = time.perf_counter()
            subprocess.run(
                [*command, *([] if list_kernels else ["--quiet"])],
                env={**os.environ, "NUMBA_CACHE_DIR": str(Path(folder) / "cache")},
                check=True,
            )
            seconds.append(time.perf_counter() - start)
    print(f"{operation:<24}{seconds[0]:>11.1f}s{seconds[1]:>9.1f}s", flush=True)


def recipe_of(operation: str, recipe: str) -> str:
    """Return the sample recipe with another operation, in its default settings, on the seeds."""
    content = yaml.safe_load(recipe)
    step = content["steps"][-1]
    if operation != step["operation"]:
        step.update(name=operation, operation=operation, parameters={})
    return yaml.safe_dump(content, sort_keys=False)


if __name__ == "__main__":
    main()
