"""What the declarations of filters have in common."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

from napari_seedbed.pipeline.declarations import Estimate, Need, Operation
from napari_seedbed.pipeline.parameters import Parameter


def image_filter(**own: Any) -> Operation:
    """An operation that gives an image for an image, channel by channel."""
    fixed: dict[str, Any] = {
        "menu": "napari/layers/filter",
        "takes": ("image",),
        "gives": "image",
        "ndim": (2, 3),
        "channels": "each",
    }
    return Operation(**{**fixed, **own})


def length(name: str, voxels: float, label: str, help: str, **own: Any) -> Parameter:
    """A length, by default so many voxels."""
    return Parameter(
        name,
        "float",
        voxels,
        label,
        help,
        minimum=0.0,
        maximum=1e9,
        unit="physical",
        in_voxels=True,
        **own,
    )


def radius(voxels: float = 2.0) -> Parameter:
    """How far a window reaches."""
    return length(
        "radius",
        voxels,
        "Radius",
        "How far the window reaches from its middle, the same physical length along every axis.",
    )


def sigma(voxels: float = 1.0) -> Parameter:
    """Width of a Gaussian."""
    return length(
        "sigma",
        voxels,
        "Sigma",
        "Standard deviation of the Gaussian, the same physical length along every axis.",
    )


WINDOW = Parameter(
    "window",
    "choice",
    "ball",
    "Window",
    "A ball treats all directions alike; voxels that are not cubes make it an ellipsoid of voxels.",
    choices=("ball", "box"),
    choice_labels=("Ball", "Box"),
)


def by_voxel(bytes_each: float, seconds_each: float) -> Estimate:
    """A forecast that grows with the number of voxels alone."""

    def estimate(
        shape: tuple[int, ...], n_labels: int, n_channels: int, parameters: Mapping[str, Any]
    ) -> Need:
        voxels = math.prod(shape)
        return Need(int(bytes_each * voxels), seconds_each * voxels)

    return estimate


def by_voxel_and_channel(bytes_each: float, seconds_each: float) -> Estimate:
    """A forecast that grows with the number of voxels of all channels together."""

    def estimate(
        shape: tuple[int, ...], n_labels: int, n_channels: int, parameters: Mapping[str, Any]
    ) -> Need:
        voxels = math.prod(shape) * n_channels
        return Need(int(bytes_each * voxels), seconds_each * voxels)

    return estimate


def no_halo(spacing: tuple[float, ...], parameters: Mapping[str, Any]) -> tuple[int, ...]:
    """A voxel's result follows from its own value and from what all voxels tell."""
    return (0,) * len(spacing)


def rows_in_window(shape: Sequence[int], parameters: Mapping[str, Any]) -> float:
    """About how many rows a window of `radius` voxels has."""
    reach = min(parameters["radius"], max(shape))
    across = 2 * reach + 1
    return float(across if len(shape) == 2 else 0.8 * across**2)
