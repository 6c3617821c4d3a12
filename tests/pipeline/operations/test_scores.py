"""Scores as an operation, and hints where there is no truth."""

import numpy as np
import pytest

from napari_seedbed.core import segmentation_scores
from napari_seedbed.errors import InputError
from napari_seedbed.pipeline.data.image import Image
from napari_seedbed.pipeline.operations import run


def pair():
    truth, result = np.zeros((2, 40, 50), np.uint8)
    truth[5:15, 5:15], truth[20:30, 5:15], truth[5:15, 30:40] = 1, 2, 3
    result[5:15, 5:9], result[5:15, 11:15], result[20:30, 6:16], result[33:38, 40:45] = 1, 2, 3, 4
    return truth, result


def inputs(truth, result, axes=("y", "x"), **about):
    return {"image": Image(result, axes, **about), "other": Image(truth, axes, **about)}


def test_the_table_holds_every_score():
    truth, result = pair()
    table = run("scores", inputs(truth, result, spacing=(0.5, 0.5))).table().columns
    expected = segmentation_scores(truth, result, (0.5, 0.5))
    for name, value in expected.items():
        if name != "thresholds":
            rows = table["value"][table["score"] == name]
            assert np.allclose(rows, value), name
    at = table["threshold"][table["score"] == "object_f1"]
    assert np.allclose(at, expected["thresholds"])


def test_errors_come_as_points_at_their_places():
    found = run("scores", inputs(*pair()), {"points": True}).outputs["points"]
    kinds = dict(zip(found.columns["kind"].tolist(), found.points.tolist(), strict=True))
    assert kinds["split"] == [9.5, 9.5]
    assert kinds["missed"] == [9.5, 34.5]
    assert kinds["added"] == [35, 42]
    assert found.columns["others"][found.columns["kind"] == "split"].tolist() == ["1 2"]


def test_hits_and_misses_come_as_an_image():
    truth, result = pair()
    found = run("scores", inputs(truth, result), {"agreement": True}).image("agreement")
    assert np.array_equal(found.array == 2, (truth > 0) & (result == 0))


def test_series_are_scored_time_point_by_time_point():
    truth, result = pair()
    film = inputs(np.stack([truth, truth]), np.stack([truth, result]), ("t", "y", "x"))
    table = run("scores", film).table().columns
    assert table["value"][table["score"] == "dice"][0] == 1
    assert set(table["time_point"]) == {0, 1}


def test_the_background_of_a_random_walk_is_no_object():
    truth, _ = pair()
    table = run("scores", inputs(truth, truth + 1), {"background": 1}).table().columns
    assert table["value"][table["score"] == "dice"] == [1]


def test_a_truth_is_needed():
    with pytest.raises(InputError, match="other"):
        run("scores", {"image": Image(pair()[1], ("y", "x"))})


def test_noise_is_told_in_grey_values(rng):
    image = Image(rng.normal(100, 4, (128, 128)), ("y", "x"))
    result = run("residual_noise", {"image": image})
    assert result.image("image").array.mean() == pytest.approx(4, rel=0.05)
    [note] = result.record["notes"]
    assert note.startswith("The standard deviation of the noise is about 3.9") or "4.0" in note


@pytest.mark.parametrize("name", ["local_entropy", "residual_noise"])
def test_a_slice_is_as_in_the_whole_volume(name, rng):
    volume = Image(rng.normal(100, 4, (9, 40, 40)).astype(np.float32), ("z", "y", "x"))
    whole = run(name, {"image": volume}, {"radius": 3.0}).image("image").array
    part = (slice(4, 5), slice(10, 30), slice(0, 25))
    seen = run(name, {"image": volume}, {"radius": 3.0}, region=part).image("image").array
    assert np.allclose(seen, whole[part], rtol=1e-6)
