"""Operations that stretch or even out the contrast of images."""

import math
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_seedbed.errors import InputError
from napari_seedbed.pipeline.declarations import Channels, Job, Need
from napari_seedbed.pipeline.filter_operations import by_voxel_and_channel, image_filter, no_halo
from napari_seedbed.pipeline.image_statistics import percentiles_of_image, range_of_image
from napari_seedbed.pipeline.intensity_operations import RANGE, limits_of, typed_range, typed_value
from napari_seedbed.pipeline.parameters import Parameter


def _rescale(job: Job) -> dict[str, Channels]:
    from napari_seedbed.core import stretch

    parameters = job.parameters
    together = parameters["channels"] == "together"
    bottom, top = _target(job)
    volume = _with_channels(job)
    out = []
    for nth, channel in enumerate(volume):
        if parameters["between"] == "values":
            low, high = typed_range(parameters["low"], parameters["high"], "low")
        elif nth == 0 or not together:
            low, high = _percentile_limits(job, None if together else _channel(job, nth))
        out.append(stretch(channel, low, high, (bottom, top), should_stop=job.should_stop))
    if job.image.rgb and job.image.dtype.kind == "u" and parameters["target"] == "usual":
        out = [np.rint(plane).astype(job.image.dtype) for plane in out]
    return _as_given(job, out)


def _percentile_limits(job: Job, channel: int | None) -> tuple[float, float]:
    parameters = job.parameters
    percents = (parameters["low_percent"], parameters["high_percent"])
    if percents[0] >= percents[1]:
        raise InputError(
            f"low_percent: {percents[0]:g} must be below the upper percentile, {percents[1]:g}."
        )
    series = parameters["statistics"] == "series"
    times = range(job.image.n_times) if series else [job.time]
    low, high = percentiles_of_image(job.image, percents, times, channel, job.should_stop)
    place = "" if channel is None or job.image.n_channels == 1 else f"Channel {channel + 1}: "
    if low == high:
        job.notes.append(
            f"{place}The percentiles {percents[0]:g} and {percents[1]:g} are both {low:g}: only "
            "what is above becomes bright."
        )
    elif series or job.image.n_times == 1:
        job.notes.append(f"{place}Stretched from {low:g} to {high:g}.")
    return low, high


def _target(job: Job) -> tuple[float, float]:
    parameters = job.parameters
    if parameters["target"] == "unit":
        return 0.0, 1.0
    if parameters["target"] == "values":
        return typed_range(parameters["out_low"], parameters["out_high"], "out_low")
    found = range_of_image(job.image, job.should_stop)
    return (found.low, found.high) if found.low < found.high else (found.low, found.low + 1)


def _equalise(job: Job) -> dict[str, Channels]:
    from napari_seedbed.core import equalise

    limits = limits_of(job)
    volume = _with_channels(job)
    if job.parameters["channels"] == "together":
        found = equalise(volume, limits=limits, should_stop=job.should_stop)
        return _as_given(job, list(found))
    return _as_given(
        job, [equalise(plane, limits=limits, should_stop=job.should_stop) for plane in volume]
    )


def _equalise_locally(job: Job) -> dict[str, Channels]:
    from napari_seedbed.core import equalise_locally

    parameters = job.parameters
    limits = limits_of(job)

    def even(plane: NDArray) -> NDArray:
        return equalise_locally(
            plane,
            parameters["window"],
            parameters["clip_limit"],
            job.spacing,
            limits=limits,
            should_stop=job.should_stop,
        )

    volume = _with_channels(job)
    if parameters["channels"] == "each" or len(volume) == 1:
        return _as_given(job, [even(plane) for plane in volume])
    # The value of HSV is the brightest channel; replacing it multiplies all channels alike.
    low = limits[0]
    brightest = volume.max(axis=0).astype(np.float64)
    changed = even(brightest) - low
    above = brightest - low
    factor = np.divide(changed, above, out=np.zeros_like(changed), where=above > 0)
    grey = np.where(above > 0, 0.0, changed)
    return _as_given(
        job, [((plane - low) * factor + grey + low).astype(np.float32) for plane in volume]
    )


def _with_channels(job: Job) -> NDArray:
    """The voxels with channels first, also where there is only one."""
    volume = job.load()
    return volume[np.newaxis] if job.channel_axis is None else volume


def _channel(job: Job, nth: int) -> int | None:
    return None if job.channel_axis is None else nth


def _as_given(job: Job, planes: list[NDArray]) -> dict[str, Any]:
    """Planes as the channels that they come from."""
    if job.channel_axis is None:
        return {"image": planes[0]}
    return {"image": Channels(np.stack(planes), job.image.channel_names, as_input=True)}


def _local_need(
    shape: tuple[int, ...], n_labels: int, n_channels: int, parameters: Mapping[str, Any]
) -> Need:
    voxels = math.prod(shape)
    together = n_channels > 1 and parameters["channels"] == "together"
    planes = 1 if together else n_channels
    own = voxels * n_channels * (together + 1)
    return Need(50 * voxels + 8 * own, 5.5e-7 * voxels * planes + 3e-8 * own)


_CHANNELS = Parameter(
    "channels",
    "choice",
    "together",
    "Channels",
    "Together keeps the colours and what channels are to each other.",
    choices=("together", "each"),
    choice_labels=("Together", "Each on its own"),
)


RESCALE_INTENSITY = image_filter(
    name="rescale_intensity",
    title="Rescale intensity",
    group="Images",
    function=_rescale,
    chooses_type=True,
    channels="joint",
    parameters=(
        Parameter(
            "between",
            "choice",
            "percentiles",
            "Stretch between",
            "Two percentiles of the voxels, or two typed values. What lies beyond is cut off.",
            choices=("percentiles", "values"),
            choice_labels=("Percentiles", "Typed values"),
        ),
        Parameter(
            "low_percent",
            "float",
            0.1,
            "Lower percentile",
            "So many per cent of the voxels become black.",
            minimum=0.0,
            maximum=100.0,
            only_with=("between", ("percentiles",)),
        ),
        Parameter(
            "high_percent",
            "float",
            99.9,
            "Upper percentile",
            "The voxels above it become white.",
            minimum=0.0,
            maximum=100.0,
            only_with=("between", ("percentiles",)),
        ),
        typed_value("low", 0.0, "Lower value", "Becomes black.", "between"),
        typed_value("high", 255.0, "Upper value", "Becomes white.", "between"),
        Parameter(
            "target",
            "choice",
            "usual",
            "To",
            "The range of the result.",
            choices=("usual", "unit", "values"),
            choice_labels=("Bit depth of the image", "0 to 1", "Typed values"),
        ),
        typed_value("out_low", 0.0, "Black becomes", "Lowest value of the result.", "target"),
        typed_value("out_high", 1.0, "White becomes", "Highest value of the result.", "target"),
        _CHANNELS,
        Parameter(
            "statistics",
            "choice",
            "volume",
            "Percentiles of",
            "Each time point on its own, or the whole series, so that brightness can be compared.",
            choices=("volume", "series"),
            choice_labels=("Each time point", "The whole series"),
            only_with=("between", ("percentiles",)),
        ),
    ),
    estimate=by_voxel_and_channel(24, 5e-8),
    halo=no_halo,
    term="contrast stretching",
    help="Stretches the values between two limits to a range, by default those between the "
    "darkest and the brightest thousandth.",
    reference="Gonzalez RC, Woods RE (2018). Digital Image Processing, 4th edition, chapter 3. "
    "Pearson.",
)

EQUALISE = image_filter(
    name="equalise",
    title="Equalise histogram",
    group="Images",
    function=_equalise,
    channels="joint",
    parameters=(_CHANNELS, RANGE),
    estimate=by_voxel_and_channel(16, 7e-8),
    help="Spreads the grey levels evenly: each value becomes its rank among all voxels. Works for "
    "every type, in 2D and 3D.",
    reference="Hummel R (1977). Image enhancement by histogram transformation. Computer Graphics "
    "and Image Processing 6(2), 184-195.",
)

EQUALISE_LOCALLY = image_filter(
    name="equalise_locally",
    title="Equalise locally",
    group="Images",
    function=_equalise_locally,
    channels="joint",
    parameters=(
        Parameter(
            "window",
            "float",
            0.0,
            "Window",
            "Side of the regions whose grey levels are spread together; 0 is an eighth of the "
            "image along each axis.",
            minimum=0.0,
            maximum=1e9,
            unit="physical",
        ),
        Parameter(
            "clip_limit",
            "float",
            0.01,
            "Contrast limit",
            "How much the contrast may grow: larger shows more, noise too.",
            minimum=0.0,
            maximum=1.0,
            logarithmic=True,
        ),
        _CHANNELS,
        RANGE,
    ),
    estimate=_local_need,
    term="adaptive equalisation, CLAHE",
    help="Spreads the grey levels evenly place by place, so that dark and bright parts both show "
    "their detail. The contrast limit keeps noise down.",
    reference="Zuiderveld K (1994). Contrast limited adaptive histogram equalization. Graphics "
    "Gems IV, 474-485.",
)

CONTRASTS = (RESCALE_INTENSITY, EQUALISE, EQUALISE_LOCALLY)
