"""Recipes as Python scripts: without napari and our pipeline, they give the very same voxels."""

import csv
import pickle
import subprocess
import sys
from dataclasses import replace
from importlib.resources import files
from pathlib import Path

import numpy as np
import pytest
import script_runner
import tifffile
from operation_scenes import inputs_for, parameters_for, scene

from napari_seedbed.core import EditCommand, ObjectStep, VoxelRuns
from napari_seedbed.core.marks.shapes import Shape
from napari_seedbed.core.proofreading.label_edits import edit_of_voxels
from napari_seedbed.errors import InputError
from napari_seedbed.pipeline.cli import main
from napari_seedbed.pipeline.data.image import Image
from napari_seedbed.pipeline.data.shapes import Shapes
from napari_seedbed.pipeline.data.tables import Points, Table
from napari_seedbed.pipeline.encodings.edit_encoding import edit_text
from napari_seedbed.pipeline.encodings.lesson_encoding import lesson_as_text
from napari_seedbed.pipeline.encodings.object_steps import steps_as_text
from napari_seedbed.pipeline.encodings.sample_encoding import samples_as_text
from napari_seedbed.pipeline.engine.declarations import GROUPS
from napari_seedbed.pipeline.engine.jobs import Context
from napari_seedbed.pipeline.files import read_image, write_image
from napari_seedbed.pipeline.operations import operations, run
from napari_seedbed.pipeline.operations.pixel_classification import samples_of
from napari_seedbed.pipeline.operations.seeded import last_lesson
from napari_seedbed.pipeline.recipes import recipe_from_record, save_recipe
from napari_seedbed.pipeline.recipes.recipe_model import Step
from napari_seedbed.pipeline.recipes.scripts import recipe_as_script

FLAT, DEEP = (16, 20), (6, 10, 12)


def in_script_order(image):
    """The voxels with axes in the order of a script."""
    return np.transpose(image.array, [image.axes.index(a) for a in "tczyx" if a in image.axes])


def in_plain_values(output):
    """An output of a run as a script gives it."""
    if isinstance(output, Image):
        return np.asarray(output.array)
    if isinstance(output, Table):
        return dict(output.columns)
    if isinstance(output, Points):
        time = {} if output.n_times is None else {"time_point": output.times}
        columns = dict(output.columns)
        channel = {"channel": columns.pop("channel")} if "channel" in columns else {}
        return {**time, **channel, "points": output.points, **columns}
    return [(one.label, one.closed, one.time, one.points) for one in output.shapes]


def case_of(name, result, inputs):
    """What the runner needs to do a result again by a script."""
    recipe = recipe_from_record(result.record)
    arrays = [in_script_order(inputs["image"])]
    if recipe.other_names:
        arrays.append(in_script_order(inputs["other"]))
    expected = {key: in_plain_values(one) for key, one in result.outputs.items()}
    return name, recipe_as_script(recipe), arrays, expected


def assert_scripts_give_the_same(cases, folder):
    path = folder / "cases.pickle"
    path.write_bytes(pickle.dumps(cases))
    done = subprocess.run(
        [sys.executable, script_runner.__file__, str(path)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr


# Inputs


def with_channels(inputs, n, *, rgb=False):
    """The inputs with channels that differ, where images of grey values are wanted."""

    def channelled(image):
        planes = [np.roll(image.array, 2 * c, axis=-1) for c in range(n)]
        axes = (*image.axes, "c") if rgb else ("c", *image.axes)
        return Image(np.stack(planes, axis=-1 if rgb else 0), axes, name=image.name, rgb=rgb)

    return {
        role: channelled(one)
        if role in ("image", "other") and isinstance(one, Image) and one.dtype == np.uint8
        else one
        for role, one in inputs.items()
    }


def in_series(inputs, n_times):
    """The inputs at several time points, moved a little from each to the next."""

    def put(image):
        moved = [np.roll(image.array, t, axis=image.axes.index("y")) for t in range(n_times)]
        return replace(image, array=np.stack(moved), axes=("t", *image.axes))

    def drawn(shapes):
        every = tuple(replace(one, time=t) for t in range(n_times) for one in shapes.shapes)
        return replace(shapes, shapes=every, n_times=n_times)

    return {
        role: drawn(one) if isinstance(one, Shapes) else put(one) for role, one in inputs.items()
    }


def kinds_of_inputs(operation):
    """Inputs of many kinds, by what they are called."""
    flat, deep = (scene(shape).astype(np.uint8) for shape in (FLAT, DEEP))
    plain = inputs_for(operation, flat)
    yield "2D", inputs_for(operation, flat, spacing=(0.5, 0.25), units=("micrometer",) * 2)
    yield "3D", inputs_for(operation, deep.astype(np.uint16), optional=True, spacing=(2, 1, 1))
    yield "float", inputs_for(operation, flat.astype(np.float32) / 255, optional=True)
    yield "series", in_series(plain, 3)
    if operation.image_kind == "image" and operation.least_channels == 1:
        yield "channels", with_channels(plain, 2)
        yield "colours", with_channels(plain, 3, rgb=True)
        yield "series of channels", in_series(with_channels(plain, 2), 2)


def settings_of(operation):
    """Parameters with everything that can be asked for, and each choice and switch in turn."""
    extra = dict.fromkeys(operation.extra_outputs, True)
    needed = parameters_for(operation)
    yield {**needed, **extra}
    for parameter in operation.parameters:
        if parameter.type == "choice":
            others = [one for one in parameter.choices if one != parameter.default]
        else:
            others = [not parameter.default] if parameter.type == "bool" else []
        if parameter.name not in extra and parameter.name not in needed:
            yield from ({**needed, parameter.name: other} for other in others)


def cases_of(operation):
    """A case for each kind of inputs, and for each setting with one of these."""
    kinds = list(kinds_of_inputs(operation))
    settings = list(settings_of(operation))
    pairs = [(kind, settings[0]) for kind in kinds]
    pairs += [(kinds[nth % len(kinds)], one) for nth, one in enumerate(settings[1:])]
    for (kind, inputs), parameters in pairs:
        try:
            result = run(operation, inputs, parameters)
        except InputError:
            continue
        yield case_of(f"{operation.name}, {kind}, {parameters}: ", result, inputs)
    if {"points", "shapes", "table"} & {operation.gives, *operation.extra_outputs}:
        for kind, inputs in kinds[:1] + [one for one in kinds if one[0] == "series"]:
            result = run(operation, inputs, settings[0], region=(slice(2, 13), slice(6, 20)))
            yield case_of(f"{operation.name}, {kind}, a part: ", result, inputs)


@pytest.mark.parametrize("group", [one for one in GROUPS if one != "Other"])
def test_scripts_of_every_operation_give_what_a_run_gives(group, tmp_path):
    cases = []
    for operation in operations.values():
        if operation.group != group:
            continue
        found = list(cases_of(operation))
        assert len(found) >= 2, operation.name
        cases += found
    assert_scripts_give_the_same(cases, tmp_path)


# Several steps


def film(rng):
    """Two channels of bright discs that move, at three time points."""
    grid = np.indices((40, 48))
    array = np.zeros((3, 2, 40, 48))
    for t in range(3):
        for c, (y, x) in enumerate([(12, 14 + 3 * t), (26, 30)]):
            array[t, c] += 160 * (np.hypot(grid[0] - y, grid[1] - x) < 7)
            array[t, c] += 120 * (np.hypot(grid[0] - 30, grid[1] - 12 - 2 * t) < 5)
    array += rng.normal(20, 4, array.shape)
    return Image(
        array.clip(0, 255).astype(np.uint8), ("t", "c", "y", "x"), (0.5, 0.5), ("micrometer",) * 2
    )


def chains(rng):
    """Results of several steps, with what they began from."""
    image = film(rng)
    smooth = run("gaussian", {"image": image}, {"sigma": 0.6}).image("image")
    first, second = (smooth.select_channels([c]) for c in range(2))
    mask = run("threshold", {"image": first}).image("mask")
    labels = run("label", {"image": mask}).image("labels")
    large = run("remove_by_size", {"image": labels}, {"smallest": 3.0}).image("labels")
    yield "objects measured in another channel", run("measure", {"image": large, "other": second})
    yield "joined", run("combine_labels", {"image": large, "other": labels}, {"how": "xor"})
    peaks = run("h_maxima", {"image": first}, {"height": 40.0}).image("labels")
    yield "peaks grown", run("seeded_watershed", {"image": first, "seeds": peaks})
    yield "some time points", run("gaussian", {"image": image}, times=[0, 2])
    yield "a part", run("median", {"image": image}, region=(slice(3, 30), slice(5, 40)))
    yield "linked", run("link_objects", {"image": labels})
    outlines = Shapes((Shape(1, np.array([[5.0, 8], [5, 22], [19, 22], [19, 8]])),))
    start = {"image": first, "shapes": outlines}
    yield "a snake, followed", run("elastic_contour", start, {"follow": "forwards", "shapes": True})
    seeds = np.zeros((3, 40, 48), np.int32)
    seeds[:, 1, 1], seeds[0, 12, 14], seeds[2, 12, 20] = 1, 2, 2
    marked = {"image": smooth, "seeds": Image(seeds, ("t", "y", "x"))}
    yield "seeds", run("random_walker", marked, {"probabilities": True, "uncertainty": True})
    yield (
        "seeds, with background",
        run("seeded_segmentation", marked, {"background": 1, "darker_than": 40.0}),
    )
    learning = Context()
    run("seeded_segmentation", marked, {"background": 1}, context=learning)
    learnt = {"training": lesson_as_text(last_lesson(learning.cache)), "background": 1}
    yield "seeds, with what was learnt", run("seeded_segmentation", marked, learnt)
    features = {"sigma": 1.0, "n_scales": 2, "intensities": "contrast"}
    text = samples_as_text(samples_of(smooth, marked["seeds"], features))
    classes = run("pixel_classification", {"image": smooth}, {"training": text, "n_trees": 5})
    yield "pixels, with what was learnt", classes
    still = image.select_time(1)
    triangle = Shapes((Shape(1, np.array([[5.0, 8], [5, 22], [19, 22]])),))
    outside = {"y": "7:", "outside": True}
    yield "cut out along outlines", run("crop", {"image": image, "shapes": triangle}, outside)
    difference = run("series_difference", {"image": smooth}, {"mode": "absolute"}).image("image")
    yield "what moves", run("maximum", {"image": difference})
    yield "carried", run("carry_objects", {"image": labels, "other": smooth}, {"steps": 0})
    yield "objects one by one", run("object_by_object", {"image": smooth}, object_steps())
    yield "edited", edited(labels)
    lying = replace(
        labels, array=np.moveaxis(labels.array, 0, 1), axes=("y", "t", "x"), record=None
    )
    yield "edited as it lies", edited(lying), lying
    cropped = run("crop", {"image": still}, {"y": "4:36", "x": "-40:"}).image("image")
    yield "cut out, each channel", run("local_maxima", {"image": cropped})


def object_steps():
    """Objects of two time points, the second one masked by brightness, the first one reopened."""
    marked = [np.stack(np.mgrid[y : y + 3, x : x + 3], -1).reshape(-1, 2) for y, x in SPOTS]
    none = np.empty((0, 2), np.int64)
    steps = [
        ObjectStep(1, marked[0], none),
        ObjectStep(2, marked[1], marked[0], darker_than=60.0),
        ObjectStep(1, marked[0], marked[1]),
        ObjectStep(2, marked[1], none, 2),
    ]
    return {"steps": steps_as_text((40, 48), steps)}


SPOTS = (11, 13), (29, 12)


def edited(labels):
    """Edits of objects of a film, and of what a brush wrote at its second time point."""
    first, *_, last = (int(n) for n in np.unique(labels.select_time(0).array) if n)
    stroke = labels.array.copy()
    replace(labels, array=stroke).select_time(1).array[3:6, 20:30] = 99
    where = np.flatnonzero(stroke != labels.array)
    old, new = labels.array.ravel()[where], stroke.ravel()[where]
    runs = VoxelRuns.after(edit_of_voxels(where, old, new, "", shape=stroke.shape))
    brush = edit_text(EditCommand("write", options={"voxels": runs}))
    told = f"grow {first} radius=1.5\ndelete {last} t=1\n{brush}\nrenumber"
    return run("proofread_labels", {"image": labels}, {"edits": told})


def test_scripts_of_several_steps_give_what_a_run_gives(rng, tmp_path):
    image = film(rng)
    cases = []
    for name, result, *own in chains(np.random.default_rng(0)):
        source = own[0] if own else film(np.random.default_rng(0))
        recipe = recipe_from_record(result.record)
        if "t" not in recipe.image.axes:
            source = source.select_time(1)
        cases.append(case_of(f"{name}: ", result, {"image": source, "other": image}))
    assert len(cases) == 18
    assert_scripts_give_the_same(cases, tmp_path)


# Files


def run_script(path, *images):
    """Run a script as people do, in a process that refuses napari and the pipeline."""
    runner = Path(script_runner.__file__).parent
    blocked = (
        f"import runpy, sys; sys.path.insert(0, {str(runner)!r}); import script_runner; "
        "sys.meta_path.insert(0, script_runner.Blocker()); sys.argv = sys.argv[1:]; "
        "runpy.run_path(sys.argv[0], run_name='__main__')"
    )
    arguments = [str(path), *map(str, images)]
    subprocess.run([sys.executable, "-c", blocked, *arguments], check=True)


def test_command_writes_a_script_that_reads_and_writes_files(tmp_path, capsys):
    flat = inputs_for(operations["gaussian"], scene(FLAT).astype(np.uint8))
    images = {
        "flat": flat,
        "colours": with_channels(flat, 3, rgb=True),
        "film": in_series(with_channels(flat, 2), 3),
    }
    for name, inputs in images.items():
        result = run("gaussian", inputs, {"sigma": 1.5})
        recipe = save_recipe(tmp_path / f"{name}.yaml", recipe_from_record(result.record))
        image, script = tmp_path / f"{name}.ome.tif", tmp_path / f"{name}.py"
        write_image(image, inputs["image"])
        assert main(["script", str(recipe), "-o", str(script)]) == 0
        assert str(script) in capsys.readouterr().out
        assert main(["script", str(recipe)]) == 0
        assert capsys.readouterr().out == script.read_text("utf-8").replace(
            script.name, "script.py"
        )
        run_script(script, image)
        written = tifffile.imread(tmp_path / f"{name}.ome_image.tif")
        np.testing.assert_array_equal(np.squeeze(written), np.squeeze(result.image("image").array))


def test_script_of_two_files_writes_tables(tmp_path):
    inputs = inputs_for(operations["measure"], scene(DEEP).astype(np.uint8), optional=True)
    for role in ("image", "other"):
        inputs[role] = replace(inputs[role], array=inputs[role].array.astype(np.uint16))
        write_image(tmp_path / f"{role}.ome.tif", inputs[role])
    result = run("measure", inputs)
    recipe = save_recipe(tmp_path / "measure.yaml", recipe_from_record(result.record))
    assert main(["script", str(recipe), "-o", str(tmp_path / "measure.py")]) == 0
    run_script(tmp_path / "measure.py", tmp_path / "image.ome.tif", tmp_path / "other.ome.tif")
    head, *rows = (tmp_path / "image.ome_table.csv").read_text("utf-8").splitlines()
    assert head.split(",") == list(result.table().columns)
    assert len(rows) == len(result.table())


def test_what_cannot_be_a_script_is_refused_and_nothing_written(tmp_path, capsys):
    image = inputs_for(operations["gaussian"], scene(FLAT).astype(np.uint8))["image"]
    mask = run("threshold", {"image": image}).image("mask")
    circles = run("fit_circle", {"image": mask}, parameters_for(operations["fit_circle"]))
    found = recipe_from_record(circles.record)
    crop = Step(name="cut", operation="crop", image="image", shapes_from=found.steps[-1].name)
    wanted = found.model_copy(update={"steps": (*found.steps, crop)})
    recipe = save_recipe(tmp_path / "crop.yaml", wanted)
    assert main(["script", str(recipe), "-o", str(tmp_path / "crop.py")]) == 2
    assert "shapes that an earlier step finds" in capsys.readouterr().err
    assert not (tmp_path / "crop.py").exists()


def test_example_of_the_documentation_is_what_is_written(tmp_path):
    image = tmp_path / "nuclei.ome.tif"
    image.write_bytes((files("napari_seedbed") / "samples" / image.name).read_bytes())
    nuclei = read_image(image)
    mask = run("threshold", {"image": nuclei}, {"sigma": 0.3}).image("mask")
    labels = run("split_touching", {"image": mask}, {"depth": 0.5}).image("labels")
    result = run("measure", {"image": labels, "other": nuclei})
    text = recipe_as_script(recipe_from_record(result.record), "nuclei.py")

    page = (Path(__file__).parents[3] / "docs" / "recipes.md").read_text("utf-8")
    example = page.partition("## As a Python script")[2].partition("```python\n")[2]
    assert example.partition("```")[0] in text

    (tmp_path / "nuclei.py").write_text(text, "utf-8")
    run_script(tmp_path / "nuclei.py", image)
    head, *rows = csv.reader((tmp_path / "nuclei.ome_table.csv").read_text("utf-8").splitlines())
    columns = result.table().columns
    assert head == list(columns)
    for nth, (name, column) in enumerate(columns.items()):
        written = np.array([row[nth] for row in rows])
        if column.dtype.kind in "iuf":
            np.testing.assert_array_equal(written.astype(column.dtype), column, name)
