"""One object at a time, with real mouse and keys in a real window."""

import numpy as np
import pytest
from painting import double_click, drag, press_key
from qtpy.QtCore import Qt
from scipy import ndimage as ndi
from seeded_window import SeededWindow, dice

from napari_seedbed.gui.layers.layer_descriptions import described, renew_slots, restored
from napari_seedbed.gui.layers.layer_records import record_of
from napari_seedbed.gui.tools.recipe.recipe_form import RecipeForm
from napari_seedbed.gui.tools.walker.seeded_form import ONE_AT_A_TIME
from napari_seedbed.pipeline.data.image import Image
from napari_seedbed.pipeline.encodings.object_steps import STEPS, steps_from_text
from napari_seedbed.pipeline.recipes import load_recipe, recipe_from_record, replay

pytestmark = pytest.mark.display

SHIFT = Qt.KeyboardModifier.ShiftModifier
CONTROL = Qt.KeyboardModifier.ControlModifier
CENTRES = ((10, 20, 18), (10, 20, 50), (10, 48, 34))


def balls():
    zz, yy, xx = np.mgrid[:20, :68, :68]
    truth = np.zeros(zz.shape, np.int32)
    for number, (z, y, x) in enumerate(CENTRES, start=1):
        distance = ((zz - z) * 2.0) ** 2 + (yy - y) ** 2 + (xx - x) ** 2
        truth[distance <= 12**2] = number
    image = ndi.gaussian_filter((truth > 0).astype(float), [0.5, 1, 1])
    image += np.random.default_rng(0).normal(0, 0.05, truth.shape)
    return (1000 * (image + 1)).astype(np.uint16), truth


class ObjectWindow(SeededWindow):
    """The window with the panel, which makes one object at a time."""

    size, middle = (900, 700), (10, 32, 32)

    def __init__(self, make_napari_viewer, qtbot, image=None, **layer) -> None:
        if image is None:
            image, self.balls = balls()
            layer = {"scale": (2.0, 1.0, 1.0)}
        super().__init__(make_napari_viewer, qtbot, image, **layer)
        self.mode = self.panel.one_object
        self.form.way.setCurrentIndex(self.form.way.findData(ONE_AT_A_TIME))
        self.new_seeds()

    @property
    def objects(self):
        return self.mode.layers.kept(self.image)

    @property
    def proposal(self):
        return next(layer for layer in self.viewer.layers if layer.name.endswith("proposal"))

    def stroke(self, centre, length=4, **how):
        z, y, x = centre
        start, end = self.world((z, y, x - length)), self.world((z, y, x + length))
        drag(self.viewer, start, end, **how)

    def wait_for(self, words):
        def said():
            assert words in self.status

        self.qtbot.waitUntil(said, timeout=60000)

    def keep(self, number):
        press_key(self.viewer, Qt.Key.Key_Return)
        self.wait_for(f"Kept as object {number}")

    def make(self, ball, number=None):
        """A stroke in one of the balls, and Enter."""
        self.stroke(CENTRES[ball - 1])
        self.wait_for("Proposed")
        self.keep(number or ball)


@pytest.fixture
def window(make_napari_viewer, qtbot):
    return ObjectWindow(make_napari_viewer, qtbot)


def test_stroke_proposes_enter_keeps_and_the_recipe_repeats_it(window, tmp_path):
    window.stroke(CENTRES[0])
    window.wait_for("Proposed")
    assert "Enter keeps it as object 1" in window.status
    assert dice(window.proposal.data == 1, window.balls == 1) > 0.85
    assert not window.objects.data.any()
    window.keep(1)
    assert not window.proposal.data.any()
    assert not window.seeds.data.any()
    first = window.objects.data == 1
    assert dice(first, window.balls == 1) > 0.85
    # Enter at once, before the proposal is there
    window.stroke(CENTRES[1])
    window.keep(2)
    window.make(3)
    np.testing.assert_array_equal(window.objects.data == 1, first)
    assert set(np.unique(window.objects.data)) == {0, 1, 2, 3}
    assert window.form.one_object.count.text() == "3 objects kept."
    assert window.objects.locked
    window.panel.save_recipe(tmp_path / "objects.yaml")
    again = replay(load_recipe(tmp_path / "objects.yaml"), window.panel.images.image())
    np.testing.assert_array_equal(again.image("labels").array, window.objects.data)
    window.qtbot.waitUntil(lambda: not window.panel.is_busy, timeout=30000)
    record = {
        key: value
        for key, value in window.objects.metadata["napari_seedbed"].items()
        if key not in ("kind", "slot", "layer_id")
    }
    replayed = replay(recipe_from_record(record), Image(window.image.data, ("z", "y", "x")))
    np.testing.assert_array_equal(replayed.image("labels").array, window.objects.data)


def test_a_number_painted_among_kept_objects_is_not_given_again(window):
    window.make(1)
    window.stroke(CENTRES[1])
    window.wait_for("keeps it as object 2")
    corner = tuple(np.array([0]) for _ in range(3))
    window.objects.data_setitem(corner, 7)
    window.wait_for("keeps it as object 8")
    window.keep(8)
    assert (window.objects.data == 7).sum() == 1
    assert dice(window.objects.data == 8, window.balls == 2) > 0.85


def test_shift_takes_away_and_strokes_add(window):
    window.stroke(CENTRES[0])
    window.wait_for("Proposed")
    label = window.seeds.selected_label
    window.stroke(CENTRES[1], length=2)
    window.qtbot.waitUntil(
        lambda: dice(window.proposal.data > 0, np.isin(window.balls, (1, 2))) > 0.85, timeout=30000
    )
    press_key(window.viewer, Qt.Key.Key_Z, CONTROL)
    window.qtbot.waitUntil(
        lambda: dice(window.proposal.data > 0, window.balls == 1) > 0.85, timeout=30000
    )
    window.stroke((10, 26, 18), modifier=SHIFT)
    assert window.seeds.selected_label == label
    z, y, x = 10, 26, 18
    window.qtbot.waitUntil(lambda: window.proposal.data[z, y, x] == 0, timeout=30000)
    assert window.proposal.data[10, 20, 18] == 1
    assert window.seeds.data[z, y, x] == window.panel.tools.background() != label


def test_escape_throws_away_and_undo_brings_strokes_back(window):
    window.stroke(CENTRES[0])
    window.wait_for("Proposed")
    press_key(window.viewer, Qt.Key.Key_Escape)
    assert not window.proposal.data.any()
    assert not window.seeds.data.any()
    press_key(window.viewer, Qt.Key.Key_Return)
    window.wait_for("Nothing is proposed")
    press_key(window.viewer, Qt.Key.Key_Z, CONTROL)
    window.wait_for("Proposed")
    assert dice(window.proposal.data > 0, window.balls == 1) > 0.85


def test_double_click_reopens_an_object_with_its_strokes(window, tmp_path):
    window.make(1)
    window.stroke(CENTRES[1])
    window.wait_for("Proposed")
    strokes = window.seeds.data.copy()
    window.keep(2)
    window.make(3)
    before = window.objects.data.copy()
    double_click(window.viewer, window.world(CENTRES[1]))
    window.wait_for("Proposed")
    assert not (window.objects.data == 2).any()
    np.testing.assert_array_equal(window.seeds.data > 0, strokes > 0)
    press_key(window.viewer, Qt.Key.Key_Escape)
    window.wait_for("Object 2 is as it was")
    np.testing.assert_array_equal(window.objects.data, before)
    double_click(window.viewer, window.world(CENTRES[1]))
    window.wait_for("Proposed")
    window.stroke((10, 28, 50), modifier=SHIFT)
    window.qtbot.waitUntil(lambda: window.proposal.data[10, 28, 50] == 0, timeout=30000)
    window.keep(2)
    assert (window.objects.data == 2).any()
    for number in (1, 3):
        np.testing.assert_array_equal(window.objects.data == number, before == number)
    window.panel.save_recipe(tmp_path / "objects.yaml")
    again = replay(load_recipe(tmp_path / "objects.yaml"), window.panel.images.image())
    np.testing.assert_array_equal(again.image("labels").array, window.objects.data)


def recorded_steps(window):
    return steps_from_text(record_of(window.objects).get("parameters", {}).get(STEPS, ""))


@pytest.mark.parametrize("found_by", ["slot", "record", "record, while it proposes"])
def test_work_goes_on_in_another_window(make_napari_viewer, qtbot, found_by):
    before = ObjectWindow(make_napari_viewer, qtbot)
    before.make(1)
    before.stroke(CENTRES[1])
    before.wait_for("Proposed")
    strokes = before.seeds.data.copy()
    before.keep(2)
    qtbot.waitUntil(lambda: len(recorded_steps(before)) == 2, timeout=30000)
    image, objects = described(before.image), described(before.objects)
    voxels = before.objects.data.copy()

    window = ObjectWindow(make_napari_viewer, qtbot)
    came = []

    def come(is_working=True):
        if is_working and not came:
            came.append(window.viewer.add_layer(restored(objects)))

    if found_by == "record, while it proposes":
        qtbot.waitUntil(lambda: window.mode._proposer is not None)
        window.mode.working.connect(come)
        window.stroke(CENTRES[0], length=2)
        qtbot.waitUntil(lambda: bool(came))
    come()
    (layer,) = came
    if found_by == "slot":
        renew_slots([(image, window.image), (objects, layer)])
    window.viewer.layers.selection.active = window.seeds
    if found_by == "slot":
        double_click(window.viewer, window.world(CENTRES[1]))
        window.wait_for("Proposed")
        np.testing.assert_array_equal(window.seeds.data > 0, strokes > 0)
        press_key(window.viewer, Qt.Key.Key_Escape)
        window.wait_for("Object 2 is as it was")
    else:
        if found_by == "record":
            window.stroke(CENTRES[0], length=2)
        window.wait_for("These strokes lie in object 1")
        press_key(window.viewer, Qt.Key.Key_Escape)
    assert window.objects is layer
    np.testing.assert_array_equal(layer.data, voxels)
    assert window.form.one_object.count.text() == "2 objects kept."
    window.make(3)
    double_click(window.viewer, window.world(CENTRES[0]))
    window.wait_for("Proposed")
    window.stroke((10, 28, 18), modifier=SHIFT)
    qtbot.waitUntil(lambda: window.proposal.data[10, 28, 18] == 0, timeout=30000)
    window.keep(1)
    np.testing.assert_array_equal(layer.data == 2, voxels == 2)
    qtbot.waitUntil(lambda: len(recorded_steps(window)) == 4, timeout=30000)
    steps = recorded_steps(window)
    assert [step.number for step in steps] == [1, 2, 3, 1]
    assert [step.learnt_anew for step in steps] == [False, False, True, False]
    assert record_of(layer)["notes"] == []
    again = replay(recipe_from_record(record_of(layer)), window.panel.images.image())
    np.testing.assert_array_equal(again.image("labels").array, layer.data)


def test_what_is_dark_or_masked_is_no_object(window, tmp_path):
    form = window.form.one_object
    window.qtbot.waitUntil(lambda: form.value.value() > 1000, timeout=30000)
    form.background.toggle()
    low, high = 1000, 2000
    assert low < form.value.value() < high
    mask = np.zeros(window.balls.shape, np.uint8)
    mask[:, :, 18:] = 1
    layer = window.viewer.add_labels(mask, name="not cells", scale=(2.0, 1.0, 1.0))
    window.viewer.layers.selection.active = window.seeds
    window.stroke((10, 20, 12), length=2)
    window.wait_for("Proposed")
    whole = window.proposal.data > 0
    assert whole[:, :, 20:].any()
    form.mask_layer.choose(layer)
    form.mask_layer.activated.emit(1)
    window.qtbot.waitUntil(lambda: not window.proposal.data[:, :, 20:].any(), timeout=30000)
    assert window.proposal.data.any()
    window.keep(1)
    mask[...] = 0
    form.mask_layer.setCurrentIndex(0)
    form.mask_layer.activated.emit(0)
    window.make(2)
    window.panel.save_recipe(tmp_path / "objects.yaml")
    halved = np.zeros(mask.shape, np.uint8)
    halved[:, :, 18:] = 1
    other = Image(halved, ("z", "y", "x"), name="not cells", spacing=(2.0, 1.0, 1.0))
    recipe = load_recipe(tmp_path / "objects.yaml")
    again = replay(recipe, window.panel.images.image(), other=other).image("labels")
    np.testing.assert_array_equal(again.array, window.objects.data)
    window.stroke(CENTRES[2])
    window.wait_for("Proposed")
    # the line is dragged above the brightness of the ball: the stroke alone is left
    form.plot.set_lines([2500.0])
    form.plot._on_line()
    assert form.darker.isChecked()
    window.qtbot.waitUntil(
        lambda: np.count_nonzero(window.proposal.data) <= np.count_nonzero(window.seeds.data),
        timeout=30000,
    )


def test_each_time_point_has_objects_of_its_own_and_the_recipe_all(
    make_napari_viewer, qtbot, tmp_path
):
    image, truth = balls()
    planes = np.stack([image[10], image[10][::-1]])
    labels = ("t", "y", "x")
    window = ObjectWindow(make_napari_viewer, qtbot, planes, axis_labels=labels)
    for t, (y, x) in enumerate(((20, 18), (47, 18))):
        window.viewer.dims.set_point(0, t)
        window.stroke((t, y, x))
        window.wait_for("Proposed")
        assert not window.proposal.data[1 - t].any()
        window.keep(t + 1)
    assert dice(window.objects.data[0] == 1, truth[10] == 1) > 0.85
    assert dice(window.objects.data[1] == 2, truth[10][::-1] == 1) > 0.85
    window.panel.save_recipe(tmp_path / "objects.yaml")
    again = replay(load_recipe(tmp_path / "objects.yaml"), window.panel.images.image())
    np.testing.assert_array_equal(again.image("labels").array, window.objects.data)


def test_channels_count_together(make_napari_viewer, qtbot):
    image, truth = balls()
    colours = np.stack([image, 3000 - image], axis=0)
    window = ObjectWindow(make_napari_viewer, qtbot, colours, axis_labels=("c", "z", "y", "x"))
    window.viewer.dims.set_point(1, 10)
    drag(
        window.viewer,
        window.image.data_to_world((0, 10, 20, 14)),
        window.image.data_to_world((0, 10, 20, 22)),
    )
    window.wait_for("Proposed")
    window.keep(1)
    assert dice(np.squeeze(window.objects.data) == 1, truth == 1) > 0.85


def test_points_are_no_strokes_here(window):
    points = window.viewer.add_points(np.array([[10, 20, 18.0]]), scale=(2.0, 1.0, 1.0))
    window.form.seeds.choose(points)
    window.wait_for("needs a Labels layer")


def test_other_way_leaves_objects_and_takes_nothing(window):
    window.make(1)
    objects = window.objects.data.copy()
    window.form.way.setCurrentIndex(0)
    assert not any(layer.name.endswith("proposal") for layer in window.viewer.layers)
    press_key(window.viewer, Qt.Key.Key_Return)
    window.seed_by_program()
    window.wait_final()
    np.testing.assert_array_equal(window.objects.data, objects)
    assert window.result is not None
    assert window.result is not window.objects


def test_coming_back_from_another_way_leaves_the_brush_its_label(window):
    for way in (0, window.form.way.findData(ONE_AT_A_TIME)):
        window.form.way.setCurrentIndex(way)
    window.stroke(CENTRES[0])
    window.wait_for("Proposed")
    label = window.seeds.selected_label
    window.stroke((10, 26, 18), modifier=SHIFT)
    assert window.seeds.selected_label == label
    window.form.way.setCurrentIndex(0)
    before = window.seeds.data.copy()
    window.stroke((10, 48, 34), modifier=SHIFT)
    painted = window.seeds.data[window.seeds.data != before]
    assert set(np.unique(painted)) <= {label}


def test_a_recipe_says_what_was_changed_by_hand(window, tmp_path):
    """In the panel, in the file, where the recipe is opened and where it is run."""
    window.make(1)
    window.qtbot.waitUntil(lambda: bool(record_of(window.objects).get("outputs")), timeout=60000)
    window.panel.save_recipe(tmp_path / "own.yaml")
    assert "by hand" not in window.status
    assert load_recipe(tmp_path / "own.yaml").notes == ()
    window.objects.paint((10, 60, 10), 9)
    window.objects.paint(CENTRES[0], 0)
    window.panel.save_recipe(tmp_path / "painted.yaml")
    assert "changed by hand" in window.status
    assert "No step makes these objects of the layer: 9." in window.status
    # and it stays so, whatever is kept next
    window.make(2, number=10)
    window.qtbot.waitUntil(lambda: len(recorded_steps(window)) == 2, timeout=30000)
    window.panel.save_recipe(tmp_path / "after.yaml")
    recipe = load_recipe(tmp_path / "after.yaml")
    assert [words.split(" ")[0] for words in recipe.notes] == ["The", "No"]
    form = RecipeForm()
    window.qtbot.addWidget(form)
    form.show_recipe("after.yaml", recipe)
    assert recipe.notes[0] in form.about.text()
    again = replay(recipe, window.panel.images.image())
    assert set(recipe.notes) <= set(again.record["notes"])
    assert set(np.unique(again.image("labels").array)) == {0, 1, 10}
    # as Proofread leaves a layer
    kept = window.objects.metadata["napari_seedbed"]
    own = {**kept, "operation": "proofread_labels", "notes": [], "lacks": []}
    window.objects.metadata = {**window.objects.metadata, "napari_seedbed": own}
    window.panel.save_recipe(tmp_path / "proofread.yaml")
    assert "changed by hand" in window.status


def test_a_stroke_among_kept_objects_that_is_undone_is_no_change(window, tmp_path):
    window.make(1)
    window.stroke(CENTRES[1])
    window.wait_for("Proposed")
    free = np.count_nonzero(window.proposal.data)
    select = window.viewer.layers.selection
    select.active = window.objects
    window.objects.mode, window.objects.brush_size = "paint", 6
    window.objects.selected_label = 9
    z, y, x = CENTRES[1]
    drag(window.viewer, window.world((z, y - 8, x)), window.world((z, y + 8, x)))
    assert (window.objects.data == 9).sum() > 50
    # what was painted is a wall, as long as it is there
    window.qtbot.waitUntil(
        lambda: 0 < np.count_nonzero(window.proposal.data) < free - 50, timeout=60000
    )
    press_key(window.viewer, Qt.Key.Key_Z, CONTROL)
    window.qtbot.waitUntil(lambda: np.count_nonzero(window.proposal.data) == free, timeout=60000)
    select.active = window.seeds
    window.keep(2)
    window.panel.save_recipe(tmp_path / "undone.yaml")
    assert load_recipe(tmp_path / "undone.yaml").notes == ()
    select.active = window.objects
    press_key(window.viewer, Qt.Key.Key_Z, CONTROL | SHIFT)
    assert (window.objects.data == 9).any()
    window.panel.save_recipe(tmp_path / "again.yaml")
    assert "changed by hand" in window.status
    # what is kept beside a stroke was changed by it, also once that is gone
    select.active = window.seeds
    window.make(3, number=10)
    select.active = window.objects
    press_key(window.viewer, Qt.Key.Key_Z, CONTROL)
    assert not (window.objects.data == 9).any()
    window.panel.save_recipe(tmp_path / "after.yaml")
    assert "changed by hand" in window.status


def test_objects_whose_layer_is_removed_are_in_no_recipe(window, tmp_path):
    window.make(1)
    window.make(2)
    window.viewer.layers.remove(window.objects)
    assert window.form.one_object.count.text() == ""
    window.make(3, number=1)
    assert window.form.one_object.count.text() == "1 object kept."
    window.panel.save_recipe(tmp_path / "objects.yaml")
    again = replay(load_recipe(tmp_path / "objects.yaml"), window.panel.images.image())
    np.testing.assert_array_equal(again.image("labels").array, window.objects.data)
