"""Operations that take noise away and leave edges."""

import math
from functools import partial
from typing import Any

from napari_seedbed.pipeline.engine.core_calls import CoreCall
from napari_seedbed.pipeline.engine.declarations import Lengths, Need, Reach, Size, Values
from napari_seedbed.pipeline.engine.jobs import Job
from napari_seedbed.pipeline.engine.parameters import number, whole_number
from napari_seedbed.pipeline.operations.costs import by_voxel, window_reach
from napari_seedbed.pipeline.operations.families import image_filter
from napari_seedbed.pipeline.operations.shared_parameters import sigma


def _bilateral_arguments(job: Job) -> dict[str, Any]:
    # Of all of the image, where a part of it is worked on.
    contrast = job.parameters["contrast"] or job.deviation()
    return {**job.parameters, "contrast": contrast}


def _patches_arguments(job: Job) -> dict[str, Any]:
    strength = job.parameters["strength"]
    if not strength:
        from napari_seedbed.core.filters.denoising_filters import NOISE_TO_STRENGTH

        strength = NOISE_TO_STRENGTH * job.noise()
    return {**job.parameters, "strength": strength}


def _bilateral_halo(spacing: Lengths, parameters: Values) -> Reach:
    return tuple(math.ceil(3 * parameters["sigma"] / step) for step in spacing)


def _patches_halo(spacing: Lengths, parameters: Values) -> Reach:
    return (parameters["patch_distance"] + parameters["patch_size"] // 2,) * len(spacing)


def _bilateral_need(size: Size, parameters: Values) -> Need:
    window = (6 * window_reach(size, parameters, "sigma") + 1) ** len(size.shape)
    return Need(int(12 * size.voxels + 8 * window), size.voxels * 6e-9 * window)


def _patches_need(size: Size, parameters: Values) -> Need:
    patch, distance = parameters["patch_size"], parameters["patch_distance"]
    places = (2 * distance + 1) ** len(size.shape)
    around = math.prod(n + 2 * distance + patch for n in size.shape)
    each = 2e-9 + 2e-10 * patch * len(size.shape)
    return Need(32 * size.voxels + 8 * around, size.voxels * each * places)


def _wavelet_seconds(size: Size, parameters: Values) -> float:
    return float(1e-7 * (parameters["shifts"] + 1) ** len(size.shape))


_smoothing = partial(image_filter, group="Smoothing")

BILATERAL = _smoothing(
    name="bilateral",
    title="Bilateral filter",
    function=CoreCall(arguments=_bilateral_arguments),
    parameters=(
        sigma(),
        number(
            "contrast",
            0.0,
            "Intensity sigma",
            "Voxels whose intensities differ by more than about this hardly count (sigma_color); 0 "
            "takes the standard deviation of the image.",
            (0.0, 1e12),
        ),
    ),
    estimate=_bilateral_need,
    halo=_bilateral_halo,
    help="Averages each voxel with those around that are about as bright: smooth areas, sharp "
    "edges. Its time grows with the window's volume.",
    reference="Tomasi C, Manduchi R (1998). Bilateral filtering for gray and color images. "
    "International Conference on Computer Vision, 839-846.",
)

TOTAL_VARIATION = _smoothing(
    name="total_variation",
    title="Total variation denoising",
    parameters=(
        number(
            "weight",
            0.1,
            "Weight",
            "More gives flatter areas. It counts against the range from the image's smallest to "
            "its largest value.",
            (0.0, 1e6),
        ),
        number(
            "eps",
            2e-4,
            "Convergence tolerance",
            "It stops when the cost falls by less than this share of the first cost.",
            (0.0, 1.0),
            advanced=True,
        ),
        whole_number(
            "max_num_iter",
            200,
            "Maximum iterations",
            "It stops after this many iterations.",
            (1, 100_000),
            advanced=True,
        ),
    ),
    estimate=by_voxel(60, 1e-6),
    help="Finds an image of flat areas with sharp borders that is close to this one.",
    reference="Chambolle A (2004). An algorithm for total variation minimization and applications. "
    "Journal of Mathematical Imaging and Vision 20, 89-97.",
)

NON_LOCAL_MEANS = _smoothing(
    name="non_local_means",
    title="Non-local means",
    function=CoreCall(arguments=_patches_arguments),
    parameters=(
        whole_number(
            "patch_size",
            5,
            "Patch size",
            "Voxels along each side of the surroundings that are compared, whatever their length; "
            "an odd number.",
            (1, 51),
        ),
        whole_number(
            "patch_distance",
            6,
            "Search distance",
            "How many voxels away like places are searched.",
            (0, 100),
        ),
        number(
            "strength",
            0.0,
            "Strength (h)",
            "How different, in the image's intensities, surroundings may look; 0 takes 0.8 times "
            "the noise of the image.",
            (0.0, 1e12),
        ),
    ),
    estimate=_patches_need,
    halo=_patches_halo,
    help="Averages each voxel with those nearby whose surroundings look the same: keeps texture "
    "and fine lines. In 3D it takes long: the time grows with the searched volume.",
    reference="Buades A, Coll B, Morel JM (2005). A non-local algorithm for image denoising. "
    "Computer Vision and Pattern Recognition 2, 60-65.",
)

WAVELET = _smoothing(
    name="wavelet",
    title="Wavelet denoising",
    parameters=(
        number(
            "strength",
            1.0,
            "Strength",
            "How much noise there is, against what the image itself says.",
            (0.0, 1000.0),
        ),
        whole_number(
            "shifts",
            1,
            "Shifts (cycle spinning)",
            "The mean is taken over results of the image moved by up to so many voxels, since "
            "wavelets leave traces of the grid that they lie on.",
            (0, 8),
            advanced=True,
        ),
    ),
    estimate=by_voxel(60, _wavelet_seconds),
    help="Shrinks what wavelets say is noise. Works on voxels, whatever their length.",
    reference="Chang SG, Yu B, Vetterli M (2000). Adaptive wavelet thresholding for image "
    "denoising and compression. IEEE Transactions on Image Processing 9(9), 1532-1546.",
)

DENOISING = (BILATERAL, TOTAL_VARIATION, NON_LOCAL_MEANS, WAVELET)
