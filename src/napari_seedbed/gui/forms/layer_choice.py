"""Choosing a layer, and some of its channels."""

from collections.abc import Sequence

from napari.layers import Layer
from qtpy.QtCore import QSignalBlocker, Qt, Signal
from qtpy.QtWidgets import (
    QButtonGroup,
    QCheckBox,
    QComboBox,
    QGridLayout,
    QSizePolicy,
    QWidget,
)

from napari_seedbed.gui.layers.fitting_layers import lies_on, may_be_preselected
from napari_seedbed.gui.layers.image_layers import ChannelChoice
from napari_seedbed.gui.layers.layer_records import notes_of
from napari_seedbed.gui.qt.elided_texts import ElidedCheckBox, ElidedCombo

_CHOOSE = "choose…"


class LayerCombo(ElidedCombo):
    """A choice among layers, which follows their names and keeps the chosen layer.

    A name that is too long is cut with an ellipsis in the middle, where files of one experiment
    differ least; the tool tip shows all of it, and what was odd about the layer's file.

    Parameters
    ----------
    nothing : str
        Shown where there is no layer to choose.
    tip : str
    none : str
        What choosing no layer is called, where that is allowed; it is the first choice then.
    """

    layer_chosen = Signal(object)

    def __init__(self, nothing: str, tip: str, none: str = "") -> None:
        super().__init__(Qt.TextElideMode.ElideMiddle)
        self._nothing = nothing
        self._none = none
        self._is_chosen_by_a_person = False
        self._tip = tip
        self.setToolTip(tip)
        # Long names of files would make the dock as wide as the screen.
        self.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
        self.setMinimumContentsLength(10)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.currentIndexChanged.connect(self._on_choice)
        self.set_layers([])

    def layer(self) -> Layer | None:
        """The chosen layer."""
        chosen: Layer | None = self.currentData()
        return chosen

    def choose(self, layer: Layer) -> None:
        """Choose a layer that is in the list."""
        for index in range(self.count()):
            if self.itemData(index) is layer:
                self.setCurrentIndex(index)

    def set_layers(self, layers: Sequence[Layer], first_choice: Layer | None = None) -> None:
        """Offer these layers; the chosen one stays if it is among them, else the first one is.

        Where none was chosen before, `first_choice` is, if it is offered.
        """
        before = self.layer()
        wanted = first_choice if before is None else before
        first = None if self._none or not layers else layers[0]
        self._offer(layers, next((layer for layer in layers if layer is wanted), first))

    def set_layers_for(self, image: Layer | None, layers: Sequence[Layer]) -> None:
        """Offer layers that go with an image; the first one that may be is chosen unasked.

        That is neither the image, nor one that is hidden, a truth, or of another size or place;
        where all are, none is chosen. What was chosen stays while it lies on the image, and what
        a person chose stays while it is offered.
        """
        before = next((layer for layer in layers if layer is self.layer()), None)
        others = [layer for layer in layers if layer is not image]
        if before is not None and (
            self._is_chosen_by_a_person or (before in others and lies_on(before, image))
        ):
            self._offer(layers, before)
            return
        fitting = (layer for layer in others if may_be_preselected(layer, image))
        self._offer(layers, None if self._none else next(fitting, None))

    def _offer(self, layers: Sequence[Layer], chosen: Layer | None) -> None:
        before = self.layer()
        with QSignalBlocker(self):
            self.clear()
            if layers and (self._none or chosen is None):
                self.addItem(self._none or _CHOOSE, None)
            for layer in layers:
                self.addItem(layer.name, layer)
                self.setItemData(self.count() - 1, layer.name, Qt.ItemDataRole.ToolTipRole)
            if not layers:
                self.addItem(self._none or self._nothing, None)
            self.setEnabled(bool(layers))
            items = [self.itemData(i) for i in range(self.count())]
            self.setCurrentIndex(next(i for i, item in enumerate(items) if item is chosen))
        self._show_tip()
        if self.layer() is not before:
            self._is_chosen_by_a_person = False
            self._announce()

    def _on_choice(self) -> None:
        self._is_chosen_by_a_person = self.layer() is not None
        self._announce()

    def _announce(self) -> None:
        self._show_tip()
        self.layer_chosen.emit(self.layer())

    def _show_tip(self) -> None:
        layer = self.layer()
        lines = [] if layer is None else [layer.name, *notes_of(layer)]
        self.setToolTip("\n".join([*lines, self._tip]))


# Names of up to so many letters stand side by side, such as red, green and blue.
_SHORT = 6
_IN_A_ROW = 3
# Longer ones must not squeeze the title beside them.
_WIDTH_OF_LONG = 120


class ChannelBoxes(QWidget):
    """One check box a channel, in rows; hidden where there is nothing to choose.

    Parameters
    ----------
    only_one : bool
        Whether one channel is always chosen, and no more.
    """

    chosen = Signal()

    def __init__(self, *, only_one: bool = False) -> None:
        super().__init__()
        self.only_one = only_one
        self._only_one = QButtonGroup(self) if only_one else None
        self._boxes: list[QCheckBox] = []
        self._choices: list[ChannelChoice] = []
        self._layout = QGridLayout(self)
        self._layout.setContentsMargins(0, 0, 0, 0)
        self._layout.setSpacing(2)

    def offer(self, choices: Sequence[ChannelChoice], checked: Sequence[bool] | None) -> None:
        """Offer channels; what was checked stays checked where `checked` is None."""
        if checked is None:
            if choices == self._choices:
                return
            before = [(choice.layer, choice.index) for choice in self.choices()]
            checked = [(choice.layer, choice.index) in before for choice in choices]
        self.set_choices(choices, checked)

    def set_choices(self, choices: Sequence[ChannelChoice], checked: Sequence[bool]) -> None:
        """Offer channels anew, some of them checked."""
        for box in self._boxes:
            self._layout.removeWidget(box)
            # a group would untick it for a new one, and emit that amid the change
            box.toggled.disconnect(self.chosen)
            if self._only_one is not None:
                self._only_one.removeButton(box)
            # it may go much later, and would be drawn over the new ones until then
            box.hide()
            box.deleteLater()
        self._choices = list(choices)
        self._boxes = []
        short = all(len(choice.name) <= _SHORT for choice in choices)
        columns = _IN_A_ROW if short else 1
        self.setMinimumWidth(0 if short else _WIDTH_OF_LONG)
        first = next((nth for nth, on in enumerate(checked) if on), 0)
        for nth, (choice, on) in enumerate(zip(choices, checked, strict=True)):
            box = ElidedCheckBox(choice.name)
            box.setChecked(on if self._only_one is None else nth == first)
            if self._only_one is not None:
                self._only_one.addButton(box)
            box.toggled.connect(self.chosen)
            self._layout.addWidget(box, *divmod(nth, columns))
            self._boxes.append(box)

    def choices(self) -> list[ChannelChoice]:
        """The checked ones."""
        return [
            choice
            for choice, box in zip(self._choices, self._boxes, strict=True)
            if box.isChecked()
        ]

    def all_choices(self) -> list[ChannelChoice]:
        """Checked or not."""
        return self._choices
