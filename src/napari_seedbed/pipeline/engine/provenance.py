"""What is written down about a run, so that it can be repeated and cited."""

from collections.abc import Callable, Mapping, Sequence
from functools import cache
from importlib.metadata import version
from typing import Any

import numpy as np

from napari_seedbed.pipeline.data.fingerprint import Fingerprint, combine
from napari_seedbed.pipeline.data.image import Image
from napari_seedbed.pipeline.data.sparse_labels import SparseLabels
from napari_seedbed.pipeline.encodings.seed_encoding import encode_seeds
from napari_seedbed.pipeline.encodings.shape_encoding import encode_shapes
from napari_seedbed.pipeline.engine.declarations import Operation, Role
from napari_seedbed.pipeline.engine.inputs import Inputs
from napari_seedbed.pipeline.engine.parameters import Value
from napari_seedbed.pipeline.engine.volumes import Output
from napari_seedbed.version import __version__

_LIBRARIES = ("numpy", "scipy", "numba", "scikit-image", "scikit-learn", "PyWavelets")
# Reading what is installed takes 5 ms for all of them, and each run asks.
_version = cache(version)


def package_version() -> str:
    """Version of napari-seedbed."""
    return __version__


def library_versions() -> dict[str, str]:
    """Versions of the libraries that results may depend on."""
    return {name: _version(name) for name in _LIBRARIES}


def make_record(
    operation: Operation,
    parameters: dict[str, Value],
    inputs: Inputs,
    outputs: Mapping[str, Output],
    times: Sequence[int] | None,
    fingerprint: str | None,
    notes: Sequence[str] = (),
    region: Sequence[slice] | None = None,
    channel_fingerprints: Sequence[str] = (),
    names_of: Callable[[Image], list[str]] | None = None,
) -> dict[str, Any]:
    """Provenance of one run, in plain values that YAML and JSON can hold.

    Parameters
    ----------
    operation : Operation
    parameters : dict
        Complete, defaults included.
    inputs : Inputs
    outputs : dict of Image, Shapes, Points or Table
    times : sequence of int or None
        Time points worked on; None for an image without time.
    fingerprint : str or None
        Of the image; None marks a live run, which is not kept exactly and has neither seeds nor
        shapes here.
    notes : sequence of str
        What a person should know about the result.
    region : sequence of slice, optional
        The part that was worked on; all of it by default.
    channel_fingerprints : sequence of str, optional
        Of each channel of the image, by which other inputs are known as some of them.
    names_of : callable, optional
        Gives the fingerprints of the channels of other images; by default they are read here.

    Returns
    -------
    dict
        ``operation``, ``version``, ``libraries``, ``parameters``, ``inputs`` (the image, and the
        second image or seeds that an operation made), ``seeds`` (see `seed_encoding`), ``shapes``
        (see `shape_encoding`), ``outputs`` (a fingerprint for each channel of an image, so that a
        next step knows it again), ``times``, ``skipped_times``, ``region``, ``live``, ``notes``.
        Who knows what a repetition would not give of the result adds that as ``lacks``, sentences.
    """
    live = fingerprint is None
    names = names_of or (lambda image: Fingerprint(image).channels())
    image, seeds, shapes = inputs.image, inputs.seeds, inputs.shapes
    return {
        "operation": operation.name,
        "version": package_version(),
        "libraries": library_versions(),
        "parameters": dict(parameters),
        "inputs": [
            describe(image, fingerprint, channel_fingerprints=channel_fingerprints),
            *_described_others(inputs, live, names),
        ],
        "seeds": None if seeds is None or live else encode_image_seeds(seeds),
        "shapes": None if shapes is None or live else encode_shapes(shapes.shapes),
        "outputs": {
            key: names(output)
            for key, output in outputs.items()
            if isinstance(output, Image) and not live
        },
        "times": None if times is None else [int(t) for t in times],
        "skipped_times": None
        if times is None
        else [t for t in range(image.n_times) if t not in set(times)],
        "region": None if region is None else [[part.start, part.stop] for part in region],
        "live": live,
        "notes": list(notes),
    }


def describe(
    image: Image,
    fingerprint: str | None,
    role: Role = "image",
    *,
    channel_fingerprints: Sequence[str] = (),
) -> dict[str, Any]:
    """What a record says about an input; `made_by` is its own record where it has one."""
    key = _output_key(image, fingerprint)
    several = {"channel_fingerprints": list(channel_fingerprints)}
    return (several if len(channel_fingerprints) > 1 else {}) | {
        "role": role,
        "name": image.name,
        "fingerprint": fingerprint,
        "shape": list(image.shape),
        "axes": list(image.axes),
        "dtype": image.dtype.name,
        "rgb": image.rgb,
        "spacing": list(image.spacing),
        "units": list(image.units),
        "channels": None if image.source_channels is None else list(image.source_channels),
        "made_by": None if key is None else image.record,
        "made_as": key,
    }


def _described_others(
    inputs: Inputs, live: bool, names: Callable[[Image], list[str]]
) -> list[dict[str, Any]]:
    """The second image; and the seeds, where an operation made them and nobody drew on them."""
    found = []
    if inputs.other is not None:
        name = None if live else combine(names(inputs.other))
        found.append(describe(inputs.other, name, "other"))
    if inputs.seeds is not None and inputs.seeds.record is not None and not live:
        made = describe(inputs.seeds, combine(names(inputs.seeds)), "seeds")
        found += [made] if made["made_by"] else []
    return found


def _output_key(image: Image, fingerprint: str | None) -> str | None:
    """Under which name the image's record knows these very voxels, None where it does not."""
    if image.record is None or fingerprint is None:
        return None
    for key, made in image.record.get("outputs", {}).items():
        channels = range(len(made)) if image.source_channels is None else image.source_channels
        known = bool(made) and max(channels, default=0) < len(made)
        if known and combine([made[index] for index in channels]) == fingerprint:
            return str(key)
    return None


def encode_image_seeds(seeds: Image) -> dict[str, Any]:
    """Seeds of a run as text, with time first and then z, y, x."""
    array = seeds.array if isinstance(seeds.array, SparseLabels) else np.asarray(seeds.array)
    order = sorted(range(len(seeds.axes)), key=lambda i: seeds.axes[i] != "t")
    return encode_seeds(array.transpose(order), [seeds.axes[i] for i in order])
