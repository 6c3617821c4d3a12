"""Layers become images, and results come back into the image's place."""

import dask.array as da
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from napari.layers import Image as ImageLayer
from napari.layers import Labels, Points

from napari_seedbed.core.progress import Preview
from napari_seedbed.errors import InputError
from napari_seedbed.gui.layers import image_layers as adapter
from napari_seedbed.gui.layers.grids import grid_map, grid_of, layer_affine, seeds_grid, spacing_of
from napari_seedbed.gui.layers.layer_records import accept
from napari_seedbed.pipeline.data.image import Image

RECORD = {"operation": "random_walker", "version": "1", "parameters": {"beta": 1.0}}

angles = st.tuples(*[st.floats(-180, 180)] * 3)
scales = st.tuples(*[st.floats(0.01, 100)] * 3)
shifts = st.tuples(*[st.floats(-1000, 1000)] * 3)


def volume(shape=(4, 6, 8), **properties):
    data = np.random.default_rng(0).integers(0, 255, shape).astype(np.uint8)
    return ImageLayer(data, **{"name": "nuclei", "rgb": False, **properties})


def result_on(layer, dtype=np.int32, **properties):
    axes = grid_of(layer).axes
    keep = [i for i, axis in enumerate(axes) if axis != "c"]
    shape = [layer.data.shape[i] for i in keep]
    array = np.arange(np.prod(shape)).reshape(shape).astype(dtype)
    return Image(array=array, axes=tuple(axes[i] for i in keep), **properties)


# axes


def test_three_unlabelled_axes_are_space():
    assert grid_of(volume()).axes == ("z", "y", "x")


def test_time_and_channel_come_from_axis_labels():
    layer = volume((2, 3, 4, 5), axis_labels=("t", "c", "y", "x"))
    assert grid_of(layer).axes == ("t", "c", "y", "x")


def test_four_unlabelled_axes_are_refused_with_what_to_do():
    with pytest.raises(InputError, match="Label the time axis 't'"):
        grid_of(volume((2, 3, 4, 5)))


def test_time_axis_can_be_given():
    assert grid_of(volume((2, 3, 4, 5)), time_axis=0).axes == ("t", "z", "y", "x")


def test_two_time_axes_are_refused():
    with pytest.raises(InputError, match="more than one time axis"):
        grid_of(volume((2, 3, 4, 5), axis_labels=("t", "time", "y", "x")))


def test_rgb_is_a_flag_and_no_axis():
    layer = ImageLayer(np.zeros((5, 6, 3), np.uint8), rgb=True)
    image = adapter.image_of(layer)
    assert image.axes == ("y", "x", "c")
    assert image.rgb


# spacing and units


@given(scale=scales, angle=angles, shift=shifts)
@settings(max_examples=30, deadline=None)
def test_spacing_is_the_scale_to_the_last_bit(scale, angle, shift):
    layer = volume(scale=scale, rotate=angle, translate=shift)
    assert spacing_of(layer, grid_of(layer))[0] == scale


def test_spacing_counts_the_affine():
    affine = np.diag([2.0, 3.0, 4.0, 1.0])
    layer = volume(scale=(1, 0.5, 0.25), affine=affine)
    np.testing.assert_allclose(adapter.image_of(layer).spacing, (2, 1.5, 1))


def test_mirrored_layer_has_positive_spacing():
    assert adapter.image_of(volume(scale=(-2, 1, 1))).spacing == (2, 1, 1)


def test_spacing_is_in_one_unit():
    image = adapter.image_of(volume(scale=(500, 0.2, 0.2), units=("nm", "um", "um")))
    np.testing.assert_allclose(image.spacing, (0.5, 0.2, 0.2))
    assert image.units == ("micrometer",) * 3


def test_spacing_half_in_pixels_is_refused():
    with pytest.raises(InputError, match="axis z in pixel"):
        adapter.image_of(volume(units=("pixel", "um", "um")))


# grids


@given(scale=scales, angle=angles, shift=shifts, point=shifts)
@settings(max_examples=30, deadline=None)
def test_affine_agrees_with_napari_on_any_point(scale, angle, shift, point):
    layer = volume(scale=scale, rotate=angle, translate=shift, shear=(0.1, 0.2, 0.3))
    wanted = layer.data_to_world(point)
    found = layer_affine(layer) @ [*point, 1]
    np.testing.assert_allclose(found[:-1], wanted, rtol=1e-9, atol=1e-6)


def test_nanometre_seeds_on_a_micrometre_image_are_converted():
    image = volume(scale=(2, 1, 1), units=("um",) * 3)
    seeds = Points(np.zeros((1, 3)), units=("nm",) * 3)
    matrix = grid_map(grid_of(image), seeds_grid(seeds, grid_of(image))).spatial
    np.testing.assert_allclose(matrix @ [1, 1, 1, 1], (2000, 1000, 1000, 1))


def test_units_of_another_kind_are_refused():
    image = volume(units=("um",) * 3)
    seeds = Points(np.zeros((1, 3)), units=("second",) * 3)
    with pytest.raises(InputError, match="cannot be converted"):
        grid_map(grid_of(image), seeds_grid(seeds, grid_of(image)))


def test_seeds_with_fewer_axes_than_space_are_refused():
    with pytest.raises(InputError, match="2 axes and the image"):
        seeds_grid(Points(np.zeros((1, 2))), grid_of(volume()))


def test_rotation_of_time_into_space_is_refused():
    image = volume((2, 4, 5), axis_labels=("t", "y", "x"), rotate=(20, 0, 0))
    rotated = volume((2, 4, 5), axis_labels=("t", "y", "x"), rotate=(0, 0, 20))
    with pytest.raises(InputError, match="Rotate within space only"):
        grid_map(grid_of(image), grid_of(rotated))


# channels


def test_rgb_planes_are_channels_without_alpha():
    layer = ImageLayer(np.zeros((5, 6, 4), np.uint8), rgb=True)
    assert [c.name for c in adapter.channel_choices(layer, [layer])] == ["Red", "Green", "Blue"]


def test_siblings_share_shape_transform_and_units(viewer_model):
    first = viewer_model.add_image(np.zeros((4, 5, 6)), scale=(2, 1, 1), name="a", rgb=False)
    same = viewer_model.add_image(np.zeros((4, 5, 6)), scale=(2, 1, 1), name="b", rgb=False)
    viewer_model.add_image(np.zeros((4, 5, 6)), scale=(3, 1, 1), name="other scale", rgb=False)
    viewer_model.add_image(np.zeros((4, 5, 7)), scale=(2, 1, 1), name="other shape", rgb=False)
    viewer_model.add_labels(np.zeros((4, 5, 6), int), scale=(2, 1, 1), name="labels")
    choices = adapter.channel_choices(first, viewer_model.layers)
    assert [choice.layer for choice in choices] == [first, same]


@pytest.mark.parametrize(
    ("names", "short"),
    [
        (["DNA confocal - x", "DNA widefield - x"], ["confocal", "widefield"]),
        (["cells", "cells"], ["cells", "cells"]),
        (["a b", "a"], ["a b", "a"]),
        (["only one"], ["only one"]),
        ([], []),
    ],
)
def test_names_of_channels_leave_out_what_all_share(names, short):
    assert adapter.short_names(names) == short


def test_own_results_are_no_channels(viewer_model):
    layer = viewer_model.add_layer(volume())
    adapter.add_or_update(
        viewer_model, "uncertainty", result_on(layer, np.float32),
        like=layer, name="u", record=RECORD, slot="panel:uncertainty",
    )  # fmt: skip
    assert len(adapter.channel_choices(layer, viewer_model.layers)) == 1


def test_siblings_are_stacked_in_the_order_chosen():
    first, second = volume(name="a"), volume(name="b")
    second.data = first.data + 1
    choices = adapter.channel_choices(first, [first, second])
    image = adapter.image_from_layers(first, choices[::-1])
    np.testing.assert_array_equal(image.volume(), [second.data, first.data])
    assert image.channel_names == ("b", "a")


def test_chosen_positions_along_a_channel_axis_are_cut_out():
    layer = volume((3, 4, 5, 6), axis_labels=("c", "z", "y", "x"))
    choices = adapter.channel_choices(layer, [layer])
    image = adapter.image_from_layers(layer, [choices[2], choices[0]])
    np.testing.assert_array_equal(image.volume(), layer.data[[2, 0]])
    assert image.source_channels == (2, 0)


def test_stacking_lazy_layers_stays_lazy():
    layers = [volume(name=name) for name in "ab"]
    for layer in layers:
        layer.data = da.from_array(layer.data, chunks=2)
    image = adapter.image_from_layers(layers[0], adapter.channel_choices(layers[0], layers))
    assert isinstance(image.array, da.Array)


def test_single_layer_is_a_view_without_a_copy():
    layer = volume()
    assert np.shares_memory(adapter.image_from_layers(layer).array, layer.data)


def test_multiscale_gives_the_full_resolution():
    pyramid = [np.zeros((8, 8)), np.zeros((4, 4))]
    layer = ImageLayer(pyramid, multiscale=True, rgb=False)
    assert adapter.image_of(layer).shape == (8, 8)


def test_channels_of_a_file_are_remembered():
    layers = [
        volume(
            metadata={"napari_seedbed": {"source": {"path": "x", "channel": i, "n_channels": 3}}}
        )
        for i in range(3)
    ]
    choices = [adapter.ChannelChoice(layer.name, layer, None) for layer in layers]
    assert adapter.image_from_layers(layers[0], choices[1:]).source_channels == (1, 2)
    assert adapter.image_from_layers(layers[0], choices).source_channels is None


def test_no_channel_is_refused():
    with pytest.raises(InputError, match="none is chosen"):
        adapter.image_from_layers(volume(), [])


def test_layers_of_two_grids_are_refused():
    layers = [volume(name="a"), volume(name="b", scale=(2, 1, 1))]
    choices = [adapter.ChannelChoice(layer.name, layer, None) for layer in layers]
    with pytest.raises(InputError, match=r"'b'.* is not on the grid of 'a'"):
        adapter.image_from_layers(layers[0], choices)


# results


def add(viewer, layer, image=None, kind="labels", slot="panel:labels"):
    return adapter.add_or_update(
        viewer, kind, image or result_on(layer), like=layer, name="result", record=RECORD, slot=slot
    )


@given(scale=scales, angle=angles, shift=shifts)
@settings(max_examples=15, deadline=None)
def test_result_lies_where_the_image_lies(scale, angle, shift):
    from napari.components import ViewerModel

    viewer = ViewerModel()
    affine = np.eye(4)
    affine[0, 1] = 0.3
    layer = viewer.add_layer(
        volume(
            scale=scale,
            rotate=angle,
            translate=shift,
            shear=(0.1, -0.2, 0.3),
            affine=affine,
            units=("um",) * 3,
            axis_labels=("z", "y", "x"),
        )
    )
    found = add(viewer, layer)
    np.testing.assert_allclose(layer_affine(found), layer_affine(layer), rtol=1e-9, atol=1e-9)
    assert tuple(found.scale) == tuple(layer.scale)
    assert found.units == layer.units
    assert found.axis_labels == ("z", "y", "x")


def test_next_run_writes_into_the_same_array(viewer_model):
    layer = viewer_model.add_layer(volume())
    first = add(viewer_model, layer)
    data = first.data
    image = result_on(layer)
    second = add(viewer_model, layer, Image(array=image.array + 1, axes=image.axes))
    assert second is first
    assert second.data is data
    np.testing.assert_array_equal(data, image.array + 1)
    assert len(viewer_model.layers) == 2


def test_renamed_result_is_still_updated(viewer_model):
    layer = viewer_model.add_layer(volume())
    first = add(viewer_model, layer)
    first.name = "mine"
    assert add(viewer_model, layer) is first
    assert first.name == "mine"


def test_result_of_another_type_replaces_the_data(viewer_model):
    layer = viewer_model.add_layer(volume())
    first = add(viewer_model, layer)
    second = add(viewer_model, layer, result_on(layer, np.uint8))
    assert second is first
    assert second.data.dtype == np.uint8
    assert not second.editable


def test_image_of_other_shape_moves_the_result(viewer_model):
    layer = viewer_model.add_layer(volume())
    other = viewer_model.add_layer(volume((3, 5, 7), scale=(5, 1, 1), units=("um",) * 3))
    first = add(viewer_model, layer)
    second = add(viewer_model, other)
    assert second is first
    assert second.data.shape == (3, 5, 7)
    assert tuple(second.scale) == (5, 1, 1)
    assert second.units == other.units


def test_image_of_other_dimension_makes_a_new_layer(viewer_model):
    layer = viewer_model.add_layer(volume())
    flat = viewer_model.add_layer(volume((6, 8)))
    add(viewer_model, layer).locked = True
    assert add(viewer_model, flat).ndim == 2
    assert len(viewer_model.layers) == 3


def test_copy_of_a_result_is_left_alone(viewer_model):
    layer = viewer_model.add_layer(volume())
    first = add(viewer_model, layer)
    data, properties, _ = first.as_layer_data_tuple()
    copy = Labels(data.copy(), **{**properties, "name": "copy"})
    viewer_model.layers.insert(0, copy)
    assert add(viewer_model, layer) is first


def test_accepted_result_is_left_alone_and_editable(viewer_model):
    layer = viewer_model.add_layer(volume())
    first = add(viewer_model, layer)
    kept = first.data.copy()
    accept(first)
    image = result_on(layer)
    second = add(viewer_model, layer, Image(array=image.array * 0, axes=image.axes))
    assert second is not first
    assert first.editable
    np.testing.assert_array_equal(first.data, kept)
    assert adapter.record_of(first) == RECORD


def test_solver_array_is_not_shared_with_the_layer(viewer_model):
    layer = viewer_model.add_layer(volume())
    image = result_on(layer)
    found = add(viewer_model, layer, image)
    assert not np.shares_memory(found.data, image.array)


def test_adding_a_result_keeps_the_active_layer(viewer_model):
    layer = viewer_model.add_layer(volume())
    seeds = adapter.add_seeds_layer(viewer_model, layer)
    found = add(viewer_model, layer)
    assert viewer_model.layers.selection.active is seeds
    assert seeds.mode == "paint"
    assert list(viewer_model.layers) == [layer, found, seeds]


def test_labels_lie_above_all_images_and_images_above_their_own(viewer_model):
    layer = viewer_model.add_layer(volume())
    other = viewer_model.add_layer(volume(name="other"))
    seeds = adapter.add_seeds_layer(viewer_model, layer)
    labels = add(viewer_model, layer)
    smooth = add(viewer_model, layer, result_on(layer, np.float32), kind="image", slot="image")
    assert list(viewer_model.layers) == [layer, smooth, other, labels, seeds]


def test_newer_result_of_an_image_is_not_hidden_by_an_older_one(viewer_model):
    layer = viewer_model.add_layer(volume())
    other = viewer_model.add_layer(volume(name="other"))
    image = result_on(layer, np.float32)
    older, newer = (add(viewer_model, layer, image, kind="image", slot=slot) for slot in "ab")
    assert list(viewer_model.layers) == [layer, older, newer, other]


def test_record_is_kept_beside_what_others_wrote(viewer_model):
    layer = viewer_model.add_layer(volume())
    found = add(viewer_model, layer)
    found.metadata["mine"] = 1
    add(viewer_model, layer)
    assert found.metadata["mine"] == 1
    assert adapter.record_of(found) == RECORD
    assert adapter.record_of(layer) is None


def test_mask_is_a_labels_layer(viewer_model):
    layer = viewer_model.add_layer(volume())
    mask = Image(array=layer.data > 100, axes=("z", "y", "x"))
    found = add(viewer_model, layer, mask, kind="mask")
    data = found.data
    assert isinstance(found, Labels)
    add(viewer_model, layer, mask, kind="mask")
    assert found.data is data


def test_leading_channel_axis_is_left_out_of_the_result(viewer_model):
    layer = viewer_model.add_layer(
        volume((2, 4, 5, 6), axis_labels=("c", "z", "y", "x"), scale=(1, 3, 2, 1))
    )
    found = add(viewer_model, layer)
    assert found.data.shape == (4, 5, 6)
    assert tuple(found.scale) == (3, 2, 1)


def test_channel_axis_in_between_becomes_one_long_voxel(viewer_model):
    layer = viewer_model.add_layer(
        volume((2, 3, 5, 6), axis_labels=("t", "c", "y", "x"), scale=(1, 2, 1, 1))
    )
    found = add(viewer_model, layer)
    assert found.data.shape == (2, 1, 5, 6)
    np.testing.assert_allclose(found.extent.world[:, 1], layer.extent.world[:, 1].mean())
    edges = [found.data_to_world((0, i, 0, 0))[1] for i in (-0.5, 0.5)]
    np.testing.assert_allclose(edges, (-1, 5))


def test_rgb_result_is_an_rgb_layer(viewer_model):
    layer = viewer_model.add_image(np.zeros((5, 6, 3), np.uint8), rgb=True)
    image = Image(array=np.ones((5, 6, 3), np.uint8), axes=("y", "x", "c"), rgb=True)
    assert add(viewer_model, layer, image, kind="image").rgb


def test_result_that_does_not_fit_is_refused(viewer_model):
    layer = viewer_model.add_layer(volume())
    image = Image(array=np.zeros((4, 6, 9), int), axes=("z", "y", "x"))
    with pytest.raises(InputError, match="cannot be put in its place"):
        add(viewer_model, layer, image)


def test_preview_writes_one_slice(viewer_model):
    layer = viewer_model.add_layer(volume((2, 4, 5, 6), axis_labels=("t", "z", "y", "x")))
    image = result_on(layer)
    found = add(viewer_model, layer, image)
    slice_ = np.full((4, 6), 7)
    adapter.write_preview(found, Preview(axis=1, index=2, labels=slice_), like=layer, t=1)
    wanted = image.array.copy()
    wanted[1, :, 2] = 7
    np.testing.assert_array_equal(found.data, wanted)


# new seeds


def test_new_seeds_are_ready_to_paint(viewer_model):
    layer = viewer_model.add_layer(volume((4, 60, 80), scale=(2, 1, 1), units=("um",) * 3))
    seeds = adapter.add_seeds_layer(viewer_model, layer)
    assert seeds.data.shape == (4, 60, 80)
    assert isinstance(seeds.data, np.ndarray)
    assert viewer_model.layers.selection.active is seeds
    assert (seeds.mode, seeds.selected_label, seeds.editable) == ("paint", 1, True)
    np.testing.assert_allclose(layer_affine(seeds), layer_affine(layer))


def test_new_seeds_of_an_rgb_image_are_flat(viewer_model):
    layer = viewer_model.add_image(np.zeros((5, 6, 3), np.uint8), rgb=True)
    assert adapter.add_seeds_layer(viewer_model, layer).data.shape == (5, 6)


def test_new_seeds_keep_time_and_drop_channels(viewer_model):
    layer = viewer_model.add_layer(volume((2, 3, 4, 5, 6), axis_labels=("c", "t", "z", "y", "x")))
    assert adapter.add_seeds_layer(viewer_model, layer).data.shape == (3, 4, 5, 6)
