"""Wells by the names of files, as microscopes write them."""

import csv

import numpy as np
import pyarrow.parquet
import pytest

from napari_seedbed.errors import InputError
from napari_seedbed.pipeline.batch import run_batch
from napari_seedbed.pipeline.batch.wells import wells_in_names
from napari_seedbed.pipeline.cli.commands import main
from napari_seedbed.pipeline.data.image import Image
from napari_seedbed.pipeline.files import write_image
from napari_seedbed.pipeline.operations import run
from napari_seedbed.pipeline.recipes import recipe_from_record, save_recipe


@pytest.fixture
def scene():
    """A recipe that labels objects, and an image with one."""
    array = np.zeros((20, 30), np.uint8)
    array[4:9, 5:12] = 200
    image = Image(array, ("y", "x"), (0.5, 0.5), ("micrometer",) * 2, name="one")
    mask = run("threshold", {"image": image}).image("mask")
    return recipe_from_record(run("label", {"image": mask}).record), image


def test_names_tell_wells_where_each_has_one():
    for names, wells in (
        (["plate1_B03_s1_w1.TIF", "plate1_H12_s2_w1.TIF"], ["B03", "H12"]),
        (["r02c03f01p01-ch1sk1fk1fl1.tiff", "r27c48f09p01-ch2.tiff"], ["B03", "AA48"]),
        (["VID1_A1_1_00d00h00m.tif", "VID1_B11_1_00d00h00m.tif"], ["A01", "B11"]),
        (["x_A01_f02_.tif", "x_A01f03.tif", "AF07.tif"], ["A01", "A01", "AF07"]),
        (["Well B05 Field 1.nd2"], ["B05"]),
        (["C1-cells.tif", "C2-cells.tif"], []),
        (["mouse_D7.tif", "mouse_D14.tif"], []),
        (["film_T01.tif", "film_T02.tif"], []),
        (["A1_B03.tif", "A1_B04.tif"], []),
        (["cells_B03.tif", "blank.tif"], []),
        (["s_B00.tif"], []),
        (["s_B49.tif"], []),
        (["r33c01f01.tif"], []),
        (["RGB03.tif", "B03x.tif"], []),
        ([], []),
    ):
        assert wells_in_names(names) == wells, names


def test_a_pattern_tells_wells_in_names():
    names = ["day_D07_b3_1.tif", "day_D07_H12_2.tif", "day_D07_blank.tif"]
    for pattern, wells in (
        (r"_([A-Ha-h]\d+)_\d", ["B03", "H12", ""]),
        (r"_(?P<well>[A-H]\d+)_", ["D07", "D07", "D07"]),
        (r"_(?P<row>[a-hH])(?P<column>\d+)_", ["B03", "H12", ""]),
        (r"(?<=_)[a-z]\d+", ["B03", "", ""]),
        (r"(\w)_(?P<well>b3|blank)", ["B03", "", "blank"]),
        ("none", []),
    ):
        assert wells_in_names(names, pattern) == wells, pattern
    numbers = r"r(?P<row>\d+)_c(?P<column>\d+)"
    assert wells_in_names(["r2_c003.tif", "r27_c12.tif"], numbers) == ["B03", "AA12"]
    assert wells_in_names(["W0002--P001.tif"], r"W\d+") == ["W0002"]


def test_the_command_line_corrects_wells_and_leaves_them_out(tmp_path, scene, capsys):
    recipe, image = scene
    save_recipe(tmp_path / "objects.yaml", recipe)
    files = [str(tmp_path / f"A01_p{n}.tif") for n in (7, 9)]
    for file in files:
        write_image(file, image)
    command = ["run", str(tmp_path / "objects.yaml"), *files, "-o", str(tmp_path / "out"), "-q"]
    for options, wells in (
        ([], ["A01", "A01"]),
        (["--wells", "p[0-9]"], ["P07", "P09"]),
        (["--wells", "none"], [None, None]),
    ):
        assert main([*command, "--resume", *options]) == 0
        with (tmp_path / "out" / "objects.csv").open(newline="") as table:
            assert [row.get("well") for row in csv.DictReader(table)] == wells
    for pattern, said in (
        ("x(", "is no regular expression"),
        ("B", "finds no well in 'A01_p7.tif'"),
    ):
        assert main([*command, "--resume", "--wells", pattern]) == 2
        assert said in capsys.readouterr().err
        with pytest.raises(InputError, match="wells: "):
            run_batch(recipe, files, tmp_path / "new", wells=pattern)
    assert not (tmp_path / "new").exists()


def test_the_joined_table_has_the_wells_of_names(tmp_path, scene):
    recipe, image = scene
    files = [tmp_path / f"p_{well}_s1.tif" for well in ("A01", "C12")]
    for file in files:
        write_image(file, image)
    for parquet in (False, True):
        run_batch(recipe, files, tmp_path / "out", parquet=parquet, overwrite=True)
    with (tmp_path / "out" / "objects.csv").open(newline="") as table:
        rows = [list(row.items())[:3] for row in csv.DictReader(table)]
    expected = [
        [("file", str(file)), ("well", well), ("label", "1")]
        for file, well in zip(files, ("A01", "C12"), strict=True)
    ]
    assert rows == expected
    table = pyarrow.parquet.read_table(tmp_path / "out" / "objects.parquet")
    assert table.column_names[:3] == ["file", "well", "label"]
    assert table["well"].to_pylist() == ["A01", "C12"]
