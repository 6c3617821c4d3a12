"""The widgets of the pixel classifier panel, from top to bottom; what they do is the panel's."""

from collections.abc import Sequence

from qtpy.QtWidgets import QListWidget

from napari_seedbed.gui.forms.layer_choice import LayerCombo
from napari_seedbed.gui.forms.panel_form import Section, rule
from napari_seedbed.gui.forms.parameter_fields import FieldsWithMore
from napari_seedbed.gui.forms.strokes_form import StrokesForm
from napari_seedbed.gui.qt.controls import button, in_row
from napari_seedbed.gui.qt.run_controls import wrapped_label
from napari_seedbed.pipeline.engine.parameters import Parameter

SHOWN_FEATURES = 8


class PixelClassifierForm(StrokesForm):
    """All controls of the panel, in the order in which they are used.

    Parameters
    ----------
    parameters : sequence of Parameter
        Those that people set.
    """

    def __init__(self, parameters: Sequence[Parameter]) -> None:
        seeds = LayerCombo(
            "none yet",
            "Strokes on this image, one label a class: a Labels layer, Points or Shapes with a "
            "'label' column. This layer is never changed but by you.",
            none="none yet",
        )
        super().__init__("The image to classify.", seeds)
        self.fields = FieldsWithMore(parameters)
        self._build_inputs()
        self._build_sources()
        self._build_run()
        self.add(rule(), self.fields, rule(), in_row(self.accept, self.save_recipe))
        self._build_insight()
        self.add(None)

    def _build_inputs(self) -> None:
        self.new_seeds.setText("New strokes")
        self.new_seeds.setToolTip("Make an empty Labels layer on the image, brush in hand.")
        self.clear_seeds = button(
            "Clear strokes", "Take away all strokes of this layer; Ctrl+Z brings them back."
        )
        self.times.addItem("All time points", "all")
        self.times.setToolTip("Strokes at any time point are learnt from.")
        self._add_inputs("Strokes", ("", in_row(self.new_seeds, self.clear_seeds)))

    def _build_sources(self) -> None:
        self.sources = QListWidget()
        self.sources.setToolTip(
            "What is learnt from: each image with its strokes, and what was learnt before. "
            "Untick what should not count."
        )
        line = self.sources.fontMetrics().lineSpacing()
        self.sources.setFixedHeight(3 * line + 14)
        self.load = button("Load…", "Learn also from what a recipe of this tool has learnt.")
        learn_from = in_row((wrapped_label("Learn from"), 1), self.load)
        self.add(rule(), learn_from, self.sources)

    def _build_run(self) -> None:
        self.live.setToolTip("Follow every stroke, erasure, undo and redo; what is in view first.")
        self.run.setToolTip(
            "Classify all of the image now, with the same result as the command line."
        )
        self._add_run()
        self.accept.setToolTip("Keep this result as ordinary layers; later strokes make new ones.")
        self.save_recipe.setToolTip(
            "Write settings and what was learnt to a file that 'seedbed run' applies to other "
            "images, which need no strokes."
        )

    def _build_insight(self) -> None:
        self.insight = wrapped_label()
        self.insight.setToolTip(
            "The out-of-bag error, which is the share of the marked voxels that trees get wrong "
            "which have not seen them, and the features that contribute most to separating the "
            "classes."
        )
        section = Section("Feature importances", self.insight)
        section.toggle()
        self.add(rule(), section)

    def show_insight(self, notes: Sequence[str], features: Sequence[tuple[str, float]]) -> None:
        """Show the out-of-bag error, and the features that count most with their importances."""
        lines = [f"{100 * share:3.0f} %  {name}" for name, share in features[:SHOWN_FEATURES]]
        self.insight.setText("\n".join([*notes, *lines]))
