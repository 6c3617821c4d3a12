"""Batches of files: what they may replace, and what stays whatever goes wrong."""

import csv
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from zarr_scenes import write_plate

from bounds import bound
from napari_seedbed.errors import RecipeError
from napari_seedbed.pipeline.batch import items as batch
from napari_seedbed.pipeline.batch import result_folder
from napari_seedbed.pipeline.batch.slice_runs import replay_by_slice, slice_of
from napari_seedbed.pipeline.cli import DONE, FAILED, INTERRUPTED, WRONG_USE, main
from napari_seedbed.pipeline.data.image import Image
from napari_seedbed.pipeline.files import atomic_files, read_image, write_image
from napari_seedbed.pipeline.operations import run
from napari_seedbed.pipeline.recipes import recipe_from_record, replay, save_recipe

COMMAND = (sys.executable, "-m", "napari_seedbed.pipeline.cli")


@pytest.fixture
def squares() -> Image:
    """Three bright squares, one of them away from the others."""
    array = np.zeros((30, 40), np.uint8)
    array[3:9, 3:9] = array[3:9, 20:28] = array[18:25, 30:38] = 200
    return Image(array, ("y", "x"), name="squares")


@pytest.fixture
def place(tmp_path, squares, monkeypatch):
    """A folder with objects.yaml, a.ome.tif and b.ome.tif, in which the command line runs."""
    mask = run("threshold", {"image": squares}).image("mask")
    labels = run("label", {"image": mask})
    save_recipe(tmp_path / "objects.yaml", recipe_from_record(labels.record))
    write_image(tmp_path / "a.ome.tif", squares)
    write_image(tmp_path / "b.ome.tif", replace(squares, array=squares.array[:, :29]))
    monkeypatch.chdir(tmp_path)
    return tmp_path


def seedbed_run(*inputs, folder="out", options=()):
    return main(["run", "objects.yaml", *inputs, "-o", str(folder), "-q", *options])


def summary(folder="out"):
    return json.loads(Path(folder, "summary.json").read_text("utf-8"))


def contents(folder="out"):
    """Bytes of all files in a folder, by name."""
    return {path.name: path.read_bytes() for path in Path(folder).iterdir() if path.is_file()}


def results(start="", folder="out"):
    """Of single inputs."""
    about_all = ("summary.json", "summary.html", "objects.csv", "table.csv")
    found = contents(folder).items()
    return {name: data for name, data in found if name.startswith(start) and name not in about_all}


def hidden(folder="out"):
    return {path.name for path in Path(folder).iterdir() if path.name.startswith(".")}


@pytest.mark.parametrize("where", ["writing the table", "moving the results"])
def test_rerun_that_fails_half_way_leaves_the_earlier_results(place, monkeypatch, where):
    assert seedbed_run("a.ome.tif", "b.ome.tif") == DONE
    before = results("a_")
    assert sorted(before) == ["a_labels.ome.tif", "a_objects.csv"]
    write_image("a.ome.tif", replace(read_image("a.ome.tif"), array=read_image("b.ome.tif").array))
    if where == "writing the table":
        real = batch.write_result

        def fail(path, kind, result):
            if path.name.startswith("a_") and kind == "table":
                raise RuntimeError("half way")
            return real(path, kind, result)

        monkeypatch.setattr(batch, "write_result", fail)
    else:
        # The labels are moved first; the table then cannot be.
        Path("out/a_objects.csv").unlink()
        Path("out/a_objects.csv").mkdir()
        monkeypatch.setattr(result_folder, "is_all_own", lambda folder: True)
        del before["a_objects.csv"]
    assert seedbed_run("a.ome.tif", "b.ome.tif", options=["--overwrite"]) == FAILED
    assert results("a_") == before
    first, second = summary()["inputs"]
    assert first["error"]
    assert first["outputs"] == {}
    assert second["error"] is None
    assert [entry["input"] for entry in summary()["earlier"]] == ["a.ome.tif"]
    assert hidden() == set()


@pytest.mark.parametrize("way", ["the same folder", "a link to the folder", "a link to the file"])
def test_no_output_replaces_an_input(place, way):
    folder, victim = ".", Path("a_labels.ome.tif")
    write_image(victim, read_image("b.ome.tif"))
    if way == "a link to the folder":
        Path("link").symlink_to(place, target_is_directory=True)
        folder = "link"
    if way == "a link to the file":
        folder = "out"
        Path("out").mkdir()
        os.link(victim, "out/a_labels.ome.tif")
    before = victim.read_bytes()
    status = seedbed_run("a.ome.tif", "a_labels.ome.tif", folder=folder, options=["--overwrite"])
    assert status == FAILED
    assert victim.read_bytes() == before
    first, second = summary(folder)["inputs"]
    assert "would replace a_labels.ome.tif, which is an input of this run" in first["error"]
    assert second["outputs"]["labels"] == "a_labels_labels.ome.tif"


def test_nothing_of_other_programs_is_replaced(place, capsys):
    Path("out").mkdir()
    Path("out/a_objects.csv").write_text("mine")
    Path("out/b_labels.ome.tif").symlink_to("nowhere")
    before = contents()
    assert seedbed_run("a.ome.tif", "b.ome.tif", options=["--overwrite"]) == FAILED
    assert results() == before
    assert str(Path("out/b_labels.ome.tif").readlink()) == "nowhere"
    for entry in summary()["inputs"]:
        assert "summary.json does not list it" in entry["error"]
    for text in ("mine", '{"version": 1}', "[]", '{"version": "1", "recipe": "", "inputs": [1]}'):
        Path("out/summary.json").write_text(text)
        assert seedbed_run("a.ome.tif", options=["--overwrite"]) == FAILED
        assert "was not made by seedbed" in capsys.readouterr().err
        assert Path("out/summary.json").read_text() == text


def test_each_field_of_a_plate_is_an_input(place):
    write_plate(place / "plate.zarr", 0.5)
    image = read_image("plate.zarr", series=2)
    labels = run("label", {"image": image})
    save_recipe("objects.yaml", recipe_from_record(labels.record))
    options = ["--series", "all"]
    assert seedbed_run("plate.zarr", "a.ome.tif", "gone.tif", options=options) == FAILED
    entries = summary()["inputs"]
    titles = ["A/1 field 1", "A/1 field 2", "B/03 field 1", "B/03 field 2"]
    assert [entry.get("image") for entry in entries] == [*titles, None, None]
    assert [bool(entry["error"]) for entry in entries] == [False] * 5 + [True]
    assert entries[2]["outputs"]["labels"] == "plate_3_labels.ome.tif"
    with Path("out/objects.csv").open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert list(rows[0])[:3] == ["file", "image", "well"]
    assert [row["image"] for row in rows[:4]] == titles
    assert [row["well"] for row in rows[:5]] == ["A1", "A1", "B03", "B03", ""]
    for number in (1, 2, 3, 4):
        whole = read_image("plate.zarr", series=number).array > 0
        found = read_image(f"out/plate_{number}_labels.ome.tif").array
        np.testing.assert_array_equal(np.squeeze(found) > 0, np.squeeze(whole))


def test_some_fields_of_a_plate(place, capsys):
    write_plate(place / "plate.zarr", 0.5)
    labels = run("label", {"image": read_image("plate.zarr", series=2)})
    save_recipe("objects.yaml", recipe_from_record(labels.record))
    assert seedbed_run("plate.zarr", options=["--series", "1,3-4"]) == DONE
    assert [entry["series"] for entry in summary()["inputs"]] == [1, 3, 4]
    assert seedbed_run("plate.zarr", folder="other", options=["--series", "3-6"]) == WRONG_USE
    assert "5, 6 asked for, but plate.zarr holds the images 1, 2, 3, 4" in capsys.readouterr().err


def joined_rows(folder="out", name="objects.csv"):
    with Path(folder, name).open(encoding="utf-8") as file:
        return list(csv.DictReader(file))


def test_classes_of_marks_of_a_classifier_and_of_tables(place, squares):
    """They stand in the tables of inputs, and before the measurements in the joined one."""
    boxes = {"round": (3, 3), "flat": (3, 20), "": (18, 30)}
    features = [
        {
            "type": "Feature",
            "properties": {"classification": {"name": name}} if name else {},
            "geometry": {
                "type": "Polygon",
                "coordinates": [[[x + 1, y + 1], [x + 4, y + 1], [x + 4, y + 4], [x + 1, y + 1]]],
            },
        }
        for name, (y, x) in boxes.items()
    ]
    Path("marks").mkdir()
    for name in ("a", "b"):
        told = {"type": "FeatureCollection", "features": features[: 3 if name == "a" else 2]}
        Path("marks", f"{name}.geojson").write_text(json.dumps(told))
    marks = np.zeros(squares.shape, np.uint8)
    marks[5, 5], marks[5, 24] = 1, 2
    grown = run("seeded_watershed", {"image": squares, "seeds": Image(marks, ("y", "x"))})
    save_recipe("objects.yaml", recipe_from_record(grown.record))
    assert seedbed_run("a.ome.tif", "b.ome.tif", options=["--seeds", "marks"]) == DONE
    rows = joined_rows()
    assert list(rows[0])[:3] == ["file", "class", "label"]
    assert [(row["file"][0], row["label"], row["class"]) for row in rows] == [
        ("a", "1", "round"),
        ("a", "2", "flat"),
        ("a", "3", ""),
        ("b", "1", "round"),
        ("b", "2", "flat"),
    ]

    # the labels of classes are their classes, and objects of one class are of that
    write_image("c.ome.tif", squares)
    marks[0, :], marks[5, 24] = 3, 1
    sizes = {"n_scales": 1, "n_trees": 5, "min_size": 0}
    for result, wanted in (("classes", {"1": "1", "3": "3"}), ("objects", {"1": "1", "2": "1"})):
        values = sizes | {"result": result, "object_class": 1}
        drawn = Image(marks, ("y", "x"))
        made = run("pixel_classification", {"image": squares, "seeds": drawn}, values)
        save_recipe("objects.yaml", recipe_from_record(made.record))
        assert seedbed_run("a.ome.tif", "c.ome.tif", folder=result) == DONE
        told = {row["label"]: row["class"] for row in joined_rows(result)}
        assert wanted.items() <= told.items()

    # tables of another program, for measurements of labels
    mask = run("threshold", {"image": squares}).image("mask")
    found = run("label", {"image": mask}).image("labels")
    film = Image(np.stack([found.array, found.array]), ("t", "y", "x"))
    for name in ("a", "b"):
        write_image(f"film_{name}.ome.tif", film)
    save_recipe("objects.yaml", recipe_from_record(run("measure", {"image": film}).record))
    Path("tables").mkdir()
    Path("tables/film_a.csv").write_text(
        "object_id,timestep,labelimage_oid,Predicted Class\n0,0,1,early\n1,1,1,late\n2,1,3,late\n"
    )
    Path("tables/film_b_table.csv").write_text("label,class\n2,always\n")
    options = ["--classes", "tables"]
    inputs = ("film_a.ome.tif", "film_b.ome.tif")
    assert seedbed_run(*inputs, folder="films", options=options) == DONE
    rows = joined_rows("films", "table.csv")
    assert list(rows[0])[:4] == ["file", "time_point", "class", "label"]
    classes = {
        (row["file"][5], int(row["time_point"]), int(row["label"])): row["class"]
        for row in rows
        if row["class"]
    }
    assert classes == {
        ("a", 0, 1): "early",
        ("a", 1, 1): "late",
        ("a", 1, 3): "late",
        ("b", 0, 2): "always",
        ("b", 1, 2): "always",
    }
    Path("tables/film_b_table.csv").write_text("label,area\n2,3\n")
    assert seedbed_run(*inputs, folder="wrong", options=options) == FAILED
    assert "this one has label, area" in summary("wrong")["inputs"][1]["error"]
    Path("tables/film_b_table.csv").unlink()
    assert seedbed_run(*inputs, folder="missing", options=options) == FAILED
    said = summary("missing")["inputs"][1]["error"]
    assert "no single file of classes for film_b.ome.tif: none" in said
    assert said.endswith("Call it film_b_table.csv or the like.")


def test_summary_keeps_what_earlier_runs_made(place):
    assert seedbed_run("a.ome.tif") == DONE
    before = contents()
    assert seedbed_run("a.ome.tif") == FAILED
    assert contents() == before
    assert seedbed_run("b.ome.tif", "none.tif", "a.ome.tif") == FAILED
    now = summary()
    assert [bool(entry["error"]) for entry in now["inputs"]] == [False, True, True]
    (old,) = now["earlier"]
    assert (old["input"], old["objects"], old["recipe"]) == ("a.ome.tif", 3, "objects.yaml")
    assert seedbed_run("a.ome.tif", "b.ome.tif", options=["--overwrite"]) == DONE
    assert (len(summary()["inputs"]), summary()["earlier"]) == (2, [])


def test_what_killed_runs_have_left_is_removed(place):
    Path("out").mkdir()
    gone = subprocess.Popen([sys.executable, "-c", ""])
    gone.wait()
    part = atomic_files._part_name("a.tif")
    dead = part.replace(f".{os.getpid()}-", f".{gone.pid}-")
    elsewhere = part.replace(atomic_files._machine(), "abcdef")
    Path("out", part).touch()
    Path("out", dead).mkdir()
    Path("out", dead, "a_labels.ome.tif").touch()
    for name in (elsewhere, elsewhere.replace(".part", "0.part"), ".notes-1.part"):
        Path("out", name).touch()
    reused = part.replace("a.tif", "b.tif")
    Path("out", reused).touch()
    os.utime(Path("out", reused), (1e9, 1e9))
    old = elsewhere.replace("a.tif", "b.tif")
    Path("out", old).touch()
    os.utime(Path("out", old), (1e9, 1e9))
    assert seedbed_run("a.ome.tif") == DONE
    assert hidden() == {part, elsewhere, elsewhere.replace(".part", "0.part"), ".notes-1.part"}


ENCODINGS = {
    "cp1252": {"PYTHONIOENCODING": "cp1252"},
    "C": {"LC_ALL": "C", "PYTHONCOERCECLOCALE": "0", "PYTHONUTF8": "0"},
    "UTF-8": {"PYTHONUTF8": "1"},
}


@pytest.mark.parametrize("encoding", ENCODINGS)
def test_names_that_streams_and_disks_do_not_take(place, encoding):
    names = ["kern_ä_→_🔬", "\x1b[31mred\rone\ntwo", "\udcff\udcfe", "x" * 245]
    inputs = [f"{name}.ome.tif".encode("utf-8", "surrogateescape") for name in names]
    for name in inputs:
        shutil.copy(b"b.ome.tif", name)
    inputs += [b"y" * 300, b"a.ome.tif"]
    done = subprocess.run(
        [*COMMAND, "run", "objects.yaml", *inputs, "-o", "out"],
        env={**os.environ, **ENCODINGS[encoding]},
        capture_output=True,
    )
    shown = done.stdout + done.stderr
    assert done.returncode == FAILED
    assert b"Traceback" not in shown
    assert not [sign for sign in shown if sign < 32 and sign != ord("\n")]
    assert b"\\x1b[31mred\\rone\\ntwo.ome.tif: " in done.stdout
    entries = summary()["inputs"]
    named = [entry["input"].encode("utf-8", "surrogateescape") for entry in entries]
    assert named == inputs
    assert [entry["objects"] for entry in entries] == [2, 2, 2, None, None, 3]
    assert all("name is too long" in entry["error"] for entry in entries[3:5])
    assert len(results()) == 8
    for command in (["info", inputs[1]], ["score", inputs[1], inputs[1]], ["list"]):
        done = subprocess.run(
            [*COMMAND, *command], env={**os.environ, **ENCODINGS[encoding]}, capture_output=True
        )
        assert (done.returncode, done.stderr) == (DONE, b"")
        assert not [sign for sign in done.stdout if sign < 32 and sign != ord("\n")]


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="there is no /dev/full")
def test_streams_that_are_full_closed_or_left(place):
    def status(command, redirection):
        line = f"{sys.executable} -m napari_seedbed.pipeline.cli {command} {redirection}"
        done = subprocess.run(["bash", "-c", line], capture_output=True, text=True)
        assert "Traceback" not in done.stderr
        assert "Exception ignored" not in done.stderr
        return done.returncode, done.stderr

    expected = {
        "> /dev/full": (FAILED, "seedbed: standard output could not be written: the disk is full"),
        "2> /dev/full": (DONE, ""),
        ">&- 2>&- <&-": (DONE, ""),
        "| true; exit ${PIPESTATUS[0]}": (DONE, ""),
    }
    for number, (redirection, (code, said)) in enumerate(expected.items()):
        command = f"run objects.yaml a.ome.tif b.ome.tif -o {number}"
        found, errors = status(command, redirection)
        assert (found, said in errors) == (code, True)
        assert [entry["objects"] for entry in summary(str(number))["inputs"]] == [3, 2]
        assert not summary(str(number))["cancelled"]
    for command in ("list", "--help", "info a.ome.tif", "score a.ome.tif a.ome.tif --json"):
        for redirection, (code, said) in expected.items():
            found, errors = status(command, redirection)
            assert (found, said in errors) == (code, True), (command, redirection)


def test_recipe_for_pictures_runs_on_every_slice(place, squares, capsys):
    """The volume's results are those of its slices, one beside the other."""
    planes = [squares.array + np.uint8(1), np.zeros_like(squares.array), np.flip(squares.array, 1)]
    planes[1][5:9, 5:9] = 77
    volume = Image(np.stack(planes), ("z", "y", "x"), (3, 0.5, 0.5), ("micrometer",) * 3)
    write_image("v.ome.tif", volume)
    Path("folder").mkdir()
    assert seedbed_run("v.ome.tif", "folder") == FAILED
    said = capsys.readouterr().err
    assert "on every slice by itself with --by-slice" in said
    assert "folder is a folder. Name the images in it" in said
    assert "--stack z, t or c" in said
    for z, plane in enumerate(planes):
        flat = Image(plane, ("y", "x"), (0.5, 0.5), ("micrometer",) * 2)
        write_image(f"s{z}.ome.tif", flat)
    assert seedbed_run("s0.ome.tif", "s1.ome.tif", "s2.ome.tif", folder="flat") == DONE
    assert seedbed_run("v.ome.tif", "a.ome.tif", options=["--by-slice"]) == DONE
    found = read_image("out/v_labels.ome.tif")
    single = [read_image(f"flat/s{z}_labels.ome.tif").array for z in range(3)]
    np.testing.assert_array_equal(found.array, single)
    assert (found.spacing, found.axes) == (volume.spacing, volume.axes)
    tables = [Path(f"flat/s{z}_objects.csv").read_text().splitlines() for z in range(3)]
    rows = [f"{z},{row}" for z, table in enumerate(tables) for row in table[1:]]
    written = Path("out/v_objects.csv").read_text().splitlines()
    assert written == [f"slice,{tables[0][0]}", *rows]
    first, second = summary()["inputs"]
    assert (first["objects"], second["objects"]) == (7, 3)
    assert any("slices was worked on by itself" in note for note in first["notes"])


def test_points_and_tables_of_slices(recipe, cells, rng):
    stack = Image(rng.integers(0, 3, (2, 40, 50)).astype(np.uint8), ("z", "y", "x"))
    spots = recipe_from_record(run("local_maxima", {"image": slice_of(stack, 0)}).record)
    parts = [replay(spots, slice_of(stack, z)).points().points for z in range(2)]
    expected = np.column_stack([np.repeat([0, 1], list(map(len, parts))), np.concatenate(parts)])
    np.testing.assert_array_equal(replay_by_slice(spots, stack).points().points, expected)
    sizes = recipe_from_record(run("measure", {"image": slice_of(stack, 0)}).record)
    tables = [replay(sizes, slice_of(stack, z)).table().columns for z in range(2)]
    columns = replay_by_slice(sizes, stack).table().columns
    assert list(columns) == ["slice", *tables[0]]
    for name in tables[0]:
        both = np.concatenate([table[name] for table in tables])
        np.testing.assert_array_equal(columns[name], both)
    np.testing.assert_array_equal(columns["slice"], np.repeat([0, 1], 2))
    with pytest.raises(RecipeError, match="made on a volume; run it without"):
        replay_by_slice(recipe, cells)
    flat = slice_of(cells, 0)
    marks = np.zeros(flat.shape, np.int32)
    marks[0], marks[-1] = 1, 2
    marked = run("random_walker", {"image": flat, "seeds": Image(marks, flat.axes)})
    with pytest.raises(RecipeError, match=r"starts from marks on one picture.*mark it there"):
        replay_by_slice(recipe_from_record(marked.record), cells)


HEARING = "import signal; signal.signal(signal.SIGHUP, signal.SIG_DFL)"

SLOW = """
import sys, time
from napari_seedbed.pipeline.batch import items as batch
from napari_seedbed.pipeline.cli import commands as cli
write = batch.write_result
def slow(path, kind, result):
    time.sleep(60 if path.name[0] == "b" and kind == "table" else 0)
    return write(path, kind, result)
batch.write_result = slow
sys.exit(cli.main())
"""


@pytest.mark.timing
@pytest.mark.parametrize("name", ["SIGTERM", "SIGINT", "SIGHUP", "SIGKILL"])
def test_signal_ends_what_does_not_listen(place, name):
    """While the second input is written; what it leaves is removed by the next run."""
    number = getattr(signal, name)
    inputs = ["a.ome.tif", "b.ome.tif"]
    # Tests that nohup began ignore a hangup, and so would what they begin.
    command = [sys.executable, "-c", HEARING + SLOW, "run", "objects.yaml", *inputs, "-o", "out"]
    running = subprocess.Popen(command, stderr=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    half = "out/.results-*.part/b_labels.ome.tif"
    deadline = time.monotonic() + 120
    while not list(Path().glob(half)) and time.monotonic() < deadline:
        time.sleep(0.05)
    start = time.monotonic()
    running.send_signal(number)
    said, errors = running.communicate(timeout=60)
    assert time.monotonic() - start < bound(2)
    assert running.returncode == (-number if name == "SIGKILL" else INTERRUPTED)
    assert errors.endswith("seedbed: cancelled.\n") or name == "SIGKILL"
    assert "a_labels.ome.tif" in said
    assert summary()["cancelled"]
    assert [(entry["input"], entry["objects"]) for entry in summary()["inputs"]] == [(inputs[0], 3)]
    assert sorted(results("a_")) == ["a_labels.ome.tif", "a_objects.csv"]
    assert results("b_") == {}
    assert seedbed_run(*inputs, options=["--overwrite"]) == DONE
    assert hidden() == set()
    assert [entry["objects"] for entry in summary()["inputs"]] == [3, 2]
