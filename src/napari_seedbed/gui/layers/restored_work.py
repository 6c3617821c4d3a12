"""Layers of earlier work, read from its journal and put into a window again."""

import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from napari.components import ViewerModel
from napari.layers import Image as ImageLayer
from napari.layers import Labels, Layer

from napari_seedbed.core.progress import check_stop
from napari_seedbed.errors import InputError
from napari_seedbed.gui.layers.autosaved_layers import quick_source
from napari_seedbed.gui.layers.layer_descriptions import renew_slots
from napari_seedbed.gui.layers.layer_records import is_seeds
from napari_seedbed.gui.layers.lock_clicks import open_locks_with_a_click
from napari_seedbed.gui.layers.project_layers import layer_from
from napari_seedbed.pipeline.data.layer_description import LayerDescription
from napari_seedbed.pipeline.data.memory import bytes_in_words
from napari_seedbed.pipeline.data.plain_values import to_plain
from napari_seedbed.pipeline.journal.folders import EarlierWork, SessionFolder, held
from napari_seedbed.pipeline.journal.kept_work import KeptLayer, read_work
from napari_seedbed.pipeline.project.project_model import ImageSource, ProjectLayer
from napari_seedbed.pipeline.project.source_images import FoundImage, find_image


@dataclass(eq=False)
class LoadedWork:
    """What a journal holds, ready to be shown.

    Attributes
    ----------
    session : SessionFolder
        Held, so that no other window takes it.
    layers : list of (ProjectLayer, FoundImage or None)
        From below to above; no image was looked for where it is open already.
    problems : list of str
        What is missing or other than it was, in sentences.
    is_whole : bool
        Whether nothing is missing.
    """

    session: SessionFolder
    layers: list[tuple[ProjectLayer, FoundImage | None]] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)
    is_whole: bool = True

    def lacks(self, problem: str) -> None:
        """Something is missing."""
        self.problems.append(problem)
        self.is_whole = False


def load(earlier: EarlierWork, open_images: Sequence[ImageSource]) -> LoadedWork:
    """Read earlier work and the images that belong to it; for a job.

    Parameters
    ----------
    earlier : EarlierWork
    open_images : sequence of ImageSource
        Of those that are in the window already (`images_in`) and do not come twice.

    Raises
    ------
    InputError
        When another window has taken it.
    """
    session = held(earlier.folder)
    if session is None:
        raise InputError("work: another window has restored it, or it is not there any more.")
    try:
        work = read_work(earlier.folder)
        loaded = LoadedWork(session)
        if work.damage.is_damaged:
            loaded.lacks("A part of what was kept is damaged and was left out.")
        if work.damage.lacks_memory:
            loaded.lacks(
                "A part of what was kept was left out: it takes more memory than is free. Close "
                "other programs, and restore it again."
            )
        for layer in work.layers.values():
            check_stop()
            _load_layer(loaded, layer, open_images)
    except BaseException:
        session.release()
        raise
    return loaded


def images_in(viewer: ViewerModel) -> list[ImageSource]:
    """The files whose images are in a window."""
    sources = [quick_source(layer) for layer in viewer.layers if isinstance(layer, ImageLayer)]
    return [source for source in sources if source is not None]


def show(viewer: ViewerModel, loaded: LoadedWork) -> list[Layer]:
    """Add the layers to a window; what cannot be added becomes a problem."""
    shown, pairs = [], []
    for one, found in loaded.layers:
        layer: Layer | None
        if one.source is not None and found is None:
            layer = _open_already(viewer, one.source)
            if layer is not None:
                pairs.append((one.description, layer))
            continue
        try:
            layer, words = layer_from(one, found)
        except InputError as error:
            loaded.lacks(f"'{one.description.name}' is missing: {error}")
            continue
        if words:
            loaded.problems.append(words)
        viewer.add_layer(layer)
        shown.append(layer)
        pairs.append((one.description, layer))
    renew_slots(pairs)
    open_locks_with_a_click(viewer)
    in_hand = [layer for layer in shown if isinstance(layer, Labels) and is_seeds(layer)]
    if in_hand:
        viewer.layers.selection.active = in_hand[-1]
    return shown


def time_in_words(seconds: float) -> str:
    """When something was, as people say it.

    Parameters
    ----------
    seconds : float
        Since 1970.
    """
    then, now = time.localtime(seconds), time.localtime()
    clock = time.strftime("%H:%M", then)
    if then[:3] == now[:3]:
        return f"today at {clock}"
    year = f" {then.tm_year}" if then.tm_year != now.tm_year else ""
    return f"on {then.tm_mday} {time.strftime('%B', then)}{year} at {clock}"


def _load_layer(loaded: LoadedWork, layer: KeptLayer, open_images: Sequence[ImageSource]) -> None:
    """Take a layer into the loaded ones, or say what is wrong with it."""
    try:
        values, arrays = layer.values, dict(layer.arrays)
        data = values["data"]
        if layer.voxels is not None:
            data = to_plain(layer.voxels, arrays, "voxels")
        description = LayerDescription(
            str(values["kind"]), data, dict(values["attributes"]), dict(values["state"]), arrays
        )
        source = None if layer.source is None else ImageSource.model_validate(layer.source)
    except (KeyError, TypeError, ValueError):
        loaded.lacks(f"'{layer.name}' is missing: what was kept of it is damaged.")
        return
    if layer.lacks_memory:
        loaded.lacks(
            f"'{layer.name}' is missing: it takes {bytes_in_words(layer.n_bytes)} of memory, more "
            "than is free. Close other programs, and restore it again."
        )
        return
    if source is None:
        if description.kind == "image" and layer.voxels is None:
            loaded.lacks(
                f"The image '{layer.name}' is missing: it was in no file and too large to be kept. "
                "Open it again."
            )
        else:
            loaded.layers.append((ProjectLayer(description), None))
        return
    if any(_is_same(source, other) for other in open_images):
        loaded.layers.append((ProjectLayer(description, source), None))
        return
    found = find_image(source, Path(source.absolute).parent)
    if found is None or found.image.shape != source.shape:
        loaded.lacks(
            f"The image '{layer.name}' is missing: it was {source.absolute}. Open it again."
        )
        return
    if not found.is_same:
        loaded.problems.append(f"The image '{layer.name}' has changed since: {found.path}.")
    loaded.layers.append((ProjectLayer(description, source), found))


def _open_already(viewer: ViewerModel, source: ImageSource) -> Layer | None:
    """The image of a window that shows this file; None where it was closed meanwhile."""
    for layer in viewer.layers:
        if isinstance(layer, ImageLayer):
            other = quick_source(layer)
            if other is not None and _is_same(source, other):
                return layer
    return None


def _is_same(one: ImageSource, other: ImageSource) -> bool:
    """Whether both are the same image of the same file."""
    names = ("absolute", "series", "channel", "shape")
    return all(getattr(one, name) == getattr(other, name) for name in names)
