"""Operations on the values of voxels: type and brightness."""

import numpy as np
from numpy.typing import NDArray

from napari_seedbed.errors import InputError
from napari_seedbed.pipeline.declarations import Job
from napari_seedbed.pipeline.filter_operations import by_voxel, image_filter, no_halo
from napari_seedbed.pipeline.image_statistics import range_of_image
from napari_seedbed.pipeline.parameters import Parameter

Lengths = tuple[float, ...]
_FAR = 1e15


def _convert_type(job: Job) -> dict[str, NDArray]:
    from napari_seedbed.core import convert_type

    parameters = job.parameters
    source = parameters["source"]
    found = range_of_image(job.image, job.should_stop)
    job.notes.append(f"The image holds {found.text}.")
    if source == "usual":
        source = found
    elif source == "image":
        source = (found.lowest, found.highest) if found.lowest < found.highest else source
    elif source == "values":
        source = typed_range(parameters["low"], parameters["high"], "low")
    converted = convert_type(job.load(), parameters["to"], source, should_stop=job.should_stop)
    return {"image": converted}


def _gamma(job: Job) -> dict[str, NDArray]:
    from napari_seedbed.core import apply_gamma

    found = apply_gamma(
        job.load(), job.parameters["gamma"], limits=limits_of(job), should_stop=job.should_stop
    )
    return {"image": found}


def _logarithm(job: Job) -> dict[str, NDArray]:
    from napari_seedbed.core import apply_logarithm

    found = apply_logarithm(
        job.load(),
        job.parameters["strength"],
        limits=limits_of(job),
        inverse=job.parameters["inverse"],
        should_stop=job.should_stop,
    )
    return {"image": found}


def _invert(job: Job) -> dict[str, NDArray]:
    from napari_seedbed.core import inverted

    found = inverted(job.load(), limits=limits_of(job), should_stop=job.should_stop)
    return {"image": found.view(np.uint8) if found.dtype == bool else found}


def limits_of(job: Job) -> tuple[float, float]:
    """The range that the result is to have."""
    from napari_seedbed.core.images.value_ranges import range_of_type

    kind = job.parameters.get("range", "usual")
    found = range_of_image(job.image, job.should_stop)
    if kind == "image":
        return found.lowest, found.highest
    if kind == "type":
        low, high = range_of_type(found.dtype)
        return (max(low, 0), high) if found.dtype.kind == "f" and found.lowest >= 0 else (low, high)
    job.notes.append(f"The image holds {found.text}.")
    return found.low, found.high


def typed_range(low: float, high: float, name: str) -> tuple[float, float]:
    if low >= high:
        raise InputError(f"{name}: {low:g} must be below the upper value, {high:g}.")
    return low, high


RANGE = Parameter(
    "range",
    "choice",
    "usual",
    "Range",
    "Values that stay in place: the range that the image was made for, such as 0 to 4095 of a "
    "12-bit camera, the values that occur, or all that the type can hold.",
    choices=("usual", "image", "type"),
    choice_labels=("Bit depth of the image", "Values that occur", "Type of the image"),
    advanced=True,
)


def typed_value(name: str, default: float, label: str, help: str, choice: str) -> Parameter:
    return Parameter(
        name,
        "float",
        default,
        label,
        help,
        minimum=-_FAR,
        maximum=_FAR,
        only_with=(choice, ("values",)),
    )


CONVERT_TYPE = image_filter(
    name="convert_type",
    title="Convert type",
    group="Images",
    function=_convert_type,
    chooses_type=True,
    parameters=(
        Parameter(
            "to",
            "choice",
            "uint8",
            "New type",
            "Whole numbers of 8 or 16 bits, or floating-point numbers from 0 to 1.",
            choices=("uint8", "uint16", "int16", "float32", "float64"),
            choice_labels=(
                "8 bits (0 to 255)",
                "16 bits (0 to 65535)",
                "Signed 16 bits (-32768 to 32767)",
                "32-bit float (0 to 1)",
                "64-bit float (0 to 1)",
            ),
        ),
        Parameter(
            "source",
            "choice",
            "usual",
            "What fills it",
            "Which values become the whole range of the new type. The bit depth is found from the "
            "values: 12-bit images stored in 16 bits do not come out dark.",
            choices=("usual", "type", "image", "values", "keep"),
            choice_labels=(
                "Bit depth of the image",
                "Type of the image",
                "Values that occur",
                "Typed values",
                "Nothing: keep the values",
            ),
        ),
        typed_value("low", 0.0, "Lowest value", "Becomes 0.", "source"),
        typed_value(
            "high", 4095.0, "Highest value", "Becomes the highest value of the new type.", "source"
        ),
    ),
    estimate=by_voxel(8, 2.5e-8),
    halo=no_halo,
    term="img_as_ubyte, img_as_uint, img_as_float",
    help="Stores the image in another type, so that black stays black and white stays white. "
    "Values beyond the range are cut off.",
    reference="van der Walt S et al. (2014). scikit-image: image processing in Python. PeerJ 2, "
    "e453.",
)

GAMMA = image_filter(
    name="gamma",
    title="Gamma",
    group="Images",
    function=_gamma,
    parameters=(
        Parameter(
            "gamma",
            "float",
            0.5,
            "Gamma",
            "Below 1 dark parts become brighter, above 1 darker; 1 changes nothing.",
            minimum=0.01,
            maximum=100.0,
            logarithmic=True,
        ),
        RANGE,
    ),
    estimate=by_voxel(12, 5e-8),
    halo=no_halo,
    term="power-law transform",
    help="Raises the values to a power; black and white stay.",
    reference="Poynton C (2012). Digital Video and HD, 2nd edition, chapter 27. Morgan Kaufmann.",
)

LOGARITHM = image_filter(
    name="logarithm",
    title="Logarithm",
    group="Images",
    function=_logarithm,
    parameters=(
        Parameter(
            "strength",
            "float",
            1.0,
            "Strength",
            "Larger lifts dark parts more: 1 a little, 100 and more where the brightness differs "
            "by orders of magnitude.",
            minimum=1e-6,
            maximum=1e9,
            logarithmic=True,
        ),
        Parameter("inverse", "bool", False, "Inverse", "Undo a logarithm of the same strength."),
        RANGE,
    ),
    estimate=by_voxel(12, 5e-8),
    halo=no_halo,
    help="Takes the logarithm of the values, which brightens dark parts; black and white stay.",
    reference="Gonzalez RC, Woods RE (2018). Digital Image Processing, 4th edition, chapter 3. "
    "Pearson.",
)

INVERT = image_filter(
    name="invert",
    title="Invert",
    group="Images",
    function=_invert,
    parameters=(RANGE,),
    estimate=by_voxel(12, 2.5e-8),
    halo=no_halo,
    term="negative",
    help="Turns dark into bright and bright into dark, within the bit depth of the image. The "
    "type of the image stays.",
    reference="Gonzalez RC, Woods RE (2018). Digital Image Processing, 4th edition, chapter 3. "
    "Pearson.",
)

INTENSITIES = (CONVERT_TYPE, GAMMA, LOGARITHM, INVERT)
