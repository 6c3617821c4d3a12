"""Operations that take noise away and leave edges."""

import math
from collections.abc import Mapping
from typing import Any

from napari_seedbed.pipeline.core_calls import core_call
from napari_seedbed.pipeline.declarations import Need
from napari_seedbed.pipeline.filter_operations import by_voxel, image_filter, sigma
from napari_seedbed.pipeline.parameters import Parameter


def _bilateral_halo(
    spacing: tuple[float, ...], parameters: Mapping[str, Any]
) -> tuple[int, ...] | None:
    if parameters["contrast"] == 0:
        return None
    return tuple(math.ceil(3 * parameters["sigma"] / step) for step in spacing)


def _patches_halo(
    spacing: tuple[float, ...], parameters: Mapping[str, Any]
) -> tuple[int, ...] | None:
    if parameters["strength"] == 0:
        return None
    return (parameters["patch_distance"] + parameters["patch_size"] // 2,) * len(spacing)


def _bilateral_need(
    shape: tuple[int, ...], n_labels: int, n_channels: int, parameters: Mapping[str, Any]
) -> Need:
    voxels = math.prod(shape)
    window = (6 * min(parameters["sigma"], max(shape)) + 1) ** len(shape)
    return Need(int(12 * voxels + 8 * window), voxels * 6e-9 * window)


def _patches_need(
    shape: tuple[int, ...], n_labels: int, n_channels: int, parameters: Mapping[str, Any]
) -> Need:
    voxels = math.prod(shape)
    patch, distance = parameters["patch_size"], parameters["patch_distance"]
    places = (2 * distance + 1) ** len(shape)
    around = math.prod(n + 2 * distance + patch for n in shape)
    each = 2e-9 + 2e-10 * patch * len(shape)
    return Need(32 * voxels + 8 * around, voxels * each * places)


def _wavelet_need(
    shape: tuple[int, ...], n_labels: int, n_channels: int, parameters: Mapping[str, Any]
) -> Need:
    voxels = math.prod(shape)
    return Need(60 * voxels, voxels * 1e-7 * (parameters["shifts"] + 1) ** len(shape))


BILATERAL = image_filter(
    name="bilateral",
    title="Bilateral filter",
    group="Smoothing",
    function=core_call("bilateral"),
    parameters=(
        sigma(),
        Parameter(
            "contrast",
            "float",
            0.0,
            "Likeness",
            "Voxels that differ by more than about this, in the image's intensities, hardly count; "
            "0 takes the standard deviation of the image.",
            minimum=0.0,
            maximum=1e12,
        ),
    ),
    estimate=_bilateral_need,
    halo=_bilateral_halo,
    help="Averages each voxel with those around that are about as bright: smooth areas, sharp "
    "edges. Its time grows with the window's volume.",
    reference="Tomasi C, Manduchi R (1998). Bilateral filtering for gray and color images. "
    "International Conference on Computer Vision, 839-846.",
)

TOTAL_VARIATION = image_filter(
    name="total_variation",
    title="Total variation denoising",
    group="Smoothing",
    function=core_call("total_variation"),
    parameters=(
        Parameter(
            "weight",
            "float",
            0.1,
            "Weight",
            "More gives flatter areas. It counts against the range from the image's smallest to "
            "its largest value.",
            minimum=0.0,
            maximum=1e6,
            logarithmic=True,
        ),
        Parameter(
            "eps",
            "float",
            2e-4,
            "Tolerance",
            "It stops when the cost falls by less than this share of the first cost.",
            minimum=0.0,
            maximum=1.0,
            advanced=True,
            logarithmic=True,
        ),
        Parameter(
            "max_num_iter",
            "int",
            200,
            "Most iterations",
            "It stops after so many iterations.",
            minimum=1,
            maximum=100_000,
            advanced=True,
        ),
    ),
    estimate=by_voxel(60, 1e-6),
    help="Finds an image of flat areas with sharp borders that is close to this one.",
    reference="Chambolle A (2004). An algorithm for total variation minimization and applications. "
    "Journal of Mathematical Imaging and Vision 20, 89-97.",
)

NON_LOCAL_MEANS = image_filter(
    name="non_local_means",
    title="Non-local means",
    group="Smoothing",
    function=core_call("non_local_means"),
    parameters=(
        Parameter(
            "patch_size",
            "int",
            5,
            "Patch size",
            "Voxels along each side of the surroundings that are compared, whatever their length; "
            "an odd number.",
            minimum=1,
            maximum=51,
        ),
        Parameter(
            "patch_distance",
            "int",
            6,
            "Search distance",
            "How many voxels away like places are searched.",
            minimum=0,
            maximum=100,
        ),
        Parameter(
            "strength",
            "float",
            0.0,
            "Strength (h)",
            "How different, in the image's intensities, surroundings may look; 0 takes 0.8 times "
            "the noise of the image.",
            minimum=0.0,
            maximum=1e12,
        ),
    ),
    estimate=_patches_need,
    halo=_patches_halo,
    help="Averages each voxel with those nearby whose surroundings look the same: keeps texture "
    "and fine lines. In 3D it takes long: the time grows with the searched volume.",
    reference="Buades A, Coll B, Morel JM (2005). A non-local algorithm for image denoising. "
    "Computer Vision and Pattern Recognition 2, 60-65.",
)

WAVELET = image_filter(
    name="wavelet",
    title="Wavelet denoising",
    group="Smoothing",
    function=core_call("wavelet"),
    parameters=(
        Parameter(
            "strength",
            "float",
            1.0,
            "Strength",
            "How much noise there is, against what the image itself says.",
            minimum=0.0,
            maximum=1000.0,
        ),
        Parameter(
            "shifts",
            "int",
            1,
            "Shifts",
            "The mean is taken over results of the image moved by up to so many voxels, since "
            "wavelets leave traces of the grid that they lie on.",
            minimum=0,
            maximum=8,
            advanced=True,
        ),
    ),
    estimate=_wavelet_need,
    help="Shrinks what wavelets say is noise. Works on voxels, whatever their length.",
    reference="Chang SG, Yu B, Vetterli M (2000). Adaptive wavelet thresholding for image "
    "denoising and compression. IEEE Transactions on Image Processing 9(9), 1532-1546.",
)

DENOISING = (BILATERAL, TOTAL_VARIATION, NON_LOCAL_MEANS, WAVELET)
