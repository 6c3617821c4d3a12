"""The files for the further images of a recipe, a row for each."""

from collections.abc import Mapping

from qtpy.QtWidgets import QLineEdit, QWidget

from napari_seedbed.gui.qt.controls import form_rows, in_row
from napari_seedbed.gui.qt.path_button import PathButton
from napari_seedbed.pipeline.files.readers import file_suffixes
from napari_seedbed.pipeline.recipes.other_images import made_on_in_words, nth_image
from napari_seedbed.pipeline.recipes.recipe_model import Recipe

IMAGE_FILES = f"Images ({' '.join(f'*{suffix}' for suffix in file_suffixes())});;All (*)"
"""Which files a dialog offers as images."""


class OtherFiles(QWidget):
    """Rows of files or folders, by what the steps of the recipe call their images.

    Attributes
    ----------
    lines : dict of str to QLineEdit
    """

    def __init__(self) -> None:
        super().__init__()
        self.lines: Mapping[str, QLineEdit] = {}
        self._rows = form_rows()
        self.setLayout(self._rows)
        self.show_recipe(None)

    def show_recipe(self, recipe: Recipe | None) -> None:
        """Ask for the further images of a recipe; what was written for one of a name stays."""
        names = () if recipe is None else recipe.other_names
        written = {name: line.text() for name, line in self.lines.items()}
        self.lines = {}
        while self._rows.rowCount():
            self._rows.removeRow(0)
        for name in names:
            assert recipe is not None
            line = QLineEdit(written.get(name, ""))
            title = nth_image(recipe, name)
            line.setToolTip(
                f"The {title} of the recipe{made_on_in_words(recipe, name)}: a file, which goes "
                "with every input, or a folder with a file of the same name for each."
            )
            browse = PathButton(line, title.capitalize(), IMAGE_FILES)
            self._rows.addRow(title.capitalize(), in_row((line, 1), browse))
            self.lines = {**self.lines, name: line}
        self.setVisible(bool(names))

    def files(self) -> dict[str, str]:
        """What is written in the rows, where something is."""
        texts = {name: line.text().strip() for name, line in self.lines.items()}
        return {name: text for name, text in texts.items() if text}
