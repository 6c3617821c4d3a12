"""Operations on the shapes of bright and dark things, on the ground, and with typed kernels."""

import math
from collections.abc import Mapping
from typing import Any

from numpy.typing import NDArray

from napari_seedbed.core.filters.kernel_text import BOUNDARIES, parse_kernel
from napari_seedbed.pipeline.core_calls import core_call
from napari_seedbed.pipeline.declarations import Job, Need
from napari_seedbed.pipeline.filter_operations import (
    WINDOW,
    by_voxel,
    image_filter,
    length,
    radius,
    rows_in_window,
)
from napari_seedbed.pipeline.parameters import Parameter

Lengths = tuple[float, ...]


def _background(job: Job) -> dict[str, NDArray]:
    from napari_seedbed.core import background, subtract_background

    wanted = subtract_background if job.parameters["output"] == "image" else background
    found = wanted(
        job.load(),
        job.parameters["radius"],
        job.parameters["method"],
        job.spacing,
        light_ground=job.parameters["light_ground"],
        should_stop=job.should_stop,
    )
    return {"image": found}


def _morphology_halo(spacing: Lengths, parameters: Mapping[str, Any]) -> tuple[int, ...]:
    from napari_seedbed.core.filters.windows import window_halo

    times = 1 if parameters["kind"] == "gradient" else 2
    return tuple(times * n for n in window_halo(parameters["radius"], spacing))


def _background_halo(spacing: Lengths, parameters: Mapping[str, Any]) -> tuple[int, ...] | None:
    from napari_seedbed.core.filters.gaussian_derivatives import gaussian_halo
    from napari_seedbed.core.filters.windows import window_halo

    if parameters["method"] == "gaussian":
        return gaussian_halo(parameters["radius"], spacing)
    if parameters["method"] == "paraboloid":
        # How far it reaches depends on the image's contrast.
        return None
    times = 2 if parameters["method"] == "tophat" else 1
    return tuple(times * n for n in window_halo(parameters["radius"], spacing))


def _kernel_halo(spacing: Lengths, parameters: Mapping[str, Any]) -> tuple[int, ...] | None:
    if parameters["mode"] == "wrap":
        return None
    shape = parse_kernel(parameters["kernel"]).shape
    return (0,) * (len(spacing) - len(shape)) + tuple(n // 2 for n in shape)


def _morphology_need(
    shape: tuple[int, ...], n_labels: int, n_channels: int, parameters: Mapping[str, Any]
) -> Need:
    voxels = math.prod(shape)
    each = 1e-7
    if parameters["window"] == "ball":
        lengths = 1 + min(parameters["radius"], max(shape))
        each = 2e-8 * lengths + 6e-10 * rows_in_window(shape, parameters)
    return Need(32 * voxels, each * voxels)


def _background_need(
    shape: tuple[int, ...], n_labels: int, n_channels: int, parameters: Mapping[str, Any]
) -> Need:
    voxels = math.prod(shape)
    rows, reach = rows_in_window(shape, parameters), min(parameters["radius"], max(shape))
    each = {
        "gaussian": 1e-8 * (1 + reach),
        "tophat": 2e-8 * (1 + reach) + 6e-10 * rows,
        "paraboloid": 1e-7,
        "rolling_ball": 3e-7 + 2e-11 * rows * (1 + 2 * reach),
    }
    return Need(32 * voxels, (1e-7 + each[parameters["method"]]) * voxels)


def _kernel_need(
    shape: tuple[int, ...], n_labels: int, n_channels: int, parameters: Mapping[str, Any]
) -> Need:
    voxels = math.prod(shape)
    return Need(16 * voxels, voxels * 2e-9 * (5 + parse_kernel(parameters["kernel"]).size))


MORPHOLOGY = image_filter(
    name="morphology",
    title="Opening, closing, top-hats",
    group="Morphology",
    function=core_call("morphology"),
    parameters=(
        Parameter(
            "kind",
            "choice",
            "opening",
            "Show",
            "An opening takes away bright things that the window does not fit into, a closing dark "
            "ones; top-hats show what these take away; the gradient is the largest minus the "
            "smallest value in the window.",
            choices=("opening", "closing", "white_tophat", "black_tophat", "gradient"),
            choice_labels=("Opening", "Closing", "White top-hat", "Black top-hat", "Gradient"),
        ),
        radius(),
        WINDOW,
    ),
    estimate=_morphology_need,
    halo=_morphology_halo,
    term="greyscale morphology",
    help="Takes away bright or dark things that are smaller than a window, or shows them alone. "
    "The type of the image stays.",
    reference="Serra J (1982). Image analysis and mathematical morphology. Academic Press.",
)

RECONSTRUCTION = image_filter(
    name="reconstruction",
    title="Morphological reconstruction",
    group="Morphology",
    function=core_call("reconstruction"),
    parameters=(
        Parameter(
            "kind",
            "choice",
            "opening",
            "Do",
            "Take away small bright or dark things and leave the others exactly as they are; fill "
            "dark holes; take away what touches the border; or show how far peaks rise and basins "
            "sink.",
            choices=("opening", "closing", "holes", "border", "domes", "basins"),
            choice_labels=(
                "Take away small bright things",
                "Take away small dark things",
                "Fill dark holes",
                "Take away what touches the border",
                "Show peaks",
                "Show basins",
            ),
        ),
        radius(),
        Parameter(
            "height",
            "float",
            1.0,
            "Height",
            "For peaks and basins: the most that is shown of each, in the image's intensities.",
            minimum=0.0,
            maximum=1e12,
        ),
        WINDOW,
    ),
    estimate=by_voxel(90, 2e-6),
    help="Takes things away without touching the shape of what stays. Radius and window count for "
    "small things only.",
    reference="Vincent L (1993). Morphological grayscale reconstruction in image analysis: "
    "applications and efficient algorithms. IEEE Transactions on Image Processing 2(2), 176-201.",
)

BACKGROUND = image_filter(
    name="subtract_background",
    title="Subtract background",
    group="Background",
    function=_background,
    parameters=(
        Parameter(
            "method",
            "choice",
            "rolling_ball",
            "Method",
            "A ball that rolls below the image, a paraboloid that is close to it and as quick for "
            "any radius, a flat top-hat, or a wide Gaussian.",
            choices=("rolling_ball", "paraboloid", "tophat", "gaussian"),
            choice_labels=("Rolling ball", "Rolling paraboloid", "Top-hat", "Large Gaussian"),
        ),
        length(
            "radius",
            15.0,
            "Radius",
            "Larger than the objects; for the Gaussian its standard deviation.",
        ),
        Parameter(
            "light_ground",
            "bool",
            False,
            "Light background",
            "Objects are darker than the ground.",
        ),
        Parameter(
            "output",
            "choice",
            "image",
            "Show",
            "The image without its ground, or the ground.",
            choices=("image", "background"),
            choice_labels=("Image without background", "Background"),
        ),
    ),
    estimate=_background_need,
    halo=_background_halo,
    help="Takes away uneven ground below objects.",
    reference="Sternberg SR (1983). Biomedical image processing. Computer 16(1), 22-34.",
)

_GAUSSIAN = "1 2 1\n2 4 2\n1 2 1"
CUSTOM_KERNEL = image_filter(
    name="custom_kernel",
    title="Custom kernel",
    group="Kernels",
    function=core_call("custom_filter"),
    parameters=(
        Parameter(
            "kernel",
            "text",
            _GAUSSIAN,
            "Kernel",
            "Numbers with spaces between them; a row a line, or semicolons between rows; an empty "
            "line or a '|' between slices. One row lies along x, several along y and x; its middle "
            "lies on the voxel.",
            check_text=parse_kernel,
            presets=(
                ("Difference", "-0.5 0 0.5"),
                ("Mean", "1/9 1/9 1/9\n1/9 1/9 1/9\n1/9 1/9 1/9"),
                ("Gaussian", _GAUSSIAN),
                ("Sobel", "-1/8 0 1/8\n-2/8 0 2/8\n-1/8 0 1/8"),
                ("Difference along z", "-0.5 | 0 | 0.5"),
            ),
        ),
        Parameter(
            "normalize",
            "bool",
            False,
            "Divide by the sum",
            "Divide the numbers by their sum, so that even areas keep their value.",
        ),
        Parameter(
            "kind",
            "choice",
            "correlation",
            "Lay it",
            "A correlation lays the kernel on the image as it is written; a convolution turns it "
            "around along every axis first.",
            choices=("correlation", "convolution"),
            choice_labels=("As written (correlation)", "Turned around (convolution)"),
        ),
        Parameter(
            "mode",
            "choice",
            "reflect",
            "Beyond the border",
            "How the image goes on beyond its border.",
            choices=BOUNDARIES,
            choice_labels=(
                "Mirror image (reflect)",
                "One value (constant)",
                "Outermost values (nearest)",
                "Mirror image without its edge (mirror)",
                "The other end (wrap)",
            ),
            advanced=True,
        ),
        Parameter(
            "cval",
            "float",
            0.0,
            "Value beyond the border",
            "For one value beyond the border: which.",
            minimum=-1e12,
            maximum=1e12,
            advanced=True,
        ),
    ),
    estimate=_kernel_need,
    halo=_kernel_halo,
    term="correlation, convolution",
    help="Filters with a kernel that you type: 1D, 2D or 3D.",
    reference="Gonzalez RC, Woods RE (2018). Digital image processing, 4th edition. Pearson.",
)

MORPHOLOGIES = (MORPHOLOGY, RECONSTRUCTION, BACKGROUND, CUSTOM_KERNEL)
