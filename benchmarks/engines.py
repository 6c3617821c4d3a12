"""Seeded engines that the benchmarks set side by side, all behind one interface."""

import warnings
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from marked_images import Marked
from numpy.typing import NDArray
from scipy import ndimage as ndi
from skimage.color import rgb2gray
from skimage.filters import sobel
from skimage.segmentation import random_walker as skimage_random_walker
from skimage.segmentation import watershed

from napari_seedbed import core
from napari_seedbed.core import RandomWalker
from napari_seedbed.core.progress import Report

Image = NDArray[np.floating]
Labels = NDArray[np.integer]
Spacing = Sequence[float] | None


class Solver(Protocol):
    """What an engine made of an image: it takes ever new strokes."""

    def solve(
        self, labels: Labels, *, view: tuple[int, int] | None = None, report: Report | None = None
    ) -> Labels: ...


@dataclass(frozen=True)
class Engine:
    """A way to grow strokes; `start` takes image, spacing, channel axis and background label."""

    name: str
    start: Callable[[Image, Spacing, int | None, int | None], Solver]

    def on(self, marked: Marked, background: int | None = None) -> Solver:
        """Return the engine on the image of a marked scene."""
        scene = marked.scene
        return self.start(scene.image, scene.spacing, scene.channel_axis, background)


class Afresh:
    """A function that begins from nothing with each stroke."""

    def __init__(self, function: Callable[[Labels], Labels]) -> None:
        self._function = function

    def solve(self, labels: Labels, **_: Any) -> Labels:
        return self._function(labels)


def grey(image: Image, channel_axis: int | None) -> Image:
    """Return the brightness of a coloured image."""
    return image if channel_axis is None else rgb2gray(image, channel_axis=channel_axis)


def _seeded(
    image: Image, spacing: Spacing, channel_axis: int | None, background: int | None
) -> Solver:
    return core.SeededSegmenter(image, spacing, channel_axis, background=background)


def _contrast_walker(
    image: Image, spacing: Spacing, channel_axis: int | None, background: int | None
) -> Solver:
    return RandomWalker(image, spacing, channel_axis)


def _published_walker(
    image: Image, spacing: Spacing, channel_axis: int | None, background: int | None
) -> Solver:
    return RandomWalker(image, spacing, channel_axis, beta=130, normalization="std")


def _watershed(
    image: Image, spacing: Spacing, channel_axis: int | None, background: int | None
) -> Solver:
    def flood(labels: Labels) -> Labels:
        return watershed(sobel(ndi.gaussian_filter(grey(image, channel_axis), 1)), labels)

    return Afresh(flood)


def skimage_walker(beta: float = 130) -> Engine:
    """scikit-image's random walker, exact in 2D."""

    def start(
        image: Image, spacing: Spacing, channel_axis: int | None, background: int | None
    ) -> Solver:
        flat = image.ndim - (channel_axis is not None) == 2

        def walk(labels: Labels) -> Labels:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                return skimage_random_walker(
                    image, labels, beta=beta, mode="bf" if flat else "cg_j", spacing=spacing,
                    channel_axis=channel_axis,
                )  # fmt: skip

        return Afresh(walk)

    return Engine(f"scikit-image random_walker, beta {beta:g}", start)


def grab_cut() -> Engine | None:
    """OpenCV's GrabCut, for one region and its outside; None where OpenCV is not installed."""
    try:
        import cv2
    except ImportError:
        print("GrabCut is left out: OpenCV is not installed.")
        return None

    def start(
        image: Image, spacing: Spacing, channel_axis: int | None, background: int | None
    ) -> Solver:
        eight_bit = np.round(255 * np.clip(image, 0, 1)).astype(np.uint8)
        colour = np.stack([eight_bit] * 3, axis=-1) if channel_axis is None else eight_bit

        def cut(labels: Labels) -> Labels:
            mask = np.full(labels.shape, cv2.GC_PR_BGD, np.uint8)
            mask[labels == 1], mask[labels == 2] = cv2.GC_FGD, cv2.GC_BGD
            cv2.setRNGSeed(0)
            models = np.zeros((1, 65)), np.zeros((1, 65))
            cv2.grabCut(np.ascontiguousarray(colour), mask, None, *models, 5, cv2.GC_INIT_WITH_MASK)
            return np.where((mask == cv2.GC_FGD) | (mask == cv2.GC_PR_FGD), 1, 2)

        return Afresh(cut)

    return Engine("OpenCV GrabCut", start)


ENGINES = {
    "seeded": Engine("napari-seedbed, automatic", _seeded),
    "contrast": Engine("napari-seedbed, walker by contrast", _contrast_walker),
    "published": Engine("napari-seedbed, walker as published", _published_walker),
    "watershed": Engine("scikit-image watershed of Sobel", _watershed),
    # Minutes an answer in 3D.
    "skimage": skimage_walker(),
    "skimage_1000": skimage_walker(1000),
}


def chosen(keys: Iterable[str]) -> list[Engine]:
    """Return the engines of some keys."""
    return [ENGINES[key] for key in keys]


def warm_up(engine: Engine, ndim: int, channels: bool) -> None:
    """Let an engine compile before the clock runs."""
    rng = np.random.default_rng(0)
    shape = (24,) * ndim
    image = rng.random(shape + (3,) * channels)
    strokes = np.zeros(shape, np.int32)
    for label, place in enumerate(((4, 4), (4, 18), (18, 4)), start=1):
        strokes[..., place[0], place[1] : place[1] + 3] = label
    solver = engine.start(image, None, -1 if channels else None, 3)
    for labels in (strokes, np.where(strokes == 2, 0, strokes), strokes):
        solver.solve(labels, view=(0, 12), report=lambda progress: None)
