"""Every operation on every kind of image: a right result or a message, and the image unchanged."""

from dataclasses import replace

import numpy as np
import pytest
from operation_cases import every, with_each
from operation_scenes import inputs_for, parameters_for, scene

from napari_seedbed.errors import InputError
from napari_seedbed.pipeline.data.image import Image
from napari_seedbed.pipeline.data.shapes import Shapes
from napari_seedbed.pipeline.data.tables import Points
from napari_seedbed.pipeline.engine.declarations import Starts
from napari_seedbed.pipeline.operations import run

FLAT, DEEP = (16, 20), (6, 14, 16)
TYPES = ("bool", "uint8", "uint16", "int32", "float16", "float32", "float64")
LAYOUTS = ("strided", "transposed", "read-only", "big-endian")
SHAPES = ((1, 1), (2, 3), (1, 20), (16, 1), (1, 1, 1), (1, 14, 16), (6, 1, 16), (6, 14, 1))
# They pass values on as they are.
PASSING_ON = ("crop", "take_channel", "stack_channels")

EVERY = every()


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


def run_unchanged(operation, array, parameters=None, *, optional=False):
    """Run an operation and check that it leaves what it is given alone."""
    inputs = inputs_for(operation, array, optional=optional)
    images = [one.array for one in inputs.values() if isinstance(one, Image)]
    before = [image.tobytes() for image in (array, *images)]
    try:
        return run(operation, inputs, parameters)
    finally:
        assert [image.tobytes() for image in (array, *images)] == before


def assert_clear(operation, message):
    """A message is a sentence that begins with the name of what is wrong."""
    named = {*operation.roles, *(parameter.name for parameter in operation.parameters)}
    assert message.split()[0].rstrip(":") in named, message
    assert message.endswith("."), message


def result_or_message(operation, array, parameters=None, **how):
    """The result, or None where there is a message, which must say what is wrong."""
    message, result = "", None
    try:
        result = run_unchanged(operation, array, parameters, **how)
    except InputError as error:
        message = str(error)
    if result is None:
        assert_clear(operation, message)
        return None
    for output in result.outputs.values():
        if isinstance(output, Image):
            assert operation.whole or output.spatial_shape == array.shape
            assert np.isfinite(output.array).all()
    return result


def assert_same(result, expected, share):
    """Images may differ by a share of their range, and of labels as many voxels."""
    for name, output in result.outputs.items():
        if isinstance(output, Shapes):
            assert len(output.shapes) == len(expected.shapes(name).shapes)
            continue
        if isinstance(output, Points):
            assert len(output) == len(expected.points(name))
            continue
        if not isinstance(output, Image):
            assert list(output.columns) == list(expected.table(name).columns)
            continue
        got, wanted = output.array.astype(float), expected.image(name).array.astype(float)
        if output.dtype.kind == "f":
            room = share * max(np.abs(wanted).max(), 1e-30)
            np.testing.assert_allclose(got, wanted, rtol=0, atol=room)
        elif expected.image(name).dtype.kind == "f":
            # Images that keep their type are rounded.
            np.testing.assert_allclose(got, wanted, rtol=0, atol=0.5)
        else:
            assert np.mean(got != wanted) <= share


@EVERY
@with_each(dtype=TYPES, shape=[FLAT, DEEP])
def test_values_count_and_not_the_type_that_holds_them(operation, shape, dtype):
    array = scene(shape).astype(dtype)
    parameters = parameters_for(operation)
    expected = result_or_message(operation, array.astype(np.float64), parameters)
    assert expected is not None or dtype == "bool"
    result = result_or_message(operation, array, parameters)
    if result is None:
        # A mask has no grey values to choose a threshold from.
        assert dtype == "bool"
        return
    # Histograms of numbers that are not whole have bins of some width.
    share = 0.05 if operation.group == "Thresholds" else 2e-3
    assert_same(result, expected, share)


@EVERY
@with_each(layout=LAYOUTS, shape=[FLAT, DEEP])
def test_the_way_voxels_lie_in_memory_does_not_matter(operation, shape, layout):
    array = scene(shape).astype(np.uint16)
    parameters = parameters_for(operation)
    result = result_or_message(operation, laid_out(array, layout), parameters)
    expected = result_or_message(operation, array, parameters)
    assert_same(result, expected, share=0)


@EVERY
@with_each(shape=SHAPES)
def test_small_and_thin_images_give_a_result_or_a_message(operation, shape):
    result_or_message(operation, scene(shape).astype(np.uint8))


@EVERY
@with_each(shape=[FLAT, DEEP], value=[0, 7, 1000.25])
def test_constant_image_gives_a_result_or_a_message(operation, shape, value):
    result_or_message(operation, np.full(shape, value, np.float32))


WHOLE_EXTREMES = [
    ("int8", -128, 127),
    ("uint32", 0, 2**32 - 1),
    ("int64", -(2**63), 2**63 - 1),
    ("uint64", 5, 2**64 - 1),
]
FLOAT_EXTREMES = [
    ("float32", -3.4e38, 3.4e38),
    ("float32", 0, 1e25),
    ("float32", 0, 1e-20),
    ("float32", -1e-44, 1e-45),
    ("float64", -1.7e308, 1.7e308),
    ("float64", 0, 1e300),
    ("float64", -1e-160, 1e-160),
    ("float64", -5e-324, 5e-324),
]


@EVERY
@with_each(extreme=WHOLE_EXTREMES)
def test_whole_numbers_as_large_and_small_as_they_get_give_a_result_or_a_message(
    operation, extreme
):
    result_or_message_at_extremes(operation, extreme, (9, 11))


@every(lambda operation: operation.image_kind != "labels")
@with_each(extreme=FLOAT_EXTREMES, shape=[(9, 11), (5, 7, 8)])
def test_floats_as_large_and_small_as_they_get_give_a_result_or_a_message(
    operation, extreme, shape
):
    result_or_message_at_extremes(operation, extreme, shape)


def result_or_message_at_extremes(operation, extreme, shape):
    """A finite result, or a message that does not blame the image for what came of it."""
    dtype, *ends = extreme
    least, most = (np.array(value, dtype) for value in ends)
    inputs = inputs_for(operation, scene(shape).astype(np.uint8))
    for role in ("image", "other"):
        given = inputs.get(role)
        kind = operation.image_kind if role == "image" else operation.other_kind
        if given is not None and (kind == "image" or role == "image"):
            inputs[role] = replace(given, array=np.where(given.array > 1, most, least))
    try:
        result = run(operation, inputs, parameters_for(operation))
    except InputError as error:
        message = str(error)
    else:
        images = [output for output in result.outputs.values() if isinstance(output, Image)]
        assert all(np.isfinite(image.array).all() for image in images)
        return
    assert_clear(operation, message)
    # The image itself is finite.
    assert "NaN" not in message


@EVERY
@with_each(shape=[(0, 5), (3, 0, 5)])
def test_empty_image_is_refused(operation, shape):
    with pytest.raises(InputError, match="empty"):
        run_unchanged(operation, np.zeros(shape, np.float32))


@every(lambda operation: operation.image_kind != "labels" and operation.name not in PASSING_ON)
@with_each(value=[np.nan, np.inf])
def test_image_that_is_not_finite_is_refused(operation, value):
    array = scene(FLAT).astype(np.float32)
    array[3, 4] = value
    with pytest.raises(InputError, match="NaN"):
        run_unchanged(operation, array)


@every(lambda operation: operation.optional)
@with_each(shape=[FLAT, DEEP])
def test_what_it_can_do_without_is_taken_where_it_is_given(operation, shape):
    assert result_or_message(operation, scene(shape).astype(np.uint8), optional=True)


@every(lambda operation: "other" in operation.roles)
def test_second_image_of_another_size_is_refused(operation):
    inputs = inputs_for(operation, scene(FLAT).astype(np.uint8), optional=True)
    inputs["other"] = inputs["other"].crop((slice(0, 9), slice(0, 20)))
    with pytest.raises(InputError, match=r"^other: .*\(9, 20\).*\(16, 20\)"):
        run(operation, inputs)


@every(
    lambda operation: (
        "other" in operation.roles
        and operation.other_kind == "image"
        and operation.name not in PASSING_ON
    )
)
def test_second_image_that_is_not_finite_is_refused(operation):
    inputs = inputs_for(operation, scene(FLAT).astype(np.float32), optional=True)
    inputs["other"].array[3, 4] = np.nan
    with pytest.raises(InputError, match=r"^other.* NaN"):
        run(operation, inputs)


def moved(shapes, shift):
    return replace(shapes, shapes=tuple(replace(s, points=s.points + shift) for s in shapes.shapes))


@every(lambda operation: "shapes" in operation.roles)
@with_each(shift=[(0, 18), (-15, 0), (14, 17)])
def test_shapes_outside_the_image_give_a_result_or_a_message(operation, shift):
    inputs = inputs_with(operation, "shapes")
    inputs["shapes"] = moved(inputs["shapes"], shift)
    message = ""
    try:
        run(operation, inputs)
    except InputError as error:
        message = str(error)
    if message:
        assert_clear(operation, message)


def inputs_with(operation, role):
    """What it needs, and one of the things that it can do without or instead of others."""
    inputs = inputs_for(operation, scene(FLAT).astype(np.uint8), optional=True)
    instead = {"seeds", "shapes"} & {*operation.one_of, *operation.optional} - {role}
    inputs = {name: given for name, given in inputs.items() if name not in instead}
    whole = replace(operation, other=None, starts=Starts((role,)))
    inputs[role] = inputs_for(whole, scene(FLAT).astype(np.uint8))[role]
    return inputs


@every(lambda operation: {"seeds", "shapes"} & set(operation.roles))
def test_marks_that_are_empty_are_refused_by_name(operation):
    for role in {"seeds", "shapes"} & set(operation.roles):
        inputs = inputs_with(operation, role)
        if role == "shapes":
            inputs[role] = replace(inputs[role], shapes=())
        else:
            inputs[role] = replace(inputs[role], array=np.zeros(FLAT, np.int32))
        with pytest.raises(InputError, match=f"^{role}"):
            run(operation, inputs)


@every(lambda operation: operation.image_kind == "labels")
@with_each(value=[0.5, np.nan])
def test_numbers_with_a_fraction_are_not_taken_for_labels(operation, value):
    inputs = inputs_for(operation, scene(FLAT).astype(np.uint8))
    inputs["image"] = Image(np.full(FLAT, value), ("y", "x"))
    with pytest.raises(InputError, match=r"^image: "):
        run(operation, inputs)


@EVERY
def test_numbers_below_their_bounds_are_refused(operation):
    for parameter in operation.parameters:
        if parameter.type in ("int", "float"):
            with pytest.raises(InputError, match=f"^{parameter.name}: "):
                run_unchanged(operation, scene(FLAT), {parameter.name: parameter.minimum - 1})


@EVERY
@with_each(wrong=["many", None, float("nan"), float("inf"), 1e300])
def test_what_is_no_number_or_beyond_bounds_is_refused(operation, wrong):
    for parameter in operation.parameters:
        bounded = parameter.maximum is not None or wrong != 1e300
        if parameter.type in ("int", "float") and bounded:
            with pytest.raises(InputError, match=f"^{parameter.name}: .*\\.$"):
                run_unchanged(operation, scene(FLAT), {parameter.name: wrong})


@EVERY
def test_choices_and_parameters_that_do_not_exist_are_refused(operation):
    for parameter in operation.parameters:
        if parameter.type in ("choice", "bool"):
            with pytest.raises(InputError, match=f"^{parameter.name}: .*\\.$"):
                run_unchanged(operation, scene(FLAT), {parameter.name: "nothing of the kind"})
    with pytest.raises(InputError, match=r"^nonsense: .*\.$"):
        run_unchanged(operation, scene(FLAT), {"nonsense": 1})


def each_setting(operation):
    """Parameters of which one is another choice, the other switch, or the smallest number."""
    for parameter in operation.parameters:
        if parameter.type == "choice":
            values = [choice for choice in parameter.choices if choice != parameter.default]
        elif parameter.type == "bool":
            values = [not parameter.default]
        else:
            values = [] if parameter.type == "text" else [parameter.minimum]
        for value in values:
            yield {**parameters_for(operation), parameter.name: value}


@EVERY
@with_each(shape=[(9, 11), (3, 1, 8)], constant=[False, True])
def test_each_setting_gives_a_result_or_a_message(operation, shape, constant):
    array = np.full(shape, 120, np.uint16) if constant else scene(shape).astype(np.uint16)
    for parameters in each_setting(operation):
        result_or_message(operation, array, parameters)


@EVERY
@with_each(voxels=[0, 30, 1e6])
def test_lengths_of_nothing_and_beyond_the_image_give_a_result_or_a_message(operation, voxels):
    for parameter in operation.parameters:
        if parameter.unit is not None:
            parameters = {**parameters_for(operation), parameter.name: voxels}
            result_or_message(operation, scene(FLAT).astype(np.uint8), parameters)


@EVERY
def test_wrong_number_of_dimensions_is_refused(operation):
    with pytest.raises(InputError):
        run_unchanged(operation, np.zeros((2, 2, 4, 4), np.uint8))
