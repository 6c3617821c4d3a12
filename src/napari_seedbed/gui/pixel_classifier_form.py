"""The widgets of the pixel classifier panel, from top to bottom; what they do is the panel's."""

from collections.abc import Sequence

from qtpy.QtWidgets import QHBoxLayout, QListWidget, QPushButton

from napari_seedbed.gui.layer_choice import LayerCombo
from napari_seedbed.gui.panel_form import Section, rule
from napari_seedbed.gui.parameter_fields import FieldsWithMore
from napari_seedbed.gui.run_controls import wrapped_label
from napari_seedbed.gui.strokes_form import StrokesForm, beside
from napari_seedbed.pipeline.parameters import Parameter

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
        self.column.addWidget(rule())
        self.column.addWidget(self.fields)
        self._build_results()
        self._build_insight()
        self.column.addStretch(1)

    def _build_inputs(self) -> None:
        self.new_seeds = QPushButton("New strokes")
        self.new_seeds.setToolTip("Make an empty Labels layer on the image, brush in hand.")
        self.clear_seeds = QPushButton("Clear strokes")
        self.clear_seeds.setToolTip("Take away all strokes of this layer; Ctrl+Z brings them back.")
        self.times.addItem("All time points", "all")
        self.times.setToolTip("Strokes at any time point are learnt from.")
        self._add_inputs("Strokes", ("", beside(self.new_seeds, self.clear_seeds)))

    def _build_sources(self) -> None:
        self.sources = QListWidget()
        self.sources.setToolTip(
            "What is learnt from: each image with its strokes, and what was learnt before. "
            "Untick what should not count."
        )
        line = self.sources.fontMetrics().lineSpacing()
        self.sources.setFixedHeight(3 * line + 14)
        self.load = QPushButton("Load…")
        self.load.setToolTip("Learn also from what a recipe of this tool has learnt.")
        row = QHBoxLayout()
        row.setSpacing(4)
        row.addWidget(wrapped_label("Learn from"), 1)
        row.addWidget(self.load)
        self.column.addWidget(rule())
        self.column.addLayout(row)
        self.column.addWidget(self.sources)

    def _build_run(self) -> None:
        self.live.setToolTip("Follow every stroke, erasure, undo and redo; what is in view first.")
        self.controls.run.setToolTip(
            "Classify all of the image now, with the same result as the command line."
        )
        self._add_run()

    def _build_results(self) -> None:
        self.accept.setToolTip("Keep this result as ordinary layers; later strokes make new ones.")
        self.save_recipe.setToolTip(
            "Write settings and what was learnt to a file that 'seedbed run' applies to other "
            "images, which need no strokes."
        )
        self.column.addWidget(rule())
        self.column.addWidget(beside(self.accept, self.save_recipe))

    def _build_insight(self) -> None:
        self.insight = wrapped_label()
        self.insight.setToolTip(
            "The share of the marked voxels that trees get wrong which have not seen them, and "
            "the features that do most to tell the classes apart."
        )
        section = Section("What it goes by")
        section.set_content(self.insight)
        section.toggle()
        self.column.addWidget(rule())
        self.column.addWidget(section)

    def show_insight(self, notes: Sequence[str], features: Sequence[tuple[str, float]]) -> None:
        """Tell the out-of-bag error, and the features that count most with their importances."""
        lines = [f"{100 * share:3.0f} %  {name}" for name, share in features[:SHOWN_FEATURES]]
        self.insight.setText("\n".join([*notes, *lines]))
