"""Projects as files: a zip with the layers as JSON and their arrays as NumPy writes them."""

import json
import zipfile
import zlib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from os import PathLike
from pathlib import Path
from typing import Any

from numpy.typing import NDArray
from pydantic import ValidationError

from napari_seedbed.core.progress import Progress, progress_as
from napari_seedbed.errors import FileError, InputError
from napari_seedbed.pipeline.data.layer_description import LayerDescription
from napari_seedbed.pipeline.data.plain_values import from_plain
from napari_seedbed.pipeline.engine.provenance import package_version
from napari_seedbed.pipeline.files.atomic_files import sweep, why_unreadable, written_whole
from napari_seedbed.pipeline.project.array_members import read_array, write_array
from napari_seedbed.pipeline.project.project_model import (
    FORMAT_VERSION,
    Content,
    Project,
    ProjectHead,
    ProjectLayer,
    StoredArray,
    StoredLayer,
    migrated,
)
from napari_seedbed.pipeline.project.zip_members import LARGEST_TEXT, Members, shown_name

_HEAD = "project.json"
# Labels are packed to a hundredth by the quickest way as well.
_QUICKEST = 1
_KIND = "napari-seedbed project"


def save_project(path: str | PathLike[str], project: Project) -> Path:
    """Write a project; whole or not at all.

    What people have drawn comes before images: where the file is cut off later, that is kept.

    Raises
    ------
    FileError
        When the file cannot be written; one that was there before is untouched.
    """
    path = Path(path)
    layers = [layer for layer in project.layers if layer is not None]
    stored = [_stored(nth, layer) for nth, layer in enumerate(layers)]
    head = {
        "kind": _KIND,
        "format_version": FORMAT_VERSION,
        "created_with": package_version(),
        "layers": [(layer.description.kind, layer.description.name) for layer in layers],
        "view": None if project.view is None else project.view.model_dump(mode="json"),
        "panels": [panel.model_dump(mode="json") for panel in project.panels],
    }
    texts = {_HEAD: head} | {
        _layer_member(nth): {"format_version": FORMAT_VERSION} | layer.model_dump(mode="json")
        for nth, layer in enumerate(stored)
    }
    arrays = [
        (one.member, layers[nth].description.arrays[name])
        for nth, layer in enumerate(stored)
        for name, one in layer.arrays.items()
    ]
    images = {nth for nth, layer in enumerate(layers) if layer.description.kind == "image"}
    arrays.sort(key=lambda found: int(found[0].split("/")[1]) in images)
    work = _Work(sum(array.nbytes for _, array in arrays))
    with (
        written_whole(path) as temporary,
        zipfile.ZipFile(temporary, "w", zipfile.ZIP_DEFLATED, compresslevel=_QUICKEST) as file,
    ):
        sweep(path.parent)
        for member, content in texts.items():
            text = json.dumps(content, allow_nan=False).encode()
            if len(text) > LARGEST_TEXT:
                raise FileError(f"{path} was not written: {member} is too long to be read again.")
            file.writestr(member, text)
        for member, array in arrays:
            # sizes of 64 bits whatever it takes: noise is packed to more than it was
            with file.open(member, "w", force_zip64=True) as opened, work.part(array.nbytes):
                write_array(opened, array)
    return path


def load_project(path: str | PathLike[str]) -> Project:
    """Read a project, as far as it can be read; `Project.missing` says what is not there.

    The files that images lie in are not looked at.

    Raises
    ------
    FileError
        When it is no project, is of a newer version, or would take more memory than there is.
    """
    path = Path(path)
    name = shown_name(path)
    try:
        with path.open("rb") as file:
            members = Members(file, name)
            return _read(members, name)
    except FileError:
        raise
    except OSError as error:
        raise FileError(f"{path} could not be read: {why_unreadable(error)}.") from error


class _Work:
    """How far it is, by the bytes of arrays."""

    def __init__(self, total: int) -> None:
        self._total, self._done = max(total, 1), 0

    @contextmanager
    def part(self, size: int) -> Iterator[None]:
        """Take the progress within the block for that of so many bytes."""

        def change(told: Progress) -> Progress:
            return replace(told, fraction=(self._done + told.fraction * size) / self._total)

        with progress_as(change):
            yield
        self._done += size


def _read(members: Members, name: str) -> Project:
    missing: list[str] = []
    if members.is_damaged:
        missing.append(f"{name} is damaged or was cut off; what can be read of it is opened.")
    content, head = _content(members, name, missing)
    read = []
    work = _Work(sum(members.sizes.values()))
    for nth, plain in enumerate(content["layers"]):
        called = head.layers[nth][1] if nth < len(head.layers) else f"layer {nth + 1}"
        read.append(_layer(members, plain, called, missing, work))
    return Project(tuple(read), head.view, head.panels, head.created_with, tuple(missing))


def _content(members: Members, name: str, missing: list[str]) -> tuple[Content, ProjectHead]:
    """What the texts of the file say, in the words of this version, and what of it is of the whole.

    Raises FileError where it is no project, or one of a newer version.
    """
    head = _text(members, _HEAD)
    numbers = [
        int(member.split("/")[1].removesuffix(".json"))
        for member in members.sizes
        if member.startswith("layers/")
    ]
    listed = head.get("layers", []) if isinstance(head, dict) else []
    count = max([len(listed) if isinstance(listed, list) else 0, *(n + 1 for n in numbers)])
    if head is None and not numbers:
        raise FileError(f"{name} could not be opened: it is no project of Seedbed.")
    if count > 100_000:
        raise FileError(f"{name} was not opened: it says to have {count} layers.")
    layers = [_text(members, _layer_member(nth)) for nth in range(count)]
    if head is None:
        missing.append("The view and the settings of panels could not be read.")
    versions = [text.get("format_version") for text in (head, *layers) if isinstance(text, dict)]
    known = [n for n in versions if isinstance(n, int) and not isinstance(n, bool)]
    version = max(known, default=None)
    content = migrated({"format_version": version, "project": head or {}, "layers": layers}, name)
    try:
        return content, ProjectHead.model_validate(content["project"])
    except ValidationError:
        missing.append("The view and the settings of panels are damaged.")
        return content, ProjectHead()


def _text(members: Members, member: str) -> Any:
    """The plain values in a member; None where it is missing or damaged."""
    if member not in members:
        return None
    try:
        with members.open(member) as opened:
            return json.loads(opened.read(), parse_constant=_refuse)
    except (ValueError, RecursionError, EOFError, zipfile.BadZipFile, zlib.error):
        return None


def _refuse(constant: str) -> float:
    raise ValueError(constant)


def _layer(
    members: Members, plain: Any, called: str, missing: list[str], work: "_Work"
) -> ProjectLayer | None:
    try:
        stored = StoredLayer.model_validate(plain)
    except ValidationError:
        missing.append(f"The layer '{called}' is missing: it could not be read.")
        return None
    arrays: dict[str, NDArray] = {}
    for name, one in stored.arrays.items():
        try:
            # Each only once: memory was counted so.
            size = members.sizes.pop(one.member)
            with members.open(one.member) as opened, work.part(size):
                arrays[name] = read_array(opened, size, one.shape, one.dtype)
        except (FileError, KeyError, zipfile.BadZipFile, zlib.error, EOFError):
            # What needs it says so below.
            continue
    called = str(stored.attributes.get("name", called))
    try:
        from_plain(stored.data, arrays)
        if stored.data is None and stored.source is None:
            raise InputError("data: there are none.")
    except InputError:
        missing.append(f"The layer '{called}' is missing: what it shows could not be read.")
        return None
    attributes, lost = _sound(stored.attributes, arrays)
    state, more = _sound(stored.state, arrays)
    missing += [f"'{part}' of the layer '{called}' could not be read." for part in (*lost, *more)]
    description = LayerDescription(stored.kind, stored.data, attributes, state, arrays)
    return ProjectLayer(description, stored.source)


def _sound(
    values: Mapping[str, Any], arrays: Mapping[str, NDArray]
) -> tuple[dict[str, Any], Sequence[str]]:
    """Those of the values that can be made again, and the names of the others."""
    sound, lost = {}, []
    for name, value in values.items():
        try:
            from_plain(value, arrays)
        except InputError:
            lost.append(name)
        else:
            sound[name] = value
    return sound, lost


def _stored(nth: int, layer: ProjectLayer) -> StoredLayer:
    one = layer.description
    arrays = {
        name: StoredArray(member=f"arrays/{nth}/{i}.npy", shape=array.shape, dtype=array.dtype.str)
        for i, (name, array) in enumerate(one.arrays.items())
    }
    return StoredLayer(
        kind=one.kind,
        data=one.data,
        attributes=one.attributes,
        state=one.state,
        arrays=arrays,
        source=layer.source,
    )


def _layer_member(nth: int) -> str:
    return f"layers/{nth}.json"
