"""The parameters that declarations of several families have in common."""

from typing import Any

from napari_seedbed.pipeline.engine.parameters import Parameter, choice, number


def length(name: str, voxels: float, label: str, help: str, **more: Any) -> Parameter:
    """A length, by default so many voxels."""
    more = {"unit": "physical", "in_voxels": True, **more}
    return number(name, voxels, label, help, (0.0, 1e9), **more)


def size(
    name: str, voxels: float, label: str, help: str, maximum: float = 1e27, **more: Any
) -> Parameter:
    """An area in 2D and a volume in 3D, by default of so many voxels."""
    more = {"unit": "physical_size", "in_voxels": True, **more}
    return number(name, voxels, label, help, (0.0, maximum), **more)


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


def smoothing(voxels: float, note: str = "", **more: Any) -> Parameter:
    """How wide the Gaussian is that smooths first."""
    return length(
        "sigma",
        voxels,
        "Smoothing (sigma)",
        "Standard deviation of a Gaussian that smooths first, the same physical length along "
        f"every axis{note}.",
        **more,
    )


def compactness(default: float, help: str, **more: Any) -> Parameter:
    """How round regions become."""
    return number("compactness", default, "Compactness", help, (0.0, 1e9), **more)


WINDOW = choice(
    "window",
    "Footprint",
    "Structuring element. A ball (a disc in 2D) treats all directions alike; voxels that are not "
    "cubes make it an ellipsoid of voxels.",
    {"ball": "Ball", "box": "Box"},
)
