"""OME-Zarr: axes, voxel size, place and channels in all versions, plates and labels, and URLs."""

import functools
import hashlib
import http.server
import json
import os
import pickle
import shutil
import threading
import zipfile
from contextlib import suppress
from pathlib import Path

import ngff_zarr
import numpy as np
import pytest
import zarr
from zarr_scenes import AXES, describe, fill, move, scale, write, write_plate

from napari_seedbed.errors import FileError, InputError
from napari_seedbed.pipeline.batch import run_batch
from napari_seedbed.pipeline.cli import main
from napari_seedbed.pipeline.files import images_of, read_image, zarr_reading
from napari_seedbed.pipeline.files.image_reading import lower_levels
from napari_seedbed.pipeline.operations import run
from napari_seedbed.pipeline.recipes import recipe_from_record

OTHERS = Path(__file__).parent / "zarr_of_others"


@pytest.fixture
def served(tmp_path):
    """Serve a folder on this machine by HTTP; give its URL, and what ends it."""
    handler = functools.partial(_Quiet, directory=tmp_path)
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()

    def end():
        if thread.is_alive():
            server.shutdown()
            server.server_close()
            thread.join()

    yield f"http://127.0.0.1:{server.server_port}", end
    end()


class _Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *_):
        pass

    def do_GET(self):
        """A folder is a bucket, too, which says that it has nothing more than it is asked for."""
        if "list-type=2" in self.path:
            self._answer(200, b"<ListBucketResult><KeyCount>0</KeyCount></ListBucketResult>")
        else:
            super().do_GET()

    def send_error(self, code, message=None, explain=None):
        self._answer(code, b"<Error><Code>NoSuchKey</Code></Error>")

    def _answer(self, code, text):
        self.send_response(code)
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        if self.command == "GET":
            self.wfile.write(text)


@pytest.mark.parametrize("version", [0.4, 0.5])
@pytest.mark.parametrize("lazy", [False, True])
def test_axes_voxel_size_place_and_channels(tmp_path, rng, version, lazy):
    array = rng.integers(0, 60000, (2, 3, 4, 30, 40), dtype=np.uint16)
    path = write(
        tmp_path / "cells.ome.zarr",
        array,
        "tczyx",
        version,
        steps=(
            [scale(5, 1, 2, 0.25, 0.5), move(0, 0, 10, 20, 30)],
            [scale(1, 1, 1, 2, 1), move(0, 0, 0, 0, 1)],
        ),
        channels=(("DAPI", "0000FF"), ("GFP", "none"), ("", "")),
        chunks=(1, 1, 2, 16, 16),
        named={"z": {"unit": "nanometer"}},
    )
    image = read_image(path, lazy=lazy)
    assert (image.name, image.axes, image.is_lazy) == ("cells", tuple("tczyx"), lazy)
    np.testing.assert_array_equal(np.asarray(image.array), array)
    assert image.units == ("micrometer",) * 3
    np.testing.assert_allclose(image.spacing, (0.002, 0.5, 0.5))
    np.testing.assert_allclose(image.translate, (0.01, 40, 31))
    assert image.channel_names == ("DAPI", "GFP", "")
    assert image.channel_colors == ("#0000ff", None, None)
    assert not image.notes


@pytest.mark.parametrize("name", ["a.ome.zarr", "a.ozx"])
@pytest.mark.parametrize("version", ["0.4", "0.5", "0.6"])
def test_what_another_library_writes(tmp_path, rng, version, name):
    if name == "a.ozx" and version == "0.4":
        pytest.skip("zip files of OME-Zarr begin with version 0.5")
    array = rng.integers(0, 60000, (2, 60, 84), dtype=np.uint16)
    image = ngff_zarr.to_ngff_image(
        array,
        dims=("c", "y", "x"),
        scale={"y": 0.5, "x": 0.25},
        translation={"y": 3.0, "x": 4.0},
        axes_units={"y": "micrometer", "x": "micrometer"},
    )
    made = ngff_zarr.to_multiscales(image, [2, 4], ngff_zarr.Methods.DASK_IMAGE_MODE)
    ngff_zarr.to_ngff_zarr(str(tmp_path / name), made, version=version)
    found = read_image(tmp_path / name)
    levels = lower_levels(tmp_path / name)
    assert len(levels) == 2
    for level, theirs in zip([found, *levels], made.images, strict=True):
        np.testing.assert_array_equal(level.array, np.asarray(theirs.data))
        assert (level.axes, level.unit) == (("c", "y", "x"), "micrometer")
        np.testing.assert_allclose(level.spacing, [theirs.scale[axis] for axis in "yx"])
        np.testing.assert_allclose(level.translate, [theirs.translation[axis] for axis in "yx"])
    assert (found.name, found.is_lazy, levels[0].is_lazy) == ("a", False, True)


def test_what_other_programs_wrote(tmp_path, monkeypatch):
    with zipfile.ZipFile(OTHERS / "ome_zarr_simple_0.5.zip") as file:
        file.extractall(tmp_path / "simple.zarr")
    shutil.make_archive(tmp_path / "deeper", "zip", tmp_path, "simple.zarr")
    for path, axes, spacing, unit in (
        (OTHERS / "ngio_test_image_czyx.zarr", "czyx", (2, 0.5, 0.5), "micrometer"),
        (OTHERS / "ome_zarr_simple_0.4.zarr", "yx", (4, 30), "nanometer"),
        (OTHERS / "ome_zarr_simple_0.5.zip", "yx", (4, 30), "nanometer"),
        (tmp_path / "deeper.zip", "yx", (4, 30), "nanometer"),
        (tmp_path / "simple.zarr", "yx", (4, 30), "nanometer"),
    ):
        image = read_image(path)
        assert ("".join(image.axes), image.spacing, image.unit) == (axes, spacing, unit)
        if axes == "yx":
            np.testing.assert_array_equal(image.array, np.arange(100).reshape(10, 10))
    assert [one.shape for one in lower_levels(path)] == [(5, 5), (2, 2)]
    assert not read_image(path).is_lazy
    monkeypatch.setattr(zarr_reading, "LAZY_ABOVE", 100)
    assert read_image(path).is_lazy
    image, labels = images_of(OTHERS / "ngio_test_image_czyx.zarr")
    assert (image.labels_of, labels.name, labels.labels_of) == (None, "label", 0)
    image = read_image(OTHERS / "ngio_test_image_czyx.zarr", series=2)
    assert (image.holds_labels, image.axes, image.spacing) == (True, tuple("zyx"), (2, 0.5, 0.5))


@pytest.mark.parametrize("zarr_format", [2, 3])
def test_an_array_without_more_is_an_image(tmp_path, served, rng, zarr_format):
    array = rng.integers(1, 60000, (2, 3, 30, 40), dtype=np.uint16)
    guessed = "The file does not name its axes; they were read as t, z, y, x."
    group = zarr.open_group(tmp_path / "all.zarr", mode="w", zarr_format=zarr_format)
    for name, stated, axes, order, notes in (
        ("named", ("channel", "z", "y", "x"), "czyx", (0, 1, 2, 3), []),
        ("turned", ("time", "x", "Y", "c"), "tyxc", (0, 2, 1, 3), []),
        ("other", ("a", "b", "y", "x"), "tzyx", (0, 1, 2, 3), [guessed]),
        ("plain", None, "tzyx", (0, 1, 2, 3), [guessed]),
    ):
        in_3 = {"dimension_names": stated} if zarr_format == 3 else {}
        group.create_array(f"{name}.zarr", data=array, chunks=(1, 3, 20, 40), **in_3)
        if zarr_format == 2 and stated:
            group[f"{name}.zarr"].attrs["_ARRAY_DIMENSIONS"] = stated
        for folder, lazy in ((tmp_path, True), (served[0], False)):
            image = read_image(f"{folder}/all.zarr/{name}.zarr", lazy=lazy)
            assert (image.name, image.axes) == (name, tuple(axes))
            np.testing.assert_array_equal(np.asarray(image.array), array.transpose(order))
            sizes = "The file says nothing of voxel sizes; they count as 1."
            assert image.notes == (sizes, *notes)
    assert len(images_of(tmp_path / "all.zarr" / "plain.zarr")) == 1


@pytest.mark.parametrize("version", [0.4, 0.5])
def test_a_plate_lists_its_fields_and_their_labels(tmp_path, version, capsys):
    path = write_plate(tmp_path / "plate.zarr", version)
    names = ["A/1 field 1", "A/1 field 2", "B/03 field 1", "B/03 field 2"]
    *fields, labels = images_of(path)
    assert [str(field) for field in fields] == [f"{name}: 4 x 5, uint16" for name in names]
    assert (labels.name, labels.labels_of) == ("B/03 field 2 labels nuclei", 3)
    for number, name in enumerate(names, start=1):
        image = read_image(path, series=number)
        assert image.name == f"plate - {name}"
        assert (image.array == number).all()
    assert (read_image(path, series=5).array == 7).all()
    assert read_image(path, series=5).holds_labels
    with pytest.raises(InputError, match="holds 5 images"):
        read_image(path, series=6)
    assert "holds 4 images; the first" in read_image(path).notes[0]
    assert read_image(path / "B" / "03", series=2).name == "03 - field 2"
    assert main(["info", str(path), "--series", "4"]) == 0
    told = capsys.readouterr().out
    assert "Series 5    B/03 field 2 labels nuclei: 4 x 5, uint32" in told


def test_a_large_plate_is_listed_without_its_shapes_and_images_of_bio_formats_are_found(tmp_path):
    wells = [f"{row}/{column}" for row in "AB" for column in range(1, 14)]
    path = write_plate(tmp_path / "plate.zarr", 0.5, wells)
    listed = images_of(path)
    assert [str(one) for one in listed[-2:]] == ["B/13 field 2", "B/13 field 2 labels nuclei"]
    assert (read_image(path, series=52).array == 52).all()
    for nth, series in enumerate((["first", "second"], None)):
        group = zarr.open_group(tmp_path / f"{nth}.zarr", mode="w")
        describe(group, {"bioformats2raw.layout": 3})
        for number, name in enumerate(series or ["0", "1"]):
            fill(group.create_group(name), [np.full((3, 4), number, np.uint8)], "yx")
        if series:
            describe(group.create_group("OME"), {"series": series})
        assert [one.shape for one in images_of(tmp_path / f"{nth}.zarr")] == [(3, 4)] * 2
        assert (read_image(tmp_path / f"{nth}.zarr", series=2).array == 1).all()


@pytest.mark.parametrize("version", [0.4, 0.5])
def test_a_url_is_read_as_a_folder_is_and_failures_are_told(tmp_path, served, rng, version, capsys):
    url, end = served
    array = rng.integers(1, 60000, (3, 64, 80), dtype=np.uint16)
    write(tmp_path / "cells.zarr", array, "zyx", version, chunks=(1, 32, 32))
    write_plate(tmp_path / "plate.zarr", version)
    image = read_image(f"{url}/cells.zarr", lazy=False)
    np.testing.assert_array_equal(image.array, array)
    assert (image.name, image.notes) == ("cells", ())
    assert len(images_of(f"{url}/plate.zarr/")) == 5
    assert (read_image(f"{url}/plate.zarr", series=5).array == 7).all()
    assert main(["info", f"{url}/cells.zarr"]) == 0
    assert "z 3, y 64, x 80" in capsys.readouterr().out
    recipe = recipe_from_record(run("median", {"image": image}, {"radius": 1}).record)
    (entry,) = run_batch(recipe, [f"{url}/cells.zarr"], tmp_path / "out")["inputs"]
    assert (entry["error"], list(entry["outputs"].values())) == (None, ["cells_median.ome.tif"])
    with pytest.raises(FileError, match=r"http://\S*/none\.zarr could not be read: there is no"):
        read_image(f"{url}/none.zarr")
    lazy = read_image(f"{url}/cells.zarr", lazy=True)
    np.testing.assert_array_equal(np.asarray(lazy.array[1]), array[1])
    end()
    with pytest.raises(FileError, match=r"could not be read|was removed"):
        np.asarray(lazy.array[2])
    with pytest.raises(FileError, match="could not be read"):
        read_image(f"{url}/cells.zarr")


@pytest.mark.parametrize("version", [0.4, 0.5])
def test_a_batch_knows_whether_an_image_at_a_url_changed(tmp_path, served, rng, version):
    """By one voxel far from the first, also where the server's dates stay, and by nothing else.

    Servers tell dates, ETags or checksums beside dates, or nothing.
    """
    array = rng.integers(1, 60000, (70, 80), dtype=np.uint16)
    for name in ("cells.zarr", "other.zarr"):
        write(tmp_path / name, array, "yx", version, chunks=(32, 32))
    image = read_image(tmp_path / "cells.zarr")
    recipe = recipe_from_record(run("median", {"image": image}, {"radius": 1}).record)
    inputs = [f"{served[0]}/{name}" for name in ("cells.zarr", "other.zarr")]

    def resumed(**options):
        summary = run_batch(recipe, inputs, tmp_path / "out", resume=True, **options)
        return [one.get("resumed", one["error"]) for one in summary["inputs"]]

    assert resumed() == [None, None]
    assert resumed() == [True, True]
    told = _Quiet.send_header

    def without_dates(handler, name, value):
        if name != "Last-Modified":
            told(handler, name, value)

    def with_sum(title):
        def tells(handler, name, value):
            told(handler, name, value)
            path = Path(handler.translate_path(handler.path))
            if name == "Last-Modified" and path.is_file():
                told(handler, title, f'"{hashlib.md5(path.read_bytes()).hexdigest()}"')

        return tells

    ways = (without_dates, with_sum("ETag"), with_sum("Content-MD5"), told)
    for row, tells in enumerate(ways, start=-len(ways)):
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(_Quiet, "send_header", tells)
            assert resumed(overwrite=True) in ([None, None], [True, True])
            assert resumed() == [True, True]
            if tells not in (without_dates, told):
                # uploaded again: only the dates change
                for file in tmp_path.glob("*.zarr/**/*"):
                    os.utime(file, (10**9 + row, 10**9 + row))
                assert resumed() == [True, True]
            zarr.open_group(tmp_path / "other.zarr")["0"][row, -1] = 7
            for file in (tmp_path / "other.zarr").rglob("*"):
                # a date of HTTP has whole seconds
                os.utime(file, (10**9, 10**9))
            first, second = resumed()
            assert first is True
            assert "were made from another input" in second
            assert resumed(overwrite=True) == [True, None]
            made = read_image(tmp_path / "out" / "other_median.ome.tif").array
            new = read_image(tmp_path / "other.zarr")
            expected = run("median", {"image": new}, {"radius": 1}).image("image").array
            np.testing.assert_array_equal(made, expected)
    served[1]()
    assert all("could not be read" in said for said in resumed())


@pytest.mark.parametrize("version", [0.4, 0.5])
@pytest.mark.parametrize("is_public", [True, False], ids=["public", "with credentials"])
def test_a_bucket_is_read_as_a_folder_is(tmp_path, monkeypatch, served, rng, version, is_public):
    s3fs = pytest.importorskip("s3fs")
    s3fs.S3FileSystem.clear_instance_cache()
    url, end = served
    monkeypatch.setenv("AWS_ENDPOINT_URL", url)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "none"))
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "none"))
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "1")
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        if is_public:
            monkeypatch.delenv(name, raising=False)
        else:
            monkeypatch.setenv(name, "key")
    array = rng.integers(1, 60000, (3, 64, 80), dtype=np.uint16)
    write(tmp_path / "bucket" / "cells.zarr", array, "zyx", version, chunks=(1, 32, 32))
    write_plate(tmp_path / "bucket" / "plate.zarr", version)
    image = read_image("s3://bucket/cells.zarr", lazy=True)
    np.testing.assert_array_equal(np.asarray(image.array[1:]), array[1:])
    assert len(images_of("s3://bucket/plate.zarr")) == 5
    with pytest.raises(FileError, match=r"s3://bucket/none\.zarr could not be read: there is no"):
        read_image("s3://bucket/none.zarr")
    end()
    for read in (lambda: np.asarray(image.array[0]), lambda: read_image("s3://bucket/cells.zarr")):
        with pytest.raises(FileError, match=r"could not be read: Could not connect"):
            read()


def test_what_is_not_followed_and_blocks_that_are_missing_are_noted(tmp_path, rng):
    array = rng.integers(1, 250, (2, 3, 30, 40), dtype=np.uint8)
    steps = ([scale(1, 1, -1, 1), {"type": "rotation", "rotation": [1, 0]}], [move(0, 0, "nan", 0)])
    path = write(tmp_path / "a.zarr", array, "pzyx", 0.5, steps=steps, chunks=(2, 1, 30, 40))
    shutil.rmtree(path / "0" / "c" / "0" / "1")
    array[:, 1] = 0
    image = read_image(path)
    np.testing.assert_array_equal(image.array, array[0])
    notes = " ".join(image.notes)
    for part in (
        "2 entries along its axis P",
        "1 of 3 blocks are not in the file; they were read as 0",
        "not above 0",
        "'rotation'",
        "translation in the file is not",
    ):
        assert part in notes


def test_other_zarr_and_damage_are_refused(tmp_path):
    array = np.zeros((8, 9), np.uint8)
    zarr.save_group(tmp_path / "plain.zarr", a=array)
    zarr.save_array(tmp_path / "line.zarr", array[0])
    zarr.save_array(tmp_path / "many_axes.zarr", np.zeros((2,) * 5, np.uint8))
    for name, described, message in (
        ("plain.zarr", None, "without the description of an image .* Give one of the arrays"),
        ("line.zarr", None, "without y and x"),
        ("many_axes.zarr", None, "4 axes are named for 5"),
        ("plate.zarr", {"ome": {"plate": {}}}, "plate of which no field"),
        ("bf.zarr", {"ome": {"bioformats2raw.layout": 3}}, "without the description"),
        ("odd.zarr", {"ome": {"multiscales": [{"datasets": []}]}}, "damaged"),
        ("text.zarr", {"ome": "no mapping"}, "damaged"),
        ("self.zarr", {"ome": {"plate": {"wells": [{"path": "."}]}}}, "plate of which no field"),
        ("up.zarr", {"ome": {"plate": {"wells": [{"path": "../plate.zarr"}]}}}, "a path out of it"),
        ("many.zarr", {"ome": {"plate": {"wells": [{"path": str(n)} for n in range(100_001)]}}},
         "more than 100000 images"),
    ):  # fmt: skip
        if described is not None:
            zarr.open_group(tmp_path / name, mode="w").attrs.update(described)
        with pytest.raises(FileError, match=message):
            read_image(tmp_path / name)
    path = write(tmp_path / "a.zarr", array + 1, "yx")
    (path / "0" / "c" / "0" / "0").write_bytes(b"no block")
    with pytest.raises(FileError, match="damaged"):
        read_image(path)
    for text in ("{no json", "[" * 100_000):
        (path / "zarr.json").write_text(text)
        with pytest.raises(FileError, match="damaged"):
            read_image(path)


@pytest.mark.parametrize("place", ["../plain.zarr", "/etc", "C:/a", "b/../../plain.zarr", "link"])
def test_nothing_outside_of_the_store_is_read(tmp_path, place):
    zarr.save_array(tmp_path / "plain.zarr", np.ones((8, 9), np.uint8))
    group = zarr.open_group(tmp_path / "a.zarr", mode="w")
    if place == "link":
        (tmp_path / "a.zarr" / "link").symlink_to(tmp_path / "plain.zarr")
    image = {"axes": [AXES["y"], AXES["x"]], "datasets": [{"path": place}]}
    describe(group, {"multiscales": [image]})
    with pytest.raises(FileError, match="out of it, which is not followed"):
        read_image(tmp_path / "a.zarr")


class _Runs:
    def __reduce__(self):
        return Path.touch, (Path("it_was_run"),)


@pytest.mark.parametrize("key", ["filters", "compressor"])
def test_a_pickle_is_not_run(tmp_path, monkeypatch, key):
    monkeypatch.chdir(tmp_path)
    path = write(tmp_path / "a.zarr", np.ones((8, 9), np.uint8), "yx", 0.4)
    document = json.loads((path / "0" / ".zarray").read_text())
    codec = {"id": "pickle", "protocol": 5}
    document |= {"filters": None, "compressor": None}
    document[key] = [codec] if key == "filters" else codec
    (path / "0" / ".zarray").write_text(json.dumps(document))
    (path / "0" / "0.0").write_bytes(pickle.dumps(_Runs()))
    (path / "0" / "0").mkdir(exist_ok=True)
    (path / "0" / "0" / "0").write_bytes(pickle.dumps(_Runs()))
    with pytest.raises(FileError, match="could run any program"):
        read_image(path)
    assert not (tmp_path / "it_was_run").exists()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"shape": [10**12, 10**12]}, "more than can be read"),
        ({"shape": [10**6, 10**6]}, "more than can be read"),
        ({"shape": [0, 9]}, "no voxels"),
        ({"shape": [8, -9]}, "damaged"),
        ({"chunks": [10**9, 10**9]}, "not enough memory"),
        ({"chunks": [0, 9]}, "damaged"),
        ({"dtype": "|O"}, "could not be read"),
        ({"dtype": "<M8[s]"}, "no numbers"),
    ],
)
def test_sizes_that_cannot_be_are_refused_before_memory_is_taken(tmp_path, change, message):
    path = write(tmp_path / "a.zarr", np.ones((8, 9), np.uint8), "yx", 0.4)
    document = json.loads((path / "0" / ".zarray").read_text())
    (path / "0" / ".zarray").write_text(json.dumps(document | change))
    with pytest.raises(FileError, match=message):
        read_image(path)


def test_zip_files_that_are_none_or_too_large_are_refused(tmp_path):
    with zipfile.ZipFile(tmp_path / "other.ozx", "w") as file:
        file.writestr("a.txt", "text")
    with pytest.raises(FileError, match=r"it is no .*TIFF"):
        read_image(tmp_path / "other.ozx")
    with zipfile.ZipFile(tmp_path / "bomb.ozx", "w", zipfile.ZIP_DEFLATED) as file:
        file.writestr("zarr.json", b" " * (65 << 20))
    with pytest.raises(FileError, match="longer than a description"):
        read_image(tmp_path / "bomb.ozx")
    path = write(tmp_path / "a.zarr", np.ones((8, 9), np.uint8), "yx")
    shutil.make_archive(tmp_path / "a", "zip", path)
    raw = (tmp_path / "a.zip").read_bytes()
    for start in range(0, len(raw) // 2, 17):
        (tmp_path / "damaged.zip").write_bytes(raw[:start] + b"?" + raw[start + 1 :])
        with suppress(FileError):
            assert (read_image(tmp_path / "damaged.zip").array == 1).all()
    raw = bytearray((tmp_path / "a.zip").read_bytes())
    place = raw.index(b"PK\x01\x02")
    raw[place + 24 : place + 28] = (1 << 31).to_bytes(4, "little")
    (tmp_path / "a.zip").write_bytes(raw)
    with pytest.raises(FileError, match="more than can be true"):
        read_image(tmp_path / "a.zip")


def test_a_batch_takes_zarr_as_one_input(tmp_path, rng):
    array = rng.integers(0, 60000, (30, 40), dtype=np.uint16)
    path = write(tmp_path / "cells.ome.zarr", array, "yx")
    image = read_image(path)
    result = run("median", {"image": image}, {"radius": 1})
    recipe = recipe_from_record(result.record)
    summary = run_batch(recipe, [path], tmp_path / "out")
    assert [entry["error"] for entry in summary["inputs"]] == [None]
    (name,) = summary["inputs"][0]["outputs"].values()
    again = read_image(tmp_path / "out" / name)
    np.testing.assert_array_equal(again.array, result.image("image").array)
    assert name.startswith("cells_")
    assert json.loads((tmp_path / "out" / "summary.json").read_text())["inputs"][0]["error"] is None
