"""Nuclei and their cells through the door: lengths, time, tables, and recipes."""

import numpy as np
import pytest

from napari_seedbed.errors import InputError
from napari_seedbed.pipeline.data.image import Image
from napari_seedbed.pipeline.operations import run
from napari_seedbed.pipeline.recipes import load_recipe, recipe_from_record, replay, save_recipe


def two_halves(**about):
    """A picture with a bright membrane at column 20, and a nucleus on either side."""
    membranes = np.full((24, 40), 10, np.uint8)
    membranes[:, 20] = 200
    nuclei = np.zeros((24, 40), np.int32)
    nuclei[10:14, 8:12], nuclei[10:14, 24:28] = 9, 4
    return tuple(Image(array, ("y", "x"), **about) for array in (membranes, nuclei))


def test_distance_is_a_length():
    for size in (1.0, 0.25):
        image, nuclei = two_halves(spacing=(size, size))
        inputs = {"image": image, "seeds": nuclei}
        found = run("cells_from_nuclei", inputs, {"distance": 3 * size, "sigma": 0})
        cells = found.image("labels").array
        # up and down, left and right of the nucleus
        assert np.flatnonzero((cells == 9).any(1)).tolist() == list(range(7, 17))
        assert np.flatnonzero((cells == 9).any(0)).tolist() == list(range(5, 15))


def test_each_time_point_has_nuclei_and_a_mask_of_its_own():
    image, nuclei = two_halves()
    film = Image(np.stack([image.array, image.array]), ("t", "y", "x"))
    seeds = np.stack([nuclei.array, np.where(nuclei.array == 9, 5, 0)])
    mask = np.ones(film.array.shape, bool)
    mask[1, :, 30:] = False
    inputs = {
        "image": film,
        "seeds": Image(seeds, ("t", "y", "x")),
        "other": Image(mask, ("t", "y", "x")),
    }
    found = run("cells_from_nuclei", inputs, {"background": "none"})
    cells = found.image("labels").array
    assert [set(np.unique(part)) for part in cells] == [{4, 9}, {0, 5}]
    np.testing.assert_array_equal(cells[1] > 0, mask[1])
    table = run(
        "relate_objects", {"image": inputs["seeds"], "other": Image(cells, ("t", "y", "x"))}
    )
    columns = table.table().columns
    assert columns["time_point"].tolist() == [0, 0, 1]
    assert columns["label"].tolist() == columns["parent"].tolist() == [4, 9, 5]
    assert columns["parent_share"].tolist() == [1, 1, 1]


def test_wrong_inputs_are_named_as_the_form_names_them():
    image, nuclei = two_halves()
    nothing = Image(np.zeros((24, 40), np.int32), ("y", "x"))
    with pytest.raises(InputError, match=r"^seeds: there are none"):
        run("cells_from_nuclei", {"image": image, "seeds": nothing})
    with pytest.raises(InputError, match=r"^other"):
        run("relate_objects", {"image": nuclei})


def test_one_recipe_makes_nuclei_cells_and_their_table_again(tmp_path):
    membranes, nuclei = two_halves()
    both = np.stack([np.where(nuclei.array > 0, 250, 0).astype(np.uint8), membranes.array])
    image = Image(both, ("c", "y", "x"), name="both")
    stain = run("take_channel", {"image": image}, {"channel": 1}).image("image")
    found = run("label", {"image": run("threshold", {"image": stain}).image("mask")})
    labels = found.image("labels")
    membrane = run("take_channel", {"image": image}, {"channel": 2}).image("image")
    cells = run("cells_from_nuclei", {"image": membrane, "seeds": labels}).image("labels")
    result = run("relate_objects", {"image": labels, "other": cells}, {"rows": "parents"})
    assert result.table().columns["children"].tolist() == [1, 1]
    path = save_recipe(tmp_path / "cells.yaml", recipe_from_record(result.record))
    assert "cells_from_nuclei" in path.read_text()
    again = replay(load_recipe(path), image)
    assert again.table().columns["children"].tolist() == [1, 1]
