"""``seedbed score`` and the scores of images: sizes, channels, time, words and exit status."""

import json
from dataclasses import replace

import numpy as np
import PIL.Image
import pytest
import tifffile

from napari_seedbed.core import segmentation_scores, split_and_merge_errors
from napari_seedbed.core.progress import running
from napari_seedbed.errors import Cancelled, InputError
from napari_seedbed.pipeline.cli import DONE, FAILED, WRONG_USE, main
from napari_seedbed.pipeline.data.image import Image
from napari_seedbed.pipeline.files import write_image
from napari_seedbed.pipeline.operations.scoring import score_images

MICRO = ("micrometer",) * 3


@pytest.fixture
def truth():
    """Three boxes in a volume of anisotropic voxels."""
    array = np.zeros((6, 20, 24), np.uint16)
    array[1:5, 2:8, 2:10], array[1:5, 12:18, 2:10], array[2:4, 5:9, 16:20] = 1, 2, 3
    return Image(array, ("z", "y", "x"), (0.5, 0.1, 0.1), MICRO, name="truth")


@pytest.fixture
def result(truth):
    """The first box is right, the second split, the third missed, another added."""
    array = np.zeros(truth.shape, np.uint16)
    array[1:5, 2:8, 2:10] = 4
    array[1:5, 12:18, 2:7], array[1:5, 12:18, 7:10] = 5, 6
    array[5, 15:18, 18:23] = 7
    return replace(truth, array=array, name="result")


@pytest.fixture
def film(truth, result):
    """Truth and result of two time points; the second is perfect."""
    axes = ("t", *truth.axes)
    return (
        replace(truth, array=np.stack([truth.array] * 2), axes=axes),
        replace(result, array=np.stack([result.array, truth.array]), axes=axes),
    )


@pytest.fixture
def files(tmp_path, truth, result, monkeypatch):
    monkeypatch.chdir(tmp_path)
    write_image("truth.ome.tif", truth)
    write_image("result.ome.tif", result)
    return tmp_path


def test_scores_are_those_of_the_core_with_the_truths_voxel_size(truth, result):
    found = score_images(truth, result)
    assert found["scores"] == segmentation_scores(truth.array, result.array, (0.5, 0.1, 0.1))
    assert (found["voxel_size"], found["unit"]) == ([0.5, 0.1, 0.1], "micrometer")


def test_errors_are_those_of_the_core(truth, result):
    errors = score_images(truth, result)["time_points"][0]["errors"]
    expected = split_and_merge_errors(truth.array, result.array, truth.spacing)
    assert [(error["kind"], error["label"]) for error in errors] == [
        ("split", 2),
        ("missed", 3),
        ("added", 7),
    ]
    assert [error["place"] for error in errors] == [error.place for error in expected]


def test_worst_objects_come_first(truth, result):
    worst = score_images(truth, result)["time_points"][0]["worst_objects"]
    assert [(item["label"], item["iou"]) for item in worst] == [(3, 0), (2, 5 / 8), (1, 1)]


def test_scores_of_a_series_are_means_over_time(film, truth, result):
    found = score_images(*film)
    first = segmentation_scores(truth.array, result.array, truth.spacing)
    points = found["time_points"]
    assert points[0]["scores"] == first
    assert points[1]["scores"]["dice"] == 1
    assert found["scores"]["dice"] == pytest.approx((first["dice"] + 1) / 2)
    expected = (np.array(first["average_precision"]) + 1) / 2
    assert found["scores"]["average_precision"] == pytest.approx(expected)
    assert found["scores"]["thresholds"] == first["thresholds"]


def test_a_channel_is_chosen_where_there_are_several(truth, result):
    both = replace(result, array=np.stack([truth.array, result.array]), axes=("c", *result.axes))
    assert score_images(truth, both, channel=1)["scores"]["dice"] == 1
    assert score_images(truth, both, channel=2)["scores"] == score_images(truth, result)["scores"]


def test_a_channel_axis_of_length_one_is_no_matter(truth, result):
    thick = replace(result, array=result.array[:, None], axes=("z", "c", "y", "x"))
    assert score_images(truth, thick)["scores"] == score_images(truth, result)["scores"]


def test_axes_without_names_are_taken_for_those_of_the_truth(film):
    # A plain TIFF of a film of planes is read as a stack.
    truth, result = (replace(image, array=image.array[:, 2], axes=("t", "y", "x"),
                             spacing=(0.1, 0.1), units=MICRO[:2], translate=())
                     for image in film)  # fmt: skip
    plain = Image(result.array, ("z", "y", "x"), name="plain")
    found = score_images(truth, plain)
    assert found["scores"] == score_images(truth, result)["scores"]
    assert any("plain has the axes z, y, x" in note for note in found["notes"])


def test_another_voxel_size_of_the_result_is_noted_and_not_used(truth, result):
    other = replace(result, spacing=(1.0, 1.0, 1.0), units=("pixel",) * 3)
    found = score_images(truth, other)
    assert found["scores"] == score_images(truth, result)["scores"]
    assert any("another voxel size" in note for note in found["notes"])


def test_the_same_voxel_size_in_another_unit_is_not_noted(truth, result):
    other = replace(result, spacing=(500.0, 100.0, 100.0), units=("nanometer",) * 3)
    assert score_images(truth, other)["notes"] == []


def test_a_label_that_is_background_is_noted_and_can_be_named(truth, result):
    painted = replace(result, array=np.where(result.array, result.array, 9))
    (note,) = score_images(truth, painted)["notes"]
    assert "--background 9" in note
    named = score_images(truth, painted, background=9)
    assert named["notes"] == []
    assert named["scores"] == score_images(truth, result)["scores"]


def test_a_mask_is_said_to_count_as_one_object(truth):
    mask = replace(truth, array=truth.array > 0)
    notes = score_images(mask, truth)["notes"]
    assert notes == ["truth has one label, so all of it counts as one object."]


def test_a_truth_that_leaves_everything_out_is_scored(truth, result):
    nothing = replace(truth, array=np.full(truth.shape, -1, np.int16))
    assert score_images(nothing, result)["scores"]["dice"] == 1


@pytest.mark.parametrize(
    ("change", "channel", "message"),
    [
        ({"array": np.zeros((6, 20, 23), int)}, None, "x 23; it must have that of the truth, z 6"),
        (
            {"array": np.zeros((2, 6, 20, 24), int), "axes": ("t", "z", "y", "x")},
            None,
            "result has the size t 2",
        ),
        (
            {"array": np.zeros((2, 6, 20, 24), int), "axes": ("c", "z", "y", "x")},
            None,
            "has 2 channels; labels are in one",
        ),
        (
            {"array": np.zeros((2, 6, 20, 24), int), "axes": ("c", "z", "y", "x")},
            3,
            "channel: 3 asked for; the images have 1 to 2",
        ),
        ({}, 2, "channel: 2 asked for; the images have 1 to 1"),
        ({"array": np.full((6, 20, 24), 0.5)}, None, "labels must be whole numbers"),
    ],
)
def test_wrong_images_are_refused(truth, result, change, channel, message):
    with pytest.raises(InputError, match=message):
        score_images(truth, replace(result, **change), channel=channel)


def test_it_stops_when_asked(truth, result):
    with running(should_stop=lambda: True), pytest.raises(Cancelled):
        score_images(truth, result)


def test_command_prints_scores_errors_and_worst_objects(files, capsys):
    assert main(["score", "truth.ome.tif", "result.ome.tif"]) == DONE
    text = capsys.readouterr().out
    assert "Truth   truth.ome.tif: 3 objects" in text
    assert "voxels of 0.5 x 0.1 x 0.1 micrometer" in text
    assert "Distance between the surfaces of all objects, in micrometer" in text
    assert "Errors  1 split, 0 merged, 1 missed, 1 added" in text
    lines = [line.split() for line in text.splitlines()]
    assert ["3", "2.5", "6.5", "17.5", "32", "0.000", "missed"] in lines
    assert ["2", "2.5", "14.5", "5.5", "192", "0.625", "split", "into", "5,", "6"] in lines
    assert ["7", "5.0", "16.0", "20.0", "15"] in lines
    # Of three objects two are found from one half on, with four in the result.
    assert ["0.50", "2", "2", "1", "0.500", "0.667", "0.571", "0.400"] in lines


def test_command_prints_a_row_for_each_time_point(files, film, capsys):
    for image, name in zip(film, ("truth.ome.tif", "result.ome.tif"), strict=True):
        write_image(name, image)
    assert main(["score", "truth.ome.tif", "result.ome.tif"]) == DONE
    lines = [line.split() for line in capsys.readouterr().out.splitlines()]
    assert ["2", "3", "3", "1.000", "1.000", "1.000", "1.000", "0"] in lines
    # Label 3 at time point 1.
    assert ["3", "1", "2.5", "6.5", "17.5", "32", "0.000", "missed"] in lines


def test_command_says_with_which_objects_one_was_merged(files, truth, capsys):
    joined = np.where((truth.array == 1) | (truth.array == 2), 8, 0)
    write_image("result.ome.tif", replace(truth, array=joined.astype(np.uint16)))
    assert main(["score", "truth.ome.tif", "result.ome.tif"]) == DONE
    text = capsys.readouterr().out
    assert "merged with 2" in text
    assert "merged with 1" in text


def test_json_holds_the_same_scores(files, truth, result, capsys):
    assert main(["score", "truth.ome.tif", "result.ome.tif", "--json"]) == DONE
    data = json.loads(capsys.readouterr().out)
    expected = score_images(truth, result)
    assert data["scores"] == expected["scores"]
    assert data["truth"] == "truth.ome.tif"
    assert len(data["time_points"][0]["errors"]) == 3


def test_json_has_null_for_a_distance_that_there_is_not(files, truth, capsys):
    write_image("empty.ome.tif", replace(truth, array=np.zeros_like(truth.array)))
    assert main(["score", "truth.ome.tif", "empty.ome.tif", "--json"]) == DONE
    text = capsys.readouterr().out
    assert "Infinity" not in text
    assert json.loads(text)["scores"]["hausdorff_distance"] is None


def test_words_for_a_distance_that_there_is_not(files, truth, capsys):
    write_image("empty.ome.tif", replace(truth, array=np.zeros_like(truth.array)))
    assert main(["score", "truth.ome.tif", "empty.ome.tif"]) == DONE
    assert "one of the two has no objects" in capsys.readouterr().out


def test_command_takes_channel_and_background(files, truth, result, capsys):
    painted = np.where(result.array, result.array, 9).astype(np.uint16)
    both = replace(truth, array=np.stack([truth.array, painted]), axes=("c", *truth.axes))
    write_image("both.ome.tif", both)
    options = ["--channel", "2", "--background", "9", "--json"]
    assert main(["score", "truth.ome.tif", "both.ome.tif", *options]) == DONE
    data = json.loads(capsys.readouterr().out)
    assert data["scores"] == score_images(truth, result)["scores"]


def test_a_missing_file_is_a_failure(files, capsys):
    assert main(["score", "truth.ome.tif", "none.tif"]) == FAILED
    assert "none.tif" in capsys.readouterr().err


def test_images_of_different_size_are_wrong_use(files, truth, capsys):
    write_image("small.ome.tif", replace(truth, array=truth.array[:, :10]))
    assert main(["score", "truth.ome.tif", "small.ome.tif"]) == WRONG_USE
    assert "small.ome.tif has the size z 6, y 10, x 24" in capsys.readouterr().err


def test_labels_saved_as_grey_pictures_in_colours_are_labels(files, rng, capsys):
    labels = rng.integers(0, 4, (20, 24), dtype=np.uint8)
    pixels = np.stack([labels, labels, labels, np.full_like(labels, 255)], -1)
    for mode, count in (("RGB", 3), ("RGBA", 4)):
        PIL.Image.fromarray(np.ascontiguousarray(pixels[..., :count]), mode).save("labels.png")
        tifffile.imwrite("truth.tif", labels)
        assert main(["score", "truth.tif", "labels.png", "--json"]) == DONE
        assert json.loads(capsys.readouterr().out)["scores"]["dice"] == 1


def test_pictures_in_colours_are_wrong_use(files, samples, capsys):
    picture = str(samples / "chelsea.tif")
    assert main(["score", picture, picture]) == WRONG_USE
    assert "picture in colours" in capsys.readouterr().err
