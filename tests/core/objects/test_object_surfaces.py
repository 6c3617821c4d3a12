"""Surfaces of objects against closed formulas, and what thin and cut objects become."""

import numpy as np
import pytest

from napari_seedbed.core import object_surfaces
from napari_seedbed.core.progress import running
from napari_seedbed.errors import Cancelled, InputError

SPACING = (1.5, 0.5, 0.5)


def ball(shape, centre, radius, spacing):
    grid = np.indices(shape).transpose(1, 2, 3, 0) * spacing
    return np.linalg.norm(grid - np.array(centre), axis=-1) <= radius


def volume_of(vertices, faces):
    """Of a closed surface, by the divergence theorem."""
    a, b, c = (vertices[faces[:, i]].astype(float) for i in range(3))
    return abs(np.einsum("ij,ij->i", a, np.cross(b, c)).sum()) / 6


def is_closed(faces):
    """Whether each edge belongs to two triangles."""
    edges = np.sort(np.concatenate([faces[:, [0, 1]], faces[:, [1, 2]], faces[:, [2, 0]]]), axis=1)
    return (np.unique(edges, axis=0, return_counts=True)[1] == 2).all()


def test_ball_has_its_radius_and_volume_in_physical_units():
    centre, radius = (15.0, 16.0, 17.0), 9.0
    mask = ball((21, 66, 68), centre, radius, SPACING)
    found = object_surfaces(mask * 7, SPACING, smoothing=1.0)
    vertices, faces, labels = found.vertices, found.faces, found.labels
    away = np.linalg.norm(vertices - np.array(centre), axis=1)
    assert np.abs(away - radius).max() < 0.8
    assert np.abs(away - radius).mean() < 0.2
    assert volume_of(vertices, faces) == pytest.approx(4 / 3 * np.pi * radius**3, rel=0.02)
    assert is_closed(faces)
    assert set(labels) == {7}
    rough = object_surfaces(mask, SPACING, smoothing=0.0)
    spread = np.linalg.norm(rough.vertices - np.array(centre), axis=1).std()
    assert away.std() < 0.7 * spread, "smoothing takes the steps away"


def test_each_object_has_a_surface_of_its_own_closed_at_the_border():
    labels = np.zeros((12, 30, 30), np.int64)
    labels[2:9, 0:12, 3:14] = 2**40
    labels[3:8, 14:28, 15:28] = 5
    found = object_surfaces(labels, smoothing=0.5)
    assert set(found.labels) == {5, 2**40}
    owners = found.labels[found.faces]
    assert (owners == owners[:, :1]).all()
    assert is_closed(found.faces)
    only = object_surfaces(labels, smoothing=0.5, only=[5])
    assert set(only.labels) == {5}
    np.testing.assert_array_equal(only.vertices, found.vertices[found.labels == 5])


def test_thin_objects_are_not_wiped_out():
    labels = np.zeros((9, 20, 20), np.int32)
    labels[4, 5, 5] = 1
    labels[4, 10, 2:18] = 2
    found = object_surfaces(labels, smoothing=3.0)
    assert set(found.labels) == {1, 2}
    assert len(object_surfaces(np.zeros((3, 3, 3), int)).faces) == 0


def test_pictures_are_refused_and_runs_stop():
    with pytest.raises(InputError, match="surfaces need 3"):
        object_surfaces(np.ones((4, 4), int))
    with running(should_stop=lambda: True), pytest.raises(Cancelled):
        object_surfaces(np.ones((4, 4, 4), int))
