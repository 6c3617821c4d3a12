"""Reference colours: learnt from patches on an image, or read from the text of a parameter."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from types import ModuleType
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from napari_seedbed import core
from napari_seedbed.core.progress import check_stop
from napari_seedbed.errors import InputError
from napari_seedbed.pipeline.data.blocks import OverBlocks
from napari_seedbed.pipeline.data.image import Image
from napari_seedbed.pipeline.data.shapes import Shapes
from napari_seedbed.pipeline.encodings.colour_encoding import (
    gaussians_as_text,
    gaussians_from_text,
    histograms_as_text,
    histograms_from_text,
)
from napari_seedbed.pipeline.engine.volumes import seed_volume

if TYPE_CHECKING:
    from napari_seedbed.core.colour.colour_gaussians import ColourGaussian
    from napari_seedbed.core.colour.colour_histograms import ColourHistogram
    from napari_seedbed.core.colour.colour_spaces import ColourSpace
    from napari_seedbed.core.marks.shapes import Shape

GAUSSIAN = "chromaticity_gaussian"


@dataclass(frozen=True, eq=False)
class Marked:
    """The pixels that patches mark.

    Attributes
    ----------
    pixels : (N, C) ndarray
    labels : (N,) ndarray of int
    extremes : (C, 2) ndarray
        Least and largest value of each channel in all of what the patches lie on.
    """

    pixels: NDArray[Any]
    labels: NDArray[np.integer]
    extremes: NDArray[Any]


def marked_in_volume(
    voxels: NDArray,
    seeds: NDArray[np.integer] | None,
    shapes: "Sequence[Shape]",
    spacing: Sequence[float],
    core: ModuleType = core,
) -> Marked:
    """The marked pixels of one volume (C, Z, Y, X), without z in 2D; shapes lie on seeds."""
    if voxels.ndim == len(spacing):
        raise InputError(
            "image: it has one channel; a colour needs at least two. Take an RGB image, or choose "
            "more channels."
        )
    labels = _labels_of(seeds, shapes, voxels.shape[1:], spacing, core)
    pixels, marks = core.patch_pixels(voxels, labels, channel_axis=0)
    flat = np.reshape(voxels, (len(voxels), -1))
    extremes = np.stack([np.min(flat, axis=1), np.max(flat, axis=1)], axis=1)
    return Marked(pixels, marks, extremes)


def marked_in_parts(
    image: Image,
    seeds: Image | None,
    shapes: "Sequence[Shape]",
    over: OverBlocks,
) -> Marked:
    """The marked pixels of one time point, of which all of the image is looked at in blocks.

    Parameters
    ----------
    image, seeds : Image
        Without time.
    shapes : sequence of Shape
    over : OverBlocks
    """
    look = partial(_marked_in_part, image.spatial_shape, seeds, tuple(shapes), image.spacing)
    found = list(over(look, image, placed=True))
    # In the order in which they lie in the image, however it is cut.
    places = np.concatenate([one for one, _ in found])
    order = np.argsort(places, kind="stable")
    if not len(order):
        raise InputError("There is no patch yet: mark some pixels of the wanted colour.")
    extremes = np.stack([marked.extremes for _, marked in found])
    return Marked(
        np.concatenate([marked.pixels for _, marked in found])[order],
        np.concatenate([marked.labels for _, marked in found])[order],
        np.stack([extremes[..., 0].min(axis=0), extremes[..., 1].max(axis=0)], axis=1),
    )


def _marked_in_part(
    shape: tuple[int, ...],
    seeds: Image | None,
    shapes: "tuple[Shape, ...]",
    spacing: tuple[float, ...],
    voxels: NDArray,
    region: tuple[slice, ...],
    seen: tuple[slice, ...],
) -> tuple[NDArray[np.intp], Marked]:
    """The places of marked pixels of a block in the image, and the pixels."""
    starts = np.array([part.start for part in region], float)
    drawn = [replace(one, points=one.points - starts) for one in shapes]
    own = None if seeds is None else seed_volume(seeds.crop(region), 0)
    labels = _labels_of(own, drawn, voxels.shape[1:], spacing, core)
    flat = voxels.reshape(len(voxels), -1)
    where = np.flatnonzero(labels > 0)
    inside = np.unravel_index(where, labels.shape)
    places = np.ravel_multi_index(
        tuple(one + part.start for one, part in zip(inside, region, strict=True)), shape
    )
    extremes = np.stack([flat.min(axis=1), flat.max(axis=1)], axis=1)
    return places, Marked(flat[:, where].T, labels.reshape(-1)[where], extremes)


def _labels_of(
    seeds: NDArray[np.integer] | None,
    shapes: "Sequence[Shape]",
    shape: tuple[int, ...],
    spacing: Sequence[float],
    core: ModuleType,
) -> Any:
    """Seeds with shapes drawn onto them."""
    if not shapes:
        return seeds
    drawn = core.seeds_from_drawn(shapes, shape, spacing)
    return drawn if seeds is None else np.where(drawn > 0, drawn, seeds)


def marked_in_image(image: Image, marks: Image | Shapes) -> Marked:
    """The marked pixels of all time points together, in their order.

    Parameters
    ----------
    image : Image
    marks : Image or Shapes
        Labels on the image's grid, along time as well if the image is a series; or shapes.

    Raises
    ------
    InputError
        If nothing is marked, or the image has one channel.
    """
    found = []
    for t, seeds, shapes in _marks_by_time(image, marks):
        check_stop()
        volume = image.select_time(t).volume()
        found.append(marked_in_volume(volume, seeds, shapes, image.spacing))
    if not found:
        raise InputError("There is no patch yet: mark some pixels of the wanted colour.")
    extremes = np.stack([one.extremes for one in found])
    return Marked(
        np.concatenate([one.pixels for one in found]),
        np.concatenate([one.labels for one in found]),
        np.stack([extremes[..., 0].min(axis=0), extremes[..., 1].max(axis=0)], axis=1),
    )


def learnt_as_text(operation: str, marked: Marked, parameters: Mapping[str, Any]) -> str:
    """What the parameter 'colours' of an operation needs to give what the patches give.

    Parameters
    ----------
    operation : {'chromaticity_gaussian', 'histogram_backprojection'}
    marked : Marked
    parameters : dict
        Of the operation, complete.
    """
    if operation == GAUSSIAN:
        return gaussians_as_text(learnt_gaussians(marked, parameters))
    return histograms_as_text(learnt_histograms(marked, marked.pixels.shape[-1], parameters))


def learnt_gaussians(
    marked: Marked, parameters: Mapping[str, Any], core: ModuleType = core
) -> "list[ColourGaussian]":
    """One Gaussian for each label of the marked pixels."""
    gaussians: list[ColourGaussian] = core.fit_colour_gaussians(
        marked.pixels,
        marked.labels,
        model=parameters["model"],
        min_sigma=parameters["min_sigma"] or None,
        black_level=parameters["black_level"],
        saturation_level=parameters["saturation_level"] or None,
    )
    return gaussians


def written_gaussians(
    n_channels: int, parameters: Mapping[str, Any], core: ModuleType = core
) -> "list[ColourGaussian]":
    """The Gaussians of the parameter 'colours', for an image of so many channels."""
    texts = gaussians_from_text(parameters["colours"])
    wanted = len(texts[0].mean) + 1
    if wanted != n_channels:
        raise InputError(
            f"colours: they are for {wanted} channels, and the image has {n_channels}. Choose as "
            "many channels."
        )
    space = core.colour_space(
        "rg",
        n_channels,
        tuple(range(n_channels - 1)),
        parameters["black_level"],
        parameters["saturation_level"] or None,
    )
    return [core.ColourGaussian(one.label, space, one.mean, one.covariance, 0) for one in texts]


def learnt_histograms(
    marked: Marked, n_channels: int, parameters: Mapping[str, Any], core: ModuleType = core
) -> "dict[int, ColourHistogram]":
    """One histogram for each label of the marked pixels."""
    space = space_of(n_channels, parameters, core)
    ranges = None
    if parameters["space"] == "channels":
        pair = (parameters["channel_1"] - 1, parameters["channel_2"] - 1)
        ranges = core.colour_ranges(marked.extremes, pair)
    bins = core.colour_bins(marked.pixels, space, parameters["bins"], ranges)
    histograms: dict[int, ColourHistogram] = core.patch_histograms(
        marked.pixels, marked.labels, bins
    )
    return histograms


def written_histograms(
    n_channels: int, parameters: Mapping[str, Any]
) -> "dict[int, ColourHistogram]":
    """The histograms of the parameter 'colours', for an image of so many channels."""
    from napari_seedbed.core.colour.colour_histograms import ColourBins, ColourHistogram

    texts = histograms_from_text(parameters["colours"])
    first = texts[0]
    space = space_of(n_channels, parameters)
    if (space.name, len(first.ranges)) != (first.space, space.n_coordinates) or (
        space.name in ("rg", "channels") and space.channels != first.channels
    ):
        pair = " and ".join(str(c + 1) for c in first.channels)
        of = f" of the channels {pair}" if first.space in ("rg", "channels") else ""
        raise InputError(
            f"colours: they were learnt in the space {first.space!r}{of}; choose the same space "
            "and channels."
        )
    bins = ColourBins(space, first.counts.shape, first.ranges)
    return {one.label: ColourHistogram(bins, one.counts, 0) for one in texts}


def space_of(
    n_channels: int, parameters: Mapping[str, Any], core: ModuleType = core
) -> "ColourSpace":
    """The colour space that parameters speak of; they count channels from 1."""
    name = parameters["space"]
    pair = (parameters["channel_1"], parameters["channel_2"])
    if name in ("rg", "channels") and (max(pair) > n_channels or pair[0] == pair[1]):
        raise InputError(
            f"channel_1 and channel_2: {pair[0]} and {pair[1]} given; two different channels of "
            f"{n_channels} are needed, counted from 1."
        )
    space: ColourSpace = core.colour_space(
        name,
        n_channels,
        [c - 1 for c in pair] if name in ("rg", "channels") else None,
        parameters["black_level"],
        parameters["saturation_level"] or None,
        parameters.get("min_saturation", 0.0),
    )
    return space


def _marks_by_time(
    image: Image, marks: Image | Shapes
) -> "Iterator[tuple[int, NDArray[np.int32] | None, list[Shape]]]":
    for t in range(image.n_times):
        if isinstance(marks, Shapes):
            shapes = [shape for shape in marks.shapes if shape.time == t]
            if shapes:
                yield t, None, shapes
        else:
            seeds = seed_volume(marks, t)
            if (seeds > 0).any():
                yield t, seeds, []
