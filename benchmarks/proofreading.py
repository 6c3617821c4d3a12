"""How long each edit of one object takes in 512 x 512 x 60 voxels with 1000 objects.

    python benchmarks/proofreading.py
    scripts/with_display.sh python benchmarks/proofreading.py --window

Each edit is made from scratch, as the window asks for it: once with the object's box, as a table
gives it, and once where the object must be looked for in the whole volume. Then it is written and
taken back. The least of five repeats counts.

With `--window` in a napari window: the time from a click on a button until the picture, the table,
the plot and the numbers above them are drawn as they are after the edit. Median and longest of
nine objects each.
"""

import sys
import time
from collections.abc import Callable

import numpy as np
from scipy import ndimage as ndi

from napari_seedbed.core.proofreading.edit_commands import edit_of
from napari_seedbed.core.proofreading.edit_history import EditHistory
from napari_seedbed.core.proofreading.label_edits import LabelEdit
from napari_seedbed.pipeline.encodings.edit_encoding import edit_text, parse_edits

SPACING = (1.0, 0.5, 0.5)
REPEATS = 5

EDITS = """
delete 555
merge 555 556
renumber 555 to=2000
separate-pieces 555
fill-holes 555
smooth 555 radius=1
open 555 radius=1
close 555 radius=1
grow 555 radius=1
shrink 555 radius=1
cut 555 path={a}>{b}
split-by-points 555 points={a}>{b}
split-by-strokes 555 stroke={a}>{m} stroke={b} image=yes
split-by-necks 555 depth=0.2
interpolate 555 every=3
redo 555
fill-slice 5000 point=0,0,0
renumber
"""


def scene() -> tuple[np.ndarray, np.ndarray]:
    """Return labels of 1000 rough balls, and an image of them."""
    rng = np.random.default_rng(0)
    labels = np.zeros((60, 512, 512), np.int32)
    number = 0
    for z in range(2):
        for y in range(20):
            for x in range(25):
                number += 1
                corner = (30 * z + 2, 25 * y + 2, 20 * x + 2)
                part = labels[
                    tuple(slice(c, c + n) for c, n in zip(corner, (26, 22, 17), strict=True))
                ]
                grid = np.indices(part.shape)
                away = sum(
                    ((g - n / 2) / (n / 2)) ** 2 for g, n in zip(grid, part.shape, strict=True)
                )
                if number == 555:
                    # A neck, a hole and a piece of its own: something to correct.
                    waist = np.abs(grid[1] - 11) < 2
                    away[waist & (np.hypot(grid[0] - 13, 1.5 * (grid[2] - 8)) > 5)] = 2
                    away[13, 5:7, 8] = 2
                    away[:2, :2, :2] = 0
                part[away + 0.15 * rng.random(part.shape) < 1] = number
    labels[labels == number] = number + 5
    image = ndi.gaussian_filter((labels > 0) * np.float32(100), 1)
    return labels, image + rng.normal(0, 5, labels.shape).astype(np.float32)


def least(function: Callable[[], object]) -> float:
    """Return the least time of some calls, in seconds."""
    times = []
    for _ in range(REPEATS):
        start = time.perf_counter()
        function()
        times.append(time.perf_counter() - start)
    return min(times)


def follow_in_window() -> None:
    """Print how long after a click all that is shown is drawn anew."""
    import napari
    from qtpy.QtCore import QEvent, QObject
    from qtpy.QtWidgets import QApplication

    from napari_seedbed.gui.tools.proofreading.proofreading_panel import ProofreadingPanel

    class Drawn(QObject):
        """When each of some widgets was drawn last."""

        def __init__(self, widgets: dict[str, tuple[QObject, ...]]) -> None:
            super().__init__()
            self.names = {id(one): name for name, several in widgets.items() for one in several}
            self.last = dict.fromkeys(widgets, 0.0)
            for several in widgets.values():
                for one in several:
                    one.installEventFilter(self)

        def eventFilter(self, widget: QObject, event: QEvent) -> bool:
            if event.type() == QEvent.Type.Paint:
                self.last[self.names[id(widget)]] = time.perf_counter()
            return False

    labels, image = scene()
    viewer = napari.Viewer()
    viewer.window.resize(1366, 768)
    viewer.add_image(image, name="image", scale=SPACING)
    viewer.add_labels(labels, name="objects", scale=SPACING)
    panel = ProofreadingPanel(viewer)
    viewer.window.add_dock_widget(panel, name="Proofread")

    def wait() -> None:
        while panel.is_busy or not panel.table.columns:
            QApplication.processEvents()

    wait()
    view = panel.selection.view
    assert view is not None
    canvas = viewer.window._qt_viewer.canvas
    drawn = Drawn(
        {
            "table": (view.table.viewport(),),
            "plot": (view.plot.plot.viewport(),),
            "numbers": (panel.form.count, panel.form.selected),
        }
    )
    pictures = [0.0]
    canvas._scene_canvas.events.draw.connect(
        lambda event: pictures.__setitem__(0, time.perf_counter()), position="last"
    )
    measured = [0.0]
    panel.table.measured.connect(lambda anew: measured.__setitem__(0, time.perf_counter()))

    def follow(act: Callable[[], object]) -> dict[str, float]:
        begun = time.perf_counter()
        measured[0] = pictures[0] = 0.0
        act()
        while measured[0] == 0.0 or min(drawn.last.values()) < measured[0] or not pictures[0]:
            QApplication.processEvents()
            if time.perf_counter() > begun + 10:
                break
        found = {**drawn.last, "picture": pictures[0]}
        wait()
        return {name: when - begun for name, when in found.items()}

    def chosen(*objects: int) -> None:
        panel.selection.select(objects, go_there=True)
        wait()

    print(f"{np.unique(labels).size - 1} objects in {labels.shape}: ms until drawn (longest)")
    print(f"{'':12}" + "".join(f"{name:>18}" for name in ("table", "plot", "numbers", "picture")))
    numbers = [110 + 70 * n for n in range(9)]
    for name in ("check", "delete", "merge", "smooth", "grow", "undo", "grow anew"):
        took = []
        for number in numbers:
            chosen(*((number, number + 1) if name == "merge" else (number,)))
            if name == "check":
                took.append(follow(panel.form.check.click))
            elif name == "undo":
                panel.edits.act("delete")
                wait()
                took.append(follow(panel.form.undo.click))
            else:
                button = panel.form.edits["redo" if name == "grow anew" else name]
                took.append(follow(button.click))
                if name in ("delete", "merge"):
                    panel.history.undo()
                    wait()
        cells = []
        for which in ("table", "plot", "numbers", "picture"):
            each = sorted(1000 * one[which] for one in took)
            cells.append(f"{each[len(each) // 2]:10.0f} ({each[-1]:4.0f})")
        print(f"{name:12}" + "".join(f"{cell:>18}" for cell in cells))
    viewer.close()


def main() -> None:
    """Print a table."""
    labels, image = scene()
    box = ndi.find_objects((labels == 555).astype(np.uint8))[0]
    middle = [(side.start + side.stop) // 2 for side in box]
    ends = [[middle[0], y, middle[2]] for y in (middle[1] - 4, middle[1] + 4)]
    words = [",".join(map(str, place)) for place in (*ends, middle)]
    # It touches the one beside it in the merge alone.
    two = tuple(slice(max(0, s.start - 40), s.stop + 40) for s in box)
    print(f"{np.unique(labels).size - 1} objects in {labels.shape}")
    print("edit                 box known   looked for   written   taken back   bytes")
    history = EditHistory()
    for command in parse_edits(EDITS.format(a=words[0], b=words[1], m=words[2])):
        edit: LabelEdit | None = None

        def make(where: object = None, command: object = command) -> None:
            nonlocal edit
            edit = edit_of(command, labels, image=image, spacing=SPACING, box=where)

        known = None if command.verb in ("fill-slice",) or not command.objects else two
        made = [least(lambda known=known: make(known)), least(make)]
        assert edit is not None
        write = least(lambda edit=edit: edit.apply(labels))
        back = least(lambda edit=edit: edit.revert(labels))
        history.push(edit)
        figures = "".join(f"{1000 * seconds:9.1f} ms" for seconds in (*made, write, back))
        print(f"{edit_text(command).split(' path')[0][:20]:20}{figures}{edit.nbytes:9d}")


if __name__ == "__main__":
    if "--window" in sys.argv:
        follow_in_window()
    else:
        main()
