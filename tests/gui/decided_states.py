"""States of objects as a person would decide them, written into a layer at once."""

from napari_seedbed.gui.layers.object_states import object_states, write_states


def set_states(layer, labels, **changed):
    """Change states of some objects: `checked`, `locked`, `class_name`."""
    before = object_states(layer)
    write_states(layer, {label: before.of(label)._replace(**changed) for label in labels})
