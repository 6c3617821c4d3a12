"""Files of other programs on the command line: converted, measured, and started from."""

import csv
import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import roifile
from PIL import Image as Pillow

from napari_seedbed.pipeline.cli import DONE, FAILED, WRONG_USE, main
from napari_seedbed.pipeline.data.annotations import Annotation, Annotations
from napari_seedbed.pipeline.data.image import Image
from napari_seedbed.pipeline.files import read_image, write_image, write_labels, write_result
from napari_seedbed.pipeline.files.vector_readers import read_annotations
from napari_seedbed.pipeline.operations import run
from napari_seedbed.pipeline.recipes import recipe_from_record, save_recipe

SPACING = (0.3, 0.1, 0.1)
BOX = np.array([(2.5, 2.5), (2.5, 8.5), (6.5, 8.5), (6.5, 2.5)])


@pytest.fixture
def seedbed(tmp_path, monkeypatch, cells, seeds):
    """Run ``seedbed`` in a folder with cells.ome.tif, cells_labels.ome.tif and marks.zip."""
    monkeypatch.chdir(tmp_path)
    write_image("cells.ome.tif", cells)
    write_labels("cells_labels.ome.tif", seeds)
    marks = (
        Annotation("rectangle", ((BOX,),), 4, "left", "nucleus", z=4),
        Annotation("rectangle", ((BOX + 9,),), 6, "right", "nucleus", z=4),
        Annotation("points", ((np.array([(10.0, 2.0)]),),), 9, "ground", "ground", z=4),
    )
    write_result("marks.zip", "shapes", Annotations(marks))

    def call(*arguments):
        return main([str(argument) for argument in arguments])

    return call


def rows(path):
    with Path(path).open(encoding="utf-8") as file:
        return list(csv.DictReader(file))


def test_labels_become_what_other_programs_open(seedbed, seeds, capsys):
    for name in ("a.zip", "a.geojson", "a.stl", "a.csv", "a.parquet"):
        assert seedbed("convert", "cells_labels.ome.tif", name) == DONE
    assert "cells_labels.ome.tif: a.zip" in capsys.readouterr().out
    assert {roi.name for roi in roifile.roiread("a.zip")} == {"1", "2", "3"}
    features = json.loads(Path("a.geojson").read_text("utf-8"))["features"]
    assert [f["geometry"]["plane"]["z"] for f in features] == [4, 4, 4]
    assert [int(row["label"]) for row in rows("a.csv")] == [1, 2, 3]
    for name in ("a.zip", "a.geojson"):
        assert seedbed("convert", name, f"{name}.ome.tif", "--like", "cells.ome.tif") == DONE
        back = read_image(f"{name}.ome.tif")
        np.testing.assert_array_equal(back.array, seeds.array)
        assert (back.spacing, back.holds_labels) == (SPACING, True)


def test_shapes_are_measured_on_an_image_with_their_names(seedbed, cells):
    assert seedbed("convert", "marks.zip", "m.csv", "--measure", "--like", "cells.ome.tif") == DONE
    left, right, ground = rows("m.csv")
    assert [row["name"] for row in (left, right, ground)] == ["left", "right", "ground"]
    assert [row["class"] for row in (left, ground)] == ["nucleus", "ground"]
    assert [row["voxels"] for row in (left, ground)] == ["24", "1"]
    mean = cells.array[4, 3:7, 3:9].mean()
    assert float(left["mean_intensity"]) == pytest.approx(mean)
    assert (
        seedbed("convert", "marks.zip", "c.ome.tif", "--by-class", "--like", "cells.ome.tif")
        == DONE
    )
    found = read_image("c.ome.tif").array
    assert (found == 2).sum() == 48
    assert found[4, 10, 2] == 1


def test_pictures_and_meshes_take_their_options(seedbed):
    picture = ("convert", "cells_labels.ome.tif", "p.png", "--like", "cells.ome.tif")
    assert seedbed(*picture, "--slice", 5) == DONE
    with Pillow.open("p.png") as shown:
        assert np.ptp(np.asarray(shown).astype(int), axis=2).max() > 20
    assert seedbed(*picture, "--slice", 9, "--overwrite") == WRONG_USE
    assert seedbed("convert", "cells_labels.ome.tif", "m.ply", "--each", "--smoothing", 0) == DONE
    assert len(read_annotations("marks.zip")) == 3


@pytest.mark.parametrize(
    ("arguments", "status", "words"),
    [
        (("marks.zip", "a.ome.tif"), WRONG_USE, "--like"),
        (("marks.zip", "marks.zip", "--overwrite"), WRONG_USE, "is the input"),
        (("marks.zip", "cells.ome.tif"), FAILED, "pass --overwrite"),
        (("cells_labels.ome.tif", "a.xyz"), WRONG_USE, ".geojson"),
        (("cells_labels.ome.tif", "a.zip", "--each"), WRONG_USE, "for meshes"),
        (("cells_labels.ome.tif", "a.zip", "--slice", 1), WRONG_USE, "for pictures"),
        (("cells_labels.ome.tif", "a.zip", "--time", 2), WRONG_USE, "has 1"),
        (("nothing.zip", "a.csv"), FAILED, "no such file"),
    ],
)
def test_wrong_use_is_said_and_writes_nothing(seedbed, tmp_path, capsys, arguments, status, words):
    before = sorted(tmp_path.iterdir())
    assert seedbed("convert", *arguments) == status
    assert words in capsys.readouterr().err
    assert sorted(tmp_path.iterdir()) == before


def test_info_says_what_is_in_a_set(seedbed, capsys):
    assert seedbed("info", "marks.zip") == DONE
    text = capsys.readouterr().out
    assert "ImageJ RoiSet" in text
    assert "Rectangle   2" in text
    assert "Classes     nucleus, ground" in text
    assert "Slices      5 to 5" in text


def test_a_recipe_starts_from_rois_in_place_of_its_seeds(seedbed, tmp_path, cells, seeds):
    result = run("seeded_watershed", {"image": cells, "seeds": seeds})
    save_recipe("recipe.yaml", recipe_from_record(result.record))
    assert (
        seedbed("run", "recipe.yaml", "cells.ome.tif", "-o", "out", "--seeds", "marks.zip") == DONE
    )
    (entry,) = json.loads(Path("out/summary.json").read_text("utf-8"))["inputs"]
    assert not any("seeds" in note and "reused" in note for note in entry["notes"])
    found = read_image("out/cells_labels.ome.tif").array
    drawn = np.zeros(cells.shape, np.int32)
    drawn[4, 3:7, 3:9], drawn[4, 12:16, 12:18], drawn[4, 10, 2] = 4, 6, 9
    marks = Image(drawn, cells.axes, cells.spacing, cells.units)
    expected = run("seeded_watershed", {"image": cells, "seeds": marks}).image("labels")
    np.testing.assert_array_equal(found, expected.array)
    # a folder has a file for each input, and labels are seeds, too
    for name in ("cells.geojson", "cells_labels.ome.tif"):
        (tmp_path / name[-7:]).mkdir()
        of_rois = ("convert", "marks.zip", f"{name[-7:]}/{name}", "--like", "cells.ome.tif")
        assert seedbed(*of_rois) == DONE
        again = ("run", "recipe.yaml", "cells.ome.tif", "-o", f"out{name[-7:]}")
        assert seedbed(*again, "--seeds", name[-7:]) == DONE
        found = read_image(f"out{name[-7:]}/cells_labels.ome.tif").array
        np.testing.assert_array_equal(found, expected.array)


def test_a_recipe_starts_from_outlines_in_place_of_its_shapes(seedbed, movie, drawn, discs, capsys):
    write_image("movie.ome.tif", movie)
    recipe = recipe_from_record(run(discs, {"image": movie, "shapes": drawn}, {"radius": 3}).record)
    save_recipe("recipe.yaml", recipe)
    outlines = replace(drawn, n_times=movie.n_times, shapes=drawn.shapes[:2])
    write_result("outlines.geojson", "shapes", outlines)
    arguments = ("run", "recipe.yaml", "movie.ome.tif", "-o", "out")
    assert seedbed(*arguments, "--shapes", "outlines.geojson") == DONE
    expected = run(discs, {"image": movie, "shapes": outlines}, {"radius": 3}).image("labels")
    found = read_image("out/movie_labels.ome.tif")
    assert found.axes == ("t", "y", "x")
    np.testing.assert_array_equal(found.array, np.moveaxis(expected.array, 1, 0))
    assert seedbed("run", "recipe.yaml", "movie.ome.tif", "-o", "b", "--shapes", ".") == FAILED
    assert "no single file of shapes for movie.ome.tif" in capsys.readouterr().err
