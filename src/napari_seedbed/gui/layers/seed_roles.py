"""Which label of a seeds layer marks the background: a role that the layer remembers."""

import numpy as np
from napari.layers import Labels, Layer, Points, Shapes
from napari.utils.colormaps import CyclicLabelColormap, label_colormap

from napari_seedbed.errors import InputError
from napari_seedbed.gui.layers.layer_records import METADATA_KEY
from napari_seedbed.gui.layers.seed_layers import marked_labels, voxels_of_labels
from napari_seedbed.pipeline.data.sparse_labels import labels_in

ROLE_KEY = "background"
"""In the layer's metadata, and the word that points and shapes bear."""

QUIET = (0.56, 0.58, 0.62, 1.0)
"""Colour of background strokes: a grey that stands out neither from dark nor from bright images."""

_COLOURS, _SEED = 49, 0.5
"""Of a new Labels layer: a stroke has the colour of its result."""

_ROUNDS = 20
"""So many times napari's colours are repeated before the quiet one comes again."""


def background_of(layer: Layer | None) -> int:
    """The label that is background; 0 where every label is an object.

    Of points and shapes it is the one whose word is 'background'.
    """
    if isinstance(layer, Points | Shapes):
        try:
            names = marked_labels(layer)[1]
        except InputError:
            return 0  # a run says what is wrong with the marks
        return next((label for label, name in names.items() if name.lower() == ROLE_KEY), 0)
    if layer is None:
        return 0
    kept = layer.metadata.get(METADATA_KEY, {}).get(ROLE_KEY, 0)
    return kept if isinstance(kept, int) and kept > 0 else 0


def set_background(layer: Labels, label: int) -> None:
    """Let a label be the background from now on, in its quiet colour; 0 for none."""
    kept = {**layer.metadata.get(METADATA_KEY, {}), ROLE_KEY: label}
    if not label:
        del kept[ROLE_KEY]
    layer.metadata = {**layer.metadata, METADATA_KEY: kept}
    show_background(layer)


def show_background(layer: Labels) -> None:
    """Give the label that is background its colour, and the others those of a new layer."""
    label = background_of(layer)
    colours = np.array(label_colormap(_COLOURS, _SEED).colors)
    if label:
        # A cycle, since napari needs seconds for a colour of each label.
        cycle = np.tile(colours[1:], (_ROUNDS, 1))
        cycle[(label - 1) % len(cycle)] = QUIET
        colours = np.concatenate([colours[:1], cycle])
    if not np.array_equal(layer.colormap.colors, colours):
        layer.colormap = CyclicLabelColormap(
            colors=colours,
            use_selection=layer.show_selected_label,
            selection=layer.selected_label,
        )


def unused_label(layer: Labels) -> int:
    """The label in the hand where nothing has it yet; otherwise the one after the largest.

    What is background is none for an object, even if nothing is painted with it yet.
    """
    labels = labels_in(voxels_of_labels(layer))
    chosen, taken = int(layer.selected_label), background_of(layer)
    if chosen > 0 and chosen != taken and chosen not in labels:
        return chosen
    return max(int(labels.max(initial=0)), taken) + 1
