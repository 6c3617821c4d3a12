import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from napari_seedbed.core.regions.merging import merge_tree
from napari_seedbed.core.regions.region_edits import (
    RegionEdit,
    edited_groups,
    edits_text,
    parse_edits,
)
from napari_seedbed.core.regions.region_graphs import region_graph
from napari_seedbed.errors import InputError

ROW = np.array([[10, 20, 30, 40, 50]])
VALUES = np.array([[0.0, 1.0, 3.0, 100.0, 102.0]])
"""By likeness 10 and 20 are joined first, then 40 and 50 or 30 to the first two."""


def edited(text, level=0.0, method="merge"):
    graph = region_graph(ROW, VALUES)
    tree = merge_tree(graph, method)
    groups, notes = edited_groups(tree, tree.steps_at(level), parse_edits(text), graph.labels)
    return graph.painted(groups)[0].tolist(), notes


def test_two_regions_are_merged():
    assert edited("merge 10 30")[0] == [10, 20, 10, 40, 50]


def test_merging_joins_whole_groups():
    assert edited("merge 30 50", level=10)[0] == [10, 10, 10, 10, 10]


def test_split_undoes_the_last_step_of_the_group():
    assert edited("", level=10)[0] == [10, 10, 10, 40, 40]
    assert edited("split 20", level=10)[0] == [10, 10, 30, 40, 40]
    assert edited("split 20; split 20", level=10)[0] == [10, 20, 30, 40, 40]


def test_split_undoes_a_merge_by_hand_first():
    assert edited("merge 30 50; split 10", level=10)[0] == [10, 10, 10, 40, 40]


def test_split_of_a_single_region_does_nothing():
    assert edited("split 30")[0] == [10, 20, 30, 40, 50]


@pytest.mark.parametrize("label", [10, 20, 30])
def test_taking_out_leaves_the_rest_together(label):
    others = [value for value in (10, 20, 30) if value != label]
    expected = [label if v == label else others[0] for v in (10, 20, 30)] + [40, 40]
    assert edited(f"take out {label}", level=10)[0] == expected


def test_one_taken_out_can_be_merged_elsewhere_and_split_again():
    text = "take out 20; merge 20 40"
    assert edited(text, level=10)[0] == [10, 20, 10, 20, 20]
    assert edited(text + "; split 50", level=10)[0] == [10, 20, 10, 40, 40]


def test_a_region_that_is_not_there_is_noted_and_left_out():
    found, notes = edited("merge 10 11; merge 10 20")
    assert found == [10, 10, 30, 40, 50]
    assert notes == ("'merge 10 11' was left out: there is no region 11.",)


@given(
    st.lists(
        st.tuples(st.sampled_from(["merge", "split", "take out"]), *[st.integers(1, 10**6)] * 2)
    )
)
def test_text_reads_back(found):
    edits = tuple(RegionEdit(v, (a, b) if v == "merge" else (a,)) for v, a, b in found)
    assert parse_edits(edits_text(edits)) == edits


def test_lines_and_capitals_are_read():
    assert parse_edits("Merge 1 2\n\n TAKE  OUT 3;") == (
        RegionEdit("merge", (1, 2)),
        RegionEdit("take out", (3,)),
    )


@pytest.mark.parametrize("text", ["merge 1", "split 1 2", "join 1 2", "merge a b", "take out"])
def test_what_cannot_be_read_is_named(text):
    with pytest.raises(InputError, match=f"'{text}' cannot be read"):
        parse_edits(text)
