"""OME-TIFF data sets of several files: read whole, or refused by the name of what is not there."""

import logging
import os
from pathlib import Path

import numpy as np
import pytest
import tifffile

from napari_seedbed.errors import FileError
from napari_seedbed.pipeline.files import open_collection, read_image

logging.getLogger("tifffile").setLevel(logging.CRITICAL)

SCHEMA = "http://www.openmicroscopy.org/Schemas/OME/2016-06"


def planes(count: int, start: int = 0) -> np.ndarray:
    return np.arange(start * 48, (start + count) * 48, dtype=np.uint16).reshape(count, 6, 8)


def description(members: list[list[tuple[str, int]]], uuid: str = "") -> str:
    """OME-XML of some images, each a stack over files of some planes; ids are made of names."""
    images = ""
    for number, files in enumerate(members):
        data, first = "", 0
        for name, count in files:
            data += (
                f'<TiffData FirstZ="{first}" IFD="0" PlaneCount="{count}">'
                f'<UUID FileName="{name}">urn:uuid:{name}</UUID></TiffData>'
            )
            first += count
        images += (
            f'<Image ID="Image:{number}" Name="image {number}"><Pixels ID="Pixels:{number}" '
            f'DimensionOrder="XYZCT" Type="uint16" SizeX="8" SizeY="6" SizeZ="{first}" SizeC="1" '
            f'SizeT="1" PhysicalSizeX="{number + 1}" PhysicalSizeY="{number + 1}" '
            f'PhysicalSizeZ="{number + 1}">{data}</Pixels></Image>'
        )
    own = f' UUID="urn:uuid:{uuid}"' if uuid else ""
    return f'<?xml version="1.0" encoding="UTF-8"?><OME xmlns="{SCHEMA}"{own}>{images}</OME>'


def write(path: Path, array: np.ndarray, text: str) -> Path:
    tifffile.imwrite(
        path, array, description=text.encode(), metadata=None, photometric="minisblack"
    )
    return path


def write_set(folder: Path, members: list[list[tuple[str, int]]], described: bool = True) -> None:
    """All files of a data set, each with the description or with a pointer to set.companion.ome."""
    start = 0
    for files in members:
        for name, count in files:
            text = description(members, name)
            if not described:
                pointer = '<BinaryOnly MetadataFile="set.companion.ome" UUID="urn:uuid:set"/>'
                text = f'<OME xmlns="{SCHEMA}" UUID="urn:uuid:{name}">{pointer}</OME>'
            write(folder / name, planes(count, start), text)
            start += count
    if not described:
        (folder / "set.companion.ome").write_text(description(members, "set"), encoding="utf-8")


@pytest.mark.parametrize("described", [True, False])
@pytest.mark.parametrize("lazy", [True, False])
def test_each_file_opens_the_whole_image_that_it_belongs_to(tmp_path, described, lazy):
    members = [[("a.ome.tif", 2), ("b.ome.tif", 3)], [("c.ome.tif", 4)]]
    write_set(tmp_path, members, described)
    for name, wanted, size in (
        ("a.ome.tif", planes(5), 1.0),
        ("b.ome.tif", planes(5), 1.0),
        ("c.ome.tif", planes(4, 5), 2.0),
    ):
        image = read_image(tmp_path / name, lazy=lazy)
        np.testing.assert_array_equal(np.asarray(image.array), wanted, err_msg=name)
        assert image.axes == ("z", "y", "x")
        assert image.spacing == (size,) * 3
        assert image.unit == "micrometer"
        assert "data set of 2 images" in " ".join(image.notes)
    # A renamed file is known by its identifier.
    (tmp_path / "c.ome.tif").rename(tmp_path / "renamed.ome.tif")
    array = read_image(tmp_path / "renamed.ome.tif", lazy=lazy).array
    np.testing.assert_array_equal(np.asarray(array), planes(4, 5))


def test_a_single_file_without_an_identifier_may_be_renamed(tmp_path):
    write(tmp_path / "new.ome.tif", planes(3), description([[("old.ome.tif", 3)]]))
    image = read_image(tmp_path / "new.ome.tif")
    np.testing.assert_array_equal(image.array, planes(3))
    assert image.spacing == (1.0,) * 3
    assert not image.notes


def test_missing_members_are_named_and_nothing_is_called_damaged(tmp_path):
    write_set(tmp_path, [[("a.ome.tif", 2), ("b.ome.tif", 2), ("c.ome.tif", 1)]])
    (tmp_path / "b.ome.tif").unlink()
    with pytest.raises(FileError, match=r"1 of the other 2 files .* regular files: b\.ome\.tif\."):
        read_image(tmp_path / "a.ome.tif")
    for name in ("c.ome.tif", "a.ome.tif"):
        with pytest.raises(FileError, match=r"b\.ome\.tif"):
            open_collection([tmp_path / name])
    write_set(tmp_path, [[("d.ome.tif", 2)]], described=False)
    companion = tmp_path / "set.companion.ome"
    whole = companion.read_bytes()
    companion.write_bytes(whole[:200])
    with pytest.raises(FileError, match=r"set\.companion\.ome, which describes .* damaged"):
        read_image(tmp_path / "d.ome.tif")
    companion.write_bytes(f'<OME xmlns="{SCHEMA}"/>'.encode())
    with pytest.raises(FileError, match=r"set\.companion\.ome, .* names no image"):
        read_image(tmp_path / "d.ome.tif")
    companion.unlink()
    with pytest.raises(FileError, match=r"described in the file set\.companion\.ome"):
        read_image(tmp_path / "d.ome.tif")


def test_nothing_outside_the_folder_is_read(tmp_path, shared_data, monkeypatch):
    folder = tmp_path / "data"
    folder.mkdir()
    secret = tmp_path / "secret.tif"
    secret.write_bytes((shared_data / "faults/secret.tif").read_bytes())
    (folder / "ome_trav.ome.tif").write_bytes(
        (shared_data / "faults/ome_trav.ome.tif").read_bytes()
    )
    cases = {"ome_trav.ome.tif": r"'\.\./secret\.tif', outside its folder"}
    for nth, name in enumerate((str(secret), "sub/b.tif", "..\\secret.tif", "..", "")):
        text = description([[(f"{nth}.ome.tif", 1), (name, 1)]], f"{nth}.ome.tif")
        write(folder / f"{nth}.ome.tif", planes(1), text)
        cases[f"{nth}.ome.tif"] = "outside its folder"
    # Links and pipes are no regular files: opening a pipe would wait for ever.
    for name in ("link.tif", "pipe.tif"):
        if name == "link.tif":
            (folder / name).symlink_to(secret)
        elif hasattr(os, "mkfifo"):
            os.mkfifo(folder / name)
        own = f"names_{name}"
        write(folder / own, planes(1), description([[(own, 1), (name, 1)]], own))
        cases[own] = rf"regular files: {name}"
    pointer = f'<OME xmlns="{SCHEMA}"><BinaryOnly MetadataFile="../x.companion.ome"/></OME>'
    write(folder / "binary.ome.tif", planes(1), pointer)
    (tmp_path / "x.companion.ome").write_text(description([[("binary.ome.tif", 1)]]))
    cases["binary.ome.tif"] = "outside its folder"

    opened = []
    TiffFile = tifffile.TiffFile

    def watched(file, *arguments, **options):
        opened.append(Path(file).resolve())
        return TiffFile(file, *arguments, **options)

    monkeypatch.setattr(tifffile, "TiffFile", watched)
    for name, message in cases.items():
        for lazy in (False, True):
            with pytest.raises(FileError, match=message):
                read_image(folder / name, lazy=lazy)
    assert opened
    assert all(path.parent == folder.resolve() for path in opened)
