"""The pixel classifier beside ilastik's features with scikit-learn's random forest.

Both learn from the same strokes, which are random walks inside the classes of a few images, and
classify all other images of the data set, which they have not seen. Printed are the mean IoU over
classes and unseen images, and the seconds to learn and to classify. Whether intensities are
relative to each image's contrast matters more than features and trees, so both are given both ways.

ilastik's set: Gaussian smoothing at sigma 0.3 to 10, and from 0.7 on Laplacian of Gaussian,
gradient magnitude, difference of Gaussians, eigenvalues of the structure tensor and of the
Hessian, by SciPy and scikit-image, with `RandomForestClassifier()` as it is (100 trees).

The images are not part of this repository; name the folder with --data, or put them beside the
checkout. Axons: electron micrographs of nerves, three classes, one image to learn from, two unseen,
each in turn. Nuclei: fluorescence of the Data Science Bowl 2018, two to learn from, four unseen.
"""

import argparse
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scenes import SHARED_DATA, machine
from scipy import ndimage as ndi
from skimage.feature import (
    hessian_matrix,
    hessian_matrix_eigvals,
    structure_tensor,
    structure_tensor_eigenvalues,
)
from skimage.io import imread
from sklearn.ensemble import RandomForestClassifier

from napari_seedbed.core import PixelClassifier, compile_pixel_classifier, training_samples
from napari_seedbed.core.classifier.samples import PERCENTILES

SIGMAS = (0.3, 0.7, 1.0, 1.6, 3.5, 5.0, 10.0)
STROKES, STEPS = 10, 40
AXONS = ("axon_rat2_data5", "axon_rat3_data10", "axon_rat3_data9")
NUCLEI = ("05040e2e", "14004203", "43cf6b2e", "5488e8df", "cc886273", "edd36ed8")


@dataclass(frozen=True)
class Case:
    """One image and its classes, counted from 1."""

    image: NDArray[np.uint8]
    truth: NDArray[np.uint8]


@dataclass
class Tally:
    """Scores and seconds of one method."""

    scores: list[float]
    learning: float = 0.0
    classifying: float = 0.0
    pixels: int = 0


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("--data", type=Path, default=SHARED_DATA, help="folder with img2d/")
    folder = parser.parse_args().data.resolve() / "img2d"
    if not folder.is_dir():
        print(f"There is no {folder}: nothing to measure. Name the folder with --data.")
        return 0
    compile_pixel_classifier()
    print(f"{machine()}\n")
    print(f"{'':<44}{'mean IoU':>9}{'learning':>10}{'s/megapixel':>13}")
    for name, cases, rounds in (
        ("axons", axons(folder), [[0], [1], [2]]),
        ("nuclei", nuclei(folder), [[0, 3], [1, 4], [2, 5], [0, 5], [1, 3], [2, 4]]),
    ):
        tallies = {
            "ilastik's features, RandomForestClassifier()": Tally([]),
            "the same, relative to the image's contrast": Tally([]),
            "napari-seedbed": Tally([]),
            "napari-seedbed, intensities as they are": Tally([]),
        }
        for number, learnt_from in enumerate(rounds):
            rng = np.random.default_rng(number)
            marks = [strokes(cases[i].truth, rng) for i in learnt_from]
            known = [cases[i] for i in learnt_from]
            unseen = [case for i, case in enumerate(cases) if i not in learnt_from]
            peer, relative, own, absolute = tallies.values()
            run_ilastik(known, marks, unseen, peer)
            run_ilastik(known, marks, unseen, relative, contrast=True)
            run_own(known, marks, unseen, own, "contrast")
            run_own(known, marks, unseen, absolute, "absolute")
        for method, tally in tallies.items():
            each = 1e6 * tally.classifying / tally.pixels
            print(
                f"{name + ': ' + method:<52}"[:52]
                + f"{np.mean(tally.scores):>8.3f}{tally.learning / len(rounds):>9.2f}{each:>13.2f}"
            )
        peer, _, own, _ = tallies.values()
        print(
            f"{name}: IoU {np.mean(own.scores) - np.mean(peer.scores):+.3f}, learning "
            f"{peer.learning / own.learning:.1f} and classifying "
            f"{peer.classifying / own.classifying:.1f} times as fast\n"
        )
    return 0


def axons(folder: Path) -> list[Case]:
    """Background, myelin and axons, drawn by hand."""
    found = []
    for name in AXONS:
        image, truth = grey(folder / f"{name}.png"), grey(folder / f"{name}_axonmyelin.png")
        found.append(Case(image, np.digitize(truth, [64, 192]).astype(np.uint8) + 1))
    return found


def nuclei(folder: Path) -> list[Case]:
    """Background and nuclei, drawn by hand."""
    found = []
    for name in NUCLEI:
        truth = imread(folder / f"dsb_{name}_label.tif") > 0
        found.append(Case(grey(folder / f"dsb_{name}.png"), truth.astype(np.uint8) + 1))
    return found


def grey(path: Path) -> NDArray[np.uint8]:
    """The first channel."""
    image = imread(path)
    return image if image.ndim == 2 else image[..., 0]


def strokes(truth: NDArray[np.uint8], rng: np.random.Generator) -> NDArray[np.int32]:
    """Random walks, three pixels wide, that begin inside each class and stay in it."""
    marks = np.zeros(truth.shape, np.int32)
    for value in np.unique(truth):
        inside = truth == value
        starts = np.argwhere(ndi.binary_erosion(inside, iterations=2, border_value=1))
        for _ in range(STROKES):
            walk = np.zeros(truth.shape, bool)
            for place in wander(starts[rng.integers(len(starts))], truth.shape, rng):
                walk[place] = True
            marks[ndi.binary_dilation(walk, np.ones((3, 3))) & inside] = value
    return marks


def wander(
    start: NDArray[np.integer], shape: tuple[int, ...], rng: np.random.Generator
) -> Iterator[tuple[int, int]]:
    """Steps of a pixel in a direction that turns a little at random, up to the border."""
    y, x = start.astype(float)
    angle = rng.uniform(0, 2 * np.pi)
    for _ in range(STEPS):
        if not (0 <= round(y) < shape[0] and 0 <= round(x) < shape[1]):
            return
        yield round(y), round(x)
        angle += rng.normal(0, 0.25)
        y, x = y + np.sin(angle), x + np.cos(angle)


def run_ilastik(
    known: list[Case],
    marks: list[NDArray[np.int32]],
    unseen: list[Case],
    tally: Tally,
    *,
    contrast: bool = False,
) -> None:
    """ilastik's features, scikit-learn's defaults."""
    start = time.perf_counter()
    made = [ilastik_features(case.image, contrast) for case in known]
    values = np.concatenate([one[mark > 0] for one, mark in zip(made, marks, strict=True)])
    labels = np.concatenate([mark[mark > 0] for mark in marks])
    forest = RandomForestClassifier(random_state=0).fit(values, labels)
    tally.learning += time.perf_counter() - start
    for case in unseen:
        start = time.perf_counter()
        values = ilastik_features(case.image, contrast)
        votes = forest.predict_proba(values.reshape(-1, values.shape[-1]))
        found = forest.classes_[votes.argmax(axis=1)].reshape(case.truth.shape)
        note(tally, found, case, start)


def ilastik_features(image: NDArray[np.uint8], contrast: bool) -> NDArray[np.float32]:
    """49 features a pixel, the last axis."""
    grey = image.astype(np.float64)
    if contrast:
        low, high = np.percentile(grey, PERCENTILES)
        grey = (grey - low) / (high - low)
    found = []
    for sigma in SIGMAS:
        smooth = ndi.gaussian_filter(grey, sigma)
        found.append(smooth)
        if sigma == SIGMAS[0]:
            continue
        found.append(ndi.gaussian_laplace(grey, sigma))
        found.append(ndi.gaussian_gradient_magnitude(grey, sigma))
        found.append(smooth - ndi.gaussian_filter(grey, 0.66 * sigma))
        found += list(structure_tensor_eigenvalues(structure_tensor(smooth, sigma=0.5 * sigma)))
        hessian = hessian_matrix(grey, sigma, use_gaussian_derivatives=False)
        found += list(hessian_matrix_eigvals(hessian))
    return np.stack(found, axis=-1).astype(np.float32)


def run_own(
    known: list[Case],
    marks: list[NDArray[np.int32]],
    unseen: list[Case],
    tally: Tally,
    intensities: str,
) -> None:
    """The panel's classifier with its defaults."""
    start = time.perf_counter()
    first, *others = (
        training_samples(case.image, mark, intensities=intensities)
        for case, mark in zip(known, marks, strict=True)
    )
    classifier = PixelClassifier(first.joined(*others))
    tally.learning += time.perf_counter() - start
    values = np.array(classifier.label_values)
    for case in unseen:
        start = time.perf_counter()
        found = np.empty(case.truth.shape, np.uint8)

        def take(place: tuple[slice, ...], votes: NDArray[np.float32], out=found) -> None:
            out[place] = values[votes.argmax(axis=0)]

        classifier.classify(case.image, take)
        note(tally, found, case, start)


def note(tally: Tally, found: NDArray, case: Case, start: float) -> None:
    """Add the time and the mean IoU over the classes."""
    tally.classifying += time.perf_counter() - start
    tally.pixels += found.size
    scores = []
    for value in np.unique(case.truth):
        ours, theirs = found == value, case.truth == value
        scores.append(np.count_nonzero(ours & theirs) / np.count_nonzero(ours | theirs))
    tally.scores.append(float(np.mean(scores)))


if __name__ == "__main__":
    sys.exit(main())
