"""What people do with seeds: begin, take the background in the hand, clear, undo."""

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

from napari.layers import Labels, Layer
from qtpy.QtCore import QObject, QSignalBlocker, Signal

from napari_seedbed.gui.forms.image_choice import ImageChoice
from napari_seedbed.gui.layers.image_layers import add_seeds_layer
from napari_seedbed.gui.layers.seed_roles import background_of, show_background, unused_label
from napari_seedbed.gui.layers.seeds_watch import move_connections
from napari_seedbed.gui.layers.view_position import label_under_mouse, take_brush
from napari_seedbed.gui.layers.viewer_keys import ViewerKey
from napari_seedbed.gui.qt import errors
from napari_seedbed.gui.qt.plugin_settings import key_of
from napari_seedbed.gui.tools.walker.seed_history import SeedHistory
from napari_seedbed.gui.tools.walker.seeded_form import SeededForm

if TYPE_CHECKING:
    from napari.viewer import Viewer

HAND_EVENTS = ("selected_label", "mode", "features")


class SeedTools(QObject):
    """The buttons and keys for seeds.

    Keys are taken on the watched layer alone and given back with it, so that other layers keep
    theirs.

    Parameters
    ----------
    viewer : Viewer
    form : SeededForm
    images : ImageChoice
    say : callable
        Called with what to do next.

    Notes
    -----
    Signals: `background_changed()` when another label is background; `drawing(bool)` when a
    stroke begins and ends; `filling_asked()` and `object_asked()` when the keys for them are
    pressed.
    """

    background_changed = Signal()
    drawing = Signal(bool)
    filling_asked = Signal()
    object_asked = Signal()

    def __init__(
        self, viewer: "Viewer", form: SeededForm, images: ImageChoice, say: Callable[[str], None]
    ) -> None:
        super().__init__(form)
        self._viewer, self._form, self._images, self._say = viewer, form, images, say
        self._layer: Layer | None = None
        self._object = 0
        self._keys: list[ViewerKey] = []
        self._are_taken = False
        self._background_key = key_of("background_key")
        self.guide = (
            "Paint a short stroke in each object (M: next label), then press "
            f"{self._background_key} and draw a line of background."
        )
        self.background_hint = f"Press {self._background_key} and draw a line of background."
        self.history = SeedHistory(self)
        self.history.background_changed.connect(self._on_background)
        form.new_seeds.clicked.connect(self.make_seeds)
        form.clear.clicked.connect(self.clear)
        form.take_background.clicked.connect(self.take_background)
        form.background.valueChanged.connect(self._on_number)
        self._show_hand()

    @property
    def _labels(self) -> Labels | None:
        return self._layer if isinstance(self._layer, Labels) else None

    # What people do

    def make_seeds(self) -> None:
        """Add an empty seeds layer on the image, brush in hand."""
        with errors.shown(self._say):
            layer = add_seeds_layer(self._viewer, self._images.layer)
            self._form.seeds.choose(layer)
            self._say(self.guide)

    def clear(self) -> None:
        """Take away all marks, which can be undone."""
        self.history.clear()
        self._say("The seeds are gone; Ctrl+Z on their layer brings them back.")

    def take_background(self) -> None:
        """Take the brush for the background, or for the object before if it is in the hand."""
        layer = self._labels
        if layer is None:
            return
        label = background_of(layer)
        in_hand = label and layer.selected_label == label and layer.mode == "paint"
        if in_hand:
            layer.selected_label = self._object or unused_label(layer)
        else:
            label = label or unused_label(layer)
            if layer.selected_label != label:
                self._object = int(layer.selected_label)
            layer.selected_label = label
            self.history.set_background(label)
            self._say(
                f"Background in hand (label {label}): draw a line between the objects. "
                f"{self._background_key} goes back to them."
            )
        take_brush(self._viewer, layer)
        self._show_hand()

    def take_object(self, result: Labels | None) -> None:
        """Take the brush for the object under the mouse, as the seeds or else a result have it."""
        layer = self._labels
        if layer is None:
            return
        label = label_under_mouse(self._viewer, layer)
        if not label and result is not None:
            label = label_under_mouse(self._viewer, result)
        if not label:
            self._say(f"No object is here: label {layer.selected_label} stays in the hand.")
            return
        layer.selected_label = label
        take_brush(self._viewer, layer)
        self._say(f"Label {label} in hand: go on painting it, on any slice.")

    # The layer

    def watch(self, layer: Layer | None) -> None:
        """Work on another layer of seeds."""
        taken = self._are_taken
        self.give_back_keys()
        move_connections(self._layer, layer, HAND_EVENTS, self._show_hand)
        self._layer = layer
        self._object = 0
        self.history.watch(layer)
        self._keys = []
        labels = self._labels
        if labels is not None:
            self._keys = [
                ViewerKey(labels, self._background_key, self.take_background),
                ViewerKey(labels, key_of("object_key"), self._ask_for_object),
                ViewerKey(labels, key_of("filling_key"), self._ask_for_filling),
            ]
            if background_of(labels):
                show_background(labels)
        if taken:
            self.take_keys()
        self._show_hand()

    def take_keys(self) -> None:
        """Take the keys on the layer of seeds."""
        self._are_taken = True
        for key in self._keys:
            key.take()
        self.history.take_keys()
        labels = self._labels
        if labels is not None and self._while_drawing not in labels.mouse_drag_callbacks:
            labels.mouse_drag_callbacks.append(self._while_drawing)

    def give_back_keys(self) -> None:
        """Give them back: the panel is hidden, or works on another layer."""
        self._are_taken = False
        for key in self._keys:
            key.give_back()
        self.history.give_back_keys()
        labels = self._labels
        if labels is not None and self._while_drawing in labels.mouse_drag_callbacks:
            labels.mouse_drag_callbacks.remove(self._while_drawing)

    def background(self) -> int:
        """The label that is background; 0 for none."""
        return background_of(self._layer)

    # How it works

    def _ask_for_object(self) -> None:
        self.object_asked.emit()

    def _ask_for_filling(self) -> None:
        self.filling_asked.emit()

    def _while_drawing(self, layer: Labels, event: Any) -> Iterator[None]:
        if layer.mode not in ("paint", "erase", "polygon"):
            return
        self.drawing.emit(True)
        yield
        while event.type == "mouse_move":
            yield
        self.drawing.emit(False)

    def _on_number(self, label: int) -> None:
        self.history.set_background(label)

    def _on_background(self) -> None:
        self._show_hand()
        self.background_changed.emit()

    def _show_hand(self, event: Any = None) -> None:
        """Show on the buttons what is in the hand."""
        form, labels = self._form, self._labels
        label = self.background()
        with QSignalBlocker(form.background):
            form.background.setValue(label)
        for widget in (form.clear, form.take_background, form.background):
            widget.setEnabled(labels is not None)
        in_hand = labels is not None and bool(label) and labels.selected_label == label
        form.take_background.setChecked(in_hand)
