"""Recipes on images that state their size otherwise: in another unit, in none, or another one."""

from dataclasses import replace

import numpy as np
import pytest

from napari_seedbed.pipeline.batch import run_batch
from napari_seedbed.pipeline.batch.slice_runs import replay_by_slice
from napari_seedbed.pipeline.data.image import Image
from napari_seedbed.pipeline.encodings.sample_encoding import samples_as_text, samples_from_text
from napari_seedbed.pipeline.files import read_image, write_image
from napari_seedbed.pipeline.operations import run
from napari_seedbed.pipeline.operations.pixel_classification import samples_of
from napari_seedbed.pipeline.recipes import recipe_from_record, replay
from napari_seedbed.pipeline.recipes.recipe_fitting import lengths_for

METERS = {"nanometer": 1e-9, "micrometer": 1e-6, "millimeter": 1e-3, "inch": 0.0254}


def sized(array, size, unit):
    return Image(array, ("y", "x"), (size,) * 2, (unit,) * 2, name="sized")


def chain(image, sigma, smallest):
    """Smooth, threshold, label and leave out what is small: lengths and an area count."""
    smooth = run("gaussian", {"image": image}, {"sigma": sigma}).image("image")
    mask = run("threshold", {"image": smooth}).image("mask")
    labels = run("label", {"image": mask}).image("labels")
    return run("remove_by_size", {"image": labels}, {"smallest": smallest})


@pytest.fixture
def blobs(rng):
    """Two pictures of the same kind, none the other, (90, 110)."""
    pictures = rng.random((2, 90, 110)) * 100
    for picture in pictures:
        for y, x in rng.integers(5, 85, (25, 2)):
            picture[y - 3 : y + 3, x - 3 : x + 4] += 200
    return pictures.astype(np.uint16)


@pytest.mark.parametrize("unit", METERS)
def test_lengths_follow_the_unit_of_the_image(blobs, unit):
    made = recipe_from_record(chain(sized(blobs[0], 0.1, "micrometer"), 0.2, 0.155).record)
    size = float(f"{1e-7 / METERS[unit]:.12g}")
    for array in blobs:
        found = replay(made, sized(array, size, unit)).image("labels").array
        expected = chain(sized(array, 0.1, "micrometer"), 0.2, 0.155).image("labels").array
        np.testing.assert_array_equal(found, expected)
        assert found.max() > 10
    notes = replay(made, sized(blobs[1], size, unit)).record["notes"]
    assert not any("voxel" in note for note in notes)


def test_where_one_has_no_voxel_size_lengths_count_as_many_pixels(blobs):
    expected = chain(sized(blobs[1], 1, "pixel"), 2.0, 15.5).image("labels").array
    in_pixels = recipe_from_record(chain(sized(blobs[0], 1, "pixel"), 2.0, 15.5).record)
    result = replay(in_pixels, sized(blobs[1], 0.1, "micrometer"))
    np.testing.assert_array_equal(result.image("labels").array, expected)
    assert result.image("labels").units == ("micrometer",) * 2
    (note,) = [note for note in result.record["notes"] if "voxels" in note]
    assert "lengths are in pixel and sized is in micrometer" in note
    assert "sigma 2 is 0.2 micrometer, smallest 15.5 is 0.155 micrometer" in note
    in_micro = recipe_from_record(chain(sized(blobs[0], 0.1, "micrometer"), 0.2, 0.155).record)
    result = replay(in_micro, sized(blobs[1], 1, "pixel"))
    np.testing.assert_array_equal(result.image("labels").array, expected)
    assert any(
        "states no voxel size, so lengths count as many" in n for n in result.record["notes"]
    )


def test_other_voxel_sizes_are_noted_and_lengths_are_physical(blobs):
    made = recipe_from_record(chain(sized(blobs[0], 0.1, "micrometer"), 0.2, 0.155).record)
    result = replay(made, sized(blobs[1], 50, "nanometer"))
    expected = chain(sized(blobs[1], 0.05, "micrometer"), 0.2, 0.155).image("labels").array
    np.testing.assert_array_equal(result.image("labels").array, expected)
    (note,) = [note for note in result.record["notes"] if "voxels" in note]
    assert "made on voxels of 100 x 100 nanometer; those of sized are 50 x 50 nanometer" in note
    close = replay(made, sized(blobs[1], 100.01, "nanometer")).record["notes"]
    assert not any("voxels" in note for note in close)


def test_parameters_of_a_step_for_another_image(blobs):
    made = recipe_from_record(chain(sized(blobs[0], 0.1, "micrometer"), 0.2, 0.155).record)
    there = sized(blobs[1], 50, "nanometer")
    assert lengths_for(made, made.steps[0], there) == {"sigma": 200.0}
    assert lengths_for(made, made.steps[-1], there)["smallest"] == 155_000.0
    assert lengths_for(made, made.steps[0], Image(blobs[1], ("y", "x"))) == {"sigma": 2.0}


@pytest.mark.parametrize(("unit", "size"), [("nanometer", 100.0), ("pixel", 1.0)])
def test_scales_that_were_learnt_follow_the_unit(blobs, unit, size):
    """They are lengths inside a text."""
    there = sized(blobs[0], 0.1, "micrometer")
    marks = np.zeros(blobs[0].shape, np.int32)
    marks[blobs[0] > 220] = 1
    marks[:, ::7][blobs[0][:, ::7] < 90] = 2
    seeds = replace(there, array=marks)
    learnt = samples_of(there, seeds, {"sigma": 0.07, "n_scales": 3, "intensities": "contrast"})
    parameters = {"training": samples_as_text(learnt), "sigma": 0.07}
    result = run("pixel_classification", {"image": there}, parameters)
    made = recipe_from_record(result.record)
    expected = replay(made, sized(blobs[1], 0.1, "micrometer")).image("labels").array
    other = sized(blobs[1], size, unit)
    np.testing.assert_array_equal(replay(made, other).image("labels").array, expected)
    values = lengths_for(made, made.steps[0], other)
    sigmas = samples_from_text(values["training"]).features.sigmas
    assert sigmas == tuple(values["sigma"] * n for n in (1, 2, 4))
    assert values["sigma"] == 0.7 * size


def test_given_distance_of_slices_counts_whatever_the_recipe_says(tmp_path, rng):
    array = rng.integers(0, 99, (4, 30, 32)).astype(np.uint8)
    axes, micro = ("z", "y", "x"), ("micrometer",) * 3
    volume = Image(array, axes, (2.0, 0.1, 0.1), micro, name="volume")
    made = recipe_from_record(run("gaussian", {"image": volume}, {"sigma": 0.5}).record)
    other = array[:, ::-1]
    for voxels in (array, other):
        for unit, size, step in (("pixel", 1.0, 0.5), ("nanometer", 100.0, 500.0)):
            folder = tmp_path / f"{unit} {voxels is array}"
            folder.mkdir()
            for z, plane in enumerate(voxels):
                flat = Image(plane, axes[1:], (size,) * 2, (unit,) * 2)
                write_image(folder / f"{z}.ome.tif", flat)
            summary = run_batch(made, [folder], folder / "out", stack="z", step=step)
            assert summary["inputs"][0]["error"] is None
            (name,) = summary["inputs"][0]["outputs"].values()
            found = read_image(folder / "out" / name)
            right = replace(volume, array=voxels, spacing=(0.5, 0.1, 0.1))
            expected = run("gaussian", {"image": right}, {"sigma": 0.5}).image("image")
            np.testing.assert_allclose(found.array, expected.array, rtol=1e-6)
            assert found.spacing in ((0.5, 0.1, 0.1), (500, 100, 100))


def test_slices_of_a_volume_have_one_voxel_size(blobs):
    """One of the slices is the image that the recipe was made on."""
    made = recipe_from_record(chain(sized(blobs[0], 0.1, "micrometer"), 0.2, 0.155).record)
    volume = Image(blobs, ("z", "y", "x"), (3, 0.2, 0.2), ("micrometer",) * 3, name="volume")
    labels = replay_by_slice(made, volume).image("labels")
    expected = [chain(sized(b, 0.2, "micrometer"), 0.2, 0.155).image("labels").array for b in blobs]
    np.testing.assert_array_equal(labels.array, expected)
    assert (labels.spacing, labels.units) == (volume.spacing, volume.units)
    bare = replay_by_slice(made, Image(blobs, ("z", "y", "x")), step=0.7).image("labels")
    assert (bare.spacing, bare.units) == ((0.7, 0.1, 0.1), volume.units)
