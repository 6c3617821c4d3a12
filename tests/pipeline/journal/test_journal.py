"""The journal of a window, read back after every change."""

import errno
import os
import resource
import signal
import subprocess
import sys
import textwrap
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from napari_seedbed.errors import FileError
from napari_seedbed.pipeline.data.layer_description import LayerDescription
from napari_seedbed.pipeline.journal import journal as journal_module
from napari_seedbed.pipeline.journal import journal_file as journal_file_module
from napari_seedbed.pipeline.journal import kept_work as kept_work_module
from napari_seedbed.pipeline.journal.folders import earlier_works
from napari_seedbed.pipeline.journal.journal import Journal
from napari_seedbed.pipeline.journal.kept_work import read_work
from napari_seedbed.pipeline.journal.records import Record

SEEDS = LayerDescription("labels", None, {"name": "seeds"}, {"locked": False})
ROOM = 10**9


@pytest.fixture
def journal(tmp_path):
    journal = Journal(tmp_path, ROOM)
    yield journal
    journal.close()


def points(places):
    arrays = {"data": np.asarray(places, float)}
    data = {"$": "member", "name": "data"}
    return LayerDescription("points", data, {"name": "clicks"}, {}, arrays)


def kept(journal):
    return read_work(journal.folder)


def test_every_change_is_read_back(journal, rng, monkeypatch):
    monkeypatch.setattr(journal_module, "_SMALL", 20_000)
    truth = {}
    generations = set()
    for step in range(150):
        key = f"labels {rng.integers(3)}"
        action = rng.integers(6) if key in truth else 0
        if action == 0:
            # a layer comes, or other voxels take the place of its own
            shape = rng.integers(1, 40, rng.integers(2, 4))
            truth[key] = rng.integers(0, 2, shape).astype(rng.choice(["u1", "i4", "i8"]))
            journal.keep(key, SEEDS, marks=0, voxels=truth[key])
        elif action == 1:
            journal.drop(key)
            del truth[key]
        elif action == 2:
            corner = rng.integers(0, truth[key].shape)
            box = tuple(
                slice(a, min(a + 5, n)) for a, n in zip(corner, truth[key].shape, strict=True)
            )
            truth[key][box] = step
            journal.look(key, box)
        elif action == 3:
            truth[key][rng.random(truth[key].shape) < 0.3] = 0
            journal.look(key)
        elif action == 4:
            described = replace(SEEDS, attributes={"name": f"seeds {step}"})
            journal.keep(key, described, marks=0, voxels=truth[key])
        else:
            journal.keep("clicks", points(rng.random((step, 3))), marks=step)
        journal.arrange(sorted(truth, reverse=bool(step % 2)))
        if journal.folder is None:
            continue
        generations |= {one.name for one in journal.folder.glob("*.journal")}
        found = kept(journal)
        assert not found.damage.is_damaged
        labels = {key: one for key, one in found.layers.items() if one.voxels is not None}
        assert set(labels) == set(truth)
        assert [key for key in found.layers if key in truth] == sorted(
            truth, reverse=bool(step % 2)
        )
        for one, layer in labels.items():
            assert layer.voxels.dtype == truth[one].dtype
            np.testing.assert_array_equal(layer.voxels, truth[one])
        if action == 4:
            assert labels[key].values["attributes"]["name"] == f"seeds {step}"
        if action == 5:
            assert found.layers["clicks"].arrays["data"].shape == (step, 3)
    assert len(generations) > 3
    assert len(list(journal.folder.glob("*"))) == 2  # the journal and the lock


def test_only_what_changed_is_written(journal):
    voxels = np.zeros((64, 256, 256), np.int32)
    journal.keep("seeds", SEEDS, marks=0, voxels=voxels)
    sizes = []
    for nth in range(5):
        voxels[nth, 100:108, 100:108] = 1
        journal.look("seeds")
        journal.keep("seeds", SEEDS, marks=0, voxels=voxels)
        sizes.append(sum(one.stat().st_size for one in journal.folder.iterdir()))
    assert max(np.diff(sizes)) < 1000
    journal.look("seeds")
    assert sum(one.stat().st_size for one in journal.folder.iterdir()) == sizes[-1]


def test_changes_since_noted_are_told(journal, rng):
    voxels = rng.integers(0, 9, (30, 200))
    journal.note("nuclei", voxels)
    assert not journal.is_changed("nuclei")
    voxels[7, 7] += 1
    assert journal.is_changed("nuclei")
    assert journal.folder is None  # nothing was written yet


def test_a_full_disk_loses_nothing_that_was_kept_and_goes_on(journal, monkeypatch):
    voxels = np.zeros((50, 64, 64), np.int32)
    journal.keep("seeds", SEEDS, marks=0, voxels=voxels)
    voxels[:10] = 1
    journal.look("seeds")
    before = voxels.copy()
    noise = np.random.default_rng(1).integers(0, 1000, (40, 64, 64))
    voxels[10:] = noise
    (file,) = journal.folder.glob("*.journal")
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (file.stat().st_size + 5000, hard))
    try:
        with pytest.raises(FileError, match="Autosave could not write to"):
            journal.look("seeds")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    found = kept(journal)
    assert found.damage.has_torn_tail is False
    np.testing.assert_array_equal(found.layers["seeds"].voxels, before)
    journal.look("seeds")
    np.testing.assert_array_equal(kept(journal).layers["seeds"].voxels, voxels)


def test_where_a_new_file_cannot_be_opened_the_old_one_goes_on_to_count(journal, monkeypatch):
    voxels = np.zeros((4, 64, 64), np.int32)
    voxels[0] = 1
    journal.keep("seeds", SEEDS, voxels=voxels)
    with monkeypatch.context() as patched:
        patched.setattr(journal_module, "_SMALL", 0)
        patched.setattr(journal_module, "_GROWTH", 0)
        opened = Path.open

        def refused(self, mode="r", **more):
            if mode == "r+b":
                raise OSError(errno.EMFILE, "Too many open files")
            return opened(self, mode, **more)

        patched.setattr(Path, "open", refused)
        voxels[1] = 2
        with pytest.raises(FileError, match="Autosave could not write to"):
            journal.look("seeds")
    voxels[2] = 3
    journal.look("seeds")
    np.testing.assert_array_equal(kept(journal).layers["seeds"].voxels, voxels)


def test_voxels_that_are_kept_no_more_do_not_come_back(journal):
    about = LayerDescription("image", None, {"name": "cells"}, {})
    journal.keep("clicks", points([[1, 2, 3]]), marks=1)
    journal.keep("cells", about, voxels=np.ones((20, 30), np.uint8))
    assert kept(journal).layers["cells"].voxels.all()
    journal.keep("cells", about, source={"path": "a.tif"})
    found = kept(journal).layers["cells"]
    assert (found.voxels, found.source) == (None, {"path": "a.tif"})


def test_work_beyond_the_bound_is_refused_in_words_and_what_fits_is_kept(tmp_path, rng):
    journal = Journal(tmp_path, 200_000)
    voxels = np.zeros((64, 64, 64), np.uint16)
    journal.keep("seeds", SEEDS, marks=0, voxels=voxels)
    for _ in range(40):
        # overtaken strokes do not count
        voxels[0] = rng.integers(0, 60000, (64, 64))
        journal.look("seeds")
    assert sum(one.stat().st_size for one in journal.folder.iterdir()) <= 200_000
    np.testing.assert_array_equal(kept(journal).layers["seeds"].voxels, voxels)
    before = voxels.copy()
    voxels[:] = rng.integers(0, 60000, voxels.shape)
    with pytest.raises(FileError, match=r"more than 0 MB.*preferences"):
        journal.look("seeds")
    assert sum(one.stat().st_size for one in journal.folder.iterdir()) <= 200_000
    voxels[:] = before
    journal.look("seeds")
    np.testing.assert_array_equal(kept(journal).layers["seeds"].voxels, before)
    journal.close()


def in_folder(folder):
    return sum(one.stat().st_size for one in folder.iterdir())


@pytest.mark.parametrize("kind", ["labels", "points"])
def test_thousands_of_strokes_take_little_room(tmp_path, rng, monkeypatch, kind):
    """Never more than four times what is to be kept, and while it is put together once more that.

    What was overtaken would take twenty times as much.
    """
    small = 100_000
    monkeypatch.setattr(journal_module, "_SMALL", small)
    journal = Journal(tmp_path, ROOM)
    during, sync = [], os.fsync

    def observed(number):
        during.append(in_folder(journal.folder))
        sync(number)

    monkeypatch.setattr(journal_file_module.os, "fsync", observed)
    voxels = np.zeros((8, 128, 128), np.uint16)
    places = np.zeros((500, 3))
    largest = 0
    for stroke in range(1, 3001):
        if kind == "labels":
            z, y, x = rng.integers(0, (8, 120, 120))
            voxels[z, y : y + 8, x : x + 8] = rng.integers(0, 60000, (8, 8))
            journal.keep("1", SEEDS, voxels=voxels)
            journal.look("1", (slice(z, z + 1), slice(y, y + 8), slice(x, x + 8)))
        else:
            places[stroke % 500] = rng.random(3)
            journal.keep("1", points(places), marks=500)
        largest = max(largest, in_folder(journal.folder))
    journal._renew()
    whole = in_folder(journal.folder)
    bound = max(small, 3 * whole) + whole
    assert largest <= bound
    assert max(during) <= bound + whole
    assert len(during) > 10  # it was put together again and again
    found = kept(journal).layers["1"]
    if kind == "labels":
        np.testing.assert_array_equal(found.voxels, voxels)
    else:
        np.testing.assert_array_equal(found.arrays["data"], places)
    journal.close()


def test_what_a_project_holds_is_known_until_it_changes(journal, tmp_path, monkeypatch):
    monkeypatch.setattr(journal_module, "_SMALL", 0)  # it is put together after each change
    project = tmp_path / "day.seedbed"
    project.write_bytes(b"")
    voxels = np.zeros((4, 30, 30), np.int32)
    voxels[1] = 1

    def save():
        journal.settle(project, journal.n_changes)
        assert kept(journal).project == str(project)

    journal.keep("seeds", SEEDS, voxels=voxels)
    journal.keep("clicks", points([[1, 2, 3]]), marks=1)
    assert kept(journal).project == ""
    save()
    # how it is shown, the order, an image and its file, and what is as it was
    journal.keep(
        "seeds", replace(SEEDS, attributes={**SEEDS.attributes, "opacity": 0.1}), voxels=voxels
    )
    journal.keep("seeds", replace(SEEDS, state={"selected_label": 7}), voxels=voxels)
    journal.keep("cells", LayerDescription("image", None, {"name": "cells"}, {}), source={"a": 1})
    journal.arrange(["clicks", "seeds"])
    journal.look("seeds")
    assert kept(journal).project == str(project)
    changes = (
        lambda: (voxels.__setitem__((2, 3, 3), 9), journal.look("seeds")),
        lambda: journal.keep("clicks", points([[1, 2, 3], [4, 5, 6]]), marks=2),
        lambda: journal.keep("clicks", points([[1, 2, 3], [4, 5, 7]]), marks=2),
        lambda: journal.keep("seeds", replace(SEEDS, attributes={"name": "x"}), voxels=voxels),
        lambda: journal.keep("seeds", SEEDS, voxels=voxels.copy()),
        lambda: journal.drop("clicks"),
    )
    for change in changes:
        save()
        change()
        assert kept(journal).project == ""
    # what has changed while it was saved is not in the project
    journal.keep("seeds", SEEDS, voxels=voxels)
    before = journal.n_changes
    voxels[3] = 4
    journal.look("seeds")
    journal.settle(project, before)
    assert kept(journal).project == ""


@pytest.mark.parametrize("is_there", [True, False], ids=["there", "deleted"])
def test_a_window_whose_work_is_in_a_project_leaves_nothing(journal, tmp_path, is_there):
    project = tmp_path / "elsewhere" / "day.seedbed"
    project.parent.mkdir()
    project.write_bytes(b"")
    journal.keep("seeds", SEEDS, voxels=np.ones((4, 5), np.int32))
    journal.settle(project, journal.n_changes)
    folder = journal.folder
    if not is_there:
        project.unlink()
    journal.close()
    assert folder.exists() is not is_there


def test_labels_that_do_not_fit_into_memory_leave_the_rest(journal, monkeypatch):
    """Also those of a file that was damaged, or made to do harm."""
    journal.keep("a", SEEDS, voxels=np.ones((30, 40), np.int32))
    journal.keep("b", SEEDS, voxels=np.ones((30, 40), np.int32))
    journal.keep("clicks", points([[1, 2, 3]]), marks=1)
    for shape in ([10**6, 10**6, 10**6], [10**12, 10**12]):
        values = {"layer": "absurd", "marks": 1, "source": None}
        values["description"] = {"kind": "labels", "data": None, "attributes": {}, "state": {}}
        values["grid"] = {"shape": shape, "dtype": "<i8", "is_new": True}
        journal._file.add(Record("layer", values))
        work = kept(journal)
        assert work.layers["absurd"].lacks_memory
        assert work.layers["a"].voxels.all()
        assert not work.damage.is_damaged
    journal._file.add(Record("removed", {"layer": "absurd"}))
    monkeypatch.setattr(kept_work_module, "available_memory", lambda: 7000)
    work = kept(journal)
    assert [one.lacks_memory for one in work.layers.values()] == [False, True, False]
    assert not work.damage.is_damaged


PAINTER = """
    import sys
    from pathlib import Path
    import numpy as np
    from napari_seedbed.pipeline.data.layer_description import LayerDescription
    from napari_seedbed.pipeline.journal import journal as module
    module._SMALL = 30_000
    journal = module.Journal(Path(sys.argv[1]), 10**9)
    voxels = np.zeros((20, 100, 100), np.int32)
    seeds = LayerDescription("labels", None, {"name": "seeds"}, {})
    rng = np.random.default_rng(0)
    journal.keep("seeds", seeds, marks=0, voxels=voxels)
    for stroke in range(1, 100_000):
        z, y, x = rng.integers(0, (20, 90, 90))
        voxels[z, y : y + 9, x : x + 9] = stroke
        journal.look("seeds")
        print(stroke, flush=True)
"""


def painted(strokes):
    voxels = np.zeros((20, 100, 100), np.int32)
    rng = np.random.default_rng(0)
    for stroke in range(1, strokes + 1):
        z, y, x = rng.integers(0, (20, 90, 90))
        voxels[z, y : y + 9, x : x + 9] = stroke
    return voxels


def test_a_killed_process_leaves_all_strokes_but_the_last(tmp_path):
    for nth in range(8):
        root = tmp_path / str(nth)
        code = textwrap.dedent(PAINTER)
        process = subprocess.Popen(
            [sys.executable, "-c", code, str(root)], stdout=subprocess.PIPE, text=True
        )
        assert process.stdout is not None
        assert process.stdout.readline() == "1\n"
        (folder,) = root.iterdir()
        assert earlier_works(root) == []  # as long as it lives
        time.sleep(0.1 + 0.13 * nth)
        os.kill(process.pid, signal.SIGKILL)
        said = ["1", *process.stdout.read().split("\n")]
        process.wait()
        process.stdout.close()
        last = max(int(one) for one in said[:-1])
        (left,) = earlier_works(root)
        assert left.folder == folder
        assert left.layer_names == ["seeds"]
        assert not left.is_closed
        voxels = read_work(folder).layers["seeds"].voxels
        same = [strokes for strokes in (last, last + 1) if (voxels == painted(strokes)).all()]
        assert same, f"after {last} strokes"
