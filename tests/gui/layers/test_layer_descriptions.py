"""Layers as plain values and back: what a project and the journal keep of them."""

import json
from dataclasses import replace

import numpy as np
import pytest
from layers_of_each_kind import MADE, labels_with_classes
from napari.components import ViewerModel
from napari.layers import Image, Labels, Layer

from napari_seedbed.errors import InputError
from napari_seedbed.gui.layers.layer_descriptions import described, layer_of, renew_slots, restored
from napari_seedbed.gui.layers.layer_records import METADATA_KEY, find_result, keep_record


def through_json(layer):
    """The layer that comes of the description of another one, once that was written and read."""
    description = described(layer)
    assert description.left_out == ()
    assert all(array.dtype != object for array in description.arrays.values())
    plain = (description.data, description.attributes, description.state)
    data, attributes, state = json.loads(json.dumps(plain, allow_nan=False))
    arrays = {name: array.copy() for name, array in description.arrays.items()}
    return restored(
        replace(description, data=data, attributes=attributes, state=state, arrays=arrays)
    )


def assert_same(one, other, where=""):
    """Compare what napari says of two layers, whatever is inside."""
    if isinstance(one, dict):
        assert set(one) == set(other), where
        for key in one:
            assert_same(one[key], other[key], f"{where}/{key}")
    elif hasattr(one, "model_dump"):
        assert type(one) is type(other), where
        assert_same(one.model_dump(), other.model_dump(), where)
    elif hasattr(one, "columns"):
        assert list(one.columns) == list(other.columns), where
        assert len(one.columns) == 0 or len(one) == len(other), where
        for name in one.columns:
            assert_same(list(one[name]), list(other[name]), f"{where}/{name}")
    elif isinstance(one, np.ndarray) and one.dtype != object:
        assert one.dtype == other.dtype, where
        np.testing.assert_array_equal(one, other, where)
    elif isinstance(one, list | tuple | np.ndarray):
        assert len(one) == len(other), where
        for i, (mine, its) in enumerate(zip(one, other, strict=True)):
            assert_same(mine, its, f"{where}/{i}")
    else:
        assert one == other or (one != one and other != other), where


@pytest.mark.parametrize("kind", MADE)
def test_layer_comes_back_as_it_was(rng, kind):
    layer = MADE[kind](rng)
    again = through_json(layer)
    assert type(again) is type(layer)
    mine, its = layer.as_layer_data_tuple(), again.as_layer_data_tuple()
    assert_same(mine[1] | {"data": mine[0]}, its[1] | {"data": its[0]})
    assert (again.locked, again.editable) == (layer.locked, layer.editable)
    for name in ("selected_label", "brush_size", "n_edit_dimensions", "contour", "current_size"):
        assert getattr(again, name, None) == getattr(layer, name, None), name


def test_arrays_are_those_of_the_layer(rng):
    layer = Labels(rng.integers(0, 9, (30, 20, 20)))
    assert described(layer).arrays["data"] is layer.data
    assert described(layer, with_data=False).data is None


def test_result_that_a_panel_renews_comes_back_as_one_to_keep(rng):
    layer = Labels(np.eye(20, dtype=int), metadata={"of another": object()})
    keep_record(layer, "labels", {"operation": "threshold"}, "slot of a panel")
    layer.editable = False
    description = described(layer)
    assert description.left_out == ("the metadata 'of another'",)
    again = restored(description)
    assert again.metadata == {METADATA_KEY: {"operation": "threshold", "kind": "labels"}}
    assert again.editable
    assert again.locked


def test_result_is_renewed_further_where_its_image_is_restored_too(rng):
    image, result = Image(rng.normal(size=(20, 20))), Labels(np.eye(20, dtype=int))
    keep_record(result, "labels", {"operation": "threshold"}, f"of/{image.unique_id}/labels")
    result.editable = False
    pairs = [(one, restored(one)) for one in (described(image), described(result))]
    renew_slots(pairs)
    again = pairs[1][1]
    assert (again.editable, bool(again.locked)) == (False, False)
    viewer = ViewerModel()
    viewer.add_layer(again)
    assert find_result(viewer, f"of/{pairs[0][1].unique_id}/labels") is again


def test_image_that_lies_in_a_file_is_described_without_its_voxels():
    import dask.array

    layer = Image(dask.array.zeros((4, 8, 8)), name="in a file")
    with pytest.raises(InputError, match="'in a file': its voxels are not in memory"):
        described(layer)
    assert described(layer, with_data=False).name == "in a file"


@pytest.mark.parametrize(
    "change",
    [
        {"kind": "sponge"},
        {"arrays": {}},
        {"data": {"$": "array", "dtype": "O", "shape": [1], "items": [1]}},
        {"data": {"$": "pickle"}},
        {"data": {"$": "member"}},
        {"attributes": {"scale": ["a", "b", "c"]}},
        {"attributes": {"colormap": {"label_colours": "direct"}}},
        {"attributes": {"metadata": {"$": "pairs", "items": [1]}}},
        {"state": {"selected_label": "many"}},
    ],
    ids=str,
)
def test_damaged_description_is_refused_in_words(rng, change):
    description = described(labels_with_classes(rng))
    with pytest.raises(InputError):
        restored(replace(description, **change))


def test_what_no_layer_is_created_with_is_passed_over(rng):
    description = described(labels_with_classes(rng))
    description.attributes["of_tomorrow"] = 1
    data, attributes, kind = layer_of(description)
    assert isinstance(Layer.create(data, attributes, kind), Labels)
