"""Operations that stretch or even out the contrast of images."""

import math
from collections.abc import Callable, Iterable
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_seedbed.errors import InputError
from napari_seedbed.pipeline.engine.declarations import Need, Size, Values
from napari_seedbed.pipeline.engine.jobs import Channels, Job
from napari_seedbed.pipeline.engine.parameters import choice, number
from napari_seedbed.pipeline.operations.costs import by_channel
from napari_seedbed.pipeline.operations.families import image_filter
from napari_seedbed.pipeline.operations.halos import no_halo
from napari_seedbed.pipeline.operations.intensities import (
    RANGE,
    limits_of,
    typed_range,
    typed_value,
)
from napari_seedbed.pipeline.operations.references import GONZALEZ_3


def _rescale(job: Job) -> dict[str, Channels]:
    parameters = job.parameters
    together = parameters["channels"] == "together"
    target = _target(job)
    out = []
    for nth, channel in enumerate(_planes(job)):
        if parameters["between"] == "values":
            low, high = typed_range(parameters["low"], parameters["high"], "low")
        elif nth == 0 or not together:
            low, high = _percentile_limits(job, None if together else _channel(job, nth))
        out.append(job.core.stretch(channel, low, high, target))
        if job.image.rgb and parameters["target"] == "usual":
            out[nth] = job.core.in_type_of(out[nth], channel)
    return _as_given(job, out)


def _percentile_limits(job: Job, channel: int | None) -> tuple[float, float]:
    parameters = job.parameters
    percents = (parameters["low_percent"], parameters["high_percent"])
    if percents[0] >= percents[1]:
        raise InputError(
            f"low_percent: {percents[0]:g} must be below the upper percentile, {percents[1]:g}."
        )
    series = parameters["statistics"] == "series"
    low, high = job.percentiles(percents, channel, of_series=series)
    place = "" if channel is None or job.image.n_channels == 1 else f"Channel {channel + 1}: "
    is_same = series or job.image.n_times == 1
    job.note(_stretched_in_words, place, percents, low, high, is_same)
    return low, high


def _stretched_in_words(
    place: str, percents: tuple[float, float], low: float, high: float, is_same: bool
) -> str:
    """What is said of percentiles; nothing where they differ from time point to time point."""
    if low == high:
        return (
            f"{place}The percentiles {percents[0]:g} and {percents[1]:g} are both {low:g}: only "
            "what is above becomes bright."
        )
    return f"{place}Stretched from {low:g} to {high:g}." if is_same else ""


def _target(job: Job) -> tuple[float, float]:
    parameters = job.parameters
    if parameters["target"] == "unit":
        return 0.0, 1.0
    if parameters["target"] == "values":
        return typed_range(parameters["out_low"], parameters["out_high"], "out_low")
    return job.value_range().spread


def _equalise(job: Job) -> dict[str, Channels]:
    limits = limits_of(job)
    if job.parameters["channels"] == "together":
        found = job.core.equalise(job.load(), limits=limits, **_ranks(job, None))
        return _as_input(job, found)
    planes = [
        job.core.equalise(plane, limits=limits, **_ranks(job, _channel(job, nth)))
        for nth, plane in enumerate(_planes(job))
    ]
    return _as_given(job, planes)


def _ranks(job: Job, channel: int | None) -> dict[str, Any]:
    """The ranks of grey levels in all of the image, where a part of it is worked on."""
    if job.wanted is None:
        return {}
    from napari_seedbed.core.images.equalisation import ranks_over

    image = job.image.select_time(job.time)

    def over(function: Callable[[Any], Any]) -> Iterable[Any]:
        return job.over(function, image, channel)

    ranks = job.kept(("ranks", channel, job.time), lambda: ranks_over(over, image.dtype))
    return {"ranks": ranks}


def _equalise_locally(job: Job) -> dict[str, Channels]:
    parameters = job.parameters
    limits = limits_of(job)

    def even(plane: NDArray) -> NDArray:
        changed: NDArray = job.core.equalise_locally(
            plane, parameters["window"], parameters["clip_limit"], job.spacing, limits=limits
        )
        return changed

    planes = _planes(job)
    if parameters["channels"] == "each" or len(planes) == 1:
        return _as_given(job, [even(plane) for plane in planes])
    # The value of HSV is the brightest channel; replacing it multiplies all channels alike.
    low = limits[0]
    brightest = job.load().max(axis=0).astype(np.float64)
    changed = even(brightest) - low
    above = brightest - low
    factor = np.divide(changed, above, out=np.zeros_like(changed), where=above > 0)
    grey = np.where(above > 0, 0.0, changed)
    return _as_given(
        job, [((plane - low) * factor + grey + low).astype(np.float32) for plane in planes]
    )


def _planes(job: Job) -> list[NDArray]:
    """The voxels of each channel."""
    volume = job.load()
    return [volume] if job.channel_axis is None else [volume[nth] for nth in range(len(volume))]


def _channel(job: Job, nth: int) -> int | None:
    return None if job.channel_axis is None else nth


def _as_given(job: Job, planes: list[NDArray]) -> dict[str, Any]:
    """Planes as the channels that they come from."""
    return _as_input(job, planes[0] if job.channel_axis is None else np.stack(planes))


def _as_input(job: Job, volume: NDArray) -> dict[str, Any]:
    """A volume with the channels of the image, where it has several."""
    if job.channel_axis is None:
        return {"image": volume}
    return {"image": Channels(volume, job.image.channel_names, as_input=True)}


def _local_need(size: Size, parameters: Values) -> Need:
    together = size.n_channels > 1 and parameters["channels"] == "together"
    given = float(parameters["window"])
    sides = [max(n // 8, 1) if given == 0 else min(n, max(1, round(given))) for n in size.shape]
    # Whole regions, and half a region more at each end.
    regions = math.prod(math.ceil(n / side + 1) for n, side in zip(size.shape, sides, strict=True))
    padded = regions * math.prod(sides)
    planes = 1 if together else size.n_channels
    own = size.voxels * size.n_channels * (together + 1)
    seconds = (4e-7 * padded + 2.5e-5 * regions) * planes + 3e-8 * own
    return Need(40 * padded + 8 * own, seconds)


_CHANNELS = choice(
    "channels",
    "Channels",
    "Together keeps the colours and what channels are to each other.",
    {"together": "Together", "each": "Separately"},
)


_contrast = partial(image_filter, group="Images", channels="joint")

RESCALE_INTENSITY = _contrast(
    name="rescale_intensity",
    title="Rescale intensity",
    function=_rescale,
    chooses_type=True,
    parameters=(
        choice(
            "between",
            "Input range",
            "What is stretched: from one percentile of the voxels to another, or from one value to "
            "another. What lies beyond is cut off.",
            {"percentiles": "Percentiles", "values": "Manual"},
        ),
        number(
            "low_percent",
            0.1,
            "Lower percentile",
            "Voxels below it become black.",
            (0.0, 100.0),
            only_with=("between", ("percentiles",)),
        ),
        number(
            "high_percent",
            99.9,
            "Upper percentile",
            "Voxels above it become white.",
            (0.0, 100.0),
            only_with=("between", ("percentiles",)),
        ),
        typed_value("low", 0.0, "Input minimum", "Becomes black.", "between"),
        typed_value("high", 255.0, "Input maximum", "Becomes white.", "between"),
        choice(
            "target",
            "Output range",
            "The range of the result.",
            {"usual": "Automatic (bit depth)", "unit": "0 to 1", "values": "Manual"},
        ),
        typed_value("out_low", 0.0, "Output minimum", "Lowest value of the result.", "target"),
        typed_value("out_high", 1.0, "Output maximum", "Highest value of the result.", "target"),
        _CHANNELS,
        choice(
            "statistics",
            "Percentiles of",
            "Each time point on its own, or the whole series, so that brightness can be compared.",
            {"volume": "Each time point", "series": "The whole series"},
            only_with=("between", ("percentiles",)),
        ),
    ),
    estimate=by_channel(24, 5e-8),
    halo=no_halo,
    term="contrast stretching",
    help="Stretches the values between two limits to a range, by default those between the "
    "darkest and the brightest thousandth.",
    reference=GONZALEZ_3,
)

EQUALISE = _contrast(
    name="equalise",
    title="Equalise histogram",
    function=_equalise,
    parameters=(_CHANNELS, RANGE),
    estimate=by_channel(16, 7e-8),
    halo=no_halo,
    help="Spreads the grey levels evenly: each value becomes its rank among all voxels. Works for "
    "every type, in 2D and 3D.",
    reference="Hummel R (1977). Image enhancement by histogram transformation. Computer Graphics "
    "and Image Processing 6(2), 184-195.",
)

EQUALISE_LOCALLY = _contrast(
    name="equalise_locally",
    title="CLAHE (local equalisation)",
    function=_equalise_locally,
    parameters=(
        number(
            "window",
            0.0,
            "Block size",
            "Side of the regions whose grey levels are spread together; 0 is an eighth of the "
            "image along each axis.",
            (0.0, 1e9),
            unit="physical",
        ),
        number(
            "clip_limit",
            0.01,
            "Clip limit",
            "How much the contrast may grow: larger shows more, noise too.",
            (0.0, 1.0),
        ),
        _CHANNELS,
        RANGE,
    ),
    estimate=_local_need,
    term="contrast limited adaptive histogram equalisation",
    help="Spreads the grey levels evenly place by place, so that dark and bright parts both show "
    "their detail. The clip limit keeps noise down.",
    reference="Zuiderveld K (1994). Contrast limited adaptive histogram equalization. Graphics "
    "Gems IV, 474-485.",
)

CONTRASTS = (RESCALE_INTENSITY, EQUALISE, EQUALISE_LOCALLY)
