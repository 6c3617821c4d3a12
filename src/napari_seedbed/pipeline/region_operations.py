"""What the declarations of operations on regions have in common."""

import math
from collections.abc import Mapping
from typing import Any

from napari_seedbed.pipeline.declarations import Estimate, Need, Operation
from napari_seedbed.pipeline.parameters import Parameter


def regions(**own: Any) -> Operation:
    """An operation that gives labels for an image, all channels together."""
    fixed: dict[str, Any] = {
        "menu": "napari/layers/segment",
        "group": "Regions",
        "takes": ("image",),
        "gives": "labels",
        "ndim": (2, 3),
        "channels": "joint",
    }
    return Operation(**{**fixed, **own})


def smoothing(voxels: float, note: str = "") -> Parameter:
    """How wide the Gaussian is that smooths first."""
    return Parameter(
        "sigma",
        "float",
        voxels,
        "Smoothing",
        "Standard deviation of a Gaussian that smooths first, the same physical length along "
        f"every axis{note}.",
        minimum=0.0,
        maximum=1e9,
        unit="physical",
        in_voxels=True,
    )


def compactness(default: float, help: str) -> Parameter:
    """How round regions become."""
    return Parameter(
        "compactness",
        "float",
        default,
        "Compactness",
        help,
        minimum=0.0,
        maximum=1e9,
        logarithmic=True,
    )


def by_value(bytes_voxel: float, bytes_value: float, seconds: float) -> Estimate:
    """A forecast by the number of voxels, and by that of values in all channels."""

    def estimate(
        shape: tuple[int, ...], n_labels: int, n_channels: int, parameters: Mapping[str, Any]
    ) -> Need:
        voxels = math.prod(shape)
        needed = (bytes_voxel + bytes_value * n_channels) * voxels
        return Need(int(needed), seconds * voxels * (1 + n_channels) / 2)

    return estimate
