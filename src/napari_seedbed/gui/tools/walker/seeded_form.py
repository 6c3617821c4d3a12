"""The widgets of seeded segmentation, from top to bottom; what they do is the panel's."""

from qtpy.QtWidgets import QSizePolicy, QSpinBox, QWidget

from napari_seedbed.gui.forms.layer_choice import LayerCombo
from napari_seedbed.gui.forms.panel_form import Section, rule
from napari_seedbed.gui.forms.parameter_fields import FieldsWithMore
from napari_seedbed.gui.forms.strokes_form import StrokesForm
from napari_seedbed.gui.qt.controls import button, check_box, choice, in_row
from napari_seedbed.gui.tools.walker.many_form import ManyForm
from napari_seedbed.gui.tools.walker.one_object_form import OneObjectForm
from napari_seedbed.pipeline.engine.parameters import Value

ALL_AT_ONCE, ONE_AT_A_TIME = "all", "one"


class SeededForm(StrokesForm):
    """All controls of the panel, in the order in which they are used.

    Parameters
    ----------
    background_key, filling_key, place_key : str
        Keys that the buttons name.
    """

    def __init__(self, background_key: str, filling_key: str, place_key: str) -> None:
        seeds = LayerCombo(
            "none yet",
            "Marks, one label for each object: a Labels layer, Points or Shapes with a 'label' "
            "column. This layer is never changed.",
        )
        super().__init__("The image to segment.", seeds)
        self.way = choice(
            "Segment what all strokes say together, or each object from its own strokes, one "
            "after the other.",
            {ALL_AT_ONCE: "All labels at once", ONE_AT_A_TIME: "One object at a time"},
        )
        self.one_object = OneObjectForm()
        self._build_inputs(background_key)
        self.live.setToolTip("Follow every stroke, erasure, undo and redo.")
        self.run.setToolTip("Segment now, with the same result as the command line.")
        self.add(self.one_object, self.one_object.background)
        self._add_run()
        self._build_results(filling_key, place_key)
        self.add(None)

    def _build_inputs(self, background_key: str) -> None:
        self.new_seeds.setText("New seeds")
        self.new_seeds.setToolTip("Make an empty Labels layer on the image, brush in hand.")
        self.clear = button("Clear seeds", "Take away all marks; Ctrl+Z brings them back.")
        self.take_background = button(
            f"Paint it ({background_key})",
            "Take the brush for the background, which stays empty in the result; once more for "
            f"the object before. Key: {background_key}, on the seeds layer.",
            checkable=True,
        )
        self.background = QSpinBox()
        self.background.setRange(0, 2**31 - 1)
        self.background.setSpecialValueText("none")
        self.background.setKeyboardTracking(False)
        self.background.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.background.setToolTip(
            "The label that marks the background. Its strokes are grey, and it is empty in the "
            "result. A change can be undone with Ctrl+Z."
        )
        self.times.addItem("All time points with seeds", "all")
        self.times.setToolTip("Time points with fewer than two labels of seeds stay empty.")
        self._add_inputs(
            "Seeds",
            ("", in_row(self.new_seeds, self.clear)),
            ("Segment", self.way),
            ("Background", in_row(self.background, self.take_background)),
        )
        self.many = ManyForm()
        self.many_section = Section("Many objects", self.many)
        self.add(self.many_section)

    def _build_results(self, filling_key: str, place_key: str) -> None:
        self.next_place = button(
            f"Suggest ({place_key})",
            "Go to the region in doubt whose answer would change most, brush in hand; after a "
            f"stroke there to the next. Key: {place_key}.",
        )
        self.filled = check_box(
            f"Filled ({filling_key})",
            "Show the result filled instead of as outlines; outlines while a stroke is drawn. "
            f"Key: {filling_key}, on the seeds layer.",
        )
        self.accept.setToolTip(
            "Keep this result as an ordinary Labels layer; later strokes make a new one."
        )
        self.save_recipe.setToolTip(
            "Write settings and seeds to a file that 'seedbed run' repeats to the voxel."
        )
        self.open_recipe = button(
            "Open recipe…",
            "Take seeds, background and settings from a recipe, to go on from there.",
        )
        results = in_row(self.accept, self.save_recipe, self.open_recipe)
        self.add(rule(), in_row(self.next_place, self.filled), results)

    def show_way(self, way: str) -> None:
        """Show the controls of one way to segment alone."""
        one = way == ONE_AT_A_TIME
        self.one_object.setVisible(one)
        controls = self.controls
        of_all = (controls.run, self.live, controls.forecast, self.next_place, self.filled)
        for widget in (*of_all, self.accept, self.open_recipe, self._fields, self.many_section):
            widget.setVisible(not one)

    def add_parameters(self, fields: FieldsWithMore) -> None:
        """Put the parameters' editors below."""
        self._fields = fields
        self.column.insertWidget(self.column.count() - 1, rule())
        self.column.insertWidget(self.column.count() - 1, fields)

    def choose(self, name: str, **values: Value) -> None:
        """Choose some parameters, as a person would; there is one operation only."""
        for parameter, value in values.items():
            self._fields.set_value(parameter, value)

    def add_voxel_size(self, line: QWidget) -> None:
        """Put the question for the voxel size under the inputs."""
        self.column.insertWidget(1, line)
