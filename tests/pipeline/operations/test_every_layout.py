"""Every operation on channels, colours and series: the same as of each part by itself."""

from contextlib import suppress
from dataclasses import replace

import numpy as np
import pytest
from operation_cases import every, with_each
from operation_scenes import inputs_for, parameters_for, scene

from napari_seedbed.errors import InputError
from napari_seedbed.pipeline.data.image import Image
from napari_seedbed.pipeline.data.shapes import Shapes
from napari_seedbed.pipeline.data.tables import Points
from napari_seedbed.pipeline.operations import run

FLAT, DEEP = (16, 20), (6, 10, 12)

EVERY = every()
SHAPES = [FLAT, DEEP]


def has_channels(operation, role="image"):
    return (operation.image_kind if role == "image" else operation.other_kind) == "image"


def channelled(operation, shape, n, *, last=False, rgb=False, optional=False):
    """Inputs whose images have channels that differ, where images of grey values are wanted."""
    inputs = inputs_for(operation, scene(shape).astype(np.uint8), optional=optional)
    for role in ("image", "other"):
        if role in inputs and has_channels(operation, role):
            grey = scene(shape).astype(np.uint8)
            planes = [np.roll(grey, 2 * c + (role == "other"), axis=-1) for c in range(n)]
            if rgb and n == 4:
                planes[3] = np.full(shape, 128, np.uint8)
            axes = ("z", "y", "x")[-len(shape) :]
            axes = (*axes, "c") if last or rgb else ("c", *axes)
            array = np.stack(planes, axis=-1 if last or rgb else 0)
            inputs[role] = Image(array, axes, name=role, rgb=rgb)
    return inputs


def in_series(inputs, n_times):
    """The inputs at several time points, moved a little from each to the next."""

    def put(image):
        shifted = [np.roll(image.array, t, axis=image.axes.index("y")) for t in range(n_times)]
        return replace(image, array=np.stack(shifted), axes=("t", *image.axes))

    return {
        role: replace(
            given,
            shapes=tuple(replace(s, time=t) for t in range(n_times) for s in given.shapes),
            n_times=n_times,
        )
        if isinstance(given, Shapes)
        else put(given)
        for role, given in inputs.items()
    }


def at_time(inputs, t):
    """The inputs of one time point, without the time axis."""
    return {
        role: replace(
            given,
            shapes=tuple(replace(s, time=0) for s in given.shapes if s.time == t),
            n_times=None,
        )
        if isinstance(given, Shapes)
        else given.select_time(t)
        for role, given in inputs.items()
    }


def result_or_none(operation, inputs):
    """The outputs, or None where there is a message; the inputs stay as they are either way."""
    images = [one for one in inputs.values() if isinstance(one, Image)]
    before = [image.array.tobytes() for image in images]
    outputs = None
    with suppress(InputError):
        outputs = run(operation, inputs, parameters_for(operation)).outputs
    assert [image.array.tobytes() for image in images] == before
    return outputs


def assert_alike(found, wanted, *, share=0.0):
    """Two outputs hold the same, whatever their axes of length one."""
    if isinstance(found, Image):
        got, expected = np.squeeze(found.array), np.squeeze(wanted.array)
        room = share * max(np.abs(expected.astype(float)).max(initial=0), 1e-30)
        np.testing.assert_allclose(got.astype(float), expected.astype(float), rtol=0, atol=room)
    elif isinstance(found, Shapes):
        assert len(found.shapes) == len(wanted.shapes)
        for one, other in zip(found.shapes, wanted.shapes, strict=True):
            np.testing.assert_allclose(one.points, other.points, atol=1e-6)
    elif isinstance(found, Points):
        np.testing.assert_allclose(found.points, wanted.points, atol=1e-6)
    else:
        for name, column in wanted.columns.items():
            np.testing.assert_array_equal(found.columns[name], column)


@every(lambda operation: operation.channels == "each" and has_channels(operation))
@with_each(shape=SHAPES)
def test_channels_done_one_by_one_come_out_as_each_alone(operation, shape):
    inputs = channelled(operation, shape, 2)
    both = result_or_none(operation, inputs)
    assert both is not None
    for c in range(2):
        alone = result_or_none(operation, {**inputs, "image": inputs["image"].select_channels([c])})
        for key, output in both.items():
            if isinstance(output, Image):
                assert_alike(output.select_channels([c]), alone[key])
            else:
                mine = output.columns["channel"] == c + 1
                assert mine.sum() == len(next(iter(alone[key].columns.values())))


@EVERY
@with_each(shape=SHAPES, n=[2, 3, 5])
def test_where_the_channel_axis_lies_does_not_matter(operation, shape, n):
    first = result_or_none(operation, channelled(operation, shape, n))
    last = result_or_none(operation, channelled(operation, shape, n, last=True))
    assert (first is None) == (last is None)
    for key, output in (first or {}).items():
        found = last[key]
        if isinstance(found, Image) and found.axes[-1] == "c":
            found = replace(
                found, array=np.moveaxis(found.array, -1, 0), axes=("c", *found.axes[:-1])
            )
        assert_alike(found, output)


@EVERY
@with_each(shape=SHAPES)
def test_transparency_does_not_count(operation, shape):
    opaque = result_or_none(operation, channelled(operation, shape, 3, rgb=True))
    transparent = result_or_none(operation, channelled(operation, shape, 4, rgb=True))
    assert (opaque is None) == (transparent is None)
    for key, output in (opaque or {}).items():
        assert_alike(transparent[key], output)


@every(lambda operation: not has_channels(operation))
def test_labels_with_channels_are_refused(operation):
    inputs = inputs_for(operation, scene(FLAT).astype(np.uint8))
    labels = np.stack([inputs["image"].array] * 2)
    inputs["image"] = Image(labels, ("c", "y", "x"))
    with pytest.raises(InputError, match=r"^image: .*channel"):
        run(operation, inputs)


@every(lambda operation: operation.least_channels > 1)
def test_too_few_channels_are_refused(operation):
    inputs = {**inputs_for(operation, scene(FLAT).astype(np.uint8))}
    inputs["image"] = inputs["image"].select_channels([0])
    with pytest.raises(InputError, match=r"^image: .*1 channel.* needs 2"):
        run(operation, inputs)


# Those without seeds of a time point learn from those of all.
@every(lambda operation: not (operation.whole or operation.series) and operation.starts.labels > 0)
@with_each(shape=SHAPES, n_channels=[1, 2])
def test_time_points_come_out_as_each_alone(operation, shape, n_channels):
    if n_channels == 2 and not has_channels(operation):
        return
    n = max(n_channels, operation.least_channels)
    series = in_series(channelled(operation, shape, n, optional=True), 3)
    together = result_or_none(operation, series)
    assert together is not None
    for t in range(3):
        alone = run(operation, at_time(series, t), parameters_for(operation)).outputs
        for key, output in together.items():
            if isinstance(output, Image):
                assert_alike(output.select_time(t), alone[key])
            elif isinstance(output, Points):
                assert (output.times == t).sum() == len(alone[key])
            elif isinstance(output, Shapes):
                mine = sum(shape.time == t for shape in output.shapes)
                assert mine == len(alone[key].shapes)
            else:
                mine = output.columns["time_point"] == t
                assert mine.sum() == len(next(iter(alone[key].columns.values())))


@EVERY
@with_each(shape=SHAPES)
def test_series_of_one_time_point_is_that_time_point(operation, shape):
    inputs = channelled(operation, shape, max(1, operation.least_channels))
    alone = result_or_none(operation, inputs)
    series = result_or_none(operation, in_series(inputs, 1))
    assert (alone is None) == (series is None)
    for key, output in (alone or {}).items():
        assert_alike(series[key], output)


@EVERY
@with_each(shape=SHAPES)
def test_series_of_colours_gives_a_result_or_a_message(operation, shape):
    inputs = in_series(channelled(operation, shape, 3, rgb=True, optional=True), 2)
    found = result_or_none(operation, inputs)
    for output in (found or {}).values():
        if isinstance(output, Image) and not operation.whole:
            assert output.n_times == 2
            assert output.spatial_shape == shape
