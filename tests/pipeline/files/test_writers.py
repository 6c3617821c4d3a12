"""One row makes a kind of file known wherever results are written."""

from typing import get_args

import numpy as np
import pytest

from napari_seedbed.pipeline.batch import run_batch
from napari_seedbed.pipeline.data.image import Image
from napari_seedbed.pipeline.engine.declarations import Kind
from napari_seedbed.pipeline.files import read_image, write_image, write_result, writers
from napari_seedbed.pipeline.files.writers import Writer
from napari_seedbed.pipeline.operations import run
from napari_seedbed.pipeline.recipes import recipe_from_record


def write_text(path, labels):
    np.savetxt(path, labels.array, fmt="%d")
    return path


TEXT = Writer("Text", (".grid.txt", ".txt"), ("labels",), write_text, "numbers")
LABELS = Image(np.arange(20).reshape(4, 5), ("y", "x"))


def test_every_kind_of_result_has_a_kind_of_file():
    assert {kind for row in writers.WRITERS for kind in row.takes} == set(get_args(Kind))


@pytest.mark.parametrize("name", ["a.GRID.TXT", "a.txt", "a.tif", "a.else"])
def test_the_name_says_the_kind_and_the_first_row_is_the_usual_one(monkeypatch, tmp_path, name):
    monkeypatch.setattr(writers, "WRITERS", (*writers.WRITERS, TEXT))
    path = write_result(tmp_path / name, "labels", LABELS)
    reads = np.loadtxt if path.suffix.lower() == ".txt" else lambda p: read_image(p).array
    np.testing.assert_array_equal(reads(path), LABELS.array)


def test_results_of_a_batch_end_as_the_first_row_says(monkeypatch, tmp_path):
    monkeypatch.setattr(writers, "WRITERS", (TEXT, *writers.WRITERS))
    image = Image(np.kron(np.eye(3, dtype=np.uint8), np.ones((4, 4), np.uint8)), ("y", "x"))
    write_image(tmp_path / "cells.tif", image)
    recipe = recipe_from_record(run("label", {"image": image}).record)
    (entry,) = run_batch(recipe, [tmp_path / "cells.tif"], tmp_path / "out")["inputs"]
    assert entry["outputs"] == {"labels": "cells_labels.grid.txt", "objects": "cells_objects.csv"}
    assert (np.loadtxt(tmp_path / "out" / "cells_labels.grid.txt") > 0).sum() == 48
