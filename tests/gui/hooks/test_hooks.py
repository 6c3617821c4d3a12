"""Files open and are saved through napari's own commands."""

import numpy as np
import pytest
import tifffile
from napari.components import ViewerModel
from napari.layers import Image as ImageLayer
from napari.layers import Labels
from napari.settings._plugin_config_generator import plugin_configuration_generator
from qtpy.QtCore import Qt, QTimer
from qtpy.QtWidgets import QApplication
from zarr_scenes import write_plate

from napari_seedbed.errors import FileError
from napari_seedbed.gui.hooks import npe2_hooks
from napari_seedbed.gui.hooks.images_dialog import ImagesDialog
from napari_seedbed.gui.hooks.label_question import LabelQuestion
from napari_seedbed.gui.layers.image_layers import image_from_layers
from napari_seedbed.gui.layers.layer_records import is_truth
from napari_seedbed.gui.layers.opened_images import contrast_limits
from napari_seedbed.gui.qt import plugin_settings
from napari_seedbed.pipeline.data.image import Image
from napari_seedbed.pipeline.files import read_image, write_image, write_result, zarr_reading
from napari_seedbed.pipeline.files.images_of_file import ImageOfFile

PLUGIN = "napari-seedbed"
pytestmark = pytest.mark.usefixtures("plugin_found")


def write(path, **properties):
    data = np.random.default_rng(1).integers(0, 1000, (3, 4, 16, 20)).astype(np.uint16)
    image = Image(
        **{
            "array": data,
            "axes": ("c", "z", "y", "x"),
            "spacing": (0.5, 0.2, 0.2),
            "units": ("micrometer",) * 3,
            "channel_names": ("DAPI", "GFP", "RFP"),
            "channel_colors": ("#0000ff", "#00ff00", "#ff0000"),
            **properties,
        }
    )
    write_image(path, image)
    return data


def test_channels_open_as_layers_with_names_colours_and_voxel_size(tmp_path, viewer_model):
    data = write(tmp_path / "cells.ome.tif")
    layers = viewer_model.open(tmp_path / "cells.ome.tif", plugin=PLUGIN)
    assert [layer.name for layer in layers] == ["DAPI - cells", "GFP - cells", "RFP - cells"]
    for i, layer in enumerate(layers):
        np.testing.assert_array_equal(layer.data, data[i])
        assert tuple(layer.scale) == (0.5, 0.2, 0.2)
        assert [str(unit) for unit in layer.units] == ["micrometer"] * 3
        assert layer.axis_labels == ("z", "y", "x")
        assert not layer.rgb
        np.testing.assert_allclose(layer.colormap.colors[-1][:3], np.eye(3)[2 - i])
        source = layer.metadata["napari_seedbed"]["source"]
        assert source["channel"] == i
        assert source["path"].endswith("cells.ome.tif")


def test_opened_layers_give_back_the_image_of_the_file(tmp_path, viewer_model):
    path = tmp_path / "cells.ome.tif"
    write(path)
    layers = viewer_model.open(path, plugin=PLUGIN)
    read = read_image(path)
    one = image_from_layers(layers[1])
    wanted = read.select_channels([1])
    np.testing.assert_array_equal(one.volume(), wanted.volume())
    assert one.source_channels == wanted.source_channels == (1,)
    assert one.spacing == read.spacing
    assert one.units == read.units


@pytest.fixture
def chosen(monkeypatch):
    """The preferences, kept in no file."""
    settings = plugin_configuration_generator()[PLUGIN](config_path=None)
    monkeypatch.setattr(plugin_settings, "get_plugin_settings", {PLUGIN: settings}.__getitem__)
    return settings


def test_labels_open_as_labels_with_voxel_size_ready_to_paint(tmp_path, viewer_model, chosen):
    array = np.random.default_rng(0).integers(0, 9, (4, 16, 20)).astype(np.uint16)
    image = Image(array, ("z", "y", "x"), spacing=(1.0, 0.3, 0.3), units=("micrometer",) * 3)
    write_result(tmp_path / "cells.ome.tif", "labels", image)
    (layer,) = viewer_model.open(tmp_path / "cells.ome.tif", plugin=PLUGIN)
    assert isinstance(layer, Labels)
    assert (layer.name, tuple(layer.scale)) == ("cells", (1.0, 0.3, 0.3))
    assert str(layer.units[0]) == "micrometer"
    layer.data_setitem((np.array([0]),) * 3, 7)
    assert np.asarray(layer.data)[0, 0, 0] == 7
    np.testing.assert_array_equal(np.asarray(layer.data).ravel()[1:], array.ravel()[1:])
    source = layer.metadata["napari_seedbed"]["source"]
    assert source["path"].endswith("cells.ome.tif")
    chosen.files.label_images = "images"
    (layer,) = viewer_model.open(tmp_path / "cells.ome.tif", plugin=PLUGIN)
    assert isinstance(layer, ImageLayer)


def test_labels_of_other_programs_open_as_labels(tmp_path, viewer_model, chosen):
    folder = tmp_path / "01_GT" / "TRA"
    folder.mkdir(parents=True)
    for n in range(3):
        tifffile.imwrite(folder / f"man_track{n:03}.tif", np.full((6, 7), n, np.uint16))
    tifffile.imwrite(tmp_path / "a_cp_masks.tif", np.ones((6, 7), bool))
    (tracks,) = viewer_model.open(folder, plugin=PLUGIN)
    (masks,) = viewer_model.open(tmp_path / "a_cp_masks.tif", plugin=PLUGIN)
    assert isinstance(tracks, Labels)
    assert isinstance(tracks.data, np.ndarray), "painting into a lazy array is slow"
    assert [int(plane.max()) for plane in tracks.data] == [0, 1, 2]
    assert is_truth(tracks)
    assert isinstance(masks, Labels)
    assert not is_truth(masks)
    np.save(tmp_path / "a_seg.npy", {"masks": 1}, allow_pickle=True)
    with pytest.raises(FileError, match="_cp_masks"):
        viewer_model.open(tmp_path / "a_seg.npy", plugin=PLUGIN)


@pytest.mark.display
def test_question_is_asked_where_wanted_and_its_answer_is_remembered(
    tmp_path, make_napari_viewer, chosen, monkeypatch
):
    viewer = make_napari_viewer()
    tifffile.imwrite(tmp_path / "a_mask.tif", np.ones((6, 7), np.uint8))
    chosen.files.label_images = "ask"
    asked = []

    def press_image(question):
        asked.append(question.text())
        question.image.click()
        return 0

    monkeypatch.setattr(LabelQuestion, "exec", press_image)
    for _ in range(2):
        (layer,) = viewer.open(tmp_path / "a_mask.tif", plugin=PLUGIN)
        assert isinstance(layer, ImageLayer)
    assert len(asked) == 1
    assert "a_mask.tif" in asked[0]
    assert chosen.files.label_images == "images"


@pytest.mark.display
def test_a_question_that_is_left_opens_nothing_and_is_asked_again(
    tmp_path, make_napari_viewer, chosen, qtbot
):
    viewer = make_napari_viewer()
    tifffile.imwrite(tmp_path / "a_mask.tif", np.ones((6, 7), np.uint8))
    chosen.files.label_images = "ask"
    left = []

    def leave():
        """Wait for the question to be there, and press Esc or close its window."""
        question = QApplication.activeModalWidget()
        if not isinstance(question, LabelQuestion) or not question.isVisible():
            QTimer.singleShot(20, leave)
            return
        left.append(question)
        if len(left) == 1:
            qtbot.keyClick(question, Qt.Key.Key_Escape)
        else:
            question.close()

    for times in (1, 2):
        QTimer.singleShot(0, leave)
        assert viewer.open(tmp_path / "a_mask.tif", plugin=PLUGIN) == []
        assert len(left) == times
        assert len(viewer.layers) == 0
        assert chosen.files.label_images == "ask"


def test_time_series_opens_with_its_time_axis(tmp_path, viewer_model):
    array = np.random.default_rng(0).integers(0, 9, (5, 16, 20)).astype(np.uint8)
    image = Image(array, ("t", "y", "x"), spacing=(0.3, 0.3), units=("micrometer",) * 2)
    write_image(tmp_path / "film.ome.tif", image)
    (layer,) = viewer_model.open(tmp_path / "film.ome.tif", plugin=PLUGIN)
    assert layer.axis_labels == ("t", "y", "x")
    assert tuple(layer.scale) == (1, 0.3, 0.3)
    assert image_from_layers(layer).axes == ("t", "y", "x")


def test_rgb_opens_as_rgb_and_a_narrow_grey_image_does_not(tmp_path, viewer_model):
    tifffile.imwrite(tmp_path / "colour.tif", np.zeros((9, 8, 3), np.uint8), photometric="rgb")
    tifffile.imwrite(
        tmp_path / "narrow.tif", np.eye(9, 3, dtype=np.uint8), photometric="minisblack"
    )
    (colour,) = viewer_model.open(tmp_path / "colour.tif", plugin=PLUGIN)
    (narrow,) = viewer_model.open(tmp_path / "narrow.tif", plugin=PLUGIN)
    assert colour.rgb
    assert not narrow.rgb


def test_contrast_leaves_out_hot_pixels():
    array = np.tile(np.arange(100.0), (100, 1))
    array[0, 0] = 1e6
    low, high = contrast_limits(Image(array, ("y", "x")))
    assert (low, high) == (0, 99)


def test_flat_image_gets_no_contrast_limits():
    assert contrast_limits(Image(np.ones((4, 4)), ("y", "x"))) is None


def test_nan_does_not_reach_the_contrast_limits():
    array = np.arange(100.0).reshape(10, 10)
    array[3, 3] = np.nan
    assert np.isfinite(contrast_limits(Image(array, ("y", "x")))).all()


def test_truncated_file_says_what_is_wrong(tmp_path, viewer_model):
    path = tmp_path / "cells.ome.tif"
    write(path)
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    with pytest.raises(FileError, match=r"cells\.ome\.tif"):
        viewer_model.open(path, plugin=PLUGIN)
    assert len(viewer_model.layers) == 0


@pytest.mark.display
def test_truncated_file_gives_one_message_in_the_window(tmp_path, make_napari_viewer, monkeypatch):
    shown = []
    monkeypatch.setattr(npe2_hooks.errors, "show_error", shown.append)
    viewer = make_napari_viewer()
    path = tmp_path / "cells.ome.tif"
    write(path)
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    assert viewer.open(path, plugin=PLUGIN) == []
    assert len(shown) == 1
    assert "cells.ome.tif" in shown[0]


def write_planes(folder, count=11):
    folder.mkdir()
    planes = np.random.default_rng(3).integers(0, 4000, (count, 6, 7)).astype(np.uint16)
    for n, plane in enumerate(planes):
        tifffile.imwrite(folder / f"plane{n + 1}.tif", plane)
    return planes


def write_three_images(path):
    with tifffile.TiffWriter(path, ome=True) as tif:
        for name, size in (("nucleus", 16), ("membrane", 20), ("overview", 24)):
            tif.write(np.full((size, size), size, np.uint8), metadata={"axes": "YX", "Name": name})


@pytest.mark.parametrize("chosen", [[2], [1, 3], []])
def test_a_file_with_several_images_asks_which_to_open(tmp_path, viewer_model, monkeypatch, chosen):
    path = tmp_path / "cells.ome.tif"
    write_three_images(path)
    asked = []

    def answer(name, images):
        asked.append((name, [str(image) for image in images]))
        return chosen

    monkeypatch.setattr(npe2_hooks, "current_viewer", lambda: viewer_model)
    monkeypatch.setattr(npe2_hooks, "ask_for_images", answer)
    layers = viewer_model.open(path, plugin=PLUGIN)
    assert asked == [
        (
            "cells.ome.tif",
            ["nucleus: 16 x 16, uint8", "membrane: 20 x 20, uint8", "overview: 24 x 24, uint8"],
        )
    ]
    assert [layer.data[0, 0] for layer in layers] == [12 + 4 * number for number in chosen]
    sources = [layer.metadata["napari_seedbed"]["source"]["series"] for layer in layers]
    assert sources == chosen


def test_the_list_of_images_gives_their_numbers(qtbot):
    dialog = ImagesDialog("a.tif", [ImageOfFile(name, (5, 6), "uint8") for name in "abc"])
    qtbot.addWidget(dialog)
    assert dialog.chosen == [1]
    dialog.list.item(2).setSelected(True)
    assert dialog.chosen == [1, 3]
    dialog.list.clearSelection()
    assert not dialog.open_button.isEnabled()
    dialog.list.setCurrentRow(1)
    with qtbot.waitSignal(dialog.accepted):
        dialog.open_button.click()
    assert dialog.chosen == [2]


def test_folder_opens_as_one_lazy_stack(tmp_path, viewer_model):
    planes = write_planes(tmp_path / "plate")
    (layer,) = viewer_model.open(tmp_path / "plate", plugin=PLUGIN)
    assert (layer.name, layer.axis_labels) == ("plate", ("z", "y", "x"))
    assert not isinstance(layer.data, np.ndarray)
    np.testing.assert_array_equal(np.asarray(layer.data), planes)


def test_several_files_open_as_one_stack(tmp_path, viewer_model):
    planes = write_planes(tmp_path / "plate")
    files = sorted((tmp_path / "plate").iterdir())
    (layer,) = viewer_model.open(files, stack=True, plugin=PLUGIN)
    np.testing.assert_array_equal(np.asarray(layer.data), planes)


def test_zarr_that_says_what_it_holds_opens_as_one_image(viewer_model, shared_data):
    folder = shared_data / "formats"
    layers = viewer_model.open(folder / "ngio_test_image_czyx.zarr", plugin=PLUGIN)
    assert [layer.name for layer in layers] == [
        *(f"channel{i} - ngio_test_image_czyx" for i in (1, 2)),
        "ngio_test_image_czyx - label",
    ]
    assert tuple(layers[0].scale) == (2, 0.5, 0.5)
    for name in ("ome_zarr_simple_0.4.zarr/scale0/image", "ome_zarr_simple_0.5.zarr/scale0"):
        assert npe2_hooks.get_reader(str(folder / name)) is None


def test_folders_without_images_are_left_to_other_readers(tmp_path):
    assert npe2_hooks.get_reader(str(tmp_path)) is None
    write_planes(tmp_path / "image.zarr")
    (tmp_path / "image.zarr" / "zarr.json").write_text("{}")
    assert npe2_hooks.get_reader(str(tmp_path / "image.zarr")) is None


def test_files_of_other_kinds_are_left_to_other_readers():
    assert npe2_hooks.get_reader(["a.docx", "b.docx"]) is None


# samples and commands


@pytest.mark.parametrize(
    ("sample", "count"),
    [
        ("nuclei", 2),
        ("nuclei_2d", 2),
        ("membranes", 1),
        ("film", 1),
        ("two_channels", 2),
        ("cat", 1),
    ],
)
def test_samples_open_from_the_file_menu(viewer_model, sample, count):
    assert len(viewer_model.open_sample(PLUGIN, sample)) == count


def test_nuclei_come_with_their_truth_on_the_same_grid(viewer_model):
    image, truth = viewer_model.open_sample(PLUGIN, "nuclei")
    assert isinstance(truth, Labels)
    assert not truth.visible
    assert truth.data.max() == 54
    np.testing.assert_array_equal(truth.scale, image.scale)
    np.testing.assert_allclose(image.scale, (0.2837, 0.1268, 0.1268), atol=1e-4)


def test_new_seeds_go_on_the_selected_image():
    viewer = ViewerModel()
    chosen = viewer.add_image(np.zeros((8, 9)), name="chosen", rgb=False)
    viewer.add_image(np.zeros((4, 5)), rgb=False)
    viewer.layers.selection.active = chosen
    npe2_hooks.new_seeds(viewer)
    assert viewer.layers.selection.active.data.shape == (8, 9)


def test_new_seeds_without_an_image_say_what_to_do(monkeypatch):
    told = []
    monkeypatch.setattr(npe2_hooks.errors, "show_warning", told.append)
    npe2_hooks.new_seeds(ViewerModel())
    assert told == ["image: there is none to put seeds on; open an image first."]


def test_labels_come_along_with_their_image_and_everything_is_saved_together(
    tmp_path, viewer_model, rng
):
    array = rng.integers(0, 1000, (2, 30, 40)).astype(np.uint16)
    painted = np.zeros((30, 40), np.int32)
    painted[3:9, 4:20] = 7
    options = {"scale": (0.5, 0.25), "units": ("micrometer",) * 2, "axis_labels": ("y", "x")}
    for name, channel, colour in (("DAPI", array[0], "blue"), ("GFP", array[1], "#ff8000")):
        viewer_model.add_image(channel, name=f"{name} - cells", colormap=colour, **options)
    viewer_model.add_labels(painted, name="nuclei", **options)
    (path,) = viewer_model.layers.save(str(tmp_path / "all.ome.zarr"), plugin=PLUGIN)
    viewer_model.layers.clear()
    layers = viewer_model.open(path, plugin=PLUGIN)
    assert [layer.name for layer in layers] == ["DAPI - all", "GFP - all", "all - nuclei"]
    for layer, channel, colour in zip(layers, array, ("#0000ff", "#ff8000"), strict=False):
        np.testing.assert_array_equal(layer.data, channel)
        expected = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
        np.testing.assert_allclose(layer.colormap.colors[-1, :3], expected, atol=1e-6)
    assert isinstance(layers[2], Labels)
    np.testing.assert_array_equal(layers[2].data, painted)
    for layer in layers:
        assert (tuple(layer.scale), str(layer.units[0])) == ((0.5, 0.25), "micrometer")
    for chosen, name in ((layers[:2], "both"), (layers[:1], "image"), (layers[2:], "labels")):
        viewer_model.layers.selection = set(chosen)
        (path,) = viewer_model.layers.save(
            str(tmp_path / f"{name}.ome.zarr"), selected=True, plugin=PLUGIN
        )
        found = read_image(path)
        assert (found.n_channels, found.holds_labels) == (len(chosen), name == "labels")


@pytest.mark.parametrize("chosen", [[2], [1, 4]])
def test_fields_of_a_plate_are_asked_for(tmp_path, viewer_model, monkeypatch, chosen):
    path = write_plate(tmp_path / "plate.zarr", 0.5)
    asked = []

    def answer(name, images):
        asked.append((name, [image.name for image in images]))
        return chosen

    monkeypatch.setattr(npe2_hooks, "current_viewer", lambda: viewer_model)
    monkeypatch.setattr(npe2_hooks, "ask_for_images", answer)
    layers = viewer_model.open(path, plugin=PLUGIN)
    names = ["A/1 field 1", "A/1 field 2", "B/03 field 1", "B/03 field 2"]
    assert asked == [("plate.zarr", names)]
    expected = [f"plate - {names[number - 1]}" for number in chosen]
    if 4 in chosen:
        expected.append("plate - B/03 field 2 labels nuclei")
    assert [layer.name for layer in layers] == expected
    assert [layer.data[0, 0] for layer in layers] == [*chosen, 7][: len(layers)]


def test_a_large_store_opens_in_all_its_resolutions(tmp_path, viewer_model, monkeypatch, rng):
    array = rng.integers(0, 60000, (2, 600, 700)).astype(np.uint16)
    image = Image(array, tuple("cyx"), (0.5, 0.25), ("micrometer",) * 2, translate=(3.0, 4.0))
    path = write_result(tmp_path / "cells.ome.zarr", "image", image)
    monkeypatch.setattr(zarr_reading, "LAZY_ABOVE", 1000)
    layers = viewer_model.open(path, plugin=PLUGIN)
    for layer, channel in zip(layers, array, strict=True):
        assert layer.multiscale
        assert [level.shape for level in layer.data] == [(600, 700), (300, 350), (150, 175)]
        assert all(hasattr(level, "dask") for level in layer.data)
        assert (tuple(layer.scale), tuple(layer.translate)) == ((0.5, 0.25), (3, 4))
        found = image_from_layers(layer)
        np.testing.assert_array_equal(np.asarray(found.array), channel)
        assert (found.spacing, found.translate) == ((0.5, 0.25), (3, 4))
