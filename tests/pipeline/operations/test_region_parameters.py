"""Operations on regions: units, channels, seeds, notes, recipes."""

import numpy as np
import pytest
from skimage import color, data, segmentation

from napari_seedbed.core.marks.shapes import Shape
from napari_seedbed.errors import InputError
from napari_seedbed.pipeline.data.image import Image
from napari_seedbed.pipeline.data.shapes import Shapes
from napari_seedbed.pipeline.operations import run
from napari_seedbed.pipeline.recipes import load_recipe, recipe_from_record, replay, save_recipe


@pytest.fixture(scope="module")
def photo():
    return Image(data.astronaut()[50:178, 150:280], ("y", "x", "c"), rgb=True, name="photo")


@pytest.fixture(scope="module")
def regions(photo):
    return run("slic", {"image": photo}, {"n_segments": 150}).image("labels")


def step(spacing=(1.0, 1.0)):
    """Dark on the left, bright on the right."""
    array = np.zeros((20, 40), np.float32)
    array[:, 25:] = 5
    return Image(array, ("y", "x"), spacing)


def test_slic_of_rgb_is_that_of_scikit_image(photo, regions):
    assert np.array_equal(regions.array, segmentation.slic(photo.array, 150, start_label=1))


def test_a_mask_limits_superpixels(photo):
    mask = np.zeros(photo.spatial_shape, np.uint8)
    mask[20:90, 30:100] = 7
    found = run("slic", {"image": photo, "other": Image(mask, ("y", "x"))}).image("labels")
    assert np.array_equal(found.array > 0, mask > 0)


@pytest.mark.parametrize("operation", ["slic", "felzenszwalb", "compact_watershed"])
def test_smoothing_is_a_length(operation):
    array = np.random.default_rng(0).random((40, 50))
    in_pixels = run(operation, {"image": Image(array, ("y", "x"))}, {"sigma": 2})
    fine = Image(array, ("y", "x"), (0.25, 0.25))
    in_micrometres = run(operation, {"image": fine}, {"sigma": 0.5})
    assert np.array_equal(in_pixels.image("labels").array, in_micrometres.image("labels").array)


@pytest.mark.parametrize(("objects", "value"), [("bright", 5), ("dark", 0)])
def test_chan_vese_shows_the_side_that_is_wanted(objects, value):
    found = run("chan_vese", {"image": step()}, {"objects": objects}).image("mask").array
    assert np.mean(found == (step().array == value)) > 0.97


def test_chan_vese_does_not_mind_the_unit():
    results = [
        run("chan_vese", {"image": step(spacing)}).image("mask").array
        for spacing in ((1.0, 1.0), (1000.0, 1000.0))
    ]
    assert np.array_equal(*results)


def test_shapes_are_seeds_of_a_watershed():
    left = Shape(1, np.array([[8, 2], [8, 6], [12, 6], [12, 2]], float))
    right = Shape(2, np.array([[5, 35], [15, 35]], float), closed=False)
    found = run("seeded_watershed", {"image": step(), "shapes": Shapes((left, right))})
    assert np.array_equal(found.image("labels").array, np.where(step().array == 5, 2, 1))


def test_a_mask_holds_a_watershed_back():
    seeds = np.zeros((20, 40), np.int32)
    seeds[10, 5] = 3
    mask = np.zeros((20, 40), bool)
    mask[5:15, :30] = True
    found = run(
        "seeded_watershed",
        {"image": step(), "seeds": Image(seeds, ("y", "x")), "other": Image(mask, ("y", "x"))},
    )
    assert np.array_equal(found.image("labels").array, np.where(mask, 3, 0))


def test_flood_fill_of_a_volume_stays_within_the_tolerance():
    array = np.zeros((6, 20, 20), np.uint8)
    array[2:5, 5:15, 5:15] = 100
    array[3, 10, 10] = 93
    seeds = np.zeros(array.shape, np.int32)
    seeds[3, 7, 7] = 4
    inputs = {"image": Image(array, ("z", "y", "x")), "seeds": Image(seeds, ("z", "y", "x"))}
    found = run("flood_fill", inputs, {"tolerance": 10}).image("labels").array
    assert np.array_equal(found, np.where(array > 50, 4, 0))


def test_no_seeds_at_all_are_refused():
    nothing = Image(np.zeros((20, 40), np.int32), ("y", "x"))
    with pytest.raises(InputError, match=r"^seeds: there are none"):
        run("flood_fill", {"image": step(), "seeds": nothing})


def test_peaks_come_as_labels_and_points():
    array = np.zeros((2, 20, 20), np.float32)
    array[0, 5, 5], array[0, 10, 10], array[1, 3, 4] = 50, 30, 20
    image = Image(array, ("t", "y", "x"))
    found = run("h_maxima", {"image": image}, {"height": 15, "points": True})
    points = found.points()
    assert points.points.tolist() == [[5, 5], [10, 10], [3, 4]]
    assert points.times.tolist() == [0, 0, 1]
    assert points.columns["intensity"].tolist() == [50, 30, 20]
    assert found.image("labels").array[0, 10, 10] == 2


def test_touching_discs_of_a_mask_are_split_by_a_length():
    y, x = np.mgrid[:40, :60]
    mask = ((y - 20) ** 2 + (x - 20) ** 2 < 121) | ((y - 20) ** 2 + (x - 37) ** 2 < 121)
    image = Image(mask, ("y", "x"), (0.1, 0.1))
    for depth, count in ((0.2, 2), (0.6, 1)):
        found = run("split_touching", {"image": image}, {"depth": depth}).image("labels").array
        assert found.max() == count


def test_merging_leaves_as_many_regions_as_wanted(photo, regions):
    found = run("region_graph_merge", {"image": photo, "other": regions}, {"n_regions": 12})
    assert len(np.unique(found.image("labels").array)) == 12
    assert found.record["notes"] == [f"{regions.array.max()} regions became 12."]


def test_average_colours_of_rgb_are_rgb(photo, regions):
    found = run(
        "region_graph_merge",
        {"image": photo, "other": regions},
        {"n_regions": 12, "average": True},
    )
    average = found.image("average")
    assert (average.rgb, average.dtype, average.axes) == (True, np.uint8, photo.axes)
    labels = found.image("labels").array
    expected = color.label2rgb(labels, photo.array.astype(float), kind="avg", bg_label=0)
    assert np.allclose(average.array, expected, atol=0.51)


def test_average_colour_of_labels_is_the_same(photo, regions):
    merged = run(
        "region_graph_merge",
        {"image": photo, "other": regions},
        {"n_regions": 12, "average": True},
    )
    again = run("average_colour", {"image": photo, "other": merged.image("labels")})
    difference = again.image("image").array.astype(int) - merged.image("average").array
    assert np.abs(difference).max() <= 1


def test_changes_by_hand_that_do_not_fit_are_noted(photo, regions):
    found = run(
        "region_graph_merge",
        {"image": photo, "other": regions},
        {"edits": "merge 1 99999", "stop_at": "level", "level": 0},
    )
    assert found.record["notes"][0] == "'merge 1 99999' was left out: there is no region 99999."
    assert np.array_equal(found.image("labels").array, regions.array)


def test_changes_that_cannot_be_read_are_refused(photo, regions):
    with pytest.raises(InputError, match=r"^edits: 'glue 1 2' cannot be read"):
        run("region_graph_merge", {"image": photo, "other": regions}, {"edits": "glue 1 2"})


def test_a_recipe_of_superpixels_and_merging_is_replayed(photo, regions, tmp_path):
    first = int(regions.array[0, 0])
    result = run(
        "region_graph_merge",
        {"image": photo, "other": regions},
        {"n_regions": 10, "weight": "boundary", "edits": f"take out {first}"},
    )
    path = save_recipe(tmp_path / "regions.yaml", recipe_from_record(result.record))
    again = replay(load_recipe(path), photo)
    assert np.array_equal(again.image("labels").array, result.image("labels").array)
