"""What autosave keeps of each layer: what somebody drew, and where the images are."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from napari.layers import Image as ImageLayer
from napari.layers import Labels, Layer, Points, Shapes

from napari_seedbed.gui.layers.grids import level_0
from napari_seedbed.gui.layers.layer_descriptions import described
from napari_seedbed.gui.layers.layer_records import METADATA_KEY, is_result, record_of
from napari_seedbed.gui.layers.object_states import STATES
from napari_seedbed.pipeline.data.layer_description import LayerDescription
from napari_seedbed.pipeline.files.places import is_url, place_of
from napari_seedbed.pipeline.operations.object_by_object import OPERATION
from napari_seedbed.pipeline.project.project_model import ImageSource

LARGEST_IMAGE = 64_000_000
"""Bytes of an image without a file that is kept itself."""

Box = tuple[slice, ...]


def is_passing(layer: Layer) -> bool:
    """Whether a run shows the layer and takes it away again, or shows its next labels in it.

    Objects that were kept one by one are work, and labels of which somebody has checked, locked or
    named some, whoever renews them.
    """
    kept = layer.metadata.get(METADATA_KEY, {})
    if not isinstance(kept, Mapping):
        return False
    if kept.get("preview") or kept.get("live"):
        return True
    is_renewed = kept.get("slot") is not None and kept.get("layer_id") == str(layer.unique_id)
    if not is_renewed or not isinstance(layer, Labels):
        return False
    return kept.get("operation") != OPERATION and not {*STATES} & {*layer.features.columns}


def can_be_kept(layer: Layer) -> bool:
    """Whether it is an image, labels in memory, points or shapes."""
    if isinstance(layer, Labels):
        return isinstance(layer.data, np.ndarray)
    if isinstance(layer, ImageLayer):
        return not is_result(layer) and not layer.metadata.get(METADATA_KEY, {}).get("preview")
    return isinstance(layer, Points | Shapes)


def is_own(layer: Labels) -> bool:
    """Whether labels are kept from the beginning: seeds, and results that were accepted."""
    kept = layer.metadata.get(METADATA_KEY, {})
    return isinstance(kept, Mapping) and (
        kept.get("kind") == "seeds" or record_of(layer) is not None
    )


def kept_description(layer: Layer) -> tuple[LayerDescription, int]:
    """A description that does not change as the layer does, and how many marks it holds."""
    has_voxels = isinstance(layer, ImageLayer | Labels)
    found = described(layer, with_data=not has_voxels)
    arrays = {name: np.array(array) for name, array in found.arrays.items()}
    marks = 0 if has_voxels else len(layer.data)
    return (
        LayerDescription(
            found.kind, found.data, found.attributes, found.state, arrays, found.left_out
        ),
        marks,
    )


def file_of(layer: ImageLayer) -> tuple[str, int | None, int | None]:
    """Path, series and channel of an image; an empty path where it is in no file."""
    kept = layer.metadata.get(METADATA_KEY, {})
    source = kept.get("source") if isinstance(kept, Mapping) else None
    if isinstance(source, Mapping):
        return str(source.get("path") or ""), source.get("series"), source.get("channel")
    return str(layer.source.path or ""), None, None


def quick_source(layer: ImageLayer) -> ImageSource | None:
    """Where an image can be read again, without reading it; None where it is in no file."""
    path, series, channel = file_of(layer)
    place = place_of(path)
    if not path or not (is_url(place) or place.exists()):
        return None
    voxels = level_0(layer)
    return ImageSource(
        relative="",
        absolute=str(place.resolve()),
        series=series,
        channel=channel,
        shape=voxels.shape,
        dtype=np.dtype(voxels.dtype).str,
    )


def painted_box(atoms: Sequence[Any], shape: Sequence[int]) -> Box | None:
    """The box that holds all that a paint event of napari wrote; None for anywhere.

    Parameters
    ----------
    atoms : sequence
        The value of the event: brush, fill and polygon give a `slice_key`, `data_setitem` indices.
    shape : sequence of int
    """
    lows, highs = [], []
    for atom in atoms:
        key = getattr(atom, "slice_key", None)
        if key is not None:
            sides = [side.indices(n)[:2] for side, n in zip(key, shape, strict=True)]
            lows.append([low for low, _ in sides])
            highs.append([high for _, high in sides])
        elif len(atom[0]) == len(shape):
            lows.append([int(np.min(one)) for one in atom[0]])
            highs.append([int(np.max(one)) + 1 for one in atom[0]])
    if len(lows) < len(atoms) or not lows or np.min(lows) < 0:
        return None
    return tuple(
        slice(int(low), int(high))
        for low, high in zip(np.min(lows, axis=0), np.max(highs, axis=0), strict=True)
    )
