"""What is kept of objects: checked, locked, class; in the features of their layer."""

import numpy as np
import pandas as pd
import pytest
from decided_states import set_states
from napari.layers import Labels

from napari_seedbed.errors import InputError
from napari_seedbed.gui.layers.label_features import show_features
from napari_seedbed.gui.layers.layer_records import METADATA_KEY, record_of
from napari_seedbed.gui.layers.object_states import (
    ObjectState,
    check_class_names,
    class_names,
    object_states,
    set_class_names,
    state_columns,
    states_after,
    states_linked,
    write_states,
)


@pytest.fixture
def layer():
    labels = np.zeros((20, 20), np.int32)
    labels[2:5, 2:5], labels[10:15, 3:9], labels[3:9, 12:18] = 1, 2, 5
    return Labels(labels)


def test_states_are_rows_of_the_features(layer):
    set_states(layer, [1, 5], checked=True)
    set_states(layer, [5], locked=True, class_name="mitosis")
    states = object_states(layer)
    assert [states.of(label) for label in (1, 2, 5)] == [
        (True, False, ""),
        (False, False, ""),
        (True, True, "mitosis"),
    ]
    row = layer.features.set_index("index").loc[5]
    assert (row["checked"], row["locked"], row["class"]) == (True, True, "mitosis")
    assert [layer.features[name].dtype for name in ("checked", "locked")] == [bool, bool]
    set_states(layer, [5], locked=False, class_name="")
    assert object_states(layer).of(5) == (True, False, "")


def test_states_and_measurements_leave_each_other_alone(layer):
    show_features(layer, {"label": np.array([1, 2, 5]), "area": np.array([9.0, 30.0, 36.0])})
    set_states(layer, [2], checked=True, class_name="a")
    assert layer.features.set_index("index").loc[5, "area"] == 36
    show_features(layer, {"label": np.array([1, 2]), "area": np.array([8.0, 31.0])})
    assert object_states(layer).of(2) == (True, False, "a")
    assert layer.features.set_index("index").loc[2, "area"] == 31


def test_states_survive_a_table_saved_as_text(layer, tmp_path):
    set_states(layer, [1, 2], checked=True, class_name="b")
    set_states(layer, [2], checked=False, locked=True)
    before = object_states(layer)
    layer.features.to_csv(tmp_path / "states.csv", index=False)
    layer.features = pd.read_csv(tmp_path / "states.csv")
    assert object_states(layer) == before
    layer.features = pd.read_csv(tmp_path / "states.csv", dtype=str).astype({"index": float})
    assert object_states(layer) == before


def test_labels_far_apart_and_gaps_are_no_trouble(layer):
    set_states(layer, [2_000_000], checked=True)
    assert object_states(layer).checked == {2_000_000}
    layer.features = {
        "index": [1, np.nan, "x"],
        "checked": [np.nan, True, True],
        "class": [None] * 3,
    }
    assert object_states(layer).checked == set()
    assert object_states(layer).class_of == {}


def test_columns_for_tables_hold_what_is_set(layer):
    table = {"label": np.array([5, 1, 2, 9])}
    assert state_columns(layer.features, table) == {}
    set_states(layer, [5], class_name="a")
    set_states(layer, [1], checked=True)
    columns = state_columns(layer.features, table)
    assert list(columns) == ["checked", "class"]
    assert columns["class"].tolist() == ["a", "", "", ""]
    assert columns["checked"].tolist() == [False, True, False, False]


def test_a_class_that_is_renamed_takes_its_objects_along(layer):
    set_class_names(layer, before := ("alive", "dead"))
    set_states(layer, [1, 2], class_name="alive")
    set_states(layer, [5], class_name="dead")
    states = object_states(layer)
    assert class_names(layer) == before
    # one more: none was renamed
    assert states_after(states, before, ("alive", "dead", "unsure")) == {}
    assert states_after(states, before, ("dead",)) == {1: (False, False, ""), 2: (False, False, "")}
    write_states(layer, states_after(states, before, ("living", "dead")))
    assert object_states(layer).class_of == {1: "living", 2: "living", 5: "dead"}


def test_in_a_film_objects_are_checked_at_their_time_points(layer, tmp_path):
    state = ObjectState().checked_also(4, True, [3, 4, 5, 9])
    state = state.checked_also(5, True, [3, 4, 5, 9]).checked_also(9, True, [])
    write_states(layer, {1: state, 2: ObjectState(checked=True)})
    assert layer.features.set_index("index").loc[1, "checked_at"] == "4-5,9"
    layer.features.to_csv(tmp_path / "states.csv", index=False)
    layer.features = pd.read_csv(tmp_path / "states.csv")
    table = {"label": np.array([1, 1, 1, 2, 2]), "time_point": np.array([3, 4, 9, 3, 4])}
    columns = state_columns(layer.features, table)
    assert columns["checked"].tolist() == [False, True, True, True, True]
    again = object_states(layer).of(2).checked_also(4, False, [3, 4])
    assert (again.is_checked(3), again.is_checked(4)) == (True, False)
    # somebody else wrote that
    layer.features = {"index": [1, 2], "checked": [True, True], "checked_at": ["3-", "x"]}
    assert object_states(layer).of(2).checked is True


def test_links_take_states_along(layer):
    states = {
        1: ObjectState(checked=frozenset({0, 1}), class_name="alive"),
        2: ObjectState(checked=True),
        7: ObjectState(checked=frozenset({1}), class_name="dead"),
    }
    write_states(layer, states)
    times = {1: [0, 1], 2: [0, 1], 7: [1]}
    # at time point 1 the numbers 1 and 2 change places, and 7 becomes 9
    moves = [(1, 1, 2), (1, 2, 1), (1, 7, 9)]
    found = states_linked(moves, object_states(layer), lambda label: times.get(label, []))
    assert found == {
        1: (frozenset({0, 1}), False, "alive"),
        2: (frozenset({0, 1}), False, "alive"),
        7: (False, False, "dead"),
        9: (frozenset({1}), False, "dead"),
    }


@pytest.mark.parametrize("names", [["a", "a"], ["a", " "], [f"c{i}" for i in range(10)]])
def test_unusable_class_names_are_refused(names):
    with pytest.raises(InputError, match="classes"):
        check_class_names(names)


def test_class_names_of_other_programs_are_offered_and_no_part_of_the_record(layer):
    layer.features = {"index": [1, 2], "class": ["nucleus", "debris"]}
    assert class_names(layer) == ("debris", "nucleus")
    layer.metadata = {METADATA_KEY: {"operation": "otsu", "parameters": {}}}
    set_class_names(layer, ["nucleus"])
    assert record_of(layer) == {"operation": "otsu", "parameters": {}}
