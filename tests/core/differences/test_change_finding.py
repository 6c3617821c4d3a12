"""Changes are found where something has changed, and where only light, noise or place did not."""

import numpy as np
import pytest
from scipy import ndimage as ndi
from skimage import data, draw, io

from napari_seedbed.core import change_evidence, find_changes
from napari_seedbed.errors import InputError


def boxes(a, b, *, finding=None, **how):
    return find_changes(change_evidence(a, b, **how), **(finding or {})).boxes.tolist()


@pytest.fixture(scope="module")
def cat():
    return data.chelsea()


@pytest.fixture
def planted(cat, rng):
    """The cat photographed again, from a little elsewhere, with three changes; and their boxes."""
    second = cat.astype(float)
    wanted = [[[30, 330], [60, 360]], [[120, 60], [136, 100]], [[230, 300], [262, 332]]]
    second[30:60, 330:360] = cat[180:210, 100:130]
    second[120:136, 60:100] += 80
    rows, columns = draw.disk((246, 316), 16.5)
    second[rows, columns] = (30, 90, 160)
    moved = ndi.shift(second, (1.3, -2.6, 0), order=3, mode="mirror")
    again = np.clip(0.92 * moved + 9 + rng.normal(0, 2, cat.shape), 0, 255)
    return again.astype(np.uint8), wanted


@pytest.mark.parametrize("channels", ["each", "mean"])
def test_planted_changes_are_boxed_and_nothing_else(cat, planted, channels):
    again, wanted = planted
    found = boxes(cat, again, channel_axis=-1, channels=channels)
    assert len(found) == 3
    assert np.abs(np.array(found) - wanted).max() <= 4


def test_the_ratio_finds_them_too(cat, planted):
    found = boxes(cat, planted[0], channel_axis=-1, mode="ratio", channels="mean")
    near = [any(np.abs(np.array(box) - one).max() <= 12 for box in found) for one in planted[1][1:]]
    assert all(near)


def test_structure_tells_what_was_replaced(cat, planted):
    found = np.array(boxes(cat, planted[0], channel_axis=-1, mode="similarity"))
    for (top, left), (bottom, right) in planted[1]:
        inside = (found[:, 0] < (bottom, right)).all(1) & (found[:, 1] > (top, left)).all(1)
        assert inside.any()


def test_text_that_was_drawn_anew_is_no_change(shared_data):
    first, second = (io.imread(shared_data / "pairs" / f"pixelmatch_1{k}.png") for k in "ab")
    found = boxes(first[..., :3], second[..., :3], channel_axis=-1)
    # the one place that pixelmatch's own picture of this pair marks as more than anti-aliasing
    assert len(found) == 1
    assert np.abs(np.array(found[0]) - [[103, 420], [117, 435]]).max() <= 2


def test_edges_that_moved_by_a_pixel_are_tolerated_and_lines_that_came_are_not():
    first = np.zeros((60, 80))
    first[20:40, 20:50] = 100
    second = np.roll(first, 1, axis=1)
    assert boxes(first, second, register=None) == []
    assert len(boxes(first, second, register=None, tolerance=0)) == 2
    second[5, 10:60] = 100
    for one, other in ((first, second), (second, first)):
        assert boxes(one, other, register=None) == [[[5, 10], [6, 60]]]


def test_tolerance_is_a_length():
    first = np.zeros((20, 60, 80))
    first[5:15, 20:40, 20:50] = 100
    second = np.roll(first, 1, axis=0)
    assert boxes(first, second, register=None) == []
    assert len(boxes(first, second, register=None, spacing=(3, 1, 1))) == 2


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.int32, np.float32])
def test_differences_never_wrap_around(dtype):
    first, second = np.full((20, 30), 10, dtype), np.full((20, 30), 10, dtype)
    second[5:10, 5:12] = 200
    found = find_changes(change_evidence(first, second, match=None))
    assert found.boxes.tolist() == [[[5, 5], [10, 12]]]
    assert found.table["mean_difference"] == pytest.approx([-190])


def test_the_table_tells_place_size_and_difference(rng):
    first = rng.normal(100, 1, (50, 60))
    second = first.copy()
    second[10:14, 20:30] -= 40
    second[12, 25] -= 10
    found = find_changes(
        change_evidence(first, second, spacing=(2, 0.5), tolerance=0), spacing=(2, 0.5),
        unit="um", min_size=0,
    )  # fmt: skip
    table = found.table
    assert table["change"].tolist() == [1]
    assert table["area"] == pytest.approx([40])
    assert table["unit"].tolist() == ["um"]
    assert (table["centroid_y"][0], table["centroid_x"][0]) == pytest.approx((23, 12.25))
    assert table["mean_difference"] == pytest.approx([40.25])
    assert table["extreme_difference"] == pytest.approx([50])


@pytest.mark.parametrize(("second", "extreme"), [(10.0, 10.0), (1000.0, 0.1)])
def test_the_extreme_of_a_ratio_is_the_one_farthest_from_1(second, extreme):
    a, b = np.full((30, 30), 100.0), np.full((30, 30), 100.0)
    b[5:10, 5:10] = second
    found = find_changes(change_evidence(a, b, mode="ratio", match=None))
    assert found.table["extreme_difference"] == pytest.approx([extreme])


def test_pieces_smaller_than_wanted_do_not_count_and_near_ones_are_one():
    first, second = np.zeros((60, 60)), np.zeros((60, 60))
    second[5:8, 5:8] = second[5:8, 12:15] = second[40:43, 40:43] = 50
    assert len(boxes(first, second, match=None, finding={"max_gap": 0})) == 0
    assert len(boxes(first, second, match=None, finding={"max_gap": 0, "min_size": 9})) == 3
    assert boxes(first, second, match=None) == [[[5, 5], [8, 15]]]


def test_what_is_not_covered_is_no_change(rng):
    scene = ndi.gaussian_filter(rng.random((160, 200)), 1.5)
    first, second = scene[:120, :150], scene[20:140, 30:180]
    evidence = change_evidence(first, second)
    assert evidence.registration.shift == pytest.approx((-20, -30), abs=0.1)
    assert len(find_changes(evidence).boxes) == 0
    assert not evidence.excess[0][:20].any()


def test_two_frames_of_a_film_differ_where_the_animal_was_and_is(shared_data):
    import tifffile

    film = tifffile.imread(shared_data / "pairs" / "xyt_8bit_polyp.tif")
    # by eye: the polyp at (12..78, 215..275) goes on to (12..72, 185..262), then far away
    assert len(boxes(film[0], film[1], register=None)) == 1
    assert len(boxes(film[1], film[2], register=None)) == 2


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda a: change_evidence(a, a[:5]), r"\(9, 9\) and \(5, 9\)"),
        (lambda a: change_evidence(a, a, mode="xor"), "mode"),
        (lambda a: change_evidence(a, a, channels="some"), "channels"),
        (lambda a: change_evidence(a, a, tolerance=-1), "tolerance"),
        (lambda a: change_evidence(a, a * np.nan), "NaN"),
        (lambda a: find_changes(change_evidence(a, a), -1), "n_mads"),
        (lambda a: find_changes(change_evidence(a, a), min_contrast=-1), "min_contrast"),
    ],
)
def test_wrong_arguments_are_refused(call, message):
    with pytest.raises(InputError, match=message):
        call(np.arange(81.0).reshape(9, 9))


def test_equal_images_have_no_changes():
    image = data.coins()
    assert boxes(image, image) == []
    assert boxes(np.zeros((4, 4)), np.zeros((4, 4))) == []
