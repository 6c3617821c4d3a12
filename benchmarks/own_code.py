"""Own code beside the library's function that does the same; prints a table, asserts nothing.

``python benchmarks/own_code.py`` takes some minutes, ``python benchmarks/own_code.py sato blobs``
only the rows with such a word. Seconds are those of the clock, or of all processors together where
that is less: somebody else was working then. What runs on all cores counts too much in that case.
"""

import argparse
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
from filters import scene
from numpy.typing import NDArray
from scenes import machine, touching_balls
from scipy import ndimage as ndi
from scipy.stats import multivariate_normal
from skimage import (
    color,
    draw,
    exposure,
    feature,
    filters,
    measure,
    metrics,
    morphology,
    restoration,
    segmentation,
)

from napari_seedbed import core
from napari_seedbed.core.colour.colour_gaussians import ColourGaussian
from napari_seedbed.core.colour.colour_spaces import ColourSpace
from napari_seedbed.core.filters import denoising_filters
from napari_seedbed.core.filters.eigenvalues import symmetric_eigenvalues
from napari_seedbed.core.marks.outlines import fill_outline
from napari_seedbed.core.objects.peak_kernels import neighbourhood_peaks
from napari_seedbed.core.scores.image_hints import local_entropy
from napari_seedbed.core.scores.label_overlaps import count_overlaps
from napari_seedbed.core.scores.surface_kernels import squared_distances, surface_of
from napari_seedbed.core.thresholds.automatic_thresholds import (
    automatic_threshold,
    multi_otsu_thresholds,
)
from napari_seedbed.core.thresholds.histograms import image_histogram

Call = Callable[[], Any]

PICTURE, VOLUME = (2048, 2048), (128, 128, 128)
ENOUGH = 1.0
"""Seconds after which the shortest of several runs is not looked for any longer."""


@dataclass(frozen=True)
class Row:
    """A function, its library's and a call of each."""

    name: str
    library: str
    size: str
    own: Call
    peer: Call


def seconds(call: Call) -> float:
    """Seconds that a call takes."""
    began, worked = time.perf_counter(), time.process_time()
    call()
    return min(time.perf_counter() - began, time.process_time() - worked)


def shortest(own: Call, peer: Call) -> tuple[float, float]:
    """Seconds of both, run in turn: the shortest of at least two times each."""
    own()
    times = np.empty((0, 2))
    while len(times) < 2 or times.sum() < ENOUGH:
        times = np.vstack([times, [seconds(own), seconds(peer)]])
    ours, theirs = times.min(axis=0).tolist()
    return ours, theirs


def in_words(array: NDArray[Any]) -> str:
    """``2048²`` or ``128³``."""
    return f"{len(array)}{'²' if array.ndim == 2 else '³'}"


def images() -> Iterator[NDArray[np.float32]]:
    """A picture and a volume of smooth noise, from 0 to 1."""
    for shape in (PICTURE, VOLUME):
        yield scene(shape, "float32")


def labels_of(shape: tuple[int, ...]) -> NDArray[np.int32]:
    """Hundreds of balls that touch."""
    return touching_balls(shape, (32, 32) if len(shape) == 2 else (8, 8, 8))[1]


def linear_filters() -> Iterator[Row]:
    """Gaussians and their derivatives."""
    for a in images():
        size = in_words(a)
        for name, own, library, peer in (
            ("gaussian", core.gaussian, "gaussian", partial(filters.gaussian, preserve_range=True)),
            ("gradient_magnitude", core.gradient_magnitude, "gaussian_gradient_magnitude",
             ndi.gaussian_gradient_magnitude),
            ("laplacian_of_gaussian", core.laplacian_of_gaussian, "gaussian_laplace",
             ndi.gaussian_laplace),
        ):  # fmt: skip
            yield Row(name, library, size, partial(own, a, 2), partial(peer, a, 2))


def curvatures() -> Iterator[Row]:
    """Eigenvalues and ridges."""
    for a in images():
        size = in_words(a)
        elements = feature.hessian_matrix(a, 2, use_gaussian_derivatives=False)
        if a.ndim == 3:
            yield Row("symmetric_eigenvalues", "hessian_matrix_eigvals", size,
                      partial(symmetric_eigenvalues, elements),
                      partial(feature.hessian_matrix_eigvals, elements))  # fmt: skip

        def structure(a: NDArray[Any] = a) -> Any:
            return feature.structure_tensor_eigenvalues(feature.structure_tensor(a, 2))

        yield Row("structure_eigenvalue", "structure_tensor_eigenvalues", size,
                  partial(core.structure_eigenvalue, a, 2), structure)  # fmt: skip
        for name in ("sato", "meijering", "frangi"):
            own, peer = getattr(core, name), getattr(filters, name)
            yield Row(name, name, size, partial(own, a, [2]), partial(peer, a, [2]))


def denoising() -> Iterator[Row]:
    """Filters that take noise away."""
    for a in images():
        size = in_words(a)
        yield Row("total_variation", "denoise_tv_chambolle", size,
                  partial(core.total_variation, a, max_num_iter=10, eps=0),
                  partial(restoration.denoise_tv_chambolle, a, max_num_iter=10, eps=0))  # fmt: skip
        yield Row("noise_level", "estimate_sigma", size,
                  partial(denoising_filters.noise_level, a),
                  partial(restoration.estimate_sigma, a))  # fmt: skip
    part = np.ascontiguousarray(scene(PICTURE, "float32")[:512, :512])
    yield Row("bilateral", "denoise_bilateral", in_words(part), partial(core.bilateral, part, 2),
              partial(restoration.denoise_bilateral, part, sigma_spatial=2))  # fmt: skip
    for a in (part, np.ascontiguousarray(scene(VOLUME, "float32")[:48, :48, :48])):
        yield Row("non_local_means", "denoise_nl_means", in_words(a),
                  partial(core.non_local_means, a, strength=0.08),
                  partial(restoration.denoise_nl_means, a, 5, 6, h=0.08))  # fmt: skip
    for shape, window in ((PICTURE, morphology.disk(5)), (VOLUME, morphology.ball(3))):
        grey = scene(shape, "uint8")
        radius = len(window) // 2
        yield Row("local_entropy", "rank.entropy", in_words(grey),
                  partial(local_entropy, grey, radius, levels=256, limits=(0, 256)),
                  partial(filters.rank.entropy, grey, window))  # fmt: skip


def grey_values() -> Iterator[Row]:
    """Contrast, histograms and thresholds."""
    for a in images():
        size = in_words(a)
        yield Row("apply_logarithm", "adjust_log", size,
                  partial(core.apply_logarithm, a, limits=(0, 1)),
                  partial(exposure.adjust_log, a))  # fmt: skip
        yield Row("equalise", "equalize_hist", size, partial(core.equalise, a),
                  partial(exposure.equalize_hist, a, 1 << 16))  # fmt: skip
        whole = (a * 4095).astype(np.uint16)
        yield Row("image_histogram", "histogram", size, partial(image_histogram, whole),
                  partial(exposure.histogram, whole))  # fmt: skip
        counted = image_histogram(whole)
        yield Row("automatic_threshold, li", "threshold_li", size,
                  lambda whole=whole: automatic_threshold(image_histogram(whole), "li"),
                  partial(filters.threshold_li, whole))  # fmt: skip
        yield Row("automatic_threshold, triangle", "threshold_triangle", size,
                  lambda whole=whole: automatic_threshold(image_histogram(whole), "triangle"),
                  partial(filters.threshold_triangle, whole))  # fmt: skip
        known = (counted.counts, counted.values)
        if a.ndim == 3:
            yield Row("automatic_threshold, minimum", "threshold_minimum", "4096 values",
                      partial(automatic_threshold, counted, "minimum"),
                      partial(filters.threshold_minimum, hist=known))  # fmt: skip
            coarse = np.histogram(whole, 256)
            shades = image_histogram(scene(VOLUME, "uint8"))
            yield Row("multi_otsu_thresholds", "threshold_multiotsu", "4 of 256",
                      partial(multi_otsu_thresholds, shades, 4),
                      partial(filters.threshold_multiotsu, hist=(coarse[0], coarse[1][1:]),
                              classes=4))  # fmt: skip
        for name in ("niblack", "sauvola"):
            own = getattr(core, f"threshold_{name}")
            peer = getattr(filters, f"threshold_{name}")
            yield Row(f"threshold_{name}", f"threshold_{name}", size,
                      partial(own, a, 15), partial(peer, a, 15))  # fmt: skip


def objects() -> Iterator[Row]:
    """What is measured, found and chosen."""
    for a in images():
        size, labels = in_words(a), labels_of(a.shape)
        mask, table = labels > 0, measure.regionprops_table
        for group, columns in (
            ("shape", ("axis_major_length", "axis_minor_length", "extent", "euler_number")),
            ("hull", ("solidity",)),
            ("intensity", ("intensity_mean", "intensity_std", "intensity_median")),
        ):
            yield Row(f"measure_objects, {group}", "regionprops_table", size,
                      partial(core.measure_objects, labels, image=a, groups=[group]),
                      partial(table, labels, a, properties=columns))  # fmt: skip
        yield Row("neighbourhood_peaks", "maximum_filter", size,
                  partial(neighbourhood_peaks, a, 0.2),
                  lambda a=a: (a == ndi.maximum_filter(a, 3)) & (a > 0.2))  # fmt: skip
        yield Row("local_maxima", "peak_local_max", size, partial(core.local_maxima, a, 5),
                  partial(feature.peak_local_max, a, min_distance=5))  # fmt: skip
        yield Row("fill_holes", "binary_fill_holes", size, partial(core.fill_holes, mask),
                  partial(ndi.binary_fill_holes, mask))  # fmt: skip
        yield Row("remove_by_size", "remove_small_objects", size,
                  partial(core.remove_by_size, labels, 100, objects="labels"),
                  partial(morphology.remove_small_objects, labels, max_size=99))  # fmt: skip
        yield Row("clear_border", "clear_border", size,
                  partial(core.clear_border, labels, objects="labels"),
                  partial(segmentation.clear_border, labels))  # fmt: skip
        start = tuple(n // 2 for n in a.shape)
        seeds = np.zeros(a.shape, np.int32)
        seeds[start] = 1
        yield Row("flood_fill", "flood", size, partial(core.flood_fill, a, seeds, 0.15),
                  partial(segmentation.flood, a, start, tolerance=0.15))  # fmt: skip
        if a.ndim == 3:
            yield Row("skeleton", "skeletonize", size, partial(core.skeleton, mask),
                      partial(morphology.skeletonize, mask))  # fmt: skip
            yield Row("find_blobs", "blob_log", size, partial(core.find_blobs, a, 3, 12),
                      partial(feature.blob_log, a, 1.7, 6.9, 9, 0.05))  # fmt: skip


def scores() -> Iterator[Row]:
    """Overlaps and surfaces."""
    for shape in (PICTURE, VOLUME):
        truth = labels_of(shape)
        size, result = in_words(truth), np.roll(truth, 2, axis=-1)
        mask = (truth > 0).reshape((1,) * (3 - truth.ndim) + truth.shape)
        yield Row("count_overlaps", "contingency_table", size,
                  partial(count_overlaps, truth, result),
                  partial(metrics.contingency_table, truth, result))  # fmt: skip
        yield Row("squared_distances", "distance_transform_edt", size,
                  lambda mask=mask: squared_distances(~mask, (1.0, 1.0, 1.0)),
                  partial(ndi.distance_transform_edt, truth > 0))  # fmt: skip
        yield Row("surface_of", "find_boundaries", size,
                  partial(surface_of, mask),
                  partial(segmentation.find_boundaries, truth > 0, mode="inner"))  # fmt: skip


def colours_and_marks() -> Iterator[Row]:
    """Colours of pictures, and outlines."""
    picture = np.stack([scene(PICTURE, "uint8"), *scene((2, *PICTURE), "uint8")], axis=-1)
    size = in_words(picture[..., 0])
    space = ColourSpace("hue_saturation")
    yield Row("ColourSpace.coordinates, hue", "rgb2hsv", size, partial(space.coordinates, picture),
              partial(color.rgb2hsv, picture))  # fmt: skip
    yield Row("to_grey", "rgb2gray", size, partial(core.to_grey, picture),
              partial(color.rgb2gray, picture))  # fmt: skip

    coordinates = ColourSpace("rg").coordinates(picture)[0]
    patch = coordinates.reshape(2, -1)[:, ::1000].astype(float)
    gaussian = ColourGaussian(1, ColourSpace("rg"), patch.mean(axis=1), np.cov(patch), 1)
    normal = multivariate_normal(gaussian.mean, gaussian.covariance)
    yield Row("ColourGaussian.probability", "multivariate_normal", size,
              partial(gaussian.probability, coordinates),
              lambda: normal.pdf(np.moveaxis(coordinates, 0, -1)))  # fmt: skip

    def counted() -> Any:
        total = np.maximum(picture.sum(axis=-1), 1).ravel()
        shares = [picture[..., c].ravel() / total for c in (0, 1)]
        return np.histogram2d(*shares, bins=64, range=((0, 1), (0, 1)))

    yield Row("colour_histogram", "histogram2d", size, partial(core.colour_histogram, picture),
              counted)  # fmt: skip
    part = picture[:512, :512]
    regions = labels_of(PICTURE)[:512, :512]
    yield Row("average_colour", "label2rgb", "512²",
              partial(core.average_colour, part, regions, channel_axis=-1),
              partial(color.label2rgb, regions, part, kind="avg", bg_label=0))  # fmt: skip
    turn = np.linspace(0, 2 * np.pi, 400, endpoint=False)
    outline = 1000 + 900 * np.stack([np.sin(turn), np.cos(turn)], axis=1)
    yield Row("fill_outline", "polygon2mask", size, partial(fill_outline, outline, (0, 0), PICTURE),
              partial(draw.polygon2mask, PICTURE, outline))  # fmt: skip


GROUPS = (
    linear_filters, curvatures, denoising, grey_values, objects, scores, colours_and_marks,
)  # fmt: skip


def main() -> None:
    """Print a row for each pair."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("words", nargs="*", default=[])
    words = parser.parse_args(sys.argv[1:]).words
    print(machine())
    print("| own code | the library's | size | seconds | the library's | ratio |")
    print("|---|---|---|---|---|---|")
    for group in GROUPS:
        for row in group():
            if words and not any(word in f"{group.__name__} {row.name}" for word in words):
                continue
            ours, theirs = shortest(row.own, row.peer)
            print(
                f"| `{row.name}` | `{row.library}` | {row.size} | {ours:.3f} | {theirs:.3f} "
                f"| {theirs / ours:.1f} |",
                flush=True,
            )


if __name__ == "__main__":
    main()
