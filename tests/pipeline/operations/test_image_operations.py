"""Types, contrast, channels and crops: through `run`, as the window and the command line do."""

import numpy as np
import pytest
from skimage import color, data, exposure

from napari_seedbed.core.marks.shapes import Shape
from napari_seedbed.errors import InputError
from napari_seedbed.pipeline.data.image import Image
from napari_seedbed.pipeline.data.shapes import Shapes
from napari_seedbed.pipeline.operations import run
from napari_seedbed.pipeline.operations.listing import image_as_text

CAT = data.chelsea()[::6, ::6]


def colours():
    return Image(CAT, ("y", "x", "c"), rgb=True, name="cat")


def film(rng):
    """Two frames of 12-bit grey levels in 16 bits, the first of them too dark to show it."""
    frames = np.stack([rng.integers(0, 1000, (9, 12)), rng.integers(0, 4096, (9, 12))])
    return Image(frames.astype(np.uint16), ("t", "y", "x"), name="film")


def volume(rng):
    array = rng.integers(0, 3000, (5, 12, 14)).astype(np.uint16)
    return Image(array, ("z", "y", "x"), (2.0, 0.5, 0.5), translate=(10.0, 1.0, 0.0))


def given(operation, image, **parameters):
    return run(operation, {"image": image}, parameters).image("image")


def test_twelve_bits_are_named_in_the_note(rng):
    result = run("convert_type", {"image": film(rng)})
    assert "12 bits in uint16" in result.record["notes"][0]


def test_twelve_bits_are_named_by_info(rng):
    assert "12 bits in uint16" in image_as_text(film(rng))


def test_all_frames_are_converted_by_one_range(rng):
    image = film(rng)
    found = given("convert_type", image)
    np.testing.assert_array_equal(found.array, np.rint(image.array / 4095 * 255).astype(np.uint8))


@pytest.mark.parametrize("to", ["uint8", "uint16", "float32"])
def test_colours_are_converted_as_scikit_image_does(to):
    from skimage import util

    found = given("convert_type", colours(), to=to)
    convert = {"uint8": util.img_as_ubyte, "uint16": util.img_as_uint, "float32": util.img_as_float}
    assert (found.rgb, found.dtype) == (True, to)
    np.testing.assert_allclose(found.array, convert[to](CAT), rtol=1e-6)


def test_grey_of_colours_is_one_channel():
    found = given("to_grey", colours())
    assert (found.axes, found.rgb) == (("y", "x"), False)
    np.testing.assert_allclose(found.array, 255 * color.rgb2gray(CAT), atol=1e-3)


def test_transparency_does_not_count_in_grey():
    alpha = np.dstack([CAT, np.full(CAT.shape[:2], 9, np.uint8)])
    see_through = Image(alpha, ("y", "x", "c"), rgb=True)
    np.testing.assert_array_equal(
        given("to_grey", see_through).array, given("to_grey", colours()).array
    )


def test_own_weights_for_five_channels(rng):
    array = rng.random((5, 7, 8)).astype(np.float32)
    image = Image(array, ("c", "y", "x"))
    found = given("to_grey", image, weights="1, 0, 0, -1, 0.5")
    np.testing.assert_allclose(found.array, array[0] - array[3] + array[4] / 2, atol=1e-6)


def test_taken_channel_is_that_channel():
    np.testing.assert_array_equal(given("take_channel", colours(), channel=2).array, CAT[..., 1])


def test_channel_that_is_not_there_is_refused():
    with pytest.raises(InputError, match="no channel 4; the image has 3 channels"):
        given("take_channel", colours(), channel=4)


def test_stacked_channels_keep_values_and_names(rng):
    first = Image(
        rng.integers(0, 99, (2, 6, 7)).astype(np.uint8), ("c", "y", "x"), channel_names=("A", "B")
    )
    second = Image(rng.integers(0, 999, (6, 7)).astype(np.uint16), ("y", "x"))
    found = run("stack_channels", {"image": first, "other": second}).image("image")
    assert (found.axes, found.dtype) == (("c", "y", "x"), np.uint16)
    assert found.channel_names == ("A", "B", "channel 3")
    np.testing.assert_array_equal(found.array[:2], first.array)
    np.testing.assert_array_equal(found.array[2], second.array)


def test_stretched_as_scikit_image(rng):
    image = volume(rng)
    limits = tuple(np.percentile(image.array, [2, 98]))
    wanted = exposure.rescale_intensity(image.array * 1.0, limits, (0, 1))
    found = given("rescale_intensity", image, low_percent=2, high_percent=98, target="unit")
    np.testing.assert_allclose(found.array, wanted, atol=1e-6)


def test_colours_stretched_together_stay_in_proportion():
    dim = Image((CAT // 3).astype(np.uint8), ("y", "x", "c"), rgb=True)
    found = given("rescale_intensity", dim, low_percent=0, high_percent=100)
    low, high = int(dim.array.min()), int(dim.array.max())
    assert found.dtype == np.uint8
    wanted = np.rint(255 * (dim.array.astype(float) - low) / (high - low))
    np.testing.assert_array_equal(found.array, wanted)


def test_each_channel_on_its_own_fills_the_range(rng):
    array = rng.random((2, 30, 30)) * [[[0.1]], [[5]]]
    found = given(
        "rescale_intensity", Image(array, ("c", "y", "x")), channels="each", target="unit"
    )
    assert found.array.min(axis=(1, 2)).tolist() == [0, 0]
    assert found.array.max(axis=(1, 2)).tolist() == [1, 1]


def test_percentiles_of_the_series_keep_frames_comparable(rng):
    image = film(rng)
    found = given("rescale_intensity", image, statistics="series", low_percent=0, high_percent=100)
    low, high = image.array.min(), image.array.max()
    np.testing.assert_allclose(
        found.array, 4095 * (image.array.astype(float) - low) / (high - low), atol=1e-3
    )


def test_percentiles_that_are_equal_are_told(rng):
    sparse = np.zeros((40, 40))
    sparse[3, 3] = 7
    result = run("rescale_intensity", {"image": Image(sparse, ("y", "x"))}, {"low_percent": 1})
    assert "are both 0" in result.record["notes"][0]
    assert np.count_nonzero(result.image("image").array) == 1


@pytest.mark.parametrize("name", ["low_percent", "low", "out_low"])
def test_limits_in_the_wrong_order_are_refused_by_name(rng, name):
    wrong = {
        "low_percent": {"low_percent": 60, "high_percent": 40},
        "low": {"between": "values", "low": 9, "high": 3},
        "out_low": {"target": "values", "out_low": 9, "out_high": 3},
    }[name]
    with pytest.raises(InputError, match=f"^{name}: "):
        given("rescale_intensity", volume(rng), **wrong)


def test_colours_equalised_together_as_scikit_image():
    found = given("equalise", colours())
    wanted = exposure.equalize_hist(CAT.reshape(-1)).reshape(CAT.shape)
    np.testing.assert_array_equal(found.array, np.rint(255 * wanted))


def test_colours_equalised_locally_as_scikit_image():
    found = given("equalise_locally", colours())
    wanted = 255 * exposure.equalize_adapthist(CAT)
    assert np.abs(found.array - wanted).mean() < 1


def test_a_slice_is_the_same_as_in_the_whole_volume(rng):
    image = volume(rng)
    part = (slice(3, 4), slice(0, 12), slice(2, 9))
    for operation in ("rescale_intensity", "gamma", "invert", "convert_type"):
        cut = run(operation, {"image": image}, region=part).image("image")
        np.testing.assert_array_equal(cut.array, given(operation, image).array[part])


def test_crop_by_typed_ranges_keeps_its_place(rng):
    image = volume(rng)
    found = given("crop", image, x="2:-4", y=":5", z="3:")
    np.testing.assert_array_equal(found.array, image.array[3:, :5, 2:-4])
    assert found.translate == (16.0, 1.0, 1.0)


def test_crop_in_time(rng):
    image = film(rng)
    np.testing.assert_array_equal(given("crop", image, t="1:").array, image.array[1:])


def test_crop_to_a_shape_with_nothing_outside(rng):
    image = volume(rng)
    triangle = np.array([[2, 3.0, 2], [2, 3, 10], [2, 9, 2]])
    inputs = {"image": image, "shapes": Shapes((Shape(1, triangle),))}
    found = run("crop", inputs, {"outside": True}).image("image")
    assert found.spatial_shape == (5, 7, 9)
    # the corner opposite the right angle lies outside, the right angle within
    assert not found.array[:, -1, -1].any()
    np.testing.assert_array_equal(found.array[:, 0, 0], image.array[:, 3, 2])


def test_crop_keeps_colours_and_values():
    found = given("crop", colours(), x="5:20", y="3:9")
    assert found.rgb
    np.testing.assert_array_equal(found.array, CAT[3:9, 5:20])


def test_ranges_beyond_the_box_of_shapes_are_refused(rng):
    square = np.array([[2, 3.0, 2], [2, 3, 5], [2, 6, 5], [2, 6, 2]])
    inputs = {"image": volume(rng), "shapes": Shapes((Shape(1, square),))}
    with pytest.raises(InputError, match=r"^x: 8: lies outside"):
        run("crop", inputs, {"x": "8:"})


def test_not_a_number_outside_the_crop_does_no_harm(rng):
    array = rng.random((8, 9))
    array[0, 0] = np.nan
    found = given("crop", Image(array, ("y", "x")), y="1:")
    np.testing.assert_array_equal(found.array, array[1:])


def test_an_image_may_be_lazy(rng):
    import dask.array

    image = film(rng)
    lazy = Image(dask.array.from_array(image.array, chunks=(1, 9, 12)), image.axes)
    for operation in ("convert_type", "rescale_intensity", "crop", "equalise"):
        np.testing.assert_array_equal(given(operation, lazy).array, given(operation, image).array)
