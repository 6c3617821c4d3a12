"""Folders that one window holds, on systems with either kind of lock and with none."""

import errno
import os
import sys
from types import ModuleType, SimpleNamespace

import pytest

from napari_seedbed.errors import FileError
from napari_seedbed.pipeline.journal import folder_lock
from napari_seedbed.pipeline.journal.folder_lock import FolderLock
from napari_seedbed.pipeline.journal.folders import SessionFolder, held


@pytest.fixture
def windows(monkeypatch):
    """Windows as Python shows it: no fcntl, and msvcrt, whose locks belong to one open file."""
    import fcntl

    def locking(number: int, mode: int, count: int) -> None:
        assert count == 1
        assert os.lseek(number, 0, os.SEEK_CUR) == 0, "another byte than that of other windows"
        if mode == msvcrt.LK_UNLCK:
            fcntl.flock(number, fcntl.LOCK_UN)
            return
        try:
            fcntl.flock(number, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise PermissionError(errno.EACCES, "Permission denied") from None

    msvcrt = SimpleNamespace(locking=locking, LK_NBLCK=2, LK_UNLCK=0)
    monkeypatch.setattr(folder_lock, "fcntl", None)
    monkeypatch.setitem(sys.modules, "msvcrt", msvcrt)


def hold_and_let_go(folder):
    """Hold a folder, be refused by it, and have it removed."""
    one = SessionFolder.new(folder)
    with pytest.raises(BlockingIOError):
        FolderLock(one.path)
    assert held(one.path) is None
    one.release()
    one.release()
    again = held(one.path)
    assert again is not None
    again.remove()
    assert list(folder.iterdir()) == []


def test_a_folder_is_held_by_one(tmp_path):
    hold_and_let_go(tmp_path)


def test_a_folder_is_held_by_one_on_windows(tmp_path, windows):
    hold_and_let_go(tmp_path)


def test_a_system_without_locks_is_said(tmp_path, monkeypatch):
    monkeypatch.setattr(folder_lock, "fcntl", None)
    monkeypatch.setitem(sys.modules, "msvcrt", None)
    with pytest.raises(FileError, match=r"could not write to .*: this system knows no locks"):
        SessionFolder.new(tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_the_module_can_be_imported_where_there_is_no_fcntl(monkeypatch):
    monkeypatch.setitem(sys.modules, "fcntl", None)
    spec = folder_lock.__spec__
    again = ModuleType(spec.name)
    spec.loader.exec_module(again)
    assert again.fcntl is None


@pytest.mark.skipif(not hasattr(os, "fork"), reason="the system copies no processes")
def test_a_copy_of_the_process_holds_nothing_on(tmp_path):
    """However many folders were held before, only those that are held now are let go of."""
    for _ in range(5):
        SessionFolder.new(tmp_path).remove()
    kept = SessionFolder.new(tmp_path)
    dropped = SessionFolder.new(tmp_path)
    path = dropped.path
    del dropped  # as by a job whose panel was closed
    free = held(path)
    assert free is not None
    free.release()
    ready, go = os.pipe(), os.pipe()
    child = os.fork()
    if not child:
        os.write(ready[1], b"0123456789"[len(folder_lock._held) :][:1])
        os.read(go[0], 1)
        os._exit(0)
    try:
        assert os.read(ready[0], 1) == b"0"
        assert held(kept.path) is None, "the copy has let go of what this process holds"
        kept.release()
        after = held(kept.path)
        assert after is not None, "the copy holds it on"
        after.release()
    finally:
        os.write(go[1], b"x")
        os.waitpid(child, 0)
        for end in (*ready, *go):
            os.close(end)
