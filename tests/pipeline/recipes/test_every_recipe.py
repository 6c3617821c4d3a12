"""Every operation on the command line: its recipe gives again what was found."""

import json

import numpy as np
import pytest
from operation_scenes import inputs_for, parameters_for, scene

from napari_seedbed.pipeline.cli import main
from napari_seedbed.pipeline.data.image import Image
from napari_seedbed.pipeline.data.tables import Points, Table
from napari_seedbed.pipeline.files import read_image, write_image
from napari_seedbed.pipeline.operations import operations, run
from napari_seedbed.pipeline.recipes import recipe_from_record, save_recipe

SHAPE = (6, 14, 16)


def from_files(operation, folder):
    """Inputs whose images were written to files and read again, as those of people are."""
    inputs = inputs_for(operation, scene(SHAPE).astype(np.uint16), spacing=(0.5,) * 3)
    for role in ("image", "other"):
        if role in inputs:
            image = inputs[role]
            if image.dtype.kind in "bi":
                image = Image(image.array.astype(np.uint16), image.axes, image.spacing)
            inputs[role] = read_image(write_image(folder / f"{role}.ome.tif", image))
    return inputs


def with_all_outputs(operation):
    """Parameters that ask for everything that it can give."""
    extra = {p.name for p in operation.parameters} & set(operation.extra_outputs)
    return {**parameters_for(operation), **dict.fromkeys(extra, True)}


@pytest.mark.parametrize("operation", operations.values(), ids=operations)
def test_command_line_repeats_every_output(operation, tmp_path):
    inputs = from_files(operation, tmp_path)
    result = run(operation, inputs, with_all_outputs(operation))
    recipe = save_recipe(tmp_path / "r.yaml", recipe_from_record(result.record))
    second = ["--other", str(tmp_path / "other.ome.tif")] if "other" in inputs else []

    image, folder = tmp_path / "image.ome.tif", tmp_path / "out"
    assert main(["run", str(recipe), str(image), *second, "-o", str(folder)]) == 0

    (entry,) = json.loads((folder / "summary.json").read_text("utf-8"))["inputs"]
    assert entry["outputs"].keys() >= result.outputs.keys()
    for key, output in result.outputs.items():
        if isinstance(output, Image):
            written = np.squeeze(read_image(folder / entry["outputs"][key]).array)
            np.testing.assert_array_equal(written, np.squeeze(output.array))
            continue
        lines = (folder / entry["outputs"][key]).read_text("utf-8").splitlines()
        if isinstance(output, Points | Table):
            assert len(lines) == 1 + len(output)
        else:
            assert len(lines) > len(output.shapes)
