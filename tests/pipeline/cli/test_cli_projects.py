"""Projects on the command line: what is in one, and its results made again."""

import numpy as np
import pytest

from napari_seedbed.pipeline.cli import DONE, FAILED, WRONG_USE, main
from napari_seedbed.pipeline.data.layer_description import LayerDescription
from napari_seedbed.pipeline.data.plain_values import to_plain
from napari_seedbed.pipeline.files import read_image, write_image
from napari_seedbed.pipeline.project.project_files import save_project
from napari_seedbed.pipeline.project.project_model import PanelSettings, Project, ProjectLayer
from napari_seedbed.pipeline.project.source_images import source_of
from napari_seedbed.pipeline.recipes import replay


def labels_layer(name, array, record):
    arrays = {}
    metadata = {"napari_seedbed": record}
    kept = {"name": name, "metadata": to_plain(metadata, arrays, "metadata")}
    return ProjectLayer(
        LayerDescription("labels", to_plain(array, arrays, "data"), kept, {"locked": True}, arrays)
    )


@pytest.fixture
def place(tmp_path, recipe, cells, monkeypatch):
    """A folder with cells.ome.tif and a project of it and its result."""
    monkeypatch.chdir(tmp_path)
    write_image("cells.ome.tif", cells)
    made = replay(recipe, read_image("cells.ome.tif"))
    source = source_of("cells.ome.tif", None, None, read_image("cells.ome.tif").array, tmp_path)
    image = ProjectLayer(LayerDescription("image", None, {"name": "cells"}, {}), source)
    result = labels_layer("nuclei", made.outputs["labels"].array, made.record)
    panels = (PanelSettings(panel="Seeded segmentation (Seedbed)"),)
    save_project("day.seedbed", Project((image, result), panels=panels))
    twice = Project((image, result, labels_layer("more", np.eye(5, dtype=int), made.record)))
    save_project("two.seedbed", twice)
    return tmp_path


def test_info_says_what_is_in_a_project(place, capsys):
    assert main(["info", "day.seedbed"]) == DONE
    lines = capsys.readouterr().out.splitlines()
    assert lines[1].startswith("Layer 1    image 'cells', 8 x 20 x 24, in ")
    assert lines[2] == "Layer 2    labels 'nuclei', 8 x 20 x 24, int32, locked"
    assert lines[3] == "Recipe     of 'nuclei': random_walker"
    assert lines[4] == "Panel      Seeded segmentation (Seedbed)"
    (place / "cells.ome.tif").unlink()
    assert main(["info", "day.seedbed"]) == DONE
    assert "cells.ome.tif, not found" in capsys.readouterr().out


def test_info_of_a_damaged_project_says_what_is_missing(place, capsys):
    raw = (place / "day.seedbed").read_bytes()
    (place / "day.seedbed").write_bytes(raw[: raw.index(b"arrays/1/0.npy")])
    assert main(["info", "day.seedbed"]) == DONE
    assert "Note       The layer 'nuclei' is missing" in capsys.readouterr().out
    (place / "day.seedbed").write_bytes(b"hello")
    assert main(["info", "day.seedbed"]) == FAILED


def test_result_of_a_project_is_made_again_to_the_voxel(place, cells, recipe):
    assert main(["run", "day.seedbed", "cells.ome.tif", "-o", "out", "-q"]) == DONE
    expected = replay(recipe, read_image("cells.ome.tif")).outputs["labels"].array
    np.testing.assert_array_equal(read_image("out/cells_labels.ome.tif").array, expected)


def test_one_of_several_results_is_named(place, capsys):
    run = ["run", "two.seedbed", "cells.ome.tif", "-o", "out", "-q"]
    assert main(run) == WRONG_USE
    assert "holds several results, 'nuclei', 'more'; name one with --layer" in (
        capsys.readouterr().err
    )
    assert main([*run, "--layer", "less"]) == WRONG_USE
    assert main([*run, "--layer", "more"]) == DONE
