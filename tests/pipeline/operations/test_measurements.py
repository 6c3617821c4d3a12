"""The table of measurements, of images with time, channels and units."""

import csv

import numpy as np
import pytest
from skimage.measure import regionprops_table

from napari_seedbed.pipeline.data.image import Image
from napari_seedbed.pipeline.operations import run
from napari_seedbed.pipeline.recipes import recipe_from_record, save_recipe


def squares(*corners, shape=(20, 30)):
    labels = np.zeros(shape, np.uint16)
    for nth, (y, x) in enumerate(corners, start=1):
        labels[y : y + 4, x : x + 5] = nth
    return labels


def test_columns_equal_scikit_images_in_physical_units(rng):
    labels, grey = squares((2, 3), (10, 20)), rng.random((20, 30))
    about = {"spacing": (0.5, 0.25), "units": ("micrometer",) * 2}
    given = {"image": Image(labels, ("y", "x"), **about), "other": Image(grey, ("y", "x"), **about)}
    table = run("measure", given).table().columns
    names = ("area", "centroid", "intensity_mean", "axis_major_length")
    theirs = regionprops_table(labels, grey, properties=names, spacing=(0.5, 0.25))
    assert np.allclose(table["area"], theirs["area"])
    assert np.allclose(table["centroid_x"], theirs["centroid-1"])
    assert np.allclose(table["mean_intensity"], theirs["intensity_mean"])
    assert np.allclose(table["major_axis"], theirs["axis_major_length"])
    assert set(table["unit"]) == {"micrometer"}


def test_series_have_a_column_with_the_time_point():
    film = np.stack([squares((2, 3)), squares(), squares((1, 1), (9, 9))])
    table = run("measure", {"image": Image(film, ("t", "y", "x"))}).table().columns
    assert next(iter(table)) == "time_point"
    assert table["time_point"].tolist() == [0, 2, 2]
    assert table["label"].tolist() == [1, 1, 2]


def test_channels_give_columns_by_name():
    labels = squares((2, 3))
    grey = np.stack([np.full(labels.shape, 3.0), np.full(labels.shape, 8.0)])
    other = Image(grey, ("c", "y", "x"), channel_names=("DAPI", "actin stain"))
    table = run("measure", {"image": Image(labels, ("y", "x")), "other": other}).table().columns
    assert table["mean_intensity_DAPI"].tolist() == [3]
    assert table["max_intensity_actin_stain"].tolist() == [8]


def test_an_image_without_time_serves_all_time_points():
    film = np.stack([squares((2, 3)), squares((2, 3))])
    given = {
        "image": Image(film, ("t", "y", "x")),
        "other": Image(np.full((20, 30), 7.0), ("y", "x")),
    }
    assert run("measure", given).table().columns["mean_intensity"].tolist() == [7, 7]


def test_groups_that_are_switched_off_leave_no_column():
    off = dict.fromkeys(("position", "shape", "hull", "intensity", "neighbours"), False)
    table = run("measure", {"image": Image(squares((2, 3)), ("y", "x"))}, off).table().columns
    assert list(table) == ["label", "voxels", "area", "equivalent_diameter", "unit"]


def test_nothing_to_measure_gives_an_empty_table_with_all_columns():
    full = run("measure", {"image": Image(squares((2, 3)), ("y", "x"))}).table()
    empty = run("measure", {"image": Image(squares(), ("y", "x"))}).table()
    assert list(empty.columns) == list(full.columns)
    assert len(empty) == 0


def test_notes_say_how_many_and_what_is_missing():
    notes = run("measure", {"image": Image(squares((2, 3)), ("y", "x"))}).record["notes"]
    assert any("1 object measured" in note for note in notes)
    assert any("no intensities" in note for note in notes)


@pytest.mark.parametrize("kind", [bool, np.uint8])
def test_a_mask_is_one_object(kind):
    mask = squares((2, 3), (10, 20)).astype(bool).astype(kind)
    table = run("measure", {"image": Image(mask, ("y", "x"))}).table()
    assert table.columns["voxels"].tolist() == [40]


def test_the_command_line_writes_the_table(tmp_path):
    from napari_seedbed.pipeline.cli import main
    from napari_seedbed.pipeline.files.image_writing import write_labels

    labels = Image(squares((2, 3), (10, 20)), ("y", "x"))
    write_labels(tmp_path / "cells.tif", labels)
    recipe = tmp_path / "measure.yaml"
    save_recipe(recipe, recipe_from_record(run("measure", {"image": labels}).record))
    status = main(["run", str(recipe), str(tmp_path / "cells.tif"), "-o", str(tmp_path / "out")])
    assert status == 0
    [written] = (tmp_path / "out").glob("*.csv")
    with written.open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert [row["voxels"] for row in rows] == ["20", "20"]
    assert [row["solidity"] for row in rows] == ["1.0", "1.0"]
