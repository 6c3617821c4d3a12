"""The controls of the batch panel: recipe, files, where results go, and Run."""

from qtpy.QtWidgets import QLineEdit, QSpinBox, QWidget

from napari_seedbed.core.threads import core_count
from napari_seedbed.gui.forms.marks_choice import MarksChoice
from napari_seedbed.gui.forms.panel_form import PanelForm, Section, rule
from napari_seedbed.gui.qt.controls import (
    button,
    check_box,
    choice,
    form_rows,
    in_column,
    in_row,
)
from napari_seedbed.gui.qt.path_button import PathButton
from napari_seedbed.gui.qt.run_controls import RunControls, wrapped_label
from napari_seedbed.gui.tools.batch.file_list import FileList
from napari_seedbed.gui.tools.batch.image_choice import ImageChoice, Images
from napari_seedbed.gui.tools.batch.other_files import OtherFiles


class BatchForm(PanelForm):
    """What is done, to which files, and where the results go.

    Attributes
    ----------
    recipe : QComboBox
        Layers that remember how they were made, and recipe files.
    recipe_file : QPushButton
    about : QLabel
        What the recipe does.
    files : FileList
    add_files, add_folder, remove : QPushButton
    others : OtherFiles
        The further images of the recipe, or folders of them.
    browse_classes : PathButton
    marks : MarksChoice
        What the recipe starts from.
    asked : QLabel
        What to paint for a file that needs seeds.
    use_marks : QPushButton
    folder : QLineEdit
        Of the results.
    classes : QLineEdit
        A table of the classes of objects, or a folder of them.
    wells : QLineEdit
        How names of files tell wells.
    workers : QSpinBox
        0 for as many as serve.
    images : ImageChoice
        Of files that hold several, where each of them is an input.
    resume, overwrite, parquet, each_image, by_slice : QCheckBox
    show_summary : QPushButton
    """

    def __init__(self) -> None:
        super().__init__()
        self.recipe = choice(
            "What to do: how the result in a layer was made, or a recipe.", letters=14
        )
        self.recipe_file = button("File…", "Take a recipe from a file that was saved.")
        self.about = wrapped_label()
        self.files = FileList()
        self.add_files = button("Add files…")
        self.add_folder = button("Add folder…", "Add all images of a folder.")
        self.remove = button("Remove", "Take the chosen rows out of the list, or all.")
        self.others = OtherFiles()
        self.marks = MarksChoice(
            "From files, or asked for",
            "A folder with a file of seeds or shapes for each input, called after it: labels, ROIs "
            "of Fiji, annotations of QuPath. Where one is missing, a double click on the row opens "
            "the image to paint on.",
            with_fields=True,
        )
        self.marks.file.setPlaceholderText("'seeds' beside the results")
        self.asked = wrapped_label()
        self.use_marks = button(
            "Use these seeds", "Save what is painted beside the results, and go on with the run."
        )
        self._asked_row = QWidget()
        in_column(self._asked_row, self.asked, self.use_marks)
        self.folder = QLineEdit()
        self.folder.setPlaceholderText("folder for the results")
        self.folder.setToolTip("Where results, logs and the summary go; made if it is not there.")
        self.browse = button("Folder…")
        self.resume = check_box(
            "Go on with an ended run",
            "Leave results as they are that the same recipe made from the same files.",
            checked=True,
        )
        self.overwrite = check_box(
            "Replace earlier results", "Make results again that are there already."
        )
        self.parquet = check_box("Tables as Parquet", "Instead of CSV; needs the package pyarrow.")
        self.by_slice = check_box(
            "Slice by slice", "Apply a recipe that was made on a picture to each slice of a volume."
        )
        self.each_image = check_box(
            "Each image of a file",
            "Take each image of files that hold several as an input, or those that you choose: "
            "wells and fields of a plate, positions of a stage, series.",
        )
        self.images = ImageChoice()
        self._n_images = wrapped_label()
        self._images_rows = in_column(QWidget(), self.images, self._n_images)
        self.images.changed.connect(self._show_number)
        self.classes = QLineEdit()
        self.classes.setPlaceholderText("none, or those of seeds")
        self.classes.setToolTip(
            "Tables with the columns 'label' and 'class', of Seedbed or ilastik: a file, which "
            "goes with every input, or a folder with one for each. Tables of objects then have the "
            "class of each object."
        )
        self.browse_classes = PathButton(self.classes, "Classes", "Tables (*.csv);;All (*)")
        self.wells = QLineEdit()
        self.wells.setPlaceholderText("as names of files tell them")
        self.wells.setToolTip(
            "A regular expression that finds the well in the name of each file, for the table of "
            r"all: '_([A-P]\d\d)_' for example. 'none': names tell no wells."
        )
        self.workers = QSpinBox()
        self.workers.setRange(0, 4 * core_count())
        self.workers.setSpecialValueText("automatic")
        self.workers.setToolTip(
            "How many files are worked on at a time, each in a process of its own. Automatic: as "
            "many as cores and memory allow, where there is work enough."
        )
        more = QWidget()
        in_column(
            more,
            self.resume,
            self.overwrite,
            self.parquet,
            self.each_image,
            self.by_slice,
            in_row("Classes", (self.classes, 1), self.browse_classes),
            form_rows(("Wells", self.wells), ("Processes", self.workers)),
        )
        self.show_summary = button(
            "Show summary", "Open the page with a picture, counts and sizes for each file."
        )
        self.show_summary.setEnabled(False)
        self.controls = RunControls(below=[self.show_summary])
        self.run.setToolTip("Work on all files, as 'seedbed run' does.")
        self.add(
            in_row("Recipe", (self.recipe, 1), self.recipe_file),
            self.about,
            self.others,
            self.marks,
            (self.files, 1),
            self._asked_row,
            in_row(self.add_files, self.add_folder, self.remove),
            (self._images_rows, 1),
            in_row("Results", (self.folder, 1), self.browse),
            Section("More", more),
            rule(),
            self.controls,
        )
        self.ask_for("", "")
        self.show_images({})

    def ask_for(self, what: str, hint: str) -> None:
        """Ask for seeds or shapes of a file, as the hint says; for nothing where it is empty."""
        self.asked.setText(hint)
        self.use_marks.setText(f"Use these {what}")
        self._asked_row.setVisible(bool(hint))

    def show_images(self, images: Images) -> None:
        """Let images of files be chosen, where there are some."""
        self.images.show_images(images)
        self._images_rows.setVisible(bool(images))

    def _show_number(self) -> None:
        self._n_images.setText(self.images.in_words())
