"""A form on a viewer without a window, and short names for what tests do with it."""

import numpy as np

from napari_seedbed.gui.forms.operation_form import form_class
from napari_seedbed.gui.layers.layer_records import is_preview, is_result

TIMEOUT = 60_000


class FormBench:
    """The form of an operation, opened as napari opens it."""

    def __init__(self, viewer, qtbot, operation) -> None:
        self.viewer, self.qtbot = viewer, qtbot
        self.form = form_class(operation)(viewer)
        events = viewer.layers.events
        for event in (events.inserted, events.removed, events.reordered, events.renamed):
            event.connect(self.form.reset_choices)  # as napari does for a dock widget
        qtbot.addWidget(self.form)
        self.form.resize(320, 720)
        self.form.show()

    @property
    def results(self):
        return [layer for layer in self.viewer.layers if is_result(layer)]

    @property
    def previews(self):
        return [layer for layer in self.viewer.layers if is_preview(layer)]

    def set(self, **parameters):
        for name, value in parameters.items():
            self.form.parameters.set_value(name, value)

    def apply_to(self, what):
        row = self.form.apply_to.findData(what)
        assert row >= 0, what
        self.form.apply_to.setCurrentIndex(row)

    def run(self):
        """Press Run, wait, and give the results that there are then."""
        self.form.run_button.click()
        self.qtbot.waitUntil(lambda: not self.form.is_running, timeout=TIMEOUT)
        return self.results

    def follow(self, on=True):
        self.form.follow.setChecked(on)
        self.wait()

    def wait(self):
        self.qtbot.waitUntil(lambda: not self.form.preview.is_busy, timeout=TIMEOUT)


def discs(shape=(40, 50), centres=((10, 12), (12, 36), (30, 24)), radius=6):
    """Bright discs on a dark ground, and how many they are."""
    y, x = np.ogrid[tuple(slice(n) for n in shape)]
    found = np.zeros(shape, np.uint16)
    for cy, cx in centres:
        found[(y - cy) ** 2 + (x - cx) ** 2 <= radius**2] = 1000
    return found, len(centres)
