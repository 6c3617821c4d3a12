"""A recorded hour: the nuclei of a volume made and proofread, with real strokes of the mouse.

``proofreading_hour.py cells3d_nuclei`` or ``gonuclear_1135`` does one volume, without a name each
that is there. The volume is opened in a napari window, the steps in docs/hours are done with mouse
and keys, and strokes, waits and scores against a truth are printed. Pictures go to docs/images.

The volumes lie in the folder that SEEDBED_DATA names, else in ../shared/data:
``vol3d/cells3d_nuclei.tif`` is scikit-image's cells3d, its nuclei; the truth, proofread by hand, is
in benchmarks/truths. ``vol3d/gonuclear_1135_mini.h5`` is the file 1135_mini.h5 in
tests/resources/data/train of https://github.com/kreshuklab/plant-seg, with what people drew.
"""

import argparse
import os
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import tifffile
from numpy.typing import NDArray

ROOT = Path(__file__).resolve().parents[1]
STEPS = ROOT / "docs" / "hours"
DATA = Path(os.environ.get("SEEDBED_DATA", ROOT.parent / "shared" / "data")) / "vol3d"
SMALLEST = 500
"""Voxels of an object that counts in docs/benchmarks.md."""


@dataclass(frozen=True)
class Volume:
    """An image with its voxel size in µm, and where its truth is."""

    file: Path
    spacing: tuple[float, float, float]
    read: Callable[[Path], tuple[NDArray, NDArray]]


def cells3d(path: Path) -> tuple[NDArray, NDArray]:
    """Return image and truth."""
    truth = ROOT / "benchmarks" / "truths" / "cells3d_nuclei_truth.tif"
    return tifffile.imread(path), tifffile.imread(truth)


def gonuclear(path: Path) -> tuple[NDArray, NDArray]:
    """Return image and truth."""
    import h5py

    with h5py.File(path) as file:
        return file["raw"][...], file["label"][...]


VOLUMES = {
    "cells3d_nuclei": Volume(DATA / "cells3d_nuclei.tif", (0.29, 0.26, 0.26), cells3d),
    "gonuclear_1135": Volume(DATA / "gonuclear_1135_mini.h5", (0.284, 0.127, 0.127), gonuclear),
}


def main() -> None:
    """Do the volumes that are asked for."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("volumes", nargs="*", choices=[[], *VOLUMES], help="all if none")
    for name in parser.parse_args().volumes or VOLUMES:
        volume = VOLUMES[name]
        if volume.file.is_file():
            record(name, volume)
        else:
            print(f"There is no {volume.file}: name the folder above vol3d with SEEDBED_DATA.")


def record(name: str, volume: Volume) -> None:
    """Do the work on one volume and print what it took."""
    import napari
    from hour_steps import read_steps
    from hour_window import Hour

    image, truth = volume.read(volume.file)
    viewer = napari.Viewer(title="napari")
    viewer.window.resize(1366, 768)
    hour = Hour(viewer, image, volume.spacing, ROOT / "docs" / "images")
    begun = time.perf_counter()
    hour.do(read_steps(STEPS / f"{name}.txt"))
    seconds = time.perf_counter() - begun
    report(name, hour, seconds, truth)
    viewer.close()


def report(name: str, hour: Any, seconds: float, truth: NDArray) -> None:
    """Print what the work took, and how good its objects are."""
    objects = len(np.unique(hour.result)) - 1
    counts = hour.counts
    work = counts["strokes"] + counts["edits"] + counts["clicks"]
    print(
        f"{name}: {objects} objects; {counts['strokes']} strokes, {counts['edits']} edits, "
        f"{counts['clicks']} clicks: {work / objects:.2f} an object; {counts['keys']} keys beside"
    )
    print(f"{seconds:.0f} s in all with drawing as fast as the program can")
    for kind, waits in hour.waits.items():
        print(
            f"{kind} after {np.median(waits):.2f} s at the median, {max(waits):.2f} s at the "
            f"longest, more than a second {sum(wait > 1 for wait in waits)} of {len(waits)} times"
        )
    found = scores(hour.result, truth)
    sizes = np.bincount(truth.ravel())[np.unique(truth)[1:]]
    for words, chosen in (("", sizes > 0), (f" of {SMALLEST} voxels or more", sizes >= SMALLEST)):
        print(
            f"Dice coefficient of the {chosen.sum()} nuclei of the truth{words}: mean "
            f"{found[chosen].mean():.3f}, median {np.median(found[chosen]):.3f}, worst "
            f"{found[chosen].min():.3f}"
        )
    print(" ".join(f"{score:.2f}" for score in found))


def scores(labels: NDArray, truth: NDArray) -> NDArray[np.float64]:
    """Return the Dice coefficient of each object of the truth with what covers most of it."""
    found = []
    for number in np.unique(truth)[1:]:
        own = truth == number
        best = np.bincount(labels[own], minlength=2)
        best[0] = 0
        mine = labels == best.argmax() if best.any() else np.zeros_like(own)
        found.append(2 * np.count_nonzero(own & mine) / (own.sum() + mine.sum()))
    return np.array(found)


if __name__ == "__main__":
    sys.path[:0] = [str(ROOT / "scripts"), str(ROOT / "tests" / "gui")]
    with tempfile.TemporaryDirectory() as folder:
        os.environ["NAPARI_CONFIG"] = str(Path(folder) / "settings.yaml")
        os.environ["NAPARI_SEEDBED_JOURNALS"] = str(Path(folder) / "journals")
        main()
