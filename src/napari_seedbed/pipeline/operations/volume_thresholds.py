"""What the operations that threshold do with one volume, and what they say about it."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from functools import partial
from statistics import median
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from napari_seedbed.errors import InputError
from napari_seedbed.pipeline.data.blocks import image_blocks
from napari_seedbed.pipeline.data.image import Image
from napari_seedbed.pipeline.engine.core_calls import CoreCall
from napari_seedbed.pipeline.engine.jobs import Job

if TYPE_CHECKING:
    from napari_seedbed.core import Histogram

Values = tuple[float, ...]
Find = Callable[["Histogram"], Values]
Apply = Callable[[NDArray, Values], NDArray]
Threshold = Callable[[Job], dict[str, NDArray]]

SMOOTHING, SMALLEST = "sigma", "smallest"
"""Parameters of all thresholds: what is done before and after."""


def cleaned(function: CoreCall | Threshold, gives: str) -> Threshold:
    """A threshold of a smoothed image, of which what is too small is taken away."""

    def run(job: Job) -> dict[str, NDArray]:
        sigma, smallest = job.parameters[SMOOTHING], job.parameters[SMALLEST]
        given = job
        if sigma:
            given = replace(job, load=lambda: smoothed(job.load(), sigma, job.spacing))
        found = (
            {gives: function.result(given)} if isinstance(function, CoreCall) else function(given)
        )
        return {gives: _without_small(found[gives], smallest, job)} if smallest else found

    return run


def own_parameters(job: Job) -> dict[str, Any]:
    """The parameters of core's function."""
    return {
        name: value for name, value in job.parameters.items() if name not in (SMOOTHING, SMALLEST)
    }


def smoothed(array: NDArray, sigma: float, spacing: Sequence[float]) -> NDArray:
    """The image after a Gaussian, whole numbers where it holds such, so that values stay whole."""
    from napari_seedbed.core import gaussian

    if not sigma:
        return array
    found = gaussian(array, sigma, spacing)
    return np.rint(found).astype(array.dtype) if array.dtype.kind in "iu" else found


def smoothed_blocks(image: Image, sigma: float, channel: int | None = None) -> Iterator[NDArray]:
    """The voxels of an image after a Gaussian, one time point after the other."""
    if not sigma:
        yield from image_blocks(image, channel)
        return
    if channel is not None:
        image = image.select_channels([channel])
    for t in range(image.n_times):
        for plane in image.select_time(t).channels():
            yield smoothed(plane.volume(), sigma, image.spacing)


def _without_small(found: NDArray, smallest: float, job: Job) -> NDArray:
    from napari_seedbed.core import remove_by_size

    left = remove_by_size(found, smallest, spacing=job.spacing, objects="pieces")
    return left > 0 if found.dtype == bool else left.astype(found.dtype)


def _by_histogram(job: Job, find: Find, apply: Apply, name: str) -> NDArray:
    """Find values in the histograms that the job asks for, and apply them."""
    from napari_seedbed.core import blocks_histogram

    per, array = job.parameters["per"], job.load()
    if per == "slice" and array.ndim == 3:
        return _slice_by_slice(job, array, find, apply, name)
    is_series = per == "series"
    key = (name, job.channel, None if is_series else job.time)
    if key not in job.shared:
        # All of the volume, where only a part of it is worked on.
        image = job.image if is_series else job.image.select_time(job.time)
        sigma = job.parameters[SMOOTHING]
        blocks: Callable[[], Iterator[NDArray]] = partial(
            smoothed_blocks, image, sigma, job.channel
        )
        if sigma and not is_series and array.shape == image.spatial_shape:
            blocks = partial(iter, [array])
        job.shared[key] = find(blocks_histogram(blocks))
    values: Values = job.shared[key]
    job.notes.append(f"{_found(name, values)}{' for the whole series' if is_series else ''}.")
    return apply(array, values)


def _slice_by_slice(job: Job, array: NDArray, find: Find, apply: Apply, name: str) -> NDArray:
    from napari_seedbed.core import image_histogram

    values: list[Values] = []
    out: NDArray | None = None
    problem: InputError | None = None
    for nth, plane in enumerate(array):
        try:
            found = find(image_histogram(plane))
        except InputError as error:
            # Slices beyond the object are often all of one value.
            problem = error
            continue
        part = apply(plane, found)
        if out is None:
            out = np.zeros(array.shape, part.dtype)
        out[nth] = part
        values.append(found)
    if out is None:
        assert problem is not None
        raise problem
    job.notes.append(_found_in_slices(name, values))
    if len(values) < len(array):
        job.notes.append(
            f"{len(array) - len(values)} of {len(array)} slices have no threshold and stay empty: "
            f"{problem}"
        )
    return out


def _found(name: str, values: Values) -> str:
    """``Otsu's threshold is 113``, or what several are."""
    if len(values) == 1:
        return f"{name} is {_number(values[0])}"
    listed = ", ".join(_number(value) for value in values[:-1])
    return f"{name}s are {listed} and {_number(values[-1])}"


def _found_in_slices(name: str, values: Sequence[Values]) -> str:
    parts = []
    for nth in range(len(values[0])):
        own = [found[nth] for found in values]
        low, high = _number(min(own)), _number(max(own))
        parts.append(f"from {low} to {high}, half of them up to {_number(median(own))}")
    return f"{name}s of the slices are {'; and '.join(parts)}."


def _number(value: float) -> str:
    return f"{value:.6g}"


def threshold(job: Job) -> dict[str, NDArray]:
    """A mask from one value, typed or found."""
    from napari_seedbed.core import automatic_threshold, threshold_at

    method, objects = job.parameters["method"], job.parameters["objects"]

    def apply(array: NDArray, values: Values) -> NDArray:
        return threshold_at(array, values[0], objects=objects)

    if method == "manual":
        return {"mask": apply(job.load(), (job.parameters["value"],))}

    def find(histogram: "Histogram") -> Values:
        return (automatic_threshold(histogram, method),)

    return {"mask": _by_histogram(job, find, apply, _name_of(method))}


def _name_of(method: str) -> str:
    return {
        "otsu": "Otsu's threshold",
        "li": "Li's threshold",
        "yen": "Yen's threshold",
    }.get(method, f"The {method} threshold")


def multi_otsu(job: Job) -> dict[str, NDArray]:
    """Classes from as many values as needed."""
    from napari_seedbed.core import multi_otsu_thresholds, threshold_classes

    classes, objects = job.parameters["classes"], job.parameters["objects"]

    def find(histogram: "Histogram") -> Values:
        return multi_otsu_thresholds(histogram, classes)

    def apply(array: NDArray, values: Values) -> NDArray:
        return threshold_classes(array, values, objects=objects)

    return {"labels": _by_histogram(job, find, apply, "Otsu's threshold")}


def _two_values(job: Job, apply: Apply) -> dict[str, NDArray]:
    """A mask from a lower and an upper value, typed or those of three classes."""
    from napari_seedbed.core import multi_otsu_thresholds

    parameters = job.parameters
    if parameters["method"] == "manual":
        if parameters["low"] > parameters["high"]:
            raise InputError(
                f"low: {parameters['low']:g} is above high, {parameters['high']:g}; it must not be."
            )
        return {"mask": apply(job.load(), (parameters["low"], parameters["high"]))}

    def find(histogram: "Histogram") -> Values:
        return multi_otsu_thresholds(histogram, 3)

    return {"mask": _by_histogram(job, find, apply, "Otsu's threshold")}


def threshold_between(job: Job) -> dict[str, NDArray]:
    """A mask of what lies between two values, or outside."""
    from napari_seedbed.core import threshold_between

    def apply(array: NDArray, values: Values) -> NDArray:
        return threshold_between(
            array,
            *values,
            inside=job.parameters["objects"] == "between",
        )

    return _two_values(job, apply)


def threshold_hysteresis(job: Job) -> dict[str, NDArray]:
    """A mask from an easy value and a hard one."""
    from napari_seedbed.core import threshold_hysteresis

    def apply(array: NDArray, values: Values) -> NDArray:
        return threshold_hysteresis(array, *values, objects=job.parameters["objects"])

    return _two_values(job, apply)


def sauvola_arguments(job: Job) -> dict[str, Any]:
    """The parameters of Sauvola's formula, its range from the values where it is not given."""
    from napari_seedbed.core.thresholds.local_thresholds import sauvola_range

    if job.parameters["r"]:
        return own_parameters(job)
    # Of all of the volume, where only a part of it is worked on.
    image = job.image.select_time(job.time)
    blocks = smoothed_blocks(image, job.parameters[SMOOTHING], job.channel)
    extents = [(block.min(), block.max()) for block in blocks]
    r = sauvola_range(min(low for low, _ in extents), max(high for _, high in extents))
    return {**own_parameters(job), "r": r}
