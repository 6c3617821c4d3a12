"""Operations that cut an image into regions without seeds."""

from numpy.typing import NDArray

from napari_seedbed.pipeline.engine.core_calls import CoreCall
from napari_seedbed.pipeline.engine.declarations import Need, SecondImage, Size, Values
from napari_seedbed.pipeline.engine.jobs import Job
from napari_seedbed.pipeline.engine.parameters import choice, number, whole_number
from napari_seedbed.pipeline.operations.costs import by_voxel
from napari_seedbed.pipeline.operations.families import region_operation
from napari_seedbed.pipeline.operations.references import ACHANTA
from napari_seedbed.pipeline.operations.shared_parameters import compactness, length, smoothing

_COLOURS = choice(
    "colours",
    "Colour space",
    "Three channels are compared as the eye sees them (in Lab), or channel by channel as they are, "
    "as suits three stains; other numbers of channels are always compared as they are.",
    {"auto": "Lab (as the eye sees)", "plain": "Channels as they are"},
    advanced=True,
)


def _slic_need(size: Size, parameters: Values) -> Need:
    each = (4e-7 if len(size.shape) == 2 else 1.8e-6) + 2e-7 * size.n_channels
    rounds = parameters["max_num_iter"] / 10
    # The voxels of the largest region are listed with their places: all of them, if there is one.
    listed = 56 / max(1, parameters["n_segments"])
    bytes_each = 24 + 48 * size.n_channels + listed
    return Need(int(bytes_each * size.voxels), size.voxels * each * rounds)


def _felzenszwalb_need(size: Size, parameters: Values) -> Need:
    slice_bytes = (330 + 30 * size.n_channels) * size.pixels
    return Need(
        slice_bytes + (4 + 12 * size.n_channels) * size.voxels,
        size.voxels * (1.5e-6 + 0.5e-6 * size.n_channels),
    )


def _quickshift_need(size: Size, parameters: Values) -> Need:
    window = min((6 * parameters["kernel_size"] + 1) ** 2, size.pixels)
    return Need(
        12 * size.n_channels * size.voxels + 60 * size.pixels,
        size.voxels * window * 6e-9 * (1 + size.n_channels) / 2,
    )


def _chan_vese(job: Job) -> dict[str, NDArray]:
    arguments = dict(job.parameters)
    side = arguments.pop("objects")
    region = CoreCall("chan_vese", lambda _: arguments).result(job)
    return {"mask": job.core.region_of_objects(job.load(), region, side, job.channel_axis)}


def _chan_vese_need(size: Size, parameters: Values) -> Need:
    # At most: it may settle before.
    rounds = parameters["max_num_iter"] + 1
    each = rounds * (1.5e-8 + 4e-9 * size.n_channels)
    return Need((24 + 16 * size.n_channels) * size.voxels, size.voxels * each)


SLIC = region_operation(
    name="slic",
    title="Superpixels (SLIC)",
    term="simple linear iterative clustering",
    function=CoreCall("slic_regions"),
    parameters=(
        whole_number(
            "n_segments",
            250,
            "Number of regions",
            "About how many regions come out, in a volume in all of it.",
            (1, 10_000_000),
        ),
        number(
            "compactness",
            10.0,
            "Compactness",
            "How much nearness counts against likeness: 100 gives blocks, 1 follows every edge.",
            (1e-6, 1e6),
        ),
        smoothing(0.0),
        _COLOURS,
        whole_number(
            "max_num_iter",
            10,
            "Maximum iterations",
            "How often regions and their voxels are fitted to each other.",
            (1, 1000),
            advanced=True,
        ),
    ),
    other=SecondImage("mask", "Only in mask", needed=False),
    estimate=_slic_need,
    help="Cuts the image into compact regions of like colour, as many as you say. All channels "
    "count together, and thick slices as far apart as they are.",
    reference=ACHANTA,
)

FELZENSZWALB = region_operation(
    name="felzenszwalb",
    title="Superpixels (Felzenszwalb)",
    term="graph-based segmentation",
    function=CoreCall("felzenszwalb_regions"),
    parameters=(
        number(
            "scale",
            100.0,
            "Scale",
            "Larger gives larger regions. It counts against intensities from 0 to 255, whatever "
            "the image's own are.",
            (0.0, 1e9),
        ),
        smoothing(0.8, " within the slice"),
        whole_number(
            "min_size",
            50,
            "Minimum region size",
            "Regions of fewer pixels are joined to a neighbour.",
            (0, 1_000_000_000),
        ),
    ),
    estimate=_felzenszwalb_need,
    help="Joins pixels by how much they differ, more readily where all is restless: regions as "
    "large as what they show. A volume is cut slice by slice.",
    reference="Felzenszwalb PF, Huttenlocher DP (2004). Efficient graph-based image segmentation. "
    "International Journal of Computer Vision 59(2), 167-181.",
)

QUICKSHIFT = region_operation(
    name="quickshift",
    title="Superpixels (quickshift)",
    term="mode seeking",
    function=CoreCall("quickshift_regions"),
    parameters=(
        number(
            "kernel_size",
            3.0,
            "Kernel size",
            "Width in pixels of the Gaussian that measures how dense a place is; larger gives "
            "fewer regions, and takes longer by its square.",
            (1.0, 100.0),
        ),
        number(
            "max_dist",
            10.0,
            "Maximum distance",
            "How far apart, in place and colour together, pixels of a region may be linked.",
            (0.0, 1e6),
        ),
        number(
            "ratio",
            1.0,
            "Ratio (colour to distance)",
            "0: only nearness counts; 1: colour counts most.",
            (0.0, 1.0),
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

COMPACT_WATERSHED = region_operation(
    name="compact_watershed",
    title="Superpixels (compact watershed)",
    parameters=(
        whole_number(
            "n_segments",
            250,
            "Number of regions",
            "About how many regions grow, from an even grid of seeds; 0: one from each basin of "
            "the gradient.",
            (0, 10_000_000),
        ),
        compactness(
            0.01,
            "How round regions become: 0 follows every edge, 1 gives blocks. It counts against "
            "the gradient from 0 to 1 for each voxel of distance.",
        ),
        smoothing(1.0),
        number(
            "depth",
            0.02,
            "Minimum basin depth",
            "How deep a basin must be, as a share of the steepest gradient; for number 0.",
            (0.0, 1.0),
            advanced=True,
        ),
    ),
    estimate=by_voxel(90, 0.6e-6, channel=(16, 0.6e-6)),
    help="Floods the image's gradient from an even grid of seeds: quick regions whose borders lie "
    "on edges. An edge in any channel counts.",
    reference="Neubert P, Protzel P (2014). Compact watershed and preemptive SLIC: on improving "
    "trade-offs of superpixel segmentation algorithms. International Conference on Pattern "
    "Recognition, 996-1001.",
)

CHAN_VESE = region_operation(
    name="chan_vese",
    title="Chan-Vese (level set)",
    term="active contour without edges",
    function=_chan_vese,
    parameters=(
        length(
            "mu",
            0.25,
            "Smoothness (mu)",
            "Weight of the border's length: larger gives rounder borders and leaves out small "
            "things.",
        ),
        choice(
            "objects",
            "Objects",
            "Which of the two regions the mask shows.",
            {"bright": "Bright", "dark": "Dark"},
        ),
        choice(
            "init_level_set",
            "Initial level set",
            "A checkerboard finds objects all over the image; a disc looks from its middle.",
            {"checkerboard": "Checkerboard", "disk": "Disc", "small disk": "Small disc"},
        ),
        number(
            "lambda1",
            1.0,
            "Inside weight (lambda1)",
            "Weight of differences within the region that the level set is positive in.",
            (0.0, 1e6),
            advanced=True,
        ),
        number(
            "lambda2",
            1.0,
            "Outside weight (lambda2)",
            "Weight of differences within the other region.",
            (0.0, 1e6),
            advanced=True,
        ),
        number(
            "tol",
            1e-3,
            "Convergence tolerance",
            "It stops when the level set changes by no more than this.",
            (0.0, 1.0),
            advanced=True,
        ),
        whole_number(
            "max_num_iter",
            500,
            "Maximum iterations",
            "It stops after this many iterations.",
            (0, 100_000),
            advanced=True,
        ),
        number(
            "dt",
            0.5,
            "Time step (dt)",
            "Larger is faster, and may not converge.",
            (1e-6, 100.0),
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
