"""Annotations on the grid of an image: which slices and time points they lie on."""

import numpy as np
import pytest
from skimage.draw import polygon2mask

from napari_seedbed.errors import InputError
from napari_seedbed.pipeline.data.annotation_places import everywhere_on, seeds_on, shapes_on
from napari_seedbed.pipeline.data.annotations import Annotation, Annotations
from napari_seedbed.pipeline.data.image import Image

BOX = np.array([(1.5, 2.5), (1.5, 7.5), (5.5, 7.5), (5.5, 2.5)])
HOLE = np.array([(2.5, 3.5), (2.5, 5.5), (4.5, 5.5), (4.5, 3.5)])


def grid(**lengths):
    return Image(np.zeros((*lengths.values(), 12, 14), np.uint8), (*lengths, "y", "x"))


def area(**about):
    return Annotations((Annotation("polygon", ((BOX, HOLE),), **about),))


def drawn(annotations, image):
    array = seeds_on(annotations, image).array
    return {tuple(place) for place in np.argwhere(array)[:, :-2].tolist()}


@pytest.mark.parametrize(
    ("about", "lengths", "expected"),
    [
        ({}, {"t": 2, "z": 2}, {(0, 0), (0, 1), (1, 0), (1, 1)}),
        ({"z": 1}, {"t": 2, "z": 3}, {(0, 1), (1, 1)}),
        ({"t": 1}, {"t": 2, "z": 2}, {(1, 0), (1, 1)}),
        ({"z": 1, "t": 0}, {"t": 2, "z": 3}, {(0, 1)}),
        ({"position": 2}, {"z": 3}, {(2,)}),
        ({"position": 2}, {"t": 3}, {(2,)}),
        # ImageJ runs through channels first, then slices, then time
        ({"position": 1 * 6 + 2 * 2 + 1}, {"t": 2, "c": 2, "z": 3}, {(1, 2)}),
        ({"z": 2}, {"t": 3}, {(2,)}),
        ({"z": 0, "t": 0, "c": 0, "position": 0}, {}, {()}),
    ],
)
def test_places_are_those_of_the_image(about, lengths, expected):
    assert drawn(area(**about), grid(**lengths)) == expected


@pytest.mark.parametrize(
    ("about", "words"),
    [
        ({"z": 3}, "slice 4; the image has 3"),
        ({"t": 1}, "time point 2"),
        ({"position": 3}, "of a stack"),
    ],
)
def test_places_that_the_image_has_not_are_refused(about, words):
    with pytest.raises(InputError, match=words):
        seeds_on(area(**about), grid(z=3))


def test_areas_have_holes_and_lines_and_points_lie_on_top():
    line = np.array([(3.0, 0.0), (3, 13)])
    marks = Annotations(
        (
            Annotation("points", ((np.array([(3.0, 4.0), (0, 0)]),),)),
            Annotation("line", ((line,),), label=9),
            *area().items,
        )
    )
    found = seeds_on(marks, grid()).array
    expected = 2 * (polygon2mask((12, 14), BOX) & ~polygon2mask((12, 14), HOLE))
    expected[3] = 9
    expected[3, 4] = expected[0, 0] = 1
    np.testing.assert_array_equal(found, expected)


def test_ellipses_partly_outside_and_thin_areas_are_drawn():
    disc = np.array([(-5.5, -5.5), (-5.5, 5.5), (5.5, 5.5), (5.5, -5.5)])
    found = seeds_on(Annotations((Annotation("ellipse", ((disc,),)),)), grid()).array
    y, x = np.indices(found.shape)
    np.testing.assert_array_equal(found == 1, y**2 + x**2 <= 5.5**2)
    thin = np.array([(4.2, 1.0), (4.2, 9.0), (4.4, 9.0)])
    found = seeds_on(Annotations((Annotation("polygon", ((thin,),)),)), grid()).array
    assert set(np.argwhere(found)[:, 0]) == {4}
    with pytest.raises(InputError, match="outside the image"):
        seeds_on(Annotations((Annotation("polygon", ((thin + 90,),)),)), grid())


def test_shapes_start_from_outer_rings_on_every_slice_they_are_on():
    marks = Annotations((*area(z=1).items, Annotation("path", ((HOLE,),), label=7)))
    found, notes = shapes_on(marks, grid(z=3))
    assert [(shape.label, shape.closed, shape.points[0, 0]) for shape in found.shapes] == [
        (1, True, 1.0),
        *((7, False, float(z)) for z in range(3)),
    ]
    np.testing.assert_array_equal(found.shapes[0].points[:, 1:], BOX)
    assert notes == ["Shapes have no holes: 1 were left out."]


def test_classes_become_labels_in_alphabetical_order():
    marks = Annotations(
        tuple(Annotation("polygon", ((BOX,),), group=g) for g in ("stroma", "gland"))
    )
    assert [item.label for item in marks.labelled_by_class().items] == [2, 1]
    with pytest.raises(InputError, match="has no class"):
        area().labelled_by_class()


def test_each_place_may_be_named():
    found = everywhere_on(area(), grid(t=2, z=2))
    assert [(item.t, item.z) for item in found.items] == [(0, 0), (0, 1), (1, 0), (1, 1)]
