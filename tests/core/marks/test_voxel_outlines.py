"""Outlines along the sides of voxels, and polygons with holes as one line, against shapely."""

import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from napari_seedbed.core.marks.polygon_filling import filled_polygons
from napari_seedbed.core.marks.polygon_rings import bridged, loops, nested
from napari_seedbed.core.marks.voxel_outlines import voxel_outlines
from napari_seedbed.errors import InputError

LABELS = arrays.arrays(
    np.int64,
    arrays.array_shapes(min_dims=2, max_dims=2, max_side=9),
    elements=st.sampled_from([0, 1, 1, 1, 2_000_000_000]),
)


def filled(polygons, shape):
    found = np.zeros(shape, bool)
    box, mask = filled_polygons(polygons, shape)
    found[box] = mask
    return found


@settings(max_examples=80, deadline=None)
@given(LABELS)
def test_outlines_enclose_the_voxels_and_are_sound_polygons(labels):
    found = dict(voxel_outlines(labels))
    assert sorted(found) == [value for value in np.unique(labels) if value > 0]
    for label, polygons in found.items():
        shapes = [shapely.Polygon(polygon[0], polygon[1:]) for polygon in polygons]
        voxels = labels == label
        assert all(shapely.is_valid(shapes))
        assert sum(shape.area for shape in shapes) == voxels.sum()
        np.testing.assert_array_equal(filled(polygons, labels.shape), voxels)
        # one line around it, there and back to each hole, is the same
        lines = [(bridged(polygon),) for polygon in polygons]
        np.testing.assert_array_equal(filled(lines, labels.shape), voxels)
        for line, shape in zip(lines, shapes, strict=True):
            ((outer, *holes),) = nested(loops(line[0]))
            assert shapely.Polygon(outer, holes).equals(shape)


def test_rings_in_rings_are_holes_and_islands():
    rings = [shapely.Point(0, 0).buffer(r).exterior.coords[:-1] for r in (9.0, 6.0, 3.0)]
    rings.append(shapely.Point(20, 0).buffer(2.0).exterior.coords[:-1])
    polygons = nested([np.array(rings[n]) for n in (2, 0, 3, 1)])
    assert sorted(len(polygon) for polygon in polygons) == [1, 1, 2]
    total = shapely.union_all([shapely.Polygon(p[0], p[1:]) for p in polygons])
    disc = [shapely.Polygon(ring) for ring in rings]
    assert total.equals(shapely.union_all([disc[0] - disc[1], disc[2], disc[3]]))


def test_a_bridge_goes_around_what_lies_between():
    """The nearest corners of the ring and the inner hole have another hole between them."""
    outer = np.array([(0, 0), (0, 40), (40, 40), (40, 0)], float)
    wall = np.array([(2, 2), (2, 30), (4, 30), (4, 2)], float)
    inner = np.array([(6, 5), (6, 9), (9, 9), (9, 5)], float)
    polygon = (outer, wall[::-1], inner[::-1])
    line = shapely.LineString(np.vstack([bridged(polygon), bridged(polygon)[:1]]))
    assert not shapely.Polygon(wall).contains_properly(line.intersection(shapely.Polygon(wall)))
    ((ring, *holes),) = nested(loops(bridged(polygon)))
    assert shapely.Polygon(ring, holes).equals(shapely.Polygon(outer, polygon[1:]))


def test_volumes_are_refused():
    with pytest.raises(InputError, match="outlines need a 2D image"):
        voxel_outlines(np.ones((2, 3, 4), int))
