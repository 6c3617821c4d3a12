"""What a classifier learns from: images with their strokes, and what was learnt before."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
from napari.layers import Image as ImageLayer
from napari.layers import Layer
from qtpy.QtCore import QObject, QSignalBlocker, Qt, Signal
from qtpy.QtWidgets import QListWidget, QListWidgetItem

from napari_seedbed.gui.layers.image_layers import ChannelChoice, image_from_layers
from napari_seedbed.gui.layers.seed_layers import copied_seeds, seeds_image
from napari_seedbed.gui.tools.classifier.pixel_classifier_session import Marked
from napari_seedbed.pipeline.data.image import Image

if TYPE_CHECKING:
    from napari_seedbed.core.classifier.samples import TrainingSamples


@dataclass(eq=False)
class _Source:
    """One row: an image layer with strokes, or samples."""

    name: str
    image: ImageLayer | None = None
    seeds: Any = None
    channels: Sequence[ChannelChoice] | None = None
    samples: "TrainingSamples | None" = None
    is_used: bool = True
    cache: dict[Any, Any] = field(default_factory=dict)
    made_for: Any = None


class TrainingSources(QObject):
    """Keeps the list of what is learnt from, and shows it with a box to tick for each.

    Parameters
    ----------
    shown : QListWidget

    Notes
    -----
    Signal: `changed()` when a person ticks or unticks one.
    """

    changed = Signal()

    def __init__(self, shown: QListWidget) -> None:
        super().__init__(shown)
        self._shown = shown
        self._sources: list[_Source] = []
        shown.itemChanged.connect(self._on_ticked)

    def pair(
        self, image: ImageLayer, seeds: Layer | None, channels: Sequence[ChannelChoice] | None
    ) -> None:
        """Let an image go with these strokes, instead of those that it had; none for None."""
        known = self._of(image)
        if known is not None and known.seeds is seeds:
            known.channels = channels
            return
        if known is not None:
            self._sources.remove(known)
        # One layer of strokes belongs to one image: on another they would mean nothing.
        self._sources = [one for one in self._sources if seeds is None or one.seeds is not seeds]
        if seeds is not None:
            self._sources.append(_Source(image.name, image, seeds, channels))
        self._show()

    def seeds_of(self, image: ImageLayer) -> Layer | None:
        """The strokes that an image goes with."""
        known = self._of(image)
        return None if known is None else known.seeds

    def is_taken(self, seeds: Layer, but: ImageLayer) -> bool:
        """Whether strokes belong to another image."""
        return any(one.seeds is seeds and one.image is not but for one in self._sources)

    def add_learnt(self, name: str, samples: "TrainingSamples") -> None:
        """Learn also from what was learnt before."""
        self._sources.append(_Source(name, samples=samples))
        self._show()

    def forget(self, layer: Layer) -> bool:
        """A layer is gone; whether anything was learnt from it."""
        left = [one for one in self._sources if layer not in (one.image, one.seeds)]
        gone = len(left) < len(self._sources)
        self._sources = left
        if gone:
            self._show()
        return gone

    def marked(self, parameters: dict[str, Any], layer: ImageLayer, image: Image) -> list[Marked]:
        """The images and strokes that count, copied for a run.

        Parameters
        ----------
        parameters : dict
            Features that were kept for others are dropped.
        layer : Image layer
            The one that is classified.
        image : Image
            Made from it, so that it is not read twice.
        """
        found = []
        for one in self._sources:
            if one.image is None or not one.is_used:
                continue
            own = image if one.image is layer else image_from_layers(one.image, one.channels)
            seeds = seeds_image(one.seeds, one.image)
            made_for = (
                _place(own), own.spacing,
                *(parameters[name] for name in ("sigma", "n_scales", "intensities")),
            )  # fmt: skip
            if made_for != one.made_for:
                one.cache, one.made_for = {}, made_for
            copied = copied_seeds(seeds)
            found.append(Marked(own, copied, one.cache))
        return found

    def learnt(self) -> "list[TrainingSamples]":
        """What was learnt before and counts."""
        return [one.samples for one in self._sources if one.samples is not None and one.is_used]

    def forget_features(self) -> None:
        """Drop what is kept of the marked voxels: the images may be others now."""
        for one in self._sources:
            one.cache = {}

    def _of(self, image: ImageLayer) -> _Source | None:
        return next((one for one in self._sources if one.image is image), None)

    def _show(self) -> None:
        with QSignalBlocker(self._shown):
            self._shown.clear()
            for one in self._sources:
                with_strokes = one.name if one.seeds is None else f"{one.name} — {one.seeds.name}"
                item = QListWidgetItem(with_strokes)
                item.setToolTip(with_strokes)
                item.setFlags(item.flags() | Qt.ItemFlag.ItemIsUserCheckable)
                state = Qt.CheckState.Checked if one.is_used else Qt.CheckState.Unchecked
                item.setCheckState(state)
                self._shown.addItem(item)

    def _on_ticked(self, item: QListWidgetItem) -> None:
        used = item.checkState() == Qt.CheckState.Checked
        source = self._sources[self._shown.row(item)]
        if source.is_used != used:
            source.is_used = used
            self.changed.emit()


def _place(image: Image) -> Any:
    array = image.array
    if isinstance(array, np.ndarray):
        return array.__array_interface__["data"][0], array.strides, array.shape
    return id(array)
