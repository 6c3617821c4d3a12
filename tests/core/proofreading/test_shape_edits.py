"""Each edit of an object's shape against SciPy's morphology on its mask alone."""

import numpy as np
import pytest
from numpy.testing import assert_array_equal
from scipy import ndimage as ndi

from napari_seedbed.core.proofreading import shape_edits
from napari_seedbed.core.proofreading.chosen_objects import Chosen
from napari_seedbed.errors import InputError

TYPES = (np.uint8, np.int16, np.uint16, np.int32, np.uint32, np.int64, np.uint64)
CASES = (((40, 50), None), ((40, 50), (1.0, 0.5)), ((14, 24, 26), None), ((14, 24, 26), (2, 1, 1)))


@pytest.fixture(params=CASES, ids=["2D", "2D anisotropic", "3D", "3D anisotropic"])
def scene(request, rng):
    """Return labels of rough objects that touch each other and the border, and the voxel size."""
    shape, spacing = request.param
    smooth = ndi.gaussian_filter(rng.normal(size=shape), 1.5)
    objects = ndi.label(smooth > 0.08)[0]
    # What touches: one object is cut in two along a line.
    largest = 1 + int(np.argmax(np.bincount(objects.ravel())[1:]))
    mask = objects == largest
    middle = int(np.median(np.nonzero(mask)[-1]))
    half = mask.copy()
    half[..., :middle] = False
    objects[half] = 99
    return objects, spacing, (largest, 99)


def ball(radius, spacing, ndim):
    """Return a footprint of all voxels within the radius."""
    size = np.broadcast_to(np.asarray(spacing or 1.0, float), ndim)
    reach = [int(radius / step) for step in size]
    grid = np.stack(np.meshgrid(*(np.arange(-r, r + 1) for r in reach), indexing="ij"))
    return np.sqrt(((grid * size.reshape(-1, *(1,) * ndim)) ** 2).sum(0)) <= radius + 1e-9


def mask_after(kind, mask, spacing, radius):
    footprint = ball(radius, spacing, mask.ndim)
    if kind == "smooth":
        return ndi.median_filter(mask, footprint=footprint, mode="reflect")
    if kind == "shrink":
        return ndi.binary_erosion(mask, footprint, border_value=1)
    if kind == "open_objects":
        inner = ndi.binary_erosion(mask, footprint, border_value=1)
        return ndi.binary_dilation(inner, footprint)
    if kind == "close_objects":
        # What lies outside of the image does not count.
        wide = ndi.binary_dilation(mask, footprint)
        return ndi.binary_erosion(wide, footprint, border_value=1)
    away = ndi.distance_transform_edt(~mask, spacing)
    return away <= radius + 1e-9


@pytest.mark.parametrize("kind", ["smooth", "shrink", "open_objects", "close_objects", "grow"])
@pytest.mark.parametrize("dtype", TYPES)
def test_shapes_change_as_those_of_scipy_and_other_objects_are_walls(scene, kind, dtype):
    objects, spacing, touching = scene
    labels = objects.astype(dtype)
    edit = getattr(shape_edits, kind)
    changes = 0
    for radius in (1.0, 2.0):
        for value in touching:
            mask = objects == value
            wanted = mask_after(kind, mask, spacing, radius)
            expected = np.where(mask & ~wanted, 0, objects)
            gained = wanted & (objects == 0)
            if kind == "grow":
                # It does not jump over what is between.
                pieces = ndi.label(gained | mask, np.ones((3,) * mask.ndim))[0]
                gained &= np.isin(pieces, np.unique(pieces[mask]))
            expected[gained] = value
            found = labels.copy()
            if not (expected == value).any() or (expected == objects).all():
                with pytest.raises(InputError, match=r"would vanish|nothing would change"):
                    edit(Chosen(labels, value, spacing), radius)
                continue
            made = edit(Chosen(labels, value, spacing), radius)
            made.apply(found)
            assert_array_equal(found, expected.astype(dtype))
            assert found.dtype == dtype
            made.revert(found)
            assert_array_equal(found, labels)
            changes += 1
    assert changes >= 2
    with pytest.raises(InputError, match="is locked"):
        edit(Chosen(labels, touching[0], locked=[touching[0]]), 1.0)


def test_background_between_growing_objects_goes_to_the_nearest(scene):
    objects, spacing, _ = scene
    values = np.unique(objects[objects > 0])
    edit = shape_edits.grow(Chosen(objects, values.tolist(), spacing), 2.5)
    found = objects.copy()
    edit.apply(found)
    away = np.stack([ndi.distance_transform_edt(objects != v, spacing) for v in values])
    nearest = values[np.argmin(away, axis=0)]
    expected = np.where((away.min(axis=0) <= 2.5 + 1e-9) & (objects == 0), nearest, objects)
    # All grow at once: nothing is jumped over, since the nearest is never behind another.
    assert_array_equal(found, expected)
    assert edit.name == f"grow {len(values)} objects"


def test_an_object_does_not_grow_over_a_wall():
    labels = np.zeros((9, 20), np.uint8)
    labels[:, 5:7] = 1
    labels[:, 9] = 2
    found = labels.copy()
    shape_edits.grow(Chosen(labels, 1), 6).apply(found)
    assert (found[:, :9] == 1).all()
    assert (found[:, 10:] == 0).all()


@pytest.mark.parametrize("slicewise", [False, True])
def test_holes_are_those_of_scipy_and_what_lies_in_them_stays(rng, slicewise):
    mask = ndi.gaussian_filter(rng.normal(size=(16, 30, 30)), 1.2) > -0.05
    mask[5:11, 8:20, 8:20] = True
    mask[7:9, 11:15, 11:15] = False
    labels = np.where(mask, 7, 0).astype(np.uint16)
    labels[8, 12, 12] = 3
    pieces = [ndi.binary_fill_holes(plane) for plane in mask] if slicewise else None
    filled = np.stack(pieces) if slicewise else ndi.binary_fill_holes(mask)
    expected = np.where(filled & (labels == 0), 7, labels)
    edit = shape_edits.fill_holes(Chosen(labels, 7), slicewise=slicewise)
    found = labels.copy()
    edit.apply(found)
    assert_array_equal(found, expected)
    assert found[8, 12, 12] == 3
    assert edit.objects == (7,)
    with pytest.raises(InputError, match="nothing would change"):
        shape_edits.fill_holes(Chosen(found, 7), slicewise=slicewise)


def test_only_holes_up_to_a_size_are_filled():
    labels = np.ones((20, 20), np.int32)
    labels[2:4, 2:4] = labels[10:15, 10:15] = 0
    found = labels.copy()
    shape_edits.fill_holes(Chosen(labels, 1, 0.5), 4 * 0.25).apply(found)
    assert (found[2:4, 2:4] == 1).all()
    assert (found[10:15, 10:15] == 0).all()
