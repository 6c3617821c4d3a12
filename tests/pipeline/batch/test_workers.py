"""Batches on several processes, ended in the middle, and gone on with."""

import csv
import json
import os
import signal
import subprocess
import sys
import time
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import psutil
import pytest
from distributed import Client

from napari_seedbed.core.progress import running
from napari_seedbed.errors import InputError
from napari_seedbed.pipeline.batch import Workers, run_batch, workers
from napari_seedbed.pipeline.batch.result_folder import ResultFolder
from napari_seedbed.pipeline.cli import DONE, FAILED, WRONG_USE, main
from napari_seedbed.pipeline.data import memory
from napari_seedbed.pipeline.data.image import Image
from napari_seedbed.pipeline.engine import local_workers
from napari_seedbed.pipeline.engine.forecasts import forecast
from napari_seedbed.pipeline.files import read_image, write_image
from napari_seedbed.pipeline.operations import run
from napari_seedbed.pipeline.recipes import load_recipe, recipe_from_record, save_recipe

COMMAND = (sys.executable, "-m", "napari_seedbed.pipeline.cli")
N_FILES = 8


def squares(n):
    """A noisy picture with n bright squares of n + 3 pixels a side."""
    side = n + 3
    array = np.random.default_rng(n).integers(0, 30, (120, 20 * N_FILES)).astype(np.uint8)
    for i in range(n):
        array[10 : 10 + side, 20 * i + 2 : 20 * i + 2 + side] = 200
    return Image(array, ("y", "x"), (0.5, 0.5), ("micrometer",) * 2, name=f"s{n}")


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """A folder with s1.ome.tif, s2.ome.tif and so on, and recipes."""
    folder = tmp_path_factory.mktemp("batch")
    for n in range(1, N_FILES + 1):
        write_image(folder / f"s{n}.ome.tif", squares(n))
    smooth = run("median", {"image": squares(3)}, {"radius": 0.5}).image("image")
    mask = run("threshold", {"image": smooth}).image("mask")
    labels = run("label", {"image": mask}).image("labels")
    sizes = run("measure", {"image": labels, "other": squares(3)}).table()
    slow = run("non_local_means", {"image": squares(3)}).image("image")
    slow_labels = run("label", {"image": run("threshold", {"image": slow}).image("mask")})
    for name, record in (
        ("objects", labels.record),
        ("sizes", sizes.record),
        ("slow", slow_labels.record),
    ):
        save_recipe(folder / f"{name}.yaml", recipe_from_record(record))
    return folder


@pytest.fixture
def place(made, tmp_path, monkeypatch):
    """An empty folder for results; the command line runs among the pictures."""
    monkeypatch.chdir(made)
    return tmp_path / "out"


INPUTS = [f"s{n}.ome.tif" for n in range(1, N_FILES + 1)]


def seedbed_run(recipe, folder, *options, inputs=INPUTS):
    return main(["run", f"{recipe}.yaml", *inputs, "-o", str(folder), "-q", *options])


def summary(folder):
    return json.loads((folder / "summary.json").read_text("utf-8"))


def rows(path):
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def dates(folder):
    return {path.name: path.stat().st_mtime_ns for path in folder.glob("s[0-9]*")}


def assert_all_there(folder):
    """The squares of each picture were found, and the tables say so."""
    for n in range(1, N_FILES + 1):
        assert read_image(folder / f"s{n}_labels.ome.tif").array.max() == n
        assert len(rows(folder / f"s{n}_objects.csv")) == n
    told = summary(folder)
    assert [entry["input"] for entry in told["inputs"]] == INPUTS
    assert [entry["objects"] for entry in told["inputs"]] == list(range(1, N_FILES + 1))
    assert not told["cancelled"]
    assert not list(folder.glob(".*"))


def test_two_workers_give_what_one_process_gives(place):
    """Also where one input is damaged; the rows of all tables stand in one, with their file."""
    Path("broken.tif").write_bytes(b"II*\0 nothing")
    inputs = [*INPUTS[:4], "broken.tif", *INPUTS[4:]]
    alone = place.with_name("alone")
    assert seedbed_run("sizes", alone, inputs=inputs) == FAILED
    assert seedbed_run("sizes", place, "--workers", "2", inputs=inputs) == FAILED
    for n in range(1, N_FILES + 1):
        one, other = (read_image(f / f"s{n}_labels.ome.tif") for f in (alone, place))
        np.testing.assert_array_equal(one.array, other.array)
    joined = (place / "table.csv").read_bytes()
    assert joined == (alone / "table.csv").read_bytes()
    expected = [
        {"file": name, **row}
        for name in INPUTS
        for row in rows(place / name.replace(".ome.tif", "_table.csv"))
    ]
    assert rows(place / "table.csv") == expected
    assert len(expected) == N_FILES * (N_FILES + 1) / 2
    told = summary(place)
    assert [entry["input"] for entry in told["inputs"]] == inputs
    assert told["outputs"] == {"table": "table.csv", "page": "summary.html"}
    assert [bool(entry["error"]) for entry in told["inputs"]].index(True) == 4
    page = (place / "summary.html").read_text("utf-8")
    assert page.index("broken.tif") < page.index("s1.ome.tif")
    assert page.count("data:image/jpeg;base64,") == N_FILES
    assert "http" not in page


KILLED = """
import os, sys
from pathlib import Path
from napari_seedbed.pipeline.batch import items
from napari_seedbed.pipeline.cli import commands as cli
from napari_seedbed.pipeline.files import atomic_files
where = sys.argv.pop(1)
last = Path(sys.argv[sys.argv.index("-o") + 1], "s4_objects.csv")
write, replace = items.write_result, Path.replace
def ending_write(path, kind, result):
    if where == "writing" and path.name.startswith("s4") and kind == "table":
        os.kill(os.getpid(), 9)
    return write(path, kind, result)
def ending_replace(self, target):
    if where == "moving" and Path(target) == last:
        os.kill(os.getpid(), 9)
    return replace(self, target)
items.write_result, Path.replace = ending_write, ending_replace
sys.exit(cli.main())
"""


@pytest.mark.parametrize("where", ["writing", "moving"])
def test_killed_run_is_gone_on_with(place, where, capsys):
    """Only what is unfinished is made again, and nothing that a person changed is lost."""
    command = [sys.executable, "-c", KILLED, where]
    run_command = ["run", "objects.yaml", *INPUTS, "-o", str(place), "--workers", "1"]
    killed = subprocess.run([*command, *run_command], capture_output=True)
    assert killed.returncode == -signal.SIGKILL
    before = dates(place)
    assert ("s4_labels.ome.tif" in before) == (where == "moving")
    assert "s4_objects.csv" not in before
    assert seedbed_run("objects", place, inputs=INPUTS[:3]) == FAILED
    assert dates(place) == before
    assert seedbed_run("objects", place, "--resume") == DONE
    assert_all_there(place)
    assert [entry.get("resumed", False) for entry in summary(place)["inputs"]] == [
        number < 3 for number in range(N_FILES)
    ]
    now = dates(place)
    assert {name for name in before if before[name] == now[name]} == {
        f"s{n}_{what}" for n in (1, 2, 3) for what in ("labels.ome.tif", "objects.csv")
    }
    (place / "s2_objects.csv").write_text("mine")
    Path(place / "s3_labels.ome.tif").unlink()
    assert seedbed_run("objects", place, "--resume") == FAILED
    assert "s2_objects.csv was changed since seedbed made it" in capsys.readouterr().err
    assert (place / "s2_objects.csv").read_text() == "mine"
    assert read_image(place / "s3_labels.ome.tif").array.max() == 3
    assert seedbed_run("slow", place, "--resume", inputs=INPUTS[:1]) == FAILED
    assert "were made from another recipe" in capsys.readouterr().err
    assert seedbed_run("objects", place, "--resume", "--overwrite") == DONE
    assert_all_there(place)


def test_folder_in_use_is_refused(place, capsys):
    with ResultFolder(place, [], "first"):
        assert seedbed_run("objects", place) == WRONG_USE
    said = capsys.readouterr().err
    assert f"another run of seedbed (process {os.getpid()} on " in said
    assert seedbed_run("objects", place) == DONE


def children(process):
    """Processes of workers that a command has begun: copies of one process, or started anew."""
    found = psutil.Process(process.pid).children(recursive=True)
    return [
        one
        for one in found
        if "spawn_main" in (said := " ".join(one.cmdline()))
        or ("forkserver" in said and one.parent().cmdline() == one.cmdline())
    ]


def wait_for(condition, process, seconds=120):
    deadline = time.monotonic() + seconds
    while not condition():
        assert process.poll() is None, process.communicate()
        assert time.monotonic() < deadline
        time.sleep(0.02)


def test_worker_that_is_killed_and_run_that_is_ended(place):
    """Another worker does its files; a signal ends all processes, and the run goes on later."""
    command = [*COMMAND, "run", "slow.yaml", *INPUTS, "-o", str(place), "--workers", "2"]
    running = subprocess.Popen(command, stderr=subprocess.PIPE, stdout=subprocess.PIPE)
    wait_for(lambda: list(place.glob("s*_objects.csv")), running)
    children(running)[0].kill()
    wait_for(lambda: len(list(place.glob("s*_objects.csv"))) >= 3, running)
    processes = children(running)
    running.send_signal(signal.SIGINT)
    running.communicate(timeout=60)
    assert running.returncode == 130
    psutil.wait_procs(processes, timeout=30)
    assert not any(process.is_running() for process in processes)
    assert summary(place)["cancelled"]
    n_there = len(list(place.glob("s*_objects.csv")))
    assert n_there < N_FILES
    killed = subprocess.Popen([*command, "--resume"], stderr=subprocess.PIPE)
    wait_for(lambda: children(killed), killed)
    processes = psutil.Process(killed.pid).children(recursive=True)
    killed.kill()
    killed.communicate()
    psutil.wait_procs(processes, timeout=30)
    assert not any(process.is_running() for process in processes)
    logs = [json.loads(path.read_text("utf-8")) for path in (place / "logs").glob("*.json")]
    n_there = sum(not log["is_moving"] for log in logs)
    assert seedbed_run("slow", place, "--resume") == DONE
    assert_all_there(place)
    assert sum("resumed" in entry for entry in summary(place)["inputs"]) == n_there


def test_run_whose_scheduler_ends_is_gone_on_with(place):
    """What was not reported fails by name, nothing hangs, and none of dask's own words appear."""
    command = [*COMMAND, "run", "slow.yaml", *INPUTS, "-o", str(place), "--workers", "2", "-q"]
    running = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
    wait_for(lambda: list(place.glob("s*_objects.csv")), running)
    (scheduler,) = psutil.Process(running.pid).children()
    scheduler.kill()
    _, said = running.communicate(timeout=120)
    assert running.returncode == FAILED
    failed = [entry["input"] for entry in summary(place)["inputs"] if entry["error"]]
    assert failed
    *lines, last = said.splitlines()
    assert sorted(lines) == [
        f"seedbed: {name}: The scheduler of the workers ended in the middle; run again with "
        "--resume."
        for name in failed
    ]
    assert last == f"seedbed: {len(failed)} of {N_FILES} inputs failed."
    assert seedbed_run("slow", place, "--resume") == DONE
    assert_all_there(place)


@contextmanager
def dask(*arguments):
    """A command of dask."""
    process = subprocess.Popen(
        [sys.executable, "-m", "dask", *arguments],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        yield process
    finally:
        process.terminate()
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            process.kill()


def test_workers_of_a_scheduler(place, tmp_path, capsys):
    """One of the two is killed in the middle; the client sends no voxels."""
    about = tmp_path / "scheduler.json"
    worker = ("worker", "--scheduler-file", str(about), "--nthreads", "1", "--no-dashboard")
    scheduler = ("scheduler", "--port", "0", "--host", "127.0.0.1", "--no-dashboard")
    with (
        dask(*scheduler, "--scheduler-file", str(about)) as first,
        dask(*worker, "--no-nanny") as victim,
        dask(*worker, "--no-nanny"),
    ):
        wait_for(lambda: about.exists() and about.stat().st_size, first)
        address = json.loads(about.read_text())["address"]
        command = [*COMMAND, "run", "slow.yaml", *INPUTS, "-o", str(place)]
        running = subprocess.Popen(
            [*command, "--scheduler", address], stderr=subprocess.PIPE, stdout=subprocess.PIPE
        )
        wait_for(lambda: list(place.glob("s*_objects.csv")), running)
        victim.kill()
        _, errors = running.communicate(timeout=300)
        assert running.returncode == DONE, errors
        assert_all_there(place)
    assert seedbed_run("slow", place, "--scheduler", address, "--overwrite") == WRONG_USE
    assert f"no dask scheduler answers at {address}" in capsys.readouterr().err


@pytest.fixture
def counts(monkeypatch):
    """Workers are threads of this process; how many were asked for, each time."""
    found = []

    @contextmanager
    def client_of_threads(scheduler, count):
        found.append(count)
        with Client(processes=False, n_workers=1, dashboard_address=None) as client:
            yield client

    monkeypatch.setattr(workers, "_client", client_of_threads)
    return found


@pytest.mark.parametrize(
    ("recipe", "count", "status"),
    [("objects", "2", DONE), ("objects", "9", DONE), ("no_such_recipe", "2", WRONG_USE)],
    ids=["begun at once", "not so many inputs", "begun in vain"],
)
def test_workers_begin_before_all_else_is_imported(place, monkeypatch, recipe, count, status):
    """One cluster is begun, and ended, whether it is needed in the end or not."""
    begun = []

    def begin(count, of=local_workers._begin):
        begun.append((count, of(count)))
        return begun[-1][1]

    monkeypatch.setattr(local_workers, "_begin", begin)
    assert seedbed_run(recipe, place, "--workers", count) == status
    ((started, process),) = begun
    assert started == min(int(count), N_FILES)
    assert process.returncode is not None
    assert not local_workers._begun


def test_progress_goes_on_where_workers_take_over(place, monkeypatch, counts):
    """All inputs count, also those that were done before."""
    monkeypatch.setattr(workers, "_WORTH", 1e-9)
    monkeypatch.setattr(workers, "core_count", lambda: 2)
    told = []
    with running(report=told.append):
        run_batch(load_recipe("objects.yaml"), INPUTS, place, workers=Workers(None))
    assert counts == [2]
    assert_all_there(place)
    # workers in threads of this process tell of their steps, too
    overall = ("starting workers", *(f"{n} of {N_FILES} inputs" for n in range(1, N_FILES + 1)))
    assert [(one.fraction, one.message) for one in told if one.message in overall] == [
        (1 / N_FILES, "starting workers"),
        *((n / N_FILES, f"{n} of {N_FILES} inputs") for n in range(2, N_FILES + 1)),
    ]


def test_inputs_too_large_beside_others_are_done_alone(place, monkeypatch, counts):
    """Memory for one of these inputs, not for two at a time."""
    recipe = load_recipe("objects.yaml")
    needed = forecast("median", {"image": squares(3)}, {"radius": 0.5}).bytes
    monkeypatch.setattr(
        memory, "available_memory", lambda: 3 * needed // 2 // memory._sharers.get()
    )
    done = []
    run_batch(recipe, INPUTS, place, workers=Workers(2), on_done=done.append)
    assert counts == [2]
    assert_all_there(place)
    assert [entry["input"] for entry in done] == INPUTS
    for count in (0, -1):
        with pytest.raises(InputError, match=f"workers: {count} given"):
            Workers(count)
    with pytest.raises(InputError, match="leave one of the two out"):
        Workers(2, scheduler="tcp://127.0.0.1:1")
