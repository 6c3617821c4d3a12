"""Shapes, points and outlines of labels in files: round trips, and what other libraries read."""

import csv
import json
import zipfile
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import roifile
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st
from skimage.draw import polygon2mask

from napari_seedbed.core.marks.shapes import Shape
from napari_seedbed.errors import InputError
from napari_seedbed.pipeline.data.annotation_places import seeds_on
from napari_seedbed.pipeline.data.annotation_sources import annotations_of
from napari_seedbed.pipeline.data.annotations import Annotation, Annotations
from napari_seedbed.pipeline.data.image import Image
from napari_seedbed.pipeline.data.shapes import Shapes
from napari_seedbed.pipeline.data.tables import Points
from napari_seedbed.pipeline.files import write_result
from napari_seedbed.pipeline.files.vector_readers import read_annotations

HERE = Path(__file__).parent / "vectors"
SAID = ("form", "label", "name", "group", "colour", "z", "t", "c", "position")


def assert_same(found, expected, leave_out=()):
    assert len(found) == len(expected)
    for one, other in zip(found.items, expected.items, strict=True):
        names = [name for name in SAID if name not in leave_out]
        assert [getattr(one, name) for name in names] == [getattr(other, name) for name in names]
        assert [len(part) for part in one.parts] == [len(part) for part in other.parts]
        for part, told in zip(one.parts, other.parts, strict=True):
            for ring, right in zip(part, told, strict=True):
                np.testing.assert_array_equal(ring, right)


def test_rois_of_imagej_come_back_bit_for_bit(tmp_path):
    items = [
        item
        for path in sorted(HERE.glob("*.roi"))
        if path.stem != "appledouble"
        for item in read_annotations(path).items
    ]
    rois = Annotations(tuple(items))
    written = write_result(tmp_path / "set.zip", "shapes", rois)
    assert_same(read_annotations(written), rois)
    kinds = {"polygon": "POLYGON", "rectangle": "RECT", "line": "LINE", "points": "POINT"}
    for item, roi in zip(items, roifile.roiread(written), strict=True):
        is_composite = len(item.parts) > 1 or len(item.parts[0]) > 1
        assert roi.roitype.name == (
            "RECT" if is_composite else kinds.get(item.form, roi.roitype.name)
        )


COORDINATES = st.floats(-3000, 40_000, width=32).map(lambda value: float(np.float32(value)))
WHOLE = st.integers(-4000, 60_000).map(float)
PLACE = st.one_of(st.none(), st.integers(0, 5000))


# Sums with the half of a voxel are exact.
FINE = st.integers(-(2**20), 2**23).map(lambda value: value / 256)


@st.composite
def annotations(draw, numbers=COORDINATES):
    form = draw(st.sampled_from(["polygon", "path", "points"]))
    number = draw(st.sampled_from([numbers, WHOLE]))
    corners = draw(st.lists(st.tuples(number, number), min_size=3, max_size=6, unique=True))
    # as ImageJ has them: corners of voxels for areas, middles for all else
    points = np.array(corners) - (0.5 if form == "polygon" else 0.0)
    return Annotation(
        form,
        ((points,),),
        label=draw(st.one_of(st.none(), st.integers(1, 2**31 - 1))),
        name=draw(st.text(st.characters(categories=("L", "N"), max_codepoint=0xFFFF), min_size=1)),
        group=draw(st.sampled_from(["", "Tumor", "Immune: CD8", "Ω"])),
        colour=draw(st.sampled_from([None, "#0a0b0c", "#ffffff"])),
        z=draw(PLACE),
        t=draw(PLACE),
        c=draw(PLACE),
    )


@settings(max_examples=25, deadline=None)
@given(st.lists(annotations(), min_size=1, max_size=5))
def test_anything_in_32_bits_comes_back_from_a_set(tmp_path_factory, items):
    path = tmp_path_factory.mktemp("rois") / "set.zip"
    given_items = Annotations(tuple(items))
    write_result(path, "shapes", given_items)
    assert_same(read_annotations(path), given_items)


@settings(max_examples=20, deadline=None)
@given(st.lists(annotations(FINE), min_size=1, max_size=5))
def test_anything_with_a_plane_comes_back_from_geojson(tmp_path_factory, items):
    path = tmp_path_factory.mktemp("json") / "a.geojson"
    placed = [replace(item, z=item.z or 0, t=item.t or 0) for item in items]
    write_result(path, "shapes", Annotations(tuple(placed)))
    assert_same(read_annotations(path), Annotations(tuple(placed)))


def test_labels_come_back_from_their_outlines_with_holes_and_parts(tmp_path, rng):
    array = rng.choice([0, 1, 7, 70_000], p=[0.2, 0.5, 0.2, 0.1], size=(2, 2, 13, 15))
    labels = Image(array, ("t", "z", "y", "x"), spacing=(2.0, 0.5, 0.5), name="cells")
    for name in ("cells.zip", "cells.geojson"):
        found = read_annotations(write_result(tmp_path / name, "labels", labels))
        np.testing.assert_array_equal(seeds_on(found, labels).array, array)
        assert {(item.label, item.name) for item in found.items} == {
            (1, "1"),
            (7, "7"),
            (70_000, "70000"),
        }


def test_qupath_reads_the_area_of_each_object(tmp_path, rng):
    labels = Image((rng.random((40, 40)) < 0.7).astype(np.uint8), ("y", "x"))
    groups = {1: "Tumor"}
    path = write_result(tmp_path / "a.geojson", "labels", annotations_of(labels, groups))
    (feature,) = json.loads(path.read_text("utf-8"))["features"]
    shape = shapely.geometry.shape(feature["geometry"])
    assert shape.is_valid
    assert shape.area == labels.array.sum()
    assert feature["properties"] == {
        "objectType": "annotation",
        "name": "1",
        "classification": {"name": "Tumor"},
        "label": 1,
    }
    assert "plane" not in feature["geometry"]


def test_imagej_fills_the_voxels_of_each_object(tmp_path):
    """ImageJ takes a pixel whose centre lies inside; scikit-image does the same on the centres."""
    array = np.zeros((20, 20), int)
    array[3:9, 4:15] = 5
    array[7:12, 11:18] = 5
    path = write_result(tmp_path / "a.zip", "labels", Image(array, ("y", "x")))
    (roi,) = roifile.roiread(path)
    assert (roi.name, roi.roitype.name, roi.subpixelresolution) == ("5", "POLYGON", False)
    inside = polygon2mask(array.shape, roi.coordinates()[:, ::-1] - 0.5)
    np.testing.assert_array_equal(inside, array > 0)


def test_names_in_a_set_are_single_and_harmless(tmp_path):
    names = ["a/../b", "a/../b", "", "x" * 300, "\N{MICROSCOPE} 1", "line\nbreak"]
    corners = np.array([(0.5, 0.5), (0.5, 5.5), (5.5, 5.5)])
    items = tuple(Annotation("polygon", ((corners,),), name=name) for name in names)
    path = write_result(tmp_path / "a.zip", "shapes", Annotations(items))
    with zipfile.ZipFile(path) as file:
        members = file.namelist()
    assert len(set(members)) == len(names)
    assert all("/" not in name and len(name) < 120 for name in members)
    found = [roi.name for roi in roifile.roiread(path)]
    assert found[0] == "a/../b"
    assert found[4].endswith(" 1")


def test_shapes_and_points_of_operations_keep_their_place(tmp_path, rng):
    flat = np.array([(3.0, 1.5, 2), (3, 8, 2.25), (3, 8, 9)])
    shapes = Shapes((Shape(4, flat, time=2), Shape(5, flat[:2], False, 6)), n_times=8)
    points = Points(
        np.array([(1.4, 2.5, 3.5)]), np.array([3]), {"kind": np.array(["end"])}, n_times=5
    )
    for ending in (".zip", ".geojson"):
        found = read_annotations(write_result(tmp_path / f"s{ending}", "shapes", shapes))
        assert [(i.form, i.label, i.z, i.t) for i in found.items] == [
            ("polygon", 4, 3, 2),
            ("line", 5, 3, 6),
        ]
        np.testing.assert_array_equal(found.items[0].parts[0][0], flat[:, 1:])
        (point,) = read_annotations(write_result(tmp_path / f"p{ending}", "points", points)).items
        assert (point.form, point.group, point.z, point.t) == ("points", "end", 1, 3)
    tilted = Shapes((Shape(1, rng.random((4, 3)) * 9),))
    with pytest.raises(InputError, match=r"does not lie on one slice.*CSV"):
        write_result(tmp_path / "t.zip", "shapes", tilted)
    assert not (tmp_path / "t.zip").exists()


def test_tables_keep_holes_names_and_classes(tmp_path):
    outer = np.array([(0.0, 0), (0, 9), (9, 9), (9, 0)])
    ring = Annotation("polygon", ((outer, outer[::-1] / 3 + 2),), 3, "ring", "gland", z=2)
    disc = Annotation("ellipse", ((outer,),), 9, "disc", z=0)
    path = write_result(tmp_path / "a.csv", "shapes", Annotations((ring, disc)))
    found_ring, found_disc = read_annotations(path).items
    assert_same(Annotations((found_disc,)), Annotations((disc,)))
    for name in SAID:
        assert getattr(found_ring, name) == getattr(ring, name)
    polygons = [shapely.Polygon(one.parts[0][0], one.parts[0][1:]) for one in (ring, found_ring)]
    assert polygons[0].equals(polygons[1])
    with path.open(encoding="utf-8") as file:
        assert next(csv.reader(file))[-3:] == ["label", "name", "class"]
    with pytest.raises(InputError, match="--like"):
        write_result(tmp_path / "b.csv", "shapes", Annotations((ring, replace(disc, z=None))))
    dots = Annotations((Annotation("points", ((outer,),), 1),))
    path = write_result(tmp_path / "c.csv", "shapes", dots)
    assert len(read_annotations(path)) == 4
    with pytest.raises(InputError, match="points among its shapes"):
        write_result(
            tmp_path / "d.csv", "shapes", Annotations((*dots.items, replace(disc, z=None)))
        )
