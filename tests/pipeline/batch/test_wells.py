"""Wells by the names of files, as microscopes write them."""

import csv

import numpy as np
import pyarrow.parquet

from napari_seedbed.pipeline.batch import run_batch
from napari_seedbed.pipeline.batch.wells import wells_in_names
from napari_seedbed.pipeline.data.image import Image
from napari_seedbed.pipeline.files import write_image
from napari_seedbed.pipeline.operations import run
from napari_seedbed.pipeline.recipes import recipe_from_record


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


def test_the_joined_table_has_the_wells_of_names(tmp_path):
    array = np.zeros((20, 30), np.uint8)
    array[4:9, 5:12] = 200
    image = Image(array, ("y", "x"), (0.5, 0.5), ("micrometer",) * 2, name="one")
    files = [tmp_path / f"p_{well}_s1.tif" for well in ("A01", "C12")]
    for file in files:
        write_image(file, image)
    mask = run("threshold", {"image": image}).image("mask")
    recipe = recipe_from_record(run("label", {"image": mask}).record)
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
