"""Ten operations on the volumes of `scale_scenes`, and what libraries have for the same.

What the functions need is imported when they run: each is measured in a process of its own.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from scale_scenes import SPACING

Peer = Callable[..., Any]


@dataclass(frozen=True)
class Task:
    """An operation, and functions of libraries that do the same.

    Attributes
    ----------
    inputs : mapping
        Role and kind of scene.
    parameters : mapping
        What differs from the defaults.
    scikit, dask : callable, optional
        Of the arrays in the order of `inputs`; scikit-image or SciPy, and dask-image.
    """

    inputs: Mapping[str, str] = field(default_factory=lambda: {"image": "image"})
    parameters: Mapping[str, Any] = field(default_factory=dict)
    scikit: Peer | None = None
    dask: Peer | None = None


def _ball(radius: int) -> Any:
    grid = np.ogrid[(slice(-radius, radius + 1),) * 3]
    return sum(along**2 for along in grid) <= radius**2


def _scikit_gaussian(image: Any) -> Any:
    from skimage.filters import gaussian

    return gaussian(image.astype(np.float32), 1, preserve_range=True)


def _dask_gaussian(image: Any) -> Any:
    from dask_image.ndfilters import gaussian_filter

    return gaussian_filter(image.astype(np.float32), 1)


def _scikit_median(image: Any) -> Any:
    from skimage.filters import median

    return median(image, _ball(2))


def _dask_median(image: Any) -> Any:
    from dask_image.ndfilters import median_filter

    return median_filter(image, footprint=_ball(2))


def _scikit_gradient(image: Any) -> Any:
    from scipy.ndimage import gaussian_gradient_magnitude

    return gaussian_gradient_magnitude(image.astype(np.float32), 1)


def _dask_gradient(image: Any) -> Any:
    from dask_image.ndfilters import gaussian_gradient_magnitude

    return gaussian_gradient_magnitude(image.astype(np.float32), 1)


def _scikit_opening(image: Any) -> Any:
    from skimage.morphology import opening

    return opening(image, _ball(2))


def _dask_opening(image: Any) -> Any:
    from dask_image.ndfilters import maximum_filter, minimum_filter

    ball = _ball(2)
    return maximum_filter(minimum_filter(image, footprint=ball), footprint=ball)


def _scikit_sato(image: Any) -> Any:
    from skimage.filters import sato

    return sato(image.astype(np.float32), sigmas=(1, 2, 3), black_ridges=False)


def _scikit_otsu(image: Any) -> Any:
    from skimage.filters import threshold_otsu

    return image > threshold_otsu(image)


def _scikit_label(mask: Any) -> Any:
    from skimage.measure import label

    return label(mask, connectivity=3)


def _dask_label(mask: Any) -> Any:
    from dask_image.ndmeasure import label

    return label(mask, np.ones((3, 3, 3)))[0]


def _scikit_measure(labels: Any, image: Any) -> Any:
    from skimage.measure import regionprops_table

    names = ("area", "bbox", "centroid", "mean_intensity", "min_intensity", "max_intensity")
    return regionprops_table(labels, image, properties=("label", *names))


def _dask_measure(labels: Any, image: Any) -> Any:
    import dask
    from dask_image import ndmeasure

    found = np.arange(1, int(labels.max().compute()) + 1)
    of_values = (ndmeasure.area, ndmeasure.mean, ndmeasure.minimum, ndmeasure.maximum)
    centres = ndmeasure.center_of_mass(labels > 0, labels, found)
    return dask.compute(*(of(image, labels, found) for of in of_values), centres)


def _scikit_watershed(image: Any, seeds: Any) -> Any:
    from skimage.segmentation import watershed

    return watershed(_scikit_gradient(image), seeds)


TASKS: Mapping[str, Task] = {
    "gaussian": Task(parameters={"sigma": SPACING}, scikit=_scikit_gaussian, dask=_dask_gaussian),
    "median": Task(parameters={"radius": 2 * SPACING}, scikit=_scikit_median, dask=_dask_median),
    "gradient_magnitude": Task(
        parameters={"sigma": SPACING}, scikit=_scikit_gradient, dask=_dask_gradient
    ),
    "morphology": Task(
        parameters={"kind": "opening", "radius": 2 * SPACING},
        scikit=_scikit_opening,
        dask=_dask_opening,
    ),
    "subtract_background": Task(parameters={"radius": 15 * SPACING}),
    "sato": Task(parameters={"sigma_min": SPACING, "sigma_max": 3 * SPACING}, scikit=_scikit_sato),
    "threshold": Task(scikit=_scikit_otsu),
    "label": Task(inputs={"image": "mask"}, scikit=_scikit_label, dask=_dask_label),
    "measure": Task(
        inputs={"image": "labels", "other": "image"},
        parameters={"shape": False, "hull": False, "neighbours": False},
        scikit=_scikit_measure,
        dask=_dask_measure,
    ),
    "seeded_watershed": Task(
        inputs={"image": "image", "seeds": "seeds"},
        parameters={"sigma": SPACING},
        scikit=_scikit_watershed,
    ),
}
