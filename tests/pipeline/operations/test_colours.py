"""Operations on colours: closed formulas, patches against written colours, parts, series."""

import numpy as np
import pytest

from napari_seedbed.core.marks.shapes import Shape
from napari_seedbed.errors import Cancelled, InputError
from napari_seedbed.pipeline.data.image import Image
from napari_seedbed.pipeline.data.shapes import Shapes
from napari_seedbed.pipeline.operations import operations, run
from napari_seedbed.pipeline.operations.colour_references import learnt_as_text, marked_in_image
from napari_seedbed.pipeline.recipes import load_recipe, recipe_from_record, replay, save_recipe
from napari_seedbed.pipeline.recipes.methods_text import recipe_to_methods_text

LEARN = ("chromaticity_gaussian", "histogram_backprojection")
EVERYTHING = {"mask": True, "labels": True, "probabilities": True, "composite": True}


def picture(rng, shape=(30, 40), dtype=np.uint8):
    """Blue left, ochre right, of all kinds of brightness; a black and a white stripe."""
    colour = np.where(np.arange(shape[-1]) < shape[-1] // 2, 0, 1)
    hues = np.array([[0.2, 0.3, 0.5], [0.5, 0.35, 0.15]])[colour]
    brightness = rng.uniform(100, 400, (*shape, 1))
    array = hues * brightness + rng.normal(0, 2, (*shape, 3))
    array[..., :2, :, :] = 0
    array[..., 2:4, :, :] = 255
    return np.clip(array, 0, 255).astype(dtype)


@pytest.fixture
def image(rng):
    return Image(picture(rng), ("y", "x", "c"), rgb=True, name="picture")


def box(label, y, x, size=6, *lead, time=0):
    corners = np.array([[y, x], [y, x + size], [y + size, x + size], [y + size, x]], float)
    return Shape(label, np.insert(corners, [0] * len(lead), lead, axis=1), time=time)


BLUE = Shapes((box(1, 10, 3),))
BOTH = Shapes((box(1, 10, 3), box(4, 12, 28)))


def written(operation, image, marks, **parameters):
    complete = {**operations[operation].defaults(), **parameters}
    return learnt_as_text(operation, marked_in_image(image, marks), complete)


def assert_same_outputs(one, other):
    assert one.outputs.keys() == other.outputs.keys()
    for key, output in one.outputs.items():
        np.testing.assert_array_equal(output.array, other.outputs[key].array, err_msg=key)
        assert output.axes == other.outputs[key].axes
        assert output.channel_names == other.outputs[key].channel_names


def test_probability_is_the_published_formula(image):
    result = run("chromaticity_gaussian", {"image": image, "shapes": BLUE}, {"coordinates": True})
    wide = image.array.astype(float)
    total = wide.sum(axis=-1)
    shares = wide[..., :2] / np.where(total == 0, 1, total)[..., np.newaxis]
    patch = shares[10:17, 3:10].reshape(-1, 2)
    deviations = (shares - patch.mean(axis=0)) / patch.std(axis=0)
    each = np.exp(-(deviations**2) / 2)
    each[total == 0] = 0
    coordinates = result.image("coordinates")
    assert coordinates.channel_names == ("r", "g")
    np.testing.assert_allclose(coordinates.array, np.moveaxis(each, -1, 0), atol=1e-4)
    probability = result.image("image")
    assert (probability.axes, probability.rgb, probability.dtype) == (("y", "x"), False, np.float32)
    np.testing.assert_allclose(probability.array, each.prod(axis=-1), atol=1e-4)


@pytest.mark.parametrize("operation", LEARN)
def test_blue_is_found_whatever_its_brightness_and_nothing_else(operation, image):
    result = run(operation, {"image": image, "shapes": BLUE}, {"mask": True, "threshold": 0.01})
    mask = result.image("mask").array
    assert mask.dtype == bool
    assert mask[4:, :20].mean() > 0.9
    assert not mask[4:, 20:].any()
    assert not mask[:4].any()


@pytest.mark.parametrize("operation", LEARN)
def test_classes_of_patches_become_labels_with_their_own_numbers(operation, image):
    parameters = {**EVERYTHING, "threshold": 0.05}
    result = run(operation, {"image": image, "shapes": BOTH}, parameters)
    labels = result.image("labels").array
    assert labels.dtype == np.int32
    assert np.mean(labels[4:, :20] == 1) > 0.9
    assert np.mean(labels[4:, 20:] == 4) > 0.9
    probabilities = result.image("probabilities")
    assert probabilities.channel_names == ("label 1", "label 4")
    np.testing.assert_array_equal(probabilities.array.max(axis=0), result.image("image").array)
    np.testing.assert_array_equal(result.image("mask").array, labels > 0)


@pytest.mark.parametrize("operation", LEARN)
def test_composite_is_an_image_as_the_input_with_colour_only_in_the_mask(operation, image):
    result = run(operation, {"image": image, "shapes": BLUE}, EVERYTHING)
    composite, mask = result.image("composite"), result.image("mask").array
    assert (composite.rgb, composite.axes, composite.dtype) == (True, ("y", "x", "c"), np.uint8)
    np.testing.assert_array_equal(composite.array[mask], image.array[mask])
    grey = np.rint(image.array[~mask].mean(axis=-1))
    np.testing.assert_array_equal(composite.array[~mask], np.stack([grey] * 3, axis=-1))


@pytest.mark.parametrize(
    ("operation", "own"),
    [(LEARN[0], {"model": model}) for model in ("independent", "joint")]
    + [(LEARN[1], {"space": space}) for space in ("rg", "hue", "hue_saturation", "channels")],
)
def test_written_colours_give_the_voxels_that_their_patches_give(operation, own, image):
    text = written(operation, image, BOTH, **own)
    from_patches = run(operation, {"image": image, "shapes": BOTH}, {**EVERYTHING, **own})
    from_text = run(operation, {"image": image}, {**EVERYTHING, **own, "colours": text})
    assert_same_outputs(from_text, from_patches)


@pytest.mark.parametrize("operation", LEARN)
def test_colours_of_one_image_find_their_like_in_one_of_another_size(operation, image, rng):
    text = written(operation, image, BLUE)
    other = Image(picture(rng, (3, 24, 60), np.uint8), ("z", "y", "x", "c"), rgb=True)
    parameters = {"colours": text, "mask": True, "threshold": 0.01}
    mask = run(operation, {"image": other}, parameters).image("mask").array
    assert mask[:, 4:, :30].mean() > 0.9
    assert not mask[:, 4:, 30:].any()


@pytest.mark.parametrize("operation", LEARN)
def test_recipe_with_colours_replays_on_an_image_of_another_size(operation, image, rng, tmp_path):
    text = written(operation, image, BLUE)
    result = run(operation, {"image": image}, {"colours": text, "labels": True})
    path = save_recipe(tmp_path / "blue.yaml", recipe_from_record(result.record))
    recipe = load_recipe(path)
    np.testing.assert_array_equal(
        replay(recipe, image).image("labels").array, result.image("labels").array
    )
    other = Image(picture(rng, (24, 60)), ("y", "x", "c"), rgb=True)
    expected = run(operation, {"image": other}, {"colours": text, "labels": True})
    np.testing.assert_array_equal(
        replay(recipe, other).image("labels").array, expected.image("labels").array
    )


@pytest.mark.parametrize("operation", LEARN)
def test_methods_text_says_where_long_colours_are(operation, image):
    text = written(operation, image, BOTH)
    record = run(operation, {"image": image}, {"colours": text}).record
    words = recipe_to_methods_text(recipe_from_record(record))
    assert f"reference colours {text.split()[0]}" in words
    assert "in the recipe" in words
    assert len(words) < 1500
    record = run(operation, {"image": image, "shapes": BLUE}).record
    assert "reference colours" not in recipe_to_methods_text(recipe_from_record(record))


@pytest.mark.parametrize("operation", LEARN)
def test_recipe_with_patches_learns_anew_where_they_lie(operation, image, rng, tmp_path):
    result = run(operation, {"image": image, "shapes": BLUE}, {"mask": True})
    path = save_recipe(tmp_path / "patch.yaml", recipe_from_record(result.record))
    other = Image(image.array[:, ::-1].copy(), image.axes, rgb=True)
    mask = replay(load_recipe(path), other).image("mask").array
    assert mask[4:, :20].any()
    assert not mask[4:, 20:].any()


@pytest.mark.parametrize("operation", LEARN)
def test_labels_mark_patches_as_shapes_do(operation, image):
    marks = np.zeros((30, 40), np.int32)
    marks[10:17, 3:10], marks[12:19, 28:35] = 1, 4
    seeds = Image(marks, ("y", "x"))
    one = run(operation, {"image": image, "seeds": seeds}, EVERYTHING)
    assert_same_outputs(one, run(operation, {"image": image, "shapes": BOTH}, EVERYTHING))


@pytest.mark.parametrize(
    ("operation", "parameters"),
    [
        ("chromaticity_gaussian", {}),
        ("histogram_backprojection", {"method": "patch"}),
        ("histogram_backprojection", {"method": "ratio"}),
        ("histogram_backprojection", {"space": "channels", "method": "patch"}),
    ],
)
def test_part_of_a_volume_has_the_voxels_of_the_whole(operation, parameters, rng):
    volume = Image(picture(rng, (4, 24, 30)), ("z", "y", "x", "c"), rgb=True)
    patch = Shapes((box(1, 10, 3, 6, 2),))
    text = written(operation, volume, patch, **parameters)
    region = (slice(1, 2), slice(3, 20), slice(0, 30))
    for source in ({"shapes": patch}, {}):
        own = {**EVERYTHING, **parameters, **({} if source else {"colours": text})}
        whole = run(operation, {"image": volume, **source}, own)
        part = run(operation, {"image": volume, **source}, own, region=region)
        for key, output in part.outputs.items():
            spatial = whole.image(key).crop(region)
            np.testing.assert_array_equal(output.array, spatial.array, err_msg=key)


@pytest.mark.parametrize("operation", LEARN)
def test_patches_of_several_time_points_are_learnt_together_and_used_at_all(operation, rng):
    film = Image(picture(rng, (3, 24, 30)), ("t", "y", "x", "c"), rgb=True)
    marks = Shapes((box(1, 10, 3), box(1, 12, 20, time=2)))
    marked = marked_in_image(film, marks)
    expected = np.concatenate(
        [film.array[0, 10:17, 3:10].reshape(-1, 3), film.array[2, 12:19, 20:27].reshape(-1, 3)]
    )
    np.testing.assert_array_equal(marked.pixels, expected)
    text = written(operation, film, marks)
    result = run(operation, {"image": film}, {"colours": text, "labels": True})
    labels = result.image("labels").array
    assert labels.shape == (3, 24, 30)
    assert all(frame.any() for frame in labels)


def test_several_channels_of_a_volume_count_as_colours_do(rng):
    array = rng.integers(100, 1000, (4, 3, 12, 14)).astype(np.uint16)
    array[1, :, :, :7] *= 9
    image = Image(array, ("c", "z", "y", "x"), spacing=(2.0, 1.0, 1.0))
    patch = Shapes((box(1, 3, 1, 4, 1),))
    outputs = run(
        "chromaticity_gaussian", {"image": image, "shapes": patch},
        {"coordinates": True, "mask": True, "threshold": 0.01, "composite": True},
    ).outputs  # fmt: skip
    assert outputs["coordinates"].channel_names == tuple(f"share of channel {i}" for i in (1, 2, 3))
    assert outputs["composite"].shape == array.shape
    mask = outputs["mask"].array
    assert mask[..., :7].mean() > 5 * mask[..., 7:].mean()


def test_alpha_is_no_colour(image):
    alpha = np.random.default_rng(1).integers(0, 256, (30, 40, 1)).astype(np.uint8)
    rgba = Image(np.concatenate([image.array, alpha], axis=-1), image.axes, rgb=True)
    one = run("chromaticity_gaussian", {"image": rgba, "shapes": BLUE}, EVERYTHING)
    assert_same_outputs(
        one, run("chromaticity_gaussian", {"image": image, "shapes": BLUE}, EVERYTHING)
    )


def test_chromaticity_image_has_a_channel_for_each_coordinate(image):
    out = run("rg_chromaticity", {"image": image}).image("image")
    assert (out.axes, out.rgb, out.channel_names) == (("c", "y", "x"), False, ("r", "g"))
    wide = image.array.astype(float)
    total = wide.sum(axis=-1)
    coloured = total > 0
    np.testing.assert_allclose(out.array[1][coloured], wide[coloured][:, 1] / total[coloured], 1e-6)
    np.testing.assert_allclose(out.array[:, ~coloured], 1 / 3, 1e-6)


def test_drawn_outline_selects_colours(image):
    outline = "0.1 0.2, 0.1 0.38, 0.3 0.38, 0.3 0.2"
    result = run("colour_selection", {"image": image}, {"outline": outline, "composite": True})
    mask = result.image("mask").array
    wide = image.array[4:].astype(float)
    shares = wide / wide.sum(axis=-1, keepdims=True)
    inside = (shares[..., 0] > 0.1) & (shares[..., 0] < 0.3)
    inside &= (shares[..., 1] > 0.2) & (shares[..., 1] < 0.38)
    np.testing.assert_array_equal(mask[4:], inside)
    assert not mask[:2].any()


@pytest.mark.parametrize("background", ["grey", "black", "white"])
def test_composite_of_a_mask_of_ones_own(image, background):
    mask = Image(np.arange(30 * 40).reshape(30, 40) % 3 == 0, ("y", "x"))
    out = run("colour_composite", {"image": image, "other": mask}, {"background": background})
    composite = out.image("image")
    assert composite.rgb
    np.testing.assert_array_equal(composite.array[mask.array], image.array[mask.array])
    outside = composite.array[~mask.array]
    assert (outside == outside[:, :1]).all()
    if background != "grey":
        assert (outside == (0 if background == "black" else 255)).all()


@pytest.mark.parametrize("operation", LEARN)
@pytest.mark.parametrize("dtype", ["u1", ">u2", "i4", "f2", "f4", "f8"])
def test_every_type_and_layout_is_read_and_left_alone(operation, dtype, image):
    array = np.asfortranarray(image.array.astype(dtype))
    array.flags.writeable = False
    typed = Image(array, image.axes, rgb=True)
    result = run(operation, {"image": typed, "shapes": BLUE}, EVERYTHING)
    expected = run(operation, {"image": image, "shapes": BLUE}, EVERYTHING)
    np.testing.assert_array_equal(array, image.array)
    probability = result.image("image").array
    assert np.isfinite(probability).all()
    # Colours that lie on the edge of two bins, and what rounding does to the least spread.
    close = np.isclose(probability, expected.image("image").array, atol=0.02)
    assert close.mean() > 0.99


@pytest.mark.parametrize("operation", LEARN)
def test_saturated_pixels_are_left_out_where_a_level_is_set(operation, image):
    marks = Shapes((box(1, 1, 3),))
    parameters = {"saturation_level": 255.0, "mask": True}
    result = run(operation, {"image": image, "shapes": marks}, parameters)
    assert not result.image("image").array[:4].any()
    assert result.image("mask").array[4:, :20].any()


@pytest.mark.parametrize("operation", LEARN)
@pytest.mark.parametrize(
    ("inputs", "message"),
    [
        ({}, "neither patches nor reference colours"),
        ({"shapes": Shapes((box(1, 0, 0, 1),))}, "no pixel|only black"),
        ({"shapes": Shapes((box(1, 500, 500),))}, "outside the image"),
        ({"shapes": Shapes((box(1, 35, 45),))}, "outside the image"),
        ({"seeds": Image(np.zeros((30, 40), int), ("y", "x"))}, "no pixel"),
    ],
)
def test_missing_empty_and_lost_patches_are_told(operation, inputs, message, image):
    with pytest.raises(InputError, match=message):
        run(operation, {"image": image, **inputs})


@pytest.mark.parametrize("name", ["rg_chromaticity", *LEARN, "colour_selection"])
def test_each_looks_while_it_works_whether_it_should_stop(name, image):
    inputs = {"image": image, **({"shapes": BLUE} if name in LEARN else {})}
    parameters = {"outline": "0 0, 0 1, 1 1"} if name == "colour_selection" else {}
    answers = iter([False] * 4)
    with pytest.raises(Cancelled):
        run(name, inputs, parameters, should_stop=lambda: next(answers, True))


@pytest.mark.parametrize("operation", LEARN)
def test_patches_and_written_colours_together_are_refused(operation, image):
    text = written(operation, image, BLUE)
    with pytest.raises(InputError, match="give one of them"):
        run(operation, {"image": image, "shapes": BLUE}, {"colours": text})


def test_colours_of_another_number_of_channels_or_space_are_refused(image):
    text = written("chromaticity_gaussian", image, BLUE)
    two = Image(image.array[..., :2].copy(), ("y", "x", "c"))
    with pytest.raises(InputError, match="3 channels, and the image has 2"):
        run("chromaticity_gaussian", {"image": two}, {"colours": text})
    text = written("histogram_backprojection", image, BLUE)
    with pytest.raises(InputError, match="learnt in the space 'rg'"):
        run("histogram_backprojection", {"image": image}, {"colours": text, "space": "hue"})


@pytest.mark.parametrize("name", ["rg_chromaticity", *LEARN, "colour_selection"])
def test_one_channel_is_no_colour(name, rng):
    grey = Image(rng.random((30, 40)), ("y", "x"))
    inputs = {"image": grey, **({"shapes": BLUE} if name in LEARN else {})}
    parameters = {"outline": "0 0, 0 1, 1 1"} if name == "colour_selection" else {}
    with pytest.raises(InputError, match=r"image: it has 1 channel\(s\) and .* needs 2 or more"):
        run(name, inputs, parameters)


@pytest.mark.parametrize("pair", [(1, 1), (1, 4), (7, 2)])
def test_pairs_of_channels_that_there_are_not_are_refused(image, pair):
    with pytest.raises(InputError, match="channel_1 and channel_2"):
        run(
            "histogram_backprojection", {"image": image, "shapes": BLUE},
            {"channel_1": pair[0], "channel_2": pair[1]},
        )  # fmt: skip
