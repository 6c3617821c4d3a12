"""Records of a journal, in files that are whole, cut off and damaged."""

import json
import zlib

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from napari_seedbed.pipeline.journal import records as records_module
from napari_seedbed.pipeline.journal.records import (
    HEADER,
    Damage,
    Record,
    encoded,
    records_in,
)

KINDS = ("u1", "<i2", "<i4", "<u8", "<f4", "<f8", "?")


@pytest.fixture(scope="module")
def records():
    rng = np.random.default_rng(4)
    found = [Record("empty"), Record("zero", {}, {"none": np.zeros((0, 3))})]
    for nth in range(12):
        shape = rng.integers(1, 9, rng.integers(1, 4))
        array = rng.integers(0, 2, shape).astype(KINDS[nth % len(KINDS)])
        found.append(
            Record("layer", {"nth": nth, "name": "Zellkerne µ"}, {"a": array, "b": array.T})
        )
    return found


@pytest.fixture(scope="module")
def content(records):
    return HEADER + b"".join(map(encoded, records))


def read(folder, content):
    path = folder / "a.journal"
    path.write_bytes(content)
    damage = Damage()
    return list(records_in(path, damage)), damage


def assert_same(found, expected):
    assert [one.kind for one in found] == [one.kind for one in expected]
    for one, other in zip(found, expected, strict=True):
        assert one.values == other.values
        assert list(one.arrays) == list(other.arrays)
        for name, array in one.arrays.items():
            assert array.dtype == other.arrays[name].dtype
            np.testing.assert_array_equal(array, other.arrays[name])
            array[...] = 0  # it can be written to


def test_all_records_come_back(tmp_path, records, content):
    found, damage = read(tmp_path, content)
    assert_same(found, records)
    assert damage == Damage()


def test_a_file_cut_off_anywhere_gives_the_records_that_are_whole(tmp_path, records, content):
    ends = np.cumsum([len(HEADER), *(len(encoded(one)) for one in records)])
    for length in {*range(len(HEADER), len(content), 7), *ends, *(ends[1:] - 1)}:
        found, damage = read(tmp_path, content[:length])
        assert_same(found, records[: np.searchsorted(ends, length, side="right") - 1])
        assert damage == Damage(has_torn_tail=length not in ends)


@given(st.integers(0, 10**9), st.binary(min_size=1, max_size=40), st.integers(0, 60))
def test_what_damage_does_not_touch_is_read(tmp_path_factory, place, put, taken):
    rng = np.random.default_rng(5)
    records = [Record("n", {"n": n}, {"a": rng.integers(0, 9, 50)}) for n in range(8)]
    parts = [encoded(one) for one in records]
    content = b"".join(parts)
    place %= len(content)
    damaged = content[:place] + put + content[place + taken :]
    found, damage = read(tmp_path_factory.mktemp("damaged"), HEADER + damaged)
    ends = np.cumsum([len(part) for part in parts])
    starts = ends - [len(part) for part in parts]
    untouched = [n for n in range(8) if ends[n] <= place or starts[n] >= place + max(taken, 1)]
    numbers = [one.values["n"] for one in found]
    if taken == 0 or damaged == content:  # between two records, or nothing is another
        assert set(untouched) <= set(numbers)
    else:
        assert numbers == untouched
    for one in found:
        np.testing.assert_array_equal(one.arrays["a"], records[one.values["n"]].arrays["a"])
    assert damaged == content or damage != Damage()


def raw_record(text, *blobs):
    """A record with this text, of the right length and checksum."""
    payload = b"".join([records_module._LENGTH.pack(len(text)), text, *blobs])
    head = records_module._HEAD.pack(
        records_module._MARK, len(payload), records_module._checksum(payload)
    )
    return head + payload


def with_array(dtype, shape, blob):
    """A record that says to hold an array of this type and shape in these bytes."""
    table = [["a", dtype, shape, len(blob)]]
    return raw_record(json.dumps({"kind": "n", "values": {}, "arrays": table}).encode(), blob)


ABSURD = {
    "shape": with_array("<f8", [10**12], zlib.compress(b"0" * 80)),
    "beyond integers": with_array("<f8", [10**30, 10**30], zlib.compress(b"0" * 80)),
    "negative": with_array("<f8", [-3, -5], zlib.compress(b"0" * 120)),
    "bomb": with_array("u1", [10**6], zlib.compress(b"0" * 10**8)),
    "no type": with_array("f8, (", [10], zlib.compress(b"0" * 80)),
    "objects": with_array("|O", [10], zlib.compress(b"0" * 80)),
    "text for numbers": with_array("<f8", ["a"], zlib.compress(b"0" * 80)),
    "deep": raw_record(b"[" * 100_000),
    "a list": raw_record(b"[1, 2]"),
    "long text": records_module._HEAD.pack(records_module._MARK, 4, b"x" * 16) + b"\xff" * 4,
}


@pytest.mark.parametrize("absurd", ABSURD.values(), ids=ABSURD.keys())
def test_a_record_that_was_never_written_is_passed_over_and_said(
    tmp_path, records, content, absurd
):
    found, damage = read(tmp_path, content + absurd + encoded(records[-1]))
    assert_same(found, [*records, records[-1]])
    assert damage == Damage(is_damaged=True)


def test_a_length_beyond_the_file_ends_it_there(tmp_path, records, content):
    absurd = records_module._HEAD.pack(records_module._MARK, 2**63, b"x" * 16)
    found, damage = read(tmp_path, content + absurd)
    assert_same(found, records)
    assert damage == Damage(has_torn_tail=True)


def test_what_takes_more_memory_than_is_free_is_left_out_and_said(
    tmp_path, records, content, monkeypatch
):
    monkeypatch.setattr(records_module, "_SMALL", 1000)
    monkeypatch.setattr(records_module, "available_memory", lambda: 10_000)
    large = Record("layer", {}, {"a": np.ones(5000)})
    found, damage = read(tmp_path, content + encoded(large) + encoded(records[-1]))
    assert_same(found, [*records, records[-1]])
    assert damage.lacks_memory


def test_a_file_that_is_no_journal_gives_nothing(tmp_path, content):
    found, damage = read(tmp_path, b"PK" + content)
    assert found == []
    assert damage.is_damaged
