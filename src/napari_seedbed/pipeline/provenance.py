"""What is written down about a run, so that it can be repeated and cited."""

from collections.abc import Mapping, Sequence
from importlib.metadata import version
from typing import Any

import numpy as np

from napari_seedbed import __version__
from napari_seedbed.pipeline.declarations import Operation
from napari_seedbed.pipeline.fingerprint import Fingerprint, combine
from napari_seedbed.pipeline.image import Image
from napari_seedbed.pipeline.inputs import Inputs
from napari_seedbed.pipeline.parameters import Value
from napari_seedbed.pipeline.seed_encoding import encode_seeds
from napari_seedbed.pipeline.shape_encoding import encode_shapes
from napari_seedbed.pipeline.shapes import Shapes

_LIBRARIES = ("numpy", "scipy", "numba", "scikit-image")


def package_version() -> str:
    """Version of napari-seedbed."""
    return __version__


def library_versions() -> dict[str, str]:
    """Versions of the libraries that results may depend on."""
    return {name: version(name) for name in _LIBRARIES}


def make_record(
    operation: Operation,
    parameters: dict[str, Value],
    inputs: Inputs,
    outputs: Mapping[str, Image | Shapes],
    times: Sequence[int] | None,
    fingerprint: str | None,
    notes: Sequence[str] = (),
) -> dict[str, Any]:
    """Provenance of one run, in plain values that YAML and JSON can hold.

    Parameters
    ----------
    operation : Operation
    parameters : dict
        Complete, defaults included.
    inputs : Inputs
    outputs : dict of Image or Shapes
    times : sequence of int or None
        Time points worked on; None for an image without time.
    fingerprint : str or None
        Of the image; None marks a live run, which is not kept exactly and has neither seeds nor
        shapes here.
    notes : sequence of str
        What a person should know about the result.

    Returns
    -------
    dict
        ``operation``, ``version``, ``libraries``, ``parameters``, ``inputs``, ``seeds`` (see
        `seed_encoding`), ``shapes`` (see `shape_encoding`), ``outputs`` (a fingerprint for each
        channel of an image, so that a next step knows it again), ``times``, ``skipped_times``,
        ``live``, ``notes``.
    """
    live = fingerprint is None
    image, seeds, shapes = inputs.image, inputs.seeds, inputs.shapes
    return {
        "operation": operation.name,
        "version": package_version(),
        "libraries": library_versions(),
        "parameters": dict(parameters),
        "inputs": [describe(image, fingerprint)],
        "seeds": None if seeds is None or live else encode_image_seeds(seeds),
        "shapes": None if shapes is None or live else encode_shapes(shapes.shapes),
        "outputs": {
            key: Fingerprint(output).channels()
            for key, output in outputs.items()
            if key == "image" and isinstance(output, Image) and not live
        },
        "times": None if times is None else [int(t) for t in times],
        "skipped_times": None
        if times is None
        else [t for t in range(image.n_times) if t not in set(times)],
        "live": live,
        "notes": list(notes),
    }


def describe(image: Image, fingerprint: str | None) -> dict[str, Any]:
    """What a record says about an input."""
    return {
        "role": "image",
        "name": image.name,
        "fingerprint": fingerprint,
        "shape": list(image.shape),
        "axes": list(image.axes),
        "dtype": image.dtype.name,
        "rgb": image.rgb,
        "spacing": list(image.spacing),
        "units": list(image.units),
        "channels": None if image.source_channels is None else list(image.source_channels),
        "made_by": image.record if _is_output_of(image, fingerprint) else None,
    }


def _is_output_of(image: Image, fingerprint: str | None) -> bool:
    """Whether the voxels are still those that the image's record speaks of."""
    if image.record is None or fingerprint is None:
        return False
    made = image.record.get("outputs", {}).get("image", [])
    channels = range(len(made)) if image.source_channels is None else image.source_channels
    if not made or max(channels, default=0) >= len(made):
        return False
    return combine([made[index] for index in channels]) == fingerprint


def encode_image_seeds(seeds: Image) -> dict[str, Any]:
    """Seeds of a run as text, with time first and then z, y, x."""
    array = np.asarray(seeds.array)
    axes = seeds.axes
    if seeds.time_axis is not None:
        array = np.moveaxis(array, seeds.time_axis, 0)
        axes = ("t", *(axis for axis in axes if axis != "t"))
    return encode_seeds(array, axes)
