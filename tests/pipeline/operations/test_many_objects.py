"""More objects than 16 bits can number: no two of them end up with the same number."""

import numpy as np
import pytest

from napari_seedbed.pipeline.data.image import Image
from napari_seedbed.pipeline.operations import operations, run

SIDE = 265
COUNT = SIDE**2

# Parameters with which objects of one voxel stay.
KEEPING = {
    "combine_labels": {"how": "or"},
    "remove_by_size": {"smallest": 0},
    "keep_largest": {"number": COUNT},
    "label_morphology": {"radius": 0},
    "skeleton": {"shortest": 0},
}

KEEPERS = [
    name
    for name, operation in operations.items()
    if operation.gives == "labels" and operation.image_kind == "labels"
]


@pytest.fixture(scope="module")
def labels():
    """70,225 objects of one voxel, at every second row and column."""
    array = np.zeros((2 * SIDE, 2 * SIDE), np.int32)
    array[::2, ::2] = np.arange(1, COUNT + 1).reshape(SIDE, SIDE)
    array.flags.writeable = False
    return array


def flat(array):
    return Image(array, ("y", "x"))


@pytest.mark.parametrize("name", KEEPERS)
def test_every_object_keeps_a_number_of_its_own(name, labels):
    operation = operations[name]
    inputs = {"image": flat(labels)}
    if "other" in operation.takes:
        inputs["other"] = flat(np.zeros_like(labels))
    found = run(operation, inputs, KEEPING.get(name)).image("labels").array
    numbers = found[labels > 0]
    numbers = numbers[numbers != 0]
    # Those of the first row and of the first column touch the border.
    assert len(numbers) == (COUNT if name != "clear_border" else (SIDE - 1) ** 2)
    assert numbers.min() > 0
    assert len(np.unique(numbers)) == len(numbers)


@pytest.mark.parametrize("dtype", [bool, np.uint8, np.uint16])
@pytest.mark.parametrize("name", ["label", "split_touching"])
def test_a_mask_of_any_type_holds_as_many_objects_as_there_are(name, dtype, labels):
    found = run(name, {"image": flat((labels > 0).astype(dtype))}).image("labels").array
    assert len(np.unique(found[labels > 0])) == COUNT


@pytest.mark.parametrize("name", ["seeded_watershed", "cells_from_nuclei", "flood_fill"])
def test_regions_grown_from_many_seeds_are_as_many(name, labels):
    image = (labels > 0).astype(np.uint16)
    found = run(name, {"image": flat(image), "seeds": flat(labels)}).image("labels").array
    np.testing.assert_array_equal(found[labels > 0], labels[labels > 0])


def test_labels_of_two_images_numbered_on_do_not_wrap(labels):
    low = np.where(labels <= 40_000, labels, 0).astype(np.uint16)
    high = np.where(labels > 40_000, labels - 40_000, 0).astype(np.uint16)
    parameters = {"how": "or", "renumber": True}
    found = run("combine_labels", {"image": flat(low), "other": flat(high)}, parameters)
    assert len(np.unique(found.image("labels").array[labels > 0])) == COUNT


def test_pairs_of_labels_of_two_images_of_16_bits_do_not_wrap(labels):
    # neither has more labels than 16 bits can hold, but there are more pairs of them
    rows, columns = (np.where(labels > 0, part, 0) for part in np.indices(labels.shape) // 2 + 1)
    inputs = {"image": flat(rows.astype(np.uint16)), "other": flat(columns.astype(np.uint16))}
    found = run("combine_labels", inputs, {"how": "pairs"}).image("labels").array
    assert len(np.unique(found[labels > 0])) == COUNT


def test_numbers_that_start_beyond_16_bits_do_not_wrap(labels):
    image = flat(np.where(labels < 10, labels, 0).astype(np.uint16))
    found = run("relabel_sequential", {"image": image}, {"start": 65_533}).image("labels").array
    assert found.max() == 65_533 + 8


def test_every_object_is_counted_and_measured_once(labels):
    assert run("count", {"image": flat(labels > 0)}).table().columns["objects"].tolist() == [COUNT]
    measured = run("measure", {"image": flat(labels), "other": flat(labels)}).table().columns
    np.testing.assert_array_equal(measured["label"], np.arange(1, COUNT + 1))
    np.testing.assert_array_equal(measured["mean_intensity"], measured["label"])


def test_every_region_has_a_colour_of_its_own(labels):
    image = labels.astype(np.float32)
    colours = run("average_colour", {"image": flat(image), "other": flat(labels)}).image("image")
    np.testing.assert_array_equal(colours.array[labels > 0], image[labels > 0])
