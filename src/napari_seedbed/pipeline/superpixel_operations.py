"""Operations that cut an image into regions without seeds."""

import math
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_seedbed.core.magnitudes import moderate
from napari_seedbed.pipeline.core_calls import core_call
from napari_seedbed.pipeline.declarations import Job, Need
from napari_seedbed.pipeline.filter_operations import length
from napari_seedbed.pipeline.parameters import Parameter
from napari_seedbed.pipeline.region_operations import by_value, compactness, regions, smoothing

_COLOURS = Parameter(
    "colours",
    "choice",
    "auto",
    "Colours",
    "Three channels are compared as the eye sees them (in Lab), or channel by channel as they are, "
    "as suits three stains; other numbers of channels are always compared as they are.",
    choices=("auto", "plain"),
    choice_labels=("As the eye sees them", "As they are"),
    advanced=True,
)


def _slic(job: Job) -> dict[str, NDArray]:
    from napari_seedbed.core import slic_regions

    found = slic_regions(
        job.load(),
        **job.parameters,
        spacing=job.spacing,
        channel_axis=job.channel_axis,
        mask=job.other(),
        should_stop=job.should_stop,
    )
    return {"labels": found}


def _slic_need(
    shape: tuple[int, ...], n_labels: int, n_channels: int, parameters: Mapping[str, Any]
) -> Need:
    voxels = math.prod(shape)
    rounds = parameters["max_num_iter"] / 10
    each = (4e-7 if len(shape) == 2 else 1.8e-6) + 2e-7 * n_channels
    return Need((24 + 48 * n_channels) * voxels, voxels * each * rounds)


def _felzenszwalb_need(
    shape: tuple[int, ...], n_labels: int, n_channels: int, parameters: Mapping[str, Any]
) -> Need:
    voxels, plane = math.prod(shape), math.prod(shape[-2:])
    needed = (330 + 30 * n_channels) * plane + (4 + 12 * n_channels) * voxels
    return Need(needed, voxels * (1.5e-6 + 0.5e-6 * n_channels))


def _quickshift_need(
    shape: tuple[int, ...], n_labels: int, n_channels: int, parameters: Mapping[str, Any]
) -> Need:
    voxels = math.prod(shape)
    plane = math.prod(shape[-2:])
    window = min((6 * parameters["kernel_size"] + 1) ** 2, plane)
    return Need(
        12 * n_channels * voxels + 60 * plane, voxels * window * 6e-9 * (1 + n_channels) / 2
    )


def _chan_vese(job: Job) -> dict[str, NDArray]:
    from napari_seedbed.core import chan_vese

    chosen = dict(job.parameters)
    side = chosen.pop("objects")
    image = job.load()
    mask = chan_vese(
        image,
        **chosen,
        spacing=job.spacing,
        channel_axis=job.channel_axis,
        should_stop=job.should_stop,
    )
    if mask.any() and not mask.all():
        image, _ = moderate(image)
        brightness = image if job.channel_axis is None else image.mean(axis=0, dtype=np.float64)
        is_bright = float(brightness[mask].mean()) >= float(brightness[~mask].mean())
        if is_bright != (side == "bright"):
            mask = ~mask
    return {"mask": mask}


def _chan_vese_need(
    shape: tuple[int, ...], n_labels: int, n_channels: int, parameters: Mapping[str, Any]
) -> Need:
    voxels = math.prod(shape)
    # At most: it may settle before.
    rounds = parameters["max_num_iter"] + 1
    return Need((24 + 16 * n_channels) * voxels, voxels * rounds * (1.5e-8 + 4e-9 * n_channels))


SLIC = regions(
    name="slic",
    title="Superpixels (SLIC)",
    term="simple linear iterative clustering",
    function=_slic,
    parameters=(
        Parameter(
            "n_segments",
            "int",
            250,
            "Number of regions",
            "About how many regions come out, in a volume in all of it.",
            minimum=1,
            maximum=10_000_000,
        ),
        Parameter(
            "compactness",
            "float",
            10.0,
            "Compactness",
            "How much nearness counts against likeness: 100 gives blocks, 1 follows every edge.",
            minimum=1e-6,
            maximum=1e6,
            logarithmic=True,
        ),
        smoothing(0.0),
        _COLOURS,
        Parameter(
            "max_num_iter",
            "int",
            10,
            "Iterations",
            "How often regions and their voxels are fitted to each other.",
            minimum=1,
            maximum=1000,
            advanced=True,
        ),
    ),
    optional=("other",),
    other_kind="mask",
    other_title="Only in mask",
    estimate=_slic_need,
    help="Cuts the image into compact regions of like colour, as many as you say. All channels "
    "count together, and thick slices as far apart as they are.",
    reference="Achanta R and others (2012). SLIC superpixels compared to state-of-the-art "
    "superpixel methods. IEEE Transactions on Pattern Analysis and Machine Intelligence 34(11), "
    "2274-2282.",
)

FELZENSZWALB = regions(
    name="felzenszwalb",
    title="Superpixels (Felzenszwalb)",
    term="graph-based segmentation",
    function=core_call("felzenszwalb_regions", "labels"),
    parameters=(
        Parameter(
            "scale",
            "float",
            100.0,
            "Scale",
            "Larger gives larger regions. It counts against intensities from 0 to 255, whatever "
            "the image's own are.",
            minimum=0.0,
            maximum=1e9,
            logarithmic=True,
        ),
        smoothing(0.8, " within the slice"),
        Parameter(
            "min_size",
            "int",
            50,
            "Smallest region",
            "Regions of fewer pixels are joined to a neighbour.",
            minimum=0,
            maximum=1_000_000_000,
        ),
    ),
    estimate=_felzenszwalb_need,
    help="Joins pixels by how much they differ, more readily where all is restless: regions as "
    "large as what they show. A volume is cut slice by slice.",
    reference="Felzenszwalb PF, Huttenlocher DP (2004). Efficient graph-based image segmentation. "
    "International Journal of Computer Vision 59(2), 167-181.",
)

QUICKSHIFT = regions(
    name="quickshift",
    title="Superpixels (quickshift)",
    term="mode seeking",
    function=core_call("quickshift_regions", "labels"),
    parameters=(
        Parameter(
            "kernel_size",
            "float",
            3.0,
            "Kernel size",
            "Width in pixels of the Gaussian that measures how dense a place is; larger gives "
            "fewer regions, and takes longer by its square.",
            minimum=1.0,
            maximum=100.0,
        ),
        Parameter(
            "max_dist",
            "float",
            10.0,
            "Largest link",
            "How far apart, in place and colour together, pixels of a region may be linked.",
            minimum=0.0,
            maximum=1e6,
        ),
        Parameter(
            "ratio",
            "float",
            1.0,
            "Colour against nearness",
            "0: only nearness counts; 1: colour counts most.",
            minimum=0.0,
            maximum=1.0,
        ),
        smoothing(0.0, " within the slice"),
        _COLOURS,
    ),
    estimate=_quickshift_need,
    help="Links each pixel to the nearest denser one in place and colour. Slow; a volume is cut "
    "slice by slice.",
    reference="Vedaldi A, Soatto S (2008). Quick shift and kernel methods for mode seeking. "
    "European Conference on Computer Vision, 705-718.",
)

COMPACT_WATERSHED = regions(
    name="compact_watershed",
    title="Superpixels (compact watershed)",
    function=core_call("compact_watershed", "labels"),
    parameters=(
        Parameter(
            "n_segments",
            "int",
            250,
            "Number of regions",
            "About how many regions grow, from an even grid of seeds; 0: one from each basin of "
            "the gradient.",
            minimum=0,
            maximum=10_000_000,
        ),
        compactness(
            0.01,
            "How round regions become: 0 follows every edge, 1 gives blocks. It counts against "
            "the gradient from 0 to 1 for each voxel of distance.",
        ),
        smoothing(1.0),
        Parameter(
            "depth",
            "float",
            0.02,
            "Depth of basins",
            "How deep a basin must be, as a share of the steepest gradient; for number 0.",
            minimum=0.0,
            maximum=1.0,
            advanced=True,
        ),
    ),
    estimate=by_value(90, 16, 1.2e-6),
    help="Floods the image's gradient from an even grid of seeds: quick regions whose borders lie "
    "on edges. An edge in any channel counts.",
    reference="Neubert P, Protzel P (2014). Compact watershed and preemptive SLIC: on improving "
    "trade-offs of superpixel segmentation algorithms. International Conference on Pattern "
    "Recognition, 996-1001.",
)

CHAN_VESE = regions(
    name="chan_vese",
    title="Two regions (Chan-Vese)",
    term="active contour without edges",
    function=_chan_vese,
    parameters=(
        length(
            "mu",
            0.25,
            "Smoothness",
            "Weight of the border's length: larger gives rounder borders and leaves out small "
            "things.",
            logarithmic=True,
        ),
        Parameter(
            "objects",
            "choice",
            "bright",
            "Objects",
            "Which of the two regions the mask shows.",
            choices=("bright", "dark"),
            choice_labels=("Brighter", "Darker"),
        ),
        Parameter(
            "init_level_set",
            "choice",
            "checkerboard",
            "Begin with",
            "A checkerboard finds objects all over the image; a disc looks from its middle.",
            choices=("checkerboard", "disk", "small disk"),
            choice_labels=("Checkerboard", "Disc", "Small disc"),
        ),
        Parameter(
            "lambda1",
            "float",
            1.0,
            "Evenness inside",
            "Weight of differences within the region that the level set is positive in.",
            minimum=0.0,
            maximum=1e6,
            advanced=True,
        ),
        Parameter(
            "lambda2",
            "float",
            1.0,
            "Evenness outside",
            "Weight of differences within the other region.",
            minimum=0.0,
            maximum=1e6,
            advanced=True,
        ),
        Parameter(
            "tol",
            "float",
            1e-3,
            "Tolerance",
            "It stops when the level set changes by no more than this.",
            minimum=0.0,
            maximum=1.0,
            advanced=True,
            logarithmic=True,
        ),
        Parameter(
            "max_num_iter",
            "int",
            500,
            "Most iterations",
            "It stops after so many.",
            minimum=0,
            maximum=100_000,
            advanced=True,
        ),
        Parameter(
            "dt",
            "float",
            0.5,
            "Step",
            "Larger is faster, and may not settle.",
            minimum=1e-6,
            maximum=100.0,
            advanced=True,
        ),
    ),
    gives="mask",
    estimate=_chan_vese_need,
    help="Cuts the image into two regions of different mean with a smooth border, also where "
    "there are no edges. Without seeds; all channels count together.",
    reference="Chan T, Vese L (2001). Active contours without edges. IEEE Transactions on Image "
    "Processing 10, 266-277.",
)

SUPERPIXELS = (SLIC, FELZENSZWALB, QUICKSHIFT, COMPACT_WATERSHED, CHAN_VESE)
