"""The operations on colours: chromaticity, histograms of colours, and pictures of the result."""

from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from napari_seedbed.errors import InputError
from napari_seedbed.pipeline.encodings.colour_encoding import (
    gaussians_from_text,
    histograms_from_text,
    outline_from_text,
)
from napari_seedbed.pipeline.engine.core_calls import CoreCall
from napari_seedbed.pipeline.engine.declarations import (
    Estimate,
    Need,
    SecondImage,
    Size,
    Starts,
    Values,
)
from napari_seedbed.pipeline.engine.jobs import Channels, Job
from napari_seedbed.pipeline.engine.parameters import choice, number, text, whole_number
from napari_seedbed.pipeline.operations.colour_parameters import (
    BACKGROUND,
    COLOURLESS,
    COMPOSITE,
    COORDINATES,
    LABELS,
    MASK,
    MIN_SATURATION,
    PROBABILITIES,
    THRESHOLD,
    colours,
    space,
)
from napari_seedbed.pipeline.operations.colour_references import (
    Marked,
    learnt_gaussians,
    learnt_histograms,
    marked_in_parts,
    marked_in_volume,
    space_of,
    written_gaussians,
    written_histograms,
)
from napari_seedbed.pipeline.operations.costs import by_channel, by_voxel
from napari_seedbed.pipeline.operations.families import image_filter
from napari_seedbed.pipeline.operations.halos import no_halo
from napari_seedbed.pipeline.operations.references import SWAIN

if TYPE_CHECKING:
    from napari_seedbed.core.colour.colour_histograms import ColourBins, ColourHistogram

PANEL = "chromaticity"

NO_COLOUR = (
    "Black pixels (all channels 0) have no colour: they are not learnt from and come out as 0, "
    "never as NaN. Saturated ones count with their clipped values unless a saturation level is set."
)


def _rg_chromaticity(job: Job) -> dict[str, Channels]:
    shares = CoreCall("rg_chromaticity").result(job)
    return {"image": Channels(shares, coordinate_names(len(job.load())))}


def _chromaticity_gaussian(job: Job) -> dict[str, Any]:
    core, voxels, parameters = job.core, _voxels(job), job.parameters
    marked = _marked(job, voxels)
    if marked is None:
        gaussians = written_gaussians(len(voxels), parameters, core)
        labels = [one.label for one in gaussians_from_text(parameters["colours"])]
    else:
        gaussians = learnt_gaussians(marked, parameters, core)
        labels = core.class_labels(gaussians)
    maps = core.gaussian_probabilities(voxels, gaussians, 0)
    outputs = _outputs(job, voxels, labels, maps)
    if parameters["coordinates"]:
        parts = core.class_coordinates(voxels, gaussians, 0)
        outputs["coordinates"] = _by_class(job, labels, parts, coordinate_names(len(voxels)))
    return outputs


def _histogram_backprojection(job: Job) -> dict[str, Any]:
    core, voxels, parameters = job.core, _voxels(job), job.parameters
    marked = _marked(job, voxels)
    if marked is None:
        histograms = written_histograms(len(voxels), parameters)
        labels = list(histograms)
    else:
        histograms = learnt_histograms(marked, len(voxels), parameters, core)
        labels = core.class_labels(histograms)
    about: dict[str, Any] = {name: parameters[name] for name in ("method", "smoothing")}
    if job.wanted is not None and parameters["method"] == "ratio":
        bins = next(iter(histograms.values())).bins
        about["everywhere"] = job.kept(("colours", job.time), partial(_colours, job, bins))
    maps = core.class_probabilities(voxels, histograms, 0, **about)
    return _outputs(job, voxels, labels, maps)


def _colours(job: Job, bins: "ColourBins") -> "ColourHistogram":
    """How often each colour occurs in all of the image, where a part of it is worked on."""
    image = job.image.select_time(job.time)
    parts = list(job.over(partial(_colours_in_part, bins), image))
    counts = sum(part.counts for part in parts)
    return replace(parts[0], counts=counts, without_colour=sum(p.without_colour for p in parts))


def _colours_in_part(bins: "ColourBins", voxels: NDArray) -> "ColourHistogram":
    from napari_seedbed.core.colour.colour_histograms import count_colours

    return count_colours(np.moveaxis(voxels, 0, -1), bins)


def _colour_selection(job: Job) -> dict[str, Any]:
    voxels, parameters = _voxels(job), job.parameters
    outline = outline_from_text(parameters["outline"])
    if not len(outline):
        raise InputError("outline: there is none; draw one on the histogram, or write its corners.")
    coordinates = space_of(len(voxels), parameters, job.core)
    mask = job.core.colours_in_polygon(voxels, outline, coordinates, 0)
    outputs: dict[str, Any] = {"mask": mask}
    if parameters["composite"]:
        outputs["composite"] = _composite(job, voxels, mask)
    return outputs


def _colour_composite(job: Job) -> dict[str, Channels]:
    voxels, mask = _voxels(job), job.other()
    assert mask is not None
    return {"image": _composite(job, voxels, mask)}


# What they have in common


def coordinate_names(n_channels: int) -> tuple[str, ...]:
    """What the chromaticities of an image of so many channels are called."""
    if n_channels == 3:
        return ("r", "g")
    return tuple(f"share of channel {i + 1}" for i in range(n_channels - 1))


def _voxels(job: Job) -> NDArray:
    from napari_seedbed.core.colour.colour_spaces import check_colour_image

    voxels = job.load()
    job.check(check_colour_image, voxels, 0)
    return voxels


def _marked(job: Job, voxels: NDArray) -> Marked | None:
    """The pixels that patches mark; None where colours are written in the parameters."""
    is_written = bool(job.parameters["colours"].strip())
    if job.seeds is None and not job.shapes and job.all_seeds is None and not job.all_shapes:
        if not is_written:
            raise InputError(
                "seeds: there are neither patches nor reference colours; mark some pixels of the "
                "wanted colour."
            )
        return None
    if is_written:
        raise InputError(
            "colours: patches and reference colours were both given; give one of them."
        )
    if job.wanted is None:
        return marked_in_volume(voxels, job.seeds, job.shapes, job.spacing, job.core)
    # All of the image is learnt from, where a part of it is worked on.
    seeds = None if job.all_seeds is None else job.all_seeds.select_time(job.time)
    shapes = [one for one in job.all_shapes if one.time == job.time]
    image = job.image.select_time(job.time)
    marked: Marked = job.kept(
        ("marked", job.time), lambda: marked_in_parts(image, seeds, shapes, job.over)
    )
    return marked


def _outputs(
    job: Job, voxels: NDArray, labels: Sequence[int], maps: NDArray[np.floating]
) -> dict[str, Any]:
    """What is wanted of the probabilities (K, …) of some classes."""
    parameters = job.parameters
    outputs: dict[str, Any] = {"image": np.max(maps, axis=0)}
    if parameters["probabilities"]:
        outputs["probabilities"] = _by_class(job, labels, maps, ("",))
    if parameters["mask"] or parameters["labels"] or parameters["composite"]:
        threshold = parameters["threshold"]
        classes = job.core.most_probable(labels, maps, threshold)
        if parameters["labels"]:
            outputs["labels"] = classes
        if parameters["mask"]:
            outputs["mask"] = classes > 0
        if parameters["composite"]:
            outputs["composite"] = _composite(job, voxels, classes)
    return outputs


def _by_class(
    job: Job, labels: Sequence[int], maps: NDArray[np.floating], names: Sequence[str]
) -> Channels:
    """Maps of each class, as many a class as there are names, with places for absent classes."""
    every = job.label_values or tuple(labels)
    count = len(names)
    out = job.core.maps_of_labels(maps, labels, every, count)
    titles = [
        f"label {label} {name}".strip() if len(every) > 1 or not name else name
        for label in every
        for name in names
    ]
    return Channels(out, tuple(titles))


def _composite(job: Job, voxels: NDArray, mask: NDArray) -> Channels:
    painted = job.core.colour_composite(voxels, mask, 0, background=job.parameters["background"])
    return Channels(painted, as_input=True)


def _need(bytes_a_map: int) -> Estimate:
    """A forecast by the number of probability maps and the like."""

    def estimate(size: Size, parameters: Values) -> Need:
        maps = size.n_labels * (1 + parameters["probabilities"])
        maps += size.n_labels * size.n_channels * parameters.get("coordinates", False)
        painted = 16 * size.n_channels * parameters["composite"]
        return Need(
            size.voxels * (16 + bytes_a_map * maps + painted),
            size.voxels * (2e-8 * (1 + maps) + 4e-9 * painted),
        )

    return estimate


def _selection_need(size: Size, parameters: Values) -> Need:
    each = 24 + 16 * size.n_channels * parameters["composite"]
    return Need(size.voxels * each, 4e-8 * size.voxels * (1 + parameters["composite"]))


# Declarations


_colour = partial(
    image_filter,
    group="Colour",
    channels="joint",
    least_channels=2,
    halo=no_halo,
)
_selection = partial(_colour, menu="napari/layers/segment", panel=PANEL)
_learnt = partial(
    _selection,
    starts=Starts(("seeds", "shapes"), needed=False, labels=1),
    halo=no_halo,
    core_names={"patch_labels": "seeds", "patch": "seeds: patch"},
)

CHROMATICITY = _colour(
    name="rg_chromaticity",
    title="Chromaticity image",
    function=_rg_chromaticity,
    parameters=(
        number(
            "black_level",
            0.0,
            "Black level",
            "Pixels whose channels have this mean or less are black and get the neutral "
            "chromaticity, that of grey.",
            (0.0, 1e9),
        ),
    ),
    estimate=by_channel(16, 2e-8),
    help="Gives each channel but the last over the sum of all, from 0 to 1: the colour without its "
    "brightness. Black pixels have none and come out neutral (a third in RGB), never NaN.",
    reference="Wyszecki G, Stiles WS (1982). Color Science: Concepts and Methods, Quantitative "
    "Data and Formulae. Wiley, second edition.",
    term="rg chromaticity",
)

CHROMATICITY_GAUSSIAN = _learnt(
    name="chromaticity_gaussian",
    title="Gaussian of chromaticity",
    function=_chromaticity_gaussian,
    parameters=(
        choice(
            "model",
            "Covariance",
            "Whether each coordinate has a Gaussian of its own, as in the literature, or all have "
            "one together that also knows how they vary with each other.",
            {"independent": "Independent coordinates", "joint": "Full"},
        ),
        THRESHOLD,
        number(
            "min_sigma",
            0.0,
            "Minimum standard deviation",
            "Smallest standard deviation, so that a patch of one colour finds its like. 0: 0.001, "
            "or what rounding makes in dark images of whole numbers.",
            (0.0, 1.0),
            advanced=True,
        ),
        *COLOURLESS,
        MASK,
        LABELS,
        COORDINATES,
        PROBABILITIES,
        COMPOSITE,
        BACKGROUND,
        colours(gaussians_from_text),
    ),
    estimate=_need(5),
    help="Finds what has the colour of a patch, however bright: probability 1 at the mean "
    f"chromaticity of the patch, falling as a Gaussian of its spread. {NO_COLOUR}",
    reference="Yang J, Waibel A (1996). A real-time face tracker. Proceedings of the Third IEEE "
    "Workshop on Applications of Computer Vision, 142-147.",
    term="parametric segmentation by chromaticity",
)

HISTOGRAM_BACKPROJECTION = _learnt(
    name="histogram_backprojection",
    title="Histogram back-projection",
    function=_histogram_backprojection,
    parameters=(
        *space("rg", "hue", "hue_saturation", "channels"),
        whole_number(
            "bins",
            64,
            "Bins",
            "Bins of the histogram along each coordinate. Few forgive small differences of colour, "
            "many separate more colours and need a larger patch.",
            (1, 1024),
        ),
        number(
            "smoothing",
            1.0,
            "Smoothing (bins)",
            "Standard deviation, in bins, of the Gaussian that smooths the histogram.",
            (0.0, 1000.0),
        ),
        choice(
            "method",
            "Normalisation",
            "Share of the patch over share of the image, so that colours of the background count "
            "little (a ratio histogram); or the patch alone, over its most frequent colour. How "
            "large the patch is does not matter in either.",
            {"ratio": "Ratio (patch / image)", "patch": "Patch alone"},
        ),
        THRESHOLD,
        *COLOURLESS,
        MIN_SATURATION,
        MASK,
        LABELS,
        PROBABILITIES,
        COMPOSITE,
        BACKGROUND,
        colours(histograms_from_text),
    ),
    estimate=_need(9),
    help="Finds what has colours that are frequent in a patch, whatever their distribution: each "
    f"pixel gets what the patch's histogram has for its colour. {NO_COLOUR}",
    reference=SWAIN,
    term="non-parametric segmentation by colour",
)

COLOUR_SELECTION = _selection(
    name="colour_selection",
    title="Colour gating",
    function=_colour_selection,
    parameters=(
        *space("rg", "hue_saturation", "channels"),
        text(
            "outline",
            "",
            "Outline",
            "Corners in the two coordinates, as '0.2 0.3, 0.4 0.3, 0.3 0.5'. The panel writes "
            "what is drawn on the histogram.",
            advanced=True,
            check_text=outline_from_text,
        ),
        *COLOURLESS,
        COMPOSITE,
        BACKGROUND,
    ),
    gives="mask",
    estimate=_selection_need,
    help="Marks the pixels whose colour lies inside an outline drawn on the histogram of colours. "
    "Black pixels have no colour and are outside; saturated ones count unless a level is set.",
    reference=SWAIN,
    term="gating on a histogram of colours",
)

COLOUR_COMPOSITE = _colour(
    name="colour_composite",
    title="Masked colour composite",
    function=_colour_composite,
    parameters=(BACKGROUND,),
    other=SecondImage("mask", "Mask"),
    estimate=by_voxel(64, 1e-7),
    help="Gives the image with colour only where a mask is, and grey values, black or white "
    "elsewhere.",
    reference="van der Walt S, Schönberger JL, Nunez-Iglesias J, et al. (2014). scikit-image: "
    "image processing in Python. PeerJ 2, e453.",
)

COLOURS = (
    CHROMATICITY,
    CHROMATICITY_GAUSSIAN,
    HISTOGRAM_BACKPROJECTION,
    COLOUR_SELECTION,
    COLOUR_COMPOSITE,
)
