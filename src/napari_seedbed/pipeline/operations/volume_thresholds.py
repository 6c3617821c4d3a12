"""What the operations that threshold do with one volume, and what they say about it."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from statistics import median
from typing import TYPE_CHECKING, Any

from numpy.typing import NDArray

from napari_seedbed.errors import InputError
from napari_seedbed.pipeline.engine.core_calls import CoreCall
from napari_seedbed.pipeline.engine.jobs import Job
from napari_seedbed.pipeline.operations.halos import gaussian_halo

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
        smooth, smallest = smoothing_of(job), job.parameters[SMALLEST]
        given = job
        if smooth is not None:
            given = replace(job, load=lambda: smooth(job.load()))
        found = (
            {gives: function.result(given)} if isinstance(function, CoreCall) else function(given)
        )
        if not smallest:
            return found
        left = job.core.remove_by_size(
            found[gives], smallest, spacing=job.spacing, objects="pieces"
        )
        return {gives: left > 0 if gives == "mask" else left.astype(found[gives].dtype)}

    return run


def own_parameters(job: Job) -> dict[str, Any]:
    """The parameters of core's function."""
    return {
        name: value for name, value in job.parameters.items() if name not in (SMOOTHING, SMALLEST)
    }


def smoothing_of(job: Job) -> Callable[[NDArray], NDArray] | None:
    """How the image is smoothed first; None where it is not."""
    sigma = job.parameters[SMOOTHING]
    return partial(job.core.smoothed_in_type, sigma=sigma, spacing=job.spacing) if sigma else None


def smoothing_reach(job: Job) -> Sequence[int]:
    """How far around a voxel `smoothing_of` looks."""
    sigma = job.parameters[SMOOTHING]
    return gaussian_halo(SMOOTHING)(job.spacing, job.parameters) or () if sigma else ()


def _by_histogram(job: Job, find: Find, apply: Apply, name: str) -> NDArray:
    """Find values in the histograms that the job asks for, and apply them."""
    per, array = job.parameters["per"], job.load()
    if per == "slice" and array.ndim == 3:
        return _slice_by_slice(job, array, find, apply, name)
    is_series = per == "series"
    values: Values = job.kept(
        (name, job.channel, None if is_series else job.time),
        lambda: find(job.histogram(smoothing_of(job), smoothing_reach(job), of_series=is_series)),
    )
    job.note(found_in_words, name, values, " for the whole series" if is_series else "")
    return apply(array, values)


def _slice_by_slice(job: Job, array: NDArray, find: Find, apply: Apply, name: str) -> NDArray:
    values: list[Values] = []
    # Slices beyond the object are often all of one value.
    problems: list[InputError] = []

    def one(plane: NDArray) -> NDArray:
        found = find(job.core.image_histogram(plane))
        values.append(found)
        return apply(plane, found)

    out = job.each(array, one, problems)
    job.note(_found_in_slices, name, values)
    if problems:
        job.notes.append(
            f"{len(problems)} of {len(array)} slices have no threshold and stay empty: "
            f"{problems[-1]}"
        )
    return out


def found_in_words(name: str, values: Values, where: str) -> str:
    """``Otsu's threshold is 113.``"""
    return f"{_found(name, values)}{where}."


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
    method, objects = job.parameters["method"], job.parameters["objects"]

    def apply(array: NDArray, values: Values) -> NDArray:
        found: NDArray = job.core.threshold_at(array, values[0], objects=objects)
        return found

    if method == "manual":
        return {"mask": apply(job.load(), (job.parameters["value"],))}

    def find(histogram: "Histogram") -> Values:
        return (job.core.automatic_threshold(histogram, method),)

    return {"mask": _by_histogram(job, find, apply, _name_of(method))}


def _name_of(method: str) -> str:
    return {
        "otsu": "Otsu's threshold",
        "li": "Li's threshold",
        "yen": "Yen's threshold",
    }.get(method, f"The {method} threshold")


def multi_otsu(job: Job) -> dict[str, NDArray]:
    """Classes from as many values as needed."""
    classes, objects = job.parameters["classes"], job.parameters["objects"]

    def find(histogram: "Histogram") -> Values:
        values: Values = job.core.multi_otsu_thresholds(histogram, classes)
        return values

    def apply(array: NDArray, values: Values) -> NDArray:
        found: NDArray = job.core.threshold_classes(array, values, objects=objects)
        return found

    return {"labels": _by_histogram(job, find, apply, "Otsu's threshold")}


def typed_values(parameters: Mapping[str, Any]) -> Values:
    """The two values that are typed."""
    if parameters["low"] > parameters["high"]:
        raise InputError(
            f"low: {parameters['low']:g} is above high, {parameters['high']:g}; it must not be."
        )
    return parameters["low"], parameters["high"]


def _two_values(job: Job, apply: Apply) -> dict[str, NDArray]:
    """A mask from a lower and an upper value, typed or those of three classes."""
    parameters = job.parameters
    if parameters["method"] == "manual":
        return {"mask": apply(job.load(), typed_values(parameters))}

    def find(histogram: "Histogram") -> Values:
        values: Values = job.core.multi_otsu_thresholds(histogram, 3)
        return values

    return {"mask": _by_histogram(job, find, apply, "Otsu's threshold")}


def threshold_between(job: Job) -> dict[str, NDArray]:
    """A mask of what lies between two values, or outside."""

    def apply(array: NDArray, values: Values) -> NDArray:
        found: NDArray = job.core.threshold_between(
            array, values[0], values[1], inside=job.parameters["objects"] == "between"
        )
        return found

    return _two_values(job, apply)


def threshold_hysteresis(job: Job) -> dict[str, NDArray]:
    """A mask from an easy value and a hard one."""

    def apply(array: NDArray, values: Values) -> NDArray:
        found: NDArray = job.core.threshold_hysteresis(
            array, values[0], values[1], objects=job.parameters["objects"]
        )
        return found

    return _two_values(job, apply)


def sauvola_arguments(job: Job) -> dict[str, Any]:
    """The parameters of Sauvola's formula, its range from the values where it is not given."""
    if job.parameters["r"]:
        return own_parameters(job)
    # Of all of the volume, where only a part of it is worked on.
    lowest, highest = job.extremes(smoothing_of(job), smoothing_reach(job))
    return {**own_parameters(job), "r": job.core.sauvola_range(lowest, highest)}
