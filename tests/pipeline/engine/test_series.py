"""Operations that are given shapes and a whole series: what they get, give and leave behind."""

from dataclasses import replace

import numpy as np
import pytest

from napari_seedbed.core.marks.shapes import Shape
from napari_seedbed.core.progress import tell
from napari_seedbed.errors import Cancelled, InputError
from napari_seedbed.pipeline.data import memory
from napari_seedbed.pipeline.data.fingerprint import fingerprint
from napari_seedbed.pipeline.data.image import Image
from napari_seedbed.pipeline.data.shapes import Shapes
from napari_seedbed.pipeline.engine.series_jobs import SeriesResult
from napari_seedbed.pipeline.operations import Context, forecast, run


def job_of(operation, inputs, **arguments):
    """The job that the operation's function is called with."""
    jobs = []

    def keep(job):
        jobs.append(job)
        return SeriesResult({"labels": np.zeros((job.n_times, *job.spatial_shape), np.int32)})

    run(replace(operation, function=keep), inputs, **arguments)
    return jobs[0]


def test_function_is_called_once_with_every_time_point(discs, movie, drawn):
    job = job_of(discs, {"image": movie, "shapes": drawn})
    assert (job.n_times, job.spatial_shape, job.spacing) == (3, (9, 11), (0.3, 0.2))
    for t in (2, 0, 1, 1):
        np.testing.assert_array_equal(job.load(t), movie.array[:, t])


def test_channels_come_jointly_and_first(discs, rng, drawn):
    array = rng.integers(0, 100, (3, 9, 11, 2), dtype=np.uint8)
    job = job_of(discs, {"image": Image(array, ("t", "y", "x", "c")), "shapes": drawn})
    assert job.channel_axis == 0
    np.testing.assert_array_equal(job.load(1), np.moveaxis(array[1], -1, 0))


def test_shapes_arrive_as_they_were_drawn(discs, movie, drawn):
    job = job_of(discs, {"image": movie, "shapes": drawn})
    for given, found in zip(drawn.shapes, job.shapes, strict=True):
        assert (found.label, found.closed, found.time) == (given.label, given.closed, given.time)
        np.testing.assert_array_equal(found.points, given.points.astype(float), strict=True)


def test_shapes_are_copied_so_that_drawing_on_changes_nothing(discs, movie, drawn):
    job = job_of(discs, {"image": movie, "shapes": drawn})
    assert not np.shares_memory(job.shapes[0].points, drawn.shapes[0].points)


def test_seeds_arrive_time_point_by_time_point(discs, movie):
    marks = np.zeros((3, 9, 11), np.uint8)
    marks[1, 2, 3] = 4
    job = job_of(discs, {"image": movie, "seeds": Image(marks, ("t", "y", "x"))})
    assert job.shapes == ()
    np.testing.assert_array_equal(job.seeds(1), marks[1].astype(np.int32), strict=True)


def test_labels_lie_where_the_image_has_its_time_axis(discs, movie, drawn):
    found = run(discs, {"image": movie, "shapes": drawn}, {"radius": 1e3}).image("labels")
    assert (found.axes, found.spacing, found.units) == (movie.axes, movie.spacing, movie.units)
    expected = np.where(movie.array > 50, np.array([2, 0, 7])[None, :, None], 0)
    np.testing.assert_array_equal(found.array, expected)


def test_image_without_time_gives_labels_without_time(discs, movie, drawn):
    first = Shapes(drawn.shapes[:1])
    found = run(discs, {"image": movie.select_time(0), "shapes": first}, {"radius": 1e3})
    assert found.image("labels").axes == ("y", "x")
    assert found.shapes().n_times is None


def test_shapes_come_out_with_the_grid_of_the_image(discs, movie, drawn):
    found = run(discs, {"image": replace(movie, translate=(5, 6)), "shapes": drawn}).shapes()
    assert (found.spacing, found.units, found.translate) == (movie.spacing, movie.units, (5, 6))
    assert (found.name, found.n_times) == ("movie shapes", 3)
    np.testing.assert_array_equal(found.shapes[0].points, drawn.shapes[0].points + 0.125)


def test_outputs_of_one_kind_are_not_taken_for_the_other(discs, movie, drawn):
    result = run(discs, {"image": movie, "shapes": drawn})
    with pytest.raises(InputError, match=r"^shapes: .* of the kind Image"):
        result.image("shapes")
    with pytest.raises(InputError, match=r"^labels: .* of the kind Shapes"):
        result.shapes("labels")


def test_record_holds_shapes_notes_and_the_whole_series(discs, movie, drawn):
    yaml = pytest.importorskip("yaml")
    result = run(discs, {"image": movie, "shapes": drawn})
    record = result.record
    assert result.shapes().record == record
    assert yaml.safe_load(yaml.safe_dump(record)) == record
    assert record["seeds"] is None
    assert [(s["label"], s["closed"], s["time"]) for s in record["shapes"]] == [
        (2, True, 0),
        (7, True, 2),
        (7, False, 2),
    ]
    assert record["shapes"][2]["points"] == "0 1, -0.5 1e-07"
    assert record["notes"] == ["Shapes were moved."]
    assert (record["times"], record["skipped_times"]) == ([0, 1, 2], [])


def test_time_points_that_nobody_looked_at_count_in_the_fingerprint(discs, movie, drawn):
    first = Shapes(drawn.shapes[:1])
    record = run(discs, {"image": movie, "shapes": first}).record
    assert record["inputs"][0]["fingerprint"] == fingerprint(movie)


def test_live_run_keeps_no_shapes_in_its_record(discs, movie, drawn):
    record = run(discs, {"image": movie, "shapes": drawn}, context=Context(live=True)).record
    assert record["live"]
    assert record["shapes"] is None


def test_lazy_series_is_read_one_time_point_at_a_time(discs, movie, drawn):
    dask_array = pytest.importorskip("dask.array")
    loaded = []

    def note(block, block_info=None):
        loaded.append(block_info[0]["chunk-location"][1])
        return block

    lazy = dask_array.from_array(movie.array, chunks=(-1, 1, -1))
    lazy = lazy.map_blocks(note, dtype=movie.dtype, meta=np.empty((0, 0, 0), movie.dtype))
    run(discs, {"image": replace(movie, array=lazy), "shapes": drawn})
    # 0 and 2 have shapes, the second one two of them; 1 is read for the fingerprint alone.
    assert loaded == [0, 2, 1]


def test_progress_of_the_function_is_that_of_the_run(discs, movie, drawn):
    def halfway(job):
        tell(0.5, "half")
        return discs.function(job)

    seen = []
    inputs = {"image": movie, "shapes": drawn}
    run(replace(discs, function=halfway), inputs, report=seen.append)
    assert [(p.fraction, p.message) for p in seen] == [(0.5, "half"), (1.0, "Done")]


def test_cancelled_before_anything_is_computed(discs, movie, drawn):
    with pytest.raises(Cancelled):
        run(
            replace(discs, function=None),
            {"image": movie, "shapes": drawn},
            should_stop=lambda: True,
        )


def test_default_in_voxels_becomes_a_length_of_the_image(discs, movie, drawn):
    record = run(discs, {"image": movie, "shapes": drawn}).record
    assert record["parameters"]["radius"] == 0.8
    assert discs.defaults((3.0, 0.1))["radius"] == 0.4
    assert discs.defaults()["radius"] == 4.0


def test_default_in_voxels_follows_the_unit_that_counts(discs, rng):
    array = rng.integers(0, 99, (4, 9, 11), dtype=np.uint8)
    units = ("micrometer", "nanometer", "nanometer")
    image = Image(array, ("z", "y", "x"), (0.5, 800, 900), units)
    points = np.array([[2.0, 1, 1], [2, 1, 5], [2, 5, 5]])
    record = run(discs, {"image": image, "shapes": Shapes((Shape(1, points),))}).record
    assert record["parameters"]["radius"] == 2000


def test_forecast_counts_time_points_with_a_start_unless_the_operation_goes_on(
    discs, movie, drawn, monkeypatch
):
    monkeypatch.setattr(memory, "available_memory", lambda: 1 << 40)
    inputs = {"image": movie, "shapes": drawn}
    assert forecast(discs, inputs).seconds == 4.0
    assert forecast(discs, inputs, {"follow": "both"}).seconds == 6.0
    assert forecast(discs, {"image": movie}).seconds == 6.0


def test_forecast_knows_how_many_objects_were_drawn(discs, movie, drawn):
    told = []
    need = discs.estimate()

    def estimate(size, parameters):
        told.append((size.shape, size.n_labels, size.n_channels, parameters["radius"]))
        return need

    forecast(replace(discs, estimate=estimate), {"image": movie, "shapes": drawn})
    # The radius in voxels.
    assert told == [((9, 11), 2, 1, pytest.approx(0.8 / min(movie.spacing)))]


def test_single_label_is_enough_where_the_operation_says_so(discs, movie):
    marks = np.zeros(movie.shape, np.int32)
    marks[4, 1, 5] = 3
    labels = run(discs, {"image": movie, "seeds": Image(marks, movie.axes)}).image("labels")
    np.testing.assert_array_equal(labels.array[:, 1], np.where(movie.array[:, 1] > 50, 3, 0))


TRIANGLE = [[1.0, 1], [1, 4], [4, 1]]


@pytest.mark.parametrize(
    ("shapes", "message"),
    [
        ([], "draw at least one"),
        ([Shape(1, np.zeros((3, 3)))], r"points of shape \(3, 3\); the image is 2D"),
        ([Shape(1, np.zeros(4))], r"points of shape \(4,\)"),
        ([Shape(1, np.array([[1, 1], [1, np.nan], [2, 2]]))], "NaN"),
        ([Shape(1, np.array([[1, 1], [1, 1e9], [2, 2]]))], "far outside the image"),
        ([Shape(0, np.array(TRIANGLE))], "label 0"),
        ([Shape(1 << 31, np.array(TRIANGLE))], "label 2147483648"),
        ([Shape(1, np.array(TRIANGLE), time=3)], "time point 3; the image has 3"),
        ([Shape(1, np.array(TRIANGLE), time=-1)], "time point -1"),
    ],
)
def test_unfit_shapes_are_refused(discs, movie, shapes, message):
    with pytest.raises(InputError, match=f"^shapes: .*{message}"):
        run(discs, {"image": movie, "shapes": Shapes(tuple(shapes))})


def test_exactly_one_start_is_needed(discs, movie, drawn):
    marks = Image(np.ones(movie.shape, int), movie.axes)
    with pytest.raises(InputError, match=r"^shapes: Discs needs shapes or seeds; none were given"):
        run(discs, {"image": movie})
    with pytest.raises(InputError, match="only one of them"):
        run(discs, {"image": movie, "shapes": drawn, "seeds": marks})
    with pytest.raises(InputError, match=r"^mask: Discs takes image, shapes, seeds only"):
        run(discs, {"image": movie, "shapes": drawn, "mask": marks})


def test_inputs_of_the_wrong_kind_are_refused(discs, movie, drawn):
    with pytest.raises(InputError, match=r"^image: Shapes given"):
        run(discs, {"image": drawn, "shapes": drawn})
    with pytest.raises(InputError, match=r"^shapes: an Image given"):
        run(discs, {"image": movie, "shapes": movie})
    with pytest.raises(InputError, match=r"^seeds: Shapes given"):
        run(discs, {"image": movie, "seeds": drawn})


def test_seeds_without_labels_are_refused(discs, movie):
    with pytest.raises(InputError, match=r"^seeds: there are none"):
        run(discs, {"image": movie, "seeds": Image(np.zeros(movie.shape, int), movie.axes)})


def test_part_of_a_series_is_refused(discs, movie, drawn):
    with pytest.raises(InputError, match=r"^times: Discs works on the whole series"):
        run(discs, {"image": movie, "shapes": drawn}, times=[0, 2])


def test_operations_of_one_panel_share_its_command(discs):
    assert (discs.command, discs.command_title) == ("round_things", "Round things")
    alone = replace(discs, panel="")
    assert (alone.command, alone.command_title) == ("discs", "Discs")
