"""The random walker beside scikit-image's, in one run; prints ratios, asserts nothing.

Run it on a quiet machine: ``python benchmarks/random_walker.py`` (about 20 minutes, most of them
scikit-image's), or parts of it: ``python benchmarks/random_walker.py speed live contrast``.
"""

import argparse
import sys
import time
import warnings
from collections.abc import Callable

import numpy as np
from peak_memory import peak_memory
from scenes import SHARED_DATA, balls, machine, strokes_later
from scipy import ndimage as ndi
from skimage.segmentation import random_walker as skimage_random_walker

from napari_seedbed.core import RandomWalker, compile_kernels, random_walker
from napari_seedbed.core.progress import Progress
from napari_seedbed.core.threads import thread_count
from napari_seedbed.core.walker.anchors import anchored
from napari_seedbed.core.walker.hierarchy import build_hierarchy
from napari_seedbed.core.walker.multigrid import Preconditioner, solve
from napari_seedbed.core.walker.seed_map import SeedMap

PEAK_SETUP = """
from scenes import balls
from napari_seedbed.core import RandomWalker, compile_kernels
compile_kernels()
image, labels = balls({n}, n_labels={n_labels})
"""


def best_time(function: Callable[[], object], repeats: int = 3) -> float:
    """Return the shortest of a few runs, in seconds."""
    times = []
    for _ in range(repeats):
        start = time.perf_counter()
        function()
        times.append(time.perf_counter() - start)
    return min(times)


def skimage_time(image, labels, mode: str, repeats: int = 1) -> float:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return best_time(
            lambda: skimage_random_walker(image, labels, beta=130, mode=mode, tol=1e-3), repeats
        )


def sweep_time(image) -> float:
    """Time of one Gauss-Seidel sweep over the grid (both colours), the unit of work."""
    walker = RandomWalker(image, beta=130, normalization="std")
    labels = np.zeros(walker.shape, np.int32)
    labels.flat[0], labels.flat[-1] = 1, 2
    walker.prepare()
    hierarchy = walker._hierarchy
    seeds = SeedMap(labels, hierarchy.shape)
    x = np.zeros((1, *hierarchy.shape), np.float32)
    b = np.ones_like(x)
    with anchored(hierarchy, seeds.state, seeds.places) as anchors:
        preconditioner = Preconditioner(hierarchy, anchors, seeds.state, 1)
        return best_time(lambda: preconditioner.sweep(np.arange(1), x, b), 5)


def speed(sizes: list[int], peer_up_to: int) -> None:
    print("\nSpeed: two labels, scribbled on one slice; beta 130, tol 1e-3; weights included")
    print(
        f"{'size':>8} {'ours':>9} {'iterations':>11} {'work units':>11} {'peer':>14} {'ratio':>7}"
    )
    for n in sizes:
        image, labels = balls(n)
        # Short runs vary most, and the first ones on a machine wait for its memory.
        repeats = 12 if n <= 128 else 4 if n < 256 else 1
        ours = best_time(
            lambda: random_walker(image, labels, beta=130, tol=1e-3),  # noqa: B023
            repeats,
        )
        walker = RandomWalker(image, beta=130, normalization="std")
        walker.solve(labels)
        unit = sweep_time(image)
        line = f"{n:>6}^3 {ours:>8.2f}s {walker.iterations:>11} {ours / unit:>11.0f}"
        if n <= peer_up_to:
            peer = skimage_time(image, labels, "cg_j")
            line += f" {f'cg_j {peer:.1f}s':>14} {peer / ours:>6.0f}x"
        print(line, flush=True)
    image, labels = balls(1024, ndim=2)
    ours = best_time(lambda: random_walker(image, labels, beta=130, tol=1e-3))
    peers = {mode: skimage_time(image, labels, mode) for mode in ("bf", "cg_j", "cg_mg")}
    mode = min(peers, key=peers.__getitem__)
    print(
        f"{'1024^2':>8} {ours:>8.2f}s {'':>23} {f'{mode} {peers[mode]:.1f}s':>14} "
        f"{peers[mode] / ours:>6.0f}x  ({', '.join(f'{m} {t:.1f}s' for m, t in peers.items())})"
    )


def labels_cost(n: int = 128) -> None:
    print(f"\nMany labels at {n}^3")
    times = {}
    for n_labels in (2, 20):
        image, labels = balls(n, n_labels=n_labels)
        times[n_labels] = best_time(lambda: RandomWalker(image).solve(labels), 2)  # noqa: B023
        print(f"{n_labels:>8} labels {times[n_labels]:8.2f}s")
    print(f"20 labels cost {times[20] / times[2]:.1f} times 2 labels")


def live(n: int = 256, n_2d: int = 2048) -> None:
    print("\nLive: a stroke is added; times to the first look at the slice and to the whole")
    for ndim, size in ((3, n), (2, n_2d)):
        image, labels = balls(size, ndim=ndim)
        walker = RandomWalker(image)
        view = (0, size // 2) if ndim == 3 else (0, 0)
        looks: list[float] = []
        start = 0.0

        def report(progress: Progress) -> None:
            if progress.preview is not None:
                looks.append(time.perf_counter() - start)  # noqa: B023

        start = time.perf_counter()
        walker.solve(labels, report=report, view=view)
        cold, cold_iterations = time.perf_counter() - start, walker.iterations
        more = strokes_later(labels)
        warm = []
        for seeds in (more, labels, more, labels):
            start = time.perf_counter()
            walker.solve(seeds, report=report, view=view)
            warm.append(time.perf_counter() - start)
        start = time.perf_counter()
        walker.solve(labels, warm=False)
        again = time.perf_counter() - start
        print(
            f"{size}^{ndim}: cold {cold:.2f}s ({cold_iterations} iterations; without weights and "
            f"hierarchy {again:.2f}s), warm {np.median(warm):.2f}s ({walker.iterations}), "
            f"{np.median(warm) / cold:.2f} of cold; first look after a stroke "
            f"{np.median(looks[1:]):.2f}s"
        )
        cold_gap = longest_gap(RandomWalker(image), labels)
        print(
            f"        longest time between looks at should_stop {longest_gap(walker, more):.3f}s "
            f"after a stroke, {cold_gap:.3f}s with weights and hierarchy"
        )


def longest_gap(walker: RandomWalker, labels) -> float:
    """Return the longest time that a solve works without looking whether it should stop."""
    asked = [time.perf_counter()]

    def should_stop() -> bool:
        asked.append(time.perf_counter())
        return False

    walker.solve(labels, should_stop=should_stop)
    return float(np.diff([*asked, time.perf_counter()]).max())


def memory() -> None:
    print("\nMemory: peak beyond the image and the seeds")
    for n, n_labels in ((128, 2), (256, 2), (128, 200)):
        setup = PEAK_SETUP.format(n=n, n_labels=n_labels)
        peak = peak_memory(setup, "RandomWalker(image).solve(labels)")
        print(
            f"{n}^3, {n_labels} labels: {peak.resident / 2**20:.0f} MiB resident, "
            f"{peak.resident / n**3:.1f} bytes a voxel; arrays {peak.arrays / n**3:.1f} bytes a "
            "voxel",
            flush=True,
        )


def contrast() -> None:
    """Iterations on a smoothed noisy volume, against the steepness of the weights."""
    path = SHARED_DATA / "vol3d" / "gonuclear_1135_mini.h5"
    if not path.exists():
        print(f"\nContrast: skipped, as {path.name} is not beside this checkout")
        return
    import h5py

    with h5py.File(path) as file:
        image = ndi.gaussian_filter(file["raw"][:].astype(np.float32), 1)
    labels = np.zeros(image.shape, np.int32)
    labels[50, 48:53, 48:53], labels[50, 5:8, 10:90] = 1, 2
    steps = [np.diff(image, axis=axis) for axis in range(3)]
    q = np.quantile(np.abs(np.concatenate([step.ravel() for step in steps])), 0.9)
    print("\nContrast: real nuclei, 100^3, weights exp(-b d^2/q^2) floored at 1e-6")
    print(f"{'b':>6} {'iterations':>11} {'residual':>10} {'estimated error':>16}")
    for b in (0.1, 1, 3, 10, 30, 100):
        weights = []
        for axis, step in enumerate(steps):
            weight = np.zeros(image.shape, np.float32)
            inner = tuple(slice(0, -1) if a == axis else slice(None) for a in range(3))
            weight[inner] = np.maximum(np.exp(-b * step**2 / q**2), 1e-6)
            weights.append(weight)
        hierarchy = build_hierarchy(tuple(weights))
        seeds = SeedMap(labels, image.shape)
        x = np.full((1, *image.shape), 0.5, np.float32)
        x.reshape(1, -1)[:, seeds.places] = seeds.given(range(1)).T
        with anchored(hierarchy, seeds.state, seeds.places) as anchors:
            preconditioner = Preconditioner(hierarchy, anchors, seeds.state, 1)
            first = residual_norm(preconditioner, np.where(seeds.state == 0, 0, x))
            outcome = solve(preconditioner, x, 1e-3)
            relative = residual_norm(preconditioner, x) / first
        mark = "" if outcome.converged else "  NOT converged"
        print(f"{b:>6g} {outcome.iterations:>11} {relative:>10.1e} {outcome.error:>16.1e}{mark}")


def residual_norm(preconditioner: Preconditioner, x) -> float:
    residual = np.zeros_like(x)
    preconditioner.write_residual(np.arange(1), x, residual)
    return float(np.linalg.norm(residual))


PARTS = {
    "speed": lambda options: (
        speed([64, 96], 96)
        if options.quick
        else speed([n for n in (64, 128, 192, 256, 384) if n <= options.largest], options.peer)
    ),
    "labels": lambda options: labels_cost(64 if options.quick else 128),
    "live": lambda options: live(96, 512) if options.quick else live(),
    "memory": lambda options: memory(),
    "contrast": lambda options: contrast(),
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("parts", nargs="*", choices=[[], *PARTS], help="what to run; all if none")
    parser.add_argument("--largest", type=int, default=384, help="leave out larger volumes")
    parser.add_argument("--peer", type=int, default=192, help="scikit-image up to this size")
    parser.add_argument("--quick", action="store_true", help="small sizes, to try it out")
    options = parser.parse_args()
    print(f"{machine()}, {thread_count()} cores; Python {sys.version.split()[0]}")
    start = time.perf_counter()
    compile_kernels()
    print(f"kernels ready after {time.perf_counter() - start:.1f}s")
    for part in options.parts or PARTS:
        PARTS[part](options)


if __name__ == "__main__":
    main()
