"""Operations on the shapes of bright and dark things, on the background, and with typed kernels."""

from numpy.typing import NDArray

from napari_seedbed.core.filters.kernel_text import parse_kernel
from napari_seedbed.pipeline.engine.core_calls import CoreCall
from napari_seedbed.pipeline.engine.declarations import Lengths, Reach, Size, Values
from napari_seedbed.pipeline.engine.jobs import Job
from napari_seedbed.pipeline.engine.parameters import choice, number, switch, text
from napari_seedbed.pipeline.operations.costs import (
    by_voxel,
    window_reach,
    window_rows,
    with_window,
)
from napari_seedbed.pipeline.operations.families import image_filter
from napari_seedbed.pipeline.operations.halos import gaussian_halo, window_halo
from napari_seedbed.pipeline.operations.references import SERRA
from napari_seedbed.pipeline.operations.shared_parameters import WINDOW, length, radius


def _background(job: Job) -> dict[str, NDArray]:
    arguments = dict(job.parameters)
    shown = arguments.pop("output")
    name = "subtract_background" if shown == "image" else "background"
    return {"image": CoreCall(name, lambda _: arguments).result(job)}


def _morphology_halo(spacing: Lengths, parameters: Values) -> Reach:
    times = 1 if parameters["kind"] == "gradient" else 2
    return window_halo(times=times)(spacing, parameters)


def _background_halo(spacing: Lengths, parameters: Values) -> Reach:
    if parameters["method"] == "gaussian":
        return gaussian_halo("radius")(spacing, parameters)
    if parameters["method"] == "paraboloid":
        # How far it reaches depends on the image's contrast.
        return None
    return window_halo(times=2 if parameters["method"] == "tophat" else 1)(spacing, parameters)


def _kernel_halo(spacing: Lengths, parameters: Values) -> Reach:
    if parameters["mode"] == "wrap":
        return None
    shape = parse_kernel(parameters["kernel"]).shape
    return (0,) * (len(spacing) - len(shape)) + tuple(n // 2 for n in shape)


def _morphology_seconds(size: Size, parameters: Values) -> float:
    if parameters["window"] == "box":
        return 1e-7
    return 2e-8 * (1 + window_reach(size, parameters)) + 6e-10 * window_rows(size, parameters)


def _background_seconds(size: Size, parameters: Values) -> float:
    rows, reach = window_rows(size, parameters), window_reach(size, parameters)
    each = {
        "gaussian": 1e-8 * (1 + reach),
        "tophat": 2e-8 * (1 + reach) + 6e-10 * rows,
        "paraboloid": 1e-7,
        "rolling_ball": 3e-7 + 2e-11 * rows * (1 + 2 * reach),
    }
    return 1e-7 + each[parameters["method"]]


def _kernel_seconds(size: Size, parameters: Values) -> float:
    return 2e-9 * (5 + parse_kernel(parameters["kernel"]).size)


MORPHOLOGY = image_filter(
    name="morphology",
    title="Opening, closing, top-hats",
    group="Morphology",
    parameters=(
        choice(
            "kind",
            "Output",
            "An opening takes away bright things that the window does not fit into, a closing dark "
            "ones; top-hats show what these take away; the gradient is the largest minus the "
            "smallest value in the window.",
            {
                "opening": "Opening",
                "closing": "Closing",
                "white_tophat": "White top-hat",
                "black_tophat": "Black top-hat",
                "gradient": "Gradient",
            },
        ),
        radius(),
        WINDOW,
    ),
    estimate=by_voxel(32, _morphology_seconds),
    halo=_morphology_halo,
    term="greyscale morphology",
    help="Takes away bright or dark things that are smaller than a window, or shows them alone. "
    "The type of the image stays.",
    reference=SERRA,
)

RECONSTRUCTION = image_filter(
    name="reconstruction",
    title="Morphological reconstruction",
    group="Morphology",
    parameters=(
        choice(
            "kind",
            "Operation",
            "Take away small bright or dark things and leave the others exactly as they are; fill "
            "dark holes; take away what touches the border; or show how far peaks rise and basins "
            "sink.",
            {
                "opening": "Opening by reconstruction",
                "closing": "Closing by reconstruction",
                "holes": "Fill holes",
                "border": "Clear border",
                "domes": "H-domes (peaks)",
                "basins": "H-basins (pits)",
            },
        ),
        radius(),
        number(
            "height",
            1.0,
            "Height",
            "For peaks and basins: the most that is shown of each, in the image's intensities.",
            (0.0, 1e12),
        ),
        WINDOW,
    ),
    estimate=by_voxel(115, 2e-6),
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
        choice(
            "method",
            "Method",
            "A ball that rolls below the image, a paraboloid that is close to it and as quick for "
            "any radius, a flat top-hat, or a wide Gaussian.",
            {
                "rolling_ball": "Rolling ball",
                "paraboloid": "Rolling paraboloid",
                "tophat": "Top-hat",
                "gaussian": "Large Gaussian",
            },
        ),
        length(
            "radius",
            15.0,
            "Radius",
            "Larger than the objects; for the Gaussian its standard deviation.",
        ),
        switch(
            "light_ground", False, "Bright background", "For dark objects on a bright background."
        ),
        choice(
            "output",
            "Output",
            "The image without its background, or the background.",
            {"image": "Image without background", "background": "Background"},
        ),
    ),
    estimate=with_window(by_voxel(28, _background_seconds), 6),
    halo=_background_halo,
    help="Takes away uneven background below objects.",
    reference="Sternberg SR (1983). Biomedical image processing. Computer 16(1), 22-34.",
)

_GAUSSIAN = "1 2 1\n2 4 2\n1 2 1"
CUSTOM_KERNEL = image_filter(
    name="custom_kernel",
    title="Custom kernel",
    group="Kernels",
    function=CoreCall("custom_filter"),
    parameters=(
        text(
            "kernel",
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
        switch(
            "normalize",
            False,
            "Normalise kernel",
            "Divide the numbers by their sum, so that even areas keep their value.",
        ),
        choice(
            "kind",
            "Correlation or convolution",
            "A correlation lays the kernel on the image as it is written; a convolution turns it "
            "around along every axis first.",
            {
                "correlation": "Correlation (as written)",
                "convolution": "Convolution (flipped)",
            },
        ),
        choice(
            "mode",
            "Border mode",
            "How the image goes on beyond its border.",
            {
                "reflect": "Reflect (mirror image)",
                "constant": "Constant (one value)",
                "nearest": "Nearest (outermost value)",
                "mirror": "Mirror (without the edge)",
                "wrap": "Wrap (periodic)",
            },
            advanced=True,
        ),
        number(
            "cval",
            0.0,
            "Border value",
            "The value beyond the border, for a constant one.",
            (-1e12, 1e12),
            advanced=True,
        ),
    ),
    estimate=by_voxel(16, _kernel_seconds),
    halo=_kernel_halo,
    term="convolve, correlate",
    help="Filters with a kernel that you type: 1D, 2D or 3D.",
    reference="Gonzalez RC, Woods RE (2018). Digital image processing, 4th edition. Pearson.",
)

MORPHOLOGIES = (MORPHOLOGY, RECONSTRUCTION, BACKGROUND, CUSTOM_KERNEL)
