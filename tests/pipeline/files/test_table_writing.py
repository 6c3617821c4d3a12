"""Tables as CSV and, where pyarrow is installed, as Parquet."""

import csv
import sys

import numpy as np
import pytest

from napari_seedbed.errors import InputError
from napari_seedbed.pipeline.batch import run_batch
from napari_seedbed.pipeline.data.image import Image
from napari_seedbed.pipeline.files import write_labels, write_result
from napari_seedbed.pipeline.operations import run
from napari_seedbed.pipeline.recipes import recipe_from_record

TABLE = {
    "label": np.array([1, 7]),
    "area": np.array([1 / 3, np.inf]),
    "unit": np.array(["µm", "µm"]),
    "touches_border": np.array([True, False]),
}


@pytest.fixture
def labels(tmp_path):
    image = Image(np.kron(np.eye(3, dtype=np.uint8), np.ones((4, 4), np.uint8)), ("y", "x"))
    write_labels(tmp_path / "cells.tif", image)
    return tmp_path / "cells.tif", recipe_from_record(run("measure", {"image": image}).record)


def test_parquet_keeps_every_value_and_type(tmp_path):
    parquet = pytest.importorskip("pyarrow.parquet")
    path = write_result(tmp_path / "table.parquet", "table", TABLE)
    found = parquet.read_table(path)
    assert found.column_names == list(TABLE)
    assert [str(kind) for kind in found.schema.types] == ["int64", "double", "string", "bool"]
    for name, column in TABLE.items():
        assert found[name].to_pylist() == column.tolist()


def test_a_table_without_rows_has_its_columns(tmp_path):
    parquet = pytest.importorskip("pyarrow.parquet")
    empty = {name: column[:0] for name, column in TABLE.items()}
    found = parquet.read_table(write_result(tmp_path / "table.parquet", "table", empty))
    assert found.column_names == list(TABLE)
    assert found.num_rows == 0


def test_a_batch_writes_parquet_where_asked(tmp_path, labels):
    parquet = pytest.importorskip("pyarrow.parquet")
    path, recipe = labels
    summary = run_batch(recipe, [path], tmp_path / "out", parquet=True)
    name = summary["inputs"][0]["outputs"]["table"]
    assert name == "cells_table.parquet"
    assert parquet.read_table(tmp_path / "out" / name)["voxels"].to_pylist() == [48]


def test_other_endings_are_csv(tmp_path):
    path = write_result(tmp_path / "table.txt", "table", TABLE)
    with path.open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert [float(row["area"]) for row in rows] == TABLE["area"].tolist()


def test_without_pyarrow_parquet_is_refused_before_any_work(tmp_path, labels, monkeypatch):
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    monkeypatch.setitem(sys.modules, "pyarrow.parquet", None)
    path, recipe = labels
    with pytest.raises(InputError, match="pip install pyarrow"):
        run_batch(recipe, [path], tmp_path / "out", parquet=True)
    with pytest.raises(InputError, match="pip install pyarrow"):
        write_result(tmp_path / "table.parquet", "table", TABLE)
    assert not (tmp_path / "table.parquet").exists()
