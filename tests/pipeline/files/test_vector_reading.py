"""Shapes and points of other programs: what is read is what these programs say is there."""

import json
import struct
import zipfile
from pathlib import Path

import numpy as np
import pytest
import roifile
import shapely

from napari_seedbed.errors import FileError
from napari_seedbed.pipeline.files.vector_readers import (
    VECTOR_READERS,
    is_vector_file,
    read_annotations,
    vector_patterns,
)

HERE = Path(__file__).parent / "vectors"
TOLD = sorted(HERE.glob("*.json"))


def shape_of(item):
    """As shapely has it, in ImageJ's own coordinates (x, y)."""
    half = 0.5 if item.is_area else 0.0
    parts = [[ring[:, ::-1] + half for ring in part] for part in item.parts]
    if item.form == "points":
        return shapely.MultiPoint(parts[0][0])
    if not item.is_area:
        return shapely.LineString(parts[0][0])
    return shapely.MultiPolygon([(part[0], part[1:]) for part in parts])


def xored(rings):
    """What rings enclose by the even-odd rule."""
    found = shapely.Polygon()
    for ring in rings:
        found = found.symmetric_difference(shapely.Polygon(ring))
    return found


@pytest.mark.parametrize("told", TOLD, ids=lambda path: path.stem)
def test_rois_are_what_imagej_says_of_them(told):
    (expected,) = json.loads(told.read_text()).values()
    (item,) = read_annotations(told.with_suffix(".roi")).items
    found, kind = shape_of(item), expected["type"]
    if kind == "composite":
        assert item.form == "polygon"
        assert found.symmetric_difference(xored(expected["paths"])).area < 1e-9
    elif kind in ("rectangle", "oval"):
        assert item.form == {"rectangle": "rectangle", "oval": "ellipse"}[kind]
        left, top = expected["left"], expected["top"]
        box = (left, top, left + expected["width"], top + expected["height"])
        assert found.bounds == box
    elif "aspect_ratio" in expected:
        # napari's ellipse: the box's sides are the axes, the ends of the longer one are told
        corners = np.asarray(item.parts[0][0])[:, ::-1] + 0.5
        ends = [(corners[0] + corners[3]) / 2, (corners[1] + corners[2]) / 2]
        told_ends = [[expected[f"e{axis}{n}"] for axis in "xy"] for n in (1, 2)]
        assert item.form == "ellipse"
        assert np.allclose(sorted(map(tuple, ends)), sorted(map(tuple, told_ends)), atol=1e-6) or (
            np.allclose((corners[0] + corners[1]) / 2, told_ends[0], atol=1e-6)
        )
        sides = np.linalg.norm(np.diff(corners[:3], axis=0), axis=1)
        assert sides.min() / sides.max() == pytest.approx(expected["aspect_ratio"], rel=1e-6)
    else:
        forms = {"point": "points", "polygon": "polygon", "freehand": "polygon"}
        assert item.form == forms.get(kind, "path")
        np.testing.assert_array_equal(
            shapely.get_coordinates(found)[: len(expected["x"])],
            np.transpose([expected["x"], expected["y"]]),
        )
    if isinstance(expected["position"], dict):
        channel, z, t = (expected["position"][axis] - 1 for axis in ("channel", "slice", "frame"))
        assert (item.c, item.z, item.t) == (channel, z, t)
    else:
        assert (item.c, item.z, item.t, item.position) == (None,) * 4


def test_sets_and_overlays_come_in_order_with_names():
    rois = read_annotations(HERE / "measure_shapes_rois.zip")
    assert [item.name for item in rois.items] == ["1", "2", "3"]
    for item, roi in zip(
        rois.items, roifile.roiread(HERE / "measure_shapes_rois.zip"), strict=True
    ):
        assert shape_of(item).equals(shapely.Polygon(roi.coordinates()))
    overlay = read_annotations(HERE / "overlay.tif")
    assert [(item.name, item.form) for item in overlay.items] == [
        ("bg", "rectangle"),
        ("171", "polygon"),
        ("85", "polygon"),
    ]


def test_points_of_a_multipoint_lie_on_the_slices_of_their_own(tmp_path):
    roi = roifile.ImagejRoi.frompoints(np.array([[1.5, 2], [3, 4], [5, 6]]))
    roi.roitype = roifile.ROI_TYPE.POINT
    roi.counters = np.zeros(3, np.uint8)
    roi.counter_positions = np.array([2, 7, 2], np.uint32)
    roi.tofile(tmp_path / "a.roi")
    first, second = read_annotations(tmp_path / "a.roi").items
    assert (first.position, second.position) == (1, 6)
    np.testing.assert_array_equal(first.parts[0][0], [[2, 1.5], [6, 5]])


def test_groups_colours_and_rotated_rectangles(tmp_path):
    roi = roifile.ImagejRoi(roitype=roifile.ROI_TYPE.RECT, left=-7000, top=-3, right=9, bottom=4)
    roi.options = roifile.ROI_OPTIONS.SUB_PIXEL_RESOLUTION
    roi.xd, roi.yd, roi.widthd, roi.heightd = -7000.25, -3.5, 80000, 7.75
    roi.group, roi.stroke_color, roi.position = 4, b"\xff\x10\x20\x30", 5
    roi.tofile(tmp_path / "far.roi")
    (item,) = read_annotations(tmp_path / "far.roi").items
    assert shape_of(item).bounds == (-7000.25, -3.5, 72999.75, 4.25)
    assert (item.group, item.colour, item.position, item.name) == ("group 4", "#102030", 4, "far")


QUPATH = {
    "type": "FeatureCollection",
    "features": [
        {
            "type": "Feature",
            "id": "0c6b7a52",
            "geometry": {
                "type": "Polygon",
                "coordinates": [
                    [[0, 0], [10, 0], [10, 10], [0, 10], [0, 0]],
                    [[2, 2], [2, 4], [4, 4], [4, 2], [2, 2]],
                ],
                "plane": {"c": -1, "z": 3, "t": 1},
            },
            "properties": {
                "objectType": "annotation",
                "name": "gland",
                "classification": {"name": "Tumor", "color": [200, 0, 0]},
                "measurements": [],
            },
        },
        {
            "type": "Feature",
            "geometry": {
                "type": "MultiPolygon",
                "coordinates": [[[[20, 0], [25, 0], [25.5, 5]]], [[[30, 0], [31, 0], [31, 1]]]],
            },
            "properties": {
                "objectType": "detection",
                "classification": {"names": ["Immune", "Positive"], "colorRGB": -377282},
            },
        },
        {
            "type": "Feature",
            "geometry": {"type": "LineString", "coordinates": [[1, 2], [3, 4]]},
            "properties": {},
        },
        {
            "type": "Feature",
            "geometry": {
                "type": "GeometryCollection",
                "geometries": [{"type": "Point", "coordinates": [7.25, 8.5, 1]}],
            },
            "properties": None,
        },
        {"type": "Feature", "geometry": {"type": "Circle"}, "properties": {}},
    ],
}


def test_objects_of_qupath_keep_holes_parts_classes_and_planes(tmp_path):
    path = tmp_path / "slide.geojson"
    path.write_text(json.dumps(QUPATH), "utf-8")
    found = read_annotations(path)
    gland, immune, line, point = found.items
    hole = shapely.Polygon(*[r[:-1] for r in QUPATH["features"][0]["geometry"]["coordinates"][:1]])
    assert shape_of(gland).area == hole.area - 4
    assert (gland.name, gland.group, gland.colour) == ("gland", "Tumor", "#c80000")
    assert [(item.z, item.t, item.c) for item in found.items] == [(3, 1, None), *[(0, 0, None)] * 3]
    assert [len(part[0]) for part in immune.parts] == [3, 3]
    assert (immune.group, immune.colour) == ("Immune: Positive", "#fa3e3e")
    # the middle of the first pixel is (0.5, 0.5) to QuPath and (0, 0) here
    np.testing.assert_array_equal(line.parts[0][0], [[1.5, 0.5], [3.5, 2.5]])
    np.testing.assert_array_equal(point.parts[0][0], [[8.0, 6.75]])
    assert any("Circle" in note for note in found.notes)
    assert any("Heights" in note for note in found.notes)


@pytest.mark.parametrize("shape", [QUPATH["features"], QUPATH["features"][2]["geometry"]])
def test_lists_of_features_and_bare_geometries_are_read(tmp_path, shape):
    path = tmp_path / "a.json"
    path.write_text(json.dumps(shape), "utf-8")
    assert is_vector_file(path)
    assert len(read_annotations(path)) == (4 if isinstance(shape, list) else 1)


def test_tables_of_napari_are_read(tmp_path):
    path = tmp_path / "a_shapes.csv"
    path.write_text(
        "index,shape-type,vertex-index,axis-0,axis-1,axis-2,axis-3,label,class\n"
        "0,path,0,2,5.0,1.5,2,7,axon\n0,path,1,2,5.0,3,4,7,axon\n"
        "1,rectangle,0,3,0,1,1,,\n1,rectangle,1,3,0,1,9,,\n1,rectangle,2,3,0,5,9,,\n"
        "1,rectangle,3,3,0,5,1,,\n"
    )
    axon, box = read_annotations(path).items
    assert (axon.form, axon.t, axon.z, axon.label, axon.group) == ("path", 2, 5, 7, "axon")
    np.testing.assert_array_equal(axon.parts[0][0], [[1.5, 2], [3, 4]])
    assert (box.form, box.t, box.z, box.label) == ("rectangle", 3, 0, None)
    points = tmp_path / "b.csv"
    points.write_text("index,axis-0,axis-1,axis-2\n0,1.5,2,3\n1,4,5,6\n")
    between, on_slice = read_annotations(points).items
    np.testing.assert_array_equal(between.parts[0][0], [[1.5, 2, 3]])
    assert (between.is_spatial, on_slice.z, on_slice.is_spatial) == (True, 4, False)


def test_junk_beside_rois_is_left_out_with_a_note(tmp_path):
    path = tmp_path / "set.zip"
    sound, junk = (HERE / "oval.roi").read_bytes(), (HERE / "appledouble.roi").read_bytes()
    with zipfile.ZipFile(path, "w") as file:
        file.writestr("__MACOSX/._oval.roi", junk)
        file.writestr("../../oval.roi", sound)
        file.writestr("broken.roi", sound[:80].replace(b"Iout", b"Iout"[:4])[:40])
    found = read_annotations(path)
    assert [item.form for item in found.items] == ["ellipse"]
    assert "1 of its files are no ROIs" in found.notes[0]
    assert "broken.roi" in found.notes[1]
    assert sorted(tmp_path.iterdir()) == [path]
    with pytest.raises(FileError, match=r"AppleDouble.*without '\._'"):
        read_annotations(HERE / "appledouble.roi")


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("a.geojson", "{}", "no features"),
        ("a.geojson", "[" * 100_000, "no sound JSON"),
        ("a.geojson", '{"type": "Point", "coordinates": [NaN, 1]}', "no sound JSON"),
        ("a.geojson", '{"type": "Point", "coordinates": [1e300, 1]}', "far outside"),
        ("a.geojson", '{"type": "Polygon", "coordinates": [[[1, 2], [3, 4]]]}', "encloses nothing"),
        ("a.csv", "index,axis-0,axis-1\n0,1,x\n", "row 2"),
        ("a.csv", "index,axis-0,axis-1\n0,1\n", "row 2"),
        ("a.csv", "index,axis-0,axis-1\n0,1,inf\n", "far outside"),
        ("a.csv", "time,value\n0,1\n", "no shapes or points"),
        ("a.roi", "", "no shapes or points"),
    ],
)
def test_what_cannot_be_read_is_said(tmp_path, name, content, words):
    path = tmp_path / name
    path.write_text(content)
    with pytest.raises(FileError, match=words):
        read_annotations(path)


def deep(depth):
    inner = {"type": "Point", "coordinates": [1, 2]}
    for _ in range(depth):
        inner = {"type": "GeometryCollection", "geometries": [inner]}
    return inner


def test_geometries_in_each_other_have_an_end(tmp_path):
    path = tmp_path / "deep.geojson"
    path.write_text(json.dumps(deep(5)))
    assert len(read_annotations(path)) == 1
    path.write_text(json.dumps(deep(50)))
    with pytest.raises(FileError, match="too deep"):
        read_annotations(path)


def test_bombs_are_refused_before_they_unpack(tmp_path, monkeypatch):
    path = tmp_path / "bomb.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as file:
        file.writestr("a.roi", b"Iout" + bytes(70 << 20))
    assert path.stat().st_size < 1 << 20
    with pytest.raises(FileError, match="more than any ROI"):
        read_annotations(path)


def test_counts_that_cannot_be_are_refused(tmp_path):
    data = bytearray((HERE / "freehand.roi").read_bytes())
    data[16:18] = struct.pack(">H", 65535)
    path = tmp_path / "a.roi"
    path.write_bytes(data)
    with pytest.raises(FileError, match="damaged"):
        read_annotations(path)


def test_every_kind_is_offered_to_napari_by_name():
    patterns = list(vector_patterns())
    assert all(row.napari_patterns or row.is_image for row in VECTOR_READERS)
    assert {"*.roi", "*.zip", "*.geojson"} <= set(patterns)
