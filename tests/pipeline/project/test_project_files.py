"""Projects as files: what is written comes back, and what is damaged or made to harm does not."""

import io
import json
import signal
import struct
import subprocess
import sys
import textwrap
import zipfile
from pathlib import Path

import numpy as np
import pytest

from napari_seedbed.core.progress import running
from napari_seedbed.errors import Cancelled, FileError
from napari_seedbed.pipeline.data.layer_description import LayerDescription
from napari_seedbed.pipeline.data.plain_values import from_plain, to_plain
from napari_seedbed.pipeline.project import project_files, project_model, zip_members
from napari_seedbed.pipeline.project.project_files import load_project, save_project
from napari_seedbed.pipeline.project.project_model import (
    ImageSource,
    PanelSettings,
    Project,
    ProjectLayer,
    View,
)


def layer(kind, name, data, **attributes):
    arrays = {}
    plain = to_plain(data, arrays, "data")
    kept = {"name": name} | {key: to_plain(one, arrays, key) for key, one in attributes.items()}
    return LayerDescription(kind, plain, kept, {"locked": True}, arrays)


SOURCE = ImageSource(
    relative="../cells.tif",
    absolute="/data/cells.tif",
    channel=1,
    shape=(30, 40),
    dtype="<u2",
    fingerprint="blake2b:00",
)


@pytest.fixture
def project(rng):
    """An image in a file, labels, points and shapes."""
    labels = np.zeros((20, 64, 64), np.int32)
    labels[5:9, 10:20, 10:20] = 7
    words = np.array(["", "round", None], object)
    return Project(
        layers=(
            ProjectLayer(LayerDescription("image", None, {"name": "cells"}, {}), SOURCE),
            ProjectLayer(layer("image", "noise", rng.normal(size=(40, 50)).astype(">f4"))),
            ProjectLayer(
                layer("labels", "objects", labels, features={"index": np.arange(3), "class": words})
            ),
            ProjectLayer(layer("points", "clicks", rng.normal(size=(500, 3)))),
            ProjectLayer(layer("shapes", "no shapes", {"vertices": np.zeros((0, 2))})),
        ),
        view=View(ndisplay=2, order=(1, 0, 2), point=(3.5, 0, 0), zoom=2.25, active=2),
        panels=(PanelSettings(panel="Crop", values={"image": {"layer": 0}, "sigma": 1.5}),),
    )


@pytest.fixture
def saved(project, tmp_path):
    return save_project(tmp_path / "day.seedbed", project)


def values_of(one):
    """Everything of a layer, as it was before it was written."""
    found = one.description
    plain = {"data": found.data, **found.attributes, "state": found.state}
    return (found.kind, one.source, from_plain(plain, found.arrays))


def assert_same(one, other):
    np.testing.assert_equal(values_of(one), values_of(other))
    for name, array in one.description.arrays.items():
        assert other.description.arrays[name].dtype == array.dtype


def test_project_comes_back_as_it_was(project, saved):
    again = load_project(saved)
    assert again.missing == ()
    assert (again.view, again.panels) == (project.view, project.panels)
    for one, other in zip(project.layers, again.layers, strict=True):
        assert_same(one, other)
    # labels are mostly of one value
    assert saved.stat().st_size < 0.2 * project.layers[2].description.arrays["data"].nbytes


def test_nothing_half_written_stays(project, saved):
    before = saved.read_bytes()
    with pytest.raises(Cancelled), running(should_stop=lambda: True):
        save_project(saved, project)
    assert saved.read_bytes() == before
    assert [one.name for one in saved.parent.iterdir()] == [saved.name]


SAVER = """
    import sys
    import numpy as np
    from napari_seedbed.pipeline.data.layer_description import LayerDescription
    from napari_seedbed.pipeline.project.project_files import save_project
    from napari_seedbed.pipeline.project.project_model import Project, ProjectLayer

    noise = np.random.default_rng(0).integers(0, 256, (40, 200, 200)).astype(np.uint8)
    data = {"$": "member", "name": "data"}
    for nth in range(1, 10_000):
        arrays = {"data": noise + np.uint8(nth % 256)}
        layer = LayerDescription("image", data, {"name": str(nth)}, {}, arrays)
        save_project(sys.argv[1], Project((ProjectLayer(layer),)))
        print(nth, flush=True)
"""


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="the system ends no process at once")
def test_a_process_that_is_killed_leaves_the_project_before_or_the_new_one(tmp_path, project):
    path = tmp_path / "day.seedbed"
    noise = np.random.default_rng(0).integers(0, 256, (40, 200, 200)).astype(np.uint8)
    for _ in range(4):
        process = subprocess.Popen(
            [sys.executable, "-c", textwrap.dedent(SAVER), str(path)],
            stdout=subprocess.PIPE,
            text=True,
        )
        for _ in range(2):
            assert process.stdout.readline()
        while not list(tmp_path.glob(".*.part")):
            pass  # until it is in the middle of the next one
        process.kill()
        last = [2, *map(int, process.communicate()[0].split())][-1]
        again = load_project(path)
        assert again.missing == ()
        number = int(again.layers[0].description.name)
        assert number in (last, last + 1)
        np.testing.assert_array_equal(
            again.layers[0].description.arrays["data"], noise + np.uint8(number % 256)
        )
    # what they left goes with the next one
    save_project(path, project)
    assert [one.name for one in tmp_path.iterdir()] == [path.name]


def test_two_hundred_damaged_projects_open_as_far_as_they_can(project, saved, rng):
    """Whatever comes out is as it was written, or is said to be missing."""
    whole = saved.read_bytes()
    by_name = {one.description.name: one for one in project.layers}
    opened = 0
    for nth in range(200):
        raw = bytearray(whole)
        if nth % 4 == 0:
            raw = raw[: rng.integers(0, len(raw))]
        elif nth % 4 == 1:
            for place in rng.integers(0, len(raw), rng.integers(1, 6)):
                raw[place] ^= 1 << rng.integers(0, 8)
        elif nth % 4 == 2:
            # the directory at the end, and the headers before each member
            begin = whole.index(b"PK\x01\x02")
            raw[rng.integers(begin, len(raw))] = rng.integers(0, 256)
        else:
            begin = rng.integers(0, len(raw))
            raw[begin : begin + 500] = rng.bytes(min(500, len(raw) - begin))
        saved.write_bytes(raw)
        try:
            again = load_project(saved)
        except FileError as error:
            assert "day.seedbed" in str(error)  # noqa: PT017 - most of them open
            continue
        opened += 1
        found = [one for one in again.layers if one is not None]
        for one in found:
            if not any(one.description.name in said for said in again.missing):
                assert_same(by_name[one.description.name], one)
        if len(found) < len(project.layers) or again.view != project.view:
            assert again.missing
    assert opened > 120


def test_cut_off_project_keeps_what_people_drew(saved, project):
    """Images come last in the file."""
    saved.write_bytes(saved.read_bytes()[:-3500])
    again = load_project(saved)
    assert again.layers[1] is None
    assert_same(project.layers[2], again.layers[2])
    assert "damaged or was cut off" in again.missing[0]
    assert "'noise' is missing" in again.missing[1]


@pytest.mark.parametrize("wide", [True, False], ids=["64 bits", "32 bits"])
def test_members_of_any_width_are_found_without_the_directory(saved, project, wide):
    """Those of more than 2 GB are written with sizes of 64 bits, and so small ones can be."""
    with zipfile.ZipFile(saved) as file:
        members = [(info, file.read(info)) for info in file.infolist()]
    with zipfile.ZipFile(saved, "w", zipfile.ZIP_DEFLATED) as file:
        for info, content in members:
            with file.open(info.filename, "w", force_zip64=wide) as opened:
                opened.write(content)
    raw = saved.read_bytes()
    assert (b"\xff" * 8 in raw) is wide
    saved.write_bytes(raw[: raw.index(b"PK\x01\x02")])
    again = load_project(saved)
    assert "damaged or was cut off" in again.missing[0]
    assert len(again.missing) == 1
    for one, other in zip(project.layers, again.layers, strict=True):
        assert_same(one, other)


def test_large_array_that_cannot_be_packed_is_written(tmp_path, monkeypatch, rng):
    """As noise just below what sizes of 32 bits hold: packed, with its header, it is above."""
    monkeypatch.setattr(zipfile, "ZIP64_LIMIT", 50_000)
    noise = layer("image", "noise", rng.integers(0, 256, 49_990).astype(np.uint8))
    path = save_project(tmp_path / "day.seedbed", Project((ProjectLayer(noise),)))
    assert_same(ProjectLayer(noise), load_project(path).layers[0])


# What is made to do harm


def with_members(path, *members):
    """A project with further members."""
    with zipfile.ZipFile(path, "a", zipfile.ZIP_DEFLATED) as file:
        for name, content in members:
            file.writestr(name, content)
    return path


@pytest.mark.parametrize(
    "name", ["/etc/passwd", "../../.bashrc", "arrays/../../x.npy", "C:\\x", "..\\x", "\\\\host\\x"]
)
def test_path_out_of_the_project_is_refused(saved, name):
    with pytest.raises(FileError, match="a path out of the project"):
        load_project(with_members(saved, (name, "x")))


def test_harmless_member_of_another_program_is_passed_over(saved, project):
    again = load_project(with_members(saved, (".DS_Store", "x"), ("notes/today.txt", "x")))
    assert again.missing == ()
    assert len(again.layers) == len(project.layers)


def test_bomb_is_refused_before_memory_is_taken(saved, monkeypatch):
    monkeypatch.setattr(zip_members, "available_memory", lambda: 100_000)
    with pytest.raises(FileError, match=r"of memory and 100 kB are free\. Close other"):
        load_project(saved)


def test_size_that_cannot_be_true_is_refused(tmp_path):
    """A member of 100 bytes that says to be 4 GB, in both of its headers."""
    path = tmp_path / "bomb.seedbed"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as file:
        file.writestr("arrays/0/0.npy", b"0" * 5000)
    raw = bytearray(path.read_bytes())
    for place in (22, raw.index(b"PK\x01\x02") + 24):
        raw[place : place + 4] = struct.pack("<I", 4_000_000_000)
    path.write_bytes(raw)
    with pytest.raises(FileError, match=r"says to be 4\.0 GB, more than can be true"):
        load_project(path)


def test_one_member_under_many_names_is_read_once(saved, project):
    """A small file that would become a large one: its own headers say what it is."""
    with zipfile.ZipFile(saved, "a") as file:
        for info in file.filelist[1:]:
            info.header_offset = file.filelist[0].header_offset
        file.writestr("notes/today.txt", "x")
    again = load_project(saved)
    assert "is damaged or was cut off" in again.missing[0]
    for one, other in zip(project.layers, again.layers, strict=True):
        assert_same(one, other)


def array_file(array, header=None, *, pickled=False):
    buffer = io.BytesIO()
    np.save(buffer, array, allow_pickle=pickled)
    raw = buffer.getvalue()
    return raw if header is None else raw[:10] + header.ljust(118) + raw[128:]


@pytest.mark.parametrize(
    "raw",
    [
        array_file(np.array([{}], object), pickled=True),
        array_file(np.zeros(4), b"{'descr': '<f8', 'fortran_order': False, 'shape': (10**9, 99)}"),
        array_file(np.zeros(4), b"{'descr': '<f8', 'fortran_order': False, 'shape': (-4, -1)}"),
        array_file(np.zeros(4), b"{'descr': '|V8', 'fortran_order': False, 'shape': (4,)}"),
        array_file(np.zeros(4), b"__import__('os').abort()"),
        array_file(np.zeros(4), b"(" * 118),
        array_file(np.zeros(5)),
        b"",
    ],
    ids=["pickle", "huge", "negative", "no numbers", "code", "deep", "longer", "empty"],
)
def test_array_that_is_not_what_the_project_says_is_missing(tmp_path, raw):
    """No array but one of the shape and type that the layer names, as long as it must be."""
    path = save_project(
        tmp_path / "day.seedbed", Project((ProjectLayer(layer("labels", "seeds", np.zeros(300))),))
    )
    with zipfile.ZipFile(path) as file:
        texts = {name: file.read(name) for name in file.namelist() if name.endswith(".json")}
    stored = json.loads(texts["layers/0.json"])
    stored["arrays"]["data"]["shape"] = [4]
    texts["layers/0.json"] = json.dumps(stored)
    with zipfile.ZipFile(path, "w") as file:
        for name, text in texts.items():
            file.writestr(name, text)
        file.writestr("arrays/0/0.npy", raw)
    again = load_project(path)
    assert again.layers == (None,)
    assert again.missing == ("The layer 'seeds' is missing: what it shows could not be read.",)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (b"[" * 100_000, "no project of Seedbed|does not say its format"),
        (b'{"format_version": 99}', "made with a newer napari-seedbed"),
        (b'{"format_version": true}', "does not say its format"),
        (b'{"format_version": 1, "layers": ' + b"9" * 5000 + b"}", "does not say|no project"),
    ],
    ids=["deep", "newer", "no version", "large number"],
)
def test_text_that_is_no_project_is_refused(tmp_path, text, said):
    path = tmp_path / "day.seedbed"
    with zipfile.ZipFile(path, "w") as file:
        file.writestr("project.json", text)
    with pytest.raises(FileError, match=said):
        load_project(path)


def test_array_under_many_names_is_read_once(saved, project):
    """Memory was counted for one, and a text names thousands in few bytes."""
    with zipfile.ZipFile(saved) as file:
        members = {name: file.read(name) for name in file.namelist()}
    stored = json.loads(members["layers/2.json"])
    (one,) = stored["arrays"].values()
    stored["arrays"] |= {f"copy {n}": one for n in range(50)}
    members["layers/2.json"] = json.dumps(stored)
    with zipfile.ZipFile(saved, "w") as file:
        for name, content in members.items():
            file.writestr(name, content)
    again = load_project(saved)
    assert len(again.layers[2].description.arrays) == 1
    assert_same(project.layers[2], again.layers[2])


@pytest.mark.parametrize(
    "value",
    [
        {"$": "array", "dtype": "U500000000", "shape": [1], "items": ["a"]},
        {"$": "array", "dtype": "f8, (", "shape": [1], "items": [1]},
        {"$": "array", "dtype": "U", "shape": [2000], "items": ["a" * 1_000_000] + [""] * 1999},
        "deep",
    ],
    ids=["long texts", "no type", "one long text", "deep"],
)
def test_value_made_to_harm_is_left_out(saved, value):
    with zipfile.ZipFile(saved) as file:
        members = {name: file.read(name) for name in file.namelist()}
    stored = json.loads(members["layers/2.json"])
    stored["attributes"]["metadata"] = value
    text = json.dumps(stored).replace('"deep"', "[" * 900 + "]" * 900)
    members["layers/2.json"] = text
    with zipfile.ZipFile(saved, "w") as file:
        for name, content in members.items():
            file.writestr(name, content)
    again = load_project(saved)
    assert again.missing == ("'metadata' of the layer 'objects' could not be read.",)


@pytest.mark.parametrize("raw", [b"", b"II*\0 this is no zip", b"PK\x03\x04" * 50])
def test_file_of_another_kind_is_refused(tmp_path, raw):
    path = tmp_path / "day.seedbed"
    path.write_bytes(raw)
    with pytest.raises(FileError, match=r"day\.seedbed could not be opened: it is no project"):
        load_project(path)


def test_earlier_version_is_migrated(saved, monkeypatch):
    """What an earlier version called otherwise is found under its present name."""

    def renamed(content):
        layers = [
            {**one, "attributes": {"name": f"old {n}"}} for n, one in enumerate(content["layers"])
        ]
        return {**content, "layers": layers}

    for module in (project_model, project_files):
        monkeypatch.setattr(module, "FORMAT_VERSION", 2, raising=False)
    monkeypatch.setitem(project_model.MIGRATIONS, 1, renamed)
    assert load_project(saved).layers[0].description.name == "old 0"


def test_project_of_the_first_version_opens():
    """The file was written by version 1 of the format and stays as it is."""
    old = load_project(Path(__file__).with_name("project_of_1.seedbed"))
    assert old.missing == ()
    names = [one.description.name for one in old.layers]
    assert names == ["cells", "objects", "clicks", "outlines"]
    assert old.layers[0].source.relative == "../cells.tif"
    assert (old.view.point, old.view.zoom, old.view.active) == ((2.0, 4.0, 4.0), 3.0, 1)
    assert old.panels[0].values == {"image": {"layer": 0}, "live": False}
    _, _, objects = values_of(old.layers[1])
    labels = np.zeros((3, 16, 16), np.uint16)
    labels[1, 2:5, 2:6], labels[2, 8:, 8:] = 7, 12
    np.testing.assert_array_equal(objects["data"], labels)
    assert list(objects["features"]["class"]) == ["round", ""]
    assert objects["state"]["locked"] is True
    np.testing.assert_array_equal(objects["scale"], (2, 0.5, 0.5))
    _, _, clicks = values_of(old.layers[2])
    np.testing.assert_array_equal(clicks["data"], [[0, 1.5, 2], [2, 3, 4]])
    _, _, outlines = values_of(old.layers[3])
    np.testing.assert_array_equal(outlines["data"]["vertices"][2], (1, 9, 9.5))
