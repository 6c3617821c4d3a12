"""Filters in blocks, when asked to stop, by physical lengths, and with channels."""

import numpy as np
import pytest
from scipy import ndimage

from napari_seedbed.errors import Cancelled, InputError
from napari_seedbed.pipeline.data.image import Image
from napari_seedbed.pipeline.operations import forecast, operations, run
from napari_seedbed.pipeline.recipes import load_recipe, recipe_from_record, replay, save_recipe
from napari_seedbed.pipeline.recipes.methods_text import recipe_to_methods_text

FILTERS = [
    name
    for name, one in operations.items()
    if one.menu == "napari/layers/filter" and one.takes == ("image",) and one.gives != "table"
    if not one.whole and (one.channels == "each" or name == "edge_map")
]
MICRO = ("micrometer",) * 3

# Settings beside the defaults in which the halo is another one, or there is one at all.
SETTINGS = [
    ("bilateral", {"contrast": 30}),
    ("custom_kernel", {"kernel": "1 2 3 4 | 0 0 0 1", "kind": "convolution"}),
    ("custom_kernel", {"kernel": "1;2;-4;1", "mode": "constant", "cval": 50}),
    ("custom_kernel", {"kernel": "1 2 3 4 5 6 7", "mode": "mirror"}),
    ("frangi", {"contrast": 5}),
    ("hessian_eigenvalue", {"which": "middle", "sigma": 0.0}),
    ("mean", {"window": "box", "radius": 0.3}),
    ("median", {"radius": 0.5}),
    ("morphology", {"kind": "black_tophat", "radius": 0.3}),
    ("morphology", {"kind": "gradient", "window": "box"}),
    ("non_local_means", {"strength": 30, "patch_distance": 2, "patch_size": 3}),
    ("slope", {"kernel": "farid", "output": "y"}),
    ("subtract_background", {"radius": 0.4}),
    ("subtract_background", {"radius": 0.4, "method": "tophat", "light_ground": True}),
    ("subtract_background", {"radius": 0.4, "method": "gaussian", "output": "background"}),
]
IN_BLOCKS = [(name, {}) for name in FILTERS] + [pair for pair in SETTINGS if pair[0] in operations]


@pytest.fixture
def volume(rng):
    """Smooth blobs and noise, (12, 40, 44), uint16, anisotropic voxels."""
    array = ndimage.gaussian_filter(rng.random((12, 40, 44)), (1, 2, 2)) * 4000
    array += rng.normal(0, 20, array.shape)
    return Image(array.astype(np.uint16), ("z", "y", "x"), (0.2, 0.1, 0.1), MICRO, name="volume")


@pytest.mark.parametrize(("name", "parameters"), IN_BLOCKS)
def test_block_with_its_halo_gives_the_same_voxels_as_the_whole(volume, name, parameters):
    operation = operations[name]
    complete = operation.defaults(volume.spacing) | parameters
    halo = operation.halo and operation.halo(volume.spacing, complete)
    if halo is None:
        pytest.skip("it needs the whole image")
    assert len(halo) == 3
    whole = run(name, {"image": volume}, complete).image(operation.gives).array
    inner = (slice(4, 7), slice(17, 22), slice(0, 6))
    part = run(name, {"image": volume}, complete, region=inner).image(operation.gives).array
    # Running sums may differ by rounding.
    room = 1e-5 * np.abs(whole.astype(float)).max() if whole.dtype.kind == "f" else 0
    np.testing.assert_allclose(part, whole[inner], rtol=0, atol=room)


@pytest.mark.parametrize("name", FILTERS)
def test_filter_looks_while_it_works_whether_it_should_stop(volume, name):
    asked = 0

    def stop_soon():
        nonlocal asked
        asked += 1
        # Some of the first questions come from around the filter.
        return asked > 4

    with pytest.raises(Cancelled):
        run(name, {"image": volume}, should_stop=stop_soon)
    assert asked >= 5


@pytest.mark.parametrize("name", FILTERS)
def test_each_channel_is_filtered_as_if_it_were_alone(volume, name):
    operation = operations[name]
    if operation.channels != "each":
        pytest.skip("its channels count together")
    both = np.stack([volume.array[:4], volume.array[8:]])
    image = Image(both, ("c", *volume.axes), volume.spacing, volume.units)
    found = run(name, {"image": image}).image(operation.gives).array
    for channel in range(2):
        alone = Image(both[channel], volume.axes, volume.spacing, volume.units)
        expected = run(name, {"image": alone}).image(operation.gives).array
        np.testing.assert_array_equal(found[channel], expected)


@pytest.mark.parametrize("name", ["mean", "median", "minimum", "maximum", "percentile"])
def test_window_is_a_physical_ball(volume, name):
    found = run(name, {"image": volume}, {"radius": 0.2}).image("image").array
    z, y, x = np.ogrid[-1:2, -2:3, -2:3]
    ball = z**2 * 4 + y**2 + x**2 <= 4
    expected = {
        "mean": lambda a: ndimage.correlate(a.astype(float), ball / ball.sum()),
        "median": lambda a: ndimage.median_filter(a, footprint=ball),
        "minimum": lambda a: ndimage.minimum_filter(a, footprint=ball),
        "maximum": lambda a: ndimage.maximum_filter(a, footprint=ball),
        "percentile": lambda a: ndimage.percentile_filter(a, 25, footprint=ball),
    }[name](volume.array)
    np.testing.assert_allclose(found, expected, rtol=1e-6)


@pytest.mark.parametrize("name", ["gradient_magnitude", "slope"])
def test_slope_of_a_ramp_is_its_rise_by_physical_length(name):
    z, y, x = np.indices((9, 20, 22))
    ramp = 3 * z * 0.5 + 4 * y * 0.2 + 12 * x * 0.1
    image = Image(ramp.astype(np.float32), ("z", "y", "x"), (0.5, 0.2, 0.1), MICRO)
    found = run(name, {"image": image}, {"sigma": 0.1} if name != "slope" else {})
    inner = found.image("image").array[2:-2, 6:-6, 6:-6]
    np.testing.assert_allclose(inner, 13, rtol=1e-4)


def test_slope_along_an_axis_that_a_slice_lacks_is_refused(volume):
    flat = Image(volume.array[0], ("y", "x"))
    with pytest.raises(InputError, match=r"^output: a 2D image has no axis z"):
        run("slope", {"image": flat}, {"output": "z"})


def test_thinnest_line_above_the_thickest_is_refused(volume):
    with pytest.raises(InputError, match=r"^sigma_min: "):
        run("sato", {"image": volume}, {"sigma_min": 2, "sigma_max": 1})


@pytest.mark.parametrize("name", ["mean", "median", "maximum", "morphology", "bilateral"])
def test_forecast_grows_with_the_window(volume, name):
    length = "sigma" if name == "bilateral" else "radius"
    small = forecast(name, {"image": volume}, {length: 0.1}).seconds
    assert forecast(name, {"image": volume}, {length: 1.0}).seconds > small


def test_wrong_kernel_is_refused_before_anything_is_computed(volume):
    with pytest.raises(InputError, match=r"^kernel: row 2 has 3 numbers and the first 2"):
        run("custom_kernel", {"image": volume}, {"kernel": "1 2; 1 2 3"})


def test_smoothing_and_then_a_typed_difference_are_a_recipe(volume, tmp_path):
    smooth = run("gaussian", {"image": volume}, {"sigma": 0.2}).image("image")
    kernel = {"kernel": "-1 0 1\n-2 0 2\n-1 0 1"}
    result = run("custom_kernel", {"image": smooth}, kernel)
    recipe = load_recipe(save_recipe(tmp_path / "r.yaml", recipe_from_record(result.record)))
    again = replay(recipe, volume).image("image")
    np.testing.assert_array_equal(again.array, result.image("image").array)
    assert "kernel -1 0 1; -2 0 2; -1 0 1" in recipe_to_methods_text(recipe)
