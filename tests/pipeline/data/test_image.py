"""Axes, channels and time of an image."""

import numpy as np
import pytest

from napari_seedbed.errors import InputError
from napari_seedbed.pipeline.data.fingerprint import fingerprint
from napari_seedbed.pipeline.data.image import Image


@pytest.fixture
def hyperstack(rng):
    array = rng.integers(0, 999, (3, 4, 2, 5, 6), dtype=np.uint16)
    return Image(array, ("t", "z", "c", "y", "x"), (0.5, 0.1, 0.2), channel_names=("DAPI", "GFP"))


def test_properties_follow_from_axes(hyperstack):
    assert hyperstack.spatial_axes == ("z", "y", "x")
    assert hyperstack.spatial_shape == (4, 5, 6)
    assert (hyperstack.n_channels, hyperstack.channel_axis, hyperstack.n_times) == (2, 2, 3)
    assert hyperstack.units == ("pixel",) * 3


@pytest.mark.parametrize(
    ("axes", "fields", "names"),
    [
        (("y", "x", "z"), {}, "axes"),
        (("z", "y"), {}, "axes"),
        (("z", "z", "x"), {}, "axes"),
        (("z", "y", "x"), {"spacing": (1.0, 2.0)}, "spacing"),
        (("z", "y", "x"), {"spacing": (1.0, 0.0, 2.0)}, "spacing"),
        (("z", "y", "x"), {"spacing": (1.0, float("nan"), 2.0)}, "spacing"),
        (("y", "x", "c"), {"rgb": True}, "rgb"),
        (("c", "y", "x"), {"channel_names": ("a",)}, "channel_names"),
    ],
)
def test_wrong_description_names_the_field(axes, fields, names):
    with pytest.raises(InputError, match=f"^{names}"):
        Image(np.zeros((4, 5, 6)), axes, **fields)


def test_select_time_drops_the_axis(hyperstack):
    frame = hyperstack.select_time(1)
    assert frame.axes == ("z", "c", "y", "x")
    np.testing.assert_array_equal(frame.array, hyperstack.array[1])


def test_one_channel_drops_the_axis_and_keeps_its_index_in_the_file(hyperstack):
    channel = hyperstack.select_channels([1])
    assert channel.axes == ("t", "z", "y", "x")
    assert (channel.source_channels, channel.channel_names) == ((1,), ("GFP",))
    np.testing.assert_array_equal(channel.array, hyperstack.array[:, :, 1])


def test_channels_apart_are_views_on_all_other_axes(hyperstack):
    for nth, channel in enumerate(hyperstack.channels()):
        assert (channel.axes, channel.spacing) == (("t", "z", "y", "x"), hyperstack.spacing)
        np.testing.assert_array_equal(channel.array, hyperstack.array[:, :, nth])
        assert np.shares_memory(channel.array, hyperstack.array)
    assert channel.channels() == [channel]
    rgb = Image(np.zeros((4, 5, 3), np.uint8), ("y", "x", "c"), rgb=True)
    empty = rgb.empty_labels()
    assert (empty.axes, empty.shape, empty.dtype, empty.rgb) == (("y", "x"), (4, 5), "i4", False)


def test_source_channels_survive_a_second_choice():
    image = Image(np.arange(5 * 12).reshape(5, 3, 4), ("c", "y", "x"))
    twice = image.select_channels([1, 2, 4]).select_channels([0, 2])
    assert twice.source_channels == (1, 4)
    np.testing.assert_array_equal(twice.array, image.array[[1, 4]])


def test_channels_out_of_range_are_refused(hyperstack):
    with pytest.raises(InputError, match=r"channels: \[2\]"):
        hyperstack.select_channels([2])


def test_evenly_spaced_channels_are_a_view(hyperstack):
    assert np.shares_memory(hyperstack.select_channels([0, 1]).array, hyperstack.array)


def test_volume_is_the_same_whatever_the_order_of_axes(hyperstack):
    frame = hyperstack.select_time(0)
    turned = Image(np.moveaxis(frame.array, 1, 3), ("z", "y", "x", "c"))
    np.testing.assert_array_equal(frame.volume(), turned.volume())
    assert frame.volume().flags.c_contiguous
    assert fingerprint(frame) == fingerprint(turned)


def test_volume_leaves_alpha_out(rng):
    array = rng.integers(0, 255, (5, 6, 4), dtype=np.uint8)
    image = Image(array, ("y", "x", "c"), rgb=True)
    np.testing.assert_array_equal(image.volume(), np.moveaxis(array[..., :3], -1, 0))


def test_volume_is_native_and_single_channels_are_dropped():
    image = Image(np.arange(12, dtype=">u2").reshape(1, 3, 4), ("c", "y", "x"))
    assert image.volume().dtype.isnative
    assert image.volume().shape == (3, 4)


def test_fingerprint_changes_with_one_voxel_and_with_the_type(hyperstack):
    changed = hyperstack.array.copy()
    changed[2, 3, 1, 4, 5] += 1
    prints = {
        fingerprint(hyperstack),
        fingerprint(Image(changed, hyperstack.axes)),
        fingerprint(Image(hyperstack.array.astype(np.int32), hyperstack.axes)),
        fingerprint(Image(hyperstack.array, ("c", "z", "t", "y", "x"))),
    }
    assert len(prints) == 4


def test_fingerprint_of_a_lazy_image_is_that_of_its_voxels(hyperstack):
    dask_array = pytest.importorskip("dask.array")
    lazy = Image(dask_array.from_array(hyperstack.array, chunks=2), hyperstack.axes)
    assert fingerprint(lazy) == fingerprint(hyperstack)
