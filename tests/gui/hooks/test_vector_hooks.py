"""Shapes of other programs open in napari where they belong, and layers are saved for them."""

import json
from pathlib import Path

import numpy as np
import pytest
import roifile
from decided_states import set_states
from napari.layers import Labels, Points, Shapes
from PIL import Image as Pillow

from napari_seedbed.core.objects.object_surfaces import object_surfaces
from napari_seedbed.gui.hooks import npe2_hooks, vector_hooks
from napari_seedbed.gui.layers.seed_layers import seeds_image
from napari_seedbed.gui.layers.shape_layers import shapes_of
from napari_seedbed.pipeline.data.annotation_places import seeds_on
from napari_seedbed.pipeline.data.annotations import Annotation, Annotations
from napari_seedbed.pipeline.data.image import Image
from napari_seedbed.pipeline.files import write_image, write_result
from napari_seedbed.pipeline.files.vector_readers import read_annotations

PLUGIN = "napari-seedbed"
pytestmark = pytest.mark.usefixtures("plugin_found")
FILES = Path(__file__).parents[2] / "pipeline" / "files" / "vectors"
SPACING = (2.0, 0.5, 0.5)
OUTER = np.array([(4.5, 4.5), (4.5, 24.5), (20.5, 24.5), (20.5, 4.5)])
HOLE = np.array([(8.5, 8.5), (8.5, 14.5), (15.5, 14.5), (15.5, 8.5)])
ITEMS = (
    Annotation("polygon", ((OUTER, HOLE),), 5, "gland 1", "gland", "#ff8000", z=3),
    Annotation("ellipse", ((OUTER / 2 + 15,),), 2, "oval", z=1, c=0),
    Annotation("path", ((HOLE + 0.25,),), 7, "duct", z=0),
    Annotation("points", ((np.array([(3.25, 30.0), (28, 3)]),),), 9, "spots", z=2),
    Annotation("line", ((np.array([(1.0, 1), (1, 9)]),),), 4, "everywhere"),
)


@pytest.fixture
def volume(tmp_path):
    image = Image(
        np.zeros((5, 32, 40), np.uint8),
        ("z", "y", "x"),
        SPACING,
        ("micrometer",) * 3,
        translate=(10.0, 0.0, 7.0),
        name="volume",
    )
    write_image(tmp_path / "volume.ome.tif", image)
    return image


@pytest.mark.display
@pytest.mark.parametrize("ending", [".zip", ".geojson"])
def test_a_file_dropped_on_an_image_lies_on_it_and_seeds_it(
    tmp_path, make_napari_viewer, volume, ending
):
    items = ITEMS if ending == ".zip" else ITEMS[:4]
    path = write_result(tmp_path / f"marks{ending}", "shapes", Annotations(items))
    viewer = make_napari_viewer()
    viewer.open(tmp_path / "volume.ome.tif", plugin=PLUGIN)
    image = viewer.layers[0]
    layers = viewer.open(path, plugin=PLUGIN)
    shapes = next(layer for layer in layers if isinstance(layer, Shapes) and layer.ndim == 3)
    points = next(layer for layer in layers if isinstance(layer, Points))
    assert list(shapes.features["label"]) == [5, 2, 7]
    assert list(shapes.features["name"]) == ["gland 1", "oval", "duct"]
    assert shapes.features["class"][0] == "gland"
    assert shapes.shape_type == ["polygon", "ellipse", "path"]
    np.testing.assert_allclose(shapes.edge_color[0][:3], (1, 128 / 255, 0), atol=0.002)
    np.testing.assert_array_equal(shapes.scale, image.scale)
    np.testing.assert_array_equal(shapes.translate, image.translate)
    np.testing.assert_array_equal(points.data, [[2, 3.25, 30], [2, 28, 3]])
    # what a person sees is what seeds are: the hole is no part of it
    seeds = seeds_image(shapes, image).array
    expected = seeds_on(Annotations(items[:2]), volume).array
    np.testing.assert_array_equal(np.where(seeds == 7, 0, seeds), expected)
    started, _ = shapes_of(shapes, image)
    assert [(shape.label, shape.closed) for shape in started] == [(5, True), (2, True), (7, False)]
    if ending == ".zip":
        everywhere = next(layer for layer in layers if layer.ndim == 2)
        assert everywhere.name.endswith("on all slices")
        np.testing.assert_array_equal(everywhere.scale, image.scale[1:])


def test_rois_without_an_image_open_in_voxels(viewer_model):
    viewer_model.open(FILES / "measure_shapes_rois.zip", plugin=PLUGIN)
    (layer,) = viewer_model.layers
    assert (layer.name, layer.ndim, len(layer.data)) == ("measure_shapes_rois", 2, 3)
    for data, roi in zip(
        layer.data, roifile.roiread(FILES / "measure_shapes_rois.zip"), strict=True
    ):
        np.testing.assert_allclose(data[:, ::-1] + 0.5, roi.coordinates())


def test_an_overlay_of_imagej_opens_with_its_image(viewer_model):
    viewer_model.open(FILES / "overlay.tif", plugin=PLUGIN)
    image, shapes = viewer_model.layers
    assert list(shapes.features["name"]) == ["bg", "171", "85"]
    np.testing.assert_array_equal(shapes.scale, image.scale)


def test_what_does_not_fit_on_the_image_opens_in_voxels_and_says_so(
    tmp_path, viewer_model, monkeypatch
):
    told = []
    monkeypatch.setattr(vector_hooks, "show_info", told.append)
    path = write_result(tmp_path / "a.zip", "shapes", Annotations(ITEMS[:3]))
    flat = viewer_model.add_image(np.zeros((32, 40)), scale=(2, 2), name="flat")
    (layer,) = vector_hooks._laid_on(read_annotations(path), str(path), flat)
    assert "Not laid on 'flat': shapes: polygon 'gland 1' lies on slice 4" in told[0]
    assert "scale" not in layer[1]
    # a position in the stack of a file with channels runs through these first
    item = Annotation("polygon", ((OUTER,),), position=2 * 3 + 1)
    write_image(tmp_path / "c.ome.tif", Image(np.zeros((3, 4, 32, 40), np.uint8), tuple("czyx")))
    channel = viewer_model.open(tmp_path / "c.ome.tif", plugin=PLUGIN)[0]
    (layer,) = vector_hooks._laid_on(Annotations((item,)), "a.roi", channel)
    assert set(layer[0][0][:, 0]) == {2}


def test_zip_and_json_files_of_others_are_left_to_others(tmp_path):
    (tmp_path / "a.json").write_text('{"type": "none"}')
    (tmp_path / "a.zip").write_bytes(b"PK\x05\x06" + bytes(18))
    (tmp_path / "a_shapes.csv").write_text("time,value\n1,2\n")
    for path in tmp_path.iterdir():
        assert npe2_hooks.get_reader(str(path)) is None
    assert npe2_hooks.get_reader(str(FILES / "point.roi")) is not None


@pytest.mark.parametrize("ending", [".zip", ".geojson", ".csv"])
def test_layers_come_back_from_what_they_were_saved_as(tmp_path, viewer_model, ending):
    flat = Annotations(ITEMS[:3])
    (layer,) = viewer_model.open(write_result(tmp_path / "a.zip", "shapes", flat), plugin=PLUGIN)
    assert layer.save(str(tmp_path / f"b{ending}"), plugin=PLUGIN)
    saved = read_annotations(tmp_path / f"b{ending}")
    said = ("form", "label", "name", "group", "z")
    for one, other in zip(saved.items, flat.items, strict=True):
        assert [getattr(one, name) for name in said] == [getattr(other, name) for name in said]
        assert [len(part) for part in one.parts] == [len(part) for part in other.parts]
    points = Points([[1, 2.5, 3]], features={"label": [6], "name": ["spot"]}, name="spots")
    points.save(str(tmp_path / f"p{ending}"), plugin=PLUGIN)
    (spot,) = read_annotations(tmp_path / f"p{ending}").items
    assert (spot.label, spot.name, spot.z) == (6, "spot", 1)
    np.testing.assert_array_equal(spot.parts[0][0], [[2.5, 3]])


def test_labels_are_saved_with_their_classes_and_as_meshes(tmp_path):
    array = np.zeros((6, 12, 12), np.uint8)
    array[1:5, 2:9, 2:9], array[2, 4, 4] = 3, 0
    layer = Labels(array, scale=SPACING, name="cells")
    set_states(layer, [3], class_name="Tumor")
    layer.save(str(tmp_path / "a.geojson"), plugin=PLUGIN)
    features = json.loads((tmp_path / "a.geojson").read_text("utf-8"))["features"]
    assert [one["geometry"]["plane"]["z"] for one in features] == [1, 2, 3, 4]
    assert [len(one["geometry"]["coordinates"]) for one in features] == [1, 2, 1, 1]
    assert features[0]["properties"]["classification"] == {"name": "Tumor"}
    layer.save(str(tmp_path / "a.stl"), plugin=PLUGIN)
    data = (tmp_path / "a.stl").read_bytes()
    faces = object_surfaces(array, SPACING, smoothing=2.0).faces
    assert int.from_bytes(data[80:84], "little") == len(faces)
    vector_hooks.write_meshes_each(str(tmp_path / "b.obj"), *layer.as_layer_data_tuple()[:2])
    assert (tmp_path / "b_3.obj").exists()


@pytest.mark.display
def test_a_picture_shows_the_slice_on_screen(tmp_path, make_napari_viewer, volume):
    viewer = make_napari_viewer()
    image = viewer.add_image(volume.array + 7, scale=SPACING, name="volume")
    array = np.zeros(volume.shape, np.uint8)
    array[4, 10:20, 10:20] = 1
    labels = viewer.add_labels(array, scale=SPACING, name="cells")
    for z, coloured in ((4, True), (1, False)):
        viewer.dims.set_current_step(0, z)
        data = [image.as_layer_data_tuple(), labels.as_layer_data_tuple()]
        (path,) = vector_hooks.write_picture_of_layers(str(tmp_path / f"{z}.png"), data)
        with Pillow.open(path) as picture:
            found = np.ptp(np.asarray(picture.convert("RGB")).astype(int), axis=2).max() > 20
        assert found == coloured
