"""The single door, with operations made up for the purpose: what it checks, loops and records."""

import tracemalloc
from dataclasses import replace

import numpy as np
import pytest

from napari_seedbed.core.marks.shapes import Shape
from napari_seedbed.core.progress import check_stop, tell
from napari_seedbed.errors import Cancelled, InputError, MemoryForecastError
from napari_seedbed.pipeline import operations
from napari_seedbed.pipeline.data import memory
from napari_seedbed.pipeline.data.image import Image
from napari_seedbed.pipeline.data.shapes import Shapes
from napari_seedbed.pipeline.engine.declarations import Need, Operation, Starts
from napari_seedbed.pipeline.engine.parameters import Parameter
from napari_seedbed.pipeline.operations import Context, forecast, run


def _add(job):
    volume = job.load()
    assert volume.ndim == len(job.spacing)
    for step in range(4):
        check_stop()
        tell(step / 4, "adding")
    return {"image": volume + job.parameters["amount"]}


def _label(job):
    image = job.load()
    brightest = image if job.channel_axis is None else image.max(axis=job.channel_axis)
    labels = np.where(brightest > 0, job.seeds.max(), 0).astype(np.int32)
    probabilities = np.stack([(labels == value) * np.float32(1) for value in job.label_values])
    return {"labels": labels, "probabilities": probabilities}


def _free(size, parameters):
    return Need(size.voxels, 1.0)


ADD = Operation(
    name="add",
    title="Add",
    menu="napari/layers/filter",
    function=_add,
    parameters=(Parameter("amount", "int", 1, "Amount", "How much.", maximum=100),),
    estimate=_free,
    help="Adds.",
    reference="None",
)
LABEL = replace(
    ADD,
    name="label",
    title="Label",
    function=_label,
    parameters=(),
    starts=Starts(("seeds",)),
    gives="labels",
    channels="joint",
)


@pytest.fixture
def movie(rng):
    array = rng.integers(1, 99, (3, 4, 2, 5, 6), dtype=np.uint16)
    return Image(
        array,
        ("t", "z", "c", "y", "x"),
        (0.5, 0.1, 0.2),
        ("micrometer",) * 3,
        channel_names=("a", "b"),
        name="movie",
        translate=(1.0, 2.0, 3.0),
    )


@pytest.fixture
def seeds():
    array = np.zeros((3, 4, 5, 6), np.int32)
    array[0, 0, 0, :2] = 1, 2
    array[1, 0, 0, 0] = 1
    array[2, 0, 0, :2] = 1, 5
    return Image(array, ("t", "z", "y", "x"))


def test_each_channel_and_time_point_in_the_place_of_the_input(movie):
    result = run(ADD, {"image": movie}, {"amount": 5})
    out = result.outputs["image"]
    np.testing.assert_array_equal(out.array, movie.array + 5)
    for name in ("axes", "spacing", "units", "translate", "channel_names"):
        assert getattr(out, name) == getattr(movie, name)


def test_rgb_stays_rgb_without_alpha(rng):
    array = rng.integers(0, 200, (5, 6, 4), dtype=np.uint8)
    out = run(ADD, {"image": Image(array, ("y", "x", "c"), rgb=True)}).outputs["image"]
    assert out.rgb
    np.testing.assert_array_equal(out.array, array[..., :3] + 1)


def test_rgb_keeps_its_type_when_an_operation_gives_fractions(rng):
    array = rng.integers(0, 200, (5, 6, 3), dtype=np.uint8)
    third = replace(ADD, function=lambda job: {"image": job.load() * np.float32(4 / 3)})
    out = run(third, {"image": Image(array, ("y", "x", "c"), rgb=True)}).outputs["image"]
    expected = np.minimum(np.rint(array * np.float32(4 / 3)), 255).astype(np.uint8)
    np.testing.assert_array_equal(out.array, expected, strict=True)


def test_single_channel_keeps_its_axis(movie):
    image = Image(movie.array[:, :, :1], movie.axes, movie.spacing)
    assert run(ADD, {"image": image}).outputs["image"].shape == image.shape


def test_joint_operation_gives_one_result_for_all_channels(movie, seeds):
    result = run(LABEL, {"image": movie, "seeds": seeds})
    labels = result.outputs["labels"]
    assert labels.axes == ("t", "z", "y", "x")
    assert [labels.array[t].max() for t in range(3)] == [2, 0, 5]
    assert (result.record["times"], result.record["skipped_times"]) == ([0, 2], [1])


def test_extra_outputs_have_an_entry_for_every_label_of_the_series(movie, seeds):
    out = run(LABEL, {"image": movie, "seeds": seeds}).outputs["probabilities"]
    assert out.axes == ("t", "c", "z", "y", "x")
    assert out.channel_names == ("label 1", "label 2", "label 5")
    assert out.array[2, 2].min() == 1


def test_chosen_times_only(movie, seeds):
    result = run(LABEL, {"image": movie, "seeds": seeds}, times=[2])
    assert [result.outputs["labels"].array[t].max() for t in range(3)] == [0, 0, 5]


def test_lazy_image_is_computed_one_time_point_at_a_time(movie):
    dask_array = pytest.importorskip("dask.array")
    loaded = []

    def note(block, block_info=None):
        loaded.append(block_info[0]["chunk-location"][0])
        return block

    lazy = dask_array.from_array(movie.array, chunks=(1, -1, -1, -1, -1))
    lazy = lazy.map_blocks(note, dtype=movie.dtype, meta=np.empty((0,) * 5, movie.dtype))
    result = run(ADD, {"image": replace(movie, array=lazy)})
    np.testing.assert_array_equal(result.outputs["image"].array, movie.array + 1)
    assert loaded == [0, 1, 2]


def test_progress_rises_over_all_parts_and_ends_at_one(movie):
    seen = []
    run(ADD, {"image": movie}, report=seen.append)
    fractions = [progress.fraction for progress in seen]
    assert fractions == sorted(fractions)
    assert (fractions[0], fractions[-1]) == (0.0, 1.0)
    assert len(fractions) == 3 * 2 * 4 + 1


@pytest.mark.parametrize("after", [0, 3, 11])
def test_cancelling_between_and_within_time_points(movie, after):
    seen = []
    with pytest.raises(Cancelled):
        run(ADD, {"image": movie}, report=seen.append, should_stop=lambda: len(seen) >= after)
    assert len(seen) == after


@pytest.mark.parametrize(
    ("array", "axes", "message"),
    [
        (np.zeros((4, 5), complex), ("y", "x"), "complex"),
        (np.zeros((4, 5), object), ("y", "x"), "numbers"),
        (np.zeros((0, 5)), ("y", "x"), "empty"),
        (np.zeros((2, 4, 5)), ("position", "y", "x"), "position"),
    ],
)
def test_unfit_images_are_refused(array, axes, message):
    with pytest.raises(InputError, match=f"^image: .*{message}"):
        run(ADD, {"image": Image(array, axes)})


def test_units_are_brought_to_one_or_refused():
    array = np.zeros((2, 4, 5))
    mixed = Image(array, ("z", "y", "x"), (2, 50, 50), ("micrometer", "nanometer", "nanometer"))
    out = run(ADD, {"image": mixed}).outputs["image"]
    assert out.units == ("nanometer",) * 3
    np.testing.assert_allclose(out.spacing, (2000, 50, 50))
    odd = replace(mixed, units=("pixel", "nanometer", "nanometer"))
    with pytest.raises(InputError, match="cannot be compared"):
        run(ADD, {"image": odd})


@pytest.mark.parametrize(
    ("seeds", "message"),
    [
        (Image(np.zeros((3, 4, 5, 7), int), ("t", "z", "y", "x")), "grid"),
        (Image(np.zeros((4, 5, 6), int), ("z", "y", "x")), "no time axis"),
        (Image(np.zeros((2, 4, 5, 6), int), ("t", "z", "y", "x")), "2 time points"),
        (Image(np.zeros((3, 4, 5, 6)), ("t", "z", "y", "x")), "whole numbers"),
        (Image(np.zeros((3, 2, 4, 5, 6), int), ("t", "c", "z", "y", "x")), "channels"),
        (Image(np.ones((3, 4, 5, 6), int), ("t", "z", "y", "x")), "two labels"),
    ],
)
def test_unfit_seeds_are_refused(movie, seeds, message):
    with pytest.raises(InputError, match=f"^seeds: .*{message}"):
        run(LABEL, {"image": movie, "seeds": seeds})


def test_missing_and_needless_inputs_are_named(movie, seeds):
    with pytest.raises(InputError, match=r"^seeds: .* none were given"):
        run(LABEL, {"image": movie})
    with pytest.raises(InputError, match=r"^seeds: .* takes image only"):
        run(ADD, {"image": movie, "seeds": seeds})


def test_unknown_operation_lists_the_known_ones(movie):
    with pytest.raises(InputError, match=f"'spline'.*{', '.join(operations.names())}"):
        run("spline", {"image": movie})


def test_too_little_memory_is_told_before_anything_is_computed(movie, monkeypatch):
    monkeypatch.setattr(memory, "available_memory", lambda: 1000)
    greedy = replace(ADD, estimate=lambda *_: Need(8_000_000_000, 20.0), function=None)
    with pytest.raises(MemoryForecastError, match=r"8\.0 GB .* only 1\.0 kB .* Close"):
        run(greedy, {"image": movie})


def test_forecast_counts_time_points_with_seeds(movie, seeds, monkeypatch):
    monkeypatch.setattr(memory, "available_memory", lambda: 1 << 40)
    assert forecast(LABEL, {"image": movie, "seeds": seeds}).seconds == 2.0
    assert forecast(LABEL, {"image": movie}).seconds == 3.0
    assert forecast(ADD, {"image": movie}).seconds == 6.0
    assert forecast(ADD, {"image": movie}).text.endswith("6 s")


def test_forecast_counts_labels_in_seeds_and_in_shapes_or_is_told_how_many(movie, monkeypatch):
    asked = []
    monkeypatch.setattr(memory, "available_memory", lambda: 1 << 40)
    counting = replace(LABEL, estimate=lambda size, _: asked.append(size.n_labels) or Need(1, 1.0))
    array = np.zeros(movie.spatial_shape, np.int32)
    array.flat[:8] = [1, 2, 3, 4, 4, 90_000, -1, -2]
    seeds = Image(array, movie.spatial_axes, movie.spacing)
    shapes = Shapes(tuple(Shape(label, np.eye(len(array.shape))) for label in (3, 5, 5, 9)))
    image = movie.select_time(0)
    for inputs in ({"seeds": seeds}, {"shapes": shapes}, {"seeds": seeds, "shapes": shapes}):
        forecast(counting, {"image": image, **inputs}, n_labels=50)
    for n_labels in (0, 1, 2, 50):
        forecast(counting, {"image": image}, n_labels=n_labels)
    assert asked == [5, 3, 7, 2, 2, 2, 50]


def test_record_is_complete_and_plain(movie, seeds):
    yaml = pytest.importorskip("yaml")
    record = run(ADD, {"image": movie.select_channels([1])}).record
    assert yaml.safe_load(yaml.safe_dump(record)) == record
    assert record["parameters"] == {"amount": 1}
    assert record["inputs"][0]["channels"] == [1]
    assert record["inputs"][0]["fingerprint"].startswith("blake2b:")
    libraries = {"numpy", "scipy", "numba", "scikit-image", "scikit-learn", "PyWavelets"}
    assert set(record["libraries"]) == libraries


def test_record_remembers_the_step_before_while_its_voxels_stay(movie):
    first = run(ADD, {"image": movie}).outputs["image"]
    one = run(ADD, {"image": first.select_channels([1])}).record["inputs"][0]
    assert one["made_by"]["operation"] == "add"
    first.array[0, 0, 1, 0, 0] += 1
    assert run(ADD, {"image": first}).record["inputs"][0]["made_by"] is None


def test_outputs_carry_the_record(movie):
    result = run(ADD, {"image": movie})
    assert result.outputs["image"].record == result.record


def _caching(job):
    job.context.cache.setdefault(("prepared", job.cache_key), job.load().sum())
    return {"image": np.full(job.load().shape, job.context.cache["prepared", job.cache_key])}


def test_live_context_keeps_what_was_prepared_for_the_same_image(rng):
    image = Image(rng.random((4, 5)), ("y", "x"))
    caching = replace(ADD, function=_caching)
    context = Context(live=True)
    run(caching, {"image": image}, context=context)
    context.cache["prepared", next(k for k in context.cache if k[0] == "prepared")[1]] = -1.0
    again = run(caching, {"image": Image(image.array, image.axes)}, context=context)
    assert (again.outputs["image"].array == -1).all()
    assert again.record["live"]
    other = run(caching, {"image": Image(image.array.copy(), image.axes)}, context=context)
    assert (other.outputs["image"].array == image.array.sum()).all()


def _needing(n_bytes):
    """Keeps what it makes of an image alone, and needs that much memory for each label."""
    return replace(
        LABEL,
        estimate=lambda size, _: Need(n_bytes * size.n_labels, 1.0),
        prepare=lambda job: job.context.cache.setdefault(("prepared", job.cache_key), 1),
    )


def test_only_what_a_later_run_needs_beyond_the_first_must_be_free(movie, seeds, monkeypatch):
    inputs, context = {"image": movie, "seeds": seeds}, Context()
    monkeypatch.setattr(memory, "available_memory", lambda: 1 << 40)
    run(_needing(8_000_000), inputs, context=context)
    monkeypatch.setattr(memory, "available_memory", lambda: 0)
    run(_needing(8_000_000), inputs, context=context)
    run(_needing(7_000_000), inputs, context=context)
    with pytest.raises(MemoryForecastError, match="only 0 bytes"):
        run(_needing(9_000_000), inputs, context=context)
    with pytest.raises(MemoryForecastError):
        run(_needing(8_000_000), inputs)
    monkeypatch.setattr(memory, "available_memory", lambda: 100_000_000)
    run(_needing(9_000_000), inputs, context=context)
    monkeypatch.setattr(memory, "available_memory", lambda: 0)
    run(_needing(9_000_000), inputs, context=context)
    other = replace(movie, array=movie.array.copy())
    with pytest.raises(MemoryForecastError):
        run(_needing(8_000_000), {"image": other, "seeds": seeds}, context=context)


def test_preparing_tells_how_far_it_is_and_can_be_cancelled(movie):
    def halfway(job):
        tell(0.5, "half")
        check_stop()

    told = []
    operation = replace(LABEL, prepare=halfway)
    with pytest.raises(Cancelled):
        operations.prepare(
            operation,
            movie,
            context=Context(),
            report=lambda progress: told.append(progress.message),
            should_stop=lambda: bool(told),
        )
    assert told == ["half"]
    operations.prepare(operation, movie, context=Context())


def test_preparing_does_not_let_more_labels_pass_than_there_is_memory_for(
    movie, seeds, monkeypatch
):
    """What is prepared is counted for two labels; the seeds may have more."""
    few = replace(seeds, array=np.minimum(seeds.array, 2))
    many = replace(seeds, array=np.arange(seeds.array.size).reshape(seeds.array.shape))
    context = Context()
    monkeypatch.setattr(memory, "available_memory", lambda: 40_000_000)
    operations.prepare(_needing(8_000_000), movie, context=context)
    monkeypatch.setattr(memory, "available_memory", lambda: 4_000_000)
    run(_needing(8_000_000), {"image": movie, "seeds": few}, context=context, times=[0])
    with pytest.raises(MemoryForecastError, match=r"only 4\.0 MB"):
        run(_needing(8_000_000), {"image": movie, "seeds": many}, context=context, times=[0])


def test_exact_run_notices_voxels_changed_in_place(rng):
    image = Image(rng.random((4, 5)), ("y", "x"))
    caching = replace(ADD, function=_caching)
    context = Context()
    run(caching, {"image": image}, context=context)
    image.array[2, 2] += 10
    out = run(caching, {"image": image}, context=context).outputs["image"]
    assert (out.array == image.array.sum()).all()


def test_registry_knows_names():
    assert {"random_walker", "gaussian"} <= set(operations.names())
    assert operations.get("gaussian").gives == "image"


def test_job_foretold_to_fit_fits_however_small_the_image(rng):
    voxels = rng.integers(0, 1000, (48, 64, 64)).astype(np.uint16)
    grey = Image(voxels, ("z", "y", "x"))
    mask = Image((voxels > 990).astype(np.int32), ("z", "y", "x"))
    for name, image in {"gamma": grey, "equalise": grey, "slope": grey, "label": mask}.items():
        foretold = operations.forecast(name, {"image": image}).bytes
        run(name, {"image": image})
        tracemalloc.start()
        run(name, {"image": image})
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        assert peak <= foretold, name
