"""The command line: what it writes, what it says and its exit status."""

import csv
import json
import signal
import subprocess
import sys
import threading
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from napari_seedbed.pipeline.batch import items as batch
from napari_seedbed.pipeline.cli import DONE, FAILED, INTERRUPTED, WRONG_USE, main
from napari_seedbed.pipeline.cli import commands as cli
from napari_seedbed.pipeline.files import read_image, write_image
from napari_seedbed.pipeline.operations import operations, run
from napari_seedbed.pipeline.recipes import recipe_from_record, save_recipe


@pytest.fixture
def workplace(tmp_path, recipe, cells):
    save_recipe(tmp_path / "recipe.yaml", recipe)
    write_image(tmp_path / "cells.ome.tif", cells)
    return tmp_path


@pytest.fixture
def seedbed(workplace, monkeypatch):
    """Run ``seedbed`` in the folder that holds recipe.yaml and cells.ome.tif."""
    monkeypatch.chdir(workplace)

    def call(*arguments):
        return main([str(argument) for argument in arguments])

    return call


def summary(folder="out"):
    return json.loads(Path(folder, "summary.json").read_text("utf-8"))


def contents(folder="out"):
    return sorted(path.name for path in Path(folder).iterdir())


def test_list_shows_every_operation_and_parameter(capsys):
    assert main(["list"]) == DONE
    text = capsys.readouterr().out
    for operation in operations.values():
        assert operation.title in text
        for parameter in operation.parameters:
            assert f"    {parameter.name}   " in text


def test_list_puts_operations_under_the_headings_of_their_groups(capsys):
    assert main(["list"]) == DONE
    text = capsys.readouterr().out
    places = [text.index(f"== {group} ==") for group in ("Smoothing", "Edges", "Segmentation")]
    names = [text.index(f"\n{name} ") for name in ("gaussian", "edge_map", "random_walker")]
    assert places == sorted(places)
    assert names == sorted(names)
    assert places[0] < names[0] < places[1] < names[1] < places[2] < names[2]


def test_list_as_json_is_the_declarations(capsys):
    assert main(["list", "--json"]) == DONE
    data = {entry["name"]: entry for entry in json.loads(capsys.readouterr().out)}
    assert data.keys() == operations.keys()
    names = [parameter["name"] for parameter in data["random_walker"]["parameters"]]
    assert names == [parameter.name for parameter in operations["random_walker"].parameters]


def test_run_writes_labels_probabilities_table_and_summary(seedbed, segmented, capsys):
    assert seedbed("run", "recipe.yaml", "cells.ome.tif", "-o", "out") == DONE
    labels = read_image("out/cells_labels.ome.tif")
    expected = segmented.outputs["labels"]
    np.testing.assert_array_equal(labels.array, expected.array)
    assert (labels.spacing, labels.units) == (expected.spacing, expected.units)
    for key in ("probabilities", "uncertainty"):
        written = read_image(f"out/cells_{key}.ome.tif").array
        np.testing.assert_array_equal(np.squeeze(written), segmented.outputs[key].array.squeeze())
    with Path("out/cells_objects.csv").open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert [int(row["label"]) for row in rows] == [1, 2, 3]
    (entry,) = summary()["inputs"]
    assert entry["objects"] == 3
    assert entry["error"] is None
    assert entry["seconds"] > 0
    assert entry["outputs"] == {
        "labels": "cells_labels.ome.tif",
        "probabilities": "cells_probabilities.ome.tif",
        "uncertainty": "cells_uncertainty.ome.tif",
        "objects": "cells_objects.csv",
    }
    assert contents() == sorted([*entry["outputs"].values(), "logs", "summary.json"])
    assert "3 objects" in capsys.readouterr().out


def test_time_series_has_its_objects_by_time_point(seedbed, cells, seeds, workplace):
    axes = ("t", *cells.axes)
    movie = replace(cells, array=np.stack([cells.array] * 2), axes=axes)
    marks = replace(seeds, array=np.stack([seeds.array, np.minimum(seeds.array, 2)]), axes=axes)
    result = run("random_walker", {"image": movie, "seeds": marks})
    save_recipe(workplace / "movie.yaml", recipe_from_record(result.record))
    write_image(workplace / "movie.ome.tif", movie)
    assert seedbed("run", "movie.yaml", "movie.ome.tif", "-o", "out") == DONE
    with Path("out/movie_objects.csv").open(encoding="utf-8") as file:
        rows = [(int(row["time_point"]), int(row["label"])) for row in csv.DictReader(file)]
    assert rows == [(0, 1), (0, 2), (0, 3), (1, 1), (1, 2)]
    assert summary()["inputs"][0]["objects"] == 5


def test_one_bad_input_does_not_stop_the_others(seedbed, workplace, cells, capsys):
    whole = (workplace / "cells.ome.tif").read_bytes()
    (workplace / "cut.tif").write_bytes(whole[: len(whole) // 2])
    write_image(workplace / "other.ome.tif", cells)
    status = seedbed("run", "recipe.yaml", "cut.tif", "none.tif", "other.ome.tif", "-o", "out")
    assert status == FAILED
    errors = [entry["error"] for entry in summary()["inputs"]]
    assert "cut off" in errors[0] or "damaged" in errors[0]
    assert "no such file" in errors[1]
    assert errors[2] is None
    lines = capsys.readouterr().err.splitlines()
    assert [line.split(":")[0] for line in lines] == ["seedbed"] * 3
    assert lines[-1].startswith("seedbed: 2 of 3 inputs failed")


def test_existing_results_are_replaced_only_when_asked(seedbed, capsys):
    assert seedbed("run", "recipe.yaml", "cells.ome.tif", "-o", "out") == DONE
    assert seedbed("run", "recipe.yaml", "cells.ome.tif", "-o", "out") == FAILED
    assert "--overwrite" in capsys.readouterr().err
    assert Path("out/cells_labels.ome.tif").exists()
    assert seedbed("run", "recipe.yaml", "cells.ome.tif", "-o", "out", "--overwrite") == DONE


def test_two_inputs_of_one_name_are_refused(seedbed, workplace, capsys):
    (workplace / "b").mkdir()
    assert seedbed("run", "recipe.yaml", "cells.ome.tif", "b/cells.tif", "-o", "out") == WRONG_USE
    assert "several files are called 'cells'" in capsys.readouterr().err


def test_pattern_that_the_shell_left_alone(seedbed):
    assert seedbed("run", "recipe.yaml", "*.ome.tif", "-o", "out", "-q") == DONE
    assert summary()["inputs"][0]["input"] == "cells.ome.tif"
    assert seedbed("run", "recipe.yaml", "*.png", "-o", "out") == WRONG_USE


def test_wrong_use_has_status_2(capsys):
    for arguments in ([], ["fly"], ["run"], ["run", "a.yaml"]):
        with pytest.raises(SystemExit) as stop:
            main(arguments)
        assert stop.value.code == WRONG_USE
    assert main(["run", "none.yaml", "a.tif", "-o", "out"]) == WRONG_USE
    assert "no such file" in capsys.readouterr().err


@pytest.mark.parametrize("command", [[], ["list"], ["run"], ["demo"], ["info"]])
def test_help_is_there(command, capsys):
    with pytest.raises(SystemExit) as stop:
        main([*command, "--help"])
    assert stop.value.code == DONE
    assert "usage: seedbed" in capsys.readouterr().out


def test_info_of_an_image(seedbed, capsys):
    assert seedbed("info", "cells.ome.tif") == DONE
    text = capsys.readouterr().out
    for part in ("Format      TIFF", "z 8, y 20, x 24", "uint16", "0.3 x 0.1 x 0.1 micrometer"):
        assert part in text


def test_info_of_a_recipe_has_the_methods_paragraph(seedbed, capsys):
    assert seedbed("info", "recipe.yaml") == DONE
    text = capsys.readouterr().out
    assert "Step 1    random_walker on image: beta " in text
    assert "Random walker (Grady 2006)" in text


def test_info_of_what_is_no_image(seedbed, workplace, capsys):
    (workplace / "a.tif").write_bytes(b"hello")
    assert seedbed("info", "a.tif") == FAILED
    assert capsys.readouterr().err.startswith("seedbed: a.tif could not be read")


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_interrupt_stops_cleanly_and_keeps_what_is_finished(
    seedbed, workplace, cells, monkeypatch, number
):
    write_image(workplace / "second.ome.tif", cells)
    real = batch.read_image

    def read_and_interrupt(path, **options):
        if path.name.startswith("second"):
            signal.raise_signal(number)
        return real(path, **options)

    monkeypatch.setattr(batch, "read_image", read_and_interrupt)
    status = seedbed("run", "recipe.yaml", "cells.ome.tif", "second.ome.tif", "-o", "out", "-q")
    assert status == INTERRUPTED
    assert summary()["cancelled"]
    assert [entry["input"] for entry in summary()["inputs"]] == ["cells.ome.tif"]
    assert not [name for name in contents() if name.startswith(("second", "."))]


def test_signals_are_given_back_afterwards(seedbed):
    numbers = (signal.SIGINT, signal.SIGTERM)
    before = [signal.getsignal(number) for number in numbers]
    seedbed("run", "recipe.yaml", "cells.ome.tif", "-o", "out", "-q")
    assert [signal.getsignal(number) for number in numbers] == before


def test_run_works_outside_the_main_thread(seedbed):
    statuses = []
    arguments = ("run", "recipe.yaml", "cells.ome.tif", "-o", "out", "-q")
    thread = threading.Thread(target=lambda: statuses.append(seedbed(*arguments)))
    thread.start()
    thread.join()
    assert statuses == [DONE]


def test_progress_only_on_a_terminal(seedbed, capsys, monkeypatch):
    seedbed("run", "recipe.yaml", "cells.ome.tif", "-o", "out")
    assert capsys.readouterr().err == ""
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    seedbed("run", "recipe.yaml", "cells.ome.tif", "-o", "out", "--overwrite")
    assert "%" in capsys.readouterr().err


def test_listing_loads_nothing_heavy():
    code = (
        "import sys; from napari_seedbed.pipeline.cli import main; main(['list']);"
        "print([m for m in ('numba', 'scipy', 'skimage', 'dask', 'napari', 'qtpy', 'tifffile')"
        " if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "[]"


def test_demo_segments_the_sample(tmp_path, samples, capsys):
    if not (samples / cli._SAMPLE_RECIPE).exists():
        pytest.skip("the sample recipe is not there")
    assert main(["demo", "-o", str(tmp_path / "demo")]) == DONE
    assert (tmp_path / "demo" / "nuclei_labels.ome.tif").exists()
    assert "objects" in capsys.readouterr().out
