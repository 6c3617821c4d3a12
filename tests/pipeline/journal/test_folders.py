"""Folders of journals: who holds them, what is left, and what is removed."""

import os
import time

import numpy as np
import pytest

from napari_seedbed.pipeline.data.layer_description import LayerDescription
from napari_seedbed.pipeline.journal.folders import (
    ROOT_VARIABLE,
    SessionFolder,
    discard,
    earlier_works,
    journals_root,
    make_room,
)
from napari_seedbed.pipeline.journal.journal import Journal

ROOM = 10**9


def leave(root, *, days=0.0, is_closed=False, name="seeds", n_random=10):
    """Leave the work of a window that ended some days ago, at once or in the ordinary way."""
    journal = Journal(root, ROOM)
    voxels = np.random.default_rng(0).integers(1, 250, (n_random, 100), np.uint8)
    journal.keep("1", LayerDescription("labels", None, {"name": name}, {}), marks=0, voxels=voxels)
    folder = journal.folder
    if is_closed:
        journal.close()
    else:
        journal._file.close()
        journal._folder.release()
    for file in [*folder.iterdir(), folder]:
        os.utime(file, (time.time() - 86400 * days,) * 2)
    return folder


def test_a_folder_is_held_by_one(tmp_path):
    one = SessionFolder.new(tmp_path)
    with pytest.raises(BlockingIOError):
        SessionFolder(one.path)
    one.release()
    SessionFolder(one.path).remove()
    assert list(tmp_path.iterdir()) == []


def test_two_windows_do_not_see_each_others_work(tmp_path):
    windows = [Journal(tmp_path, ROOM) for _ in range(2)]
    for window in windows:
        voxels = np.ones((5, 5), np.uint8)
        window.keep("1", LayerDescription("labels", None, {}, {}), marks=0, voxels=voxels)
    assert windows[0].folder != windows[1].folder
    assert earlier_works(tmp_path) == []
    discard(windows[1].folder)
    make_room(tmp_path, 0)
    assert all(window.folder.is_dir() for window in windows)
    windows[0].close()
    assert [one.folder for one in earlier_works(tmp_path)] == [windows[0].folder]
    windows[1].close()


def test_a_window_in_which_nobody_drew_leaves_nothing(tmp_path):
    journal = Journal(tmp_path, ROOM)
    voxels = np.zeros((5, 5), np.uint8)
    journal.keep("1", LayerDescription("labels", None, {}, {}), marks=0, voxels=voxels)
    journal.close()
    assert list(tmp_path.iterdir()) == []


def test_the_newest_comes_first_and_says_how_it_ended(tmp_path):
    leave(tmp_path, days=3, name="old")
    leave(tmp_path, days=1, is_closed=True, name="new")
    works = earlier_works(tmp_path)
    assert [one.layer_names for one in works] == [["new"], ["old"]]
    assert [one.is_closed for one in works] == [True, False]
    assert time.time() - works[1].time == pytest.approx(3 * 86400, abs=60)
    assert earlier_works(tmp_path / "none") == []


def test_what_is_too_old_and_too_much_goes(tmp_path):
    stay = [leave(tmp_path, days=29), *(leave(tmp_path, days=d, is_closed=True) for d in range(5))]
    leave(tmp_path, days=31)
    leave(tmp_path, days=15, is_closed=True)
    leave(tmp_path, days=13, is_closed=True)  # the sixth
    make_room(tmp_path, ROOM)
    assert sorted(tmp_path.iterdir()) == sorted(stay)


def test_room_is_made_by_what_was_closed_and_then_by_the_oldest(tmp_path):
    left = [leave(tmp_path, days=d, n_random=1000) for d in (2, 1)]
    closed = leave(tmp_path, is_closed=True, n_random=1000)
    make_room(tmp_path, 250_000)
    assert closed not in tmp_path.iterdir()
    make_room(tmp_path, 150_000)
    assert list(tmp_path.iterdir()) == [left[1]]


def test_the_folder_can_be_another_one(tmp_path, monkeypatch):
    monkeypatch.setenv(ROOT_VARIABLE, str(tmp_path))
    assert journals_root() == tmp_path
    monkeypatch.delenv(ROOT_VARIABLE)
    assert journals_root().parts[-2:] == ("napari-seedbed", "journals")
