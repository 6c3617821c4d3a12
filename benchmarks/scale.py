"""Time and memory against size: whole volumes, blocks, beside libraries, and with more workers.

``python benchmarks/scale.py`` measures ten operations on volumes of 128³ and 256³ voxels;
``--sizes 128 256 512 1024`` takes an hour or more and 30 GB of disk. Names of operations make it
shorter. ``--ways`` picks what is measured: `whole` reads an OME-Zarr, runs and writes one, `blocks`
does so block by block; `scikit` is scikit-image (or SciPy) on arrays, and `dask` dask-image from
Zarr to Zarr. ``--workers`` compares two workers of one thread with one instead.

Each measurement has a process of its own, in which a small volume was worked on before. Seconds
are those of the run by the clock, and those from file to file. Seconds of all cores together hardly
depend on who else works on the machine: growth is that of these, and what a volume of 10¹² voxels
would take is said in hours of a core. Memory is all that the process has at its peak, with Python
and the libraries (Linux). What would take more than ``--memory`` GB, or more than ``--most``
seconds by what the size before took, is left out. Nothing is asserted.
"""

import argparse
import json
import math
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path

from scale_scenes import scene_paths
from scale_tasks import TASKS, Task
from scenes import machine

from napari_seedbed.core.threads import core_count

WARM = 48
"""Voxels along the sides of the volume that is worked on first: what is compiled, imported."""
HUGE = 1e12
LINEAR = 1.1
"""Powers of the size up to which growth counts as linear."""


@dataclass(frozen=True)
class Measured:
    """What one process took; or why there is nothing.

    Attributes
    ----------
    run, cores, total : float
        Seconds of the run; the same of all cores together; from file to file.
    peak : float
        Bytes.
    """

    run: float = math.nan
    cores: float = math.nan
    total: float = math.nan
    peak: float = math.nan
    why_not: str = ""


# In the process that is measured


def in_this_process(name: str, way: str, paths: Mapping[str, Path], out: Path) -> Measured:
    """Do a task once."""
    task = TASKS[name]
    of_task = {role: paths[kind] for role, kind in task.inputs.items()}
    began = time.perf_counter()
    clock = WAYS[way](name, task, of_task, out)
    return Measured(clock.seconds, clock.cores, time.perf_counter() - began, _peak())


@dataclass
class Clock:
    """Seconds since it was made, until it is stopped; those of all cores of this process, too."""

    seconds: float = field(default_factory=time.perf_counter)
    cores: float = field(default_factory=time.process_time)

    def stop(self) -> "Clock":
        """The seconds between."""
        return Clock(time.perf_counter() - self.seconds, time.process_time() - self.cores)


def _peak() -> int:
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(1024 * int(line.split()[1]) for line in lines if line.startswith("VmHWM"))


def _whole(name: str, task: Task, paths: Mapping[str, Path], out: Path) -> Clock:
    from napari_seedbed.pipeline.files import read_image
    from napari_seedbed.pipeline.files.writers import write_result
    from napari_seedbed.pipeline.operations import run

    inputs = {role: read_image(path, lazy=False) for role, path in paths.items()}
    clock = Clock()
    result = run(name, inputs, task.parameters)
    clock = clock.stop()
    for key, output in result.outputs.items():
        suffix = ".csv" if key == "table" else ".ome.zarr"
        write_result(out / f"{key}{suffix}", key, output)
    return clock


def _blocks(name: str, task: Task, paths: Mapping[str, Path], out: Path) -> Clock:
    return run_in_blocks(name, task, paths, out, None)


def run_in_blocks(
    name: str, task: Task, paths: Mapping[str, Path], out: Path, scheduler: str | None
) -> Clock:
    """Run from file to file."""
    from napari_seedbed.pipeline.engine.block_plans import Blocks
    from napari_seedbed.pipeline.files import read_image
    from napari_seedbed.pipeline.operations import run

    inputs = {role: read_image(path, lazy=True) for role, path in paths.items()}
    clock = Clock()
    run(name, inputs, task.parameters, blocks=Blocks(out, scheduler=scheduler))
    return clock.stop()


def _scikit(name: str, task: Task, paths: Mapping[str, Path], out: Path) -> Clock:
    import zarr

    assert task.scikit is not None
    arrays = [zarr.open_array(path / "0", mode="r")[:] for path in paths.values()]
    clock = Clock()
    task.scikit(*arrays)
    return clock.stop()


def _dask(name: str, task: Task, paths: Mapping[str, Path], out: Path) -> Clock:
    import dask.array
    import zarr

    assert task.dask is not None
    stores = [zarr.open_array(path / "0", mode="r") for path in paths.values()]
    # Its blocks are what a task reads at once here, too.
    arrays = [dask.array.from_zarr(one, chunks=one.shards or one.chunks) for one in stores]
    clock = Clock()
    result = task.dask(*arrays)
    if isinstance(result, dask.array.Array):
        result.rechunk(arrays[0].chunksize).to_zarr(out / "dask.zarr")
    return clock.stop()


WAYS = {"whole": _whole, "blocks": _blocks, "scikit": _scikit, "dask": _dask}


# In the process that prints


def measured(name: str, way: str, n: int, folder: Path, most: float) -> Measured:
    """Do a task in a process of its own."""
    task = TASKS[name]
    if way in ("scikit", "dask") and getattr(task, way) is None:
        return Measured(why_not="-")
    if way == "dask" and find_spec("dask_image") is None:
        return Measured(why_not="not installed")
    paths = scene_paths(folder, n, task.inputs.values())
    if way == "whole" and (needed := _foretold(name, task, paths)) > most:
        return Measured(why_not=f"needs {needed / 1e9:.0f} GB")
    return _in_a_process([name, way, str(n)], folder)


def _foretold(name: str, task: Task, paths: Mapping[str, Path]) -> float:
    """Bytes of a whole run with its inputs."""
    from napari_seedbed.pipeline.files import read_image
    from napari_seedbed.pipeline.operations import forecast

    inputs = {role: read_image(paths[kind], lazy=True) for role, kind in task.inputs.items()}
    cost = forecast(name, {"image": inputs["image"]}, task.parameters)
    return cost.bytes + sum(image.array.nbytes for image in inputs.values())


def _in_a_process(arguments: Sequence[str], folder: Path) -> Measured:
    command = [sys.executable, __file__, "--folder", str(folder), "--once", *arguments]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        last = (done.stderr.strip().splitlines() or [f"ended with {done.returncode}"])[-1]
        return Measured(why_not=last[:100])
    return Measured(**json.loads(done.stdout.splitlines()[-1]))


def once(name: str, way: str, n: int, folder: Path) -> None:
    """Do a task on a small volume, then on the one asked for; print what it took."""
    for size in (WARM, n):
        paths = scene_paths(folder, size, TASKS[name].inputs.values())
        out = Path(tempfile.mkdtemp(dir=folder))
        try:
            found = in_this_process(name, way, paths, out)
        finally:
            shutil.rmtree(out)
    print(json.dumps(vars(found)))


def sizes_table(
    names: Sequence[str],
    ways: Sequence[str],
    sizes: Sequence[int],
    folder: Path,
    memory: float,
    most: float,
) -> None:
    """Print a row for each task, way and size, and how they grow."""
    print("| operation | way | size | run, s | of all cores, s | from file to file, s | peak, MB | "
          "ns of a core a voxel |\n|---|---|---|---|---|---|---|---|")  # fmt: skip
    growth = []
    for name in names:
        for way in ways:
            taken: dict[int, Measured] = {}
            for n in sizes:
                last = max(taken, default=0)
                if last and taken[last].run * (n / last) ** 3 > most:
                    break
                one = measured(name, way, n, folder, memory)
                row = f"| {name} | {way} | {n}³ |"
                if one.why_not:
                    if one.why_not != "-":
                        print(f"{row} {one.why_not} | | | | |", flush=True)
                    continue
                taken[n] = one
                print(
                    f"{row} {one.run:.2f} | {one.cores:.2f} | {one.total:.2f} | "
                    f"{one.peak / 1e6:.0f} | {1e9 * one.cores / n**3:.0f} |",
                    flush=True,
                )
            if len(taken) > 1:
                growth.append((name, way, taken))
    print("\n| operation | way | seconds grow with size to the power of | memory likewise | "
          "10¹² voxels, hours of a core |\n|---|---|---|---|---|")  # fmt: skip
    for name, way, taken in growth:
        seconds, peak = (power({n: getattr(m, what) for n, m in taken.items()})
                         for what in ("cores", "peak"))  # fmt: skip
        largest = max(taken)
        hours = taken[largest].cores * (HUGE / largest**3) ** max(seconds, 1.0) / 3600
        note = "" if seconds <= LINEAR else " (more than linear)"
        print(f"| {name} | {way} | {seconds:.2f}{note} | {peak:.2f} | {hours:.0f} |")


def power(values: Mapping[int, float]) -> float:
    """The exponent with which values grow with the number of voxels, over the largest two sizes."""
    before, last = sorted(values)[-2:]
    return math.log(values[last] / values[before]) / math.log(last**3 / before**3)


def workers_table(names: Sequence[str], n: int, folder: Path) -> None:
    """Print what one and two workers of one thread take; the shortest of two runs each."""
    from distributed import Client

    from napari_seedbed.pipeline.engine.local_workers import local_scheduler

    print("| operation | size | one worker, s | two, s | times as fast |\n|---|---|---|---|---|")
    for name in names:
        seconds = []
        for count in (1, 2):
            with local_scheduler(count) as begun:
                address = begun()
                with Client(address) as client:
                    client.wait_for_workers(count)
                taken = []
                for size in (WARM, n, n):
                    out = Path(tempfile.mkdtemp(dir=folder))
                    inputs = TASKS[name].inputs
                    paths = scene_paths(folder, size, inputs.values())
                    of_task = {role: paths[kind] for role, kind in inputs.items()}
                    taken.append(run_in_blocks(name, TASKS[name], of_task, out, address).seconds)
                    shutil.rmtree(out)
                seconds.append(min(taken[1:]))
        one, two = seconds
        print(f"| {name} | {n}³ | {one:.1f} | {two:.1f} | {one / two:.2f} |", flush=True)


def main() -> None:
    """Print the tables that are asked for."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("names", nargs="*", help=f"of {', '.join(TASKS)}")
    parser.add_argument("--sizes", nargs="+", type=int, default=[128, 256])
    parser.add_argument("--ways", nargs="+", choices=WAYS, default=list(WAYS))
    parser.add_argument("--workers", action="store_true", help="one worker beside two")
    parser.add_argument("--memory", type=float, default=5.0, help="GB for a process, at most")
    parser.add_argument("--most", type=float, default=300.0, help="seconds of a run, at most")
    parser.add_argument("--folder", type=Path, help="where volumes are kept between calls")
    parser.add_argument("--once", action="store_true", help=argparse.SUPPRESS)
    chosen = parser.parse_args()
    if chosen.once:
        name, way, n = chosen.names
        once(name, way, int(n), chosen.folder)
        return
    if unknown := set(chosen.names) - set(TASKS):
        parser.error(f"{', '.join(sorted(unknown))}: choose from {', '.join(TASKS)}")
    names = chosen.names or list(TASKS)
    print(f"{machine()}, {core_count()} cores; load {os.getloadavg()[0]:.1f}\n")
    with tempfile.TemporaryDirectory() as temporary:
        folder = chosen.folder or Path(temporary)
        if chosen.workers:
            workers_table(names, max(chosen.sizes), folder)
        else:
            sizes_table(names, chosen.ways, chosen.sizes, folder, chosen.memory * 1e9, chosen.most)


if __name__ == "__main__":
    main()
