"""Panels of an image and marks on it: strokes, outlines, patches of colour."""

from typing import TYPE_CHECKING, Any

from napari.layers import Labels, Layer, Points, Shapes

from napari_seedbed.gui.forms.image_choice import ImageChoice
from napari_seedbed.gui.forms.layer_choice import ChannelBoxes, LayerCombo
from napari_seedbed.gui.forms.panel import RunPanel
from napari_seedbed.gui.forms.panel_form import PanelForm
from napari_seedbed.gui.layers.layer_records import is_preview
from napari_seedbed.gui.layers.seeds_watch import SeedsWatch
from napari_seedbed.gui.qt.controls import form_rows

if TYPE_CHECKING:
    from napari.viewer import Viewer
    from qtpy.QtWidgets import QCheckBox


class MarksForm(PanelForm):
    """The form of such a panel.

    Parameters
    ----------
    purpose : str
        What the image is for.
    use_of_channels : str
        What is done with the channels that are chosen.
    marks : LayerCombo
        Chooses the marks.
    """

    def __init__(self, purpose: str, use_of_channels: str, marks: LayerCombo) -> None:
        super().__init__()
        self.image = LayerCombo("open an image first", purpose)
        self.channels = ChannelBoxes()
        self.channels.setToolTip(use_of_channels)
        self.marks = marks
        self._inputs = form_rows(("Image", self.image), ("Channels", self.channels))
        self.show_channels(False)

    def show_channels(self, visible: bool) -> None:
        """Show the channels only where there are some to choose from."""
        self._inputs.setRowVisible(self.channels, visible)


class MarksPanel(RunPanel):
    """Knows the chosen image and marks, and when they are others.

    Parameters
    ----------
    viewer, form, follow, fixed_controls
        As for `RunPanel`.

    Attributes
    ----------
    images : ImageChoice
    seeds : SeedsWatch
        Of the marks.
    mark_kinds : tuple of type
        Layers that may be marks.
    """

    mark_kinds: tuple[type[Layer], ...] = (Labels, Points, Shapes)
    form: MarksForm

    def __init__(
        self,
        viewer: "Viewer",
        form: MarksForm,
        follow: "QCheckBox | None" = None,
        *,
        fixed_controls: bool = False,
    ) -> None:
        super().__init__(viewer, form, follow, fixed_controls=fixed_controls)
        self.images = ImageChoice(viewer, form.image, form.channels, form.show_channels, self._say)
        self.seeds = SeedsWatch(self)

    def _may_be_marks(self, layer: Layer) -> bool:
        """Whether a layer of such a kind may be offered as marks."""
        return True

    def _rank_of_marks(self, layer: Layer) -> Any:
        """The least is offered first."""
        raise NotImplementedError

    def reset_choices(self, event: Any = None) -> None:
        """Offer the layers that there are now; napari calls it when they change."""
        self.images.offer()
        self._offer_marks()
        self._enable()

    def _offer_marks(self, event: Any = None) -> None:
        """Offer what may be marks on the chosen image."""
        marks = [
            layer
            for layer in self.viewer.layers
            if isinstance(layer, self.mark_kinds)
            and not is_preview(layer)
            and self._may_be_marks(layer)
        ]
        self.form.marks.set_layers_for(self.images.watched, sorted(marks, key=self._rank_of_marks))

    def _recipe_name(self) -> str:
        return f"{self.form.image.currentText()} {self.about}"
