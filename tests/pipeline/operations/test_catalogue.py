"""The operations that there are: their declarations fit their algorithms."""

import inspect
from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
from operation_scenes import inputs_for, parameters_for, scene
from scipy import ndimage
from skimage import filters

from napari_seedbed import core
from napari_seedbed.pipeline.data.image import Image
from napari_seedbed.pipeline.engine.declarations import Size
from napari_seedbed.pipeline.engine.parameters import check_parameters
from napari_seedbed.pipeline.operations import forecast, operations, run

ALL = pytest.mark.parametrize("operation", operations.values(), ids=operations)


@ALL
def test_declarations_are_complete(operation):
    for text in (operation.title, operation.help, operation.reference):
        assert text
        assert text == text.strip()
    assert operation.help.endswith(".")
    assert operation.gives not in operation.extra_outputs
    for parameter in operation.parameters:
        assert parameter.label[0].isupper()
        assert parameter.help.endswith(".")
        assert parameter.check(parameter.default) == parameter.default
        if parameter.type in ("int", "float"):
            assert parameter.minimum is not None


@pytest.mark.parametrize("wanted", [False, True])
@pytest.mark.parametrize("name", [one.name for one in operations.values() if one.extra_outputs])
def test_extra_outputs_are_those_that_are_asked_for(name, wanted):
    operation = operations[name]
    asked = dict.fromkeys(operation.extra_outputs, wanted)
    inputs = inputs_for(operation, scene((16, 20)).astype(np.uint8))
    result = run(operation, inputs, {**parameters_for(operation), **asked})
    assert set(result.outputs) == {operation.gives, *(asked if wanted else ())}


def test_defaults_of_the_random_walker_are_those_of_core():
    signature = inspect.signature(core.RandomWalker)
    solve = inspect.signature(core.RandomWalker.solve)
    declared = operations["random_walker"].defaults()
    assert declared["beta"] == signature.parameters["beta"].default
    assert declared["normalization"] == signature.parameters["normalization"].default
    assert declared["tol"] == solve.parameters["tol"].default


def test_gaussian_smooths_by_a_physical_length(rng):
    array = rng.random((8, 20, 24)).astype(np.float32)
    image = Image(array, ("z", "y", "x"), (0.4, 0.1, 0.1), ("micrometer",) * 3)
    out = run("gaussian", {"image": image}, {"sigma": 0.2}).outputs["image"]
    expected = ndimage.gaussian_filter(array.astype(float), (0.5, 2, 2))
    inner = (slice(3, -3), slice(8, -8), slice(8, -8))
    np.testing.assert_allclose(out.array[inner], expected[inner], atol=1e-5)


def test_gaussian_is_by_default_one_voxel_wide():
    given = check_parameters(operations["gaussian"].parameters, {}, (0.4, 0.1, 0.1))
    assert given == {"sigma": 0.1}


def test_gaussian_of_zero_width_changes_nothing(rng):
    array = rng.random((20, 24)).astype(np.float32)
    out = run("gaussian", {"image": Image(array, ("y", "x"))}, {"sigma": 0}).outputs["image"]
    np.testing.assert_allclose(out.array, array, atol=1e-7)


def test_otsu_agrees_with_scikit_image_for_every_channel_and_time_point(rng):
    array = rng.integers(0, 50, (2, 3, 20, 24)).astype(np.uint8)
    array[:, :, 5:12, 5:15] += np.arange(60, 180, 20, dtype=np.uint8).reshape(2, 3, 1, 1)
    out = run("threshold", {"image": Image(array, ("t", "c", "y", "x"))}).outputs["mask"]
    assert (out.dtype, out.axes) == (bool, ("t", "c", "y", "x"))
    for index in np.ndindex(2, 3):
        expected = array[index] > filters.threshold_otsu(array[index])
        np.testing.assert_array_equal(out.array[index], expected)


def test_random_walker_gives_probabilities_and_uncertainty_that_fit_the_labels(segmented):
    labels = segmented.outputs["labels"].array
    probabilities = segmented.outputs["probabilities"].array
    uncertainty = segmented.outputs["uncertainty"].array
    assert labels.dtype == np.int32
    np.testing.assert_allclose(probabilities.sum(axis=0), 1, atol=1e-4)
    np.testing.assert_array_equal(probabilities.argmax(axis=0) + 1, labels)
    safe = np.clip(probabilities, 1e-12, 1)
    entropy = -(safe * np.log(safe)).sum(axis=0) / np.log(3)
    np.testing.assert_allclose(uncertainty, entropy, atol=1e-3)


def test_random_walker_finds_the_boxes(segmented):
    labels = segmented.outputs["labels"].array
    truth = np.full(labels.shape, 3)
    truth[2:6, 3:9, 3:11] = 1
    truth[3:7, 12:18, 12:22] = 2
    assert np.mean(labels == truth) > 0.98


def test_negative_seeds_are_outside(cells, seeds):
    marks = seeds.array.copy()
    marks[:, :, -1] = -1
    labels = run("random_walker", {"image": cells, "seeds": replace(seeds, array=marks)})
    assert not labels.outputs["labels"].array[:, :, -1].any()


def test_forecast_grows_with_the_image_and_what_is_asked_for():
    small = Image(np.zeros((32, 64, 64), np.uint16), ("z", "y", "x"))
    large = Image(np.zeros((64, 64, 64), np.uint16), ("z", "y", "x"))
    for name in operations:
        assert forecast(name, {"image": large}).bytes > forecast(name, {"image": small}).bytes > 0
        assert forecast(name, {"image": large}).seconds > 0
        for inner, outer in ((2, 20), (20, 100)):
            few, many = (forecast(name, {"image": large}, n_labels=n) for n in (inner, outer))
            assert many.seconds >= few.seconds
    plain = forecast("random_walker", {"image": large}).bytes
    assert forecast("random_walker", {"image": large}, {"probabilities": True}).bytes > plain


# What moves a single object does not depend on the size of the image.
MOVED_ONE_BY_ONE = ("elastic_contour", "edge_surface", "region_surface")


@ALL
def test_forecasts_grow_as_the_voxels_do(operation):
    parameters = check_parameters(operation.parameters, None)
    needs = [operation.estimate(Size((n, n, n), 20, 3), parameters) for n in (128, 256, 512)]
    for small, large in pairwise(needs):
        # Single slices have four times as many voxels, volumes eight times, and windows and
        # sorting take a little more; what does not depend on the size may be half of it.
        assert large.seconds / small.seconds <= 20
        if operation.name not in MOVED_ONE_BY_ONE:
            assert large.seconds / small.seconds >= 2
        assert 1 <= large.bytes / small.bytes <= 10


# Each label is solved for, looked at or drawn by itself.
@pytest.mark.parametrize(
    ("name", "parameters", "of_seconds"),
    [
        ("random_walker", {}, 4.5),
        ("seeded_segmentation", {"engine": "random_walker"}, 4.5),
        ("chromaticity_gaussian", {"probabilities": True}, 4.5),
        ("elastic_contour", {}, 4),
        ("edge_surface", {"extent": "slice"}, 4),
        ("region_surface", {"extent": "slice"}, 4),
        ("seeded_segmentation", {"engine": "automatic"}, 1.02),
        ("pixel_classification", {}, 1.5),
    ],
    ids=str,
)
def test_forecasts_grow_with_labels_that_cost(name, parameters, of_seconds):
    image = Image(np.zeros((128,) * 3, np.uint16), ("z", "y", "x"))
    twenty, hundred = (
        forecast(name, {"image": image}, parameters, n_labels=n).seconds for n in (20, 100)
    )
    assert of_seconds <= hundred / twenty <= 5
