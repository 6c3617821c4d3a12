"""Steps that are switched off, and results that are kept from one replay to the next."""

import json
from dataclasses import replace

import numpy as np
import pytest
import yaml

from napari_seedbed.errors import RecipeError
from napari_seedbed.pipeline.batch import run_batch
from napari_seedbed.pipeline.cli.commands import main
from napari_seedbed.pipeline.data.image import Image
from napari_seedbed.pipeline.engine.declarations import Operation
from napari_seedbed.pipeline.files import read_image, write_image
from napari_seedbed.pipeline.operations import run
from napari_seedbed.pipeline.recipes import load_recipe, recipe_from_record, replay, save_recipe
from napari_seedbed.pipeline.recipes.kept_results import KeptResults
from napari_seedbed.pipeline.recipes.methods_text import recipe_to_methods_text
from napari_seedbed.pipeline.recipes.scripts import recipe_as_script


@pytest.fixture
def chain(cells):
    """The recipe of five steps: two filters, a threshold, labels without holes, numbers."""
    image, output = cells, "image"
    for operation, parameters in (
        ("gaussian", {"sigma": 0.2}),
        ("median", {"radius": 0.1}),
        ("threshold", {"method": "li"}),
        ("fill_holes", {}),
        ("label", {}),
    ):
        result = run(operation, {"image": image}, parameters)
        output = next(iter(result.outputs))
        image = result.image(output)
    return recipe_from_record(result.record)


@pytest.fixture
def runs(monkeypatch):
    """Names of the operations whose functions are called, in order."""
    called = []
    call = Operation.call

    def counted(self, job):
        called.append(self.name)
        return call(self, job)

    monkeypatch.setattr(Operation, "call", counted)
    return called


def changed(recipe, *edits, **parameters):
    """The recipe with steps switched off, or one step with other parameters."""
    steps = tuple(
        step.model_copy(
            update={
                "skip": step.skip != (step.name in edits),
                "parameters": {**step.parameters, **parameters.get(step.name, {})},
            }
        )
        for step in recipe.steps
    )
    return recipe.model_copy(update={"steps": steps})


def test_what_is_switched_off_hands_on_what_it_works_on(chain, cells, tmp_path, capsys):
    smooth = run("gaussian", {"image": cells}, {"sigma": 0.2}).image("image")
    mask = run("threshold", {"image": smooth}, {"method": "li"}).image("mask")
    labels = run("label", {"image": mask}).image("labels")
    recipe = changed(chain, "median", "fill_holes")
    result = replay(recipe, cells)
    np.testing.assert_array_equal(result.image("labels").array, labels.array, strict=True)
    assert result.record["notes"][:2] == [
        "Step 2, Median filter, is switched off.",
        "Step 4, Fill holes, is switched off.",
    ]
    # the record says what was done, and can be repeated
    steps = recipe_from_record(result.record).steps
    assert [step.operation for step in steps] == ["gaussian", "threshold", "label"]
    assert "Median" not in recipe_to_methods_text(recipe)
    assert "median" not in recipe_as_script(recipe)
    # the last ones: the result is that of the step before them
    shorter = replay(changed(chain, "median", "fill_holes", "label"), cells)
    np.testing.assert_array_equal(shorter.image("mask").array, mask.array)

    # and the same from a file, edited by hand, on the command line's road
    path = save_recipe(tmp_path / "chain.yaml", chain)
    assert "skip" not in path.read_text("utf-8")
    content = yaml.safe_load(path.read_text("utf-8"))
    content["steps"][1]["skip"] = content["steps"][3]["skip"] = True
    path.write_text(yaml.dump(content), "utf-8")
    assert load_recipe(path) == recipe
    assert load_recipe(save_recipe(tmp_path / "again.yaml", recipe)) == recipe
    write_image(tmp_path / "cells.ome.tif", cells)
    run_batch(load_recipe(path), [tmp_path / "cells.ome.tif"], tmp_path / "out")
    written = read_image(tmp_path / "out" / "cells_labels.ome.tif")
    np.testing.assert_array_equal(written.array, labels.array)
    summary = json.loads((tmp_path / "out" / "summary.json").read_text("utf-8"))
    assert "Step 4, Fill holes, is switched off." in summary["inputs"][0]["notes"]
    assert main(["info", str(path)]) == 0
    assert "Step 4    switched off: fill_holes on threshold" in capsys.readouterr().out


def test_channels_are_handed_on(rng):
    array = rng.integers(0, 99, (3, 12, 14)).astype(np.uint8)
    image = Image(array, ("c", "y", "x"), name="three")
    smooth = run("gaussian", {"image": image}).image("image")
    grey = run("invert", {"image": smooth.select_channels([2])}).image("image")
    recipe = recipe_from_record(run("median", {"image": grey}).record)
    expected = run("median", {"image": image.select_channels([2])}).image("image")
    result = replay(changed(recipe, "gaussian", "invert"), image)
    np.testing.assert_array_equal(result.image("image").array, expected.array)


def test_what_does_not_fit_is_refused_with_the_reason(chain, cells, seeds, tmp_path):
    refused = {
        "threshold": r"Step 3, Threshold, cannot be switched off: step 4, Fill holes, takes "
        "labels and would be given an image",
    }
    for name, message in refused.items():
        with pytest.raises(RecipeError, match=message):
            replay(changed(chain, name), cells)
    every = changed(chain, *(step.name for step in chain.steps))
    with pytest.raises(RecipeError, match="it is the last one, and nothing is done before it"):
        replay(every, cells)
    # a file says it when it is read
    path = save_recipe(tmp_path / "chain.yaml", changed(chain, "threshold"))
    with pytest.raises(RecipeError, match=r"chain\.yaml: Step 3, Threshold, cannot be switched"):
        load_recipe(path)
    walker = run("random_walker", {"image": cells, "seeds": seeds}, {"uncertainty": True})
    uncertain = replace(walker.image("uncertainty"), record=walker.record)
    mask = run("threshold", {"image": uncertain})
    with pytest.raises(RecipeError, match="works on its output 'uncertainty'"):
        replay(changed(recipe_from_record(mask.record), "random_walker"), cells)


def test_unchanged_steps_are_not_run_again(chain, cells, runs):
    kept = KeptResults()
    first = replay(chain, cells, kept=kept)
    every = ["gaussian", "median", "threshold", "fill_holes", "label"]
    assert runs == every

    def again(recipe, image=cells):
        """What is run, of a result that is the same as without anything kept."""
        runs.clear()
        result = replay(recipe, image, kept=kept)
        called = list(runs)
        alone = replay(recipe, image)
        assert result.record == alone.record
        for key, output in result.outputs.items():
            np.testing.assert_array_equal(output.array, alone.outputs[key].array, strict=True)
        return called

    assert again(chain) == []
    otsu = changed(chain, threshold={"method": "otsu"})
    assert again(otsu) == every[2:]
    assert again(changed(otsu, label={"connectivity": "faces"})) == ["label"]
    assert again(changed(otsu, "median")) == ["threshold", "fill_holes", "label"]
    # what the last replay did not need is gone
    assert again(otsu) == every[1:]
    # other voxels, though at the same place in memory
    cells.array[0, 0, 0] += 7
    assert again(otsu) == every
    cells.array[0, 0, 0] -= 7
    assert first.record["inputs"] == replay(chain, cells).record["inputs"]


def test_lent_results_take_the_place_of_runs_once(chain, cells, runs):
    prints = {"image": chain.image.fingerprint}
    smooth = run("gaussian", {"image": cells}, {"sigma": 0.2})
    median = run("median", {"image": smooth.image("image")}, {"radius": 0.1})
    lent = {"gaussian": replace(smooth, outputs={}), "median": median}
    kept = KeptResults()
    wanted = changed(chain, threshold={"method": "otsu"})
    expected = replay(wanted, cells)
    runs.clear()
    kept.lend(chain, lent, prints)
    result = replay(wanted, cells, kept=kept)
    assert runs == ["threshold", "fill_holes", "label"]
    np.testing.assert_array_equal(result.image("labels").array, expected.image("labels").array)
    assert result.record["notes"] == expected.record["notes"]
    # of another image, or of a step that has changed, they are of no use
    for recipe, image in (
        (chain, replace(cells, array=cells.array + np.uint16(1))),
        (changed(chain, gaussian={"sigma": 0.4}), cells),
    ):
        runs.clear()
        kept.lend(chain, lent, prints)
        replay(recipe, image, kept=KeptResults())
        replay(recipe, image, kept=kept)
        assert runs[5:] == runs[:5]
