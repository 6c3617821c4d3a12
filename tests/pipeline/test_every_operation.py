"""Every operation on every kind of image: a right result or a message, and the image unchanged."""

import numpy as np
import pytest

from napari_seedbed.core.marks.shapes import Shape
from napari_seedbed.errors import InputError
from napari_seedbed.pipeline.image import Image
from napari_seedbed.pipeline.operations import operations, run
from napari_seedbed.pipeline.shapes import Shapes

FLAT, DEEP = (16, 20), (6, 14, 16)
TYPES = ("bool", "uint8", "uint16", "int32", "float16", "float32", "float64")
LAYOUTS = ("strided", "transposed", "read-only", "big-endian")
SHAPES = ((1, 1), (2, 3), (1, 20), (16, 1), (1, 1, 1), (1, 14, 16), (6, 1, 16), (6, 14, 1))

EVERY = pytest.mark.parametrize("operation", operations.values(), ids=operations)


def scene(shape):
    """A bright box on a dark ground with some noise: whole numbers that every type can hold."""
    array = np.random.default_rng(5).integers(0, 20, shape)
    array[tuple(slice(n // 4, n - n // 4) for n in shape)] += 150
    return array


def laid_out(array, layout):
    if layout == "strided":
        return np.repeat(array, 2, axis=-1)[..., ::2]
    if layout == "transposed":
        return np.ascontiguousarray(array.T).T
    if layout == "read-only":
        array = array.copy()
        array.flags.writeable = False
        return array
    return array.astype(array.dtype.newbyteorder(">"))


def inputs_for(operation, array):
    """The image, and what else the operation needs: a stroke or a box around the middle."""
    axes = ("z", "y", "x")[-array.ndim :]
    given = {"image": Image(array, axes, name="scene")}
    needed = (*operation.takes, *operation.one_of[:1])
    middle = [n // 2 for n in array.shape]
    if "seeds" in needed:
        marks = np.zeros(array.shape, np.int32)
        if marks.size:
            marks[(0,) * array.ndim] = 2
            marks[tuple(middle)] = 1
        given["seeds"] = Image(marks, axes, name="seeds")
    if "shapes" in needed:
        y, x = array.shape[-2:]
        square = np.array([[0.2, 0.2], [0.2, 0.8], [0.8, 0.8], [0.8, 0.2]]) * (y, x)
        lead = np.full((4, array.ndim - 2), middle[0], float)
        given["shapes"] = Shapes((Shape(1, np.hstack([lead, square])),))
    return given


def run_unchanged(operation, array, parameters=None):
    """Run an operation and check that it leaves the image alone."""
    before = array.tobytes()
    try:
        return run(operation, inputs_for(operation, array), parameters)
    finally:
        assert array.tobytes() == before


def result_or_message(operation, array, parameters=None):
    """The result, or None where there is a message, which must say what is wrong."""
    message, result = "", None
    try:
        result = run_unchanged(operation, array, parameters)
    except InputError as error:
        message = str(error)
    if result is None:
        assert message.endswith((".", ";")), message
        return None
    for name, output in result.outputs.items():
        if name != "shapes":
            assert output.spatial_shape == array.shape
            assert np.isfinite(output.array).all()
    return result


def assert_same(result, expected, share):
    """Images may differ by a share of their range, and of labels as many voxels."""
    for name, output in result.outputs.items():
        if name == "shapes":
            assert len(output.shapes) == len(expected.shapes().shapes)
            continue
        got, wanted = output.array.astype(float), expected.image(name).array.astype(float)
        if output.dtype.kind == "f":
            room = share * max(np.abs(wanted).max(), 1e-30)
            np.testing.assert_allclose(got, wanted, rtol=0, atol=room)
        else:
            assert np.mean(got != wanted) <= share


@EVERY
@pytest.mark.parametrize("dtype", TYPES)
@pytest.mark.parametrize("shape", [FLAT, DEEP], ids=["2D", "3D"])
def test_values_count_and_not_the_type_that_holds_them(operation, shape, dtype):
    array = scene(shape).astype(dtype)
    result = result_or_message(operation, array)
    expected = result_or_message(operation, array.astype(np.float64))
    if result is None:
        # A mask has no grey values to choose a threshold from.
        assert expected is None or dtype == "bool"
        return
    # Histograms of numbers that are not whole have bins of some width.
    share = 0.05 if operation.group == "Thresholds" else 2e-3
    assert_same(result, expected, share)


@EVERY
@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("shape", [FLAT, DEEP], ids=["2D", "3D"])
def test_the_way_voxels_lie_in_memory_does_not_matter(operation, shape, layout):
    array = scene(shape).astype(np.uint16)
    result = result_or_message(operation, laid_out(array, layout))
    expected = result_or_message(operation, array)
    assert (result is None) == (expected is None)
    if result is not None:
        assert_same(result, expected, share=0)


@EVERY
@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_small_and_thin_images_give_a_result_or_a_message(operation, shape):
    result_or_message(operation, scene(shape).astype(np.uint8))


@EVERY
@pytest.mark.parametrize("shape", [FLAT, DEEP], ids=["2D", "3D"])
@pytest.mark.parametrize("value", [0, 7, 1000.25])
def test_constant_image_gives_a_result_or_a_message(operation, shape, value):
    result_or_message(operation, np.full(shape, value, np.float32))


@EVERY
@pytest.mark.parametrize("shape", [(0, 5), (3, 0, 5)], ids=str)
def test_empty_image_is_refused(operation, shape):
    with pytest.raises(InputError, match="empty"):
        run_unchanged(operation, np.zeros(shape, np.float32))


@EVERY
@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_image_that_is_not_finite_is_refused(operation, value):
    array = scene(FLAT).astype(np.float32)
    array[3, 4] = value
    with pytest.raises(InputError, match="NaN"):
        run_unchanged(operation, array)


@EVERY
def test_numbers_below_their_bounds_are_refused(operation):
    for parameter in operation.parameters:
        if parameter.type in ("int", "float"):
            with pytest.raises(InputError, match=f"^{parameter.name}: "):
                run_unchanged(operation, scene(FLAT), {parameter.name: parameter.minimum - 1})


@EVERY
@pytest.mark.parametrize("voxels", [0, 30, 1e6])
def test_lengths_of_nothing_and_beyond_the_image_give_a_result_or_a_message(operation, voxels):
    for parameter in operation.parameters:
        if parameter.unit == "physical":
            result_or_message(operation, scene(FLAT).astype(np.uint8), {parameter.name: voxels})


@EVERY
def test_wrong_number_of_dimensions_is_refused(operation):
    with pytest.raises(InputError):
        run_unchanged(operation, np.zeros((2, 2, 4, 4), np.uint8))
