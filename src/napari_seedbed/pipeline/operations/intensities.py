"""Operations on the values of voxels: type and brightness."""

from functools import partial
from typing import Any

from numpy.typing import NDArray

from napari_seedbed.errors import InputError
from napari_seedbed.pipeline.engine.core_calls import CoreCall
from napari_seedbed.pipeline.engine.jobs import Job
from napari_seedbed.pipeline.engine.parameters import Parameter, choice, number, switch
from napari_seedbed.pipeline.operations.costs import by_voxel
from napari_seedbed.pipeline.operations.families import image_filter
from napari_seedbed.pipeline.operations.halos import no_halo
from napari_seedbed.pipeline.operations.references import GONZALEZ_3, SCIKIT_IMAGE

_FAR = 1e15


def _type_arguments(job: Job) -> dict[str, Any]:
    parameters = job.parameters
    source = parameters["source"]
    found = job.value_range()
    job.notes.append(f"The image holds {found.text}.")
    if source == "usual":
        source = found
    elif source == "image":
        source = found.occurring
    elif source == "values":
        source = typed_range(parameters["low"], parameters["high"], "low")
    return {"to": parameters["to"], "source": source}


def _within_limits(job: Job) -> dict[str, Any]:
    others = {name: value for name, value in job.parameters.items() if name != "range"}
    return {"limits": limits_of(job), **others}


def _invert(job: Job) -> dict[str, NDArray]:
    return {"image": job.core.as_numbers(CoreCall("inverted", _within_limits).result(job))}


def limits_of(job: Job) -> tuple[float, float]:
    """The range that the result is to have."""
    kind = job.parameters.get("range", "usual")
    found = job.value_range()
    if kind == "image":
        return found.lowest, found.highest
    if kind == "type":
        return found.of_type
    job.notes.append(f"The image holds {found.text}.")
    return found.low, found.high


def typed_range(low: float, high: float, name: str) -> tuple[float, float]:
    if low >= high:
        raise InputError(f"{name}: {low:g} must be below the upper value, {high:g}.")
    return low, high


RANGE = choice(
    "range",
    "Input range",
    "Black and white, which stay in place: the range that the image was made for, such as 0 to "
    "4095 of a 12-bit camera, the smallest and largest value, or all that the type can hold.",
    {
        "usual": "Automatic (bit depth)",
        "image": "Minimum to maximum",
        "type": "Full range of the type",
    },
    advanced=True,
)


def typed_value(name: str, default: float, label: str, help: str, choice: str) -> Parameter:
    return number(name, default, label, help, (-_FAR, _FAR), only_with=(choice, ("values",)))


_brightness = partial(image_filter, group="Images", halo=no_halo)

CONVERT_TYPE = _brightness(
    name="convert_type",
    title="Convert type",
    function=CoreCall(arguments=_type_arguments),
    chooses_type=True,
    parameters=(
        choice(
            "to",
            "Type",
            "Whole numbers of 8 or 16 bits, or floating-point numbers from 0 to 1.",
            {
                "uint8": "8 bits (0 to 255)",
                "uint16": "16 bits (0 to 65535)",
                "int16": "Signed 16 bits (-32768 to 32767)",
                "float32": "32-bit float (0 to 1)",
                "float64": "64-bit float (0 to 1)",
            },
        ),
        choice(
            "source",
            "Input range",
            "Which values become the whole range of the new type. Automatic finds the bit depth "
            "from the values: 12-bit images stored in 16 bits do not come out dark.",
            {
                "usual": "Automatic (bit depth)",
                "type": "Full range of the type",
                "image": "Minimum to maximum",
                "values": "Manual",
                "keep": "None: keep the values",
            },
        ),
        typed_value("low", 0.0, "Input minimum", "Becomes 0.", "source"),
        typed_value(
            "high", 4095.0, "Input maximum", "Becomes the highest value of the new type.", "source"
        ),
    ),
    estimate=by_voxel(8, 2.5e-8),
    term="img_as_ubyte, img_as_uint, img_as_float",
    help="Stores the image in another type, so that black stays black and white stays white. "
    "Values beyond the range are cut off.",
    reference=SCIKIT_IMAGE,
)

GAMMA = _brightness(
    name="gamma",
    title="Gamma",
    function=CoreCall("apply_gamma", _within_limits),
    parameters=(
        number(
            "gamma",
            0.5,
            "Gamma",
            "Below 1 dark parts become brighter, above 1 darker; 1 changes nothing.",
            (0.01, 100.0),
        ),
        RANGE,
    ),
    estimate=by_voxel(12, 5e-8),
    term="power-law transform",
    help="Raises the values to a power; black and white stay.",
    reference="Poynton C (2012). Digital Video and HD, 2nd edition, chapter 27. Morgan Kaufmann.",
)

LOGARITHM = _brightness(
    name="logarithm",
    title="Logarithm",
    function=CoreCall("apply_logarithm", _within_limits),
    parameters=(
        number(
            "strength",
            1.0,
            "Strength",
            "Larger lifts dark parts more: 1 a little, 100 and more where the brightness differs "
            "by orders of magnitude.",
            (1e-6, 1e9),
        ),
        switch("inverse", False, "Inverse", "Undo a logarithm of the same strength."),
        RANGE,
    ),
    estimate=by_voxel(12, 5e-8),
    help="Takes the logarithm of the values, which brightens dark parts; black and white stay.",
    reference=GONZALEZ_3,
)

INVERT = _brightness(
    name="invert",
    title="Invert",
    function=_invert,
    parameters=(RANGE,),
    estimate=by_voxel(12, 2.5e-8),
    term="negative",
    help="Turns dark into bright and bright into dark, within the bit depth of the image. The "
    "type of the image stays.",
    reference=GONZALEZ_3,
)

INTENSITIES = (CONVERT_TYPE, GAMMA, LOGARITHM, INVERT)
