"""The worked example and the sample images: complete, small, stated, and as good as they say."""

import runpy
import sys
from pathlib import Path

import numpy as np
import pytest

from napari_seedbed.pipeline.files import read_image
from napari_seedbed.pipeline.recipes import load_recipe, replay

REPOSITORY = Path(__file__).resolve().parents[1]
LARGEST_SAMPLES = 3_000_000


@pytest.fixture(scope="module")
def example():
    """What the example script defines; it is not run as a program."""
    before = list(sys.path)
    yield runpy.run_path(str(REPOSITORY / "examples" / "nuclei_seeded_segmentation.py"))
    sys.path[:] = before


def test_samples_are_small_and_each_has_its_licence_stated(samples):
    files = [path for path in samples.iterdir() if path.suffix in {".tif", ".png", ".jpg"}]
    readme = (samples / "README.md").read_text(encoding="utf-8")
    assert files
    assert sum(path.stat().st_size for path in files) < LARGEST_SAMPLES
    assert [path.name for path in files if f"`{path.name}`" not in readme] == []


def test_nuclei_have_the_voxel_size_that_the_readme_states(samples):
    image = read_image(samples / "nuclei.ome.tif")
    assert image.axes == ("z", "y", "x")
    assert image.spacing == pytest.approx((0.2837, 0.1268, 0.1268))
    assert set(image.units) == {"micrometer"}


def test_two_channels_keep_their_names(samples):
    image = read_image(samples / "dna_confocal_widefield.ome.tif")
    assert image.channel_names == ("DNA confocal", "DNA widefield")


def test_sample_recipe_holds_the_strokes_of_the_example(samples, example):
    recipe = load_recipe(samples / "nuclei_seeded_segmentation.yaml")
    painted = example["painted_seeds"]((100, 100, 100))
    np.testing.assert_array_equal(recipe.seeds.decode(), painted)


def test_sample_recipe_finds_the_scribbled_nuclei(samples, example):
    recipe = load_recipe(samples / "nuclei_seeded_segmentation.yaml")
    truth = np.asarray(read_image(samples / "nuclei_truth.ome.tif").array)
    result = replay(recipe, read_image(samples / "nuclei.ome.tif"))
    labels = np.asarray(result.outputs["labels"].array)
    found = example["scores"](truth, labels, recipe.seeds.decode())
    assert len(found) == 9
    assert np.mean(list(found.values())) > 0.6


def test_recipe_of_the_random_walker_runs_as_before(samples, example):
    recipe = load_recipe(REPOSITORY / "tests" / "pipeline" / "recipe_of_0_1_0.yaml")
    assert [step.operation for step in recipe.steps] == ["gaussian", "random_walker"]
    truth = np.asarray(read_image(samples / "nuclei_truth.ome.tif").array)
    result = replay(recipe, read_image(samples / "nuclei.ome.tif"))
    labels = np.asarray(result.outputs["labels"].array)
    # the ground is a label like others there
    assert set(np.unique(labels)) == set(range(1, 11))
    found = example["scores"](truth, labels, recipe.seeds.decode())
    assert np.mean(list(found.values())) > 0.6
