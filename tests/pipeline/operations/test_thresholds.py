"""Thresholds of slices, volumes and series, what is said about them, and parts of images."""

import dask.array
import numpy as np
import pytest
from scipy import ndimage as ndi
from skimage import filters

from napari_seedbed.core import smoothed_in_type
from napari_seedbed.errors import InputError
from napari_seedbed.pipeline.data.blocks import count_blocks, image_blocks
from napari_seedbed.pipeline.data.image import Image
from napari_seedbed.pipeline.operations import forecast, get, operations, run
from napari_seedbed.pipeline.operations.thresholds import METHOD_TITLES, THRESHOLDS
from napari_seedbed.pipeline.recipes import load_recipe, recipe_from_record, replay, save_recipe

AXES = ("t", "c", "z", "y", "x")


@pytest.fixture
def series(rng):
    """Bright boxes that fade with time and depth, (3, 2, 4, 20, 24), uint16."""
    array = rng.normal(100, 10, (3, 2, 4, 20, 24))
    for t in range(3):
        for z in range(4):
            array[t, :, z, 5:15, 6:16] += 900 - 200 * t - 100 * z
    array[:, 1] *= 3
    return array.astype(np.uint16)


def mask(name, array, axes=AXES, **parameters):
    return run(name, {"image": Image(array, axes)}, parameters)


@pytest.mark.parametrize("per", ["slice", "volume", "series"])
def test_value_is_found_where_it_is_asked_for(series, per):
    found = mask("threshold", series, method="otsu", per=per).image("mask").array
    axes = {"slice": (3, 4), "volume": (2, 3, 4), "series": (0, 2, 3, 4)}[per]
    for t, c, z in np.ndindex(series.shape[:3]):
        part = tuple(
            slice(None) if axis in axes else place for axis, place in enumerate((t, c, z, 0, 0))
        )
        value = filters.threshold_otsu(series[part])
        assert np.array_equal(found[t, c, z], series[t, c, z] > value)


@pytest.mark.parametrize("method", METHOD_TITLES)
def test_note_names_the_value(series, method):
    image = series[0, 0]
    result = mask("threshold", image, AXES[2:], method=method)
    value = getattr(filters, f"threshold_{method}")(image.copy())
    (note,) = result.record["notes"]
    assert note.endswith(f" is {value:.6g}.")
    assert method in note.lower()


def test_notes_say_which_volume_they_are_about(series):
    notes = mask("threshold", series).record["notes"]
    value = filters.threshold_otsu(series[1, 1])
    assert len(notes) == 6
    assert f"Time point 2, channel 2: Otsu's threshold is {value:.6g}." in notes


def test_value_of_a_series_is_told_once(series):
    (note,) = mask("threshold", series[:, 0], ("t", "z", "y", "x"), per="series").record["notes"]
    value = filters.threshold_otsu(series[:, 0])
    assert note == f"Otsu's threshold is {value:.6g} for the whole series."


def test_empty_slices_stay_empty_and_are_told(series):
    volume = series[0, 0].copy()
    volume[2] = 7
    for objects in ("light", "dark"):
        result = mask("threshold", volume, AXES[2:], per="slice", objects=objects)
        assert not result.image("mask").array[2].any()
        assert "1 of 4 slices have no threshold and stay empty" in result.record["notes"][1]
    with pytest.raises(InputError, match="constant"):
        mask("threshold", np.full((3, 4, 5), 7), AXES[2:], per="slice")


@pytest.mark.parametrize("per", ["volume", "series"])
def test_lazy_series_gives_the_same(series, per):
    lazy = dask.array.from_array(series, chunks=(1, 1, 2, 20, 24))
    found = mask("threshold", lazy, per=per).image("mask").array
    assert np.array_equal(found, mask("threshold", series, per=per).image("mask").array)


@pytest.mark.parametrize("chunks", [None, (2, 1, 3, 7, 24)])
def test_blocks_hold_each_voxel_of_a_channel_once(series, chunks):
    array = series if chunks is None else dask.array.from_array(series, chunks=chunks)
    image = Image(array, AXES)
    blocks = list(image_blocks(image, 1))
    voxels = np.concatenate([block.ravel() for block in blocks])
    assert np.array_equal(np.sort(voxels), np.sort(series[:, 1].ravel()))
    assert len(blocks) == count_blocks(image.select_channels([1]))


@pytest.mark.parametrize("name", ["threshold_between", "threshold_hysteresis"])
def test_two_values_are_those_of_three_classes(series, name):
    image = series[1]
    result = mask(name, image, AXES[1:], per="slice")
    for c, z in np.ndindex(image.shape[:2]):
        low, high = filters.threshold_multiotsu(image[c, z], 3)
        values = {"method": "manual", "low": float(low), "high": float(high)}
        alone = mask(name, image[c, z], AXES[3:], **values)
        assert np.array_equal(result.image("mask").array[c, z], alone.image("mask").array)


def test_outside_is_all_that_is_not_between(series):
    values = {"method": "manual", "low": 150.0, "high": 600.0}
    between = mask("threshold_between", series, **values).image("mask").array
    outside = mask("threshold_between", series, objects="outside", **values).image("mask").array
    assert np.array_equal(between, (series > 150) & (series <= 600))
    assert np.array_equal(outside, ~between)


@pytest.mark.parametrize("name", ["threshold_between", "threshold_hysteresis"])
def test_lower_value_above_the_upper_is_refused(series, name):
    with pytest.raises(InputError, match=r"^low: 5 is above high, 2"):
        mask(name, series, method="manual", low=5, high=2)


def test_dark_is_what_light_is_not(series):
    for parameters in ({}, {"method": "manual", "value": 500}, {"per": "slice"}):
        light = mask("threshold", series, **parameters).image("mask").array
        dark = mask("threshold", series, objects="dark", **parameters).image("mask").array
        assert np.array_equal(dark, ~light)


@pytest.mark.parametrize(
    ("name", "parameters"),
    [
        ("threshold", {"method": "manual", "value": 400}),
        ("threshold", {"method": "li"}),
        ("threshold", {"per": "slice"}),
        ("multi_otsu", {"classes": 4}),
        ("threshold_between", {"method": "manual", "low": 90, "high": 400}),
        ("threshold_hysteresis", {}),
        ("threshold_local", {"block_size": 1.1}),
        ("threshold_local", {"block_size": 0.9, "method": "mean"}),
        ("threshold_local", {"block_size": 0.7, "method": "median"}),
        ("sauvola", {"window_size": 0.9}),
        ("sauvola", {"window_size": 0.9, "r": 500}),
        ("niblack", {"window_size": 0.9}),
    ],
)
def test_part_of_a_volume_has_the_voxels_of_the_whole(series, name, parameters):
    image = Image(series[0, 0], AXES[2:], (0.3, 0.1, 0.1), ("micrometer",) * 3)
    gives = operations[name].gives
    whole = run(name, {"image": image}, parameters).image(gives).array
    region = (slice(1, 2), slice(3, 17), slice(0, 24))
    part = run(name, {"image": image}, parameters, region=region).image(gives).array
    assert np.array_equal(part, whole[region])
    assert 0 < whole.mean() < whole.max()


@pytest.mark.parametrize("parameters", [{"method": "manual"}, {"method": "otsu"}])
def test_only_the_part_itself_is_worked_on(parameters):
    halo = get("threshold").halo
    parameters |= {"sigma": 0.0, "smallest": 0.0}
    assert halo((1.0, 1.0), {"per": "volume", **parameters}) == (0, 0)
    in_slices = halo((1.0,) * 3, {"per": "slice", **parameters})
    assert in_slices == ((0, 0, 0) if parameters["method"] == "manual" else None)


def test_forecast_of_local_medians_grows_with_the_block(series):
    image = {"image": Image(series[0, 0], AXES[2:])}
    small, large = (
        forecast("threshold_local", image, {"method": "median", "block_size": size}).seconds
        for size in (3, 15)
    )
    assert large > small > forecast("threshold_local", image).seconds


@pytest.mark.parametrize("name", ["threshold", "multi_otsu"])
def test_recipe_gives_the_same_again(series, tmp_path, name):
    image = Image(series[0, 0], AXES[2:], name="nuclei")
    result = run(name, {"image": image})
    recipe = load_recipe(save_recipe(tmp_path / "r.yaml", recipe_from_record(result.record)))
    gives = operations[name].gives
    again = replay(recipe, image).image(gives)
    assert np.array_equal(again.array, result.image(gives).array)


SPACING = (2.0, 0.5, 0.5)
SIGMA, SMALLEST = 0.6, 12.0


def cleaned_by_hand(name, array, parameters, spacing):
    """SciPy's Gaussian, rounded, the threshold of that, and SciPy's pieces counted."""
    sigma = [SIGMA / step for step in spacing]
    smooth = ndi.gaussian_filter(array.astype(np.float32), sigma, mode="nearest", truncate=4.0)
    smooth = np.rint(smooth).astype(array.dtype)
    image = Image(smooth, ("z", "y", "x")[-array.ndim :], spacing=spacing)
    gives = get(name).gives
    found = run(name, {"image": image}, parameters).image(gives).array
    out = np.zeros_like(found)
    for value in np.unique(found[found > 0]):
        pieces, count = ndi.label(found == value, np.ones((3,) * array.ndim))
        sizes = ndi.sum_labels(np.ones_like(pieces), pieces, range(count + 1))
        keep = sizes * np.prod(spacing) >= SMALLEST
        keep[0] = False
        out[keep[pieces]] = value
    return out


@pytest.mark.parametrize("name", [kind.name for kind in THRESHOLDS])
@pytest.mark.parametrize("ndim", [2, 3])
def test_noise_is_smoothed_first_and_specks_are_taken_away_last(rng, name, ndim):
    array = rng.normal(100, 30, (6, 60, 64)[3 - ndim :])
    array[..., 20:40, 22:44] += 60
    array, spacing = np.clip(array, 0, 255).astype(np.uint8), SPACING[3 - ndim :]
    image = Image(array, ("z", "y", "x")[-ndim:], spacing=spacing)
    parameters = {"block_size": 9.0} if name == "threshold_local" else {}
    cleaning = {"sigma": SIGMA, "smallest": SMALLEST}
    gives = get(name).gives
    plain = run(name, {"image": image}, parameters).image(gives)
    clean = run(name, {"image": image}, {**parameters, **cleaning}).image(gives)
    np.testing.assert_array_equal(clean.array, cleaned_by_hand(name, array, parameters, spacing))
    if name == "threshold":
        assert ndi.label(plain.array)[1] > 10 > ndi.label(clean.array)[1] > 0


@pytest.mark.parametrize("per", ["slice", "volume", "series"])
def test_value_of_a_smoothed_image_is_found_in_it(series, per):
    found = mask("threshold", series, per=per, sigma=1.5)
    smooth = np.stack(
        [
            np.stack([smoothed_in_type(volume, 1.5, (1, 1, 1)) for volume in channels])
            for channels in series
        ]
    )
    wanted = mask("threshold", smooth, per=per)
    np.testing.assert_array_equal(found.image("mask").array, wanted.image("mask").array)
    assert found.record["notes"] == wanted.record["notes"]


def test_part_of_a_smoothed_image_is_that_of_the_whole(rng):
    array = rng.integers(0, 200, (8, 30, 34)).astype(np.uint16)
    image = Image(array, ("z", "y", "x"), spacing=SPACING)
    parameters = {"sigma": 1.2}
    whole = run("threshold", {"image": image}, parameters).image("mask").array
    region = (slice(3, 5), slice(4, 20), slice(10, 34))
    part = run("threshold", {"image": image}, parameters, region=region).image("mask").array
    np.testing.assert_array_equal(part, whole[region])
