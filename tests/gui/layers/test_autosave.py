"""Autosave: what is drawn in a window is in its journal a moment later, and comes back."""

import shutil
import time

import numpy as np
import pytest
from decided_states import set_states
from napari.components import ViewerModel
from napari.layers import Image, Labels
from qtpy.QtWidgets import QMainWindow

from bounds import bound
from napari_seedbed.gui.layers import autosave as autosave_module
from napari_seedbed.gui.layers.autosave import Autosave
from napari_seedbed.gui.layers.image_layers import add_seeds_layer
from napari_seedbed.gui.layers.layer_records import accept, find_result, keep_record
from napari_seedbed.gui.layers.object_states import object_states
from napari_seedbed.gui.layers.opened_images import layers_of
from napari_seedbed.gui.layers.restored_work import images_in, load, show
from napari_seedbed.gui.layers.seed_roles import background_of, set_background
from napari_seedbed.gui.qt.delays import Delay
from napari_seedbed.pipeline.files import read_image, write_result
from napari_seedbed.pipeline.journal.folders import earlier_works
from napari_seedbed.pipeline.journal.kept_work import read_work
from napari_seedbed.pipeline.operations.object_by_object import OPERATION

ROOM = 10**9
PLACE = {"scale": (2.0, 0.5, 0.5), "translate": (7.0, 1.0, 2.0), "units": ("um",) * 3}


def leave_as_killed(autosave):
    """Leave a copy of the journal that nobody holds, as a process does that is killed now."""
    folder = autosave.folder
    shutil.rmtree(folder.parent / "killed", ignore_errors=True)
    shutil.copytree(folder, folder.parent / "killed")
    return folder.parent / "killed"


class Window:
    """A viewer with autosave, and a second one that the work is restored in."""

    def __init__(self, qtbot, root, **settings) -> None:
        self.qtbot, self.root = qtbot, root
        self.viewer = ViewerModel()
        self.window = QMainWindow()
        qtbot.addWidget(self.window)
        self.autosave = Autosave(self.viewer, self.window, root, settings.get("room", ROOM))

    def settle(self):
        """Let all that waits for a moment be written."""
        self.qtbot.wait(20)
        self.autosave.flush(20)
        self.qtbot.wait(20)
        self.autosave.flush(20)

    def wait_known(self):
        """Wait until it is known whether images are in their files as they are."""
        self.settle()
        self.autosave.flush(20)
        self.qtbot.waitUntil(
            lambda: not self.autosave._unknown and not self.autosave._jobs, timeout=20000
        )

    def kept(self):
        """What is in the journal now, by name."""
        folder = self.autosave.folder
        return (
            {} if folder is None else {one.name: one for one in read_work(folder).layers.values()}
        )

    def end_at_once(self):
        """Leave the journal as a process does that is killed now."""
        self.settle()
        leave_as_killed(self.autosave)

    def restored(self, open_already=()):
        """The layers in a new window, by name, and what was said."""
        work = earlier_works(self.root)[0]
        other = ViewerModel()
        for layer in open_already:
            other.add_layer(layer)
        loaded = load(work, images_in(other))
        show(other, loaded)
        loaded.session.release()
        return {layer.name: layer for layer in other.layers}, loaded.problems


@pytest.fixture
def window(qtbot, journals):
    window = Window(qtbot, journals)
    yield window
    window.autosave.close()


@pytest.fixture
def seeds(window):
    image = window.viewer.add_image(np.zeros((10, 60, 70)), name="cells", **PLACE)
    return add_seeds_layer(window.viewer, image)


def stroke(layer, label, place, size=5):
    layer.brush_size = size
    layer.paint(place, label)


def is_on_disk(window, layer):
    """Whether the journal holds the layer as it is."""
    kept = window.kept()
    return layer.name in kept and np.array_equal(kept[layer.name].voxels, layer.data)


def wait_on_disk(window, layer):
    """Wait until it does."""
    window.qtbot.waitUntil(lambda: is_on_disk(window, layer), timeout=20000)


def test_every_edit_of_labels_is_kept(window, seeds, rng):
    stroke(seeds, 1, (3, 20, 20))
    wait_on_disk(window, seeds)
    stroke(seeds, 2, (3, 40, 20))
    wait_on_disk(window, seeds)
    seeds.undo()
    assert not (seeds.data == 2).any()
    wait_on_disk(window, seeds)
    seeds.redo()
    wait_on_disk(window, seeds)
    seeds.fill((3, 0, 0), 3)
    wait_on_disk(window, seeds)
    seeds.data_setitem((np.array([9, 9]), np.array([1, 2]), np.array([5, 6])), 4)
    wait_on_disk(window, seeds)
    seeds.paint_polygon([(5, 2, 2), (5, 2, 30), (5, 40, 30)], 6)
    assert (seeds.data == 6).any()
    wait_on_disk(window, seeds)
    with seeds.block_history():
        for y in range(10, 50):
            stroke(seeds, 5, (7, y, 33))
    wait_on_disk(window, seeds)
    # a program, which tells that it wrote
    seeds.data[2] = rng.integers(0, 9, seeds.data.shape[1:])
    seeds.refresh()
    wait_on_disk(window, seeds)
    # or gives another array, of another type
    seeds.data = rng.integers(0, 3, (4, 20, 20)).astype(np.uint8)
    wait_on_disk(window, seeds)
    stroke(seeds, 7, (1, 5, 5))
    wait_on_disk(window, seeds)


def test_a_write_that_tells_nothing_is_noticed_later(window, seeds, monkeypatch):
    stroke(seeds, 1, (3, 20, 20))
    wait_on_disk(window, seeds)
    seeds.data[8, 8, 8] = 9
    window.autosave._look_at_all()
    window.settle()
    assert np.array_equal(window.kept()[seeds.name].voxels, seeds.data)


def test_seeds_objects_points_and_shapes_come_back_as_they_were(window, seeds):
    stroke(seeds, 1, (3, 20, 20))
    set_background(seeds, 2)
    nuclei = np.zeros((10, 60, 70), np.uint16)
    nuclei[2:5, 5:20, 5:20], nuclei[2:5, 30:50, 30:50] = 4, 9
    objects = window.viewer.add_labels(nuclei, name="nuclei", opacity=0.3, **PLACE)
    objects.selected_label = 12
    stroke(objects, 12, (6, 20, 20))
    window.qtbot.wait(300)
    objects.features = {"index": [4, 9], "area": [1.5, np.nan]}
    set_states(objects, [4, 9], checked=True)
    set_states(objects, [9], locked=True, class_name="mitotic")
    points = window.viewer.add_points(
        [(1, 2, 3)], name="clicks", features={"label": ["a"]}, size=3, **PLACE
    )
    points.add([(4, 5, 6), (7.5, 8, 9)])
    points.features["label"] = ["a", "b", "c"]
    points.events.features()
    shapes = window.viewer.add_shapes(ndim=3, name="outlines", **PLACE)
    shapes.add_polygons([[(4, 1, 1), (4, 1, 9), (4, 9, 9)]])
    shapes.add_paths([[(2, 1, 1), (2, 1, 9)]], edge_width=2)
    shapes.name = "my outlines"
    window.viewer.layers.move(0, 2)
    before = {layer.name: layer for layer in window.viewer.layers}
    window.qtbot.wait(400)
    window.end_at_once()
    after, problems = window.restored()
    assert problems == []
    assert list(after) == list(before)
    for name, layer in after.items():
        old = before[name]
        assert type(layer) is type(old)
        for one, other in zip(layer.data, old.data, strict=True):
            np.testing.assert_array_equal(one, other)
        for place in ("scale", "translate", "rotate"):
            np.testing.assert_array_equal(getattr(layer, place), getattr(old, place))
        assert layer.units == old.units
        assert layer.opacity == old.opacity
        assert layer.features.equals(old.features) if not isinstance(layer, Image) else True
    assert background_of(after[seeds.name]) == 2
    assert object_states(after["nuclei"]).of(9) == (True, True, "mitotic")
    assert after["nuclei"].data.dtype == np.uint16
    assert after["nuclei"].selected_label == 12
    assert after["my outlines"].shape_type == ["polygon", "path"]


def test_labels_nobody_worked_on_are_not_kept_until_somebody_does(window, rng):
    painted, written, left = (
        window.viewer.add_labels(rng.integers(0, 5, (8, 90, 90)), name=name)
        for name in ("painted", "written", "left")
    )
    window.settle()
    window.viewer.dims.set_point(0, 3)
    window.qtbot.wait(400)
    window.settle()
    assert window.autosave.folder is None
    stroke(painted, 7, (3, 20, 20))
    written.data[1, 2, 3] = 11
    written.refresh()
    wait_on_disk(window, painted)
    wait_on_disk(window, written)
    assert left.name not in window.kept()


def test_results_of_runs_are_kept_once_edited_or_accepted(window, rng):
    results = {}
    for name in ("painted", "accepted", "checked", "left", "preview"):
        layer = Labels(rng.integers(0, 5, (30, 30)), name=name)
        record = {"operation": "threshold", **({"preview": True} if name == "preview" else {})}
        keep_record(layer, "labels", record, f"slot of {name}")
        window.viewer.add_layer(layer)
        results[name] = layer
    for _ in range(2):  # a run writes its next result
        for layer in results.values():
            layer.data[...] = rng.integers(0, 5, (30, 30))
            layer.refresh()
        window.qtbot.wait(350)
        window.settle()
    assert window.autosave.folder is None
    stroke(results["painted"], 7, (20, 20))
    accept(results["accepted"])
    set_states(results["checked"], [2], checked=True)
    wait_on_disk(window, results["checked"])
    wait_on_disk(window, results["painted"])
    wait_on_disk(window, results["accepted"])
    assert set(window.kept()) == {"painted", "accepted", "checked"}


@pytest.mark.parametrize("is_open", [True, False], ids=["on the open image", "with its image"])
def test_objects_kept_one_by_one_come_back_for_their_panel(window, tmp_path, rng, is_open):
    path = tmp_path / "cells.tif"
    write_result(path, "image", image_in_memory(rng))
    (image,) = opened(path)
    window.viewer.add_layer(image)
    objects = Labels(np.zeros((40, 50), np.int32), name="cells objects")
    # as the panel does it: live until the first is kept
    for label, record in enumerate(
        ({"operation": OPERATION, "live": True}, {"operation": OPERATION})
    ):
        objects.data[5 * label : 5 * label + 4, 3:9] = label
        keep_record(objects, "labels", record, f"one object/{image.unique_id}/objects")
        if not label:
            window.viewer.add_layer(objects)
            window.settle()
            assert window.autosave.folder is None
        objects.refresh()
    wait_on_disk(window, objects)
    window.wait_known()
    window.end_at_once()
    other = ViewerModel()
    if is_open:
        other.add_layer(opened(path)[0])
    loaded = load(earlier_works(window.root)[0], images_in(other))
    show(other, loaded)
    loaded.session.release()
    assert [layer.name for layer in other.layers] == ["cells", "cells objects"]
    slot = f"one object/{other.layers[0].unique_id}/objects"
    np.testing.assert_array_equal(find_result(other, slot).data, objects.data)


def test_a_layer_that_somebody_deletes_is_forgotten(window, seeds):
    points = window.viewer.add_points([(1, 2, 3)], name="clicks")
    stroke(seeds, 1, (3, 20, 20))
    window.settle()
    assert set(window.kept()) == {"cells", seeds.name, "clicks"}
    window.viewer.layers.remove(points)
    window.qtbot.waitUntil(lambda: set(window.kept()) == {"cells", seeds.name}, timeout=20000)


def test_a_window_that_closes_keeps_what_was_drawn_to_the_last_stroke(window, seeds):
    stroke(seeds, 1, (3, 20, 20))
    window.qtbot.wait(100)
    stroke(seeds, 2, (5, 20, 20))
    seeds.data[8, 8, 8] = 9
    seeds.refresh()
    expected = seeds.data.copy()
    # as napari closes: the layers go first
    window.viewer.layers.clear()
    window.window.close()
    (work,) = earlier_works(window.root)
    assert work.is_closed
    after, _ = window.restored()
    assert list(after) == ["cells", seeds.name]
    np.testing.assert_array_equal(after[seeds.name].data, expected)


def test_a_window_that_is_closed_writes_no_more(window, seeds):
    """Others of the same program go on."""
    stroke(seeds, 1, (3, 20, 20))
    window.settle()
    window.window.close()
    delays = window.autosave.findChildren(Delay)
    assert delays
    assert not any(delay.is_waiting for delay in delays)
    window.autosave._failed.emit("the disk is full")
    window.qtbot.wait(50)
    assert not any(delay.is_waiting for delay in delays)


def test_a_window_in_which_nobody_drew_leaves_nothing(window, seeds):
    window.qtbot.wait(400)
    window.settle()
    window.window.close()
    assert list(window.root.iterdir()) == []


def test_a_full_disk_is_said_once_and_work_goes_on(window, seeds, rng, monkeypatch):
    stroke(seeds, 1, (3, 20, 20))
    window.settle()
    said = []
    monkeypatch.setattr(autosave_module, "show_warning", said.append)
    import resource

    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1, hard))
    try:
        for nth in range(3):
            seeds.data[4 + nth] = rng.integers(0, 1000, seeds.data.shape[1:])
            seeds.refresh()
            window.qtbot.wait(350)
            window.settle()
            seeds.name = f"seeds {nth}"
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    window.qtbot.wait(100)
    assert len(said) == 1
    assert "Autosave could not write to" in said[0]
    window.autosave._look_at_all()
    wait_on_disk(window, seeds)
    assert set(window.kept()) == {"cells", "seeds 2"}


def opened(path):
    return [
        Image(data, **properties) for data, properties, _ in layers_of(read_image(path), str(path))
    ]


@pytest.fixture
def two_channels(samples, tmp_path):
    path = tmp_path / "two.ome.tif"
    path.write_bytes((samples / "dna_confocal_widefield.ome.tif").read_bytes())
    return path


def test_images_with_a_file_are_opened_again(window, two_channels):
    images = opened(two_channels)
    assert len(images) == 2
    for image in images:
        window.viewer.add_layer(image)
    images[1].contrast_limits = (3, 77)
    images[1].name = "widefield"
    stroke(add_seeds_layer(window.viewer, images[0]), 1, (3, 20, 20)[-images[0].ndim :])
    window.wait_known()
    window.end_at_once()
    size = sum(file.stat().st_size for file in window.autosave.folder.iterdir())
    assert size < 30_000 < images[0].data.nbytes
    after, problems = window.restored()
    assert problems == []
    for image in images:
        np.testing.assert_array_equal(after[image.name].data, image.data)
        np.testing.assert_array_equal(after[image.name].scale, image.scale)
        assert after[image.name].colormap.name == image.colormap.name
    assert tuple(after["widefield"].contrast_limits) == (3, 77)
    # those that are open already do not come twice
    again, _ = window.restored(open_already=opened(two_channels))
    assert len(again) == 3


def test_an_image_that_changed_is_said(window, tmp_path, rng):
    path = tmp_path / "cells.tif"
    write_result(path, "image", image_in_memory(rng))
    (image,) = opened(path)
    window.viewer.add_layer(image)
    stroke(add_seeds_layer(window.viewer, image), 1, (3, 20))
    window.wait_known()
    window.end_at_once()
    assert window.restored()[1] == []
    write_result(path, "image", image_in_memory(rng))
    after, problems = window.restored()
    assert problems == [f"The image 'cells' has changed since: {path}."]
    assert len(after) == 2


def test_an_image_that_a_program_changed_in_memory_is_kept_itself(window, tmp_path, rng):
    path = tmp_path / "cells.tif"
    write_result(path, "image", image_in_memory(rng))
    (image,) = opened(path)
    image.data = image.data + 1
    window.viewer.add_layer(image)
    stroke(add_seeds_layer(window.viewer, image), 1, (3, 20))
    window.wait_known()
    window.end_at_once()
    after, problems = window.restored()
    assert problems == []
    np.testing.assert_array_equal(after["cells"].data, image.data)


def image_in_memory(rng):
    from napari_seedbed.pipeline.data.image import Image as PipelineImage

    return PipelineImage(rng.integers(0, 99, (40, 50)).astype(np.uint8), ("y", "x"))


def test_an_image_whose_file_is_gone_is_said_and_the_rest_comes_back(window, tmp_path, rng):
    path = tmp_path / "cells.tif"
    write_result(path, "image", image_in_memory(rng))
    (image,) = opened(path)
    window.viewer.add_layer(image)
    seeds = add_seeds_layer(window.viewer, image)
    stroke(seeds, 1, (3, 20))
    window.end_at_once()
    path.unlink()
    after, (problem,) = window.restored()
    assert list(after) == [seeds.name]
    assert problem == f"The image 'cells' is missing: it was {path}. Open it again."


def test_images_from_memory_are_kept_where_they_are_small(window, rng, monkeypatch):
    monkeypatch.setattr(autosave_module, "LARGEST_IMAGE", 20_000)
    small = window.viewer.add_image(rng.random((40, 50)), name="small", rgb=False)
    window.viewer.add_image(rng.random((60, 50)), name="large", rgb=False)
    stroke(add_seeds_layer(window.viewer, small), 1, (3, 20))
    window.end_at_once()
    after, (problem,) = window.restored()
    np.testing.assert_array_equal(after["small"].data, small.data)
    assert "large" not in after
    assert problem.startswith("The image 'large' is missing: it was in no file and too large")


def test_a_damaged_journal_gives_what_is_whole_and_says_so(window, seeds):
    window.viewer.add_points([(1, 2, 3)], name="clicks")
    stroke(seeds, 1, (3, 20, 20))
    window.end_at_once()
    (file,) = (window.root / "killed").glob("*.journal")
    content = bytearray(file.read_bytes())
    place = content.index(b'"clicks"')
    content[place + 2] ^= 1
    file.write_bytes(content)
    after, problems = window.restored()
    assert list(after) == ["cells", seeds.name]
    assert problems == ["A part of what was kept is damaged and was left out."]


@pytest.mark.timing
def test_a_stroke_on_512_cubed_costs_the_window_little(qtbot, journals):
    window = Window(qtbot, journals)
    layer = window.viewer.add_labels(np.zeros((512, 512, 512), np.uint8), name="seeds")
    window.settle()
    seconds = []
    for nth in range(5):
        with layer.block_history():
            for x in range(100, 300, 4):
                stroke(layer, 1, (200 + nth, 250, x), size=10)
            started = time.perf_counter()
        window.autosave._write_strokes()
        seconds.append(time.perf_counter() - started)
    window.settle()
    np.testing.assert_array_equal(window.kept()["seeds"].voxels, layer.data)
    window.autosave.close()
    assert min(seconds) < bound(0.02)
