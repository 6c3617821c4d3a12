"""Objects grown anew by the seeded engine in a box around them."""

import numpy as np
import pytest
from scipy import ndimage as ndi

from napari_seedbed.core.proofreading.chosen_objects import Chosen
from napari_seedbed.core.proofreading.regrowing import core_of, redo_object
from napari_seedbed.errors import InputError

SPACING = (2.0, 1.0, 1.0)


def dice(a, b):
    return 2 * (a & b).sum() / (a.sum() + b.sum())


@pytest.fixture
def scene(rng):
    """Return a noisy image of three balls, their truth, and the places of their centres."""
    shape = (24, 60, 90)
    centres = np.array([[12, 30, 20], [12, 30, 44], [12, 30, 72]])
    grid = np.indices(shape).reshape(3, -1).T
    truth = np.zeros(shape, np.uint16)
    for number, centre in enumerate(centres, start=1):
        near = np.linalg.norm((grid - centre) * SPACING, axis=1) <= 12
        truth.reshape(-1)[near & (truth.reshape(-1) == 0)] = number
    image = ndi.gaussian_filter(np.where(truth > 0, 100.0, 20.0), 0.8)
    return image + rng.normal(0, 6, shape), truth, centres


def made(labels, edit):
    found = labels.copy()
    edit.apply(found)
    return found


def test_a_bad_object_becomes_the_one_in_the_image(scene):
    image, truth, centres = scene
    labels = truth.copy()
    labels[truth == 2] = 0
    z, y, x = centres[1]
    labels[z - 3 : z + 3, y - 6 : y + 9, x - 5 : x + 6] = 2
    bad = dice(labels == 2, truth == 2)
    found = made(labels, redo_object(Chosen(labels, 2, SPACING), image))
    assert bad < 0.6
    assert dice(found == 2, truth == 2) > 0.9
    assert (found[truth == 1] == 1).all()
    assert (found[truth == 3] == 3).all()
    stroke = [centres[1] - (0, 5, 0), centres[1] + (0, 5, 0)]
    by_stroke = made(labels, redo_object(Chosen(labels, 2, SPACING), image, [stroke]))
    assert dice(by_stroke == 2, truth == 2) > 0.9


@pytest.mark.parametrize("length", [0, 2, 4])
def test_a_very_short_stroke_gives_all_of_an_object_with_texture(scene, rng, length):
    image, truth, centres = scene
    # as nuclei have it: spots that are told apart as well as nucleus and background
    spots = ndi.gaussian_filter(rng.normal(0, 1, truth.shape), (1, 2, 2))
    image = image + np.where(truth > 0, 25 * spots / spots.std(), 0)
    labels = truth.copy()
    labels[(truth == 2) & (np.indices(truth.shape)[1] > centres[1][1] + 2)] = 0
    found = []
    for place in (centres[1], centres[1] - (1, 3, 2), centres[1] - (-1, 4, -3)):
        half = np.array([0, 0, length / 2])
        stroke = [place - half, place + half]
        edit = redo_object(Chosen(labels, 2, SPACING), image, [stroke])
        found.append(dice(made(labels, edit) == 2, truth == 2))
    assert min(found) > 0.85


def test_background_strokes_take_away_what_they_cross(scene):
    image, truth, centres = scene
    # Two balls under one label, of which the second is none of it.
    labels = np.where(truth == 2, 1, truth).astype(np.uint16)
    stroke, other = [centres[0]], [centres[1] - (0, 5, 0), centres[1] + (0, 5, 0)]
    edit = redo_object(Chosen(labels, 1, SPACING), image, [stroke], [other])
    assert edit.name == "grow anew 1"
    assert edit.objects == (1,)
    assert dice(made(labels, edit) == 1, truth == 1) > 0.85


def test_channels_count_together_and_other_objects_are_walls(scene):
    image, truth, _ = scene
    labels = truth.copy()
    labels[truth == 2] = 0
    labels[(truth == 2) & (core_of(truth == 2, SPACING))] = 2
    channels = np.stack([image, image[::-1]], axis=-1)
    edit = redo_object(Chosen(labels, 2, SPACING), channels, channel_axis=-1)
    found = made(labels, edit)
    assert dice(found == 2, truth == 2) > 0.85
    assert (found[labels == 1] == 1).all()
    assert (found[labels == 3] == 3).all()


@pytest.mark.parametrize(
    ("given", "strokes", "message"),
    [
        ({"objects": 2, "locked": [2]}, [], "Object 2 is locked"),
        ({"objects": 7}, [], "Object 7 is not in these labels"),
        ({"objects": 2}, [[(12, 30, 20)]], "they lie in other objects"),
        ({"objects": 2}, [[(12, 30)]], "3 coordinates"),
    ],
)
def test_what_cannot_be_redone_is_refused(scene, given, strokes, message):
    image, truth, _ = scene
    with pytest.raises(InputError, match=message):
        redo_object(Chosen(truth, **given), image, strokes)
