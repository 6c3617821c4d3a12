"""TIFF files that belong together: which others a file names, and whether they are there.

An OME-TIFF may keep its planes in several files, and its description in yet another one. What it
names is followed only to regular files of its own folder, and is checked before any is opened.
"""

from pathlib import Path
from typing import Any
from xml.etree import ElementTree

from napari_seedbed.errors import FileError
from napari_seedbed.pipeline.files.files_beside import check_beside, is_beside, is_elsewhere
from napari_seedbed.pipeline.files.tiff_structure import (
    TIFF_STARTS,
    check_loose_end,
    check_pages,
)

_FIRST = ("FirstZ", "FirstC", "FirstT")


def open_tiff(path: Path) -> tuple[Any, list[str]]:
    """Open a TIFF file and the others that it names.

    Parameters
    ----------
    path : Path

    Returns
    -------
    tif : tifffile.TiffFile
        Open, with the images that have planes in this file.
    notes : list of str
        What was left out, in plain words.

    Raises
    ------
    FileError
        When the file is cut off, and when a file that it names is missing or elsewhere.
    """
    import tifffile

    loose_end = check_pages(path)
    notes: list[str] = []
    tif = tifffile.TiffFile(path)
    try:
        if loose_end is not None:
            notes.append(check_loose_end(path, tif, loose_end))
        own = tif.ome_metadata
        text = _fitting_description(path, own, notes) if own else own
        if text != own:
            tif.close()
            tif = tifffile.TiffFile(path, omexml=text)
        _check_places(path, tif)
    except BaseException:
        tif.close()
        raise
    return tif, notes


def _fitting_description(path: Path, text: str, notes: list[str]) -> str:
    """The OME-XML of the images in this file, from the file itself or from the one it names."""
    try:
        root = ElementTree.fromstring(text)
    except ElementTree.ParseError:
        return text
    changed = _without_empty_numbers(root)
    own_id = root.get("UUID")
    elsewhere = root.find("{*}BinaryOnly")
    if elsewhere is not None:
        root = _described_elsewhere(path, elsewhere.get("MetadataFile", ""))
        changed = True
    images = root.findall("{*}Image")
    members = {image: image.findall(".//{*}TiffData/{*}UUID") for image in images}
    everyone = [member for found in members.values() for member in found]
    if len({member.text for member in everyone}) == 1 and not is_beside(path, _name(everyone[0])):
        # All planes are in one file, which is this one under an earlier name.
        own_id = everyone[0].text
    own = [
        member
        for member in everyone
        if member.text == own_id or _name(member).lower() == path.name.lower()
    ]
    for member in own:
        changed |= _name(member) != path.name
        member.set("FileName", path.name)
    strangers = [
        image for image in images if members[image] and not any(m in own for m in members[image])
    ]
    if 0 < len(strangers) < len(images):
        notes.append(
            f"The file is part of a data set of {len(images)} images; those without a plane in "
            "this file were left out."
        )
        for image in strangers:
            root.remove(image)
            members.pop(image)
        changed = True
    _check_members(path, [m for found in members.values() for m in found if m not in own])
    return ElementTree.tostring(root, encoding="unicode") if changed else text


def _without_empty_numbers(root: ElementTree.Element) -> bool:
    """Take away optional numbers that are empty, for which tifffile gives up; whether any was."""
    changed = False
    for element in root.iterfind(".//{*}Pixels/*"):
        for key in ("SamplesPerPixel", "IFD", "PlaneCount", "NumPlanes", *_FIRST):
            if not element.get(key, "0").strip():
                del element.attrib[key]
                changed = True
    return changed


def _name(member: ElementTree.Element) -> str:
    return member.get("FileName", "")


def _described_elsewhere(path: Path, name: str) -> ElementTree.Element:
    """The root of the OME-XML in a companion file, or in the first file of the data set."""
    import tifffile

    check_beside(path, name)
    if not is_beside(path, name):
        raise FileError(
            f"{path} could not be read: what its planes are is described in the file {name}, which "
            "is not in its folder. Put it there."
        )
    companion = path.parent / name
    raw = companion.read_bytes()
    if raw.startswith(TIFF_STARTS):
        with tifffile.TiffFile(companion) as tif:
            raw = (tif.ome_metadata or "").encode()
    try:
        root = ElementTree.fromstring(raw)
    except ElementTree.ParseError as error:
        raise FileError(
            f"{path} could not be read: the file {name}, which describes its planes, is damaged "
            f"({error})."
        ) from error
    if root.find("{*}Image") is None:
        raise FileError(
            f"{path} could not be read: the file {name}, which should describe its planes, names "
            "no image."
        )
    return root


def _check_members(path: Path, members: list[ElementTree.Element]) -> None:
    names = sorted({_name(member) for member in members})
    for name in names:
        check_beside(path, name)
    missing = [name for name in names if not is_beside(path, name)]
    if missing:
        raise FileError(
            f"{path} could not be read: {len(missing)} of the other {len(names)} files of its data "
            f"set {'is' if len(missing) == 1 else 'are'} not in its folder as regular files: "
            f"{', '.join(missing[:5])}{', …' if len(missing) > 5 else ''}. Put all files of the "
            "data set into one folder."
        )


def _check_places(path: Path, tif: Any) -> None:
    """The same for Micro-Manager's data sets, whose files tifffile finds by their names."""
    for series in tif.series if tif.is_micromanager else ():
        parents = {id(page.parent): page.parent for page in series.pages if page is not None}
        for handle in (parent.filehandle for parent in parents.values() if parent is not tif):
            there = handle.dirname == tif.filehandle.dirname
            if not there or not is_beside(path, handle.name):
                raise is_elsewhere(path, handle.path)
