"""Layers of a viewer as those of a project, and back."""

from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from napari.layers import Layer

from napari_seedbed.core.progress import check_stop
from napari_seedbed.errors import InputError
from napari_seedbed.gui.layers.grids import level_0
from napari_seedbed.gui.layers.layer_descriptions import described, layer_of, restored
from napari_seedbed.gui.layers.layer_records import METADATA_KEY, is_preview, is_result
from napari_seedbed.pipeline.data.layer_description import LayerDescription
from napari_seedbed.pipeline.data.memory import bytes_in_words
from napari_seedbed.pipeline.data.plain_values import to_plain
from napari_seedbed.pipeline.project.project_model import ImageSource, ProjectLayer
from napari_seedbed.pipeline.project.source_images import FoundImage, ImageFiles, source_of

MOST_KEPT = 256 << 20
"""Bytes: images that are in no file are kept in a project up to this size."""

_COPIED = 64 << 20
_LEAST = ("name", "ndim", "shape_type", "rgb")
_ESSENTIAL = (
    *_LEAST,
    "scale",
    "translate",
    "rotate",
    "shear",
    "affine",
    "units",
    "axis_labels",
    "metadata",
    "features",
    "visible",
)


@dataclass(frozen=True)
class Snapshot:
    """What a layer is now; its voxels may be read later, beside the window.

    Attributes
    ----------
    description : LayerDescription
    voxels : array_like or None
        Of an image, and of labels that are not in memory: `keep` finds out where they lie.
    path, series, channel
        Where they were read from; empty where that is not known.
    is_result : bool
    """

    description: LayerDescription
    voxels: Any = None
    path: str = ""
    series: int | None = None
    channel: int | None = None
    is_result: bool = False


def snapshots(layers: Sequence[Layer]) -> list[Snapshot]:
    """What layers are now, previews apart, which only a panel can take away again.

    What people draw is copied as far as that takes no time that can be noticed.
    """
    return [_snapshot(layer) for layer in layers if not is_preview(layer)]


def _snapshot(layer: Layer) -> Snapshot:
    in_memory = isinstance(layer.data, np.ndarray)
    if type(layer).__name__ != "Image" and (in_memory or type(layer).__name__ != "Labels"):
        return Snapshot(_copied(described(layer)))
    source = layer.metadata.get(METADATA_KEY, {}).get("source")
    if not isinstance(source, Mapping):
        source = {"path": str(layer.source.path or "")}
    return Snapshot(
        described(layer, with_data=False),
        level_0(layer),
        str(source.get("path") or ""),
        source.get("series"),
        source.get("channel"),
        is_result(layer),
    )


def _copied(one: LayerDescription) -> LayerDescription:
    if sum(array.nbytes for array in one.arrays.values()) > _COPIED:
        return one
    return replace(one, arrays={name: array.copy() for name, array in one.arrays.items()})


def keep(
    one: Snapshot, folder: Path, files: ImageFiles | None = None
) -> tuple[ProjectLayer | None, list[str]]:
    """The layer of a project in a folder, and what cannot be kept, a sentence each.

    It reads the file of an image, so it is called beside the window.
    """
    about = one.description
    lost = [f"'{about.name}' is kept without {what}." for what in about.left_out]
    if one.voxels is None:
        return ProjectLayer(about), lost
    check_stop()
    if one.path:
        source = source_of(one.path, one.series, one.channel, one.voxels, folder, files)
        if source is not None:
            return ProjectLayer(about, source), lost
    size = int(np.prod([*one.voxels.shape, np.dtype(one.voxels.dtype).itemsize], dtype=object))
    if size > MOST_KEPT:
        remedy = (
            "repeat it with its recipe"
            if one.is_result
            else "save it to a file, open that, and save the project again"
        )
        return None, [
            f"'{about.name}' is not kept: it is in no file as it is and takes "
            f"{bytes_in_words(size)}, more than {bytes_in_words(MOST_KEPT)}; {remedy}."
        ]
    arrays = dict(about.arrays)
    plain = to_plain(np.asarray(one.voxels), arrays, "data")
    attributes = {**about.attributes, "multiscale": False}
    return ProjectLayer(replace(about, data=plain, attributes=attributes, arrays=arrays)), lost


def layer_from(one: ProjectLayer, found: FoundImage | None) -> tuple[Layer, str]:
    """The layer of napari, and what of it is not as it was, in a sentence.

    Parameters
    ----------
    one : ProjectLayer
    found : FoundImage or None
        Of one whose voxels are in a file.

    Raises
    ------
    InputError
        Where nothing can be made of it.
    """
    about = one.description
    if one.source is not None:
        assert found is not None
        about = _with_voxels(about, one.source, found)
    try:
        return restored(about), ""
    except InputError as error:
        for names, lost in ((_ESSENTIAL, "colours and settings"), (_LEAST, "place and settings")):
            known = {name: about.attributes[name] for name in names if name in about.attributes}
            with suppress(InputError):
                layer = restored(replace(about, attributes=known, state={}))
                return layer, f"'{about.name}' is opened without its {lost}, which are damaged."
        raise error


def _with_voxels(
    about: LayerDescription, source: ImageSource, found: FoundImage
) -> LayerDescription:
    """The description with the voxels that were found, and where they are now."""
    metadata = layer_of(replace(about, data=[]))[1].get("metadata", {})
    kept = {
        **metadata.get(METADATA_KEY, {}),
        "source": {
            **metadata.get(METADATA_KEY, {}).get("source", {}),
            "path": str(found.path.resolve()),
            "series": source.series,
            "channel": source.channel,
        },
    }
    arrays = {**about.arrays, "voxels": found.image.array}
    return replace(
        about,
        data={"$": "member", "name": "voxels"},
        attributes={
            **about.attributes,
            "multiscale": False,
            "metadata": to_plain({**metadata, METADATA_KEY: kept}, arrays, "metadata"),
        },
        arrays=arrays,
    )
